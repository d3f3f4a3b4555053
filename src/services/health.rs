//! Are the things we depend on there, and how durable is what they acknowledge?

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Services;
use crate::config::{Durability, Profile};
use crate::telemetry::metrics::{self, Component, DurabilityLevel as Label, MemoryType};
use crate::tenant::{DurabilityLevel, RedisState, StoreError};

/// A dependency's state.
#[derive(Clone, Debug)]
pub struct Probe {
    /// Which.
    pub component: Component,
    /// Whether it answers.
    pub ok: bool,
    /// How long it took.
    pub took: Duration,
    /// What there is to say.
    pub detail: String,
}

/// Asks PostgreSQL, Redis and the directory, side by side.
pub async fn probe(services: &Services) -> Vec<Probe> {
    let limit = Duration::from_secs(3);
    let postgres = async {
        let begun = Instant::now();
        let answer = tokio::time::timeout(limit, services.database.control().ping()).await;
        finish(Component::Postgres, begun, answer.map(|answer| answer.map(|()| String::new())))
    };
    let redis = async {
        let begun = Instant::now();
        let answer = tokio::time::timeout(limit, services.redis.control().state()).await;
        finish(Component::Redis, begun, answer.map(|answer| answer.map(|state| describe(&state))))
    };
    let (postgres, redis) = tokio::join!(postgres, redis);
    let loaded = services.directory.is_loaded();
    let detail = if loaded { format!("{} companies", services.directory.all().len()) } else { "not loaded".to_owned() };
    let directory = Probe { component: Component::Directory, ok: loaded, took: Duration::ZERO, detail };
    let probes = vec![postgres, redis, directory];
    for probe in &probes {
        metrics::dependency_checked(probe.component, probe.ok);
    }
    probes
}

fn finish(
    component: Component,
    begun: Instant,
    answer: Result<Result<String, StoreError>, tokio::time::error::Elapsed>,
) -> Probe {
    let (ok, detail) = match answer {
        Ok(Ok(detail)) => (true, detail),
        // What a server said may name hosts and users; the log has it, the page does not.
        Ok(Err(error)) => {
            tracing::warn!(component = component.as_str(), %error, "A dependency does not answer");
            (false, "unreachable".to_owned())
        }
        Err(_) => (false, "no answer in time".to_owned()),
    };
    Probe { component, ok, took: begun.elapsed(), detail }
}

fn describe(state: &RedisState) -> String {
    let fill = state.fill_ratio().map_or_else(|| "unknown".to_owned(), |ratio| format!("{:.0}%", ratio * 100.0));
    format!("durability {}, memory {fill}", state.durability.as_str())
}

/// Refuses a Redis that would lose acknowledged messages where `strict` is demanded. A Redis that is away passes: intake
/// answers 503 until it is back, and the watch looks again.
pub async fn demand_durability(services: &Services) -> Result<(), String> {
    let strict = services.settings.redis.durability == Durability::Strict && services.settings.profile != Profile::Test;
    let Ok(state) = services.redis.control().state().await else { return Ok(()) };
    if strict && state.durability != DurabilityLevel::Strict {
        return Err(format!(
            "Redis is not durable enough (it is {}): a power cut would lose acknowledged messages. Set appendonly yes, \
             appendfsync always and maxmemory-policy noeviction, or allow it with redis.durability = \"any\"",
            state.durability.as_str()
        ));
    }
    Ok(())
}

/// Watches Redis each few seconds until `stop`: durability and memory as metrics, and `shed` while it is nearly full.
pub async fn watch_redis(services: Services, shed: Arc<AtomicBool>, stop: CancellationToken) {
    loop {
        if let Ok(state) = services.redis.control().state().await {
            metrics::intake_durability(match state.durability {
                DurabilityLevel::Strict => Label::Always,
                DurabilityLevel::Everysec => Label::EverySec,
                DurabilityLevel::Volatile => Label::None,
                DurabilityLevel::Unknown => Label::Unknown,
            });
            let bytes = |n: i64| u64::try_from(n).unwrap_or(0);
            metrics::redis_memory(MemoryType::Used, bytes(state.used_bytes));
            metrics::redis_memory(MemoryType::Max, bytes(state.max_bytes));
            let full = state.fill_ratio().is_some_and(|ratio| ratio > services.settings.redis.shed_above_ratio);
            if full != shed.swap(full, Ordering::Relaxed) {
                tracing::warn!(full, "Redis' memory passed the threshold for taking webhooks");
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(Duration::from_secs(5)) => {}
        }
    }
}
