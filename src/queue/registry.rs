//! Workers say that they live.

use super::Hints;
use crate::clock::Clock;
use crate::tenant::{ControlKey, ControlRedis, StoreError, TenantKey, TenantRedis};

/// How long without a heartbeat a worker counts as gone, milliseconds. The sweep script counts the dedicated ones alike.
const GONE_AFTER_MS: i64 = 30_000;

/// The register of worker processes.
#[derive(Clone)]
pub struct Registry {
    redis: ControlRedis,
    clock: Clock,
    me: String,
}

impl Registry {
    /// `me` names the process: host, pid and a random part.
    pub fn new(redis: ControlRedis, clock: Clock, me: String) -> Self {
        Self { redis, clock, me }
    }

    /// The name of this process.
    pub fn me(&self) -> &str {
        &self.me
    }

    /// A heartbeat; `dedicated` are the companies this process serves alone.
    pub async fn beat(&self, dedicated: &[TenantRedis]) -> Result<(), StoreError> {
        let now = self.clock.now_ms();
        self.redis.command("ZADD", ControlKey::Workers, &[now.into(), (&self.me).into()]).await?;
        let old = now.saturating_sub(GONE_AFTER_MS * 10);
        self.redis.command("ZREMRANGEBYSCORE", ControlKey::Workers, &["-inf".into(), old.into()]).await?;
        for tenant in dedicated {
            tenant.command("ZADD", TenantKey::Workers, &[now.into(), (&self.me).into()]).await?;
        }
        Ok(())
    }

    /// Leaves the register.
    pub async fn leave(&self, dedicated: &[TenantRedis]) -> Result<(), StoreError> {
        self.redis.command("ZREM", ControlKey::Workers, &[(&self.me).into()]).await?;
        for tenant in dedicated {
            tenant.command("ZREM", TenantKey::Workers, &[(&self.me).into()]).await?;
        }
        Ok(())
    }

    /// Workers alive, of all kinds.
    pub async fn alive(&self) -> Result<i64, StoreError> {
        let since = self.clock.now_ms() - GONE_AFTER_MS;
        let reply = self.redis.command("ZCOUNT", ControlKey::Workers, &[since.into(), "+inf".into()]).await?;
        Ok(reply.int().unwrap_or(0))
    }

    /// The hints over the same connection.
    pub fn hints(&self) -> Hints {
        Hints::new(self.redis.clone(), self.clock.clone())
    }
}
