//! What became, after a while, of what somebody asked for: told where they asked.

use chrono::{DateTime, Utc};

use super::{OUTCOME, due, timer_row};
use crate::models::tenant::timer::{self, TimerRow};
use crate::services::agenda::calendar::Settled;
use crate::services::{ServiceError, Services};
use crate::tenant::Tenant;

/// It stands.
pub(in crate::services) const BOOKED: &str = "booked";
/// It is called off.
pub(in crate::services) const CANCELLED: &str = "cancelled";

/// Has people told of bookings, moves and cancellings of which nobody knew whether they were made.
///
/// # Errors
/// Those of the store.
pub async fn tell_settled(services: &Services, tenant: &Tenant, settled: &Settled) -> Result<(), ServiceError> {
    let now = services.clock.now();
    let rows = rows_of(settled, now);
    if rows.is_empty() {
        return Ok(());
    }
    let mut tx = tenant.db.begin().await?;
    let told = timer::insert(&mut tx, &rows).await;
    match told {
        Ok(_) => tx.commit().await?,
        Err(error) => {
            tx.rollback().await;
            return Err(error.into());
        }
    }
    due::tell_after_commit(services, tenant.id(), Some(now)).await;
    Ok(())
}

fn rows_of(settled: &Settled, now: DateTime<Utc>) -> Vec<TimerRow> {
    let standing = settled.booked.iter().chain(&settled.moved).map(|row| (BOOKED, row));
    let all = standing.chain(settled.cancelled.iter().map(|row| (CANCELLED, row)));
    let asked = all.filter(|(_, row)| row.conversation_id.is_some());
    asked.map(|(what, row)| timer_row(row, (OUTCOME, what.to_owned()), now, now)).collect()
}
