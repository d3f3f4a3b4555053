//! T1: everything a turn decided, in one transaction under the fence.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::answer::{self, Prepared};
use super::mailbox::Mailbox;
use super::{Turn, new_id};
use crate::domain::conversation::history::{Author, Line, spoken};
use crate::domain::inbound::{InboundMessage, MessageKind, Sender};
use crate::models::tenant::delivery::{self, DeliveryRow, DeliveryState};
use crate::models::tenant::message::{self, NewMessage};
use crate::models::tenant::person::{self, Identity};
use crate::models::tenant::turn::{self, TurnRow};
use crate::models::tenant::{commit, conversation};
use crate::queue::Waiting;
use crate::services::ServiceError;
use crate::services::context::Conversation;
use crate::services::delivery::Unmatched;
use crate::telemetry::metrics::{self, MessageKind as KindLabel};
use crate::tenant::{Tenant, TenantTx};

/// What is to be stored.
pub(super) struct Plan {
    turn: TurnRow,
    messages: Vec<NewMessage>,
    /// The outgoing texts.
    pub deliveries: Vec<DeliveryRow>,
    sender: Sender,
    /// The person's name after this turn.
    pub name: Option<String>,
    shown_name: Option<String>,
    /// The envelopes this decides.
    pub seqs: Vec<i64>,
    kinds: Vec<MessageKind>,
    prepared: Prepared,
}

impl Plan {
    pub(super) fn new(
        turn: &Turn<'_>,
        conversation: &Conversation,
        mailbox: &Mailbox,
        prepared: Prepared,
        preparations: u32,
    ) -> Result<Self, ServiceError> {
        let (newest, last) = mailbox.messages.last().ok_or(ServiceError::LeaseLost)?;
        let correlation_id = newest.envelope.correlation_id.clone();
        let now = turn.now();
        let turn_row = turn_row(turn, conversation, mailbox, &prepared, (preparations, &correlation_id, now));
        let mut messages: Vec<NewMessage> = mailbox
            .messages
            .iter()
            .map(|(waiting, message)| inbox_row(conversation.id, turn_row.id, waiting, message))
            .collect();
        let mut deliveries = Vec::new();
        for (n, body) in (0_i16..).zip(&prepared.bubbles) {
            let row = outbox_row(
                conversation.id,
                turn_row.id,
                &correlation_id,
                mailbox.last_seq + 1 + i64::from(n),
                body,
                now,
            );
            deliveries.push(delivery_row(turn, &row, &last.from, n));
            messages.push(row);
        }
        let shown_name =
            mailbox.messages.iter().rev().find_map(|(_, m)| m.name.as_ref()).map(|n| n.as_str().to_owned());
        Ok(Self {
            turn: turn_row,
            messages,
            deliveries,
            sender: last.from.clone(),
            name: conversation.called(shown_name.as_deref()).map(str::to_owned),
            shown_name,
            seqs: mailbox.messages.iter().map(|(waiting, _)| waiting.seq).collect(),
            kinds: mailbox.messages.iter().map(|(_, message)| message.kind).collect(),
            prepared,
        })
    }

    /// Counts what was decided, once it is.
    pub(super) fn count(&self, tenant: &Tenant) {
        for kind in &self.kinds {
            metrics::message_processed(tenant.id(), kind_label(*kind));
        }
        answer::count(tenant, &self.prepared);
    }

    /// The name the person's phone shows, where it is news.
    fn new_name(&self, conversation: &Conversation) -> Option<&str> {
        self.shown_name.as_deref().filter(|name| !conversation.name_given && conversation.name.as_deref() != Some(name))
    }

    /// What the conversation's history gains.
    pub(super) fn lines(&self) -> Vec<Line> {
        let line = |row: &NewMessage| Line { by: Author::parse(row.author), text: row.body.clone() };
        self.messages.iter().filter(|row| !row.body.is_empty()).map(line).collect()
    }

    /// What the live usage hash gains.
    pub(super) fn usage(&self) -> [(&'static str, i64); 4] {
        let count = |n: usize| i64::try_from(n).unwrap_or(0);
        [
            ("messages_in", count(self.seqs.len())),
            ("messages_out", count(self.deliveries.len())),
            ("tokens_in", i64::from(self.prepared.usage.input)),
            ("tokens_out", i64::from(self.prepared.usage.output)),
        ]
    }
}

fn turn_row(
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
        decision: if prepared.fallback.is_some() { "template" } else { "answer" }.to_owned(),
        reason: prepared.fallback.map(|(template, _)| template.name()).unwrap_or_default().to_owned(),
        fence: turn.claim.fence,
        model: prepared.model.clone(),
        tokens_in: small(u64::from(prepared.usage.input)),
        tokens_out: small(u64::from(prepared.usage.output)),
        tokens_estimated: prepared.estimated,
        injection_score: prepared.injection_score,
        messages_seen: small(mailbox.messages.len() as u64),
        preparations: small(u64::from(preparations)),
        model_ms: small(u64::try_from(prepared.model_time.as_millis()).unwrap_or(u64::MAX)),
        accepted_at: oldest.map_or(now, at),
        claimed_at: at(turn.claim.claimed_ms),
        decided_at: now,
    }
}

