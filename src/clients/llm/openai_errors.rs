//! What the refusals of OpenAI and compatible servers mean.

use std::time::Duration;

use serde_json::Value;

use crate::clients::hints::go_duration;
use crate::clients::http::HttpAnswer;
use crate::clients::{WireError, WireErrorKind};

/// Longest request id that is logged, in characters.
const REQUEST_ID_MAX: usize = 64;

/// Reads a non-2xx answer. Its body may be `{"error":{…}}`, `{"error":"…"}`, HTML or nothing.
pub(in crate::clients) fn refusal(answer: &HttpAnswer) -> WireError {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    told(answer, answer.status, body.get("error").unwrap_or(&Value::Null))
}

/// A 200 that is no answer: gateways put the error of the model behind them into it, with its status as the code.
pub(super) fn hidden(answer: &HttpAnswer) -> WireError {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    let Some(error) = body.get("error").filter(|error| error.is_object()) else {
        return answer.error(WireErrorKind::Unavailable, "garbage");
    };
    let code = error.get("code").and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok());
    told(answer, code.filter(|code| (400..600).contains(code)).unwrap_or(500), error)
}

/// The provider's word when it refused the content of the prompt, which some gateways tell as an error.
pub(super) fn content_refused(answer: &HttpAnswer) -> Option<String> {
    let body: Value = serde_json::from_slice(&answer.body).ok()?;
    let code = body.pointer("/error/code")?.as_str()?;
    matches!(code, "content_filter" | "content_policy_violation").then(|| code.to_owned())
}

fn told(answer: &HttpAnswer, status: u16, error: &Value) -> WireError {
    let (kind, code) = overridden(class(status, error), answer.header("x-should-retry"));
    let mut refusal = answer.error(kind, code);
    if kind == WireErrorKind::RateLimited {
        refusal.retry_after = refusal.retry_after.or_else(|| until_reset(answer));
    }
    if let Some(id) = answer.header("x-request-id") {
        let plain = id.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        refusal.detail.push_str(&format!(" [request {}]", plain.take(REQUEST_ID_MAX).collect::<String>()));
    }
    refusal
}

fn class(status: u16, error: &Value) -> (WireErrorKind, &'static str) {
    use WireErrorKind::{Auth, Invalid, RateLimited, Unavailable};
    // The code may be null or a number; the type then says as much.
    let says =
        |word: &str| ["code", "type"].iter().any(|field| error.get(*field).and_then(Value::as_str) == Some(word));
    match status {
        300..=399 => (Auth, "wrong_url"),
        429 if says("insufficient_quota") => (Auth, "quota_spent"),
        402 => (Auth, "quota_spent"),
        401 | 403 => (Auth, "key_refused"),
        _ if says("model_not_found") => (Auth, "model_not_found"),
        // A server that knows the path names the model it misses; another's 404 is a wrong base URL.
        404 if error.is_null() => (Auth, "wrong_url"),
        404 => (Auth, "model_not_found"),
        405 => (Auth, "wrong_url"),
        429 => (RateLimited, "rate_limited"),
        408 | 409 => (Unavailable, "server_error"),
        400..=499 if says("context_length_exceeded") => (Invalid, "too_long"),
        400..=499 => (Invalid, "bad_request"),
        503 => (Unavailable, "overloaded"),
        _ => (Unavailable, "server_error"),
    }
}

/// The provider may say outright whether another try makes sense.
fn overridden(
    (kind, code): (WireErrorKind, &'static str),
    should_retry: Option<&str>,
) -> (WireErrorKind, &'static str) {
    use WireErrorKind::{Invalid, RateLimited, Unavailable};
    match (should_retry, kind) {
        (Some("false"), RateLimited | Unavailable) => (Invalid, code),
        (Some("true"), Invalid) => (Unavailable, code),
        _ => (kind, code),
    }
}

/// When the quota that is used up fills again; only where no wait was asked for outright.
fn until_reset(answer: &HttpAnswer) -> Option<Duration> {
    let spent = |remaining: &str| answer.header(remaining).is_some_and(|left| left.trim() == "0");
    let resets = [
        ("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
        ("x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"),
    ];
    let waits = resets.iter().filter(|(remaining, _)| spent(remaining));
    waits.filter_map(|(_, reset)| go_duration(answer.header(reset)?)).max()
}
