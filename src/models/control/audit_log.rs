//! The audit trail of acts on control rows: one chain per company, appended in the transaction of the act.

use chrono::{DateTime, SubsecRound, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::domain::audit::{AuditEntry, link};
use crate::domain::company::CompanyId;
use crate::models::schema::control::{company, control_audit_log as audit_log};
use crate::tenant::{AdminDb, StoreError};

/// Appends an entry inside the migrator's transaction. The company's row is locked, so the chain has one writer.
pub async fn append(
    admin: &mut AdminDb,
    id: CompanyId,
    entry: &AuditEntry,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let conn = admin.conn();
    let _: i64 = company::table.select(company::id).filter(company::id.eq(id.get())).for_update().first(conn).await?;
    let last: Option<(i64, Vec<u8>)> = audit_log::table
        .select((audit_log::seq, audit_log::hash))
        .filter(audit_log::company_id.eq(id.get()))
        .order(audit_log::seq.desc())
        .first(conn)
        .await
        .optional()?;
    let (seq, prev) = last.map_or_else(|| (1, Vec::new()), |(seq, hash)| (seq + 1, hash));
    let at = now.trunc_subsecs(6);
    diesel::insert_into(audit_log::table)
        .values((
            audit_log::company_id.eq(id.get()),
            audit_log::seq.eq(seq),
            audit_log::at.eq(at),
            audit_log::actor.eq(&entry.actor),
            audit_log::actor_type.eq(entry.actor_type.as_str()),
            audit_log::action.eq(entry.action),
            audit_log::resource.eq(&entry.resource),
            audit_log::ip.eq(&entry.ip),
            audit_log::correlation_id.eq(&entry.correlation_id),
            audit_log::detail.eq(&entry.detail),
            audit_log::hash.eq(link(&prev, id, seq, at, entry)),
            audit_log::prev_hash.eq(prev),
        ))
        .execute(conn)
        .await?;
    Ok(())
}
