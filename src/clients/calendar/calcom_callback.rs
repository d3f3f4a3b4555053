//! What Cal.com posts: a trigger with a `payload`, or flat, as its timer does. Read with patience; what a later version
//! adds is passed over.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::calcom_json;
use super::{Attendee, Booking, BookingStatus, COMPANY_KEY};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// A booking stands; there is no trigger of its own for the host's yes.
    Created,
    /// A booking waits for the host's yes.
    Requested,
    /// It was moved and has another id now.
    Rescheduled,
    /// It was called off.
    Cancelled,
    /// The host said no.
    Rejected,
    /// A payment began or came in.
    Payment,
    /// The host noted who came.
    NoShow,
    /// A video visit was left by those it was for: a hint, no more.
    NoShowHint,
    /// A visit began or ended.
    Meeting,
    /// A test, or anything else: nothing of a booking.
    Other,
}

impl Trigger {
    fn parse(text: &str) -> Self {
        match text.to_ascii_uppercase().as_str() {
            "BOOKING_CREATED" | "BOOKING_CONFIRMED" => Self::Created,
            "BOOKING_REQUESTED" => Self::Requested,
            "BOOKING_RESCHEDULED" => Self::Rescheduled,
            "BOOKING_CANCELLED" => Self::Cancelled,
            "BOOKING_REJECTED" => Self::Rejected,
            "BOOKING_PAYMENT_INITIATED" | "BOOKING_PAID" => Self::Payment,
            "BOOKING_NO_SHOW_UPDATED" => Self::NoShow,
            "AFTER_HOSTS_CAL_VIDEO_NO_SHOW" | "AFTER_GUESTS_CAL_VIDEO_NO_SHOW" => Self::NoShowHint,
            "MEETING_STARTED" | "MEETING_ENDED" => Self::Meeting,
            _ => Self::Other,
        }
    }
}

/// One callback.
#[derive(Clone, Debug, PartialEq)]
pub struct Callback {
    /// What happened.
    pub trigger: Trigger,
    /// When, by the service's clock; `None` when it does not say.
    pub at: Option<DateTime<Utc>>,
    /// Of which booking; empty where the trigger is of none.
    pub uid: String,
    /// The booking it was moved from.
    pub moved_from: Option<String>,
    /// The booking as it is told; `None` when the callback holds too little of it.
    pub booking: Option<Booking>,
    /// Whether nobody came, where that is said.
    pub absent: Option<bool>,
    /// The company that the booking's metadata name.
    pub company: Option<String>,
}

/// Why a callback cannot be read: the field that is missing, or `None` when the body is no JSON object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable(
    /// The field.
    pub Option<&'static str>,
);

/// Reads a body whose signature was found right.
///
/// # Errors
/// [`Unreadable`]: no JSON object, or a callback about a booking that does not say which.
pub fn read(body: &[u8]) -> Result<Callback, Unreadable> {
    let root: Map<String, Value> = serde_json::from_slice(body).map_err(|_| Unreadable(None))?;
    let trigger = root.get("triggerEvent").and_then(Value::as_str).map_or(Trigger::Other, Trigger::parse);
    let flat = Value::Object(root.clone());
    let payload = root.get("payload").filter(|payload| payload.is_object()).unwrap_or(&flat);
    let keys = [(payload, "uid"), (payload, "bookingUid"), (&flat, "uid"), (&flat, "bookingUid")];
    let uid = keys.iter().find_map(|(value, field)| text(value, field)).unwrap_or_default();
    if uid.is_empty() && trigger != Trigger::Other {
        return Err(Unreadable(Some("uid")));
    }
    let moved = matches!(trigger, Trigger::Rescheduled | Trigger::Requested | Trigger::Created);
    Ok(Callback {
        trigger,
        at: moment(&flat, "createdAt").or_else(|| moment(payload, happened(&root))),
        moved_from: text(payload, "rescheduleUid").filter(|from| moved && *from != uid),
        booking: booking(payload, &uid, trigger),
        absent: absent(payload, trigger),
        company: payload.get("metadata").and_then(|metadata| text(metadata, COMPANY_KEY)),
        uid,
    })
}

/// When a visit's timer rang, which carries no time of its own.
fn happened(root: &Map<String, Value>) -> &'static str {
    let began = root.get("triggerEvent").and_then(Value::as_str) == Some("MEETING_STARTED");
    if began { "startTime" } else { "endTime" }
}

fn booking(payload: &Value, uid: &str, trigger: Trigger) -> Option<Booking> {
    let mut shown = payload.as_object()?.clone();
    shown.insert("uid".to_owned(), Value::String(uid.to_owned()));
    let mut booking = calcom_json::booking(&Value::Object(shown))?;
    let told = payload.get("status").and_then(Value::as_str).filter(|status| !status.is_empty());
    booking.status = match (trigger, told) {
        (Trigger::Cancelled, _) => BookingStatus::Cancelled,
        (Trigger::Rejected, _) => BookingStatus::Rejected,
        (Trigger::Requested, _) => BookingStatus::Pending,
        (_, Some(status)) => BookingStatus::parse(status),
        (Trigger::Created | Trigger::Rescheduled | Trigger::Meeting, None) => BookingStatus::Accepted,
        // Who came, what was paid: of the booking itself nothing is said.
        (_, None) => return None,
    };
    if booking.host.is_empty() {
        let names = ["/organizer/name", "/user/name"];
        let host = names.iter().find_map(|name| payload.pointer(name)?.as_str());
        host.unwrap_or_default().clone_into(&mut booking.host);
    }
    booking.cancellation_reason = booking.cancellation_reason.or_else(|| text(payload, "rejectionReason"));
    booking.meeting_url =
        booking.meeting_url.or_else(|| payload.get("metadata").and_then(|data| text(data, "videoCallUrl")));
    if let Some(first) = booking.attendees.first_mut() {
        answered(payload, first);
    }
    // Not when the booking changed, but when something was told of it: that is the callback's own time.
    booking.updated_at = None;
    Some(booking)
}

/// What the form at the booking page asked for.
fn answered(payload: &Value, attendee: &mut Attendee) {
    let fields = ["attendeePhoneNumber", "smsReminderNumber", "phone", "whatsapp"];
    let given = || fields.iter().find_map(|field| text(payload.get("responses")?.get(field)?, "value"));
    attendee.phone = attendee.phone.take().or_else(given);
}

fn absent(payload: &Value, trigger: Trigger) -> Option<bool> {
    let marks: Vec<bool> = calcom_json::list(payload, "attendees")
        .filter_map(|one| one.get("noShow").or_else(|| one.get("absent"))?.as_bool())
        .collect();
    let all = !marks.is_empty() && marks.iter().all(|absent| *absent);
    match trigger {
        Trigger::NoShow => (!marks.is_empty()).then_some(all),
        // The timer tells of everybody; only what was marked is news.
        Trigger::Meeting => all.then_some(true),
        _ => None,
    }
}

fn text(value: &Value, field: &str) -> Option<String> {
    match value.get(field)? {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn moment(value: &Value, field: &str) -> Option<DateTime<Utc>> {
    let text = value.get(field)?.as_str()?;
    DateTime::parse_from_rfc3339(text).ok().map(|moment| moment.to_utc())
}
