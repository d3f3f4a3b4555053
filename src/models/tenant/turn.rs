//! Decisions: one row per turn.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::models::schema::tenant::turn;
use crate::tenant::{StoreError, TenantTx};

/// A turn to store; also what a trace reads back.
#[derive(Clone, Debug, Insertable, Queryable, Selectable)]
#[diesel(table_name = turn)]
pub struct TurnRow {
    /// Its id.
    pub id: Uuid,
    /// Its conversation.
    pub conversation_id: Uuid,
    /// The correlation id of the newest message it answers.
    pub correlation_id: String,
    /// What was decided: `answer`, `template`, `silence`.
    pub decision: String,
    /// Why a template: `technical_issue`, `ai_disabled`, …
    pub reason: String,
    /// The claim.
    pub fence: i64,
    /// The model that answered.
    pub model: Option<String>,
    /// Prompt tokens of all calls of the turn.
    pub tokens_in: i32,
    /// Output tokens of all calls of the turn.
    pub tokens_out: i32,
    /// Whether the provider gave no count.
    pub tokens_estimated: bool,
    /// The injection verdict's score, 0 to 1.
    pub injection_score: f32,
    /// What the customer wanted: the name of an intent.
    pub intention: String,
    /// The customer's mood, -1 to 1.
    pub mood: f32,
    /// How many messages it answers.
    pub messages_seen: i32,
    /// How often the answer was prepared.
    pub preparations: i32,
    /// Time spent on model calls, milliseconds.
    pub model_ms: i32,
    /// When the oldest message was accepted.
    pub accepted_at: DateTime<Utc>,
    /// When the conversation was claimed.
    pub claimed_at: DateTime<Utc>,
    /// When it was committed.
    pub decided_at: DateTime<Utc>,
}

/// Stores a turn.
pub async fn insert(tx: &mut TenantTx, row: &TurnRow) -> Result<(), StoreError> {
    diesel::insert_into(turn::table).values(row).execute(tx.conn()).await?;
    Ok(())
}

/// Whether a turn is stored: what an unknown outcome of its commit is settled by.
pub async fn exists(tx: &mut TenantTx, id: Uuid) -> Result<bool, StoreError> {
    Ok(diesel::select(diesel::dsl::exists(turn::table.filter(turn::id.eq(id)))).get_result(tx.conn()).await?)
}

/// The turns of a correlation id, oldest first.
pub async fn by_correlation(tx: &mut TenantTx, correlation_id: &str) -> Result<Vec<TurnRow>, StoreError> {
    Ok(turn::table
        .select(TurnRow::as_select())
        .filter(turn::correlation_id.eq(correlation_id))
        .order(turn::decided_at)
        .load(tx.conn())
        .await?)
}
