//! `secretaria dead-letters`: messages that could not be handled, seen and decided by a person.

use clap::{Args, Subcommand};

use super::{CliError, Context};
use crate::domain::company::CompanyId;

/// Arguments of `dead-letters`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  secretaria dead-letters list --company 42
  secretaria dead-letters show --company 42 1764039600000-0
  secretaria dead-letters requeue --company 42 --all --reason channel_refused")]
pub struct DeadLettersArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: DeadLettersCommand,
}

/// What `dead-letters` does.
#[derive(Clone, Debug, Subcommand)]
pub enum DeadLettersCommand {
    /// List them, newest first
    #[command(after_help = "Example:\n  secretaria dead-letters list --company 42 --json")]
    List(ListArgs),
    /// Show the whole payload and the reason of some
    #[command(after_help = "Example:\n  secretaria dead-letters show --company 42 1764039600000-0")]
    Show(IdsArgs),
    /// Handle some or all of them again
    #[command(after_help = "Example:\n  secretaria dead-letters requeue --company 42 1764039600000-0")]
    Requeue(ChosenArgs),
    /// Delete some or all of them
    #[command(after_help = "Examples:
  secretaria dead-letters drop --company 42 1764039600000-0
  secretaria dead-letters drop --company 42 --all --confirm clinica.example.com")]
    Drop(DropArgs),
}

/// `dead-letters list`.
#[derive(Clone, Debug, Args)]
pub struct ListArgs {
    /// The company
    #[arg(long, value_name = "NUMBER")]
    pub company: CompanyId,
    /// Only those with this reason
    #[arg(long, value_name = "REASON")]
    pub reason: Option<String>,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// `dead-letters show`.
#[derive(Clone, Debug, Args)]
pub struct IdsArgs {
    /// The company
    #[arg(long, value_name = "NUMBER")]
    pub company: CompanyId,
    /// Which ones
    #[arg(required = true, value_name = "ID")]
    pub ids: Vec<String>,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// `dead-letters requeue`, and what `drop` chooses by.
#[derive(Clone, Debug, Args)]
pub struct ChosenArgs {
    /// The company
    #[arg(long, value_name = "NUMBER")]
    pub company: CompanyId,
    /// Which ones
    #[arg(required_unless_present = "all", conflicts_with = "all", value_name = "ID")]
    pub ids: Vec<String>,
    /// All of them
    #[arg(long)]
    pub all: bool,
    /// With --all: only those with this reason
    #[arg(long, requires = "all", value_name = "REASON")]
    pub reason: Option<String>,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// `dead-letters drop`.
#[derive(Clone, Debug, Args)]
pub struct DropArgs {
    /// Which ones.
    #[command(flatten)]
    pub chosen: ChosenArgs,
    /// With --all: the company's domain, typed out, because nothing brings them back
    #[arg(long, value_name = "DOMAIN", required_if_eq("all", "true"))]
    pub confirm: Option<String>,
}

/// Runs `dead-letters`.
pub async fn run(_args: DeadLettersArgs, _context: Context) -> Result<(), CliError> {
    Err(CliError::failed("not wired yet"))
}
