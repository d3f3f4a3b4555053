//! The rows of a turn, from what was decided.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::answer::Prepared;
use super::mailbox::Mailbox;
use super::{Turn, new_id};
use crate::domain::conversation::history::{Author, spoken, spoken_aloud};
use crate::domain::inbound::{InboundMessage, MessageKind};
use crate::domain::text::MessageText;
use crate::models::tenant::delivery::{DeliveryRow, DeliveryState};
use crate::models::tenant::message::NewMessage;
use crate::models::tenant::turn::TurnRow;
use crate::queue::Waiting;
use crate::services::context::Conversation;
use crate::telemetry::metrics::MessageKind as KindLabel;

pub(super) fn turn_row(
    turn: &Turn<'_>,
    conversation: &Conversation,
    mailbox: &Mailbox,
    prepared: &Prepared,
    (preparations, correlation_id, now): (u32, &str, DateTime<Utc>),
) -> TurnRow {
    let small = |n: u64| i32::try_from(n).unwrap_or(i32::MAX);
    let at = |ms: i64| DateTime::from_timestamp_millis(ms).unwrap_or(now);
    let oldest = mailbox.messages.iter().map(|(waiting, _)| waiting.accepted_ms).min();
    TurnRow {
        id: new_id(),
        conversation_id: conversation.id,
        correlation_id: correlation_id.to_owned(),
        decision: prepared.said.decision().to_owned(),
        reason: prepared.said.reason().to_owned(),
        fence: turn.claim.fence,
        model: prepared.model.clone(),
        tokens_in: small(u64::from(prepared.usage.input)),
        tokens_out: small(u64::from(prepared.usage.output)),
        tokens_estimated: prepared.estimated,
        injection_score: prepared.decision.verdict.score,
        intention: prepared.decision.understanding.intent.label().to_owned(),
        mood: prepared.decision.understanding.mood.score,
        messages_seen: small(mailbox.messages.len() as u64),
        preparations: small(u64::from(preparations)),
        model_ms: small(u64::try_from(prepared.model_time.as_millis()).unwrap_or(u64::MAX)),
        accepted_at: oldest.map_or(now, at),
        claimed_at: at(turn.claim.claimed_ms),
        decided_at: now,
    }
}

/// `heard` is what a voice message says.
pub(super) fn inbox_row(
    (conversation_id, turn_id): (Uuid, Uuid),
    waiting: &Waiting,
    message: &InboundMessage,
    heard: Option<&MessageText>,
) -> NewMessage {
    NewMessage {
        id: waiting.envelope.id,
        conversation_id,
        author: Author::Customer.as_str(),
        seq: waiting.seq,
        kind: kind_word(message.kind).to_owned(),
        body: heard.map_or_else(|| spoken(message), spoken_aloud),
        was_cut: message.text.as_ref().is_some_and(|text| text.was_cut()),
        dedupe_key: waiting.envelope.dedupe.clone(),
        turn_id: Some(turn_id),
        correlation_id: waiting.envelope.correlation_id.clone(),
        at: DateTime::from_timestamp_millis(waiting.accepted_ms).unwrap_or_default(),
    }
}

/// A text of ours. Without a turn it is what a person of the company said, or what is said beside a turn.
pub(super) fn outbox_row(
    (conversation_id, turn_id): (Uuid, Option<Uuid>),
    author: Author,
    correlation_id: &str,
    seq: i64,
    body: &str,
    now: DateTime<Utc>,
) -> NewMessage {
    NewMessage {
        id: new_id(),
        conversation_id,
        author: author.as_str(),
        seq,
        kind: "text".to_owned(),
        body: body.to_owned(),
        was_cut: false,
        dedupe_key: None,
        turn_id,
        correlation_id: correlation_id.to_owned(),
        at: now,
    }
}

pub(super) fn delivery_row(turn: &Turn<'_>, row: &NewMessage, recipient: String, position: i16) -> DeliveryRow {
    let first = position == 0;
    let wait = i64::try_from(turn.services.settings.delivery.ambiguous_wait_ms).unwrap_or(i64::MAX / 1000);
    DeliveryRow {
        id: new_id(),
        message_id: row.id,
        conversation_id: row.conversation_id,
        turn_id: row.turn_id.unwrap_or(row.id),
        position,
        recipient,
        body: row.body.clone(),
        correlation_id: row.correlation_id.clone(),
        state: if first { DeliveryState::Sending } else { DeliveryState::Queued }.as_str().to_owned(),
        attempts: i32::from(first),
        resends: 0,
        attempt_at: first.then_some(row.at),
        next_at: first.then(|| row.at + TimeDelta::milliseconds(wait)),
        external_id: None,
        error_code: None,
        created_at: row.at,
        sent_at: None,
    }
}

fn kind_word(kind: MessageKind) -> &'static str {
    match kind {
        MessageKind::Text => "text",
        MessageKind::Image => "image",
        MessageKind::Video => "video",
        MessageKind::Audio => "audio",
        MessageKind::Document => "document",
        MessageKind::Sticker => "sticker",
        MessageKind::Location => "location",
        MessageKind::Contact => "contact",
        MessageKind::Unsupported => "unsupported",
    }
}

pub(super) fn kind_label(kind: MessageKind) -> KindLabel {
    match kind {
        MessageKind::Text => KindLabel::Text,
        MessageKind::Location => KindLabel::Location,
        MessageKind::Contact => KindLabel::Contact,
        MessageKind::Unsupported => KindLabel::Other,
        _ => KindLabel::Media,
    }
}
