//! Reads what reaches `POST /webhook/whaticket`.
//!
//! Nobody promises one shape here: each Whaticket fork posts its own, n8n and proxies post ours. They are told apart by
//! structure, never by a setting:
//!
//! - **canonical** (`canonical`): a flat object with `number` and `text`; strict, a missing field is the sender's error.
//! - **Baileys** (`baileys`): an object with `key`, alone, in `messages`, in `message`, or wrapped in an Evolution event.
//! - **forks** (`fork`): everything else, read field by field from wherever forks put it; lenient, an event without a
//!   message is nothing to complain about, since a fork can neither read our answer nor repair its request.
//!
//! `content` finds the text inside a Baileys message, `address` reads jids, `json` the loosely typed values.

mod address;
mod baileys;
mod canonical;
mod content;
mod fork;
mod json;
mod media;

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::domain::inbound::{IgnoreReason, Inbound};

type Object = Map<String, Value>;

/// Fields of which any one shows that a fork, not our own canonical sender, wrote the object.
const FORK_MARKERS: [&str; 8] =
    ["key", "messages", "mensagem", "filaescolhida", "messageBody", "ticket", "contact", "event"];

/// A body that cannot be a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid payload{}", .field.as_deref().map(|f| format!(" at {f}")).unwrap_or_default())]
pub struct BadPayload {
    /// The field that is absent or of the wrong type; `None` when the body is no JSON object at all.
    pub field: Option<Cow<'static, str>>,
}

impl BadPayload {
    fn at(field: &'static str) -> Self {
        Self { field: Some(Cow::Borrowed(field)) }
    }

    const NOT_AN_OBJECT: Self = Self { field: None };
}

/// Reads a webhook body. A body may carry several messages; the result is never empty.
///
/// Fails with the field's name when the sender made a mistake. Where several messages came and only some can be read,
/// those are returned: refusing all of them would lose more.
pub fn read(body: &[u8]) -> Result<Vec<Inbound>, BadPayload> {
    let object = json::parse_object(body).ok_or(BadPayload::NOT_AN_OBJECT)?;
    if is_canonical(&object) {
        return canonical::read(&object).map(|one| vec![one]);
    }
    if let Some(result) = read_event(&object) {
        return result;
    }
    match object.get("messages") {
        Some(Value::Array(items)) => read_all(items, &object),
        Some(item @ Value::Object(_)) => read_all(std::slice::from_ref(item), &object),
        _ => read_one(&object, &object).map(|one| vec![one]),
    }
}

fn is_canonical(object: &Object) -> bool {
    let marked = FORK_MARKERS.iter().any(|marker| object.get(*marker).is_some_and(|v| !v.is_null()));
    !marked && !object.get("message").is_some_and(Value::is_object)
}

/// Evolution's and other servers' event wrapper; `None` when the object is none, or carries its message beside it.
fn read_event(object: &Object) -> Option<Result<Vec<Inbound>, BadPayload>> {
    let event = json::string(object.get("event"))?.to_ascii_lowercase().replace(['_', '-'], ".");
    let carries_message = matches!(event.as_str(), "messages.upsert" | "send.message" | "message");
    let data = object.get("data").filter(|data| data.is_object() || data.is_array());
    match data {
        Some(_) if !carries_message => Some(Ok(vec![Inbound::Ignored(IgnoreReason::Event)])),
        // The wrapper's own `sender` is our number, so nothing but the data may be read.
        Some(Value::Array(items)) => Some(read_all(items, &Object::new())),
        Some(Value::Object(inner)) => Some(match inner.get("messages") {
            Some(Value::Array(items)) => read_all(items, &Object::new()),
            _ => read_one(inner, &Object::new()).map(|one| vec![one]),
        }),
        _ => {
            let has_message = ["key", "message", "messages", "messageBody", "mensagem", "text", "body"];
            let beside = has_message.iter().any(|field| object.contains_key(*field));
            (!beside).then(|| Ok(vec![Inbound::Ignored(IgnoreReason::Event)]))
        }
    }
}

fn read_all(items: &[Value], outer: &Object) -> Result<Vec<Inbound>, BadPayload> {
    let mut read = Vec::new();
    let mut first_error = None;
    for item in items {
        match item.as_object().map(|object| read_one(object, outer)) {
            Some(Ok(inbound)) => read.push(inbound),
            Some(Err(error)) => first_error = first_error.or(Some(error)),
            None => first_error = first_error.or(Some(BadPayload::at("messages"))),
        }
    }
    match first_error {
        Some(error) if read.is_empty() => Err(error),
        _ if read.is_empty() => Ok(vec![Inbound::Ignored(IgnoreReason::Empty)]),
        _ => Ok(read),
    }
}

/// Reads one message; `outer` is the object around it (or itself), in which a plain number may stand.
fn read_one(object: &Object, outer: &Object) -> Result<Inbound, BadPayload> {
    if object.get("key").is_some_and(Value::is_object) {
        return baileys::read(object, outer);
    }
    match json::object(object.get("message")) {
        Some(inner) if inner.get("key").is_some_and(Value::is_object) => baileys::read(inner, object),
        _ => fork::read(object, outer),
    }
}
