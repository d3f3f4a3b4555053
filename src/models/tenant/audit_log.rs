//! The audit trail of acts on a company's data: appended under a lock, linked by hashes.

use chrono::{DateTime, SubsecRound, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::domain::audit::{AuditEntry, link};
use crate::domain::company::CompanyId;
use crate::models::schema::tenant::audit_log;
use crate::tenant::{StoreError, TenantTx};

/// Appends an entry inside the transaction of the act itself.
pub async fn append(
    tx: &mut TenantTx,
    company: CompanyId,
    entry: &AuditEntry,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let conn = tx.conn();
    // One writer at a time, so that every link has exactly one successor. Numbers of this class belong to audit chains.
    let lock = diesel::dsl::sql::<diesel::sql_types::Bool>("SELECT pg_advisory_xact_lock(")
        .bind::<diesel::sql_types::BigInt, _>(AUDIT_LOCK ^ company.get())
        .sql(") IS NOT NULL");
    let _: bool = lock.get_result(conn).await?;
    let last: Option<(i64, Vec<u8>)> = audit_log::table
        .select((audit_log::seq, audit_log::hash))
        .order(audit_log::seq.desc())
        .first(conn)
        .await
        .optional()?;
    let (seq, prev) = last.map_or_else(|| (1, Vec::new()), |(seq, hash)| (seq + 1, hash));
    let at = now.trunc_subsecs(6);
    diesel::insert_into(audit_log::table)
        .values((
            audit_log::seq.eq(seq),
            audit_log::at.eq(at),
            audit_log::actor.eq(&entry.actor),
            audit_log::actor_type.eq(entry.actor_type.as_str()),
            audit_log::action.eq(entry.action),
            audit_log::resource.eq(&entry.resource),
            audit_log::ip.eq(&entry.ip),
            audit_log::correlation_id.eq(&entry.correlation_id),
            audit_log::detail.eq(&entry.detail),
            audit_log::hash.eq(link(&prev, company, seq, at, entry)),
            audit_log::prev_hash.eq(prev),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// First number of the advisory locks of audit chains.
const AUDIT_LOCK: i64 = 0x4155_4449_5400_0000;

/// The number of entries.
pub async fn count(tx: &mut TenantTx) -> Result<i64, StoreError> {
    Ok(audit_log::table.count().get_result(tx.conn()).await?)
}
