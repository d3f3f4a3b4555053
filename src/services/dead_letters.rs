//! Dead letters in an operator's hands: every act is in the audit trail.

use serde_json::json;

use super::audit::{self, Actor};
use super::{ServiceError, Services};
use crate::queue::{DeadLetter, dead_letter};
use crate::tenant::Tenant;

/// The most that are listed or requeued at once.
pub const MOST: i64 = 1000;

/// Lists a company's dead letters, oldest first, of one reason or of all.
pub async fn list(tenant: &Tenant, reason: Option<&str>) -> Result<Vec<DeadLetter>, ServiceError> {
    let letters = dead_letter::list(&tenant.redis, MOST).await?;
    Ok(letters.into_iter().filter(|letter| reason.is_none_or(|reason| letter.reason == reason)).collect())
}

/// One dead letter.
pub async fn find(tenant: &Tenant, id: &str) -> Result<DeadLetter, ServiceError> {
    let well_formed = id.split('-').count() <= 2 && id.chars().all(|c| c.is_ascii_digit() || c == '-');
    let missing = || ServiceError::NotFound(format!("company {} has no dead letter {id:?}", tenant.id()));
    if !well_formed || id.is_empty() {
        return Err(missing());
    }
    dead_letter::find(&tenant.redis, id).await?.ok_or_else(missing)
}

/// Puts dead letters back into their conversations' mailboxes. Returns how many.
pub async fn requeue(
    services: &Services,
    tenant: &Tenant,
    letters: &[DeadLetter],
    actor: &Actor,
) -> Result<usize, ServiceError> {
    audited(services, tenant, letters, actor, "dead_letter.requeue").await?;
    let mut done = 0;
    for letter in letters {
        done += usize::from(dead_letter::requeue(&tenant.redis, &services.clock, letter).await?);
    }
    services.hints().tell(tenant.id(), 0).await?;
    Ok(done)
}

/// Throws dead letters away. Returns how many.
pub async fn discard(
    services: &Services,
    tenant: &Tenant,
    letters: &[DeadLetter],
    actor: &Actor,
) -> Result<usize, ServiceError> {
    audited(services, tenant, letters, actor, "dead_letter.drop").await?;
    let mut done = 0;
    for letter in letters {
        done += usize::from(dead_letter::discard(&tenant.redis, &letter.id).await?);
    }
    Ok(done)
}

/// The intention is recorded first: an act that is interrupted leaves a trace, never an act without one.
async fn audited(
    services: &Services,
    tenant: &Tenant,
    letters: &[DeadLetter],
    actor: &Actor,
    action: &'static str,
) -> Result<(), ServiceError> {
    let mut tx = tenant.db.begin().await?;
    for letter in letters {
        let entry = actor.entry(action, format!("dead_letter/{}", letter.id), json!({ "reason": letter.reason }));
        audit::record(&mut tx, tenant.id(), &entry, services.clock.now()).await?;
    }
    tx.commit().await?;
    Ok(())
}
