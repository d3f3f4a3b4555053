//! Cal.com, API v2: event types, free times, reservations that run out, bookings that are moved and called off, and
//! callbacks about all of it. It refuses what the real service refuses, and answers nothing to a call without its version.

mod books;
mod hooks;
mod kinds;
mod shape;

use std::sync::Arc;
use std::time::Duration;

use actix_web::web::{self, Bytes};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::fault::Provider;
use super::state::{State, company_of};
use super::wire::{Answer, serve};
pub(super) use books::Books;
pub(super) use hooks::{Hooks, meeting, send, tell_made};
pub(super) use kinds::NewBooking;
pub use kinds::{BookingAtStandIn, EventTypeAtStandIn, Refusal};

/// Fields of a new booking that are known; the real service refuses all others.
const BOOKING_FIELDS: [&str; 10] = [
    "start",
    "eventTypeId",
    "attendee",
    "metadata",
    "bookingFieldsResponses",
    "location",
    "lengthInMinutes",
    "guests",
    "eventTypeSlug",
    "username",
];
const ATTENDEE_FIELDS: [&str; 5] = ["name", "email", "phoneNumber", "timeZone", "language"];
const LANGUAGES: [&str; 4] = ["pt-BR", "pt", "en", "es"];

/// The whole API.
pub(super) fn routes(app: &mut web::ServiceConfig) {
    for method in [web::get(), web::post(), web::delete()] {
        app.route("/calcom/v2/{call:.*}", method.to(call));
    }
}

/// One request, taken apart.
struct Request<'a> {
    method: &'a str,
    company: Option<i64>,
    version: &'a str,
    query: Vec<(String, String)>,
    body: Value,
    now: DateTime<Utc>,
}

impl Request<'_> {
    fn asked(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn moment(&self, name: &str) -> Option<DateTime<Utc>> {
        self.asked(name).and_then(instant)
    }

    fn number(&self, name: &str, default: usize) -> usize {
        self.asked(name).and_then(|value| value.parse().ok()).unwrap_or(default)
    }

    fn spoken(&self, versions: &[&str]) -> Result<(), Refusal> {
        if versions.contains(&self.version) {
            return Ok(());
        }
        // The real service falls back to forms of 2024, which nobody here speaks.
        Err(Refusal::new(404, "NotFoundException", "Cannot find this path in version 2024-04-15"))
    }

    fn known(&self) -> Result<i64, Refusal> {
        self.company.ok_or_else(|| Refusal::new(401, "UnauthorizedException", "Invalid API Key"))
    }
}

async fn call(state: web::Data<State>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let state = state.into_inner();
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let company = header("authorization").strip_prefix("Bearer ").and_then(company_of);
    let parsed = Request {
        method: request.method().as_str(),
        company,
        version: header("cal-api-version"),
        query: form_urlencoded::parse(request.query_string().as_bytes()).into_owned().collect(),
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
        now: state.clock.now(),
    };
    let path = request.match_info().get("call").unwrap_or_default().to_owned();
    let deed = || answer(&state, &parsed, &path);
    serve(&state, &request, &body, Provider::CalCom, company, Duration::ZERO, deed).await
}

fn answer(state: &Arc<State>, request: &Request<'_>, path: &str) -> Answer {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let answered = match (request.method, segments.as_slice()) {
        ("GET", ["slots"]) => slots(state, request),
        (_, ["slots", rest @ ..]) => reservation(state, request, rest),
        ("POST", ["bookings"]) => book(state, request),
        ("GET", ["bookings"]) => list(state, request),
        ("GET", ["bookings", uid]) => fetch(state, request, uid),
        ("POST", ["bookings", uid, verb]) => change(state, request, uid, verb),
        (_, rest) => account(state, request, rest),
    };
    let (status, body) = match answered {
        Ok(done) => done,
        Err(refusal) => (refusal.status, shape::error(&refusal, &format!("/v2/{path}"), request.now)),
    };
    let uid = body.pointer("/data/uid").and_then(Value::as_str).map(str::to_owned);
    Answer { accepted: status < 300, external_id: uid, ..Answer::json(status, &body) }
}

type Answered = Result<(u16, Value), Refusal>;

fn data(status: u16, data: Value) -> Answered {
    Ok((status, json!({"status": "success", "data": data})))
}

