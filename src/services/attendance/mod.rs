//! Attendance: one claimed conversation, from its mailbox to a delivered answer. The file to read first.
//!
//! 1. Load what is known (`context`), settle echoes, finish what the last holder left (`delivery::finish`).
//! 2. Decide (`domain::conversation::decide`): ask the model, or say a ready text.
//! 3. Look into the mailbox again: a newer message makes the answer be prepared again, not sent.
//! 4. T1 (`commit`): what was read, what is to be said, what it cost, in one transaction under the fence.
//! 5. Deliver, T2.
//! 6. Give the conversation back, and with it take the decided envelopes out of the mailbox.
//!
//! A crash before 4 repeats only thinking. After 4 the stored text is sent; it is never thought again: the next claim
//! finds the messages decided.

mod agenda;
mod answer;
mod commit;
mod due;
mod known;
mod labels;
mod mailbox;
mod model;
mod orders;
mod preparing;
mod rows;
mod wording;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use self::answer::Prepared;
use self::mailbox::Mailbox;
use super::context::{self, Conversation};
use super::delivery::{self, Errand, Flow};
use super::lease::Lease;
use super::{ServiceError, Services};
use crate::domain::conversation::standing::Standing;
use crate::models::tenant::{conversation, message};
use crate::queue::{Body, Claimed, Queue, Return, Settlement};
use crate::tenant::{StoreError, Tenant, TenantKey};

/// Times a turn is begun anew because another claim decided some of its messages meanwhile.
const MAX_RESTARTS: u32 = 3;

/// How a conversation is given back, and what the turn leaves behind with it.
#[derive(Debug)]
pub struct Attended {
    /// How.
    pub back: Return,
    /// What.
    pub settlement: Settlement,
}

impl From<Return> for Attended {
    fn from(back: Return) -> Self {
        Self { back, settlement: Settlement::default() }
    }
}

/// Attends to a claimed conversation. The answer says how to give it back.
pub async fn attend(
    services: &Services,
    tenant: &Tenant,
    claim: &Claimed,
    lease: &Lease,
) -> Result<Attended, ServiceError> {
    let (mut conversation, mut fresh) = context::load(tenant, claim).await?;
    for pass in 0..=MAX_RESTARTS {
        let turn = Turn { services, tenant, claim, lease, queue: queue_of(services, tenant) };
        // Of a conversation nobody knows nothing can be decided; should it be all the same, the commit meets it.
        let check_decided = !fresh && (pass > 0 || !conversation.is_new);
        match turn.run(&mut conversation, fresh, check_decided).await {
            // Another claim decided one of these messages, or made this conversation, since we looked.
            Err(ServiceError::Store(StoreError::Conflict { constraint })) => {
                tracing::info!(company = tenant.id().get(), %constraint, "Another claim was quicker; looking again");
                conversation = context::load_long(tenant, &claim.conversation).await?;
                fresh = false;
            }
            Err(ServiceError::Store(StoreError::StaleFence { stored, ours })) => {
                // This Redis forgot how far it was: the next claim must be newer than what PostgreSQL has seen.
                queue_of(services, tenant).raise_fence(&claim.conversation, stored).await?;
                return Err(StoreError::StaleFence { stored, ours }.into());
            }
            other => return other,
        }
    }
    Ok(Return::Failed(services.clock.now_ms() + 1000).into())
}

/// Whether one of a claim's messages is decided already: then its leases did not end without a decision, only the
/// acknowledgement was lost, and burying the mailbox would decide it twice. Once asked, no older claim decides any more.
pub async fn any_decided(services: &Services, tenant: &Tenant, claim: &Claimed) -> Result<bool, ServiceError> {
    let mailbox = Mailbox::sort(claim);
    let (ids, keys) = mailbox.identities();
    let mut tx = tenant.db.begin().await?;
    if let Some(row) = conversation::find(&mut tx, &claim.conversation).await? {
        let taken = conversation::take(&mut tx, row.id, None, claim.fence, services.clock.now()).await;
        if let Err(error) = taken {
            tx.rollback().await;
            return Err(error.into());
        }
    }
    let decided = message::decided(&mut tx, &ids, &keys).await?;
    tx.commit().await?;
    Ok(!decided.0.is_empty())
}

