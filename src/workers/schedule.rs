//! The cron table: what is due at a time. Ticks only enqueue or do small, idempotent things; any number of schedulers may
//! run.

use std::time::Duration;

use tokio_cron_scheduler::{Job, JobScheduler};
use tokio_util::sync::CancellationToken;

use super::sweep::Sweeper;
use crate::services::{Services, context, rebuild};
use crate::telemetry::metrics;
use crate::tenant::ControlKey;

/// A periodic task: name, cron expression with seconds (UTC), what it is for.
pub struct Periodic {
    /// Name, also in metrics.
    pub name: &'static str,
    /// When.
    pub cron: &'static str,
    /// What for.
    pub doc: &'static str,
}

/// Everything that is done periodically.
#[rustfmt::skip]
pub const TABLE: [Periodic; 4] = [
    Periodic { name: "heartbeat", cron: "*/15 * * * * *", doc: "says that a scheduler lives" },
    Periodic { name: "sweep", cron: "*/30 * * * * *", doc: "expired claims and lost hints, also while no worker sweeps" },
    Periodic { name: "context", cron: "30 */5 * * * *", doc: "the last lines of conversations that fell idle, for resumption and export" },
    Periodic { name: "rebuild", cron: "0 */5 * * * *", doc: "unfinished deliveries back into the queue, from PostgreSQL" },
];

/// Runs every task once, in the order of the table.
pub async fn run_once(services: &Services) {
    for periodic in &TABLE {
        run(services, periodic.name).await;
    }
}

/// Ticks until `stop`.
pub async fn run_until(services: Services, stop: CancellationToken) -> Result<(), String> {
    let mut scheduler = JobScheduler::new().await.map_err(|error| error.to_string())?;
    for periodic in &TABLE {
        let services = services.clone();
        let job = Job::new_async(periodic.cron, move |_, _| {
            let services = services.clone();
            Box::pin(async move { run(&services, periodic.name).await })
        });
        scheduler.add(job.map_err(|error| error.to_string())?).await.map_err(|error| error.to_string())?;
    }
    scheduler.start().await.map_err(|error| error.to_string())?;
    run(&services, "heartbeat").await;
    stop.cancelled().await;
    scheduler.shutdown().await.map_err(|error| error.to_string())
}

async fn run(services: &Services, name: &'static str) {
    let done = match name {
        "heartbeat" => heartbeat(services).await,
        "sweep" => Sweeper::default().sweep(services, &services.directory.all()).await.complete,
        "context" => keep_contexts(services).await,
        _ => rebuild_all(services).await,
    };
    if done {
        metrics::job_succeeded(name, services.clock.now_ms());
    }
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
