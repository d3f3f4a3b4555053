//! The runner: claims conversations, attends to many at once, and loses none.
//!
//! A permit moves into each task, so the limit cannot leak; a panic is a failure like another; shutdown lets the tasks
//! finish, then cuts them off, and what they held comes back by its lease.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use super::active::Active;
use super::sweep::Sweeper;
use super::task::Task;
use crate::domain::company::CompanyId;
use crate::queue::{ClaimLimits, Registry};
use crate::services::attendance::queue_of;
use crate::services::{ServiceError, Services};
use crate::telemetry::metrics;
use crate::tenant::{Tenant, TenantKey, TenantRedis};

/// Companies that are asked for conversations at once.
const VISITS: usize = 8;

/// Whom a process works for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Every company, fairly.
    All,
    /// These.
    Companies(Vec<CompanyId>),
}

/// The runner of a process.
#[derive(Clone)]
pub struct Runner {
    services: Services,
    scope: Scope,
    active: Active,
    permits: Arc<Semaphore>,
    visits: Arc<Semaphore>,
    tasks: TaskTracker,
    registry: Registry,
    sweeper: Sweeper,
    /// No new claims; turns that have decided nothing are given back.
    stop: CancellationToken,
    /// Ends turns in flight when the drain time is over.
    cut: CancellationToken,
}

impl Runner {
    /// A runner; it begins with [`Runner::run`].
    pub fn new(services: Services, scope: Scope, name: String) -> Self {
        let registry = Registry::new(services.redis.control(), services.clock.clone(), name);
        let permits = Arc::new(Semaphore::new(services.settings.queue.concurrency.max(1)));
        Self {
            services,
            scope,
            active: Active::default(),
            permits,
            visits: Arc::new(Semaphore::new(VISITS)),
            tasks: TaskTracker::new(),
            registry,
            sweeper: Sweeper::default(),
            stop: CancellationToken::new(),
            cut: CancellationToken::new(),
        }
    }

    /// Works until `stop`, then drains: no new claims, turns in flight finish within `queue.drain_ms`, the rest is cut.
    pub async fn run(mut self, stop: CancellationToken) {
        self.stop = stop.clone();
        let mut loops = JoinSet::new();
        loops.spawn(self.clone().renew_loop());
        loops.spawn(self.clone().beat_loop());
        loops.spawn(self.clone().sweep_loop());
        match &self.scope {
            Scope::All => {
                loops.spawn(self.clone().pump_loop());
                self.listen(&stop).await;
            }
            Scope::Companies(ids) => {
                let listeners = ids.iter().map(|id| self.serve_one(*id, &stop));
                futures::future::join_all(listeners).await;
            }
        }
        self.tasks.close();
        let drain = Duration::from_millis(self.services.settings.queue.drain_ms);
        if tokio::time::timeout(drain, self.tasks.wait()).await.is_err() {
            tracing::warn!("Turns in flight did not finish in time; their claims come back by themselves");
            self.cut.cancel();
            self.tasks.wait().await;
        }
        loops.shutdown().await;
        if let Err(error) = self.registry.leave(&self.dedicated()).await {
            tracing::debug!(%error, "The register of workers could not be left");
        }
    }

    /// Works until nothing waits any more: no message is undecided, no text is to be sent again at a time.
    pub async fn run_until_empty(self, stop: CancellationToken) {
        let done = stop.child_token();
        let watch = {
            let (runner, done) = (self.clone(), done.clone());
            tokio::spawn(async move {
                loop {
                    let found = runner.sweeper.sweep(&runner.services, &runner.tenants()).await;
                    let idle = found.complete && found.size == 0 && found.leased == 0 && found.waiting == 0;
                    // A claim that was answered but whose turn has not begun holds a lease, so it was counted.
                    let idle = idle && runner.tasks.is_empty();
                    if idle || done.is_cancelled() {
                        done.cancel();
                        return;
                    }
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            })
        };
        self.run(done).await;
        watch.abort();
    }

    fn tenants(&self) -> Vec<Arc<Tenant>> {
        match &self.scope {
            Scope::All => self.services.directory.all(),
            Scope::Companies(ids) => ids.iter().filter_map(|id| self.services.directory.by_id(*id)).collect(),
        }
    }

    fn dedicated(&self) -> Vec<TenantRedis> {
        match &self.scope {
            Scope::All => Vec::new(),
            Scope::Companies(_) => self.tenants().iter().map(|tenant| tenant.redis.clone()).collect(),
        }
    }

    /// Serves whichever company's turn it is in the round robin.
    async fn listen(&self, stop: &CancellationToken) {
        let hints = self.services.hints();
        let patience = Duration::from_millis(self.services.settings.queue.idle_wait_ms.max(10));
        let mut listener = None;
        while !stop.is_cancelled() {
            let Some(permit) = self.permit(stop).await else { return };
            if listener.is_none() {
                listener = hints.listen().await.ok();
            }
            let Some(waiting) = listener.as_mut() else {
                pause(stop, Duration::from_millis(250)).await;
                continue;
            };
            let hint = tokio::select! {
                () = stop.cancelled() => return,
                hint = waiting.next(patience) => hint,
            };
            match hint {
                Ok(Some(company)) => {
                    // The next company's turn comes while this one is asked: one at a time, a round over all of them
                    // would last as many round trips.
                    let (runner, slot) = (self.clone(), Arc::clone(&self.visits).acquire_owned().await);
                    self.tasks.spawn(async move {
                        runner.visit(company, permit).await;
                        drop(slot);
                    });
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(%error, "Redis does not answer; trying again");
                    listener = None;
                    pause(stop, Duration::from_millis(250)).await;
                }
            }
        }
    }

    /// One visit of the round robin, and the hint for the next.
    async fn visit(&self, company: CompanyId, permit: OwnedSemaphorePermit) {
        let Some(tenant) = self.services.directory.by_id(company) else { return };
        match self.claim(&tenant, permit).await {
            Ok(next) => self.tell(company, next).await,
            Err(error) => {
                tracing::warn!(company = company.get(), %error, "A company's conversations could not be claimed");
            }
        }
    }

    /// Serves one company alone, woken by its own list.
    async fn serve_one(&self, company: CompanyId, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            let (Some(permit), tenant) = (self.permit(stop).await, self.services.directory.by_id(company)) else {
                return;
            };
            let Some(tenant) = tenant else {
                pause(stop, Duration::from_millis(250)).await;
                continue;
            };
            let idle = Duration::from_millis(self.services.settings.queue.idle_wait_ms.max(10));
            let wait = match self.claim(&tenant, permit).await {
                Ok(due) if due < 0 => idle,
                // What became due since the claim is due now.
                Ok(due) => {
                    idle.min(Duration::from_millis(u64::try_from(due - self.services.clock.now_ms()).unwrap_or(0)))
                }
                Err(error) => {
                    tracing::warn!(company = company.get(), %error, "Conversations could not be claimed");
                    pause(stop, Duration::from_millis(250)).await;
                    continue;
                }
            };
            if !wait.is_zero() {
                tokio::select! {
                    () = stop.cancelled() => return,
                    woken = tenant.redis.wait_for(TenantKey::Wake, wait) => {
                        if woken.is_err() {
                            pause(stop, Duration::from_millis(250)).await;
                        }
                    }
                }
            }
        }
    }

