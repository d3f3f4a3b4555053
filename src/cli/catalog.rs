//! `secretaria catalog`: a company's typed facts, such as services with their prices.

use clap::{Args, Subcommand};
use serde_json::json;

use super::dead_letters::company;
use super::knowledge::{ImportArgs, ListArgs, RemoveArgs, begin, kind, parsed, read, report};
use super::{CliError, Context, output};
use crate::domain::company::CompanyId;
use crate::domain::knowledge::facts::{Fact, FactKind, parse_duration, parse_price};
use crate::domain::knowledge::table;
use crate::services::Services;
use crate::services::audit::Actor;
use crate::services::knowledge;

/// Arguments of `catalog`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  secretaria catalog set --company 42 --name Limpeza --price 'R$ 180,00' --duration '40 min'
  secretaria catalog import --company 42 servicos.csv
  secretaria catalog list --company 42")]
pub struct CatalogArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: CatalogCommand,
}

/// What `catalog` does.
#[derive(Clone, Debug, Subcommand)]
pub enum CatalogCommand {
    /// List facts by kind and name
    #[command(after_help = "Example:\n  secretaria catalog list --company 42 --json")]
    List(ListArgs),
    /// Add a fact; one of the same kind and name is replaced
    #[command(after_help = "Examples:
  secretaria catalog set --company 42 --name Limpeza --price 'R$ 180,00' --duration '40 min'
  secretaria catalog set --company 42 --kind hours --name Horário --text 'segunda a sexta, das 8h às 18h'")]
    Set(SetArgs),
    /// Add the facts of a CSV table, all of them or none
    #[command(after_help = "Example:
  secretaria catalog import --company 42 servicos.csv --dry-run

The first line names the columns: nome, and perhaps tipo, texto, preço, moeda, duração, vagas, ativo.")]
    Import(ImportArgs),
    /// Remove facts
    #[command(after_help = "Example:\n  secretaria catalog remove --company 42 01a210f0-6df8-7759-8f12-7c201ba3eca0")]
    Remove(RemoveArgs),
}

/// `catalog set`.
#[derive(Clone, Debug, Args)]
pub struct SetArgs {
    /// The company
    #[arg(long, value_name = "NUMBER")]
    pub company: CompanyId,
    /// service, product, professional, hours, address, payment, contact or other
    #[arg(long, value_name = "KIND", default_value = "service", value_parser = kind_of)]
    pub kind: FactKind,
    /// The name of the service, person, unit
    #[arg(long, value_name = "NAME")]
    pub name: String,
    /// What else is to be said; of hours, addresses, payment and contact the whole of it
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub text: String,
    /// Price, for example 'R$ 180,00', 'a partir de R$ 90', grátis
    #[arg(long, value_name = "PRICE", value_parser = parse_price)]
    pub price: Option<(i64, bool)>,
    /// Currency of the price
    #[arg(long, value_name = "CODE", default_value = "BRL")]
    pub currency: String,
    /// Duration, for example '40 min' or 1h30
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub duration: Option<i32>,
    /// How many can take part at once
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    pub capacity: i32,
    /// It is not offered now
    #[arg(long)]
    pub inactive: bool,
    /// One JSON object
    #[arg(long)]
    pub json: bool,
}

fn kind_of(text: &str) -> Result<FactKind, String> {
    FactKind::parse(text).ok_or_else(|| {
        let kinds: Vec<&str> = FactKind::ALL.iter().map(|kind| kind.as_str()).collect();
        format!("write one of {}", kinds.join(", "))
    })
}

/// Runs `catalog`.
pub async fn run(args: CatalogArgs, context: Context) -> Result<(), CliError> {
    let (services, operator) = begin(context).await?;
    match args.command {
        CatalogCommand::List(args) => list(&services, &args).await,
        CatalogCommand::Set(args) => set(&services, args, &operator).await,
        CatalogCommand::Import(args) => import(&services, &args, &operator).await,
        CatalogCommand::Remove(args) => {
            let tenant = company(&services, args.company)?;
            knowledge::remove_facts(&services, &tenant, &args.ids, &operator).await?;
            output::line(format!("{} removed", args.ids.len()))
        }
    }
}

async fn list(services: &Services, args: &ListArgs) -> Result<(), CliError> {
    let items = knowledge::facts(&*company(services, args.company)?).await?;
    for item in &items {
        let fact = &item.fact;
        if args.json {
            output::json(&json!({
                "id": item.id, "kind": fact.kind, "name": fact.name, "text": fact.text,
                "price_cents": fact.price_cents, "price_from": fact.price_from, "currency": fact.currency,
                "duration_min": fact.duration_min, "capacity": fact.capacity, "active": fact.active,
                "updated_at": item.updated_at,
            }))?;
        } else {
            let off = if fact.active { "" } else { "  (not offered)" };
            output::line(format!("{}  {:<12}  {}{off}", item.id, fact.kind.as_str(), fact.line()))?;
        }
    }
    if items.is_empty() && !args.json {
        output::message("No facts.");
    }
    Ok(())
}

async fn set(services: &Services, args: SetArgs, operator: &Actor) -> Result<(), CliError> {
    let fact = Fact {
        text: args.text,
        price_cents: args.price.map(|(cents, _)| cents),
        price_from: args.price.is_some_and(|(_, from)| from),
        currency: args.currency.to_uppercase(),
        duration_min: args.duration,
        capacity: args.capacity,
        active: !args.inactive,
        ..Fact::new(args.kind, args.name)
    };
    let fact = fact.checked().map_err(CliError::usage)?;
    let tenant = company(services, args.company)?;
    let saved = knowledge::put_facts(services, &tenant, (&[fact], None), operator, false).await?;
    report(saved, false, args.json)
}

async fn import(services: &Services, args: &ImportArgs, operator: &Actor) -> Result<(), CliError> {
    if !matches!(kind(&args.file), Some("csv" | "tsv")) {
        return Err(CliError::usage("the file's name must end in .csv: facts are read from a table"));
    }
    let facts: Vec<Fact> = parsed(&args.file, table::facts(&read(&args.file)?))?;
    let tenant = company(services, args.company)?;
    let saved = knowledge::put_facts(services, &tenant, (&facts, None), operator, args.dry_run).await?;
    report(saved, args.dry_run, args.json)
}
