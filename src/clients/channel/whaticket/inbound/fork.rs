//! Forks' own shapes: fields are looked for wherever some fork is known to put them.
//!
//! Known ones: the per-connection webhook (`mensagem`, `sender`, `ticketData` or `chamado`), Whazing (`messageBody`,
//! `contact.phoneNumber`), Facebook and Instagram (`message.text`, `contact.number`), and Baileys contents beside a plain
//! number (`{"message":{…},"number":…}`).

use serde_json::Value;

use super::address::{Address, read_jid, read_lid, read_number};
use super::json::{first_string, flag, object, object_at, provider_id, scalar, string, unix_seconds};
use super::{BadPayload, Object, content, media};
use crate::domain::inbound::{Echo, IgnoreReason, Inbound, InboundMessage, MessageKind, Sender};
use crate::domain::text::{MessageText, PersonName};

/// Where a contact object may stand.
const CONTACTS: [&[&str]; 7] = [
    &["contact"],
    &["sender"],
    &["message", "contact"],
    &["ticketData", "contact"],
    &["chamado", "contact"],
    &["ticket", "contact"],
    &["message", "ticket", "contact"],
];
const CONTACT_NUMBERS: [&str; 4] = ["number", "phone", "phoneNumber", "jid"];

/// Reads one event.
pub(super) fn read(event: &Object, outer: &Object) -> Result<Inbound, BadPayload> {
    if is_group(event) || is_group(outer) {
        return Ok(Inbound::Ignored(IgnoreReason::Group));
    }
    let message = object(event.get("message"));
    if flag(event.get("isDeleted")) || message.is_some_and(|m| flag(m.get("isDeleted"))) {
        return Ok(Inbound::Ignored(IgnoreReason::NotAMessage));
    }
    let ours = is_ours(event);
    let number = number_of(event, ours).or_else(|| number_of(outer, ours));
    if let Some(Ok(Address::NotAPerson(reason))) = number {
        return Ok(Inbound::Ignored(reason));
    }
    let (text, kind) = match read_content(event) {
        Ok(said) => said,
        Err(reason) => return Ok(Inbound::Ignored(reason)),
    };
    let from = match sender(number, lid_of(event))? {
        Ok(sender) => sender,
        Err(reason) => return Ok(Inbound::Ignored(reason)),
    };
    let provider_id = message_id(event)?;
    if ours {
        return Ok(Inbound::Echo(Echo { to: from, provider_id, text }));
    }
    let name = name_of(event).or_else(|| name_of(outer)).and_then(PersonName::clean);
    let media = (kind == MessageKind::Audio).then(|| media::of(event, outer)).flatten();
    Ok(Inbound::Message(InboundMessage { from, provider_id, text, kind, name, sent_at: sent_at(event), media }))
}

/// Whom the number fields name. Flat fields come first for a received message; in one of our own the flat ones may be
/// ourselves, so the recipient and the contact come first. A telephone number wins over a hidden id, and one readable
/// field over a broken one. `None` when no field is there at all.
pub(super) fn number_of(event: &Object, ours: bool) -> Option<Result<Address, BadPayload>> {
    let flat = ["number", "from", "sender", "remoteJid", "phone"].into_iter().filter_map(|field| event.get(field));
    let nested = CONTACTS
        .iter()
        .filter_map(|path| object_at(event, path))
        .flat_map(|contact| CONTACT_NUMBERS.into_iter().filter_map(|field| contact.get(field)));
    let in_message = ["from", "number"].into_iter().filter_map(|field| object(event.get("message"))?.get(field));
    let values: Vec<&Value> = if ours {
        event.get("to").into_iter().chain(nested).chain(flat).collect()
    } else {
        flat.chain(nested).chain(in_message).collect()
    };
    let lid = lid_of(event);
    let mut read = values
        .into_iter()
        .filter_map(|value| Some((value, scalar(value).filter(|s| !s.trim().is_empty())?)))
        // Some forks put the hidden id where the number belongs: it is no telephone number.
        .filter(|(_, digits)| lid.as_deref() != Some(&**digits))
        .map(|(value, _)| read_number(value))
        .collect::<Vec<_>>();
    let best = [
        read.iter().position(|r| matches!(r, Ok(Address::Phone(_) | Address::NotAPerson(_)))),
        read.iter().position(Result::is_ok),
        (!read.is_empty()).then_some(0),
    ];
    best.into_iter().flatten().next().map(|at| read.swap_remove(at))
}

/// The name a fork knows the person by.
pub(super) fn name_of(event: &Object) -> Option<&str> {
    let message = object(event.get("message"));
    first_string(event, &["pushName", "pushname"])
        .or_else(|| message.and_then(|m| first_string(m, &["pushName", "pushname"])))
        .or_else(|| first_string(event, &["name"]))
        .or_else(|| {
            let contacts = CONTACTS.iter().filter_map(|path| object_at(event, path));
            contacts.filter_map(|c| first_string(c, &["name", "pushname", "pushName"])).next()
        })
}

fn lid_of(event: &Object) -> Option<String> {
    let flat = ["number", "from", "sender", "remoteJid"].into_iter().find_map(|field| {
        match read_jid(event.get(field)?.as_str().filter(|jid| jid.contains('@'))?)? {
            Address::Lid(lid) => Some(lid),
            _ => None,
        }
    });
    flat.or_else(|| {
        let contacts = CONTACTS.iter().filter_map(|path| object_at(event, path));
        contacts.filter_map(|contact| read_lid(&scalar(contact.get("lid")?)?)).next()
    })
}

