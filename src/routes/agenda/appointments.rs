//! Appointments: listed, shown, moved, called off, answered, marked; a reminder at once.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    LIST_MAX, actor, due_now, given, key_of, not_found, offer_of, pick, queried, query_error, refused, risk_from,
    shown, uuid_of,
};
use crate::domain::agenda::appointment::AppointmentState as State;
use crate::models::tenant::agenda_view;
use crate::models::tenant::appointment::{self, AppointmentRow, Filter};
use crate::models::tenant::timer::{self, TimerRow};
use crate::routes::ApiError;
use crate::routes::correlation::CorrelationId;
use crate::routes::extract::{Body, Caller};
use crate::routes::knowledge::Id;
use crate::services::agenda::front::{self, Refusal};
use crate::services::agenda::{self, timers};
use crate::services::audit;

/// The longest reason, characters.
const REASON_MAX: usize = 300;

/// Which appointments are wanted.
#[derive(Deserialize)]
pub struct Wanted {
    state: Option<String>,
    from: Option<String>,
    until: Option<String>,
    person: Option<String>,
    professional: Option<String>,
    service: Option<String>,
}

/// `GET /api/agenda/appointments`.
pub async fn list(caller: Caller, wanted: web::Query<Wanted>) -> Result<HttpResponse, ApiError> {
    let tenant = &caller.tenant;
    let zone = tenant.settings.timezone;
    let state = wanted.state.clone().filter(|state| !state.is_empty());
    if state.as_deref().is_some_and(|state| !State::parse(state).is_some_and(State::was_booked)) {
        let must = "pending, confirmed, rescheduled, cancelled, rejected, no_show or attended";
        return Err(query_error("state", must));
    }
    let offer = offer_of(tenant).await?;
    let services = offer.services.iter().map(|one| (one.id, one.name.as_str()));
    let people = offer.professionals.iter().map(|one| (one.id, one.name.as_str()));
    let filter = Filter {
        from: queried("from", wanted.from.as_ref(), zone)?,
        until: queried("until", wanted.until.as_ref(), zone)?,
        state,
        person_id: uuid_of("person", wanted.person.as_ref())?,
        service_id: pick("service", wanted.service.as_deref(), services)?,
        professional_id: pick("professional", wanted.professional.as_deref(), people)?,
    };
    let mut tx = tenant.db.begin().await?;
    let mut rows = appointment::list(&mut tx, &filter, LIST_MAX + 1).await?;
    let counts = agenda_view::counts(&mut tx, &filter).await?;
    tx.commit().await?;
    let more = rows.len() > usize::try_from(LIST_MAX).unwrap_or(usize::MAX);
    rows.truncate(usize::try_from(LIST_MAX).unwrap_or(usize::MAX));
    let of = |state: State| counts.get(state.as_str()).copied().unwrap_or(0);
    let (came, missed) = (of(State::Attended), of(State::NoShow));
    let rate = (came + missed > 0).then(|| came as f64 / (came + missed) as f64);
    let risk_from = risk_from(tenant).await?;
    Ok(HttpResponse::Ok().json(json!({
        "appointments": rows.iter().map(|row| shown(row, tenant, risk_from)).collect::<Vec<_>>(),
        "more": more, "total": counts.values().sum::<i64>(), "by_state": counts, "attendance_rate": rate,
    })))
}

/// `GET /api/agenda/appointments/{id}`.
pub async fn show(caller: Caller, id: Id) -> Result<HttpResponse, ApiError> {
    let tenant = &caller.tenant;
    let mut tx = tenant.db.begin().await?;
    let row = appointment::find(&mut tx, id.0).await?;
    let timers = timer::of_appointment(&mut tx, id.0).await?;
    tx.commit().await?;
    // What is being booked may be asked for: nobody knows yet whether it is.
    let row = row.filter(|row| row.state().was_booked() || row.state() == State::Booking).ok_or_else(not_found)?;
    let mut body = shown(&row, tenant, risk_from(tenant).await?);
    if let Some(body) = body.as_object_mut() {
        let told = timers.iter().filter(|one| one.kind != agenda_view::FREED).map(shown_timer).collect();
        body.insert("timers".to_owned(), Value::Array(told));
    }
    Ok(HttpResponse::Ok().json(body))
}