    async fn permit(&self, stop: &CancellationToken) -> Option<OwnedSemaphorePermit> {
        tokio::select! {
            () = stop.cancelled() => None,
            permit = Arc::clone(&self.permits).acquire_owned() => permit.ok(),
        }
    }

    /// Claims as many conversations as there are permits (one is in hand) and starts their turns. Returns when the
    /// company has to be visited again: milliseconds, 0 = now, -1 = not before something happens.
    async fn claim(&self, tenant: &Arc<Tenant>, first: OwnedSemaphorePermit) -> Result<i64, ServiceError> {
        let queue = &self.services.settings.queue;
        let mut permits = vec![first];
        while permits.len() < 64
            && let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned()
        {
            permits.push(permit);
        }
        let limits = ClaimLimits {
            lease_ms: i64::try_from(queue.lease_ms).unwrap_or(30_000),
            max: i64::try_from(permits.len()).unwrap_or(1),
            cap: i64::try_from(queue.company_concurrency.max(1)).unwrap_or(i64::MAX),
            quantum: i64::from(queue.quantum.max(1)),
        };
        let asked = Instant::now();
        let claim = queue_of(&self.services, tenant).claim(limits).await?;
        let length = Duration::from_millis(queue.lease_ms);
        for (claimed, permit) in claim.claimed.into_iter().zip(permits) {
            let lease = self.active.add(tenant.id(), &claimed, asked, length);
            let task = Task {
                services: self.services.clone(),
                tenant: Arc::clone(tenant),
                claim: claimed,
                active: self.active.clone(),
                stop: self.stop.clone(),
                cut: self.cut.clone(),
            };
            let span = task.span();
            self.tasks.spawn(
                async move {
                    task.run(lease).await;
                    drop(permit);
                }
                .instrument(span),
            );
        }
        Ok(if claim.ready_left > 0 { 0 } else { claim.next_due })
    }

    async fn tell(&self, company: CompanyId, next_due: i64) {
        if let Err(error) = self.services.hints().tell(company, next_due).await {
            tracing::debug!(company = company.get(), %error, "A hint was lost; the sweep finds the company");
        }
    }

    async fn renew_loop(self) {
        let settings = &self.services.settings.queue;
        let (every, length) = (Duration::from_millis(settings.renew_ms), Duration::from_millis(settings.lease_ms));
        loop {
            tokio::time::sleep(every).await;
            self.active.renew(&self.services, length).await;
        }
    }

    async fn beat_loop(self) {
        loop {
            let beaten = self.registry.beat(&self.dedicated()).await;
            match beaten {
                Ok(()) => metrics::worker_heartbeat(self.services.clock.now_ms()),
                Err(error) => tracing::debug!(%error, "The heartbeat was not heard"),
            }
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
    }

    /// One process of all sweeps for all; a dedicated worker looks after its own.
    async fn sweep_loop(self) {
        let every = Duration::from_millis(self.services.settings.queue.sweep_ms.max(10));
        loop {
            let mine = match &self.scope {
                Scope::Companies(_) => true,
                Scope::All => {
                    let elected = every.mul_f64(0.9);
                    self.services.hints().elect_sweeper(self.registry.me(), elected).await.unwrap_or(false)
                }
            };
            if mine {
                self.sweeper.sweep(&self.services, &self.tenants()).await;
            }
            tokio::time::sleep(every).await;
        }
    }

    /// Moves companies whose time has come into the round robin.
    async fn pump_loop(self) {
        let longest = Duration::from_millis(200);
        loop {
            let wait = self.services.hints().pump().await.ok().flatten().unwrap_or(longest);
            tokio::time::sleep(wait.clamp(Duration::from_millis(5), longest)).await;
        }
    }
}

async fn pause(stop: &CancellationToken, time: Duration) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = tokio::time::sleep(time) => {}
    }
}
