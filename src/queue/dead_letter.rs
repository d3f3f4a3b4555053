//! What could not be decided or delivered, with its whole envelope and the reason.

use uuid::Uuid;

use super::envelope::{Body, Envelope, VERSION};
use super::scripts::REQUEUE;
use crate::clock::Clock;
use crate::tenant::{StoreError, TenantKey, TenantRedis};

/// Why something is a dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeadReason {
    /// Too many leases expired without a decision: it kills its worker.
    Poison,
    /// The envelope cannot be read by this version.
    Unreadable,
    /// The turn fails for a reason that waiting does not mend.
    TurnFailed,
}

impl DeadReason {
    /// The word in the stream and in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Poison => "poison",
            Self::Unreadable => "unreadable",
            Self::TurnFailed => "turn_failed",
        }
    }
}

/// A dead letter as listed.
#[derive(Clone, Debug, serde::Serialize)]
pub struct DeadLetter {
    /// Its id in the stream: what `requeue` and `drop` take.
    pub id: String,
    /// Why.
    pub reason: String,
    /// The message group.
    pub conversation: String,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// The envelope's JSON.
    pub envelope: String,
}

/// Adds a dead letter for a text that could not be delivered. Requeued, it is tried once more.
pub async fn add_delivery(
    redis: &TenantRedis,
    now_ms: i64,
    conversation: &str,
    (reason, correlation_id, delivery_id): (&str, &str, Uuid),
) -> Result<(), StoreError> {
    let envelope = Envelope {
        v: VERSION,
        id: delivery_id,
        correlation_id: correlation_id.to_owned(),
        dedupe: None,
        body: Body::Redeliver { delivery_id },
    };
    let json = serde_json::to_string(&envelope).map_err(|error| StoreError::redis_data(error.to_string()))?;
    let fields = [
        "*".into(),
        "reason".into(),
        reason.into(),
        "conversation".into(),
        conversation.into(),
        "at".into(),
        now_ms.into(),
        "envelope".into(),
        (&json).into(),
    ];
    redis.command("XADD", TenantKey::DeadLetters, &fields).await.map(|_| ())
}

/// Lists dead letters, oldest first.
pub async fn list(redis: &TenantRedis, limit: i64) -> Result<Vec<DeadLetter>, StoreError> {
    let args = ["-".into(), "+".into(), "COUNT".into(), limit.into()];
    let reply = redis.command("XRANGE", TenantKey::DeadLetters, &args).await?;
    Ok(reply.list().iter().filter_map(read).collect())
}

/// One dead letter.
pub async fn find(redis: &TenantRedis, id: &str) -> Result<Option<DeadLetter>, StoreError> {
    let reply = redis.command("XRANGE", TenantKey::DeadLetters, &[id.into(), id.into()]).await?;
    Ok(reply.list().first().and_then(read))
}

/// Puts a dead letter back into its conversation's mailbox. `false` when somebody else was quicker.
pub async fn requeue(redis: &TenantRedis, clock: &Clock, letter: &DeadLetter) -> Result<bool, StoreError> {
    let kind = serde_json::from_str::<Envelope>(&letter.envelope)
        .map_err(|error| StoreError::redis_data(format!("dead letter {} cannot be read: {error}", letter.id)))?
        .body
        .letter();
    let args = [
        clock.offset_ms().into(),
        (&letter.id).into(),
        kind.into(),
        (&letter.envelope).into(),
        (&letter.conversation).into(),
    ];
    Ok(redis.run(&REQUEUE, &args).await?.int() == Some(1))
}

/// Throws a dead letter away. `false` when it was gone.
pub async fn discard(redis: &TenantRedis, id: &str) -> Result<bool, StoreError> {
    Ok(redis.command("XDEL", TenantKey::DeadLetters, &[id.into()]).await?.int() == Some(1))
}

fn read(item: &crate::tenant::Reply) -> Option<DeadLetter> {
    let fields = item.list().get(1)?;
    let get = |name: &str| {
        fields.list().chunks_exact(2).find_map(|pair| match pair {
            [key, value] if key.text() == Some(name) => value.text().map(str::to_owned),
            _ => None,
        })
    };
    Some(DeadLetter {
        id: item.text_at(0)?.to_owned(),
        reason: get("reason")?,
        conversation: get("conversation")?,
        at_ms: get("at")?.parse().ok()?,
        envelope: get("envelope")?,
    })
}
