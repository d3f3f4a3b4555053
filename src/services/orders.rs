//! What people of a company do with conversations: put into the conversation's own mailbox, carried out in its order.

use serde_json::json;
use uuid::Uuid;

use super::audit::{self, Actor};
use super::{ServiceError, Services};
use crate::domain::conversation::order::Act;
use crate::models::tenant::conversation::{self, Attended};
use crate::queue::{Accepted, Body, IntakeLimits, NewEnvelope, accept};
use crate::tenant::Tenant;

/// How long an order's idempotency key is remembered, seconds.
const SEEN_SECONDS: i64 = 86_400;

/// Conversations as a list of the panel shows them.
pub async fn list(tenant: &Tenant, attendant: Option<&str>, limit: i64) -> Result<Vec<Attended>, ServiceError> {
    let mut tx = tenant.db.begin().await?;
    let rows = conversation::attended(&mut tx, attendant, limit).await?;
    tx.commit().await?;
    Ok(rows)
}

/// What became of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ordered {
    /// It is in the mailbox, under this job id.
    Queued(Uuid),
    /// The same idempotency key was there before, under this job id.
    Before(String),
}

/// Gives an order for a conversation. An idempotency key makes a repeated order one order.
pub async fn give(
    services: &Services,
    tenant: &Tenant,
    conversation: Uuid,
    act: Act,
    key: Option<&str>,
    actor: &Actor,
) -> Result<Ordered, ServiceError> {
    let mut tx = tenant.db.begin().await?;
    let group = conversation::group(&mut tx, conversation).await?;
    let Some(group) = group else {
        tx.commit().await?;
        return Err(ServiceError::NotFound(format!("no conversation {conversation}")));
    };
    let action = match &act {
        Act::Accept => "conversation.accept",
        Act::Reply { .. } => "conversation.reply",
        Act::Resolve => "conversation.resolve",
        Act::GiveBack => "conversation.give_back",
    };
    // The intention is recorded first: an act that is interrupted leaves a trace, never an act without one.
    let entry = actor.entry(action, format!("conversation/{conversation}"), json!({}));
    audit::record(&mut tx, tenant.id(), &entry, services.clock.now()).await?;
    tx.commit().await?;
    let id = Uuid::now_v7();
    let body = Body::Team(act);
    let new = NewEnvelope {
        conversation: &group,
        id,
        correlation_id: &actor.correlation_id,
        dedupe: key.map(|key| format!("order:{key}")),
        lid: None,
        body: &body,
    };
    let accepted = accept(&tenant.redis, &services.clock, &new, &unlimited(services)).await?;
    match accepted {
        Accepted::Queued { next_due } if next_due >= 0 => {
            services.hints().tell(tenant.id(), next_due).await?;
            Ok(Ordered::Queued(id))
        }
        Accepted::Duplicate { job_id } => Ok(Ordered::Before(job_id)),
        _ => Ok(Ordered::Queued(id)),
    }
}

/// Orders are no customer's messages: no limit counts them.
pub(super) fn unlimited(services: &Services) -> IntakeLimits<'static> {
    IntakeLimits {
        seen_seconds: SEEN_SECONDS,
        burst_ms: 0,
        burst_max_ms: i64::try_from(services.settings.queue.burst_max_ms).unwrap_or(i64::MAX),
        mailbox_cap: i64::MAX,
        address: "",
        address_per_second: 0,
        number_per_minute: 0,
        number_burst: 1,
    }
}
