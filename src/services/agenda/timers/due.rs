//! When each company has something due next: one sorted set in Redis, so that a tick looks at those companies only.
//!
//! A hint: the rows are the truth. It is told after each commit that planned something, and told anew from the rows when a
//! scheduler starts and every few minutes. Whoever takes a company moves its time on by a lease instead of taking it out:
//! a scheduler that dies leaves it due again a minute later.

use std::sync::LazyLock;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::domain::company::CompanyId;
use crate::models::tenant::timer;
use crate::services::{ServiceError, Services};
use crate::tenant::{Lua, Reply, StoreError, Tenant};

/// `due.lua`.
static DUE: LazyLock<Lua> = LazyLock::new(|| Lua::new(include_str!("due.lua")));
/// How long a company that was taken is left to whoever took it.
const LEASE_MS: i64 = 60_000;
/// Between two companies when all are told anew, so that thousands of them do not meet PostgreSQL at once.
const PAUSE: Duration = Duration::from_millis(2);

/// A company that has something due, taken by this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Which.
    pub company: CompanyId,
    /// How often it had been told of.
    told: i64,
}

/// Tells that a company has something due then; an earlier time that was told stays.
///
/// # Errors
/// Those of Redis; what is lost is told anew from the rows.
pub async fn tell(services: &Services, company: CompanyId, at: DateTime<Utc>) -> Result<(), StoreError> {
    let args = ["tell".into(), company.get().into(), at.timestamp_millis().into()];
    services.redis.control().run(&DUE, &args).await.map(drop)
}

/// Tells it, and only warns where that fails: the commit it follows is done.
pub async fn tell_after_commit(services: &Services, company: CompanyId, next: Option<DateTime<Utc>>) {
    let Some(at) = next else { return };
    if let Err(error) = tell(services, company, at).await {
        tracing::warn!(company = company.get(), %error, "It could not be told when something is due; the rows will");
    }
}

/// Takes companies that have something due now. Nobody else takes them before they are settled or the lease is over.
///
/// # Errors
/// Those of Redis.
pub async fn take(services: &Services, limit: usize) -> Result<Vec<Taken>, StoreError> {
    let now = services.clock.now_ms();
    let lease = now.saturating_add(LEASE_MS);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let args = ["take".into(), now.into(), lease.into(), limit.into()];
    let reply = services.redis.control().run(&DUE, &args).await?;
    let read = |pair: &[Reply]| {
        let number = |n: usize| pair.get(n)?.text()?.parse::<i64>().ok();
        Some(Taken { company: CompanyId::new(number(0)?)?, told: number(1)? })
    };
    Ok(reply.list().chunks(2).filter_map(read).collect())
}

/// Gives a taken company back, with the time of what is due next, if anything is. What was told meanwhile stays told.
///
/// # Errors
/// Those of Redis.
pub async fn settle(services: &Services, taken: &Taken, next: Option<DateTime<Utc>>) -> Result<(), StoreError> {
    let next = next.map_or(-1, |at| at.timestamp_millis().max(0));
    let args = ["settle".into(), taken.company.get().into(), taken.told.into(), next.into()];
    services.redis.control().run(&DUE, &args).await.map(drop)
}

/// When a company has something due next, by its rows.
///
/// # Errors
/// Those of PostgreSQL.
pub async fn next(tenant: &Tenant) -> Result<Option<DateTime<Utc>>, StoreError> {
    let mut tx = tenant.db.begin().await?;
    let next = timer::next_due(&mut tx).await?;
    tx.commit().await?;
    Ok(next)
}

/// Tells of every company what its rows say. Returns whether all could be asked.
pub async fn tell_all(services: &Services) -> bool {
    let mut complete = true;
    for tenant in services.directory.all() {
        let told = async {
            if let Some(at) = next(&tenant).await? {
                tell(services, tenant.id(), at).await?;
            }
            Ok::<(), ServiceError>(())
        };
        if let Err(error) = told.await {
            tracing::warn!(company = tenant.id().get(), %error, "It could not be looked up what is due");
            complete = false;
        }
        tokio::time::sleep(PAUSE).await;
    }
    complete
}
