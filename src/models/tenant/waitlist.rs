//! Who waits for a time to become free.

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use crate::models::schema::tenant::waitlist;
use crate::tenant::{StoreError, TenantTx};

/// Waits.
pub const WAITING: &str = "waiting";
/// Has been offered a time that is kept meanwhile.
pub const OFFERED: &str = "offered";
/// Took the time.
pub const TAKEN: &str = "taken";
/// Said no.
pub const DECLINED: &str = "declined";
/// What was waited for is over.
pub const EXPIRED: &str = "expired";
/// Waits no longer.
pub const CANCELLED: &str = "cancelled";

/// Somebody who waits.
#[derive(Clone, Debug, PartialEq, Insertable, Queryable, Selectable, AsChangeset)]
#[diesel(table_name = waitlist, treat_none_as_null = true)]
pub struct WaitRow {
    /// Its id.
    pub id: Uuid,
    /// Who.
    pub person_id: Uuid,
    /// Where they are spoken with.
    pub conversation_id: Option<Uuid>,
    /// For which service; `None` = any.
    pub service_id: Option<Uuid>,
    /// With whom; `None` = anybody.
    pub professional_id: Option<Uuid>,
    /// From when on.
    pub earliest: DateTime<Utc>,
    /// Until when.
    pub latest: DateTime<Utc>,
    /// What else was said of the time.
    pub wanted: Value,
    /// One of this file's words.
    pub state: String,
    /// The time that is kept meanwhile.
    pub offered_id: Option<Uuid>,
    /// Until when it may be taken.
    pub offered_until: Option<DateTime<Utc>>,
    /// How many times were offered.
    pub offers: i32,
    /// Since when.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// Adds somebody.
pub async fn insert(tx: &mut TenantTx, row: &WaitRow) -> Result<(), StoreError> {
    diesel::insert_into(waitlist::table).values(row).execute(tx.conn()).await?;
    Ok(())
}

/// One of them, held until the transaction ends.
pub async fn lock(tx: &mut TenantTx, id: Uuid) -> Result<Option<WaitRow>, StoreError> {
    Ok(waitlist::table.select(WaitRow::as_select()).find(id).for_update().first(tx.conn()).await.optional()?)
}

/// Writes one anew.
pub async fn save(tx: &mut TenantTx, row: &WaitRow) -> Result<(), StoreError> {
    diesel::update(waitlist::table.filter(waitlist::id.eq(row.id))).set(row).execute(tx.conn()).await?;
    Ok(())
}

/// Whoever waits or has been offered something, the longest first.
pub async fn open(tx: &mut TenantTx) -> Result<Vec<WaitRow>, StoreError> {
    Ok(waitlist::table
        .select(WaitRow::as_select())
        .filter(sql::<Bool>("waitlist.state IN ('waiting', 'offered')"))
        .order((waitlist::created_at, waitlist::id))
        .load(tx.conn())
        .await?)
}

/// Of one person, the newest first.
pub async fn of_person(tx: &mut TenantTx, person_id: Uuid) -> Result<Vec<WaitRow>, StoreError> {
    Ok(waitlist::table
        .select(WaitRow::as_select())
        .filter(waitlist::person_id.eq(person_id))
        .order(waitlist::created_at.desc())
        .load(tx.conn())
        .await?)
}

/// Those in a state, or all, the newest first.
pub async fn list(tx: &mut TenantTx, state: Option<&str>, limit: i64) -> Result<Vec<WaitRow>, StoreError> {
    let mut query = waitlist::table
        .select(WaitRow::as_select())
        .order((waitlist::created_at.desc(), waitlist::id))
        .limit(limit)
        .into_boxed();
    if let Some(state) = state {
        query = query.filter(waitlist::state.eq(state.to_owned()));
    }
    Ok(query.load(tx.conn()).await?)
}
