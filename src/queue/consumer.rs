//! The worker's side: claim a conversation, watch its mailbox, take out what was decided, give it back.

use super::envelope::{Waiting, read_entry};
use super::scripts::{ACK, BURY, CLAIM, FENCE, PEEK, RELEASE, RENEW, SCHEDULE, SWEEP};
use crate::clock::Clock;
use crate::tenant::{Arg, Reply, StoreError, TenantRedis};

/// The queue of one company.
#[derive(Clone)]
pub struct Queue {
    redis: TenantRedis,
    clock: Clock,
}

/// How much may be claimed at once.
#[derive(Clone, Copy, Debug)]
pub struct ClaimLimits {
    /// How long the claims hold, milliseconds.
    pub lease_ms: i64,
    /// Conversations at most.
    pub max: i64,
    /// Conversations of the company in work at once, over all processes.
    pub cap: i64,
    /// Envelopes of this round.
    pub quantum: i64,
}

/// What a visit brought.
#[derive(Debug)]
pub struct Claim {
    /// The conversations.
    pub claimed: Vec<Claimed>,
    /// Conversations that could be claimed right away; -1 = the company is at its cap and a release will tell.
    pub ready_left: i64,
    /// When the next may be claimed: milliseconds, 0 = now, -1 = nothing waits.
    pub next_due: i64,
}

/// A claimed conversation with its whole mailbox.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// The message group.
    pub conversation: String,
    /// The claim's number. Only grows.
    pub fence: i64,
    /// Leases of this mailbox that expired without a decision.
    pub expired: u32,
    /// Whether the last holder left nothing unfinished in PostgreSQL.
    pub clean: bool,
    /// The short context of its end, while Redis remembers it; only of a clean one.
    pub context: Option<String>,
    /// The mailbox, in order of arrival.
    pub waiting: Vec<Waiting>,
    /// Numbers of entries that cannot be read.
    pub unreadable: Vec<i64>,
    /// When it was claimed, milliseconds.
    pub claimed_ms: i64,
}

/// What came into a mailbox since the claim.
#[derive(Debug)]
pub struct Peek {
    /// When the newer messages' burst is over, milliseconds; 0 = there are none.
    pub burst_due: i64,
    /// They.
    pub newer: Vec<Waiting>,
}

/// How a conversation is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Return {
    /// All is finished; what lies in the mailbox is claimed after its burst.
    Clean,
    /// To be claimed at once.
    Now,
    /// To be claimed at a time (milliseconds), or with the next message.
    At(i64),
    /// To be claimed at a time (milliseconds), or with an echo; a message alone does not wake it.
    Hold(i64),
    /// To be claimed at a time (milliseconds); the failure counts like an expired lease.
    Failed(i64),
}