fn sender(
    number: Option<Result<Address, BadPayload>>,
    lid: Option<String>,
) -> Result<Result<Sender, IgnoreReason>, BadPayload> {
    match (number, lid) {
        (Some(Ok(Address::Phone(phone))), lid) => Ok(Ok(Sender::Phone { phone, lid })),
        (_, Some(lid)) => Ok(Ok(Sender::Lid(lid))),
        (Some(found), None) => found.map(Address::into_sender),
        (None, None) => Err(BadPayload::at("number")),
    }
}

fn read_content(event: &Object) -> content::Content {
    let flat = first_string(event, &["mensagem", "messageBody", "text", "body", "caption"])
        .or_else(|| string(event.get("message")))
        .or_else(|| string(object(event.get("text"))?.get("body")))
        .or_else(|| string(typed_content(event)?.1.get("caption")));
    let from_message = object(event.get("message")).map(content::read);
    if let Some(Err(IgnoreReason::NotAMessage)) = from_message {
        return Err(IgnoreReason::NotAMessage);
    }
    // A message object that says something wins; one that only describes its media is joined with the flat text.
    if let Some(Ok((Some(text), kind))) = from_message {
        let named = media_kind(event).filter(|kind| *kind != MessageKind::Unsupported);
        return Ok((Some(text), named.unwrap_or(kind)));
    }
    let text = flat.and_then(MessageText::clean);
    let media = media_kind(event).or(match from_message {
        Some(Ok((None, kind))) => Some(kind),
        _ => None,
    });
    match (text, media) {
        (text, Some(kind)) if kind != MessageKind::Unsupported || text.is_none() => Ok((text, kind)),
        (Some(text), _) => Ok((Some(text), MessageKind::Text)),
        (None, _) if is_plain_event(event) => Err(IgnoreReason::Event),
        (None, _) => Err(IgnoreReason::Empty),
    }
}

/// The kind a fork names for an attached file; `None` for texts.
fn media_kind(event: &Object) -> Option<MessageKind> {
    let places = [Some(event), object(event.get("message"))];
    let mut places = places.into_iter().flatten();
    let named = places.find_map(|place| match string(place.get("mediaType")).map(content::kind_named) {
        Some(MessageKind::Text) => None,
        Some(kind) => Some(kind),
        None => string(place.get("mediaUrl")).map(|_| MessageKind::Unsupported),
    });
    named
        .or_else(|| typed_content(event).map(|(word, _)| content::kind_named(word)).filter(|k| *k != MessageKind::Text))
}

/// `{"type":"image","image":{…}}`: the type names the field of the content.
fn typed_content(event: &Object) -> Option<(&str, &Object)> {
    let word = string(event.get("type"))?;
    Some((word, object(event.get(word))?))
}

/// Events about tickets and connections name their type; Whazing writes it with a capital.
fn is_plain_event(event: &Object) -> bool {
    ["Type", "event"].iter().any(|field| string(event.get(*field)).is_some())
}

fn is_group(event: &Object) -> bool {
    let places: [&[&str]; 5] = [&[], &["message"], &["ticket"], &["ticketData"], &["chamado"]];
    let places = places.iter().chain(CONTACTS.iter());
    places.filter_map(|path| object_at(event, path)).any(|place| flag(place.get("isGroup")))
}

fn is_ours(event: &Object) -> bool {
    let message = object(event.get("message"));
    flag(event.get("fromMe")) || message.is_some_and(|m| flag(m.get("fromMe")) || flag(m.get("is_echo")))
}

/// The message's id. A bare `id` is often the ticket's or the contact's, which would make every later message of the
/// ticket a duplicate of the first; so it counts only where it equals neither, and never in the shape known to have none.
fn message_id(event: &Object) -> Result<Option<String>, BadPayload> {
    let message = object(event.get("message"));
    let in_message = |field: &str| message.and_then(|m| m.get(field));
    let sure = [event.get("messageId"), event.get("wid"), in_message("mid"), in_message("id"), in_message("wid")];
    for candidate in sure {
        if let Some(id) = provider_id(candidate)? {
            return Ok(Some(id));
        }
    }
    if ["mensagem", "filaescolhida", "chamadoId", "ticketData"].iter().any(|field| event.contains_key(*field)) {
        return Ok(None);
    }
    let id = provider_id(event.get("id"))?;
    let others = [object_at(event, &["ticket"]), object_at(event, &["contact"])];
    let taken = others.into_iter().flatten().any(|o| o.get("id").and_then(scalar).as_deref() == id.as_deref())
        || event.get("ticketId").and_then(scalar).as_deref() == id.as_deref();
    Ok(id.filter(|_| !taken))
}

fn sent_at(event: &Object) -> Option<i64> {
    let message = object(event.get("message"));
    let fields = ["timestamp", "messageTimestamp", "createdAt"];
    fields
        .iter()
        .find_map(|field| unix_seconds(event.get(*field)))
        .or_else(|| fields.iter().find_map(|field| unix_seconds(message?.get(*field))))
}
