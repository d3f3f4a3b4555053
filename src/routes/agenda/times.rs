//! Free times, and booking one.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::TimeDelta;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    actor, given, key_of, offer_of, payload_error, picked, queried, query_error, refused, risk_from, shown, shown_slot,
};
use crate::domain::phone::Phone;
use crate::routes::ApiError;
use crate::routes::correlation::CorrelationId;
use crate::routes::extract::{Body, Caller};
use crate::services::agenda::front::{self, Wanted};
use crate::services::agenda::{self, Customer, SlotWish};
use crate::tenant::Tenant;

/// How far availability looks when no end is named, and at most.
const AHEAD: TimeDelta = TimeDelta::days(7);
const AHEAD_MAX: TimeDelta = TimeDelta::days(62);
/// Free times of one answer, when no number is named and at most.
const SLOTS: usize = 50;
const SLOTS_MAX: usize = 500;
/// The longest name of whoever comes, characters.
const NAME_MAX: usize = 120;

/// Which free times are wanted.
#[derive(Deserialize)]
pub struct Wish {
    service: Option<String>,
    professional: Option<String>,
    from: Option<String>,
    until: Option<String>,
    limit: Option<String>,
}

/// `GET /api/agenda/availability`.
pub async fn availability(
    caller: Caller,
    correlation: CorrelationId,
    wish: web::Query<Wish>,
) -> Result<HttpResponse, ApiError> {
    let (tenant, services) = (&caller.tenant, &caller.services);
    let zone = tenant.settings.timezone;
    let now = services.clock.now();
    let from = queried("from", wish.from.as_ref(), zone)?.unwrap_or(now).max(now);
    let until = queried("until", wish.until.as_ref(), zone)?.unwrap_or(from + AHEAD);
    if until <= from {
        return Err(query_error("until", "a moment after `from` that is still to come"));
    }
    let limit = match wish.limit.as_ref().filter(|limit| !limit.is_empty()).map(|limit| limit.parse()) {
        None => SLOTS,
        Some(Ok(limit @ 1..=SLOTS_MAX)) => limit,
        Some(_) => return Err(query_error("limit", "a number from 1 to 500")),
    };
    let actor = actor(&caller, &correlation);
    let calendar = agenda::of(services, tenant, &actor)?;
    let offer = offer_of(tenant).await?;
    let (service, professional) = picked(&offer, wish.service.as_deref(), wish.professional.as_deref())?;
    let until = until.min(from + AHEAD_MAX);
    let found = calendar.slots(&SlotWish { service, professional, from, until, moving: None, limit }).await?;
    let slots: Vec<_> = found.iter().map(|slot| shown_slot(slot, zone)).collect();
    Ok(HttpResponse::Ok().json(json!({ "timezone": zone.name(), "from": from, "until": until, "slots": slots })))
}

/// An appointment to be booked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Booking {
    starts_at: String,
    service: Option<String>,
    professional: Option<String>,
    customer: Who,
}

/// Who comes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Who {
    name: Option<String>,
    phone: Option<String>,
    email: Option<String>,
    person_id: Option<Uuid>,
}

/// `POST /api/agenda/book`.
pub async fn book(
    caller: Caller,
    req: HttpRequest,
    correlation: CorrelationId,
    Body(booking): Body<Booking>,
) -> Result<HttpResponse, ApiError> {
    let (tenant, services) = (&caller.tenant, &caller.services);
    let intent = key_of(&req)?.map_or_else(Uuid::now_v7, |key| front::intent_of(tenant, key));
    let starts = given("starts_at", &booking.starts_at, tenant.settings.timezone)?;
    let offer = offer_of(tenant).await?;
    let (service, professional) = picked(&offer, booking.service.as_deref(), booking.professional.as_deref())?;
    let customer = customer(tenant, booking.customer).await?;
    let wanted = Wanted { service, professional, starts };
    let actor = actor(&caller, &correlation);
    let booked = front::book(services, tenant, (intent, &wanted, customer), &actor).await;
    let (row, fresh) = booked.map_err(|refusal| refused(refusal, tenant))?;
    let status = if fresh { StatusCode::CREATED } else { StatusCode::OK };
    Ok(HttpResponse::build(status).json(shown(&row, tenant, risk_from(tenant).await?)))
}

/// Whoever comes, tied to whom we know by this id or number.
async fn customer(tenant: &Tenant, who: Who) -> Result<Customer, ApiError> {
    let text = |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let phone = match text(who.phone) {
        None => None,
        Some(typed) => Some(Phone::typed(&typed).ok_or_else(|| {
            payload_error("customer.phone", "a telephone number with area code, such as +5511987654321")
        })?),
    };
    let email = text(who.email);
    if email.as_ref().is_some_and(|email| !email.contains('@') || email.contains(char::is_whitespace)) {
        return Err(payload_error("customer.email", "an e-mail address"));
    }
    let known = front::known(tenant, who.person_id, phone.as_ref()).await?;
    if who.person_id.is_some() && known.is_none() {
        let error = ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "unknown_person").field("customer.person_id");
        return Err(error.detail("nobody here has this id"));
    }
    let name = text(who.name).or_else(|| known.as_ref().and_then(|known| known.name.clone())).unwrap_or_default();
    if name.is_empty() || name.chars().count() > NAME_MAX || name.chars().any(char::is_control) {
        return Err(payload_error("customer.name", "needed: at most 120 characters, on one line"));
    }
    Ok(Customer {
        person_id: known.as_ref().map(|known| known.person),
        conversation_id: known.map(|known| known.conversation),
        name,
        phone: phone.map(|phone| format!("+{}", phone.digits())),
        email,
    })
}
