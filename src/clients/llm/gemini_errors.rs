//! What Gemini's refusals mean.

use std::time::Duration;

use serde_json::Value;

use crate::clients::hints::proto_duration;
use crate::clients::http::HttpAnswer;
use crate::clients::{WireError, WireErrorKind};

/// Reads a non-2xx answer. Its body may be `{"error":…}`, an array of one such object, HTML or nothing.
pub(in crate::clients) fn refusal(answer: &HttpAnswer) -> WireError {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    let error = body.pointer("/error").or_else(|| body.pointer("/0/error")).unwrap_or(&Value::Null);
    let word = error.get("status").and_then(Value::as_str).unwrap_or_default();
    let (kind, code) = class(answer.status, word, error);
    let mut refusal = answer.error(kind, code);
    refusal.retry_after = asked_delay(error).or(refusal.retry_after);
    refusal
}

fn class(status: u16, word: &str, error: &Value) -> (WireErrorKind, &'static str) {
    use WireErrorKind::{Auth, Invalid, RateLimited, Unavailable};
    match status {
        300..=399 => (Auth, "wrong_url"),
        // A refused key may come as 400 INVALID_ARGUMENT; region and billing come as FAILED_PRECONDITION.
        400 if word == "FAILED_PRECONDITION" || key_reason(error) => (Auth, "key_refused"),
        401 | 403 => (Auth, "key_refused"),
        404 => (Auth, "model_not_found"),
        429 if per_day(error) => (RateLimited, "daily_quota"),
        429 => (RateLimited, "rate_limited"),
        408 | 504 => (Unavailable, "server_error"),
        400..=499 => (Invalid, "bad_request"),
        503 => (Unavailable, "overloaded"),
        _ => (Unavailable, "server_error"),
    }
}

fn details(error: &Value) -> impl Iterator<Item = &Value> {
    error.get("details").and_then(Value::as_array).into_iter().flatten()
}

fn key_reason(error: &Value) -> bool {
    let mut reasons = details(error).filter_map(|detail| detail.get("reason")?.as_str());
    // The details may be left out; then the message is all there is.
    let message = error.get("message").and_then(Value::as_str).unwrap_or_default();
    reasons.any(|reason| reason == "API_KEY_INVALID") || message.contains("API key")
}

fn per_day(error: &Value) -> bool {
    let violations = details(error).filter_map(|detail| detail.get("violations")?.as_array()).flatten();
    violations.filter_map(|violation| violation.get("quotaId")?.as_str()).any(|id| id.contains("PerDay"))
}

fn asked_delay(error: &Value) -> Option<Duration> {
    details(error).find_map(|detail| detail.get("retryDelay")?.as_str()).and_then(proto_duration)
}