/// A timer as it is shown.
pub(super) fn shown_timer(row: &TimerRow) -> Value {
    json!({
        "id": row.id, "kind": row.kind, "name": row.name, "state": row.state, "reason": row.reason,
        "due_at": row.due_at, "message_id": row.message_id, "updated_at": row.updated_at,
    })
}

/// Why something is done.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Why {
    #[serde(default)]
    reason: String,
}

impl Why {
    fn checked(&self, default: &'static str) -> Result<&str, ApiError> {
        let reason = self.reason.trim();
        if reason.chars().count() > REASON_MAX || reason.chars().any(char::is_control) {
            return Err(super::payload_error("reason", "at most 300 characters, on one line"));
        }
        Ok(if reason.is_empty() { default } else { reason })
    }
}

async fn answer(caller: &Caller, done: Result<AppointmentRow, Refusal>) -> Result<HttpResponse, ApiError> {
    let row = done.map_err(|refusal| refused(refusal, &caller.tenant))?;
    Ok(HttpResponse::Ok().json(shown(&row, &caller.tenant, risk_from(&caller.tenant).await?)))
}

/// `POST /api/agenda/appointments/{id}/cancel`.
pub async fn cancel(
    caller: Caller,
    id: Id,
    correlation: CorrelationId,
    Body(why): Body<Why>,
) -> Result<HttpResponse, ApiError> {
    let actor = actor(&caller, &correlation);
    let reason = why.checked("Cancelado pela empresa")?;
    answer(&caller, front::cancel(&caller.services, &caller.tenant, (id.0, reason), &actor).await).await
}

/// Where an appointment is moved.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Move {
    starts_at: String,
    professional: Option<String>,
}

/// `POST /api/agenda/appointments/{id}/reschedule`.
pub async fn reschedule(
    caller: Caller,
    id: Id,
    correlation: CorrelationId,
    Body(to): Body<Move>,
) -> Result<HttpResponse, ApiError> {
    let tenant = &caller.tenant;
    let starts = given("starts_at", &to.starts_at, tenant.settings.timezone)?;
    let offer = offer_of(tenant).await?;
    let people = offer.professionals.iter().map(|one| (one.id, one.name.as_str()));
    let professional = pick("professional", to.professional.as_deref(), people)?;
    let actor = actor(&caller, &correlation);
    answer(&caller, front::reschedule(&caller.services, tenant, (id.0, starts, professional), &actor).await).await
}

/// `POST /api/agenda/appointments/{id}/confirm`: the company says yes to a pending one.
pub async fn confirm(
    caller: Caller,
    id: Id,
    correlation: CorrelationId,
    _: Body<Value>,
) -> Result<HttpResponse, ApiError> {
    settle(&caller, &id, &correlation, Settling::Confirm).await
}

/// `POST /api/agenda/appointments/{id}/decline`: the company says no to a pending one.
pub async fn decline(
    caller: Caller,
    id: Id,
    correlation: CorrelationId,
    Body(why): Body<Why>,
) -> Result<HttpResponse, ApiError> {
    let reason = why.checked("")?.to_owned();
    settle(&caller, &id, &correlation, Settling::Decline(reason)).await
}

/// `POST /api/agenda/appointments/{id}/attended`: the team says that somebody came.
pub async fn attended(
    caller: Caller,
    id: Id,
    correlation: CorrelationId,
    _: Body<Value>,
) -> Result<HttpResponse, ApiError> {
    settle(&caller, &id, &correlation, Settling::Mark(true)).await
}

/// `POST /api/agenda/appointments/{id}/no-show`: the team says that nobody came.
pub async fn no_show(
    caller: Caller,
    id: Id,
    correlation: CorrelationId,
    _: Body<Value>,
) -> Result<HttpResponse, ApiError> {
    settle(&caller, &id, &correlation, Settling::Mark(false)).await
}

