//! Callbacks of the calendar outside. What is answered with success is in the database; what is lost on the way is found
//! by [`reconcile`](super::reconcile).

use std::time::Duration;

use chrono::TimeDelta;
use secrecy::ExposeSecret;

use super::calendar::CalendarError;
use super::news::{self, Effect, News};
use super::outside::Outside;
use super::rows::Desk;
use super::waitlist;
use crate::clients::calendar::calcom_callback::{Callback, Trigger, Unreadable, read};
use crate::config::company::CalendarKind;
use crate::domain::audit::ActorType;
use crate::domain::company::CompanyState;
use crate::domain::webhook_auth::calcom::verify;
use crate::models::tenant::appointment;
use crate::services::Services;
use crate::services::audit::Actor;
use crate::telemetry::metrics::{self, CallbackResult, CallbackTrigger};
use crate::tenant::{StoreError, Tenant};

/// The header that carries the signature.
pub const SIGNATURE_HEADER: &str = "x-cal-signature-256";

/// How far ahead of ours the calendar's clock may be; what is told of later than that happened now.
const CLOCKS_APART: TimeDelta = TimeDelta::minutes(5);
/// How long the calendar may take to say more of a booking nobody here knows: it waits for our answer meanwhile.
const PATIENCE: Duration = Duration::from_secs(2);

/// What became of a callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is in the database, or was before, or something newer is.
    Received,
    /// Nothing of ours, and why.
    Ignored(&'static str),
}

/// Why a callback is refused.
#[derive(Debug)]
pub enum Refusal {
    /// The signature. The cause is for our log only.
    Unauthorized(&'static str),
    /// No JSON object, or this field is missing.
    BadPayload(Option<&'static str>),
    /// Our own fault; nothing was half done.
    Unavailable(StoreError),
}

/// Takes a callback in: verify, read, take over.
///
/// # Errors
/// [`Refusal`]; then nothing was stored.
pub async fn take(
    services: &Services,
    tenant: &Tenant,
    signature: Option<&str>,
    body: &[u8],
    correlation_id: &str,
) -> Result<Taken, Refusal> {
    let count = |trigger, result| metrics::calendar_callback(tenant.id(), trigger, result);
    let callback = match authentic(tenant, signature, body) {
        Ok(callback) => callback,
        Err(refusal) => {
            count(CallbackTrigger::Other, CallbackResult::Refused);
            return Err(refusal);
        }
    };
    let trigger = label(callback.trigger);
    if let Some(reason) = none_of_ours(tenant, &callback) {
        count(trigger, CallbackResult::Ignored);
        return Ok(Taken::Ignored(reason));
    }
    let kind = ActorType::System;
    let actor = Actor { name: "calcom".to_owned(), kind, correlation_id: correlation_id.to_owned() };
    let desk = Desk::new(services, tenant, &actor);
    match take_over(&desk, &callback).await {
        Ok(effect) => {
            let (result, taken) = match effect {
                Effect::Adopted => (CallbackResult::Adopted, Taken::Received),
                Effect::Unchanged => (CallbackResult::Unchanged, Taken::Received),
                Effect::Unknown => (CallbackResult::Ignored, Taken::Ignored("unknown_booking")),
                _ => (CallbackResult::Applied, Taken::Received),
            };
            count(trigger, result);
            Ok(taken)
        }
        Err(error) => {
            count(trigger, CallbackResult::Refused);
            Err(Refusal::Unavailable(match error {
                CalendarError::Store(error) => error,
                other => StoreError::pg_data(other.to_string()),
            }))
        }
    }
}

fn authentic(tenant: &Tenant, signature: Option<&str>, body: &[u8]) -> Result<Callback, Refusal> {
    let secrets = &tenant.secrets.calendar_webhook;
    if secrets.is_empty() {
        return Err(Refusal::Unauthorized("not_configured"));
    }
    let signature = signature.ok_or(Refusal::Unauthorized("signature_missing"))?;
    if !verify(secrets.iter().map(ExposeSecret::expose_secret), signature, body) {
        return Err(Refusal::Unauthorized("signature_wrong"));
    }
    let callback = read(body).map_err(|Unreadable(field)| Refusal::BadPayload(field))?;
    // Two companies that share an account and its secret: each booking says whose it is.
    if callback.company.as_ref().is_some_and(|company| *company != tenant.id().to_string()) {
        return Err(Refusal::Unauthorized("another_company"));
    }
    Ok(callback)
}

fn none_of_ours(tenant: &Tenant, callback: &Callback) -> Option<&'static str> {
    if tenant.company.state == CompanyState::Suspended {
        Some("suspended")
    } else if tenant.settings.calendar.kind != CalendarKind::Calcom {
        Some("another_calendar")
    } else {
        (callback.trigger == Trigger::Other).then_some("trigger")
    }
}

async fn take_over(desk: &Desk<'_>, callback: &Callback) -> Result<Effect, CalendarError> {
    let now = desk.now();
    let at = callback.at.filter(|at| *at <= now + CLOCKS_APART).unwrap_or(now);
    let news = News {
        uid: &callback.uid,
        moved_from: callback.moved_from.as_deref().into_iter().collect(),
        booking: callback.booking.as_ref(),
        at,
        absent: callback.absent,
        hint: callback.trigger == Trigger::NoShowHint,
    };
    let effect = news::apply(desk, &news).await?;
    if effect == Effect::Cancelled {
        tell_the_waiting(desk, &callback.uid).await?;
    }
    if effect != Effect::Unknown {
        return Ok(effect);
    }
    // Who came to a booking nobody here knows: the calendar itself says what booking that is.
    let Ok(outside) = Outside::new(Desk::new(desk.services, desk.tenant, desk.actor)) else { return Ok(effect) };
    let asked = tokio::time::timeout(PATIENCE, outside.calcom().booking(&callback.uid)).await;
    let Ok(Ok(booking)) = asked else { return Ok(effect) };
    let moved_from = booking.moved_from.as_deref().into_iter().collect();
    let adopted = news::apply(desk, &News { moved_from, booking: Some(&booking), ..news.clone() }).await?;
    let again = news::apply(desk, &news).await?;
    Ok(if again == Effect::Unchanged { adopted } else { again })
}

/// What was called off at the calendar became free all the same.
async fn tell_the_waiting(desk: &Desk<'_>, uid: &str) -> Result<(), CalendarError> {
    let mut tx = desk.tenant.db.begin().await?;
    let row = appointment::find_external(&mut tx, uid).await?;
    tx.commit().await?;
    if let Some(row) = row {
        Box::pin(waitlist::freed_after(desk.services, desk.tenant, &row)).await;
    }
    Ok(())
}

fn label(trigger: Trigger) -> CallbackTrigger {
    match trigger {
        Trigger::Created => CallbackTrigger::Created,
        Trigger::Requested => CallbackTrigger::Requested,
        Trigger::Rescheduled => CallbackTrigger::Rescheduled,
        Trigger::Cancelled => CallbackTrigger::Cancelled,
        Trigger::Rejected => CallbackTrigger::Rejected,
        Trigger::Payment => CallbackTrigger::Payment,
        Trigger::NoShow | Trigger::NoShowHint => CallbackTrigger::NoShow,
        Trigger::Meeting => CallbackTrigger::Meeting,
        Trigger::Other => CallbackTrigger::Other,
    }
}
