//! Our own flat shape, for n8n flows, proxies and whoever integrates by hand:
//! `{"id":…,"number":"5511987654321","text":"Quero marcar","name":"Ana","timestamp":1760000000,"kind":"text"}`.
//!
//! Only `number` and `text` are required; a voice message (`"kind":"audio"`) may say in `mediaUrl` where its file is.
//! Strict on purpose: who sends this shape reads our answer, so a mistake is named.

use serde_json::Value;

use super::address::read_number;
use super::json::{flag, provider_id, unix_seconds};
use super::{BadPayload, Object, content, media};
use crate::domain::inbound::{Echo, IgnoreReason, Inbound, InboundMessage, MessageKind};
use crate::domain::text::{MessageText, PersonName};

/// Reads the object.
pub(super) fn read(object: &Object) -> Result<Inbound, BadPayload> {
    let number = present(object, &["number", "from", "sender", "phone"]).next().ok_or(BadPayload::at("number"))?;
    let address = read_number(number)?;
    let text = text(object)?;
    let provider_id = provider_id(typed(object, "id", |v| v.is_string() || v.is_number())?)?;
    let name = typed(object, "name", Value::is_string)?.and_then(Value::as_str).and_then(PersonName::clean);
    let kind = kind(object)?;
    let sent_at = timestamp(object)?;
    let from = match address.into_sender() {
        _ if flag(object.get("isGroup")) => return Ok(Inbound::Ignored(IgnoreReason::Group)),
        Ok(sender) => sender,
        Err(reason) => return Ok(Inbound::Ignored(reason)),
    };
    let text = MessageText::clean(text);
    // A kind we do not know says nothing against the text that came with it.
    let kind = if kind == MessageKind::Unsupported && text.is_some() { MessageKind::Text } else { kind };
    if text.is_none() && kind == MessageKind::Text {
        return Ok(Inbound::Ignored(IgnoreReason::Empty));
    }
    if flag(object.get("fromMe")) {
        return Ok(Inbound::Echo(Echo { to: from, provider_id, text }));
    }
    let media = (kind == MessageKind::Audio).then(|| media::of(object, object)).flatten();
    Ok(Inbound::Message(InboundMessage { from, provider_id, text, kind, name, sent_at, media }))
}

/// The fields that are there and not null.
fn present<'a>(object: &'a Object, fields: &'static [&'static str]) -> impl Iterator<Item = &'a Value> {
    fields.iter().filter_map(|field| object.get(*field)).filter(|value| !value.is_null())
}

/// The optional field, null counting as absent; a value of the wrong type is an error.
fn typed<'a>(
    object: &'a Object,
    field: &'static str,
    fits: impl Fn(&Value) -> bool,
) -> Result<Option<&'a Value>, BadPayload> {
    match object.get(field).filter(|value| !value.is_null()) {
        Some(value) if !fits(value) => Err(BadPayload::at(field)),
        found => Ok(found),
    }
}

/// The first text that is not blank, else a blank one.
fn text(object: &Object) -> Result<&str, BadPayload> {
    let mut blank = None;
    for value in present(object, &["text", "message", "body", "caption"]) {
        let text = value.as_str().ok_or(BadPayload::at("text"))?;
        if !text.trim().is_empty() {
            return Ok(text);
        }
        blank = blank.or(Some(text));
    }
    blank.ok_or(BadPayload::at("text"))
}

fn kind(object: &Object) -> Result<MessageKind, BadPayload> {
    Ok(typed(object, "kind", Value::is_string)?.and_then(Value::as_str).map_or(MessageKind::Text, content::kind_named))
}

fn timestamp(object: &Object) -> Result<Option<i64>, BadPayload> {
    match typed(object, "timestamp", |v| v.is_string() || v.is_number() || v.is_object())? {
        None => Ok(None),
        found => unix_seconds(found).map(Some).ok_or(BadPayload::at("timestamp")),
    }
}
