//! The cron table: what is due at a time. Ticks only enqueue or do small, idempotent things; any number of schedulers may
//! run.

pub mod agenda;
pub mod elect;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use tokio_cron_scheduler::{Job, JobScheduler};
use tokio_util::sync::CancellationToken;

use super::sweep::Sweeper;
use crate::models::control::periodic_run::Run;
use crate::services::agenda::timers;
use crate::services::{Services, context, rebuild};
use crate::telemetry::metrics;
use crate::tenant::{ControlKey, StoreError};

/// A periodic task: name, cron expression with seconds (UTC), who does it, what it is for.
pub struct Periodic {
    /// Name, also in metrics.
    pub name: &'static str,
    /// When it is looked at.
    pub cron: &'static str,
    /// Who does it.
    pub by: By,
    /// What for.
    pub doc: &'static str,
}

/// Who does a periodic task where several processes keep time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Each of them, or each its part: it divides the work by itself.
    All,
    /// One of them for each stretch of so many seconds; a run that nobody did is done once by whoever comes first.
    One(u32),
}

/// Everything that is done periodically.
#[rustfmt::skip]
pub const TABLE: [Periodic; 11] = [
    Periodic { name: "heartbeat", cron: "*/15 * * * * *", by: By::All, doc: "says that a scheduler lives" },
    Periodic { name: "sweep", cron: "*/30 * * * * *", by: By::All, doc: "expired claims and lost hints, also while no worker sweeps" },
    Periodic { name: "context", cron: "30 */5 * * * *", by: By::All, doc: "the last lines of conversations that fell idle, for resumption and export" },
    Periodic { name: "rebuild", cron: "0 */5 * * * *", by: By::All, doc: "unfinished deliveries back into the queue, from PostgreSQL" },
    Periodic { name: "due", cron: "15 * * * * *", by: By::One(300), doc: "when each company has a reminder due, from PostgreSQL" },
    Periodic { name: "timers", cron: "*/3 * * * * *", by: By::All, doc: "reminders, questions after visits and looks at them that are due" },
    Periodic { name: "settle", cron: "10 * * * * *", by: By::One(120), doc: "what was left open at calendars outside" },
    Periodic { name: "reconcile", cron: "20 * * * * *", by: By::One(900), doc: "what lost callbacks of calendars outside would have told" },
    Periodic { name: "waitlist", cron: "40 * * * * *", by: By::One(60), doc: "times that became free, to those who wait" },
    Periodic { name: "moves", cron: "45 * * * * *", by: By::One(3_600), doc: "questions whether another time suits better, of appointments that are likely to be missed" },
    Periodic { name: "optimise", cron: "50 */5 * * * *", by: By::All, doc: "what past days say of those to come, once a day and company at three in the morning there" },
];

/// Runs every task once, in the order of the table.
pub async fn run_once(services: &Services) {
    for periodic in &TABLE {
        run(services, periodic).await;
    }
}

/// Ticks until `stop`.
pub async fn run_until(services: Services, stop: CancellationToken) -> Result<(), String> {
    let mut scheduler = JobScheduler::new().await.map_err(|error| error.to_string())?;
    for periodic in &TABLE {
        let (services, busy) = (services.clone(), Arc::new(AtomicBool::new(false)));
        let job = Job::new_async(periodic.cron, move |_, _| {
            let (services, busy) = (services.clone(), Arc::clone(&busy));
            Box::pin(async move {
                // A task that takes longer than its interval is not begun on top of itself.
                if !busy.swap(true, Ordering::AcqRel) {
                    run(&services, periodic).await;
                    busy.store(false, Ordering::Release);
                }
            })
        });
        scheduler.add(job.map_err(|error| error.to_string())?).await.map_err(|error| error.to_string())?;
    }
    scheduler.start().await.map_err(|error| error.to_string())?;
    heartbeat(&services).await;
    // Redis may have been emptied while nobody kept time.
    timers::due::tell_all(&services).await;
    stop.cancelled().await;
    scheduler.shutdown().await.map_err(|error| error.to_string())
}

async fn run(services: &Services, periodic: &Periodic) {
    let done = match periodic.by {
        By::All => work(services, periodic.name).await,
        By::One(seconds) => {
            let slot = elect::slot_of(services.clock.now(), TimeDelta::seconds(seconds.into()));
            let run = Run { task: periodic.name, company: 0, slot };
            match elect::begin(services, &run).await {
                Ok(false) => return,
                Ok(true) => {
                    let done = work(services, periodic.name).await;
                    let ended = elect::end(services, &run, done).await;
                    ended.inspect_err(|error| unsettled(periodic.name, error)).is_ok() && done
                }
                Err(error) => return unsettled(periodic.name, &error),
            }
        }
    };
    if done {
        metrics::job_succeeded(periodic.name, services.clock.now_ms());
    }
}

fn unsettled(task: &'static str, error: &StoreError) {
    tracing::warn!(%error, task, "It could not be settled who does a periodic task");
}

async fn work(services: &Services, name: &'static str) -> bool {
    match name {
        "heartbeat" => heartbeat(services).await,
        "sweep" => Sweeper::default().sweep(services, &services.directory.all()).await.complete,
        "context" => keep_contexts(services).await,
        "due" => timers::due::tell_all(services).await && forget_runs(services).await,
        "timers" => agenda::timers(services).await,
        "settle" => agenda::settle(services, services.clock.now()).await,
        "reconcile" => agenda::reconcile(services).await,
        "waitlist" => agenda::waitlist(services).await,
        "moves" => agenda::moves(services).await,
        "optimise" => agenda::optimise(services).await,
        _ => rebuild_all(services).await,
    }
}

async fn forget_runs(services: &Services) -> bool {
    let forgotten = elect::forget(services).await;
    forgotten.inspect_err(|error| tracing::warn!(%error, "Old runs of periodic tasks could not be forgotten")).is_ok()
}

async fn heartbeat(services: &Services) -> bool {
    let now = services.clock.now_ms();
    metrics::scheduler_heartbeat(now);
    let kept = services.redis.control().command("SET", ControlKey::SchedulerHeartbeat, &[now.into()]).await;
    kept.inspect_err(|error| tracing::warn!(%error, "The scheduler's heartbeat was not heard")).is_ok()
}

async fn keep_contexts(services: &Services) -> bool {
    let mut complete = true;
    for tenant in services.directory.all() {
        if let Err(error) = context::keep_idle(services, &tenant).await {
            tracing::warn!(company = tenant.id().get(), %error, "Idle conversations could not be stored");
            complete = false;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    complete
}

/// In slices, so that thousands of companies do not meet PostgreSQL at once.
async fn rebuild_all(services: &Services) -> bool {
    let mut complete = true;
    for tenant in services.directory.all() {
        if let Err(error) = rebuild::rebuild(services, &tenant).await {
            tracing::warn!(company = tenant.id().get(), %error, "Unfinished deliveries could not be looked up");
            complete = false;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    complete
}
