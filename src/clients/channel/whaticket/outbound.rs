//! Sending through Whaticket: one path, three dialects, no idempotency key anywhere.
//!
//! A text always leaves as JSON (the multipart form without files answers 200 and sends nothing), any 2xx is an
//! acceptance, and `{{` never leaves: most installations render the body with Mustache.
//!
//! # Hidden addresses (`…@lid`)
//! SaaS forks get the jid as it is: those that know LIDs deliver it, the others refuse it. The community project and the
//! hosted product take digits only, and the digits of a LID could be a stranger's telephone, so they are refused here
//! (`hidden_number`) and nothing is sent.
//!
//! # Codes
//! `bad_token`, `subscription`, `connection_gone`, `connection_missing`, `wrong_url`: configuration. `no_whatsapp`,
//! `bad_number`, `hidden_number`, `bad_request`: this text will never arrive. `phone_disconnected`, `no_ticket`,
//! `refused`, `rate_limited`, `overloaded`, `connect`, `dns`, `tls`: surely not sent. `send_failed`, `server_error`,
//! `timeout`, `reset`: nobody knows. `refused` is a 400 in words of the fork's own: worth one more try, after which the
//! caller, which counts, treats it as final.

use std::time::Duration;

use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::super::{ChannelEndpoint, OutgoingText, Receipt};
use super::Flavor;
use crate::clients::http::{BODY_LIMIT, BodyCut, HttpAnswer, HttpClient};
use crate::clients::{WireError, WireErrorKind};
pub use crate::domain::conversation::rendering::defuse_mustache;

/// Wait after a 429 that names none.
const DEFAULT_WAIT: Duration = Duration::from_secs(30);

/// Longest external id that is believed, in bytes.
const EXTERNAL_ID_MAX: usize = 200;

/// Sends one text. Errors carry this module's codes; see its head.
pub async fn send(
    http: &HttpClient,
    endpoint: &ChannelEndpoint,
    text: &OutgoingText<'_>,
) -> Result<Receipt, WireError> {
    let body = payload(endpoint, text)?;
    let base = endpoint.base_url.trim_end_matches('/');
    let url = match endpoint.flavor {
        Flavor::Community | Flavor::Saas => format!("{base}/api/messages/send"),
        Flavor::Hosted => format!("{base}/api/v1/messages"),
    };
    let token = endpoint.token.expose_secret();
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("x-correlation-id", text.correlation_id)];
    let times = (text.not_after, endpoint.total_timeout);
    let answer = http.post_json_in_time(&url, &headers, body.to_string().into_bytes(), times, BODY_LIMIT).await?;
    if answer.is_success() {
        return Ok(Receipt { external_id: external_id(&answer) });
    }
    Err(refusal(&answer, endpoint.flavor))
}

fn payload(endpoint: &ChannelEndpoint, text: &OutgoingText<'_>) -> Result<Value, WireError> {
    let number = number(endpoint.flavor, text.to)?;
    let body = defuse_mustache(text.body);
    let connection = endpoint.connection.as_deref().filter(|connection| !connection.is_empty());
    match (endpoint.flavor, connection) {
        (Flavor::Saas, _) | (Flavor::Community, None) => Ok(json!({"number": number, "body": body})),
        (Flavor::Community, Some(connection)) => {
            let id: i64 = connection.parse().map_err(|_| local("connection_missing", "the connection is no number"))?;
            Ok(json!({"number": number, "body": body, "whatsappId": id}))
        }
        (Flavor::Hosted, Some(id)) => Ok(json!({"whatsappId": id, "messages": [{"number": number, "body": body}]})),
        (Flavor::Hosted, None) => Err(local("connection_missing", "Whaticket.com needs the connection's uuid")),
    }
}

