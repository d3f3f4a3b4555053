//! `secretaria knowledge`: what a company told us for its customers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};
use serde_json::json;
use uuid::Uuid;

use super::dead_letters::company;
use super::provision::operator;
use super::{CliError, Context, keys, output};
use crate::clock::Clock;
use crate::domain::company::CompanyId;
use crate::domain::knowledge::{Draft, LineError, Validity, day, markdown, table};
use crate::services::Services;
use crate::services::audit::Actor;
use crate::services::knowledge::{self, ChangeError, Saved};

/// The most bytes of a file that is read.
const FILE_MAX: u64 = 8 * 1024 * 1024;

/// Arguments of `knowledge`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  secretaria knowledge import --company 42 perguntas.md
  secretaria knowledge search --company 42 'convênio?'
  secretaria knowledge list --company 42

Prices, durations, people, hours and addresses belong into `secretaria catalog`.")]
pub struct KnowledgeArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: KnowledgeCommand,
}

/// What `knowledge` does.
#[derive(Clone, Debug, Subcommand)]
pub enum KnowledgeCommand {
    /// List entries by title
    #[command(after_help = "Example:\n  secretaria knowledge list --company 42 --json")]
    List(ListArgs),
    /// Add an entry; one with the same title and first day is replaced
    #[command(after_help = "Example:
  secretaria knowledge add --company 42 --title Estacionamento --text 'Temos convênio com o estacionamento ao lado.'")]
    Add(AddArgs),
    /// Add the entries of a Markdown file (headings are titles) or a CSV table, all of them or none
    #[command(after_help = "Examples:
  secretaria knowledge import --company 42 perguntas.md --dry-run
  secretaria knowledge import --company 42 perguntas.csv

A CSV table's first line names its columns: titulo, texto, and perhaps valido_de, valido_ate (31/12/2026).
In Markdown a line `Válido de 01/12/2026 até 31/12/2026` below a heading says the same.")]
    Import(ImportArgs),
    /// Remove entries
    #[command(after_help = "Example:\n  secretaria knowledge remove --company 42 01a210f0-6df8-7759-8f12-7c201ba3eca0")]
    Remove(RemoveArgs),
    /// Show what a question finds, as the model would be shown it
    #[command(after_help = "Example:\n  secretaria knowledge search --company 42 'onde posso estacionar?'")]
    Search(SearchArgs),
}

