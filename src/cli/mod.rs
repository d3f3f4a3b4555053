//! The command line: one file per command, each its own composition root.
//!
//! Manners: data on stdout, messages on stderr, secrets from files or stdin and never from flags, an example in every
//! `--help`, and the exit codes of [`ExitCode`].

pub mod catalog;
pub mod config;
pub mod dead_letters;
pub mod demo;
mod error;
pub mod keys;
pub mod knowledge;
pub mod lifecycle;
pub mod migrate;
pub mod output;
pub mod process;
pub mod provision;
pub mod schedule;
pub mod serve;
pub mod train_context;
pub mod work;

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

pub use error::{CliError, Exit};

use crate::config::{Origins, Settings, Sources};

/// The whole command line.
#[derive(Debug, Parser)]
#[command(name = "secretaria", version, about, propagate_version = true, after_help = EXAMPLES)]
pub struct Cli {
    /// File with settings (TOML); SECRETARIA_CONFIG names it, too
    #[arg(long, global = true, value_name = "PATH")]
    pub config: Option<PathBuf>,
    /// How log lines on stderr look: auto (human on a terminal, else JSON), json or human
    #[arg(long, global = true, value_enum, value_name = "FORMAT", hide_possible_values = true)]
    pub log_format: Option<LogFormatFlag>,
    /// Log more
    #[arg(long, short, global = true)]
    pub verbose: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "Examples:
  secretaria demo          everything on this machine
  secretaria migrate up    bring the database up to date
  secretaria provision --name 'Clínica Sorriso' --domain clinica.example.com
  secretaria serve         take webhooks
  secretaria work --all    answer them

Exit codes: 0 ok, 1 failed, 2 usage, 3 configuration, 4 dependency unreachable, 5 partly done";

/// The filter behind `--verbose`: the default one with our own lines in full.
const VERBOSE: &str = "info,secretaria=debug,actix_server=warn,actix_http=warn,tokio_cron_scheduler=warn";

/// `--log-format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormatFlag {
    /// Human on a terminal, else JSON
    Auto,
    /// One JSON object a line
    Json,
    /// For eyes
    Human,
}

/// The commands; the five of a running installation first.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Take webhooks over HTTP
    Serve(serve::ServeArgs),
    /// Answer the messages of one, several or all companies
    Work(work::WorkArgs),
    /// Do what is due at a time
    Schedule(schedule::ScheduleArgs),
    /// Create, list and change companies
    Provision(provision::ProvisionArgs),
    /// Learn from past conversations what customers speak of
    TrainContext(train_context::TrainContextArgs),
    /// Run everything on this machine with example companies and stand-ins for the providers
    Demo(demo::DemoArgs),
    /// Bring the database's tables up to date
    Migrate(migrate::MigrateArgs),
    /// Add, import, list and search what a company tells its customers
    Knowledge(knowledge::KnowledgeArgs),
    /// Add, import and list services with their prices, people, hours and addresses
    Catalog(catalog::CatalogArgs),
    /// See, requeue or drop messages that could not be handled
    DeadLetters(dead_letters::DeadLettersArgs),
    /// Show the settings in use
    Config(config::ConfigArgs),
}

impl Command {
    /// Settings that flags of the command set.
    pub fn overrides(&self) -> Vec<(String, String)> {
        match self {
            Self::Serve(args) => args.overrides(),
            Self::Work(args) => args.overrides(),
            Self::Schedule(args) => args.overrides(),
            _ => Vec::new(),
        }
    }

    /// How many threads of the runtime it needs; `None` is one for each core.
    pub fn threads(&self) -> Option<usize> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        match self {
            // HTTP is served on threads of its own. What is left is the one connection to Redis and a few timers, and a
            // second thread would only wake the first.
            Self::Serve(_) => Some(1),
            // Turns wait for others nearly all of their time. Threads that have nothing to do wake each other to look for
            // something, and the stores want cores too: measured on two, one thread took 15 % less time a message than two.
            Self::Work(_) => Some(cores.div_ceil(2)),
            _ => None,
        }
    }

    /// Runs the command to its end.
    pub async fn run(self, context: Context) -> Result<(), CliError> {
        match self {
            Self::Serve(args) => serve::run(args, context).await,
            Self::Work(args) => work::run(args, context).await,
            Self::Schedule(args) => schedule::run(args, context).await,
            Self::Provision(args) => provision::run(args, context).await,
            Self::TrainContext(args) => train_context::run(args, context).await,
            Self::Demo(args) => demo::run(args, context).await,
            Self::Migrate(args) => migrate::run(args, context).await,
            Self::Knowledge(args) => knowledge::run(args, context).await,
            Self::Catalog(args) => catalog::run(args, context).await,
            Self::DeadLetters(args) => dead_letters::run(args, context).await,
            Self::Config(args) => config::run(args, context).await,
        }
    }
}

/// What every command starts from.
#[derive(Clone)]
pub struct Context {
    /// Where the settings were read from; `demo` loads them once more with its own values on top.
    pub sources: Sources,
    /// The settings.
    pub settings: Settings,
    /// Where each came from.
    pub origins: Origins,
}

impl Context {
    /// Reads the environment and the settings once.
    pub fn load(cli: &Cli) -> Result<Self, CliError> {
        // Variables that are no UTF-8 can be none of ours.
        let env: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let from_env = env.get("SECRETARIA_CONFIG").filter(|path| !path.is_empty()).map(PathBuf::from);
        let mut overrides = cli.command.overrides();
        if let Some(format) = cli.log_format.and_then(|format| format.to_possible_value()) {
            overrides.push(("log.format".into(), format.get_name().into()));
        }
        if cli.verbose {
            overrides.push(("log.filter".into(), VERBOSE.into()));
        }
        Self::from_sources(Sources { file: cli.config.clone().or(from_env), env, overrides })
    }

    /// Whether the user's language is Portuguese, as POSIX says it: the first of three variables that is set.
    pub fn speaks_portuguese(&self) -> bool {
        let mut words = ["LC_ALL", "LC_MESSAGES", "LANG"].iter().filter_map(|name| self.sources.env.get(*name));
        words.find(|word| !word.is_empty()).is_some_and(|word| word.starts_with("pt"))
    }

    /// Whether the user wants no colours (<https://no-color.org>).
    pub fn no_color(&self) -> bool {
        self.sources.env.get("NO_COLOR").is_some_and(|value| !value.is_empty())
    }

    /// Reads the settings of given sources.
    pub fn from_sources(sources: Sources) -> Result<Self, CliError> {
        let (settings, origins) = Settings::load(&sources)?;
        Ok(Self { sources, settings, origins })
    }
}

/// The runtime of a command; `None` is a thread for each core.
pub fn runtime(threads: Option<usize>) -> Result<tokio::runtime::Runtime, CliError> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if let Some(threads) = threads {
        builder.worker_threads(threads);
    }
    builder
        .enable_all()
        .thread_name("secretaria")
        .build()
        .map_err(|error| CliError::failed(format!("the runtime cannot start: {error}")))
}