/// The queue of a company.
pub fn queue_of(services: &Services, tenant: &Tenant) -> Queue {
    Queue::new(tenant.redis.clone(), services.clock.clone())
}

/// One pass over a claimed conversation.
struct Turn<'a> {
    services: &'a Services,
    tenant: &'a Tenant,
    claim: &'a Claimed,
    lease: &'a Lease,
    queue: Queue,
}

impl Turn<'_> {
    /// `fresh`: the last holder left nothing unfinished, and the short context is that of its end.
    async fn run(
        &self,
        conversation: &mut Conversation,
        fresh: bool,
        check_decided: bool,
    ) -> Result<Attended, ServiceError> {
        let mut mailbox = Mailbox::sort(self.claim);
        if check_decided {
            self.drop_decided(&mut mailbox).await?;
        }
        self.hear_echoes(conversation, &mut mailbox).await?;
        self.obey(&mailbox).await?;
        self.ack(&std::mem::take(&mut mailbox.settled), None).await?;
        if !fresh && !conversation.is_new || !mailbox.orders.is_empty() {
            match delivery::finish(&self.errand(conversation), !mailbox.messages.is_empty()).await? {
                Flow::Wait(wait) => return Ok(self.unless_newer(&mailbox, wait).await?.into()),
                Flow::Replaced => self.read_again(conversation).await?,
                Flow::Clear => {}
            }
        }
        if let Some(wait) = self.obey_team(conversation, &mut mailbox).await? {
            return Ok(self.unless_newer(&mailbox, wait).await?.into());
        }
        if let Some(wait) = self.say_due(conversation, &mut mailbox).await? {
            return Ok(self.unless_newer(&mailbox, wait).await?.into());
        }
        if mailbox.messages.is_empty() {
            return Ok(Return::Clean.into());
        }
        self.answer(conversation, &mut mailbox).await
    }

    /// Commits what was prepared, delivers it, and settles the conversation.
    async fn decide(
        &self,
        conversation: &mut Conversation,
        mailbox: &Mailbox,
        prepared: Prepared,
        preparations: u32,
    ) -> Result<Attended, ServiceError> {
        let plan = commit::Plan::new(self, conversation, mailbox, prepared, preparations)?;
        commit::commit(self, conversation, &plan).await?;
        plan.remember(conversation);
        plan.count(self.tenant);
        let usage = (TenantKey::Usage(&self.now().format("%Y-%m").to_string()).to_string(), plan.usage().to_vec());
        let seqs = plan.seqs;
        let (outcome, given_up) = delivery::deliver(&self.errand(conversation), plan.deliveries).await?;
        if given_up {
            *conversation = context::load_long(self.tenant, &self.claim.conversation).await?;
        }
        let settlement = Settlement { seqs, context: Some(self.short(conversation)?), usage: Some(usage) };
        Ok(Attended { back: self.unless_newer(mailbox, outcome).await?, settlement })
    }

    /// The short context and how long Redis keeps it, seconds.
    fn short(&self, conversation: &Conversation) -> Result<(String, i64), ServiceError> {
        let settings = &self.tenant.settings;
        let ttl = i64::try_from(settings.context_ttl_seconds).unwrap_or(i64::MAX);
        Ok((conversation.short(settings.context_turns)?, ttl))
    }

    /// Reads the conversation anew after what was said turned out not to have been, and keeps that in the short context.
    async fn read_again(&self, conversation: &mut Conversation) -> Result<(), ServiceError> {
        *conversation = context::load_long(self.tenant, &self.claim.conversation).await?;
        self.ack(&[], Some(conversation)).await
    }

    /// A text that waits for its next try gives way to a newer message at once, also to one that came while it was tried.
    async fn unless_newer(&self, mailbox: &Mailbox, outcome: Return) -> Result<Return, ServiceError> {
        let Return::At(due) = outcome else { return Ok(outcome) };
        let peek = self.queue.peek(self.claim, mailbox.last_seq).await?.ok_or(ServiceError::LeaseLost)?;
        let message = peek.newer.iter().any(|one| matches!(one.envelope.body, Body::Message(_)));
        Ok(Return::At(if message { due.min(peek.burst_due) } else { due }))
    }

    /// Envelopes whose message is in PostgreSQL already: duplicates that came after Redis forgot their ids, or work whose
    /// acknowledgement was lost.
    async fn drop_decided(&self, mailbox: &mut Mailbox) -> Result<(), ServiceError> {
        let (ids, keys) = mailbox.identities();
        if ids.is_empty() {
            return Ok(());
        }
        let mut tx = self.tenant.db.begin().await?;
        let decided = message::decided(&mut tx, &ids, &keys).await?;
        tx.commit().await?;
        mailbox.drop_decided(&decided);
        Ok(())
    }

    /// Settles echoes of our own texts; what a human typed on the same phone becomes part of the history.
    async fn hear_echoes(&self, conversation: &mut Conversation, mailbox: &mut Mailbox) -> Result<(), ServiceError> {
        let echoes = std::mem::take(&mut mailbox.echoes);
        if echoes.is_empty() {
            return Ok(());
        }
        mailbox.settled.extend(echoes.iter().map(|(waiting, _)| waiting.seq));
        let errand = self.errand(conversation);
        let delivery::Heard { typed, revived } = delivery::settle_echoes(&errand, echoes).await?;
        if revived {
            self.read_again(conversation).await?;
        }
        if !typed.is_empty() {
            let standing = self.after_typing(conversation, &typed);
            let lines = commit::team_lines(self, conversation, &typed, &standing).await?;
            conversation.is_new = false;
            conversation.standing = standing;
            conversation.lines.extend(lines);
            self.ack(&[], Some(conversation)).await?;
        }
        Ok(())
    }

    /// How the conversation stands after a person wrote on the same phone: theirs for a while, unless their last words
    /// give it back.
    fn after_typing(&self, conversation: &Conversation, typed: &[delivery::Unmatched]) -> Standing {
        let (now_ms, settings) = (self.services.clock.now_ms(), &self.tenant.settings.attending);
        let mut standing = conversation.standing.clone();
        for one in typed {
            let text = one.echo.text.as_ref().map_or("", |text| text.as_str().trim());
            if !settings.give_back_word.is_empty() && text.eq_ignore_ascii_case(&settings.give_back_word) {
                standing.give_back(now_ms);
            } else {
                standing.team_speaks(settings.pause_ms, now_ms);
            }
        }
        standing
    }

    /// An operator's orders to try dead texts once more.
    async fn obey(&self, mailbox: &Mailbox) -> Result<(), ServiceError> {
        for order in &mailbox.orders {
            orders::revive(self, *order).await?;
        }
        Ok(())
    }

    fn errand<'s>(&'s self, conversation: &Conversation) -> Errand<'s> {
        Errand {
            services: self.services,
            tenant: self.tenant,
            claim: self.claim,
            lease: self.lease,
            conversation_id: conversation.id,
        }
    }

    /// Takes envelopes out and stores the short context in the middle of a turn. A lost claim ends it; what is committed
    /// stays committed.
    async fn ack(&self, seqs: &[i64], conversation: Option<&Conversation>) -> Result<(), ServiceError> {
        if seqs.is_empty() && conversation.is_none() {
            return Ok(());
        }
        let short = conversation.map(|conversation| self.short(conversation)).transpose()?;
        let short = short.as_ref().map(|(json, ttl)| (json.as_str(), *ttl));
        if self.queue.ack(self.claim, seqs, short).await? { Ok(()) } else { Err(ServiceError::LeaseLost) }
    }

    fn now(&self) -> DateTime<Utc> {
        self.services.clock.now()
    }
}

/// A new id, ordered by time.
fn new_id() -> Uuid {
    Uuid::now_v7()
}
