//! What became of a correlation id: the turn and its deliveries, of one company.

use super::ServiceError;
use crate::models::tenant::delivery::{self, DeliveryRow};
use crate::models::tenant::message::{self, Seen};
use crate::models::tenant::turn::{self, TurnRow};
use crate::tenant::Tenant;

/// A line of a conversation.
pub type Line = Seen;

/// A turn with its texts.
pub type Traced = (TurnRow, Vec<DeliveryRow>);

/// The turns of a correlation id, oldest first.
pub async fn by_correlation(tenant: &Tenant, correlation_id: &str) -> Result<Vec<Traced>, ServiceError> {
    let mut tx = tenant.db.begin().await?;
    let mut traced = Vec::new();
    for row in turn::by_correlation(&mut tx, correlation_id).await? {
        let deliveries = delivery::of_turn(&mut tx, row.conversation_id, row.id).await?;
        traced.push((row, deliveries));
    }
    tx.commit().await?;
    Ok(traced)
}

/// The newest lines of a conversation as its customer sees them, oldest first.
pub async fn transcript(tenant: &Tenant, conversation: &str, limit: i64) -> Result<Vec<Seen>, ServiceError> {
    let mut tx = tenant.db.begin().await?;
    let lines = message::seen(&mut tx, conversation, limit).await?;
    tx.commit().await?;
    Ok(lines)
}
