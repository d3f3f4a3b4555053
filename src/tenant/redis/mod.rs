//! Redis behind the wall: one multiplexed connection a process, scripts, and keys only by their typed names.

mod listen;
mod own;
mod reply;
mod state;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use deadpool_redis::redis::aio::ConnectionManagerConfig;
use deadpool_redis::redis::{self, Cmd, RedisError, Value};
use secrecy::ExposeSecret;
use tokio::time::Instant;

pub use self::listen::{ChangeListener, HintListener};
pub use self::reply::Reply;
pub use self::state::{DurabilityLevel, RedisState};

use self::own::Connections;
use super::error::{Store, StoreError};
use super::keys::{ControlKey, TenantKey, prefix};
use crate::config::RedisSettings;
use crate::domain::company::CompanyId;

/// A Lua script, sent by its hash and loaded when Redis does not know it (after a restart, say).
pub struct Lua {
    script: redis::Script,
}

impl Lua {
    /// Takes the source.
    pub fn new(source: &str) -> Self {
        Self { script: redis::Script::new(source) }
    }
}

/// An argument of a script or command.
pub enum Arg<'a> {
    /// Text or bytes.
    Text(&'a str),
    /// A number.
    Int(i64),
}

impl Arg<'_> {
    /// Bytes it takes at most.
    fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Int(_) => 20,
        }
    }
}

impl<'a> From<&'a str> for Arg<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Arg<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Arg<'_> {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

/// The process's connection to Redis. Connects when first used, and again after every loss.
#[derive(Clone)]
pub struct RedisServer {
    client: redis::Client,
    conn: Connections,
    blocking: deadpool_redis::Pool,
    run: Arc<Mutex<Option<(Instant, String)>>>,
}

impl RedisServer {
    /// Prepares the connection without making it: a process starts while Redis is down.
    pub fn new(settings: &RedisSettings) -> Result<Self, StoreError> {
        let url = settings.url.expose_secret();
        let timeout = Duration::from_millis(settings.response_timeout_ms);
        let client = redis::Client::open(url)?;
        let config = ConnectionManagerConfig::new()
            .set_response_timeout(Some(timeout))
            .set_connection_timeout(Some(timeout))
            .set_number_of_retries(1)
            .set_max_delay(Duration::from_millis(500));
        let conn = Connections::new(client.clone(), config)?;
        // Blocking commands wait inside Redis, so they get connections of their own and a longer patience.
        let manager_config =
            redis::AsyncConnectionConfig::new().set_response_timeout(Some(timeout + Duration::from_secs(30)));
        let manager = deadpool_redis::Manager::new_with_config(url, manager_config)?;
        let blocking = deadpool_redis::Pool::builder(manager)
            .max_size(64)
            .runtime(deadpool_redis::Runtime::Tokio1)
            .create_timeout(Some(timeout))
            .build()
            .map_err(|error| unavailable(&error))?;
        Ok(Self { client, conn, blocking, run: Arc::default() })
    }

    /// Gives the current thread a connection of its own; only for threads whose runtime is theirs alone.
    ///
    /// # Errors
    /// When the connection cannot be prepared; it is not made yet.
    pub fn own_for_this_thread(&self) -> Result<(), StoreError> {
        Ok(self.conn.own_for_this_thread()?)
    }

    /// The handle of one company.
    pub(crate) fn tenant(&self, company: CompanyId) -> TenantRedis {
        TenantRedis { server: self.clone(), company, prefix: prefix(company) }
    }

    /// The handle of what belongs to no company.
    pub fn control(&self) -> ControlRedis {
        ControlRedis { server: self.clone() }
    }

    async fn query(&self, cmd: &Cmd) -> Result<Reply, StoreError> {
        let mut conn = self.conn.get();
        Ok(cmd.query_async::<Value>(&mut conn).await?.into())
    }

    /// Which start of Redis answers, asked at most once a second; `-` where Redis does not say.
    async fn run_id(&self) -> Result<String, StoreError> {
        let lock = || self.run.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, id)) = lock().as_ref()
            && at.elapsed() < Duration::from_secs(1)
        {
            return Ok(id.clone());
        }
        let info = match self.query(redis::cmd("INFO").arg("server")).await {
            Err(StoreError::Unavailable { store, detail }) => return Err(StoreError::Unavailable { store, detail }),
            other => other.ok(),
        };
        let found = info
            .as_ref()
            .and_then(Reply::text)
            .and_then(|text| text.lines().find_map(|line| line.strip_prefix("run_id:")).map(|id| id.trim().to_owned()));
        let id = found.unwrap_or_else(|| "-".to_owned());
        *lock() = Some((Instant::now(), id.clone()));
        Ok(id)
    }

    async fn run(&self, lua: &Lua, key: &str, args: &[Arg<'_>]) -> Result<Reply, StoreError> {
        let build = |how: &str, what: &str| {
            let bytes = args.iter().map(Arg::len).sum::<usize>();
            let mut cmd = Cmd::with_capacity(args.len() + 4, bytes + key.len() + 64);
            cmd.arg(how).arg(what).arg(1).arg(key);
            push(&mut cmd, args);
            cmd
        };
        let mut conn = self.conn.get();
        match build("EVALSHA", lua.script.get_hash()).query_async::<Value>(&mut conn).await {
            Err(error) if is_noscript(&error) => {
                lua.script.load_async(&mut conn).await?;
                Ok(build("EVALSHA", lua.script.get_hash()).query_async::<Value>(&mut conn).await?.into())
            }
            other => Ok(other?.into()),
        }
    }
}