fn inbox_row(conversation_id: Uuid, turn_id: Uuid, waiting: &Waiting, message: &InboundMessage) -> NewMessage {
    NewMessage {
        id: waiting.envelope.id,
        conversation_id,
        author: Author::Customer.as_str(),
        seq: waiting.seq,
        kind: kind_word(message.kind).to_owned(),
        body: spoken(message),
        was_cut: message.text.as_ref().is_some_and(|text| text.was_cut()),
        dedupe_key: waiting.envelope.dedupe.clone(),
        turn_id: Some(turn_id),
        correlation_id: waiting.envelope.correlation_id.clone(),
        at: DateTime::from_timestamp_millis(waiting.accepted_ms).unwrap_or_default(),
    }
}

fn outbox_row(
    conversation_id: Uuid,
    turn_id: Uuid,
    correlation_id: &str,
    seq: i64,
    body: &str,
    now: DateTime<Utc>,
) -> NewMessage {
    NewMessage {
        id: new_id(),
        conversation_id,
        author: Author::Assistant.as_str(),
        seq,
        kind: "text".to_owned(),
        body: body.to_owned(),
        was_cut: false,
        dedupe_key: None,
        turn_id: Some(turn_id),
        correlation_id: correlation_id.to_owned(),
        at: now,
    }
}

