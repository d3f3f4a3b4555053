//! What Cal.com's refusals mean.

use std::time::Duration;

use serde_json::Value;

use crate::clients::http::HttpAnswer;
use crate::clients::{WireError, WireErrorKind};

/// The code of a time that somebody else has.
pub const SLOT_TAKEN: &str = "slot_taken";
/// The code of a booking or reservation that is not there.
pub const NOT_FOUND: &str = "not_found";
/// The code of a booking that can no longer be changed: it was called off, moved or said no to.
pub const FINAL_STATE: &str = "final_state";

/// The code of an event type that is not there: a setting is wrong.
pub(super) const EVENT_TYPE_MISSING: &str = "event_type_not_found";

/// Wait after a 429 that names none: so long a key is shut out.
const SHUT_OUT: Duration = Duration::from_secs(60);

/// Seconds beyond which `X-RateLimit-Reset` is a date and not a wait.
const EPOCH_FROM: u64 = 1_000_000_000;

/// What was asked for, which decides what a failure means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// Nothing changes by it: whatever went wrong, nothing happened.
    Read,
    /// A booking is made.
    Book,
    /// A booking that there is changes.
    Change,
    /// A time is kept or given back.
    Reserve,
}

/// A failure before any answer: what is only read may be read again.
pub(super) fn on_the_way(error: WireError, call: Call) -> WireError {
    match (call, error.kind) {
        (Call::Read, WireErrorKind::Unknown) => WireError { kind: WireErrorKind::Unavailable, ..error },
        _ => error,
    }
}

/// Reads a non-2xx answer.
pub(super) fn refusal(answer: &HttpAnswer, call: Call) -> WireError {
    use WireErrorKind::{Auth, Invalid, RateLimited, Unavailable, Unknown};
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    let message = body.pointer("/error/message").or_else(|| body.get("message")).and_then(Value::as_str);
    let message = message.unwrap_or_default();
    let (kind, code) = match answer.status {
        300..=399 => (Auth, "wrong_url"),
        400 | 422 => (Invalid, bad_request(message, call)),
        401 | 403 | 498 => (Auth, "key_refused"),
        404 => missing(message),
        409 => (Invalid, SLOT_TAKEN),
        429 => (RateLimited, "rate_limited"),
        408 if call == Call::Read => (Unavailable, "timeout"),
        408 => (Unknown, "timeout"),
        405..=499 => (Invalid, "bad_request"),
        _ if call == Call::Read => (Unavailable, "server_error"),
        // A 503 as well: it may be told by a proxy after the deed.
        _ => (Unknown, "server_error"),
    };
    let mut error = answer.error(kind, code);
    if kind == RateLimited {
        error.retry_after = error.retry_after.or_else(|| reset(answer)).or(Some(SHUT_OUT));
    }
    error
}

fn bad_request(message: &str, call: Call) -> &'static str {
    let lower = message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if says(&[
        "already has booking",
        "not available",
        "can't be booked at",
        "no_available_users",
        "already booked",
        "already reserved",
    ]) {
        SLOT_TAKEN
    } else if says(&["in the past"]) {
        "in_the_past"
    } else if says(&["maximum number of active bookings", "booking limit"]) {
        "too_many"
    } else if call == Call::Change && says(&["cancelled", "canceled", "rescheduled", "rejected", "can't be"]) {
        FINAL_STATE
    } else if says(&["start time", "before the start", "not started"]) {
        "too_early"
    } else if says(&["email", "phonenumber", "phone number"]) {
        "attendee_incomplete"
    } else {
        "bad_request"
    }
}

fn missing(message: &str) -> (WireErrorKind, &'static str) {
    let lower = message.to_lowercase();
    if lower.contains("event type") || lower.contains("event-type") {
        (WireErrorKind::Auth, EVENT_TYPE_MISSING)
    } else if lower.starts_with("cannot ") {
        // No such path: another service, or a version that this path does not know.
        (WireErrorKind::Auth, "wrong_url")
    } else {
        (WireErrorKind::Invalid, NOT_FOUND)
    }
}

fn reset(answer: &HttpAnswer) -> Option<Duration> {
    let seconds: u64 = answer.header("x-ratelimit-reset-default")?.trim().parse().ok()?;
    // A date is not trusted: its clock and ours may differ by more than the wait.
    (seconds < EPOCH_FROM).then(|| Duration::from_secs(seconds.min(600)))
}
