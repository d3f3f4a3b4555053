//! What Redis says of itself: durability and memory.

use std::collections::HashMap;

use deadpool_redis::redis;

use super::{ControlRedis, Reply};
use crate::tenant::error::StoreError;

/// How much of what Redis acknowledges survives a power cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DurabilityLevel {
    /// Every acknowledged write is on disk.
    Strict,
    /// The last second may be lost.
    Everysec,
    /// All may be lost.
    Volatile,
    /// Redis does not say.
    Unknown,
}

impl DurabilityLevel {
    /// The word in metrics and `/readyz`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Everysec => "everysec",
            Self::Volatile => "volatile",
            Self::Unknown => "unknown",
        }
    }
}

/// What Redis says of itself.
#[derive(Clone, Copy, Debug)]
pub struct RedisState {
    /// Durability.
    pub durability: DurabilityLevel,
    /// Bytes in use.
    pub used_bytes: i64,
    /// `maxmemory`; 0 = no limit.
    pub max_bytes: i64,
}

impl RedisState {
    /// Share of `maxmemory` in use; `None` when there is no limit.
    #[expect(clippy::cast_precision_loss, reason = "a share for people and thresholds")]
    pub fn fill_ratio(&self) -> Option<f64> {
        (self.max_bytes > 0).then(|| self.used_bytes as f64 / self.max_bytes as f64)
    }
}

impl ControlRedis {
    /// Reads durability and memory. A Redis that forbids `CONFIG` is `Unknown`.
    pub async fn state(&self) -> Result<RedisState, StoreError> {
        let mut config = redis::cmd("CONFIG");
        config.arg("GET").arg("appendonly").arg("appendfsync").arg("maxmemory-policy");
        let info = self.server.query(redis::cmd("INFO").arg("memory")).await?;
        let settings = match self.server.query(&config).await {
            Ok(reply) => pairs(&reply),
            Err(StoreError::Unavailable { store, detail }) => return Err(StoreError::Unavailable { store, detail }),
            Err(_) => HashMap::new(),
        };
        let number = |name: &str| {
            info.text()
                .and_then(|text| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok()))
                .unwrap_or(0)
        };
        Ok(RedisState {
            durability: durability(&settings),
            used_bytes: number("used_memory:"),
            max_bytes: number("maxmemory:"),
        })
    }
}

fn pairs(reply: &Reply) -> HashMap<String, String> {
    reply
        .list()
        .chunks_exact(2)
        .filter_map(|pair| Some((pair.first()?.text()?.to_owned(), pair.get(1)?.text()?.to_owned())))
        .collect()
}

fn durability(settings: &HashMap<String, String>) -> DurabilityLevel {
    let get = |name: &str| settings.get(name).map(String::as_str);
    match (get("appendonly"), get("appendfsync"), get("maxmemory-policy")) {
        // A policy that evicts throws acknowledged messages away.
        (Some("yes"), Some("always"), Some("noeviction")) => DurabilityLevel::Strict,
        (Some("yes"), Some("everysec"), Some("noeviction")) => DurabilityLevel::Everysec,
        (Some(_), ..) => DurabilityLevel::Volatile,
        _ => DurabilityLevel::Unknown,
    }
}
