//! Preparing an answer until nothing newer comes, and a word of patience meanwhile.

use std::time::Duration;

use tokio::time::Instant;

use super::answer::{self, Prepared};
use super::mailbox::Mailbox;
use super::{Attended, Turn, agenda, new_id, orders, wording};
use crate::domain::conversation::history::Author;
use crate::domain::conversation::template::Template;
use crate::queue::{Body, Return};
use crate::services::ServiceError;
use crate::services::context::Conversation;

/// An answer that takes no longer needs no word before it, milliseconds.
const AT_ONCE_MS: i64 = 2_000;

impl Turn<'_> {
    /// Prepares until nothing newer comes, commits, delivers.
    pub(super) async fn answer(
        &self,
        conversation: &mut Conversation,
        mailbox: &mut Mailbox,
    ) -> Result<Attended, ServiceError> {
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
            if prepared.is_bound() {
                break prepared;
            }
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
            agenda::give_back(self.services, self.tenant, &prepared).await;
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
                prepared = &mut answering => return Ok(Ok(prepared?)),
                () = until(patience) => {}
            }
            // Both at once: a model that is not listened to while the channel is slow would run out of its time.
            let (asked, prepared) = tokio::join!(self.ask_for_patience(conversation, mailbox), answering);
            let (aside_seq, wait) = asked?;
            let prepared = prepared?;
            // What was booked is said, whatever waits: the text comes after the words of patience in its lane.
            if let Some(wait) = wait.filter(|_| !prepared.is_bound()) {
                agenda::give_back(self.services, self.tenant, &prepared).await;
                return Ok(Err(wait));
            }
            (prepared, aside_seq)
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
        // Somebody who waited for a worker hears the answer itself, if it comes at once.
        let left = left.max(limit.min(AT_ONCE_MS));
        (mailbox.said_seq == 0).then(|| Duration::from_millis(u64::try_from(left).unwrap_or(0)))
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
}

/// Comes after this time; never without one.
async fn until(patience: Option<Duration>) {
    match patience {
        Some(patience) => tokio::time::sleep(patience).await,
        None => std::future::pending().await,
    }
}