fn number(flavor: Flavor, to: &str) -> Result<String, WireError> {
    let invalid = |code, detail: &str| WireError { kind: WireErrorKind::Invalid, ..local(code, detail) };
    if to.ends_with("@lid") {
        return match flavor {
            Flavor::Saas => Ok(to.to_owned()),
            Flavor::Community | Flavor::Hosted => Err(invalid("hidden_number", "this Whaticket takes digits only")),
        };
    }
    let digits: String = to.chars().filter(char::is_ascii_digit).collect();
    if digits.is_empty() { Err(invalid("bad_number", "no digits in the number")) } else { Ok(digits) }
}

/// A refusal of our own, before anything was sent.
fn local(code: &'static str, detail: &str) -> WireError {
    WireError { kind: WireErrorKind::Auth, status: None, retry_after: None, code, detail: detail.to_owned() }
}

/// The first id at the places where the forks put it; most tell none.
fn external_id(answer: &HttpAnswer) -> Option<String> {
    let body: Value = serde_json::from_slice(&answer.body).ok()?;
    ["/id", "/messageId", "/message/id", "/key/id", "/data/key/id"]
        .iter()
        .filter_map(|place| body.pointer(place).and_then(Value::as_str))
        .find(|id| !id.is_empty() && id.len() <= EXTERNAL_ID_MAX)
        .map(str::to_owned)
}

fn refusal(answer: &HttpAnswer, flavor: Flavor) -> WireError {
    use WireErrorKind::{Auth, Invalid, RateLimited, Unavailable, Unknown};
    let said = said(answer);
    let (kind, code) = match answer.status {
        300..=399 => (Auth, "wrong_url"),
        400 => bad_request(&said),
        401 | 403 => (Auth, "bad_token"),
        402 => (Auth, "subscription"),
        404 if said.contains("ERR_NO_TICKET_FOUND") => (Unavailable, "no_ticket"),
        404 if flavor == Flavor::Community => (Auth, "wrong_url"),
        404 => (Auth, "connection_gone"),
        408 => (Unknown, "timeout"),
        429 => (RateLimited, "rate_limited"),
        503 => (Unavailable, "overloaded"),
        405..=499 => (Invalid, "bad_request"),
        _ => (Unknown, "server_error"),
    };
    let mut error = answer.error(kind, code);
    if kind == RateLimited {
        error.retry_after = error.retry_after.or(Some(DEFAULT_WAIT));
    }
    if answer.cut == Some(BodyCut::Timeout) {
        error.detail.push_str(" [cut: timeout]");
    }
    error
}

/// The error names are the same in the community project and its forks, so one reading serves all dialects.
fn bad_request(said: &str) -> (WireErrorKind, &'static str) {
    let holds = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if holds(&["ERR_SENDING_WAPP_MSG", "ERR_CREATING_MESSAGE"]) {
        // Sent but not stored is told with the same words as not sent.
        (WireErrorKind::Unknown, "send_failed")
    } else if holds(&["INVALID_CONTACT"]) {
        (WireErrorKind::Invalid, "no_whatsapp")
    } else if holds(&["ERR_WAPP_CHECK_CONTACT", "ERR_NO_DEF_WAPP_FOUND", "ERR_WAPP_NOT_INITIALIZED"]) {
        (WireErrorKind::Unavailable, "phone_disconnected")
    } else {
        let lower = said.to_lowercase();
        let page = lower.trim_start().starts_with('<');
        if !page && (lower.contains("número") || lower.contains("number")) {
            (WireErrorKind::Invalid, "bad_number")
        } else {
            (WireErrorKind::Unavailable, "refused")
        }
    }
}

/// What the answer says: the `error` (or `message`) of its JSON, else its text.
fn said(answer: &HttpAnswer) -> String {
    let body: Option<Value> = serde_json::from_slice(&answer.body).ok();
    let field = body.as_ref().and_then(|body| {
        ["/error", "/message", "/error/message"].iter().find_map(|place| body.pointer(place)?.as_str())
    });
    field.map_or_else(|| answer.text(), str::to_owned)
}
