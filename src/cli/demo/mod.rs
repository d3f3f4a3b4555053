//! `secretaria demo`: everything on this machine, with example companies and stand-ins for the providers.

pub mod embedded;
pub mod postgres;
pub mod process;
pub mod redis;

mod announce;
mod knowledge;
mod seed;
mod simulator;

use std::io::IsTerminal;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

pub use seed::DemoCompany;

use self::announce::Ready;
use self::embedded::{EmbeddedOptions, EmbeddedServers};
use self::seed::Seeder;
use self::simulator::Backend;
use super::lifecycle::Shutdown;
use super::{CliError, Context, output};
use crate::cli::process::{self as running, Process};
use crate::clock::Clock;
use crate::config::Settings;
use crate::routes::Role;
use crate::routes::simulator as simulator_page;
use crate::routes::simulator::backend::SimulatorBackend;
use crate::services::migration::{self, Mode, SchemaState};
use crate::standins::{CompanyAtStandIn, StandIns};
use crate::tenant::{MasterKey, RedisServer};
use crate::workers::runner::{Runner, Scope};
use crate::workers::schedule;

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
pub async fn run(args: DemoArgs, context: Context) -> Result<(), CliError> {
    let shutdown = Shutdown::new();
    shutdown.on_signals()?;
    let data_dir = match &args.data_dir {
        Some(dir) => dir.clone(),
        None => embedded::default_data_dir().map_err(CliError::failed)?,
    };
    // Before anything that takes long, so that a taken port is told at once.
    let listener = running::listen(&format!("127.0.0.1:{}", args.port), "--port")?;
    let servers = match (&args.database_url, &args.redis_url) {
        (Some(_), Some(_)) => None,
        _ => {
            if std::io::stderr().is_terminal() {
                output::message(format!("Starting a private PostgreSQL and Redis in {} …", data_dir.display()));
            }
            let options = EmbeddedOptions { data_dir: data_dir.clone(), socket_dir: None, durable: true, tests: false };
            Some(EmbeddedServers::start(options).await.map_err(CliError::failed)?)
        }
    };
    let ended = match shutdown.is_draining() {
        true => Ok(()),
        false => run_on(&args, &context, (&data_dir, servers.as_ref()), listener, &shutdown).await,
    };
    shutdown.stop();
    if let Some(servers) = servers {
        servers.stop().await;
    }
    ended
}

