//! PostgreSQL and Redis of one's own, from the installed programs, for `demo` and the tests.
//!
//! They listen on Unix sockets only, never touch a server that already runs, drop root, keep their data for the next
//! start and end with this process, even when it is killed.

use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::postgres::{PostgresOptions, PostgresServer};
use super::process::{ServiceUser, socket_dir};
use super::redis::{RedisOptions, RedisServer};

/// How the private servers run.
#[derive(Clone, Debug)]
pub struct EmbeddedOptions {
    /// Where data, logs and the lock are.
    pub data_dir: PathBuf,
    /// Where sockets are; by default a short path under /tmp made from the data directory.
    pub socket_dir: Option<PathBuf>,
    /// Redis writes each command to disk before it answers.
    pub durable: bool,
    /// PostgreSQL faster and careless.
    pub tests: bool,
}

/// Both servers, running; they end when dropped.
pub struct EmbeddedServers {
    /// PostgreSQL.
    pub postgres: PostgresServer,
    /// Redis.
    pub redis: RedisServer,
    /// URL of the application's role.
    pub database_url: String,
    /// URL of the migrator.
    pub admin_url: String,
    /// URL of the superuser, who only makes databases and roles.
    pub bootstrap_url: String,
    /// URL of Redis.
    pub redis_url: String,
    /// Held as long as the servers run; declared last, so it is released last.
    _lock: File,
}

impl EmbeddedServers {
    /// Starts both without blocking the runtime. A second start uses the data of the first.
    pub async fn start(options: EmbeddedOptions) -> Result<Self, String> {
        tokio::task::spawn_blocking(move || Self::start_blocking(&options)).await.map_err(|error| error.to_string())?
    }

    /// Starts both; blocks for about a second the first time, then less.
    pub fn start_blocking(options: &EmbeddedOptions) -> Result<Self, String> {
        let dir = prepare(&options.data_dir)?;
        let lock = lock(&dir)?;
        let sockets = options.socket_dir.clone().unwrap_or_else(|| socket_dir(&dir));
        let redis_options =
            RedisOptions { durable: options.durable, socket_dir: Some(sockets.clone()), ..RedisOptions::default() };
        let redis = RedisServer::start(&dir.join("redis"), redis_options)?;
        let postgres_options = PostgresOptions { tests: options.tests, socket_dir: Some(sockets), env: Vec::new() };
        let postgres = PostgresServer::start(&dir.join("pg"), postgres_options)?;
        Ok(Self {
            database_url: postgres.url("secretaria_app", "secretaria"),
            admin_url: postgres.url("secretaria_migrator", "secretaria"),
            bootstrap_url: postgres.url("bootstrap", "postgres"),
            redis_url: redis.url(),
            postgres,
            redis,
            _lock: lock,
        })
    }

    /// Ends both in order, without blocking the runtime.
    pub async fn stop(self) {
        // A panic while stopping would already have been reported by its own thread.
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }
}

/// `.demo` in the current directory; where the servers' user cannot reach it (a home of root), a place under /var/tmp.
pub fn default_data_dir() -> Result<PathBuf, String> {
    let here = std::env::current_dir().map_err(|error| format!("the current directory: {error}"))?.join(".demo");
    if ServiceUser::find()?.can_reach(&here) {
        return Ok(here);
    }
    Ok(PathBuf::from("/var/tmp/secretaria-demo"))
}

fn prepare(data_dir: &Path) -> Result<PathBuf, String> {
    let fail = |error: std::io::Error| format!("the data directory {}: {error}", data_dir.display());
    std::fs::create_dir_all(data_dir).map_err(fail)?;
    let dir = data_dir.canonicalize().map_err(fail)?;
    // The servers' user passes through to its own directories and can read nothing else here.
    let mode = std::fs::metadata(&dir).map_err(fail)?.permissions().mode();
    std::fs::set_permissions(&dir, std::fs::Permissions::from_mode((mode & 0o777) | 0o111)).map_err(fail)?;
    if !ServiceUser::find()?.can_reach(&dir.join("pg")) {
        return Err(format!(
            "the data directory {} lies inside one that the servers' user may not enter; choose another with --data-dir, for \
             example /var/tmp/secretaria-demo",
            dir.display()
        ));
    }
    Ok(dir)
}

fn lock(dir: &Path) -> Result<File, String> {
    let path = dir.join("lock");
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|error| format!("{}: {error}", path.display()))?;
    flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|_| {
        format!("another demo runs on {}; stop it, or choose another directory with --data-dir", dir.display())
    })?;
    Ok(file)
}
