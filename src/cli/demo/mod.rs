//! `secretaria demo`: everything on this machine, with example companies and stand-ins for the providers.

pub mod embedded;
pub mod postgres;
pub mod process;
pub mod redis;

use std::path::PathBuf;

use clap::Args;

use super::{CliError, Context};

/// Flags of `demo`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  secretaria demo
  secretaria demo --port 9000 --data-dir /var/tmp/secretaria-demo
  secretaria demo --json --companies 10

Starts a private PostgreSQL and Redis from the installed programs, on Unix sockets, and touches no server that already
runs. Ctrl-C stops everything it started; the next start uses the same data. With GEMINI_API_KEY set the model is real.")]
pub struct DemoArgs {
    /// Port on 127.0.0.1; 0 = any free one
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    pub port: u16,
    /// Where PostgreSQL and Redis keep their data
    #[arg(long, value_name = "PATH")]
    pub data_dir: Option<PathBuf>,
    /// Use this PostgreSQL instead of a private one (needs DATABASE_ADMIN_URL, too)
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,
    /// Use this Redis instead of a private one
    #[arg(long, value_name = "URL")]
    pub redis_url: Option<String>,
    /// This many bare companies more
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub companies: u32,
    /// No example companies
    #[arg(long)]
    pub no_seed: bool,
    /// When ready, one line of JSON on stdout
    #[arg(long)]
    pub json: bool,
}

/// Runs `demo`.
pub async fn run(_args: DemoArgs, _context: Context) -> Result<(), CliError> {
    Err(CliError::failed("not wired yet"))
}