async fn run_on(
    args: &DemoArgs,
    context: &Context,
    (data_dir, servers): (&Path, Option<&EmbeddedServers>),
    listener: TcpListener,
    shutdown: &Shutdown,
) -> Result<(), CliError> {
    let clock = Clock::new();
    let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let standins = StandIns::start(clock.clone(), local).await.map_err(|error| CliError::failed(error.to_string()))?;
    standins.set_latency(Duration::from_millis(600));
    let port = listener.local_addr().map_err(|error| CliError::failed(error.to_string()))?.port();
    let base_url = format!("http://127.0.0.1:{port}");
    let gemini_key = context.sources.env.get("GEMINI_API_KEY").filter(|key| !key.is_empty()).cloned();
    let settings = settings(args, context, data_dir, servers, (&standins, gemini_key.is_some()))?;

    let key_file = Path::new(&settings.security.master_key_file);
    if let Some(parent) = key_file.parent() {
        std::fs::create_dir_all(parent).map_err(|error| CliError::failed(format!("{}: {error}", parent.display())))?;
    }
    let key =
        Arc::new(MasterKey::from_file_or_new(key_file).map_err(|error| CliError::configuration(error.to_string()))?);
    migrate_all(&settings).await?;
    let redis = RedisServer::new(&settings.redis).map_err(|error| CliError::unreachable(error.to_string()))?;
    let seeder = Seeder { settings: &settings, key: &key, redis: &redis, clock: clock.clone(), gemini_key };
    let real_model = seeder.gemini_key.is_some();
    let companies = seeder.seed(!args.no_seed, args.companies).await?;
    if shutdown.is_draining() {
        return Ok(());
    }

    let process = Process::with(settings, key, Role::Demo, shutdown.clone(), clock).await?;
    knowledge::fill(&process.services, &companies).await?;
    for company in &companies {
        standins.register(at_stand_in(company, &base_url));
    }
    let standins = Arc::new(standins);
    let backend: Arc<dyn SimulatorBackend> =
        Arc::new(Backend::new(process.services.clone(), companies.clone(), Arc::clone(&standins), base_url.clone()));
    let drain = shutdown.drain_token();
    let runner = Runner::new(process.services.clone(), Scope::All, running::name());
    let working = tokio::spawn(runner.run(drain.clone()));
    let keeping_time = tokio::spawn(schedule::run_until(process.services.clone(), drain));
    let serving = {
        let process = process.clone();
        tokio::spawn(async move {
            process.serve(listener, move |cfg| simulator_page::configure(cfg, Arc::clone(&backend))).await
        })
    };
    let (settings, standins_url) = (&process.services.settings, standins.base_url());
    let ready = Ready {
        settings,
        data_dir,
        base_url: &base_url,
        standins_url: &standins_url,
        companies: &companies,
        real_model,
        portuguese: context.speaks_portuguese(),
    };
    let _removed_when_ended = ready.announce(args)?;
    shutdown.draining().await;
    let served = serving.await.map_err(|error| CliError::failed(error.to_string()))?;
    let _ = tokio::join!(working, keeping_time);
    served
}

async fn migrate_all(settings: &Settings) -> Result<(), CliError> {
    let reports = migration::run(&settings.database, Mode::Apply, &mut |_| {}).await?;
    match reports.iter().find(|report| report.state == SchemaState::Failed) {
        None => Ok(()),
        Some(report) => Err(CliError::failed(format!(
            "{} could not be migrated: {}",
            report.schema,
            report.error.as_deref().unwrap_or("no reason given")
        ))),
    }
}

fn at_stand_in(company: &DemoCompany, base_url: &str) -> CompanyAtStandIn {
    CompanyAtStandIn {
        id: company.id,
        webhook_url: format!("{base_url}/webhook/whaticket"),
        host: company.domain.clone(),
        webhook_secret: company.webhook_secret.clone(),
        webhook_token: company.webhook_token.clone(),
    }
}

/// The demo's settings: the given ones, with private servers and stand-ins where nothing else was named.
fn settings(
    args: &DemoArgs,
    context: &Context,
    data_dir: &Path,
    servers: Option<&EmbeddedServers>,
    (standins, real_model): (&StandIns, bool),
) -> Result<Settings, CliError> {
    let mut sources = context.sources.clone();
    let mut put = |key: &str, value: String| sources.overrides.push((key.to_owned(), value));
    put("profile", "demo".to_owned());
    put("queue.burst_window_ms", "500".to_owned());
    put("server.linger_ms", "0".to_owned());
    put("llm.breaker_open_ms", "5000".to_owned());
    put("delivery.base_url", standins.base_url());
    if !real_model {
        put("llm.base_url", standins.gemini_url());
    }
    put("security.master_key_file", data_dir.join("master.key").display().to_string());
    if let Some(servers) = servers {
        put("database.url", servers.database_url.clone());
        put("database.admin_url", servers.admin_url.clone());
        put("redis.url", servers.redis_url.clone());
    }
    if let Some(url) = &args.database_url {
        put("database.url", url.clone());
        // Without a login of its own the migrator is whoever this URL names.
        if !context.sources.env.contains_key("DATABASE_ADMIN_URL") {
            put("database.admin_url", url.clone());
        }
    }
    if let Some(url) = &args.redis_url {
        put("redis.url", url.clone());
        put("redis.durability", "any".to_owned());
    }
    Ok(Context::from_sources(sources)?.settings)
}