fn account(state: &State, request: &Request<'_>, path: &[&str]) -> Answered {
    let company = request.known()?;
    match (request.method, path) {
        ("GET", ["me"]) => data(200, shape::me(company)),
        ("GET", ["event-types"]) => {
            request.spoken(&["2024-06-14"])?;
            let types = state.calendars.with(|books| books.types_of(company));
            data(200, types.iter().map(shape::event_type).collect())
        }
        ("GET", ["event-types", id]) => {
            request.spoken(&["2024-06-14"])?;
            let id = id.parse().unwrap_or(0);
            let found = state.calendars.with(|books| books.event_type(id));
            let found = found.filter(|one| one.company == company);
            let missing = || Refusal::new(404, "NotFoundException", format!("Event type with id {id} not found"));
            data(200, shape::event_type(&found.ok_or_else(missing)?))
        }
        ("POST", ["webhooks"]) => {
            let text = |field: &str| request.body.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
            let id = state.hooks.subscribe(company, text("subscriberUrl"), String::new(), text("secret"));
            data(
                201,
                json!({"id": id, "subscriberUrl": text("subscriberUrl"), "active": true, "secret": text("secret")}),
            )
        }
        _ => Err(Refusal::new(404, "NotFoundException", format!("Cannot {} /v2/{}", request.method, path.join("/")))),
    }
}

fn slots(state: &State, request: &Request<'_>) -> Answered {
    request.spoken(&["2024-09-04"])?;
    let id = request.asked("eventTypeId").and_then(|id| id.parse().ok()).unwrap_or(0);
    let (Some(from), Some(until)) = (request.moment("start"), request.moment("end")) else {
        return Err(Refusal::bad("start and end should be ISO 8601 dates"));
    };
    let zone = request.asked("timeZone").unwrap_or("UTC").parse().unwrap_or(chrono_tz::UTC);
    let moving = request.asked("bookingUidToReschedule");
    let free = state.calendars.with(|books| books.free(id, (from, until), moving, request.now))?;
    data(200, shape::slots(&free, zone, request.asked("format") == Some("range")))
}

fn reservation(state: &State, request: &Request<'_>, path: &[&str]) -> Answered {
    request.spoken(&["2024-09-04"])?;
    match (request.method, path) {
        ("POST", ["reservations"]) => {
            let id = request.body.get("eventTypeId").and_then(Value::as_i64).unwrap_or(0);
            let starts = request.body.get("slotStart").and_then(Value::as_str).and_then(instant);
            let starts = starts.ok_or_else(|| Refusal::bad("slotStart should be an ISO 8601 date"))?;
            let minutes = request.body.get("reservationDuration").and_then(Value::as_i64).unwrap_or(5);
            let kept = state.calendars.with(|books| books.reserve(id, starts, minutes, request.now))?;
            data(201, shape::reservation(&kept))
        }
        ("GET", ["reservations", uid]) => {
            let kept = state.calendars.with(|books| books.reserved(uid, request.now));
            data(200, kept.map_or(Value::Null, |kept| shape::reservation(&kept)))
        }
        ("DELETE", ["reservations", uid]) => {
            state.calendars.with(|books| books.release(uid));
            Ok((200, json!({"status": "success"})))
        }
        _ => Err(Refusal::new(404, "NotFoundException", "Cannot find this path")),
    }
}

const BOOKINGS: [&str; 2] = ["2024-08-13", "2026-02-25"];

fn book(state: &Arc<State>, request: &Request<'_>) -> Answered {
    request.spoken(&BOOKINGS)?;
    let company = request.known()?;
    let wanted = new_booking(&request.body)?;
    let made = state.calendars.with(|books| books.book(Some(company), wanted, request.now))?;
    hooks::tell_made(state, &made, request.now);
    data(201, shape::booking(&made))
}

fn new_booking(body: &Value) -> Result<NewBooking, Refusal> {
    only_known(body, &BOOKING_FIELDS)?;
    let attendee = body.get("attendee").ok_or_else(|| Refusal::bad("attendee property is wrong"))?;
    only_known(attendee, &ATTENDEE_FIELDS)?;
    let text = |value: &Value, field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let start = text(body, "start");
    let starts = instant(&start).filter(|_| start.ends_with('Z'));
    let (name, zone, phone, email) =
        (text(attendee, "name"), text(attendee, "timeZone"), text(attendee, "phoneNumber"), text(attendee, "email"));
    let wrong = |field: &str| Refusal::bad(format!("{field} property is wrong,{field} should not be empty"));
    if name.is_empty() {
        return Err(wrong("name"));
    }
    if zone.parse::<chrono_tz::Tz>().is_err() {
        return Err(wrong("timeZone"));
    }
    let whole = phone
        .strip_prefix('+')
        .is_some_and(|digits| (8..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()));
    if (!phone.is_empty() && !whole) || (phone.is_empty() && !email.contains('@')) {
        return Err(wrong("email or phoneNumber"));
    }
    if attendee.get("language").is_some() && !LANGUAGES.contains(&text(attendee, "language").as_str()) {
        return Err(wrong("language"));
    }
    let metadata = body.get("metadata").cloned().unwrap_or_else(|| json!({}));
    let fits = |value: &Value| value.as_str().is_some_and(|text| text.len() <= 500);
    if !metadata.as_object().is_some_and(|fields| fields.len() <= 50 && fields.values().all(fits)) {
        return Err(wrong("metadata"));
    }
    Ok(NewBooking {
        event_type: body.get("eventTypeId").and_then(Value::as_i64).unwrap_or(0),
        starts: starts.ok_or_else(|| wrong("start"))?,
        email: if email.is_empty() { format!("{}@sms.cal.com", phone.trim_start_matches('+')) } else { email },
        name,
        phone,
        zone,
        metadata,
    })
}