enum Settling {
    Confirm,
    Decline(String),
    Mark(bool),
}

async fn settle(
    caller: &Caller,
    id: &Id,
    correlation: &CorrelationId,
    settling: Settling,
) -> Result<HttpResponse, ApiError> {
    let (tenant, services) = (&caller.tenant, &caller.services);
    let row = front::find(tenant, id.0).await?.filter(|row| row.state().was_booked()).ok_or_else(not_found)?;
    let actor = actor(caller, correlation);
    let calendar = agenda::of(services, tenant, &actor)?;
    if matches!(settling, Settling::Mark(_)) && row.starts_at > services.clock.now() {
        let error = ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "not_begun");
        return Err(error.detail("whether somebody came is known when it has begun"));
    }
    let done = match settling {
        Settling::Confirm => calendar.confirm(id.0).await,
        Settling::Decline(reason) => calendar.decline(id.0, &reason).await,
        Settling::Mark(came) => calendar.mark(id.0, came, "team").await,
    };
    let done = done.map_err(|error| match error {
        agenda::CalendarError::Gone => Refusal::State(row.state()),
        error => error.into(),
    });
    answer(caller, done).await
}

/// `POST /api/agenda/appointments/{id}/reminder`: "enviar lembrete agora".
pub async fn reminder(
    caller: Caller,
    id: Id,
    req: HttpRequest,
    correlation: CorrelationId,
    _: Body<Value>,
) -> Result<HttpResponse, ApiError> {
    let (tenant, services) = (&caller.tenant, &caller.services);
    let now = services.clock.now();
    let key = key_of(&req)?.map_or_else(|| Uuid::now_v7().to_string(), str::to_owned);
    let row = front::standing(tenant, id.0).await.map_err(|refusal| refused(refusal, tenant))?;
    if row.state() == State::Pending {
        return Err(refused(Refusal::State(State::Pending), tenant));
    }
    if row.starts_at <= now {
        let error = ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "in_the_past");
        return Err(error.detail("this appointment has begun"));
    }
    may_write(&caller, &row).await?;
    let mut tx = tenant.db.begin().await?;
    let name = format!("{}:{key}", timers::MANUAL);
    let before = timer::of_appointment(&mut tx, row.id).await?;
    // The same order again, also after the appointment changed, is the same reminder.
    let queued = match before.into_iter().find(|one| one.kind == timers::REMINDER && one.name == name) {
        Some(known) => known,
        None => {
            let fresh = timers::remind_now(&mut tx, &row, &key, now).await?;
            let fresh = fresh.ok_or_else(|| ApiError::new(StatusCode::CONFLICT, "conflict"))?;
            let entry = actor(&caller, &correlation).entry(
                "agenda.reminder_order",
                format!("appointment/{}", row.id),
                json!({ "timer": fresh.id }),
            );
            audit::record(&mut tx, tenant.id(), &entry, now).await?;
            fresh
        }
    };
    tx.commit().await?;
    due_now(services, tenant).await;
    Ok(HttpResponse::Accepted().json(json!({ "status": "queued", "timer": shown_timer(&queued) })))
}

/// Refuses where nobody can be written to, or somebody who does not want it.
pub(super) async fn may_write(caller: &Caller, row: &AppointmentRow) -> Result<(), ApiError> {
    let tenant = &caller.tenant;
    if let Some(person) = row.person_id {
        let mut tx = tenant.db.begin().await?;
        let reachable = agenda_view::reachable(&mut tx, &[person]).await?;
        tx.commit().await?;
        if reachable.is_empty() {
            let error = ApiError::new(StatusCode::CONFLICT, "opted_out");
            return Err(error.detail("this person asked not to be written to"));
        }
    } else if row.conversation_id.is_none() && row.attendee.get("phone").is_none_or(Value::is_null) {
        let error = ApiError::new(StatusCode::CONFLICT, "no_address");
        return Err(error.detail("this appointment has no telephone number to write to"));
    }
    Ok(())
}