fn is_noscript(error: &RedisError) -> bool {
    error.code() == Some("NOSCRIPT")
}

fn push(cmd: &mut Cmd, args: &[Arg<'_>]) {
    for arg in args {
        match arg {
            Arg::Text(text) => cmd.arg(text),
            Arg::Int(number) => cmd.arg(number),
        };
    }
}

fn unavailable(error: &dyn std::fmt::Display) -> StoreError {
    StoreError::Unavailable { store: Store::Redis, detail: error.to_string() }
}

impl std::fmt::Debug for RedisServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RedisServer(…)")
    }
}

/// A company's part of Redis.
#[derive(Clone)]
pub struct TenantRedis {
    server: RedisServer,
    company: CompanyId,
    prefix: String,
}

impl TenantRedis {
    /// The company whose part this is.
    pub fn company(&self) -> CompanyId {
        self.company
    }

    /// Which start of Redis answers; a second old at most.
    pub async fn run_id(&self) -> Result<String, StoreError> {
        self.server.run_id().await
    }

    /// Runs a script. Its `KEYS[1]` is the company's prefix; every key it touches begins with it.
    pub async fn run(&self, lua: &Lua, args: &[Arg<'_>]) -> Result<Reply, StoreError> {
        self.server.run(lua, &self.prefix, args).await
    }

    /// Runs one command on one key: `command(name, key, rest)`.
    pub async fn command(&self, name: &str, key: TenantKey<'_>, rest: &[Arg<'_>]) -> Result<Reply, StoreError> {
        let mut cmd = redis::cmd(name);
        cmd.arg(key.full(self.company));
        push(&mut cmd, rest);
        self.server.query(&cmd).await
    }

    /// Reads several string keys in one round trip.
    pub async fn read_many(&self, keys: &[TenantKey<'_>]) -> Result<Vec<Reply>, StoreError> {
        let mut cmd = redis::cmd("MGET");
        for key in keys {
            cmd.arg(key.full(self.company));
        }
        Ok(self.server.query(&cmd).await?.list().to_vec())
    }

    /// Waits up to `patience` for an element of a list. `false` when none came.
    pub async fn wait_for(&self, key: TenantKey<'_>, patience: Duration) -> Result<bool, StoreError> {
        let mut conn = self.server.blocking.get().await.map_err(|error| unavailable(&error))?;
        let mut cmd = redis::cmd("BLPOP");
        cmd.arg(key.full(self.company)).arg(patience.as_secs_f64().max(0.01));
        Ok(cmd.query_async::<Value>(&mut conn).await? != Value::Nil)
    }
}

/// What belongs to no company.
#[derive(Clone)]
pub struct ControlRedis {
    server: RedisServer,
}

impl ControlRedis {
    /// Runs a script whose `KEYS[1]` is the control prefix.
    pub async fn run(&self, lua: &Lua, args: &[Arg<'_>]) -> Result<Reply, StoreError> {
        self.server.run(lua, "{secretaria}:", args).await
    }

    /// Runs one command on one key.
    pub async fn command(&self, name: &str, key: ControlKey, rest: &[Arg<'_>]) -> Result<Reply, StoreError> {
        let mut cmd = redis::cmd(name);
        cmd.arg(key.to_string());
        push(&mut cmd, rest);
        self.server.query(&cmd).await
    }

    /// Asks Redis whether it answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.server.query(&redis::cmd("PING")).await.map(|_| ())
    }

    /// A connection of its own that waits for hints.
    pub async fn hints(&self) -> Result<HintListener, StoreError> {
        let conn = self.server.blocking.get().await.map_err(|error| unavailable(&error))?;
        Ok(HintListener::new(conn))
    }

    /// Listens for changes of companies, domains and settings.
    pub async fn changes(&self) -> Result<ChangeListener, StoreError> {
        let mut pubsub = self.server.client.get_async_pubsub().await?;
        pubsub.subscribe(ControlKey::DirectoryChanged.to_string()).await?;
        Ok(ChangeListener::new(pubsub))
    }
}
