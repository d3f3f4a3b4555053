//! The breaker of each of a company's models, shared through Redis by all processes; and the company's error budget.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use super::provider::Provider;
use crate::domain::company::CompanyId;
use crate::services::Services;
use crate::telemetry::metrics::{self, CircuitState};
use crate::tenant::{Lua, Reply, Tenant};

static SCRIPT: LazyLock<Lua> = LazyLock::new(|| Lua::new(include_str!("breaker.lua")));

/// Whether a call may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pass {
    /// Yes.
    Closed,
    /// Yes, one: its outcome decides.
    Probe,
    /// No.
    Open,
}

/// How long a breaker that was found closed is not asked again, and successes are gathered before they are told: for so
/// long another process may not know of an opening.
const MEMORY: Duration = Duration::from_millis(200);

/// How often a healthy model's error budget is summed up.
const SUM_EVERY: Duration = Duration::from_secs(5);

/// What this process remembers of each breaker, so that a healthy model costs no round trip.
#[derive(Default)]
pub struct Memory {
    by_model: Mutex<HashMap<(CompanyId, u64), Remembered>>,
    summed: Mutex<HashMap<CompanyId, Instant>>,
}

struct Remembered {
    closed_since: Instant,
    /// Successes not told yet.
    good: i64,
}

pub(super) struct Breaker<'a> {
    services: &'a Services,
    tenant: &'a Tenant,
    provider: &'a Provider<'a>,
}

impl<'a> Breaker<'a> {
    pub(super) fn new(services: &'a Services, tenant: &'a Tenant, provider: &'a Provider<'a>) -> Self {
        Self { services, tenant, provider }
    }

    fn key(&self) -> (CompanyId, u64) {
        (self.tenant.id(), self.provider.place)
    }

    /// While Redis is away the model is asked all the same: a breaker protects, it must not be a new point of failure.
    pub(super) async fn ask(&self) -> Pass {
        if self.remembered(|known| known.closed_since.elapsed() < MEMORY) {
            return Pass::Closed;
        }
        let untold = self.forget();
        if untold > 0 {
            self.report(self.run("good", untold).await);
        }
        let reply = self.run("ask", 0).await;
        match reply.as_ref().and_then(|reply| reply.text_at(0)) {
            Some("open") => Pass::Open,
            Some("probe") => Pass::Probe,
            _ => {
                // After failures every outcome has to be told at once: the next may open it, or a success clears them.
                if reply.is_some_and(|reply| reply.int_at(1) == Some(0)) {
                    self.remember();
                }
                Pass::Closed
            }
        }
    }

    pub(super) async fn good(&self) {
        let gathered = self.remembered(|known| {
            known.good += 1;
            true
        });
        if !gathered {
            self.report(self.run("good", 1).await);
        }
    }

    pub(super) async fn bad(&self) {
        let untold = self.forget();
        if untold > 0 {
            self.report(self.run("good", untold).await);
        }
        self.report(self.run("bad", 1).await);
    }

    fn remembered(&self, look: impl FnOnce(&mut Remembered) -> bool) -> bool {
        let memory = &self.services.breakers.by_model;
        memory.lock().is_ok_and(|mut memory| memory.get_mut(&self.key()).is_some_and(look))
    }

    fn remember(&self) {
        if let Ok(mut memory) = self.services.breakers.by_model.lock() {
            memory.insert(self.key(), Remembered { closed_since: Instant::now(), good: 0 });
        }
    }

    /// Returns the successes that were not told yet.
    fn forget(&self) -> i64 {
        let memory = &self.services.breakers.by_model;
        memory.lock().ok().and_then(|mut memory| memory.remove(&self.key())).map_or(0, |known| known.good)
    }

    /// The error budget is summed up once in a while: it changes slowly, and summing reads every minute of its window.
    fn sum_is_due(&self) -> bool {
        let Ok(mut summed) = self.services.breakers.summed.lock() else { return true };
        let due = summed.get(&self.tenant.id()).is_none_or(|at: &Instant| at.elapsed() > SUM_EVERY);
        if due {
            summed.insert(self.tenant.id(), Instant::now());
        }
        due
    }

    async fn run(&self, op: &str, count: i64) -> Option<Reply> {
        let llm = &self.services.settings.llm;
        let signed = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let name = format!("{}:{:016x}", self.provider.label.as_str(), self.provider.place);
        let args = [
            self.services.clock.offset_ms().into(),
            op.into(),
            i64::from(llm.breaker_failures).into(),
            signed(llm.breaker_open_ms).into(),
            signed(llm.error_budget_window_minutes.max(1)).into(),
            count.into(),
            i64::from(op == "bad" || (op == "good" && self.sum_is_due())).into(),
            name.as_str().into(),
        ];
        let answer = self.tenant.redis.run(&SCRIPT, &args).await;
        answer
            .inspect_err(
                |error| tracing::debug!(company = self.tenant.id().get(), %error, "The breaker cannot be read"),
            )
            .ok()
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of an hour, for a ratio")]
    fn report(&self, reply: Option<Reply>) {
        let Some(reply) = reply else { return };
        let state = match reply.text_at(0) {
            Some("open") => CircuitState::Open,
            Some("half_open") => CircuitState::HalfOpen,
            _ => CircuitState::Closed,
        };
        metrics::llm_circuit_state(self.tenant.id(), self.provider.label, state);
        let (good, bad) = (reply.int_at(1).unwrap_or(0) as f64, reply.int_at(2).unwrap_or(0) as f64);
        if good + bad > 0.0 {
            let rate = bad / (good + bad);
            let allowed = 1.0 - self.services.settings.llm.error_budget_target;
            let remaining = if allowed > 0.0 { 1.0 - rate / allowed } else { 0.0 };
            metrics::llm_error_budget(self.tenant.id(), rate, remaining.clamp(0.0, 1.0));
        }
    }
}
