//! `secretaria schedule`: does what is due at a time.

use clap::Args;

use super::{CliError, Context};

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
pub async fn run(_args: ScheduleArgs, _context: Context) -> Result<(), CliError> {
    Err(CliError::failed("not wired yet"))
}
