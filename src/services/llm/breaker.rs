//! The breaker of a company's model, shared through Redis by all processes; and its error budget.

use std::sync::LazyLock;

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

pub(super) struct Breaker<'a> {
    services: &'a Services,
    tenant: &'a Tenant,
}

impl<'a> Breaker<'a> {
    pub(super) fn new(services: &'a Services, tenant: &'a Tenant) -> Self {
        Self { services, tenant }
    }

    /// While Redis is away the model is asked all the same: a breaker protects, it must not be a new point of failure.
    pub(super) async fn ask(&self) -> Pass {
        match self.run("ask").await.as_ref().and_then(Reply::text) {
            Some("open") => Pass::Open,
            Some("probe") => Pass::Probe,
            _ => Pass::Closed,
        }
    }

    pub(super) async fn good(&self) {
        self.report(self.run("good").await);
    }

    pub(super) async fn bad(&self) {
        self.report(self.run("bad").await);
    }

    async fn run(&self, op: &str) -> Option<Reply> {
        let llm = &self.services.settings.llm;
        let signed = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let args = [
            self.services.clock.offset_ms().into(),
            op.into(),
            i64::from(llm.breaker_failures).into(),
            signed(llm.breaker_open_ms).into(),
            signed(llm.error_budget_window_minutes.max(1)).into(),
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
        metrics::llm_circuit_state(self.tenant.id(), state);
        let (good, bad) = (reply.int_at(1).unwrap_or(0) as f64, reply.int_at(2).unwrap_or(0) as f64);
        if good + bad > 0.0 {
            let rate = bad / (good + bad);
            let allowed = 1.0 - self.services.settings.llm.error_budget_target;
            let remaining = if allowed > 0.0 { 1.0 - rate / allowed } else { 0.0 };
            metrics::llm_error_budget(self.tenant.id(), rate, remaining.clamp(0.0, 1.0));
        }
    }
}