/// What a turn leaves behind when its conversation is given back.
#[derive(Clone, Debug, Default)]
pub struct Settlement {
    /// The decided envelopes.
    pub seqs: Vec<i64>,
    /// The short context and how long it is kept, seconds.
    pub context: Option<(String, i64)>,
    /// A usage key and what its fields gain.
    pub usage: Option<(String, Vec<(&'static str, i64)>)>,
}

/// The answer to a release.
#[derive(Clone, Copy, Debug)]
pub struct Release {
    /// Whether the claim was still ours.
    pub ours: bool,
    /// See [`Claim::next_due`].
    pub next_due: i64,
}

/// What a sweep found.
#[derive(Clone, Debug, Default)]
pub struct Reaped {
    /// See [`Claim::next_due`].
    pub next_due: i64,
    /// Undecided envelopes.
    pub size: i64,
    /// Dead letters.
    pub dead: i64,
    /// When the oldest undecided envelope was accepted, milliseconds; 0 = none.
    pub oldest_ms: i64,
    /// Whether this start of Redis knows the company: if not, unfinished deliveries have to be put back. Also after a
    /// restart that kept its data: of a log that was cut, what is kept may be half of what was one step.
    pub known: bool,
    /// Claims in force.
    pub leased: i64,
    /// Claims that had expired.
    pub expired: usize,
    /// Dedicated workers alive.
    pub workers: i64,
}

impl Queue {
    /// The queue of the company whose Redis this is.
    pub fn new(redis: TenantRedis, clock: Clock) -> Self {
        Self { redis, clock }
    }

    fn offset(&self) -> Arg<'static> {
        self.clock.offset_ms().into()
    }

    /// Claims conversations.
    pub async fn claim(&self, limits: ClaimLimits) -> Result<Claim, StoreError> {
        let args = [self.offset(), limits.lease_ms.into(), limits.max.into(), limits.cap.into(), limits.quantum.into()];
        let reply = self.redis.run(&CLAIM, &args).await?;
        let now = self.clock.now_ms();
        Ok(Claim {
            ready_left: reply.int_at(0).unwrap_or(0),
            next_due: reply.int_at(1).unwrap_or(-1),
            claimed: reply.list().iter().skip(2).filter_map(|item| claimed(item, now)).collect(),
        })
    }

    /// What came since. `None` when the claim is no longer ours.
    pub async fn peek(&self, claim: &Claimed, last_seq: i64) -> Result<Option<Peek>, StoreError> {
        let fence = claim.fence.to_string();
        let args = [self.offset(), (&claim.conversation).into(), (&fence).into(), last_seq.into()];
        let reply = self.redis.run(&PEEK, &args).await?;
        if reply.int_at(0) != Some(1) {
            return Ok(None);
        }
        let (newer, _) = read_entries(reply.list().get(2).map(Reply::list).unwrap_or_default());
        Ok(Some(Peek { burst_due: reply.int_at(1).unwrap_or(0), newer }))
    }

    /// Prolongs claims; tells for each whether it is still ours.
    pub async fn renew(&self, lease_ms: i64, claims: &[(String, i64)]) -> Result<Vec<bool>, StoreError> {
        let mut args = vec![self.offset(), lease_ms.into()];
        for (conversation, fence) in claims {
            args.push(conversation.into());
            args.push((*fence).into());
        }
        let reply = self.redis.run(&RENEW, &args).await?;
        Ok(reply.list().iter().map(|held| held.int() == Some(1)).collect())
    }

    /// Takes decided envelopes out and stores what the next turn needs, in the middle of a claim. `false` when the claim
    /// is no longer ours.
    pub async fn ack(&self, claim: &Claimed, seqs: &[i64], context: Option<(&str, i64)>) -> Result<bool, StoreError> {
        let fence = claim.fence.to_string();
        let list = join(seqs);
        let (context, ttl) = context.unwrap_or(("", 1));
        let args = [
            self.offset(),
            (&claim.conversation).into(),
            (&fence).into(),
            (&list).into(),
            context.into(),
            ttl.max(1).into(),
        ];
        Ok(self.redis.run(&ACK, &args).await?.int() == Some(1))
    }

    /// Settles what was decided and gives a conversation back. `forget` drops the short context: it may differ from what
    /// PostgreSQL holds. `cap` is the company's [`ClaimLimits::cap`].
    pub async fn release(
        &self,
        claim: &Claimed,
        how: Return,
        settlement: &Settlement,
        forget: bool,
        cap: i64,
    ) -> Result<Release, StoreError> {
        let (mode, at) = match how {
            Return::Clean => ("clean", 0),
            Return::Now => ("now", 0),
            Return::At(at) => ("at", at),
            Return::Hold(at) => ("hold", at),
            Return::Failed(at) => ("failed", at),
        };
        let fence = claim.fence.to_string();
        let seqs = join(&settlement.seqs);
        let (context, ttl) = settlement.context.as_ref().map_or(("", 1), |(context, ttl)| (context.as_str(), *ttl));
        let (usage, fields) = settlement.usage.as_ref().map_or(("", &[][..]), |(key, fields)| (key, fields));
        let mut args: Vec<Arg<'_>> = vec![
            self.offset(),
            (&claim.conversation).into(),
            (&fence).into(),
            mode.into(),
            at.into(),
            i64::from(forget).into(),
            cap.into(),
            (&seqs).into(),
            context.into(),
            ttl.max(1).into(),
            usage.into(),
        ];
        for (field, amount) in fields {
            args.push((*field).into());
            args.push((*amount).into());
        }
        let reply = self.redis.run(&RELEASE, &args).await?;
        Ok(Release { ours: reply.int_at(0) == Some(1), next_due: reply.int_at(2).unwrap_or(-1) })
    }

