//! `secretaria serve`: takes webhooks over HTTP.

use std::time::Duration;

use clap::Args;

use super::lifecycle::Shutdown;
use super::process::{self, Process};
use super::{CliError, Context};
use crate::routes::Role;
use crate::workers::sweep::Sweeper;

/// Flags of `serve`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:
  secretaria serve --bind 127.0.0.1:8080")]
pub struct ServeArgs {
    /// Address and port to listen on [setting server.bind]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub bind: Option<String>,
}

impl ServeArgs {
    /// Settings these flags set.
    pub fn overrides(&self) -> Vec<(String, String)> {
        self.bind.iter().map(|bind| ("server.bind".to_owned(), bind.clone())).collect()
    }
}

/// Runs `serve`.
pub async fn run(_args: ServeArgs, context: Context) -> Result<(), CliError> {
    let shutdown = Shutdown::new();
    shutdown.on_signals()?;
    let listener = process::listen(&context.settings.server.bind, "server.bind")?;
    let process = Process::begin(&context, Role::Serve, shutdown.clone()).await?;
    let gauges = tokio::spawn(show_queues(process.clone()));
    tracing::info!(address = %context.settings.server.bind, "Taking webhooks");
    process::tell_ready();
    let served = process.serve(listener, |_| {}).await;
    gauges.abort();
    shutdown.stop();
    served
}

/// The queues' gauges stand here, so that they are seen also when no worker lives.
async fn show_queues(process: Process) {
    let sweeper = Sweeper::default();
    let every = Duration::from_millis(process.services.settings.queue.sweep_ms);
    loop {
        sweeper.sweep(&process.services, &process.services.directory.all()).await;
        process.count_workers().await;
        tokio::time::sleep(every).await;
    }
}
