//! Intake's one step: a script that deduplicates, limits, appends and schedules, all or nothing.

use serde::Serialize;
use uuid::Uuid;

use super::envelope::{Body, VERSION, Writing};
use super::scripts::ACCEPT;
use crate::clock::Clock;
use crate::tenant::{StoreError, TenantRedis};

/// What is put into a mailbox.
#[derive(Clone, Debug)]
pub struct NewEnvelope<'a> {
    /// The message group.
    pub conversation: &'a str,
    /// The job id.
    pub id: Uuid,
    /// The correlation id.
    pub correlation_id: &'a str,
    /// What makes it a duplicate of another.
    pub dedupe: Option<String>,
    /// The hidden id, and the canonical phone it stands for where the message told it.
    pub lid: Option<(&'a str, Option<&'a str>)>,
    /// What it carries.
    pub body: &'a Body,
}

/// The limits and times of one company's intake.
#[derive(Clone, Copy, Debug)]
pub struct IntakeLimits<'a> {
    /// How long ids are remembered, seconds.
    pub seen_seconds: i64,
    /// Burst window, milliseconds.
    pub burst_ms: i64,
    /// Longest burst, milliseconds.
    pub burst_max_ms: i64,
    /// Most undecided messages of a conversation.
    pub mailbox_cap: i64,
    /// The address the message came from.
    pub address: &'a str,
    /// Messages a second of that address; 0 = no limit.
    pub address_per_second: u32,
    /// Messages a minute of one number; 0 = no limit.
    pub number_per_minute: u32,
    /// Messages of one number at once.
    pub number_burst: u32,
}

/// Which limit refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// The company's traffic from one address.
    Address,
    /// One number's messages.
    Number,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// In the mailbox, on disk.
    Queued {
        /// When the company has to be looked at: milliseconds, 0 = now, -1 = whoever must know was told before.
        next_due: i64,
    },
    /// Was there before; nothing happened.
    Duplicate {
        /// The job id of the first.
        job_id: String,
    },
    /// Refused by a limit; nothing happened.
    Limited {
        /// Which.
        limit: Limit,
        /// When it may be tried again, milliseconds.
        retry_ms: u64,
    },
    /// The mailbox is full: it became a dead letter.
    DeadLettered,
}

/// Accepts one envelope.
pub async fn accept(
    redis: &TenantRedis,
    clock: &Clock,
    new: &NewEnvelope<'_>,
    limits: &IntakeLimits<'_>,
) -> Result<Accepted, StoreError> {
    let envelope = Writing {
        v: VERSION,
        id: new.id,
        correlation_id: new.correlation_id,
        dedupe: new.dedupe.as_deref(),
        body: new.body,
    };
    let json = serde_json::to_string(&envelope).map_err(|error| StoreError::redis_data(error.to_string()))?;
    let (lid, lid_phone) = new.lid.map_or(("", ""), |(lid, phone)| (lid, phone.unwrap_or_default()));
    let mut job = Uuid::encode_buffer();
    let job: &str = new.id.hyphenated().encode_lower(&mut job);
    let reply = redis
        .run(
            &ACCEPT,
            &[
                clock.offset_ms().into(),
                new.conversation.into(),
                new.dedupe.as_deref().unwrap_or_default().into(),
                limits.seen_seconds.into(),
                envelope.body.letter().into(),
                (&json).into(),
                limits.burst_ms.into(),
                limits.burst_max_ms.into(),
                limits.mailbox_cap.into(),
                limits.address.into(),
                i64::from(limits.address_per_second).into(),
                interval_us(60_000_000, limits.number_per_minute).into(),
                i64::from(limits.number_burst.max(1)).into(),
                lid.into(),
                lid_phone.into(),
                job.into(),
            ],
        )
        .await?;
    let millis = |n: usize| reply.int_at(n).and_then(|ms| u64::try_from(ms).ok()).unwrap_or(1000);
    match (reply.text_at(0), reply.text_at(1)) {
        (Some("accepted"), _) => Ok(Accepted::Queued { next_due: reply.int_at(2).unwrap_or(0) }),
        (Some("duplicate"), Some(job)) => Ok(Accepted::Duplicate { job_id: job.to_owned() }),
        (Some("limited"), Some("number")) => Ok(Accepted::Limited { limit: Limit::Number, retry_ms: millis(2) }),
        (Some("limited"), _) => Ok(Accepted::Limited { limit: Limit::Address, retry_ms: millis(2) }),
        (Some("full"), _) => Ok(Accepted::DeadLettered),
        _ => Err(StoreError::redis_data(format!("accept answered {reply:?}"))),
    }
}

/// Microseconds between two messages of a steady stream; 0 = no limit.
fn interval_us(span_us: i64, count: u32) -> i64 {
    if count == 0 { 0 } else { (span_us / i64::from(count)).max(1) }
}
