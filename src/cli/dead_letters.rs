//! `secretaria dead-letters`: messages that could not be handled, seen and decided by a person.

use clap::{Args, Subcommand};

use std::sync::Arc;

use super::provision::operator;
use super::{CliError, Context, keys, output};
use crate::clock::Clock;
use crate::domain::company::CompanyId;
use crate::queue::DeadLetter;
use crate::services::audit::Actor;
use crate::services::{Services, dead_letters};
use crate::tenant::Tenant;

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
    /// List them, oldest first
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
pub async fn run(args: DeadLettersArgs, context: Context) -> Result<(), CliError> {
    let key = Arc::new(keys::master_key(&context)?);
    let operator = Actor::operator(operator(&context));
    let services = Services::new(Arc::new(context.settings), key, Clock::new())?;
    services.directory.refresh().await?;
    match args.command {
        DeadLettersCommand::List(args) => {
            let tenant = company(&services, args.company)?;
            let letters = dead_letters::list(&tenant, args.reason.as_deref()).await?;
            list(&letters, args.json)
        }
        DeadLettersCommand::Show(args) => {
            let tenant = company(&services, args.company)?;
            for letter in find_all(&tenant, &args.ids).await? {
                show(&letter, args.json)?;
            }
            Ok(())
        }
        DeadLettersCommand::Requeue(args) => {
            let tenant = company(&services, args.company)?;
            let letters = chosen(&tenant, &args).await?;
            let done = dead_letters::requeue(&services, &tenant, &letters, &operator).await?;
            report("requeued", done, args.json)
        }
        DeadLettersCommand::Drop(args) => {
            let tenant = company(&services, args.chosen.company)?;
            if args.chosen.all && args.confirm.as_deref() != Some(tenant.company.domain.as_str()) {
                return Err(CliError::usage(format!("type --confirm {} to drop all of them", tenant.company.domain)));
            }
            let letters = chosen(&tenant, &args.chosen).await?;
            let done = dead_letters::discard(&services, &tenant, &letters, &operator).await?;
            report("dropped", done, args.chosen.json)
        }
    }
}

/// A company by its number.
pub(super) fn company(services: &Services, id: CompanyId) -> Result<Arc<Tenant>, CliError> {
    services
        .directory
        .by_id(id)
        .ok_or_else(|| CliError::failed(format!("there is no company {id}; `secretaria provision list` shows them")))
}

async fn find_all(tenant: &Tenant, ids: &[String]) -> Result<Vec<DeadLetter>, CliError> {
    let mut letters = Vec::new();
    for id in ids {
        letters.push(dead_letters::find(tenant, id).await?);
    }
    Ok(letters)
}

async fn chosen(tenant: &Tenant, args: &ChosenArgs) -> Result<Vec<DeadLetter>, CliError> {
    if args.all {
        Ok(dead_letters::list(tenant, args.reason.as_deref()).await?)
    } else {
        find_all(tenant, &args.ids).await
    }
}

fn list(letters: &[DeadLetter], json: bool) -> Result<(), CliError> {
    for letter in letters {
        if json {
            output::json(letter)?;
        } else {
            output::line(format!("{}  {:<16}  {}", letter.id, letter.reason, at(letter)))?;
        }
    }
    if letters.is_empty() && !json {
        output::message("No dead letters.");
    }
    Ok(())
}

fn show(letter: &DeadLetter, json: bool) -> Result<(), CliError> {
    if json {
        return output::json(letter);
    }
    output::line(format!(
        "id            {}\nreason        {}\nconversation  {}\nat            {}\npayload       {}\n",
        letter.id,
        letter.reason,
        letter.conversation,
        at(letter),
        letter.envelope
    ))
}

fn report(word: &str, done: usize, json: bool) -> Result<(), CliError> {
    if json { output::json(&serde_json::json!({ word: done })) } else { output::line(format!("{done} {word}")) }
}

fn at(letter: &DeadLetter) -> String {
    chrono::DateTime::from_timestamp_millis(letter.at_ms).map(|at| at.to_rfc3339()).unwrap_or_default()
}
