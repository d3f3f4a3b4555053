//! `secretaria schedule`: does what is due at a time.

use clap::Args;

use super::lifecycle::Shutdown;
use super::process::{self, Process};
use super::{CliError, Context};
use crate::routes::Role;
use crate::workers::schedule;

/// Flags of `schedule`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  secretaria schedule --metrics-bind 127.0.0.1:9102
  secretaria schedule --once")]
pub struct ScheduleArgs {
    /// Where to show /metrics, /healthz and /readyz [setting metrics.bind]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub metrics_bind: Option<String>,
    /// Do everything once and end
    #[arg(long)]
    pub once: bool,
}

impl ScheduleArgs {
    /// Settings these flags set.
    pub fn overrides(&self) -> Vec<(String, String)> {
        self.metrics_bind.iter().map(|bind| ("metrics.bind".to_owned(), bind.clone())).collect()
    }
}

/// Runs `schedule`.
pub async fn run(args: ScheduleArgs, context: Context) -> Result<(), CliError> {
    let shutdown = Shutdown::new();
    shutdown.on_signals()?;
    let process = Process::begin(&context, Role::Schedule, shutdown.clone()).await?;
    process.show_metrics()?;
    process.companies_known().await;
    if args.once {
        schedule::run_once(&process.services).await;
        return Ok(());
    }
    tracing::info!(tasks = schedule::TABLE.len(), "Keeping time");
    process::tell_ready();
    let ticked = schedule::run_until(process.services.clone(), shutdown.drain_token()).await;
    shutdown.stop();
    ticked.map_err(CliError::failed)
}
