//! T1: everything a turn decided, in one transaction under the fence.

use chrono::{DateTime, Utc};

use super::answer::{self, Prepared};
use super::mailbox::Mailbox;
use super::rows::{delivery_row, inbox_row, kind_label, outbox_row, turn_row};
use super::{Turn, new_id};
use crate::domain::conversation::history::{Author, Line};
use crate::domain::conversation::opt_out::OptChange;
use crate::domain::conversation::profile::Heard;
use crate::domain::conversation::standing::Standing;
use crate::domain::inbound::{MessageKind, Sender};
use crate::models::tenant::consent::{self, ConsentKind};
use crate::models::tenant::delivery::{self, DeliveryRow};
use crate::models::tenant::event::{self, EventRow};
use crate::models::tenant::message::{self, NewMessage};
use crate::models::tenant::person::{self, Identity};
use crate::models::tenant::turn::{self, TurnRow};
use crate::models::tenant::{commit, conversation};
use crate::services::ServiceError;
use crate::services::context::Conversation;
use crate::services::delivery::Unmatched;
use crate::telemetry::metrics;
use crate::tenant::{StoreError, Tenant, TenantTx};

/// What is to be stored.
pub(super) struct Plan {
    turn: TurnRow,
    messages: Vec<NewMessage>,
    /// The outgoing texts.
    pub deliveries: Vec<DeliveryRow>,
    /// What counts besides.
    events: Vec<EventRow>,
    sender: Sender,
    /// The person's name after this turn.
    name: Option<String>,
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
            .map(|(waiting, message)| {
                let heard = prepared.heard.iter().find(|(id, _)| *id == waiting.envelope.id).map(|(_, words)| words);
                inbox_row((conversation.id, turn_row.id), waiting, message, heard)
            })
            .collect();
        let mut deliveries = Vec::new();
        for (n, body) in (0_i16..).zip(&prepared.bubbles) {
            let row = outbox_row(
                (conversation.id, Some(turn_row.id)),
                Author::Assistant,
                &correlation_id,
                mailbox.last_seq.max(mailbox.said_seq) + 1 + i64::from(n),
                body,
                now,
            );
            deliveries.push(delivery_row(turn, &row, last.from.reply_address(), n));
            messages.push(row);
        }
        let shown_name =
            mailbox.messages.iter().rev().find_map(|(_, m)| m.name.as_ref()).map(|n| n.as_str().to_owned());
        let events = events(&turn_row, &deliveries, &prepared);
        let called = conversation.called(shown_name.as_deref()).map(str::to_owned);
        Ok(Self {
            turn: turn_row,
            messages,
            deliveries,
            events,
            sender: last.from.clone(),
            name: prepared.given_name.clone().or(called),
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

    /// How the conversation stands after this turn.
    fn standing(&self) -> &Standing {
        &self.prepared.standing
    }

    /// What the conversation is after this turn, once it is committed.
    pub(super) fn remember(&self, conversation: &mut Conversation) {
        conversation.is_new = false;
        conversation.returning = false;
        conversation.name.clone_from(&self.name);
        conversation.name_given |= self.prepared.given_name.is_some();
        conversation.standing.clone_from(self.standing());
        conversation.assigned.extend(self.prepared.variants.iter().cloned());
        if let Some(mood) = self.prepared.decision.understanding.feedback {
            conversation.opinions.add(mood);
        }
        let suspicious = self.prepared.decision.verdict.is_suspicious();
        for row in self.messages.iter().filter(|row| row.author == Author::Customer.as_str()) {
            conversation.profile.learn(&Heard { text: &row.body, suspicious, asked_name: false, catalogue: &[] });
        }
        conversation.lines.extend(self.lines());
    }

    /// The name the person's phone shows, where it is news.
    fn new_name(&self, conversation: &Conversation) -> Option<&str> {
        self.shown_name.as_deref().filter(|name| !conversation.name_given && conversation.name.as_deref() != Some(name))
    }

    /// What the conversation's history gains. One message alone was judged as it stands; several were judged together,
    /// so each is looked at by itself.
    fn lines(&self) -> Vec<Line> {
        let customers = || self.messages.iter().filter(|row| row.author == Author::Customer.as_str());
        let alone = customers().nth(1).is_none();
        let verdict = self.prepared.decision.verdict;
        let line = |row: &NewMessage| {
            let line = Line::new(Author::parse(row.author), row.body.clone()).at(row.at);
            let is_judged = alone && row.kind == "text" && line.by == Author::Customer;
            if is_judged { Line { blocked: Some(verdict.blocks()), ..line } } else { line.judged() }
        };
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

/// An impression of each variant that is said, and what the customer thinks.
fn events(turn: &TurnRow, deliveries: &[DeliveryRow], prepared: &Prepared) -> Vec<EventRow> {
    let (conversation, at) = (turn.conversation_id, turn.decided_at);
    let mut events = Vec::new();
    if let Some(last) = deliveries.last() {
        let shown = prepared.variants.iter();
        events.extend(shown.map(|(experiment, variant)| {
            EventRow::impression(new_id(), conversation, (*experiment, variant), last.id, at)
        }));
    }
    if let Some(mood) = prepared.decision.understanding.feedback {
        events.push(EventRow::feedback(new_id(), conversation, mood.label(), at));
    }
    events
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
    let decision = &plan.prepared.decision;
    let plain = !two_addresses
        && decision.consent.is_none()
        && plan.events.is_empty()
        && plan.prepared.given_name.as_deref().is_none();
    let same = *plan.standing() == conversation.standing && plan.new_name(conversation).is_none();
    if !conversation.is_new && plain && same {
        let address = plan.sender.reply_address();
        return Ok(commit::decide(&turn.tenant.db, &address, &plan.turn, &plan.messages, &plan.deliveries).await?);
    }
    let standing = stored(plan.standing())?;
    if let (true, true, Sender::Phone { phone, lid: None }) = (conversation.is_new, plain, &plan.sender)
        && phone.person_key() == turn.claim.conversation
    {
        let addresses = (turn.claim.conversation.as_str(), phone.digits());
        let standing = standing.to_string();
        let person = (conversation.person_id, plan.shown_name.as_deref(), standing.as_str());
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
    if *plan.standing() != conversation.standing {
        conversation::stand(tx, conversation.id, &stored(plan.standing())?).await?;
    }
    if let Some(change) = plan.prepared.decision.consent {
        let source = plan.messages.first().map(|row| format!("message/{}", row.id)).unwrap_or_default();
        let granted = change == OptChange::In;
        consent::record(tx, conversation.person_id, ConsentKind::Messages, granted, &source, now).await?;
    }
    if let Some(name) = plan.prepared.given_name.as_deref() {
        person::name_from_customer(tx, conversation.person_id, name, now).await?;
    } else if let Some(name) = plan.new_name(conversation) {
        person::name_from_channel(tx, conversation.person_id, name, now).await?;
    }
    turn::insert(tx, &plan.turn).await?;
    message::append(tx, &plan.messages).await?;
    delivery::insert(tx, &plan.deliveries).await?;
    event::insert(tx, &plan.events).await?;
    Ok(())
}

/// How a conversation stands, as it is stored.
pub(super) fn stored(standing: &Standing) -> Result<serde_json::Value, ServiceError> {
    serde_json::to_value(standing).map_err(|error| StoreError::pg_data(error.to_string()).into())
}

/// Takes the conversation's row for this claim, making person and conversation when they are new.
pub(super) async fn hold(
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

/// Stores what a human of the company typed on the same phone, and how the conversation stands since.
pub(super) async fn team_lines(
    turn: &Turn<'_>,
    conversation: &mut Conversation,
    typed: &[Unmatched],
    standing: &Standing,
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
        if *standing != conversation.standing {
            conversation::stand(&mut tx, conversation.id, &stored(standing)?).await?;
        }
        Ok::<(), ServiceError>(())
    }
    .await;
    if let Err(error) = stored {
        tx.rollback().await;
        return Err(error);
    }
    tx.commit().await?;
    let line = |row: NewMessage| (!row.body.is_empty()).then(|| Line::new(Author::Team, row.body).at(row.at));
    Ok(rows.into_iter().filter_map(line).collect())
}
