//! One claimed conversation in work: its turn, and what its end means for the conversation.

use std::sync::Arc;

use futures::FutureExt;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::active::Active;
use super::jobs;
use crate::queue::{Claimed, Return, Settlement};
use crate::services::attendance::{self, Attended, queue_of};
use crate::services::lease::Lease;
use crate::services::{Disposition, ServiceError, Services};
use crate::telemetry::logging::error_chain;
use crate::telemetry::metrics::{self, DeadLetterReason, TaskKind, TaskOutcome};
use crate::tenant::{StoreError, Tenant};

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
        let mut settlement = Settlement::default();
        let (how, forget, label) = match self.bury_hopeless().await {
            // The last holders may have left a text on its way: the next claim, without a mailbox, finishes it.
            Ok(true) => (Some(Return::Now), true, TaskOutcome::Dead),
            Ok(false) => {
                let outcome = self.work(&lease).await.map(|attended| {
                    settlement = attended.settlement;
                    attended.back
                });
                self.respect_fence(&outcome).await;
                self.judge(outcome)
            }
            Err(error) => self.judge(Err(error)),
        };
        if label == TaskOutcome::Retried {
            metrics::task_retried(self.tenant.id(), TaskKind::Turn);
        }
        metrics::task_latency(self.tenant.id(), TaskKind::Turn, label, begun.elapsed());
        if let Some(how) = how {
            self.release(how, &settlement, forget).await;
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

    async fn work(&self, lease: &Lease) -> Result<Attended, ServiceError> {
        let turn = jobs::incoming::run(&self.services, &self.tenant, &self.claim, lease);
        tokio::select! {
            caught = std::panic::AssertUnwindSafe(turn).catch_unwind() => caught.unwrap_or_else(|_| {
                // The panic hook has logged where it was.
                Ok(Return::Failed(self.services.clock.now_ms() + 5000).into())
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

    /// PostgreSQL has seen a newer claim than this Redis knows of, after it was emptied while the clock went back, say: the
    /// next claim must exceed it, or it would be refused as well, at once and for ever.
    async fn respect_fence(&self, outcome: &Result<Return, ServiceError>) {
        if let Err(ServiceError::Store(StoreError::StaleFence { stored, .. })) = outcome {
            let raised = queue_of(&self.services, &self.tenant).raise_fence(&self.claim.conversation, *stored).await;
            if let Err(error) = raised {
                tracing::debug!(%error, "The fence could not be raised; the next claim tries again");
            }
        }
    }

    /// Envelopes that cannot be read, and a mailbox whose turns end without a decision again and again, become dead
    /// letters; the conversation goes on. Returns whether the whole mailbox did.
    async fn bury_hopeless(&self) -> Result<bool, ServiceError> {
        let unreadable = &self.claim.unreadable;
        if !unreadable.is_empty() {
            self.bury(DeadLetterReason::Unreadable, unreadable).await?;
        }
        let poison = self.claim.expired > self.services.settings.queue.max_expired_leases;
        if poison
            && !self.claim.waiting.is_empty()
            && !attendance::any_decided(&self.services, &self.tenant, &self.claim).await?
        {
            // What came since the claim has not been tried yet.
            let seqs: Vec<i64> = self.claim.waiting.iter().map(|waiting| waiting.seq).collect();
            self.bury(DeadLetterReason::LeaseExpired, &seqs).await?;
            return Ok(true);
        }
        Ok(false)
    }

    async fn bury(&self, reason: DeadLetterReason, seqs: &[i64]) -> Result<(), ServiceError> {
        let queue = queue_of(&self.services, &self.tenant);
        let Ok(count) = u64::try_from(queue.bury(&self.claim, reason.as_str(), Some(seqs)).await?) else {
            return Err(ServiceError::LeaseLost);
        };
        for _ in 0..count {
            metrics::dead_letter(self.tenant.id(), reason);
        }
        tracing::error!(count, reason = reason.as_str(), "Messages could not be decided and are dead letters");
        Ok(())
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
                Disposition::Counted => {
                    tracing::error!(error = %error_chain(&error), "The turn failed; it is tried again, a few times");
                    (Some(Return::Failed(now + 2000)), true, TaskOutcome::Retried)
                }
            },
        }
    }

    /// Gives the conversation back; while Redis is away it comes back by its lease.
    async fn release(&self, how: Return, settlement: &Settlement, forget: bool) {
        let queue = queue_of(&self.services, &self.tenant);
        let cap = self.services.settings.queue.company_concurrency.max(1);
        match queue.release(&self.claim, how, settlement, forget, i64::try_from(cap).unwrap_or(i64::MAX)).await {
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
