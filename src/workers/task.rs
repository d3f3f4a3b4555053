//! One claimed conversation in work: its turn, and what its end means for the conversation.

use std::sync::Arc;

use futures::FutureExt;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::active::Active;
use super::jobs;
use crate::queue::{Claimed, Return};
use crate::services::attendance::queue_of;
use crate::services::lease::Lease;
use crate::services::{Disposition, ServiceError, Services};
use crate::telemetry::logging::error_chain;
use crate::telemetry::metrics::{self, DeadLetterReason, TaskKind, TaskOutcome};
use crate::tenant::Tenant;

/// A claimed conversation.
pub(super) struct Task {
    pub services: Services,
    pub tenant: Arc<Tenant>,
    pub claim: Claimed,
    pub active: Active,
    pub stop: CancellationToken,
    pub cut: CancellationToken,
}

impl Task {
    /// The span that all of the turn's log lines are in. A burst's lines carry the newest message's correlation id.
    pub(super) fn span(&self) -> tracing::Span {
        let newest = self.claim.waiting.last().map(|waiting| &waiting.envelope);
        tracing::info_span!(
            "turn",
            company = self.tenant.id().get(),
            correlation_id = newest.map(|envelope| envelope.correlation_id.as_str()),
            job_id = newest.map(|envelope| envelope.id.to_string()),
            attempt = self.claim.expired + 1,
            fence = self.claim.fence,
        )
    }

    /// Attends to it and gives it back.
    pub(super) async fn run(self, lease: Arc<Lease>) {
        let begun = Instant::now();
        self.list_burst();
        let outcome = self.work(&lease).await;
        let (how, forget, label) = self.judge(outcome);
        if label == TaskOutcome::Retried {
            metrics::task_retried(self.tenant.id(), TaskKind::Turn);
        }
        metrics::task_latency(self.tenant.id(), TaskKind::Turn, label, begun.elapsed());
        if let Some(how) = how {
            self.release(how, forget).await;
        }
        self.active.remove(self.tenant.id(), &self.claim);
    }

    /// Ties a burst's other messages to the turn's lines.
    fn list_burst(&self) {
        let others = self.claim.waiting.len().saturating_sub(1);
        if others > 0 {
            let ids: Vec<&str> =
                self.claim.waiting.iter().map(|waiting| waiting.envelope.correlation_id.as_str()).collect();
            tracing::info!(messages = ids.len(), burst = ids.join(" "), "Several messages are one turn");
        }
    }

    async fn work(&self, lease: &Lease) -> Result<Return, ServiceError> {
        self.bury_hopeless().await?;
        let turn = jobs::incoming::run(&self.services, &self.tenant, &self.claim, lease);
        tokio::select! {
            caught = std::panic::AssertUnwindSafe(turn).catch_unwind() => caught.unwrap_or_else(|_| {
                // The panic hook has logged where it was.
                Ok(Return::Failed(self.services.clock.now_ms() + 5000))
            }),
            () = self.stopped_undecided(lease) => Err(ServiceError::Stopping),
            () = self.cut.cancelled() => Err(ServiceError::LeaseLost),
        }
    }

    /// Comes when the process stops before anything was decided; never, once a commit or a send has begun.
    async fn stopped_undecided(&self, lease: &Lease) {
        self.stop.cancelled().await;
        if lease.is_binding() {
            std::future::pending::<()>().await;
        }
    }

    /// Envelopes that cannot be read, and a mailbox whose turns end without a decision again and again, become dead
    /// letters; the conversation goes on.
    async fn bury_hopeless(&self) -> Result<(), ServiceError> {
        let queue = queue_of(&self.services, &self.tenant);
        if !self.claim.unreadable.is_empty() {
            queue.bury(&self.claim, "unreadable", Some(&self.claim.unreadable)).await?;
            self.dead(DeadLetterReason::Unreadable, self.claim.unreadable.len());
        }
        if self.claim.expired > self.services.settings.queue.max_expired_leases && !self.claim.waiting.is_empty() {
            let count = queue.bury(&self.claim, "lease_expired", None).await?;
            self.dead(DeadLetterReason::LeaseExpired, usize::try_from(count).unwrap_or(0));
            return Err(ServiceError::NotFound("the mailbox became dead letters".to_owned()));
        }
        Ok(())
    }

    fn dead(&self, reason: DeadLetterReason, count: usize) {
        for _ in 0..count {
            metrics::dead_letter(self.tenant.id(), reason);
        }
        tracing::error!(count, reason = reason.as_str(), "Messages could not be decided and are dead letters");
    }

    /// How to give it back, whether the short context may be wrong, and the word for the metric.
    fn judge(&self, outcome: Result<Return, ServiceError>) -> (Option<Return>, bool, TaskOutcome) {
        let now = self.services.clock.now_ms();
        match outcome {
            Ok(how @ Return::Failed(_)) => (Some(how), true, TaskOutcome::Retried),
            Ok(Return::Clean) => (Some(Return::Clean), false, TaskOutcome::Done),
            Ok(how) => (Some(how), false, TaskOutcome::Retried),
            Err(error) => match error.disposition() {
                Disposition::LetGo if matches!(error, ServiceError::Stopping) => {
                    (Some(Return::Now), true, TaskOutcome::Released)
                }
                Disposition::LetGo => {
                    tracing::warn!(error = %error_chain(&error), "The conversation was let go");
                    (Some(Return::Now), true, TaskOutcome::Lost)
                }
                Disposition::Later => {
                    let wait = 1000 + i64::from(rand::random::<u16>() % 1000);
                    tracing::warn!(error = %error_chain(&error), wait_ms = wait, "The turn waits for an outage to end");
                    (Some(Return::At(now + wait)), true, TaskOutcome::Retried)
                }
                Disposition::Counted if self.claim.expired > self.services.settings.queue.max_expired_leases => {
                    (Some(Return::Clean), true, TaskOutcome::Dead)
                }
                Disposition::Counted => {
                    tracing::error!(error = %error_chain(&error), "The turn failed; it is tried again, a few times");
                    (Some(Return::Failed(now + 2000)), true, TaskOutcome::Retried)
                }
            },
        }
    }

    /// Gives the conversation back; while Redis is away it comes back by its lease.
    async fn release(&self, how: Return, forget: bool) {
        let queue = queue_of(&self.services, &self.tenant);
        match queue.release(&self.claim, how, forget).await {
            Ok(released) => {
                let told = self.services.hints().tell(self.tenant.id(), released.next_due).await;
                if let Err(error) = told {
                    tracing::debug!(%error, "A hint was lost; the sweep finds the company");
                }
            }
            Err(error) => tracing::warn!(%error, "The claim could not be given back; it ends by itself"),
        }
    }
}
