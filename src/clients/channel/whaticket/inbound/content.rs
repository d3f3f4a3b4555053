//! What a Baileys message says, once its wrappers are off.

use std::borrow::Cow;

use serde_json::Value;

use super::Object;
use super::json::{first_string, object, object_at, string};
use crate::domain::inbound::{IgnoreReason, MessageKind};
use crate::domain::text::MessageText;

/// Wrappers within wrappers occur (an edited view-once in an ephemeral chat); more than this is nobody's message.
const UNWRAP_MAX: usize = 8;

/// Envelopes around the real message, each holding it in its own `message` field.
const WRAPPERS: [&str; 12] = [
    "ephemeralMessage",
    "viewOnceMessage",
    "viewOnceMessageV2",
    "viewOnceMessageV2Extension",
    "documentWithCaptionMessage",
    "editedMessage",
    "deviceSentMessage",
    "groupMentionedMessage",
    "botInvokeMessage",
    "lottieStickerMessage",
    "associatedChildMessage",
    "statusMentionMessage",
];

/// Contents that are media or other things without words; a caption is their text.
const MEDIA: [(&str, MessageKind); 16] = [
    ("imageMessage", MessageKind::Image),
    ("videoMessage", MessageKind::Video),
    ("ptvMessage", MessageKind::Video),
    ("audioMessage", MessageKind::Audio),
    ("documentMessage", MessageKind::Document),
    ("stickerMessage", MessageKind::Sticker),
    ("locationMessage", MessageKind::Location),
    ("liveLocationMessage", MessageKind::Location),
    ("contactMessage", MessageKind::Contact),
    ("contactsArrayMessage", MessageKind::Contact),
    ("image", MessageKind::Image),
    ("video", MessageKind::Video),
    ("audio", MessageKind::Audio),
    ("document", MessageKind::Document),
    ("sticker", MessageKind::Sticker),
    ("location", MessageKind::Location),
];

/// Contents that are no message: votes, reactions, key exchange, calls.
const NOT_MESSAGES: [&str; 17] = [
    "reactionMessage",
    "encReactionMessage",
    "protocolMessage",
    "pollUpdateMessage",
    "senderKeyDistributionMessage",
    "fastRatchetKeySenderKeyDistributionMessage",
    "keepInChatMessage",
    "pinInChatMessage",
    "encCommentMessage",
    "encEventResponseMessage",
    "callLogMesssage",
    "bcallMessage",
    "call",
    "chat",
    "secretEncryptedMessage",
    "stickerSyncRmrMessage",
    // Announces pictures that follow as messages of their own.
    "albumMessage",
];

/// Fields that only accompany a content.
const COMPANIONS: [&str; 2] = ["messageContextInfo", "base64"];

/// A message's words and kind; `Err` when it is nothing to answer.
pub(super) type Content = Result<(Option<MessageText>, MessageKind), IgnoreReason>;

/// Reads a Baileys message content (or the simpler ones of Facebook and Instagram inside forks).
pub(super) fn read(message: &Object) -> Content {
    let inner = unwrap(message);
    let words = text_of(inner);
    let media = MEDIA.iter().find_map(|(field, kind)| Some((object(inner.get(*field))?, *kind)));
    if let Some((media, kind)) = media {
        let caption = string(media.get("caption")).or(words.as_deref());
        return Ok((caption.and_then(MessageText::clean), kind));
    }
    if let Some(kind) = attachment_kind(inner) {
        return Ok((words.as_deref().and_then(MessageText::clean), kind));
    }
    if let Some(words) = words {
        return of_text(&words);
    }
    if let Some(reason) = nothing_said(inner) {
        return Err(reason);
    }
    Ok((None, MessageKind::Unsupported))
}

/// A plain text; empty ones are nothing to answer.
pub(super) fn of_text(words: &str) -> Content {
    MessageText::clean(words).map(|text| (Some(text), MessageKind::Text)).ok_or(IgnoreReason::Empty)
}

pub(super) fn unwrap(message: &Object) -> &Object {
    let mut inner = message;
    for _ in 0..UNWRAP_MAX {
        let Some(wrapper) = WRAPPERS.iter().find(|wrapper| inner.contains_key(**wrapper)) else { break };
        let Some(content) = object_at(inner, &[wrapper, "message"]) else { break };
        // An edit may come as a protocol message around the new content.
        let edited = (*wrapper == "editedMessage").then(|| object_at(content, &["protocolMessage", "editedMessage"]));
        inner = edited.flatten().unwrap_or(content);
    }
    inner
}

