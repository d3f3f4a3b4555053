//! A company's agenda, for its own people and programs: free times, appointments, reminders, insights, who waits.

pub mod appointments;
pub mod feed;
pub mod followups;
pub mod insights;
pub mod offer;
pub mod times;
pub mod waiting;

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderName;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};
use uuid::Uuid;

use super::ApiError;
use super::correlation::CorrelationId;
use super::extract::Caller;
use crate::domain::agenda::flow::zoned;
use crate::domain::agenda::offer::Offer;
use crate::domain::text::fold::fold;
use crate::models::tenant::appointment::AppointmentRow;
use crate::services::agenda::front::Refusal;
use crate::services::agenda::insights::CONFIRMED_AT;
use crate::services::agenda::{self, CalendarError, OpenSlot};
use crate::services::audit::Actor;
use crate::services::{ServiceError, Services};
use crate::tenant::{StoreError, Tenant};

static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The longest idempotency key, characters.
const KEY_MAX: usize = 200;
/// Most rows of one answer.
const LIST_MAX: i64 = 200;

/// Who acts.
fn actor(caller: &Caller, correlation: &CorrelationId) -> Actor {
    Actor::api(caller.actor, &*correlation.0)
}

/// The request's idempotency key, if it has one.
fn key_of(req: &HttpRequest) -> Result<Option<&str>, ApiError> {
    let Some(key) = req.headers().get(&IDEMPOTENCY_KEY) else { return Ok(None) };
    let key = key.to_str().ok().map(str::trim).filter(|key| !key.is_empty() && key.len() <= KEY_MAX);
    key.map(Some).ok_or_else(|| {
        let detail = format!("Idempotency-Key is 1 to {KEY_MAX} visible ASCII characters");
        ApiError::new(StatusCode::BAD_REQUEST, "invalid_header").field("Idempotency-Key").detail(detail)
    })
}

fn not_found() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "not_found")
}

fn query_error(field: &'static str, must: &str) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "invalid_query").field(field).detail(format!("{field} is {must}"))
}

fn payload_error(field: &'static str, must: &str) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "invalid_payload").field(field).detail(format!("{field} is {must}"))
}

const TIME_MUST: &str = "a moment such as 2026-12-01T09:00-03:00, or a local time of the company such as 2026-12-01T09:00, of a day that exists";

/// Why a time cannot be read.
enum BadTime {
    /// It is none.
    Unreadable,
    /// The clocks of the company never show it.
    Gap,
}

/// A moment as programs write it: with an offset, or local to the company. A day is its beginning where `days` is set.
fn moment(text: &str, zone: Tz, days: bool) -> Result<DateTime<Utc>, BadTime> {
    // A plus sign in a query is a space to whoever decodes it.
    let text = text.trim().replace(' ', "+");
    if let Ok(at) = DateTime::parse_from_rfc3339(&text) {
        return Ok(at.to_utc());
    }
    if let Ok(at) = DateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M%:z") {
        return Ok(at.to_utc());
    }
    let local =
        ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"].iter().find_map(|form| NaiveDateTime::parse_from_str(&text, form).ok());
    let day = || text.parse::<NaiveDate>().ok().filter(|_| days).map(|day| day.and_time(NaiveTime::MIN));
    match (local, day()) {
        (Some(local), _) if zoned::is_gap(zone, local) => Err(BadTime::Gap),
        (Some(local), _) => Ok(zoned::moment(zone, local)),
        (None, Some(local)) => Ok(zoned::moment(zone, local)),
        (None, None) => Err(BadTime::Unreadable),
    }
}

/// The moment of a field of a query.
fn queried(field: &'static str, text: Option<&String>, zone: Tz) -> Result<Option<DateTime<Utc>>, ApiError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    moment(text, zone, true).map(Some).map_err(|_| query_error(field, &format!("{TIME_MUST}; or a day")))
}

/// The moment of a field of a body.
fn given(field: &'static str, text: &str, zone: Tz) -> Result<DateTime<Utc>, ApiError> {
    moment(text, zone, false).map_err(|bad| match bad {
        BadTime::Unreadable => payload_error(field, TIME_MUST),
        BadTime::Gap => ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "no_such_time")
            .field(field)
            .detail("the clocks of the company's time zone skip this time"),
    })
}

