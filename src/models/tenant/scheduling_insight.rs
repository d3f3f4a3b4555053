//! What the days so far say of the days to come.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use crate::models::schema::tenant::scheduling_insights;
use crate::tenant::{StoreError, TenantTx};

/// One day's.
#[derive(Clone, Debug, PartialEq, Insertable, Queryable, Selectable)]
#[diesel(table_name = scheduling_insights)]
pub struct InsightRow {
    /// Its id.
    pub id: Uuid,
    /// The day, of the company's time zone.
    pub day: NaiveDate,
    /// What is told: `daily`, `model`, …
    pub kind: String,
    /// It.
    pub data: Value,
    /// When it was found.
    pub created_at: DateTime<Utc>,
}

/// Keeps it, in place of the same day's.
pub async fn put(tx: &mut TenantTx, row: &InsightRow) -> Result<(), StoreError> {
    diesel::insert_into(scheduling_insights::table)
        .values(row)
        .on_conflict((scheduling_insights::kind, scheduling_insights::day))
        .do_update()
        .set((scheduling_insights::data.eq(&row.data), scheduling_insights::created_at.eq(row.created_at)))
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// The newest of a kind.
pub async fn newest(tx: &mut TenantTx, kind: &str) -> Result<Option<InsightRow>, StoreError> {
    Ok(scheduling_insights::table
        .select(InsightRow::as_select())
        .filter(scheduling_insights::kind.eq(kind))
        .order(scheduling_insights::day.desc())
        .first(tx.conn())
        .await
        .optional()?)
}

/// Those of a kind, the newest day first.
pub async fn list(tx: &mut TenantTx, kind: &str, limit: i64) -> Result<Vec<InsightRow>, StoreError> {
    Ok(scheduling_insights::table
        .select(InsightRow::as_select())
        .filter(scheduling_insights::kind.eq(kind))
        .order(scheduling_insights::day.desc())
        .limit(limit)
        .load(tx.conn())
        .await?)
}
