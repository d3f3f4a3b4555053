//! `secretaria migrate`: brings the tables of control and of every company up to date.

use clap::{Args, Subcommand};
use indicatif::ProgressBar;
use secrecy::ExposeSecret;

use super::keys::master_key_or_new;
use super::{CliError, Context, output};
use crate::services::migration::{self, Mode, Progress, SchemaReport, SchemaState};
use crate::services::provisioning::stored_master_key_id;
use crate::tenant::AdminDb;

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
pub async fn run(args: MigrateArgs, context: Context) -> Result<(), CliError> {
    let (mode, output, versions) = match args.command {
        MigrateCommand::Plan(output) => (Mode::Look, output, true),
        MigrateCommand::Status(output) => (Mode::Look, output, false),
        MigrateCommand::Up(output) => (Mode::Apply, output, true),
    };
    if context.settings.database.admin_url.expose_secret().is_empty() {
        return Err(CliError::configuration(
            "database.admin_url is empty: this command needs the login of the migrator.\n  to mend: set DATABASE_ADMIN_URL, or \
             DATABASE_ADMIN_URL_FILE",
        ));
    }
    // Hidden by itself when stderr is no terminal.
    let bar = if output.json { ProgressBar::hidden() } else { ProgressBar::new(0) };
    let mut written = Ok(());
    let reports = migration::run(&context.settings.database, mode, &mut |progress| match progress {
        Progress::Companies(count) => bar.set_length(u64::try_from(count).unwrap_or(u64::MAX)),
        Progress::Schema(report) => {
            bar.inc(u64::from(report.company.is_some()));
            let line = if output.json { output::json(report) } else { bar.suspend(|| tell(report, versions)) };
            written = written.clone().and(line);
        }
    })
    .await;
    bar.finish_and_clear();
    let reports = reports?;
    written?;
    conclude(&reports, mode)?;
    // The first use of an installation: `serve` needs a key before the first company exists.
    match mode == Mode::Apply && reports.iter().all(|report| report.company.is_none()) {
        true => first_key(&context).await,
        false => Ok(()),
    }
}

async fn first_key(context: &Context) -> Result<(), CliError> {
    let sealed_with = stored_master_key_id(&mut AdminDb::connect(&context.settings.database).await?).await?;
    if let Err(error) = master_key_or_new(context, sealed_with.as_deref()) {
        output::message(format!("note: {error}"));
    }
    Ok(())
}

fn tell(report: &SchemaReport, versions: bool) -> Result<(), CliError> {
    let domain = report.domain.as_deref().map(|domain| format!(" ({domain})")).unwrap_or_default();
    let schema = format!("{}{domain}", report.schema);
    let pending = match versions {
        true => report.pending.join(", "),
        false => format!("{} of {}", report.pending.len(), report.pending.len() + report.applied.len()),
    };
    match report.state {
        SchemaState::UpToDate => output::line(format!("{schema}: up to date ({} applied)", report.applied.len())),
        SchemaState::Pending => output::line(format!("{schema}: missing {pending}")),
        SchemaState::Migrated => output::line(format!("{schema}: applied {pending}")),
        SchemaState::Failed => {
            output::message(format!("{schema}: FAILED: {}", report.error.as_deref().unwrap_or("no reason given")));
            Ok(())
        }
    }
}

fn conclude(reports: &[SchemaReport], mode: Mode) -> Result<(), CliError> {
    let failed = reports.iter().filter(|report| report.state == SchemaState::Failed).count();
    // Control being up to date already is no part of what was done.
    let done = reports
        .iter()
        .filter(|report| match report.company {
            Some(_) => report.state != SchemaState::Failed,
            None => report.state == SchemaState::Migrated,
        })
        .count();
    if failed > 0 {
        let message = format!(
            "{failed} of {} schemas failed, see above.\n  to mend: see to their causes and run `secretaria migrate up` again; \
             what is done stays done",
            reports.len()
        );
        return Err(if done > 0 { CliError::partly(message) } else { CliError::failed(message) });
    }
    if mode == Mode::Look && reports.iter().any(|report| report.state == SchemaState::Pending) {
        output::message("To apply what is missing: secretaria migrate up");
    }
    Ok(())
}
