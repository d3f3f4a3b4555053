//! What every long-running process starts with: services, watches, health, and the small server that shows them.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::lifecycle::Shutdown;
use super::{CliError, Context, keys};
use crate::clock::Clock;
use crate::config::Settings;
use crate::queue::Registry;
use crate::routes::flood::Flood;
use crate::routes::ops::{self, Check, Checks, OpsState};
use crate::routes::webhooks::{self, WebhookState};
use crate::routes::{self, Role, ServiceConfig};
use crate::services::{ServiceError, Services, health};
use crate::telemetry::metrics::{self, Component, MetricsHandle};
use crate::tenant::{MasterKey, StoreError};

/// A process that has begun.
#[derive(Clone)]
pub struct Process {
    /// Use cases.
    pub services: Services,
    /// Its end.
    pub shutdown: Shutdown,
    /// Its metrics.
    pub metrics: MetricsHandle,
    /// Set while Redis is nearly full.
    pub shed: Arc<AtomicBool>,
    role: Role,
}

impl Process {
    /// Begins: settings are checked, nothing is waited for but what must be true before any work.
    ///
    /// # Errors
    /// Exit code 3 when settings, keys or Redis' durability do not allow to start.
    pub async fn begin(context: &Context, role: Role, shutdown: Shutdown) -> Result<Self, CliError> {
        let master_key = Arc::new(keys::master_key(context)?);
        Self::with(context.settings.clone(), master_key, role, shutdown, Clock::new()).await
    }

    /// Begins with a key and a clock that are there already.
    ///
    /// # Errors
    /// As [`Process::begin`].
    pub async fn with(
        settings: Settings,
        master_key: Arc<MasterKey>,
        role: Role,
        shutdown: Shutdown,
        clock: Clock,
    ) -> Result<Self, CliError> {
        let metrics = metrics::install(&settings.metrics).map_err(CliError::failed)?;
        let services = Services::new(Arc::new(settings), master_key, clock).map_err(configuration)?;
        health::demand_durability(&services).await.map_err(CliError::configuration)?;
        match services.directory.refresh().await {
            Ok(()) => {}
            Err(error @ ServiceError::Configuration(_)) => return Err(configuration(error)),
            Err(ServiceError::Store(error @ StoreError::NotMigrated { .. })) => {
                tracing::error!(%error, "The database has no tables; webhooks get 503 until it is migrated");
            }
            Err(error) => tracing::warn!(%error, "Starting without PostgreSQL; webhooks get 503 until it answers"),
        }
        let shed = Arc::new(AtomicBool::new(false));
        let stop = shutdown.stop_token();
        tokio::spawn(services.directory.clone().watch(stop.clone()));
        tokio::spawn(health::watch_redis(services.clone(), Arc::clone(&shed), stop));
        tokio::spawn(metrics.clone().keep_up());
        Ok(Self { services, shutdown, metrics, shed, role })
    }

    /// The state of the health routes.
    pub fn ops(&self) -> OpsState {
        OpsState {
            role: self.role,
            metrics: self.metrics.clone(),
            checks: Arc::new(Probes { services: self.services.clone(), role: self.role }),
            draining: self.shutdown.draining_flag(),
            metrics_token: self.services.settings.metrics.token.clone(),
        }
    }

    /// Serves the role's routes on a listener until the process has drained; `more` mounts what the table does not hold.
    ///
    /// # Errors
    /// Exit code 1 when the listener cannot be used.
    pub async fn serve<F>(&self, listener: TcpListener, more: F) -> Result<(), CliError>
    where
        F: Fn(&mut ServiceConfig) + Send + Clone + 'static,
    {
        let (ops, flood) = (self.ops(), Flood::new(self.services.settings.server.peer_flood_per_second));
        let state =
            WebhookState { services: self.services.clone(), flood: flood.clone(), shed: Arc::clone(&self.shed) };
        tokio::spawn(flood.keep_swept());
        let configure = move |cfg: &mut ServiceConfig| {
            // Runs once on each thread that serves.
            if let Err(error) = state.services.redis.own_for_this_thread() {
                tracing::warn!(%error, "This thread shares the connection to Redis");
            }
            webhooks::configure(cfg, state.clone());
            more(cfg);
            ops::configure(cfg, ops.clone());
        };
        let server = routes::server(listener, &self.services.settings.server, configure).map_err(CliError::failed)?;
        let handle = server.handle();
        let running = tokio::spawn(server);
        self.shutdown.draining().await;
        // Balancers see 503 at `/readyz` and look elsewhere before the door closes.
        tokio::time::sleep(Duration::from_millis(self.services.settings.server.linger_ms)).await;
        handle.stop(true).await;
        running.await.map_err(|error| CliError::failed(error.to_string()))?.map_err(|e| CliError::failed(e.to_string()))
    }

    /// Shows health and metrics at `metrics.bind`, if it is set, for as long as the process lives.
    ///
    /// # Errors
    /// Exit code 3 when the address cannot be used.
    pub fn show_metrics(&self) -> Result<(), CliError> {
        let bind = &self.services.settings.metrics.bind;
        if bind.is_empty() {
            return Ok(());
        }
        let listener = listen(bind, "metrics.bind")?;
        let ops = self.ops();
        let server =
            routes::server(listener, &self.services.settings.server, move |cfg| ops::configure(cfg, ops.clone()))
                .map_err(CliError::failed)?;
        tokio::spawn(server);
        Ok(())
    }

    /// Counts workers alive, for the gauge. Those of single companies are counted by the sweep.
    pub async fn count_workers(&self) {
        let services = &self.services;
        let registry = Registry::new(services.redis.control(), services.clock.clone(), String::new());
        if let Ok(alive) = registry.alive().await {
            metrics::active_workers(u64::try_from(alive).unwrap_or(0));
        }
    }

    /// Waits until the directory of companies is known, or the process ends.
    pub async fn companies_known(&self) {
        while !self.services.directory.is_loaded() && !self.shutdown.is_draining() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn configuration(error: ServiceError) -> CliError {
    CliError::configuration(error.to_string())
}

/// Binds a listener.
///
/// # Errors
/// Exit code 3, naming the setting.
pub fn listen(bind: &str, setting: &str) -> Result<TcpListener, CliError> {
    TcpListener::bind(bind).map_err(|error| {
        CliError::configuration(format!(
            "cannot listen on {bind} (setting {setting}): {error}; choose another address or port"
        ))
    })
}

/// Tells systemd, when it listens, that the process is ready.
pub fn tell_ready() {
    if let Err(error) = sd_notify::notify(&[sd_notify::NotifyState::Ready]) {
        tracing::debug!(%error, "systemd could not be told");
    }
}

/// A name for this process among all: host, pid, and a random part.
pub fn name() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("{}-{}-{:08x}", host.trim(), std::process::id(), rand::random::<u32>())
}

struct Probes {
    services: Services,
    role: Role,
}

impl Checks for Probes {
    fn run(&self) -> BoxFuture<'_, Vec<Check>> {
        async {
            let taking = matches!(self.role, Role::Serve | Role::Demo);
            let probes = health::probe(&self.services).await;
            probes
                .into_iter()
                .map(|probe| Check {
                    component: probe.component.as_str(),
                    ok: probe.ok,
                    // Intake needs no PostgreSQL, only the directory that was read from it.
                    required: !(taking && probe.component == Component::Postgres),
                    latency_ms: u64::try_from(probe.took.as_millis()).unwrap_or(u64::MAX),
                    detail: probe.detail,
                })
                .collect()
        }
        .boxed()
    }
}
