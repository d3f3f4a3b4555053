//! Raw Baileys messages: `{"key":{…},"message":{…},"pushName":…}`.

use serde_json::Value;

use super::address::{Address, lid_of_key, read_key};
use super::json::{first_string, flag, object, provider_id, unix_seconds};
use super::{BadPayload, Object, content, fork, media};
use crate::domain::inbound::{Echo, IgnoreReason, Inbound, InboundMessage, MessageKind, Sender};
use crate::domain::text::PersonName;

/// Reads one message. `outer` is what stands around it, where forks put the number of a hidden sender.
pub(super) fn read(envelope: &Object, outer: &Object) -> Result<Inbound, BadPayload> {
    let empty = Object::new();
    let key = object(envelope.get("key")).unwrap_or(&empty);
    let from_me = flag(key.get("fromMe")) || flag(envelope.get("fromMe"));
    let address = read_key(key, from_me);
    if let Some(Address::NotAPerson(reason)) = address {
        return Ok(Inbound::Ignored(reason));
    }
    let said = match read_content(envelope) {
        Ok(said) => said,
        Err(reason) => return Ok(Inbound::Ignored(reason)),
    };
    let from = match complete(address, lid_of_key(key, from_me), [envelope, outer], from_me)? {
        Ok(sender) => sender,
        Err(reason) => return Ok(Inbound::Ignored(reason)),
    };
    let provider_id = provider_id(key.get("id"))?;
    let (text, kind) = said;
    if from_me {
        return Ok(Inbound::Echo(Echo { to: from, provider_id, text }));
    }
    let name = first_string(envelope, &["pushName", "pushname", "verifiedBizName", "name"])
        .or_else(|| fork::name_of(outer))
        .and_then(PersonName::clean);
    let sent_at = unix_seconds(envelope.get("messageTimestamp").or_else(|| envelope.get("timestamp")));
    let media = (kind == MessageKind::Audio).then(|| media::of(envelope, outer)).flatten();
    Ok(Inbound::Message(InboundMessage { from, provider_id, text, kind, name, sent_at, media }))
}

fn read_content(envelope: &Object) -> content::Content {
    match envelope.get("message") {
        Some(Value::Object(message)) => content::read(message),
        Some(Value::String(words)) => content::of_text(words),
        // A stub tells of something that happened: a missed call, a changed key, a message that cannot be decrypted.
        _ if envelope.contains_key("messageStubType") => Err(IgnoreReason::NotAMessage),
        _ => match first_string(envelope, &["text", "body", "caption"]) {
            Some(words) => content::of_text(words),
            None => Err(IgnoreReason::Empty),
        },
    }
}

/// Puts number and hidden id together; a number missing in the key is looked for around the message.
fn complete(
    address: Option<Address>,
    lid: Option<String>,
    around: [&Object; 2],
    from_me: bool,
) -> Result<Result<Sender, IgnoreReason>, BadPayload> {
    if let Some(Address::Phone(phone)) = address {
        return Ok(Ok(Sender::Phone { phone, lid }));
    }
    let around = around.into_iter().find_map(|place| fork::number_of(place, from_me));
    match (address, around) {
        (Some(Address::Lid(lid)), Some(Ok(Address::Phone(phone)))) if phone.digits() != lid => {
            Ok(Ok(Sender::Phone { phone, lid: Some(lid) }))
        }
        (Some(address), _) => Ok(address.into_sender()),
        (None, Some(found)) => found.map(Address::into_sender),
        (None, None) => Err(BadPayload::at("number")),
    }
}