    /// Takes over a higher fence that PostgreSQL knows.
    pub async fn raise_fence(&self, conversation: &str, stored: i64) -> Result<(), StoreError> {
        self.redis.run(&FENCE, &[self.offset(), conversation.into(), stored.into()]).await.map(|_| ())
    }

    /// Makes dead letters of a claimed mailbox, or of some of its envelopes. Returns how many; -1 = the claim is no
    /// longer ours.
    pub async fn bury(&self, claim: &Claimed, reason: &str, seqs: Option<&[i64]>) -> Result<i64, StoreError> {
        let fence = claim.fence.to_string();
        let list = seqs.map_or_else(|| "*".to_owned(), join);
        let args = [self.offset(), (&claim.conversation).into(), (&fence).into(), reason.into(), (&list).into()];
        Ok(self.redis.run(&BURY, &args).await?.int().unwrap_or(0))
    }

    /// Brings expired claims back, trims dead letters by age, tells what waits. Claims of `lease_ms` that were made before
    /// this start of Redis do not count as ended without a decision.
    pub async fn sweep(&self, dead_letter_ms: i64, lease_ms: i64) -> Result<Reaped, StoreError> {
        let run = self.redis.run_id().await?;
        let reply =
            self.redis.run(&SWEEP, &[self.offset(), dead_letter_ms.into(), (&run).into(), lease_ms.into()]).await?;
        Ok(Reaped {
            next_due: reply.int_at(0).unwrap_or(-1),
            size: reply.int_at(1).unwrap_or(0),
            dead: reply.int_at(2).unwrap_or(0),
            oldest_ms: reply.int_at(3).unwrap_or(0),
            known: reply.int_at(4) == Some(1),
            leased: reply.int_at(5).unwrap_or(0),
            expired: reply.list().get(6).map(|list| list.list().len()).unwrap_or(0),
            workers: reply.int_at(7).unwrap_or(0),
        })
    }

    /// Puts conversations back into a queue that was emptied, and marks the company as known again.
    pub async fn schedule(&self, conversations: &[(String, i64)]) -> Result<i64, StoreError> {
        let run = self.redis.run_id().await?;
        let mut args = vec![self.offset(), (&run).into()];
        for (conversation, due) in conversations {
            args.push(conversation.into());
            args.push((*due).into());
        }
        Ok(self.redis.run(&SCHEDULE, &args).await?.int().unwrap_or(-1))
    }
}

fn join(seqs: &[i64]) -> String {
    seqs.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

fn read_entries(entries: &[Reply]) -> (Vec<Waiting>, Vec<i64>) {
    let mut waiting = Vec::with_capacity(entries.len());
    let mut unreadable = Vec::new();
    for entry in entries {
        match read_entry(entry.text().unwrap_or_default()) {
            Ok(one) => waiting.push(one),
            Err(seq) => unreadable.push(seq),
        }
    }
    (waiting, unreadable)
}

fn claimed(item: &Reply, claimed_ms: i64) -> Option<Claimed> {
    let (waiting, unreadable) = read_entries(item.list().get(4).map(Reply::list).unwrap_or_default());
    Some(Claimed {
        conversation: item.text_at(0)?.to_owned(),
        fence: item.int_at(1)?,
        expired: item.int_at(2).and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
        clean: item.text_at(3) == Some("1"),
        context: item.text_at(5).filter(|context| !context.is_empty()).map(str::to_owned),
        waiting,
        unreadable,
        claimed_ms,
    })
}
