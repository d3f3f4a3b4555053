//! `secretaria train-context`: learns from past conversations what customers speak of.

use std::io::IsTerminal;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeZone, Utc};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::time::Instant;

use super::{CliError, Context, keys, output};
use crate::clock::Clock;
use crate::domain::company::CompanyId;
use crate::services::training::{self, Options, Progress, Report};
use crate::services::{Services, embedding};
use crate::tenant::Tenant;

/// How often a line tells how far it is where there is no terminal to draw on.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Flags of `train-context`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  secretaria train-context
  secretaria train-context --company 42 --since 2026-11-01
  secretaria train-context --dry-run --json

Learns only what is new since the last run; a run that was ended in the middle is gone on with by the next one. Numbers
come from the company's provider; when that fails, hashed ones stand in and a later run asks again.")]
pub struct TrainContextArgs {
    /// Only this company
    #[arg(long, value_name = "NUMBER")]
    pub company: Option<CompanyId>,
    /// Only conversations with a message on or after this day, in the company's time zone
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub since: Option<NaiveDate>,
    /// Count what there is to learn, change nothing and ask nobody
    #[arg(long)]
    pub dry_run: bool,
    /// Pages of conversations learnt at once
    #[arg(long, value_name = "COUNT", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=32))]
    pub jobs: u8,
    /// Most requests a minute to a provider
    #[arg(long, value_name = "COUNT", default_value = "60")]
    pub requests_per_minute: NonZeroU32,
    /// One JSON object a company
    #[arg(long)]
    pub json: bool,
}

/// Runs `train-context`. Exit code 5 when some companies could not be learnt from.
pub async fn run(args: TrainContextArgs, context: Context) -> Result<(), CliError> {
    let key = Arc::new(keys::master_key(&context)?);
    let services = Services::new(Arc::new(context.settings), key, Clock::new())?;
    services.directory.refresh().await?;
    let companies = match args.company {
        Some(id) => vec![super::dead_letters::company(&services, id)?],
        None => services.directory.all(),
    };
    let mut failed = 0;
    for tenant in &companies {
        let begun = Instant::now();
        let learnt = one(&services, tenant, &args).await;
        failed += usize::from(learnt.is_err());
        match learnt {
            Ok(report) => tell(tenant, &report, begun.elapsed(), &args)?,
            Err(error) if companies.len() == 1 => return Err(error),
            Err(error) => output::message(format!("company {}: FAILED: {error}", tenant.id())),
        }
    }
    match failed {
        0 => Ok(()),
        all if all == companies.len() => Err(CliError::failed("no company could be learnt from, see above")),
        some => Err(CliError::partly(format!(
            "{some} of {} companies could not be learnt from, see above.\n  to mend: see to the causes and run it again; \
             what is learnt stays learnt",
            companies.len()
        ))),
    }
}

async fn one(services: &Services, tenant: &Tenant, args: &TrainContextArgs) -> Result<Report, CliError> {
    let options = Options {
        since: args.since.map(|day| beginning(day, tenant)),
        dry_run: args.dry_run,
        jobs: usize::from(args.jobs),
        requests_per_minute: args.requests_per_minute,
    };
    let embedder = embedding::of(services, tenant);
    let meter = Meter::new(tenant);
    let report =
        training::company(services, tenant, embedder.as_ref(), &options, &|progress| meter.see(&progress)).await;
    meter.bar.finish_and_clear();
    Ok(report?)
}

/// The first moment of a day where the company is. Where clocks skip midnight, the day begins as UTC has it.
fn beginning(day: NaiveDate, tenant: &Tenant) -> DateTime<Utc> {
    let local = day.and_time(NaiveTime::MIN);
    let begins = tenant.settings.timezone.from_local_datetime(&local).earliest();
    begins.map_or_else(|| local.and_utc(), |moment| moment.with_timezone(&Utc))
}

/// A bar on a terminal, else a line now and then; nothing where it takes no time.
struct Meter {
    bar: ProgressBar,
    line: String,
    told: Mutex<Option<Instant>>,
}

impl Meter {
    fn new(tenant: &Tenant) -> Self {
        let line = format!("company {} ({})", tenant.id(), tenant.company.domain);
        // Hidden by itself when stderr is no terminal.
        let bar = ProgressBar::new(0).with_message(line.clone());
        if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} conversations, {eta} left") {
            bar.set_style(style);
        }
        let told = (!std::io::stderr().is_terminal()).then(Instant::now);
        Self { bar, line, told: Mutex::new(told) }
    }

    fn see(&self, progress: &Progress) {
        match progress {
            Progress::Total(total) => self.bar.set_length(u64::try_from(*total).unwrap_or(u64::MAX)),
            Progress::Learnt(more) => self.bar.inc(u64::try_from(*more).unwrap_or(0)),
            Progress::Embedded(_) => self.bar.tick(),
        }
        if let Ok(mut told) = self.told.lock()
            && told.is_some_and(|last| last.elapsed() >= LINE_EVERY)
        {
            *told = Some(Instant::now());
            let (at, of) = (self.bar.position(), self.bar.length().unwrap_or(0));
            output::message(format!("{}: {at} of {of} conversations", self.line));
        }
    }
}

fn tell(tenant: &Tenant, report: &Report, took: Duration, args: &TrainContextArgs) -> Result<(), CliError> {
    if args.json {
        let mut value = serde_json::json!(report);
        if let Some(fields) = value.as_object_mut() {
            fields.insert("company".to_owned(), tenant.id().get().into());
            fields.insert("dry_run".to_owned(), args.dry_run.into());
            fields.insert("seconds".to_owned(), took.as_secs_f64().into());
        }
        return output::json(&value);
    }
    let head = format!("company {} ({}):", tenant.id(), tenant.company.domain);
    let Report { conversations, messages, profiles, embedded, pending, left, provider_error } = report;
    if args.dry_run {
        return output::line(format!("{head} {conversations} conversations with {messages} messages to learn from"));
    }
    let mut line = format!(
        "{head} {conversations} conversations, {messages} messages, {profiles} profiles, {embedded} numbers from the \
         provider, {:.1} s",
        took.as_secs_f64()
    );
    if *left > 0 {
        line.push_str(&format!("; {left} conversations were in use and are left to the next run"));
    }
    if let Some(error) = provider_error {
        line.push_str(&format!("; {pending} people wait for the provider: {error}"));
    }
    output::line(line)
}
