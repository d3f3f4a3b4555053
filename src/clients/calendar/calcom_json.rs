//! Cal.com's JSON, read with patience: unknown fields are passed over, absent and null are the same, numbers may be
//! texts.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{Account, Attendee, Booking, BookingStatus, EventType, FreeTime, Reservation};

/// A booking; `None` when it lacks what makes one. Of a series, the first.
pub fn booking(value: &Value) -> Option<Booking> {
    if let Value::Array(many) = value {
        return many.first().and_then(booking);
    }
    let starts = moment(value, &["start", "startTime"])?;
    let minutes = value.get("duration").and_then(Value::as_i64);
    let ends = moment(value, &["end", "endTime"])
        .or_else(|| minutes.and_then(chrono::TimeDelta::try_minutes).map(|length| starts + length))?;
    let location = text(value, "location");
    let is_link = |place: &String| place.starts_with("http");
    Some(Booking {
        uid: text(value, "uid")?,
        status: BookingStatus::parse(&text(value, "status").unwrap_or_default()),
        title: text(value, "title").unwrap_or_default(),
        starts,
        ends,
        event_type: number(value, "eventTypeId").or_else(|| number(value.get("eventType")?, "id")),
        host: value.pointer("/hosts/0/name").and_then(Value::as_str).unwrap_or_default().to_owned(),
        meeting_url: text(value, "meetingUrl").or_else(|| location.clone().filter(is_link)),
        location: location.filter(|place| !is_link(place) && !place.starts_with("integrations:")),
        attendees: list(value, "attendees").map(attendee).collect(),
        metadata: metadata(value),
        cancellation_reason: text(value, "cancellationReason"),
        moved_from: text(value, "rescheduledFromUid"),
        moved_to: text(value, "rescheduledToUid"),
        created_at: moment(value, &["createdAt"]),
        updated_at: moment(value, &["updatedAt"]),
    })
}

fn attendee(value: &Value) -> Attendee {
    Attendee {
        name: text(value, "name").unwrap_or_default(),
        email: text(value, "email").unwrap_or_default(),
        phone: text(value, "phoneNumber"),
        absent: value.get("absent").and_then(Value::as_bool).unwrap_or(false),
    }
}

fn metadata(value: &Value) -> BTreeMap<String, String> {
    let entries = value.get("metadata").and_then(Value::as_object).into_iter().flatten();
    entries.filter_map(|(key, value)| Some((key.clone(), as_text(value)?))).collect()
}

/// The free times of all days, in order, each once.
pub(super) fn slots(data: &Value) -> Option<Vec<FreeTime>> {
    let days = data.as_object()?;
    let mut found = Vec::new();
    for slot in days.values().filter_map(Value::as_array).flatten() {
        let starts = moment(slot, &["start", "time"]).or_else(|| slot.as_str().and_then(instant))?;
        found.push(FreeTime { starts, ends: moment(slot, &["end"]) });
    }
    found.sort_by_key(|slot| slot.starts);
    found.dedup_by_key(|slot| slot.starts);
    Some(found)
}

pub(super) fn reservation(data: &Value) -> Option<Reservation> {
    Some(Reservation { uid: text(data, "reservationUid")?, until: moment(data, &["reservationUntil"]) })
}

pub(super) fn account(data: &Value) -> Option<Account> {
    Some(Account {
        id: data.get("id").and_then(as_text)?,
        username: text(data, "username").unwrap_or_default(),
        time_zone: text(data, "timeZone").unwrap_or_default(),
    })
}

pub(super) fn event_type(data: &Value) -> Option<EventType> {
    // "No confirmation" is told as `{"disabled": true}`, as null or not at all.
    let confirmation = data.get("confirmationPolicy").filter(|policy| policy.is_object());
    let seats = data.get("seats").or_else(|| data.get("seatsPerTimeSlot"));
    Some(EventType {
        id: number(data, "id")?,
        title: text(data, "title").unwrap_or_default(),
        slug: text(data, "slug").unwrap_or_default(),
        length_minutes: number(data, "lengthInMinutes").or_else(|| number(data, "length"))?,
        hosts: list(data, "hosts").count().max(1),
        seats: seats.and_then(|seats| number(seats, "seatsPerTimeSlot").or_else(|| seats.as_i64())),
        needs_confirmation: confirmation
            .is_some_and(|policy| policy.get("disabled").and_then(Value::as_bool) != Some(true)),
    })
}

pub(super) fn list<'a>(value: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    value.get(field).and_then(Value::as_array).into_iter().flatten()
}

fn text(value: &Value, field: &str) -> Option<String> {
    value.get(field)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn number(value: &Value, field: &str) -> Option<i64> {
    let value = value.get(field)?;
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

fn moment(value: &Value, fields: &[&str]) -> Option<DateTime<Utc>> {
    fields.iter().find_map(|field| instant(value.get(field)?.as_str()?))
}

fn instant(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|moment| moment.to_utc())
}
