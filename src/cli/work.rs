//! `secretaria work`: answers the messages of one, several or all companies.

use clap::{ArgGroup, Args};

use super::{CliError, Context};
use crate::domain::company::CompanyId;

/// Flags of `work`.
#[derive(Clone, Debug, Args)]
#[command(group = ArgGroup::new("whose").required(true).args(["companies", "all"]), after_help = "Examples:
  secretaria work --all
  secretaria work --company 42 --company 43 --metrics-bind 127.0.0.1:9101
  secretaria work --all --until-empty")]
pub struct WorkArgs {
    /// Work for this company only; may be repeated
    #[arg(long = "company", value_name = "NUMBER")]
    pub companies: Vec<CompanyId>,
    /// Work for all companies
    #[arg(long)]
    pub all: bool,
    /// End when nothing is waiting any more
    #[arg(long)]
    pub until_empty: bool,
    /// Where to show /metrics, /healthz and /readyz [setting metrics.bind]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub metrics_bind: Option<String>,
}

impl WorkArgs {
    /// Settings these flags set.
    pub fn overrides(&self) -> Vec<(String, String)> {
        self.metrics_bind.iter().map(|bind| ("metrics.bind".to_owned(), bind.clone())).collect()
    }
}

/// Runs `work`.
pub async fn run(_args: WorkArgs, _context: Context) -> Result<(), CliError> {
    Err(CliError::failed("not wired yet"))
}
