//! `secretaria work`: answers the messages of one, several or all companies.

use clap::{ArgGroup, Args};

use super::lifecycle::Shutdown;
use super::process::{self, Process};
use super::{CliError, Context};
use crate::domain::company::CompanyId;
use crate::routes::Role;
use crate::workers::runner::{Runner, Scope};

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
pub async fn run(args: WorkArgs, context: Context) -> Result<(), CliError> {
    let shutdown = Shutdown::new();
    shutdown.on_signals()?;
    let process = Process::begin(&context, Role::Work, shutdown.clone()).await?;
    process.show_metrics()?;
    process.companies_known().await;
    let scope = scope(&args, &process)?;
    let runner = Runner::new(process.services.clone(), scope, process::name());
    tracing::info!(all = args.all, companies = args.companies.len(), "Answering messages");
    process::tell_ready();
    if args.until_empty {
        runner.run_until_empty(shutdown.drain_token()).await;
    } else {
        runner.run(shutdown.drain_token()).await;
    }
    shutdown.stop();
    Ok(())
}

fn scope(args: &WorkArgs, process: &Process) -> Result<Scope, CliError> {
    if args.all {
        return Ok(Scope::All);
    }
    for id in &args.companies {
        if process.services.directory.is_loaded() && process.services.directory.by_id(*id).is_none() {
            return Err(CliError::failed(format!(
                "there is no company {id} that is being served; `secretaria provision list` shows them"
            )));
        }
    }
    Ok(Scope::Companies(args.companies.clone()))
}
