//! `secretaria config`: the settings in use and where each came from.

use clap::{Args, Subcommand};
use serde_json::json;

use super::{CliError, Context, output};
use crate::config::OriginEntry;

/// Arguments of `config`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:
  secretaria config show --origin")]
pub struct ConfigArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: ConfigCommand,
}

/// What `config` does.
#[derive(Clone, Debug, Subcommand)]
pub enum ConfigCommand {
    /// Show all settings, secrets hidden
    #[command(after_help = "Examples:
  secretaria config show
  secretaria config show --origin
  secretaria config show --json")]
    Show(ShowArgs),
}

/// `config show`.
#[derive(Clone, Copy, Debug, Args)]
pub struct ShowArgs {
    /// Also where each value came from
    #[arg(long)]
    pub origin: bool,
    /// One JSON object
    #[arg(long)]
    pub json: bool,
}

/// Runs `config`.
pub async fn run(args: ConfigArgs, context: Context) -> Result<(), CliError> {
    let ConfigCommand::Show(show) = args.command;
    let entries = &context.origins.entries;
    if show.json {
        return output::json(&as_json(entries, show.origin));
    }
    let width = entries.iter().map(|entry| entry.key.len() + entry.value.len() + 3).filter(|width| *width <= 70).max();
    for entry in entries {
        let pair = format!("{} = {}", entry.key, entry.value);
        match show.origin {
            true => output::line(format!("{pair:<width$}  # {}", entry.origin, width = width.unwrap_or(0)))?,
            false => output::line(pair)?,
        }
    }
    Ok(())
}

fn as_json(entries: &[OriginEntry], origin: bool) -> serde_json::Value {
    let value = |entry: &OriginEntry| match origin {
        true => json!({ "value": entry.value, "origin": entry.origin.to_string(), "doc": entry.doc }),
        false => json!(entry.value),
    };
    entries.iter().map(|entry| (entry.key.clone(), value(entry))).collect::<serde_json::Map<_, _>>().into()
}