/// A row's id in a query or a body.
fn uuid_of(field: &'static str, text: Option<&String>) -> Result<Option<Uuid>, ApiError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| query_error(field, "an id"))
}

/// What of the offer is meant: by id, or by name without regard to case and accents.
fn pick<'a>(
    field: &'static str,
    wanted: Option<&str>,
    all: impl Iterator<Item = (Uuid, &'a str)>,
) -> Result<Option<Uuid>, ApiError> {
    let Some(wanted) = wanted.map(str::trim).filter(|wanted| !wanted.is_empty()) else { return Ok(None) };
    let all: Vec<(Uuid, &str)> = all.collect();
    let id: Option<Uuid> = wanted.parse().ok();
    let found = all.iter().find(|(known, name)| Some(*known) == id || fold(name) == fold(wanted));
    found.map(|(id, _)| Some(*id)).ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|(_, name)| *name).collect();
        let code = if field == "service" { "unknown_service" } else { "unknown_professional" };
        ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, code).field(field).with("offered", json!(names))
    })
}

/// Service and professional that are meant. Of several services one has to be named: each takes its own time.
fn picked(
    offer: &Offer,
    service: Option<&str>,
    professional: Option<&str>,
) -> Result<(Option<Uuid>, Option<Uuid>), ApiError> {
    let services = || offer.services.iter().map(|one| (one.id, one.name.as_str()));
    let service = match (pick("service", service, services())?, offer.services.as_slice()) {
        (Some(id), _) => Some(id),
        (None, []) => None,
        (None, [only]) => Some(only.id),
        (None, _) => {
            let names: Vec<&str> = services().map(|(_, name)| name).collect();
            return Err(payload_error("service", "needed: this company offers several").with("offered", json!(names)));
        }
    };
    let does = offer.who_does(service).map(|one| (one.id, one.name.as_str()));
    Ok((service, pick("professional", professional, does)?))
}

fn local(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%Y-%m-%dT%H:%M").to_string()
}

fn named(id: Option<Uuid>, name: &str) -> Value {
    if id.is_none() && name.is_empty() { Value::Null } else { json!({ "id": id, "name": name }) }
}

fn shown_slot(slot: &OpenSlot, zone: Tz) -> Value {
    json!({
        "starts_at": slot.starts, "ends_at": slot.ends, "local": local(slot.starts, zone),
        "service": named(slot.service, &slot.service_name),
        "professional": named(slot.professional, &slot.professional_name),
    })
}

/// An appointment; `risk_from` is from where on it is marked as high risk.
fn shown(row: &AppointmentRow, tenant: &Tenant, risk_from: Option<f64>) -> Value {
    let zone = tenant.settings.timezone;
    let marked = row.risk.zip(risk_from).map(|(risk, from)| f64::from(risk) >= from && row.state().stands());
    json!({
        "id": row.id, "state": row.state, "starts_at": row.starts_at, "ends_at": row.ends_at,
        "local": local(row.starts_at, zone), "timezone": zone.name(),
        "service": named(row.service_id, &row.service), "professional": named(row.professional_id, &row.professional),
        "person_id": row.person_id, "conversation_id": row.conversation_id, "attendee": row.attendee,
        "place": row.place(), "meeting_url": row.meeting_url(), "source": row.source,
        "presence_confirmed_at": row.metadata.get(CONFIRMED_AT), "risk": row.risk, "high_risk": marked,
        "reason": row.reason, "outcome_source": row.outcome_source, "version": row.version,
        "created_at": row.created_at, "updated_at": row.updated_at,
    })
}

/// What can be booked.
async fn offer_of(tenant: &Tenant) -> Result<Offer, ApiError> {
    Ok(agenda::offer(tenant).await?)
}

/// From where on an appointment is marked.
async fn risk_from(tenant: &Tenant) -> Result<Option<f64>, ApiError> {
    Ok(agenda::insights::risk_from(tenant).await?)
}

