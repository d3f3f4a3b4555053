//! A/B tests of wordings.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use crate::models::schema::tenant::experiment;
use crate::tenant::{StoreError, TenantTx};

/// Not begun: may still be changed.
pub const DRAFT: &str = "draft";
/// Under way.
pub const RUNNING: &str = "running";
/// Ended without a wording taken from it.
pub const STOPPED: &str = "stopped";
/// Ended, and one of its variants is the wording now.
pub const PROMOTED: &str = "promoted";

/// An experiment as stored.
#[derive(Clone, Debug, PartialEq, Insertable, Queryable, Selectable, AsChangeset)]
#[diesel(table_name = experiment, treat_none_as_null = true)]
pub struct ExperimentRow {
    /// Its id.
    pub id: Uuid,
    /// What the owner calls it.
    pub name: String,
    /// What its wordings are for: `reply`, or a ready text's name.
    pub key: String,
    /// For which intent; empty for any.
    pub intent: String,
    /// For which mood; empty for any.
    pub mood: String,
    /// `draft`, `running`, `stopped`, `promoted`.
    pub state: String,
    /// `fixed` or `epsilon_greedy`.
    pub policy: String,
    /// How often an epsilon-greedy one gives any variant, 0 to 1.
    pub epsilon: f64,
    /// `response`, `conversion`, `feedback`.
    pub goal: String,
    /// The least difference that matters, as a part of 1.
    pub least_effect: f64,
    /// `[{"name", "body", "weight"}]`.
    pub variants: Value,
    /// Figures in the variants' order, as of `counted_at`.
    pub counts: Value,
    /// When the figures were taken.
    pub counted_at: Option<DateTime<Utc>>,
    /// The variant that became the wording.
    pub winner: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

/// All of them, the newest first.
pub async fn all(tx: &mut TenantTx) -> Result<Vec<ExperimentRow>, StoreError> {
    let newest = (experiment::created_at.desc(), experiment::id.desc());
    Ok(experiment::table.select(ExperimentRow::as_select()).order(newest).load(tx.conn()).await?)
}

/// Those under way.
pub async fn running(tx: &mut TenantTx) -> Result<Vec<ExperimentRow>, StoreError> {
    Ok(experiment::table
        .select(ExperimentRow::as_select())
        .filter(experiment::state.eq(RUNNING))
        .order(experiment::id)
        .load(tx.conn())
        .await?)
}

/// One of them.
pub async fn find(tx: &mut TenantTx, id: Uuid) -> Result<Option<ExperimentRow>, StoreError> {
    Ok(experiment::table.select(ExperimentRow::as_select()).find(id).first(tx.conn()).await.optional()?)
}

/// One of them, held until the transaction ends.
pub async fn hold(tx: &mut TenantTx, id: Uuid) -> Result<Option<ExperimentRow>, StoreError> {
    Ok(experiment::table.select(ExperimentRow::as_select()).find(id).for_update().first(tx.conn()).await.optional()?)
}

/// Adds one.
pub async fn insert(tx: &mut TenantTx, row: &ExperimentRow) -> Result<(), StoreError> {
    diesel::insert_into(experiment::table).values(row).execute(tx.conn()).await?;
    Ok(())
}

/// Writes one anew. A `Conflict` says that another one is running at its place.
pub async fn save(tx: &mut TenantTx, row: &ExperimentRow) -> Result<(), StoreError> {
    diesel::update(experiment::table.filter(experiment::id.eq(row.id))).set(row).execute(tx.conn()).await?;
    Ok(())
}

/// Keeps figures, unless newer ones are there.
pub async fn count(tx: &mut TenantTx, id: Uuid, counts: &Value, at: DateTime<Utc>) -> Result<(), StoreError> {
    let older = experiment::counted_at.is_null().or(experiment::counted_at.lt(at));
    diesel::update(experiment::table.filter(experiment::id.eq(id)).filter(older))
        .set((experiment::counts.eq(counts), experiment::counted_at.eq(at)))
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Takes one away that was never begun; `false` when there is no such.
pub async fn delete_draft(tx: &mut TenantTx, id: Uuid) -> Result<bool, StoreError> {
    let draft = experiment::table.filter(experiment::id.eq(id).and(experiment::state.eq(DRAFT)));
    Ok(diesel::delete(draft).execute(tx.conn()).await? == 1)
}
