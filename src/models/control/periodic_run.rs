//! Runs of periodic tasks, and who does them.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Text, Timestamptz};
use diesel_async::RunQueryDsl;

use crate::tenant::{ControlTx, StoreError};

/// A run of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The task's name.
    pub task: &'static str,
    /// For which company; 0 = for all.
    pub company: i64,
    /// The beginning of the time it is for.
    pub slot: DateTime<Utc>,
}

/// Begins a run, unless somebody did, or another run of the same task is still under way. A run that was begun before
/// `stale` and never ended is taken over: whoever began it is gone.
pub async fn begin(
    tx: &mut ControlTx,
    run: &Run,
    runner: &str,
    (now, stale): (DateTime<Utc>, DateTime<Utc>),
) -> Result<bool, StoreError> {
    // Two runs of different times could both see that no other is under way.
    diesel::sql_query("SELECT pg_advisory_xact_lock(hashtextextended('periodic_run/' || $1 || '/' || $2::text, 0))")
        .bind::<Text, _>(run.task)
        .bind::<BigInt, _>(run.company)
        .execute(tx.conn())
        .await?;
    let begun = diesel::sql_query(
        "INSERT INTO periodic_run (task, company_id, slot, runner, started_at)
         SELECT $1, $2, $3, $4, $5
         WHERE NOT EXISTS (SELECT FROM periodic_run other WHERE other.task = $1 AND other.company_id = $2
                           AND other.finished_at IS NULL AND other.started_at > $6 AND other.slot <> $3)
         ON CONFLICT (task, company_id, slot) DO UPDATE SET runner = EXCLUDED.runner, started_at = EXCLUDED.started_at
         WHERE periodic_run.finished_at IS NULL AND periodic_run.started_at <= $6",
    )
    .bind::<Text, _>(run.task)
    .bind::<BigInt, _>(run.company)
    .bind::<Timestamptz, _>(run.slot)
    .bind::<Text, _>(runner)
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(stale)
    .execute(tx.conn())
    .await?;
    Ok(begun == 1)
}

/// Ends a run. One that failed is forgotten, so that it is begun again.
pub async fn end(tx: &mut ControlTx, run: &Run, done: bool, now: DateTime<Utc>) -> Result<(), StoreError> {
    let sql = match done {
        true => "UPDATE periodic_run SET finished_at = $4 WHERE task = $1 AND company_id = $2 AND slot = $3",
        false => "DELETE FROM periodic_run WHERE task = $1 AND company_id = $2 AND slot = $3 AND started_at <= $4",
    };
    diesel::sql_query(sql)
        .bind::<Text, _>(run.task)
        .bind::<BigInt, _>(run.company)
        .bind::<Timestamptz, _>(run.slot)
        .bind::<Timestamptz, _>(now)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Forgets runs that were begun before a moment. Returns how many.
pub async fn forget(tx: &mut ControlTx, before: DateTime<Utc>) -> Result<usize, StoreError> {
    Ok(diesel::sql_query("DELETE FROM periodic_run WHERE started_at < $1")
        .bind::<Timestamptz, _>(before)
        .execute(tx.conn())
        .await?)
}
