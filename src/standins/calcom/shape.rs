//! How the service writes things down.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use super::kinds::{BookingAtStandIn, EventTypeAtStandIn, Refusal, Reserved};

pub(super) fn utc(moment: DateTime<Utc>) -> String {
    moment.to_rfc3339_opts(SecondsFormat::Millis, true)
}

pub(super) fn error(refusal: &Refusal, path: &str, now: DateTime<Utc>) -> Value {
    json!({
        "status": "error", "timestamp": utc(now), "path": path,
        "error": {"code": refusal.code, "message": refusal.message,
            "details": {"message": refusal.message, "error": refusal.code, "statusCode": refusal.status}},
    })
}

pub(super) fn me(company: i64) -> Value {
    json!({"id": company, "username": format!("empresa-{company}"), "email": "dono@example.com", "name": "Dono",
        "timeZone": "America/Sao_Paulo", "timeFormat": 24, "weekStart": "Sunday", "defaultScheduleId": null,
        "avatarUrl": null, "bio": null, "organizationId": null})
}

pub(super) fn event_type(one: &EventTypeAtStandIn) -> Value {
    let seats = (one.seats > 1).then(|| json!({"seatsPerTimeSlot": one.seats}));
    let policy = if one.needs_confirmation { json!({"type": "always"}) } else { json!({"disabled": true}) };
    json!({"id": one.id, "title": one.title, "slug": format!("tipo-{}", one.id), "lengthInMinutes": one.minutes,
        "hosts": [{"userId": 1, "name": one.host}], "seats": seats, "confirmationPolicy": policy})
}

pub(super) fn slots(free: &[(DateTime<Utc>, DateTime<Utc>)], zone: Tz, range: bool) -> Value {
    let local = |moment: DateTime<Utc>| moment.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::Millis, false);
    let mut days: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (starts, ends) in free {
        let slot = match range {
            true => json!({"start": local(*starts), "end": local(*ends)}),
            false => json!({"start": local(*starts)}),
        };
        days.entry(starts.with_timezone(&zone).date_naive().to_string()).or_default().push(slot);
    }
    json!(days)
}

pub(super) fn reservation(kept: &Reserved) -> Value {
    json!({"eventTypeId": kept.event_type, "slotStart": utc(kept.starts), "slotEnd": utc(kept.ends),
        "slotDuration": (kept.ends - kept.starts).num_minutes(), "reservationUid": kept.uid,
        "reservationDuration": kept.minutes, "reservationUntil": utc(kept.until)})
}

pub(super) fn booking(one: &BookingAtStandIn) -> Value {
    let mut attendee = json!({"name": one.name, "email": one.email, "displayEmail": one.email, "timeZone": one.zone,
        "language": "pt-BR", "absent": one.absent});
    if let (Some(fields), false) = (attendee.as_object_mut(), one.phone.is_empty()) {
        fields.insert("phoneNumber".to_owned(), json!(one.phone));
    }
    let mut shown = json!({
        "id": one.id, "uid": one.uid, "title": one.title, "description": null, "status": one.status,
        "hosts": [{"id": 1, "name": one.host, "email": "host@example.com", "displayEmail": "host@example.com",
            "username": "host", "timeZone": "America/Sao_Paulo"}],
        "start": utc(one.starts), "end": utc(one.ends), "duration": (one.ends - one.starts).num_minutes(),
        "eventTypeId": one.event_type, "eventType": {"id": one.event_type, "slug": format!("tipo-{}", one.event_type)},
        "location": link(&one.uid), "meetingUrl": link(&one.uid), "absentHost": false,
        "createdAt": utc(one.created_at), "updatedAt": utc(one.updated_at), "metadata": one.metadata,
        "icsUid": format!("{}@Cal.com", one.uid), "attendees": [attendee], "guests": [],
        "bookingFieldsResponses": {}, "rating": null,
    });
    if let Some(fields) = shown.as_object_mut() {
        let more = [("rescheduledFromUid", &one.moved_from), ("rescheduledToUid", &one.moved_to)];
        fields.extend(more.into_iter().filter_map(|(name, uid)| Some((name.to_owned(), json!(uid.as_ref()?)))));
        if !one.reason.is_empty() {
            let name = if one.status == "cancelled" { "cancellationReason" } else { "reschedulingReason" };
            fields.insert(name.to_owned(), json!(one.reason));
        }
    }
    shown
}

fn link(uid: &str) -> String {
    format!("https://app.cal.com/video/{uid}")
}

/// A booking as callbacks tell it.
pub(super) fn payload(one: &BookingAtStandIn) -> Value {
    let organizer = json!({"id": 1, "name": one.host, "email": "host@example.com", "username": "host",
        "timeZone": "America/Sao_Paulo", "language": {"locale": "pt-BR"}, "utcOffset": -180});
    let phone = (!one.phone.is_empty()).then_some(&one.phone);
    json!({
        "uid": one.uid, "bookingId": one.id, "eventTypeId": one.event_type, "type": "consulta", "title": one.title,
        "startTime": utc(one.starts), "endTime": utc(one.ends), "length": (one.ends - one.starts).num_minutes(),
        "status": one.status.to_uppercase(), "requiresConfirmation": one.status == "pending",
        "location": "integrations:daily", "organizer": organizer, "eventDescription": null, "destinationCalendar": null,
        "attendees": [{"name": one.name, "email": one.email, "phoneNumber": phone, "timeZone": one.zone,
            "language": {"locale": "pt-BR"}, "utcOffset": -180}],
        "responses": {"name": {"label": "your_name", "value": one.name, "isHidden": false},
            "email": {"label": "email_address", "value": one.email, "isHidden": false}},
        "metadata": one.metadata, "price": 0, "currency": "brl",
    })
}
