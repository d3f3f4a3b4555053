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

mod answer;
mod commit;
mod known;
mod labels;
mod mailbox;
mod model;
mod orders;
mod rows;
mod wording;

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::Instant;
use uuid::Uuid;

use self::answer::Prepared;
use self::mailbox::Mailbox;
use super::context::{self, Conversation};
use super::delivery::{self, Errand, Flow};
use super::lease::Lease;
use super::{ServiceError, Services};
use crate::domain::conversation::history::Author;
use crate::domain::conversation::standing::Standing;
use crate::domain::conversation::template::Template;
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
        if mailbox.messages.is_empty() {
            return Ok(Return::Clean.into());
        }
        self.answer(conversation, &mut mailbox).await
    }

    /// Prepares until nothing newer comes, commits, delivers.
    async fn answer(&self, conversation: &mut Conversation, mailbox: &mut Mailbox) -> Result<Attended, ServiceError> {
        let begun = Instant::now();
        let settings = &self.services.settings.queue;
        let mut preparations = 0;
        let mut spent = answer::Spent::default();
        let prepared = loop {
            preparations += 1;
            let mut prepared = match self.prepare(conversation, mailbox).await? {
                Ok(prepared) => prepared,
                Err(wait) => return Ok(self.unless_newer(mailbox, wait).await?.into()),
            };
            spent.add(&mut prepared);
            // Without patience newer messages stay in the mailbox for a turn of their own; a person who has taken over
            // is never talked over.
            let patience = begun.elapsed() < Duration::from_millis(settings.reprepare_budget_ms);
            let may_wait = preparations <= settings.max_repreparations && patience;
            let came = self.newer_came(mailbox, may_wait).await?;
            if mailbox.is_interrupted() {
                self.hear_echoes(conversation, mailbox).await?;
                self.ack(&std::mem::take(&mut mailbox.settled), None).await?;
                if let Some(wait) = self.obey_team(conversation, mailbox).await? {
                    return Ok(self.unless_newer(mailbox, wait).await?.into());
                }
            } else if !came {
                break prepared;
            }
            tracing::info!(
                company = self.tenant.id().get(),
                preparations,
                "Something newer came while the answer was being prepared; preparing again"
            );
        };
        self.decide(conversation, mailbox, prepared, preparations).await
    }

    /// Prepares an answer. Somebody who has waited long is told so meanwhile, once; when those words could not leave yet
    /// nothing may overtake them, and the turn ends (`Err` of the inner result).
    async fn prepare(
        &self,
        conversation: &mut Conversation,
        mailbox: &mut Mailbox,
    ) -> Result<Result<Prepared, Return>, ServiceError> {
        let known = conversation.clone();
        let patience = self.patience_left(mailbox);
        let (prepared, said_seq) = {
            let answering = answer::prepare(self.services, self.tenant, &known, mailbox);
            tokio::pin!(answering);
            tokio::select! {
                biased;
                prepared = &mut answering => return Ok(Ok(prepared)),
                () = until(patience) => {}
            }
            let (aside_seq, wait) = self.ask_for_patience(conversation, mailbox).await?;
            if let Some(wait) = wait {
                return Ok(Err(wait));
            }
            (answering.await, aside_seq)
        };
        mailbox.said_seq = said_seq;
        Ok(Ok(prepared))
    }

    /// "Um instante": said beside the turn. Its place in the conversation, and why the turn has to end, if it has to.
    async fn ask_for_patience(
        &self,
        conversation: &mut Conversation,
        mailbox: &Mailbox,
    ) -> Result<(i64, Option<Return>), ServiceError> {
        let seq = self.now().timestamp_micros().max(mailbox.last_seq + 1);
        let Some((newest, last)) = mailbox.messages.last() else { return Ok((seq, None)) };
        let text = wording::ready(self.services, self.tenant, Template::Wait).await;
        let aside = orders::Aside {
            id: new_id(),
            author: Author::Assistant,
            text: &text,
            seq,
            correlation_id: &newest.envelope.correlation_id,
        };
        let wait = self.say_aside(conversation, &last.from, &aside).await?;
        Ok((seq, wait))
    }

    /// How much longer the customer waits in silence; `None` = nothing is said meanwhile, or was already.
    fn patience_left(&self, mailbox: &Mailbox) -> Option<Duration> {
        let limit = i64::try_from(self.services.settings.llm.wait_notice_ms).ok().filter(|limit| *limit > 0)?;
        let since = mailbox.messages.iter().map(|(waiting, _)| waiting.accepted_ms).min()?;
        let left = since.saturating_add(limit).saturating_sub(self.services.clock.now_ms());
        (mailbox.said_seq == 0).then(|| Duration::from_millis(u64::try_from(left).unwrap_or(0)))
    }

    async fn decide(
        &self,
        conversation: &mut Conversation,
        mailbox: &Mailbox,
        prepared: Prepared,
        preparations: u32,
    ) -> Result<Attended, ServiceError> {
        let plan = commit::Plan::new(self, conversation, mailbox, prepared, preparations)?;
        commit::commit(self, conversation, &plan).await?;
        conversation.is_new = false;
        conversation.name.clone_from(&plan.name);
        conversation.standing.clone_from(plan.standing());
        conversation.name_given |= plan.given_name().is_some();
        conversation.returning = false;
        conversation.assigned.extend(plan.variants().iter().cloned());
        conversation.lines.extend(plan.lines());
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

    /// Whether a customer's message came since the claim; it is then added to the mailbox, and the rest of its burst is
    /// waited for. Without `may_wait` only what people of the company did is looked for.
    async fn newer_came(&self, mailbox: &mut Mailbox, may_wait: bool) -> Result<bool, ServiceError> {
        let mut came = false;
        let limit = Instant::now() + Duration::from_millis(self.services.settings.queue.burst_max_ms);
        loop {
            let mut peek = self.queue.peek(self.claim, mailbox.last_seq).await?.ok_or(ServiceError::LeaseLost)?;
            if !may_wait {
                peek.newer.retain(|waiting| !matches!(waiting.envelope.body, Body::Message(_)));
            }
            if !mailbox.add(peek.newer) {
                return Ok(came);
            }
            came = true;
            let left = peek.burst_due - self.services.clock.now_ms();
            if let Ok(left) = u64::try_from(left)
                && Instant::now() < limit
            {
                tokio::time::sleep(Duration::from_millis(left)).await;
            }
        }
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

/// Comes after this time; never without one.
async fn until(patience: Option<Duration>) {
    match patience {
        Some(patience) => tokio::time::sleep(patience).await,
        None => std::future::pending().await,
    }
}

/// A new id, ordered by time.
fn new_id() -> Uuid {
    Uuid::now_v7()
}
