//! `secretaria migrate`: brings the tables of control and of every company up to date.

use clap::{Args, Subcommand};

use super::{CliError, Context};

/// Arguments of `migrate`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  secretaria migrate plan
  secretaria migrate up
  secretaria migrate status --json

Needs DATABASE_ADMIN_URL. An interrupted run is finished by the next one.")]
pub struct MigrateArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: MigrateCommand,
}

/// What `migrate` does.
#[derive(Clone, Debug, Subcommand)]
pub enum MigrateCommand {
    /// Show what `up` would do, and change nothing
    #[command(after_help = "Example:\n  secretaria migrate plan")]
    Plan(MigrateOutput),
    /// Do it: control first, then company by company
    #[command(after_help = "Example:\n  secretaria migrate up --json")]
    Up(MigrateOutput),
    /// Show the version of control and of every company
    #[command(after_help = "Example:\n  secretaria migrate status")]
    Status(MigrateOutput),
}

/// How `migrate` answers.
#[derive(Clone, Copy, Debug, Args)]
pub struct MigrateOutput {
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// Runs `migrate`.
pub async fn run(_args: MigrateArgs, _context: Context) -> Result<(), CliError> {
    Err(CliError::failed("not wired yet"))
}