fn only_known(value: &Value, fields: &[&str]) -> Result<(), Refusal> {
    let unknown =
        value.as_object().into_iter().flat_map(|object| object.keys()).find(|key| !fields.contains(&key.as_str()));
    match unknown {
        Some(key) => Err(Refusal::bad(format!("{key} property is wrong,property {key} should not exist"))),
        None => Ok(()),
    }
}

fn list(state: &State, request: &Request<'_>) -> Answered {
    request.spoken(&["2024-08-13"])?;
    let company = request.known()?;
    let mut found = state.calendars.with(|books| books.bookings_of(company));
    let event_type: Option<i64> = request.asked("eventTypeId").and_then(|id| id.parse().ok());
    let (created, updated) = (request.moment("afterCreatedAt"), request.moment("afterUpdatedAt"));
    found.retain(|one| {
        event_type.is_none_or(|id| one.event_type == id)
            && created.is_none_or(|after| one.created_at >= after)
            && updated.is_none_or(|after| one.updated_at >= after)
    });
    if request.asked("sortUpdatedAt") == Some("asc") {
        found.sort_by_key(|one| one.updated_at);
    }
    let (take, skip) = (request.number("take", 100), request.number("skip", 0));
    let page: Vec<Value> = found.iter().skip(skip).take(take).map(shape::booking).collect();
    let left = found.len().saturating_sub(skip + page.len());
    let pagination = json!({"totalItems": found.len(), "returnedItems": page.len(), "remainingItems": left,
        "itemsPerPage": take, "totalPages": found.len().div_ceil(take.max(1)), "currentPage": skip / take.max(1) + 1,
        "hasNextPage": left > 0, "hasPreviousPage": skip > 0});
    Ok((200, json!({"status": "success", "data": page, "pagination": pagination})))
}

fn fetch(state: &State, request: &Request<'_>, uid: &str) -> Answered {
    request.spoken(&BOOKINGS)?;
    let company = request.known()?;
    data(200, shape::booking(&state.calendars.with(|books| books.find(company, uid))?))
}

fn change(state: &Arc<State>, request: &Request<'_>, uid: &str, verb: &str) -> Answered {
    request.spoken(&BOOKINGS)?;
    let company = request.known()?;
    let now = request.now;
    let reason = |field: &str| request.body.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let fields: &[&str] = match verb {
        "reschedule" => &["start", "reschedulingReason", "rescheduledBy"],
        "cancel" => &["cancellationReason"],
        "decline" => &["reason"],
        "mark-absent" => &["host", "attendees"],
        _ => &[],
    };
    only_known(&request.body, fields)?;
    let (status, changed) = match verb {
        "reschedule" => {
            let starts = request.body.get("start").and_then(Value::as_str).and_then(instant);
            let starts = starts.ok_or_else(|| Refusal::bad("start property is wrong"))?;
            let (old, new) = state
                .calendars
                .with(|books| books.reschedule((company, uid), starts, &reason("reschedulingReason"), now))?;
            hooks::tell_moved(state, &old, &new, now);
            (201, new)
        }
        "cancel" => {
            let done =
                state.calendars.with(|books| books.cancel((company, uid), &reason("cancellationReason"), now))?;
            hooks::tell(state, "BOOKING_CANCELLED", &done, now);
            (200, done)
        }
        "confirm" => {
            let done = state.calendars.with(|books| books.settle((company, uid), "accepted", "", now))?;
            hooks::tell(state, "BOOKING_CREATED", &done, now);
            (200, done)
        }
        "decline" => {
            let done =
                state.calendars.with(|books| books.settle((company, uid), "rejected", &reason("reason"), now))?;
            hooks::tell(state, "BOOKING_REJECTED", &done, now);
            (200, done)
        }
        "mark-absent" => {
            let absent = request.body.pointer("/attendees/0/absent").and_then(Value::as_bool).unwrap_or(false);
            let done = state.calendars.with(|books| books.mark_absent((company, uid), absent, now))?;
            hooks::tell(state, "BOOKING_NO_SHOW_UPDATED", &done, now);
            (200, done)
        }
        _ => return Err(Refusal::new(404, "NotFoundException", format!("Cannot POST /v2/bookings/{uid}/{verb}"))),
    };
    data(status, shape::booking(&changed))
}

fn instant(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|moment| moment.to_utc())
}