/// Tells that something is due at once.
async fn due_now(services: &Services, tenant: &Tenant) {
    agenda::nudge::due(services, tenant, services.clock.now()).await;
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        ServiceError::from(error).into()
    }
}

impl From<CalendarError> for ApiError {
    fn from(error: CalendarError) -> Self {
        let conflict = |code| Self::new(StatusCode::CONFLICT, code);
        match error {
            CalendarError::NotConfigured("no_calendar") => conflict("no_calendar").detail(
                "this company has no calendar: `secretaria provision set COMPANY --set calendar.kind=local` makes one here, \
                 `calendar.kind=calcom` with `calendar.api_key` and `calendar.event_type` uses Cal.com",
            ),
            CalendarError::NotConfigured("no_event_type") => conflict("no_event_type").detail(
                "Cal.com needs to know what is booked: set `calendar.event_type`, or `event_type` of the service or the professional",
            ),
            CalendarError::NotConfigured(what) => conflict("calendar_not_configured")
                .detail("Cal.com does not let us in: set `calendar.api_key` to a key that is valid, and see that `calendar.kind` is meant")
                .because(what),
            CalendarError::Taken => conflict("slot_taken").detail("somebody else has this time"),
            CalendarError::NotOffered => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "not_offered").detail("this time is not on offer")
            }
            CalendarError::Gone => {
                conflict("gone").detail("this appointment is not there any more, or can no longer be changed so")
            }
            CalendarError::Refused(why) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "calendar_refuses")
                .detail("the calendar refuses this for good; the same again will be refused again")
                .because(why),
            CalendarError::Down { wait } => Self::new(StatusCode::SERVICE_UNAVAILABLE, "calendar_down")
                .detail("the calendar does not answer; nothing was done")
                .retry_after(wait.unwrap_or(std::time::Duration::from_secs(30))),
            CalendarError::Unclear => Self::new(StatusCode::GATEWAY_TIMEOUT, "calendar_unclear")
                .detail("the calendar fell silent: whether it was done is being found out; ask for the appointment in a minute, or repeat with the same Idempotency-Key")
                .retry_after(std::time::Duration::from_secs(60)),
            CalendarError::Store(error) => error.into(),
        }
    }
}

/// A refusal as an answer, in the company's time zone.
fn refused(refusal: Refusal, tenant: &Tenant) -> ApiError {
    let zone = tenant.settings.timezone;
    let unfit = |code| ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, code).field("starts_at");
    let slots = |slots: &[OpenSlot]| json!(slots.iter().map(|slot| shown_slot(slot, zone)).collect::<Vec<_>>());
    match refusal {
        Refusal::Calendar(error) => error.into(),
        Refusal::Past => unfit("in_the_past").detail("this time is over"),
        Refusal::TooSoon(first) => unfit("too_soon")
            .detail("the company wants to know of appointments earlier (`calendar.notice_minutes`)")
            .with("not_before", json!(first)),
        Refusal::TooFar(last) => unfit("too_far")
            .detail("appointments are not made so far ahead (`calendar.days_ahead`)")
            .with("not_after", json!(last)),
        Refusal::Taken(free) => ApiError::new(StatusCode::CONFLICT, "slot_taken")
            .field("starts_at")
            .detail("somebody else has this time; `options` are free")
            .with("options", slots(&free)),
        Refusal::NotOffered(free) => {
            unfit("not_offered").detail("this time is not on offer; `options` are").with("options", slots(&free))
        }
        Refusal::Missing => not_found(),
        Refusal::State(state) => ApiError::new(StatusCode::CONFLICT, "wrong_state")
            .detail("the appointment's state does not allow it")
            .with("state", json!(state.as_str())),
        Refusal::KeyReused => ApiError::new(StatusCode::CONFLICT, "idempotency_key_reused")
            .field("Idempotency-Key")
            .detail("another appointment was booked under this key"),
        Refusal::KeySpent => ApiError::new(StatusCode::CONFLICT, "idempotency_key_spent")
            .field("Idempotency-Key")
            .detail("what was tried under this key failed for good: try again under a new key"),
    }
}