/// The words of every kind of content that has words of its own.
fn text_of(message: &Object) -> Option<Cow<'_, str>> {
    let at = |path: &[&str], fields: &[&str]| object_at(message, path).and_then(|o| first_string(o, fields));
    first_string(message, &["conversation"])
        .or_else(|| at(&["extendedTextMessage"], &["text"]))
        .or_else(|| at(&["buttonsResponseMessage"], &["selectedDisplayText", "selectedButtonId"]))
        .or_else(|| at(&["listResponseMessage"], &["title"]))
        .or_else(|| at(&["listResponseMessage", "singleSelectReply"], &["selectedRowId"]))
        .or_else(|| at(&["templateButtonReplyMessage"], &["selectedDisplayText", "selectedId"]))
        .or_else(|| at(&["interactiveResponseMessage", "body"], &["text"]))
        .map(Cow::Borrowed)
        .or_else(|| flow_reply(message).map(Cow::Owned))
        .or_else(|| {
            template_text(message)
                .or_else(|| at(&["interactiveMessage", "body"], &["text"]))
                .or_else(|| at(&["buttonsMessage"], &["contentText", "text"]))
                .or_else(|| at(&["listMessage"], &["description", "title"]))
                .or_else(|| first_string(message, &["text", "body", "caption"]))
                .or_else(|| at(&["text"], &["body", "text"]))
                .map(Cow::Borrowed)
        })
}

fn template_text(message: &Object) -> Option<&str> {
    let template = object(message.get("templateMessage"))?;
    ["hydratedTemplate", "hydratedFourRowTemplate"]
        .iter()
        .find_map(|row| first_string(object(template.get(*row))?, &["hydratedContentText", "hydratedTitleText"]))
        .or_else(|| first_string(object_at(template, &["interactiveMessageTemplate", "body"])?, &["text"]))
        .or_else(|| first_string(template, &["text", "contentText"]))
}

/// The choice made in a native flow: JSON inside a string, written by the business that sent the flow.
fn flow_reply(message: &Object) -> Option<String> {
    let flow = object_at(message, &["interactiveResponseMessage", "nativeFlowResponseMessage"])?;
    let params = super::json::parse_object(string(flow.get("paramsJson"))?.as_bytes())?;
    first_string(&params, &["title", "display_text", "displayText", "text", "description", "id", "rowId"])
        .map(str::to_owned)
}

/// The kind of a Facebook or Instagram attachment.
fn attachment_kind(message: &Object) -> Option<MessageKind> {
    let first = message.get("attachments")?.as_array()?.first()?;
    Some(kind_named(first.get("type").and_then(Value::as_str).unwrap_or_default()))
}

/// The kind behind a fork's word for it (`mediaType` and the like). Words for plain text give `Text`.
pub(super) fn kind_named(word: &str) -> MessageKind {
    let word = word.trim().to_ascii_lowercase();
    let main = word.split('/').next().unwrap_or_default();
    match main {
        "text"
        | "chat"
        | "conversation"
        | "extendedtextmessage"
        | "extendedtext"
        | "button"
        | "interactive"
        | "buttonsresponsemessage"
        | "listresponsemessage" => MessageKind::Text,
        "image" | "imagemessage" | "foto" => MessageKind::Image,
        "video" | "videomessage" | "ptvmessage" => MessageKind::Video,
        "audio" | "ptt" | "voice" | "audiomessage" => MessageKind::Audio,
        "document" | "application" | "file" | "documentmessage" => MessageKind::Document,
        "sticker" | "stickermessage" => MessageKind::Sticker,
        "location" | "locationmessage" | "livelocationmessage" => MessageKind::Location,
        "contact" | "contacts" | "vcard" | "contactmessage" | "contactsarraymessage" => MessageKind::Contact,
        _ => MessageKind::Unsupported,
    }
}

/// Why a content without words and media needs no answer; `None` when it is something we cannot read.
fn nothing_said(message: &Object) -> Option<IgnoreReason> {
    let said = |field: &&String| !COMPANIONS.contains(&field.as_str());
    if message.keys().any(|field| NOT_MESSAGES.contains(&field.as_str())) {
        return Some(IgnoreReason::NotAMessage);
    }
    let known_but_blank = |field: &String| {
        matches!(field.as_str(), "conversation" | "extendedTextMessage" | "text" | "body" | "caption" | "mid" | "id")
    };
    let mut fields = message.keys().filter(said).peekable();
    if fields.peek().is_none() {
        return Some(if message.is_empty() { IgnoreReason::Empty } else { IgnoreReason::NotAMessage });
    }
    fields.all(known_but_blank).then_some(IgnoreReason::Empty)
}
