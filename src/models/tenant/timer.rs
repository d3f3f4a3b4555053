//! What is to be done at a time: reminders, questions after a visit, looks at whether somebody came.

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use crate::models::schema::tenant::timer;
use crate::tenant::{StoreError, TenantTx};

/// To be done.
pub const DUE: &str = "due";
/// Done.
pub const DONE: &str = "done";
/// Not done, for a reason that is told.
pub const SKIPPED: &str = "skipped";
/// What it was for is gone.
pub const CANCELLED: &str = "cancelled";

/// A timer as stored.
#[derive(Clone, Debug, PartialEq, Insertable, Queryable, Selectable, AsChangeset)]
#[diesel(table_name = timer, treat_none_as_null = true)]
pub struct TimerRow {
    /// Its id.
    pub id: Uuid,
    /// `reminder`, `no_show_check`, `follow_up`, …
    pub kind: String,
    /// Which of its kind: `24h`, `1h`, …
    pub name: String,
    /// Of which appointment.
    pub appointment_id: Option<Uuid>,
    /// Of which version of the appointment.
    pub version: i32,
    /// For whom.
    pub person_id: Option<Uuid>,
    /// In which conversation.
    pub conversation_id: Option<Uuid>,
    /// When.
    pub due_at: DateTime<Utc>,
    /// [`DUE`], [`DONE`], [`SKIPPED`], [`CANCELLED`].
    pub state: String,
    /// Why it was skipped.
    pub reason: Option<String>,
    /// How often it was tried.
    pub attempts: i32,
    /// What was sent.
    pub message_id: Option<Uuid>,
    /// More.
    pub data: Value,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// Written out, so that the index of due timers is seen to fit.
fn is_due() -> SqlLiteral<Bool> {
    sql::<Bool>("timer.state = 'due'")
}

/// Adds timers; those that are there for the same version, kind and name stay as they are. Returns how many are new.
pub async fn insert(tx: &mut TenantTx, rows: &[TimerRow]) -> Result<usize, StoreError> {
    Ok(diesel::insert_into(timer::table).values(rows).on_conflict_do_nothing().execute(tx.conn()).await?)
}

/// One of them.
pub async fn find(tx: &mut TenantTx, id: Uuid) -> Result<Option<TimerRow>, StoreError> {
    Ok(timer::table.select(TimerRow::as_select()).find(id).first(tx.conn()).await.optional()?)
}

/// One of them, held until the transaction ends.
pub async fn lock(tx: &mut TenantTx, id: Uuid) -> Result<Option<TimerRow>, StoreError> {
    Ok(timer::table.select(TimerRow::as_select()).find(id).for_update().first(tx.conn()).await.optional()?)
}

/// Due timers that nobody else holds, the oldest first, held until the transaction ends.
pub async fn claim(tx: &mut TenantTx, now: DateTime<Utc>, limit: i64) -> Result<Vec<TimerRow>, StoreError> {
    Ok(timer::table
        .select(TimerRow::as_select())
        .filter(is_due().and(timer::due_at.le(now)))
        .order((timer::due_at, timer::id))
        .limit(limit)
        .for_update()
        .skip_locked()
        .load(tx.conn())
        .await?)
}

/// Due timers, the oldest first, whoever may hold them.
pub async fn due(tx: &mut TenantTx, now: DateTime<Utc>, limit: i64) -> Result<Vec<TimerRow>, StoreError> {
    Ok(timer::table
        .select(TimerRow::as_select())
        .filter(is_due().and(timer::due_at.le(now)))
        .order(timer::due_at)
        .limit(limit)
        .load(tx.conn())
        .await?)
}

/// When the next one is due.
pub async fn next_due(tx: &mut TenantTx) -> Result<Option<DateTime<Utc>>, StoreError> {
    Ok(timer::table.select(diesel::dsl::min(timer::due_at)).filter(is_due()).first(tx.conn()).await?)
}

/// Writes one anew.
pub async fn save(tx: &mut TenantTx, row: &TimerRow) -> Result<(), StoreError> {
    diesel::update(timer::table.filter(timer::id.eq(row.id))).set(row).execute(tx.conn()).await?;
    Ok(())
}

/// Takes away what is still due of an appointment, of versions before this one. Returns how many there were.
pub async fn cancel_before(
    tx: &mut TenantTx,
    (appointment_id, version): (Uuid, i32),
    now: DateTime<Utc>,
) -> Result<usize, StoreError> {
    let old = timer::table.filter(timer::appointment_id.eq(appointment_id).and(timer::version.lt(version)));
    Ok(diesel::update(old.filter(is_due()))
        .set((timer::state.eq(CANCELLED), timer::updated_at.eq(now)))
        .execute(tx.conn())
        .await?)
}

/// All timers of an appointment, by time.
pub async fn of_appointment(tx: &mut TenantTx, appointment_id: Uuid) -> Result<Vec<TimerRow>, StoreError> {
    Ok(timer::table
        .select(TimerRow::as_select())
        .filter(timer::appointment_id.eq(appointment_id))
        .order(timer::due_at)
        .load(tx.conn())
        .await?)
}

/// Timers of a kind, the newest first.
pub async fn of_kind(
    tx: &mut TenantTx,
    kind: &str,
    state: Option<&str>,
    limit: i64,
) -> Result<Vec<TimerRow>, StoreError> {
    let mut query = timer::table
        .select(TimerRow::as_select())
        .filter(timer::kind.eq(kind.to_owned()))
        .order((timer::due_at.desc(), timer::id))
        .limit(limit)
        .into_boxed();
    if let Some(state) = state {
        query = query.filter(timer::state.eq(state.to_owned()));
    }
    Ok(query.load(tx.conn()).await?)
}

/// Puts timers off that were just put into mailboxes: due again then, should nobody have done them.
pub async fn put_off(
    tx: &mut TenantTx,
    ids: &[Uuid],
    until: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    diesel::update(timer::table.filter(timer::id.eq_any(ids)))
        .set((timer::due_at.eq(until), timer::attempts.eq(timer::attempts + 1), timer::updated_at.eq(now)))
        .execute(tx.conn())
        .await?;
    Ok(())
}