/// `list` of `knowledge` and `catalog`.
#[derive(Clone, Debug, Args)]
pub struct ListArgs {
    /// The company
    #[arg(long, value_name = "NUMBER")]
    pub company: CompanyId,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// `knowledge add`.
#[derive(Clone, Debug, Args)]
pub struct AddArgs {
    /// The company
    #[arg(long, value_name = "NUMBER")]
    pub company: CompanyId,
    /// What it is about
    #[arg(long, value_name = "TITLE")]
    pub title: String,
    /// What is to be said
    #[arg(long, value_name = "TEXT", required_unless_present = "text_file", conflicts_with = "text_file")]
    pub text: Option<String>,
    /// The same, from a file
    #[arg(long, value_name = "PATH")]
    pub text_file: Option<PathBuf>,
    /// First day on which it is true
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub from: Option<chrono::NaiveDate>,
    /// Last day on which it is true
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub to: Option<chrono::NaiveDate>,
    /// One JSON object
    #[arg(long)]
    pub json: bool,
}

/// `import` of `knowledge` and `catalog`.
#[derive(Clone, Debug, Args)]
pub struct ImportArgs {
    /// The company
    #[arg(long, value_name = "NUMBER")]
    pub company: CompanyId,
    /// The file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// One JSON object
    #[arg(long)]
    pub json: bool,
}

/// `remove` of `knowledge` and `catalog`.
#[derive(Clone, Debug, Args)]
pub struct RemoveArgs {
    /// The company
    #[arg(long, value_name = "NUMBER")]
    pub company: CompanyId,
    /// Which ones
    #[arg(required = true, value_name = "ID")]
    pub ids: Vec<Uuid>,
}

/// `knowledge search`.
#[derive(Clone, Debug, Args)]
pub struct SearchArgs {
    /// The company
    #[arg(long, value_name = "NUMBER")]
    pub company: CompanyId,
    /// The question
    #[arg(value_name = "QUESTION")]
    pub question: String,
    /// One JSON object
    #[arg(long)]
    pub json: bool,
}

/// Runs `knowledge`.
pub async fn run(args: KnowledgeArgs, context: Context) -> Result<(), CliError> {
    let (services, operator) = begin(context).await?;
    match args.command {
        KnowledgeCommand::List(args) => list(&services, &args).await,
        KnowledgeCommand::Add(args) => add(&services, args, &operator).await,
        KnowledgeCommand::Import(args) => import(&services, &args, &operator).await,
        KnowledgeCommand::Remove(args) => {
            let tenant = company(&services, args.company)?;
            knowledge::remove_entries(&services, &tenant, &args.ids, &operator).await?;
            output::line(format!("{} removed", args.ids.len()))
        }
        KnowledgeCommand::Search(args) => search(&services, &args).await,
    }
}

/// What `knowledge` and `catalog` start from.
pub(super) async fn begin(context: Context) -> Result<(Services, Actor), CliError> {
    let key = Arc::new(keys::master_key(&context)?);
    let operator = Actor::operator(operator(&context));
    let services = Services::new(Arc::new(context.settings), key, Clock::new())?;
    services.directory.refresh().await?;
    Ok((services, operator))
}

async fn list(services: &Services, args: &ListArgs) -> Result<(), CliError> {
    let entries = knowledge::entries(&*company(services, args.company)?).await?;
    for entry in &entries {
        let Draft { title, body, validity } = &entry.draft;
        if args.json {
            output::json(&json!({
                "id": entry.id, "title": title, "text": body, "source": entry.source,
                "valid_from": validity.from, "valid_to": validity.to, "updated_at": entry.updated_at,
            }))?;
        } else {
            output::line(format!("{}  {title}{}", entry.id, when(*validity)))?;
        }
    }
    if entries.is_empty() && !args.json {
        output::message("No entries.");
    }
    Ok(())
}

fn when(validity: Validity) -> String {
    match (validity.from, validity.to) {
        (None, None) => String::new(),
        (Some(from), None) => format!("  (from {from})"),
        (None, Some(to)) => format!("  (to {to})"),
        (Some(from), Some(to)) => format!("  ({from} to {to})"),
    }
}

async fn add(services: &Services, args: AddArgs, operator: &Actor) -> Result<(), CliError> {
    let body = match (args.text, &args.text_file) {
        (Some(text), _) => text,
        (None, Some(path)) => read(path)?,
        (None, None) => String::new(),
    };
    let draft = Draft { title: args.title, body, validity: Validity { from: args.from, to: args.to } };
    let draft = draft.checked().map_err(CliError::usage)?;
    let tenant = company(services, args.company)?;
    let saved = knowledge::put_entries(services, &tenant, (&[draft], &operator.name, None), operator, false).await?;
    report(saved, false, args.json)
}

async fn import(services: &Services, args: &ImportArgs, operator: &Actor) -> Result<(), CliError> {
    let content = read(&args.file)?;
    let drafts = match kind(&args.file) {
        Some("md" | "markdown") => markdown::parse(&content),
        Some("csv" | "tsv") => table::entries(&content),
        _ => return Err(CliError::usage("the file's name must end in .md or .csv: that tells how to read it")),
    };
    let drafts: Vec<Draft> = parsed(&args.file, drafts)?;
    let tenant = company(services, args.company)?;
    let source = args.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let saved = knowledge::put_entries(services, &tenant, (&drafts, &source, None), operator, args.dry_run).await?;
    report(saved, args.dry_run, args.json)
}

async fn search(services: &Services, args: &SearchArgs) -> Result<(), CliError> {
    let tenant = company(services, args.company)?;
    let recall = knowledge::recall(services, &tenant, &args.question, services.clock.now()).await?;
    if args.json {
        return output::json(&json!({
            "found": recall.found, "entries": recall.entries, "facts": recall.services,
        }));
    }
    for line in recall.entries.iter().chain(&recall.services) {
        output::line(line)?;
    }
    if !recall.found {
        output::message(
            "Nothing is known about that; the lines above, if any, are facts that fit beside any question.",
        );
    }
    Ok(())
}

/// The ending of a file's name, lower case where it is known.
pub(super) fn kind(file: &Path) -> Option<&'static str> {
    let ending = file.extension()?.to_str()?.to_ascii_lowercase();
    ["md", "markdown", "csv", "tsv"].into_iter().find(|known| *known == ending)
}

/// A file as text. Files of spreadsheets here are often not UTF-8: that is said, not guessed at.
pub(super) fn read(path: &Path) -> Result<String, CliError> {
    let shown = path.display();
    let size = std::fs::metadata(path).map_err(|error| CliError::usage(format!("{shown} cannot be read: {error}")))?;
    if size.len() > FILE_MAX {
        return Err(CliError::usage(format!("{shown} is larger than {} MiB", FILE_MAX / 1024 / 1024)));
    }
    let bytes = std::fs::read(path).map_err(|error| CliError::usage(format!("{shown} cannot be read: {error}")))?;
    String::from_utf8(bytes)
        .map_err(|_| CliError::usage(format!("{shown} is not UTF-8: save it as \"CSV UTF-8\" or with that encoding")))
}

/// What a file holds, or every line that is wrong with it.
pub(super) fn parsed<T>(file: &Path, read: Result<Vec<(usize, T)>, Vec<LineError>>) -> Result<Vec<T>, CliError> {
    match read {
        Ok(rows) => Ok(rows.into_iter().map(|(_, row)| row).collect()),
        Err(errors) => {
            let lines: Vec<String> = errors.iter().map(|error| format!("\n  {}, {error}", file.display())).collect();
            Err(CliError::usage(format!("nothing was imported:{}", lines.concat())))
        }
    }
}

pub(super) fn report(saved: Saved, dry_run: bool, json: bool) -> Result<(), CliError> {
    let Saved { added, replaced, unchanged } = saved;
    if json {
        return output::json(
            &json!({ "added": added, "replaced": replaced, "unchanged": unchanged, "dry_run": dry_run }),
        );
    }
    let would = if dry_run { " (nothing was changed)" } else { "" };
    output::line(format!("{added} added, {replaced} replaced, {unchanged} unchanged{would}"))
}

impl From<ChangeError> for CliError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Refused(sentence) => Self::usage(sentence),
            ChangeError::NotFound(sentence) => Self::failed(sentence),
            ChangeError::Service(error) => error.into(),
        }
    }
}
