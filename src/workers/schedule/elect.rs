//! One process for each run of a periodic task, however many keep time: a run is a row in PostgreSQL, and whoever adds it
//! does it. There is no leader. A run that nobody did while all were down is done once, by the first that comes back.

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::domain::agenda::flow::zoned;
use crate::models::control::periodic_run::{self, Run};
use crate::services::Services;
use crate::tenant::StoreError;

/// A run that was begun so long ago and never ended was its process' last.
const STALE: TimeDelta = TimeDelta::minutes(15);
/// How long runs are remembered.
const KEPT: TimeDelta = TimeDelta::days(14);

/// The beginning of the time that a moment lies in, where a task runs each so many seconds.
pub fn slot_of(now: DateTime<Utc>, every: TimeDelta) -> DateTime<Utc> {
    let seconds = every.num_seconds().max(1);
    DateTime::from_timestamp(now.timestamp().div_euclid(seconds) * seconds, 0).unwrap_or(now)
}

/// The last moment at which a clock of a zone showed an hour: the beginning of the day a daily task runs for.
pub fn day_of(now: DateTime<Utc>, zone: Tz, hour: u32) -> DateTime<Utc> {
    let time = NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default();
    let today = now.with_timezone(&zone).date_naive();
    // A zone's clocks may skip that hour, or a whole day.
    let begins = (0..=3).map(|back| zoned::moment(zone, (today - TimeDelta::days(back)).and_time(time)));
    begins.into_iter().find(|begin| *begin <= now).unwrap_or(now)
}

/// Does a run unless another process does or did it; `None` when one did. A run that fails is left to the next try.
///
/// # Errors
/// Those of PostgreSQL.
pub async fn once(services: &Services, run: Run, work: impl Future<Output = bool>) -> Result<Option<bool>, StoreError> {
    if !begin(services, &run).await? {
        return Ok(None);
    }
    let done = work.await;
    end(services, &run, done).await?;
    Ok(Some(done))
}

/// Begins a run; `false` when another process did.
///
/// # Errors
/// Those of PostgreSQL.
pub async fn begin(services: &Services, run: &Run) -> Result<bool, StoreError> {
    let now = services.clock.now();
    let runner = format!("{}/{}", std::process::id(), hex::encode(services.log_salt.get(..4).unwrap_or_default()));
    let mut tx = services.database.control().begin().await?;
    let begun = periodic_run::begin(&mut tx, run, &runner, (now, now - STALE)).await?;
    tx.commit().await?;
    Ok(begun)
}

/// Ends a run that this process began.
///
/// # Errors
/// Those of PostgreSQL.
pub async fn end(services: &Services, run: &Run, done: bool) -> Result<(), StoreError> {
    let mut tx = services.database.control().begin().await?;
    periodic_run::end(&mut tx, run, done, services.clock.now()).await?;
    tx.commit().await
}

/// Forgets old runs.
///
/// # Errors
/// Those of PostgreSQL.
pub async fn forget(services: &Services) -> Result<usize, StoreError> {
    let mut tx = services.database.control().begin().await?;
    let forgotten = periodic_run::forget(&mut tx, services.clock.now() - KEPT).await?;
    tx.commit().await?;
    Ok(forgotten)
}
