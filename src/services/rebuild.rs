//! After Redis was emptied: what PostgreSQL knows to be unfinished goes back into the queue before work goes on.

use super::attendance::queue_of;
use super::{ServiceError, Services};
use crate::models::tenant::{delivery, person};
use crate::tenant::{Tenant, TenantKey};

/// Puts a company's unfinished deliveries back as due conversations, and the numbers behind hidden ids as well.
/// Returns how many conversations.
pub async fn rebuild(services: &Services, tenant: &Tenant) -> Result<usize, ServiceError> {
    let mut tx = tenant.db.begin().await?;
    let unfinished = delivery::unfinished_conversations(&mut tx).await?;
    let lids = person::known_lids(&mut tx).await?;
    tx.commit().await?;
    for (lid, phone) in &lids {
        tenant.redis.command("SET", TenantKey::LidPhone(lid), &[phone.into()]).await?;
    }
    let now = services.clock.now_ms();
    let due: Vec<(String, i64)> =
        unfinished.into_iter().map(|(key, at)| (key, at.map_or(now, |at| at.timestamp_millis()))).collect();
    let next_due = queue_of(services, tenant).schedule(&due).await?;
    services.hints().tell(tenant.id(), next_due).await?;
    if !due.is_empty() {
        tracing::warn!(
            company = tenant.id().get(),
            conversations = due.len(),
            "Redis was started anew or had forgotten this company; its unfinished deliveries are due"
        );
    }
    Ok(due.len())
}
