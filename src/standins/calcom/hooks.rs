//! Callbacks: what the calendar tells of bookings, signed, and what it told so far.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::kinds::BookingAtStandIn;
use super::shape::{payload, utc};
use crate::clients::http::BODY_LIMIT;
use crate::domain::webhook_auth::calcom::sign;
use crate::standins::state::{State, lock};

/// Time allowed for one callback.
const PATIENCE: Duration = Duration::from_secs(10);

/// Who is told.
#[derive(Clone, Debug)]
struct Subscriber {
    url: String,
    /// The `Host` header; the URL's own when empty.
    host: String,
    secret: String,
}

/// Subscribers, and everything that was to be told.
#[derive(Debug, Default)]
pub(in crate::standins) struct Hooks {
    subscribers: Mutex<HashMap<i64, Vec<Subscriber>>>,
    told: Mutex<Vec<(i64, Value)>>,
}

impl Hooks {
    /// Adds a subscriber; its id.
    pub(in crate::standins) fn subscribe(&self, company: i64, url: String, host: String, secret: String) -> String {
        let mut all = lock(&self.subscribers);
        let of_company = all.entry(company).or_default();
        of_company.push(Subscriber { url, host, secret });
        format!("hook-{company}-{}", of_company.len())
    }

    /// Everything that was to be told of a company's bookings, told or not, oldest first.
    pub(in crate::standins) fn told(&self, company: i64) -> Vec<Value> {
        lock(&self.told).iter().filter(|(id, _)| *id == company).map(|(_, body)| body.clone()).collect()
    }
}

/// Tells one thing; the answers' statuses, or why there was none.
pub(in crate::standins) async fn send(state: &State, company: i64, body: &Value) -> Vec<Result<u16, String>> {
    let subscribers = lock(&state.hooks.subscribers).get(&company).cloned().unwrap_or_default();
    let bytes = body.to_string().into_bytes();
    let mut answers = Vec::new();
    for one in subscribers {
        let signature = if one.secret.is_empty() { "no-secret-provided".to_owned() } else { sign(&one.secret, &bytes) };
        let mut headers = vec![("x-cal-signature-256", signature.as_str()), ("x-cal-webhook-version", "2021-10-20")];
        headers.extend((!one.host.is_empty()).then_some(("host", one.host.as_str())));
        let answer = state.http.post_json(&one.url, &headers, bytes.clone(), PATIENCE, BODY_LIMIT).await;
        answers.push(answer.map(|answer| answer.status).map_err(|error| error.to_string()));
    }
    answers
}

/// Notes it and sends it from a task of its own: the caller of the API does not wait for it.
pub(in crate::standins) fn announce(state: &Arc<State>, company: i64, body: Value) {
    lock(&state.hooks.told).push((company, body.clone()));
    if !lock(&state.hooks.subscribers).contains_key(&company) {
        return;
    }
    let state = Arc::clone(state);
    tokio::spawn(async move {
        // A callback that is lost is lost, as in the real service.
        let _ = send(&state, company, &body).await;
    });
}

pub(in crate::standins) fn tell_made(state: &Arc<State>, made: &BookingAtStandIn, now: DateTime<Utc>) {
    let trigger = if made.status == "pending" { "BOOKING_REQUESTED" } else { "BOOKING_CREATED" };
    tell(state, trigger, made, now);
}

pub(super) fn tell_moved(state: &Arc<State>, old: &BookingAtStandIn, new: &BookingAtStandIn, now: DateTime<Utc>) {
    let mut told = payload(new);
    if let Some(fields) = told.as_object_mut() {
        fields.insert("rescheduleUid".to_owned(), json!(old.uid));
        fields.insert("rescheduleId".to_owned(), json!(old.id));
        fields.insert("rescheduleStartTime".to_owned(), json!(utc(old.starts)));
        fields.insert("rescheduleEndTime".to_owned(), json!(utc(old.ends)));
    }
    announce(state, new.company, wrapped("BOOKING_RESCHEDULED", told, now));
}

pub(in crate::standins) fn tell(state: &Arc<State>, trigger: &str, one: &BookingAtStandIn, now: DateTime<Utc>) {
    let mut told = payload(one);
    if trigger == "BOOKING_NO_SHOW_UPDATED" {
        told = json!({"message": "Attendee marked as no-show", "bookingUid": one.uid, "bookingId": one.id,
            "attendees": [{"email": one.email, "noShow": one.absent}]});
    } else if let (Some(fields), false) = (told.as_object_mut(), one.reason.is_empty()) {
        let name = if trigger == "BOOKING_REJECTED" { "rejectionReason" } else { "cancellationReason" };
        fields.insert(name.to_owned(), json!(one.reason));
    }
    announce(state, one.company, wrapped(trigger, told, now));
}

fn wrapped(trigger: &str, payload: Value, now: DateTime<Utc>) -> Value {
    json!({"triggerEvent": trigger, "createdAt": utc(now), "payload": payload})
}

/// A visit that began or ended, as a timer of the real service tells it: flat, without a payload.
pub(in crate::standins) fn meeting(state: &Arc<State>, trigger: &str, one: &BookingAtStandIn) {
    let body = json!({"triggerEvent": trigger, "id": one.id, "uid": one.uid, "idempotencyKey": format!("{trigger}-{}", one.uid),
        "userId": 1, "eventTypeId": one.event_type, "title": one.title, "startTime": utc(one.starts),
        "endTime": utc(one.ends), "status": one.status.to_uppercase(), "noShowHost": false,
        "attendees": [{"email": one.email, "noShow": one.absent}], "user": {"name": one.host}});
    announce(state, one.company, body);
}
