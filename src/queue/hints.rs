//! Hints: which company should be looked at. Lost without harm.

use std::time::Duration;

use super::scripts::{HINT, PUMP};
use crate::clock::Clock;
use crate::domain::company::CompanyId;
use crate::tenant::{ControlKey, ControlRedis, HintListener, StoreError};

/// The round robin over companies.
#[derive(Clone)]
pub struct Hints {
    redis: ControlRedis,
    clock: Clock,
}

impl Hints {
    /// Takes the connection.
    pub fn new(redis: ControlRedis, clock: Clock) -> Self {
        Self { redis, clock }
    }

    /// Says when a company has something to claim: milliseconds, 0 = now, -1 = nothing.
    pub async fn tell(&self, company: CompanyId, next_due: i64) -> Result<(), StoreError> {
        if next_due < 0 {
            return Ok(());
        }
        self.redis.run(&HINT, &[company.get().into(), next_due.into()]).await.map(|_| ())
    }

    /// Moves companies whose time has come into the round robin; the time until the next, if any.
    pub async fn pump(&self) -> Result<Option<Duration>, StoreError> {
        let left = self.redis.run(&PUMP, &[self.clock.offset_ms().into()]).await?.int().unwrap_or(-1);
        Ok(u64::try_from(left).ok().map(Duration::from_millis))
    }

    /// A listener of its own connection.
    pub async fn listen(&self) -> Result<HintListener, StoreError> {
        self.redis.hints().await
    }

    /// Whether this process does the sweep of this interval.
    pub async fn elect_sweeper(&self, me: &str, interval: Duration) -> Result<bool, StoreError> {
        let ms = i64::try_from(interval.as_millis()).unwrap_or(5000).max(1);
        let args = [me.into(), "NX".into(), "PX".into(), ms.into()];
        let reply = self.redis.command("SET", ControlKey::Sweeper, &args).await?;
        Ok(reply.text() == Some("OK"))
    }
}