fn delivery_row(turn: &Turn<'_>, row: &NewMessage, to: &Sender, position: i16) -> DeliveryRow {
    let first = position == 0;
    let wait = i64::try_from(turn.services.settings.delivery.ambiguous_wait_ms).unwrap_or(i64::MAX / 1000);
    DeliveryRow {
        id: new_id(),
        message_id: row.id,
        conversation_id: row.conversation_id,
        turn_id: row.turn_id.unwrap_or(row.id),
        position,
        recipient: to.reply_address(),
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

/// Commits the plan. An outcome nobody knows (the connection broke during COMMIT) is looked up while the claim lives.
pub(super) async fn commit(turn: &Turn<'_>, conversation: &mut Conversation, plan: &Plan) -> Result<(), ServiceError> {
    turn.lease.bind();
    match store(turn, conversation, plan).await {
        Err(ServiceError::Store(error)) if error.is_outage() => {
            let mut tx = turn.tenant.db.begin().await?;
            let stored = turn::exists(&mut tx, plan.turn.id).await?;
            tx.commit().await?;
            if stored { Ok(()) } else { Err(error.into()) }
        }
        other => other,
    }
}

/// One statement where nothing but the turn is to be stored, which is nearly always; else a transaction of several.
async fn store(turn: &Turn<'_>, conversation: &mut Conversation, plan: &Plan) -> Result<(), ServiceError> {
    let two_addresses = matches!(plan.sender, Sender::Phone { lid: Some(_), .. });
    if !conversation.is_new && !two_addresses && plan.new_name(conversation).is_none() {
        let address = plan.sender.reply_address();
        return Ok(commit::decide(&turn.tenant.db, &address, &plan.turn, &plan.messages, &plan.deliveries).await?);
    }
    if let (true, Sender::Phone { phone, lid: None }) = (conversation.is_new, &plan.sender)
        && phone.person_key() == turn.claim.conversation
    {
        let addresses = (turn.claim.conversation.as_str(), phone.digits());
        let person = (conversation.person_id, plan.shown_name.as_deref());
        let (db, row) = (&turn.tenant.db, &plan.turn);
        if commit::decide_first(db, addresses, person, row, &plan.messages, &plan.deliveries).await? {
            return Ok(());
        }
    }
    let mut tx = turn.tenant.db.begin().await?;
    match write(turn, conversation, plan, &mut tx).await {
        Ok(()) => Ok(tx.commit().await?),
        Err(error) => {
            tx.rollback().await;
            Err(error)
        }
    }
}

async fn write(
    turn: &Turn<'_>,
    conversation: &mut Conversation,
    plan: &Plan,
    tx: &mut TenantTx,
) -> Result<(), ServiceError> {
    let now = plan.turn.decided_at;
    hold(turn, conversation, tx, &plan.sender, now).await?;
    if let Some(name) = plan.new_name(conversation) {
        person::name_from_channel(tx, conversation.person_id, name, now).await?;
    }
    turn::insert(tx, &plan.turn).await?;
    message::append(tx, &plan.messages).await?;
    delivery::insert(tx, &plan.deliveries).await?;
    Ok(())
}

/// Takes the conversation's row for this claim, making person and conversation when they are new.
async fn hold(
    turn: &Turn<'_>,
    conversation: &mut Conversation,
    tx: &mut TenantTx,
    who: &Sender,
    now: DateTime<Utc>,
) -> Result<(), ServiceError> {
    let address = who.reply_address();
    if !conversation.is_new {
        conversation::take(tx, conversation.id, Some(&address), turn.claim.fence, now).await?;
        if matches!(who, Sender::Phone { lid: Some(_), .. }) {
            // Both addresses in one message: kept, so that the hidden id alone finds the person after Redis forgot.
            person::find_or_create(tx, &identities(&turn.claim.conversation, who), conversation.person_id, now).await?;
        }
        return Ok(());
    }
    conversation.person_id =
        person::find_or_create(tx, &identities(&turn.claim.conversation, who), conversation.person_id, now).await?;
    let ids = (conversation.id, conversation.person_id);
    conversation::insert(tx, ids, &turn.claim.conversation, &address, turn.claim.fence, now).await?;
    Ok(())
}

/// The addresses by which the person is known.
fn identities(key: &str, who: &Sender) -> Vec<Identity> {
    let phone = match who {
        Sender::Phone { phone, .. } => Some(phone.person_key()),
        // The script found the number behind the hidden id: the conversation bears it.
        Sender::Lid(_) => (!key.starts_with("lid:")).then(|| key.to_owned()),
    };
    let lid = match who {
        Sender::Phone { lid, .. } => lid.clone(),
        Sender::Lid(lid) => Some(lid.clone()),
    };
    let phone = phone.map(|value| Identity { kind: "phone", value });
    let lid = lid.map(|value| Identity { kind: "lid", value });
    phone.into_iter().chain(lid).collect()
}

/// Stores what a human of the company typed on the same phone.
pub(super) async fn team_lines(
    turn: &Turn<'_>,
    conversation: &mut Conversation,
    typed: &[Unmatched],
) -> Result<Vec<Line>, ServiceError> {
    let Some(first) = typed.first() else { return Ok(Vec::new()) };
    let now = turn.now();
    let rows: Vec<NewMessage> = typed
        .iter()
        .map(|one| NewMessage {
            id: one.waiting.envelope.id,
            conversation_id: conversation.id,
            author: Author::Team.as_str(),
            seq: one.waiting.seq,
            kind: "text".to_owned(),
            body: one.echo.text.as_ref().map(|text| text.as_str().to_owned()).unwrap_or_default(),
            was_cut: false,
            dedupe_key: one.waiting.envelope.dedupe.clone(),
            turn_id: None,
            correlation_id: one.waiting.envelope.correlation_id.clone(),
            at: DateTime::from_timestamp_millis(one.waiting.accepted_ms).unwrap_or(now),
        })
        .collect();
    let mut tx = turn.tenant.db.begin().await?;
    let stored = async {
        hold(turn, conversation, &mut tx, &first.echo.to, now).await?;
        message::append(&mut tx, &rows).await?;
        Ok::<(), ServiceError>(())
    }
    .await;
    if let Err(error) = stored {
        tx.rollback().await;
        return Err(error);
    }
    tx.commit().await?;
    let line = |row: NewMessage| (!row.body.is_empty()).then_some(Line { by: Author::Team, text: row.body });
    Ok(rows.into_iter().filter_map(line).collect())
}

/// A dead text becomes due again, by an operator's order. Its next failure makes it a dead letter again.
pub(super) async fn revive(turn: &Turn<'_>, id: Uuid) -> Result<(), ServiceError> {
    let now = turn.now();
    let mut tx = turn.tenant.db.begin().await?;
    if let Some(mut row) = delivery::find(&mut tx, id).await?
        && row.state() == DeliveryState::Dead
    {
        conversation::take(&mut tx, row.conversation_id, None, turn.claim.fence, now).await?;
        // Of unknown fate before: then it is no text that may be replaced as surely unsent.
        if row.error_code.as_deref() == Some("ambiguous") {
            row.resends = row.resends.max(1);
        }
        row.state = DeliveryState::RetryWait.as_str().to_owned();
        row.error_code = Some(delivery::REQUEUED.to_owned());
        row.next_at = Some(now);
        delivery::save(&mut tx, &row).await?;
    }
    tx.commit().await?;
    Ok(())
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

fn kind_label(kind: MessageKind) -> KindLabel {
    match kind {
        MessageKind::Text => KindLabel::Text,
        MessageKind::Location => KindLabel::Location,
        MessageKind::Contact => KindLabel::Contact,
        MessageKind::Unsupported => KindLabel::Other,
        _ => KindLabel::Media,
    }
}
