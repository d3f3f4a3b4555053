//! Redis behind the wall: one multiplexed connection a process, scripts, and keys only by their typed names.

use std::collections::HashMap;
use std::time::Duration;

use deadpool_redis::redis::aio::{ConnectionManager, ConnectionManagerConfig};
use deadpool_redis::redis::{self, Cmd, RedisError, Value};
use secrecy::ExposeSecret;

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

/// What Redis answered.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// Nothing.
    Nil,
    /// A number.
    Int(i64),
    /// A text. Bytes that are not UTF-8 never get in, so none come out.
    Text(String),
    /// A list.
    List(Vec<Reply>),
}

impl Reply {
    /// The number, also when written as text.
    pub fn int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            Self::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// The text.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The list; empty for anything else.
    pub fn list(&self) -> &[Reply] {
        match self {
            Self::List(list) => list,
            _ => &[],
        }
    }

    /// The n-th element's number.
    pub fn int_at(&self, n: usize) -> Option<i64> {
        self.list().get(n).and_then(Self::int)
    }

    /// The n-th element's text.
    pub fn text_at(&self, n: usize) -> Option<&str> {
        self.list().get(n).and_then(Self::text)
    }
}

impl From<Value> for Reply {
    fn from(value: Value) -> Self {
        match value {
            Value::Int(number) => Self::Int(number),
            Value::BulkString(bytes) => Self::Text(String::from_utf8_lossy(&bytes).into_owned()),
            Value::SimpleString(text) | Value::VerbatimString { text, .. } => Self::Text(text),
            Value::Okay => Self::Text("OK".to_owned()),
            Value::Array(list) | Value::Set(list) => Self::List(list.into_iter().map(Self::from).collect()),
            Value::Map(pairs) => {
                Self::List(pairs.into_iter().flat_map(|(key, value)| [key.into(), value.into()]).collect())
            }
            Value::Boolean(yes) => Self::Int(i64::from(yes)),
            _ => Self::Nil,
        }
    }
}

/// How much of what Redis acknowledges survives a power cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DurabilityLevel {
    /// Every acknowledged write is on disk.
    Strict,
    /// The last second may be lost.
    Everysec,
    /// All may be lost.
    Volatile,
    /// Redis does not say.
    Unknown,
}

impl DurabilityLevel {
    /// The word in metrics and `/readyz`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Everysec => "everysec",
            Self::Volatile => "volatile",
            Self::Unknown => "unknown",
        }
    }
}

/// What Redis says of itself.
#[derive(Clone, Copy, Debug)]
pub struct RedisState {
    /// Durability.
    pub durability: DurabilityLevel,
    /// Bytes in use.
    pub used_bytes: i64,
    /// `maxmemory`; 0 = no limit.
    pub max_bytes: i64,
}

impl RedisState {
    /// Share of `maxmemory` in use; `None` when there is no limit.
    #[expect(clippy::cast_precision_loss, reason = "a share for people and thresholds")]
    pub fn fill_ratio(&self) -> Option<f64> {
        (self.max_bytes > 0).then(|| self.used_bytes as f64 / self.max_bytes as f64)
    }
}

/// The process's connection to Redis. Connects when first used, and again after every loss.
#[derive(Clone)]
pub struct RedisServer {
    client: redis::Client,
    conn: ConnectionManager,
    blocking: deadpool_redis::Pool,
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
        let conn = ConnectionManager::new_lazy_with_config(client.clone(), config)?;
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
        Ok(Self { client, conn, blocking })
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
        let mut conn = self.conn.clone();
        Ok(cmd.query_async::<Value>(&mut conn).await?.into())
    }

    async fn run(&self, lua: &Lua, key: &str, args: &[Arg<'_>]) -> Result<Reply, StoreError> {
        let build = |how: &str, what: &str| {
            let mut cmd = redis::cmd(how);
            cmd.arg(what).arg(1).arg(key);
            push(&mut cmd, args);
            cmd
        };
        let mut conn = self.conn.clone();
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
        Ok(HintListener { conn })
    }

    /// Listens for changes of companies, domains and settings.
    pub async fn changes(&self) -> Result<ChangeListener, StoreError> {
        let mut pubsub = self.server.client.get_async_pubsub().await?;
        pubsub.subscribe(ControlKey::DirectoryChanged.to_string()).await?;
        Ok(ChangeListener { pubsub })
    }

    /// Reads durability and memory. A Redis that forbids `CONFIG` is `Unknown`.
    pub async fn state(&self) -> Result<RedisState, StoreError> {
        let mut config = redis::cmd("CONFIG");
        config.arg("GET").arg("appendonly").arg("appendfsync").arg("maxmemory-policy");
        let info = self.server.query(redis::cmd("INFO").arg("memory")).await?;
        let settings = match self.server.query(&config).await {
            Ok(reply) => pairs(&reply),
            Err(StoreError::Unavailable { store, detail }) => return Err(StoreError::Unavailable { store, detail }),
            Err(_) => HashMap::new(),
        };
        let number = |name: &str| {
            info.text()
                .and_then(|text| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok()))
                .unwrap_or(0)
        };
        Ok(RedisState {
            durability: durability(&settings),
            used_bytes: number("used_memory:"),
            max_bytes: number("maxmemory:"),
        })
    }
}

fn pairs(reply: &Reply) -> HashMap<String, String> {
    reply
        .list()
        .chunks_exact(2)
        .filter_map(|pair| Some((pair.first()?.text()?.to_owned(), pair.get(1)?.text()?.to_owned())))
        .collect()
}

fn durability(settings: &HashMap<String, String>) -> DurabilityLevel {
    let get = |name: &str| settings.get(name).map(String::as_str);
    match (get("appendonly"), get("appendfsync"), get("maxmemory-policy")) {
        // A policy that evicts throws acknowledged messages away.
        (Some("yes"), Some("always"), Some("noeviction")) => DurabilityLevel::Strict,
        (Some("yes"), Some("everysec"), Some("noeviction")) => DurabilityLevel::Everysec,
        (Some(_), ..) => DurabilityLevel::Volatile,
        _ => DurabilityLevel::Unknown,
    }
}

/// Waits for companies with work.
pub struct HintListener {
    conn: deadpool_redis::Connection,
}

impl HintListener {
    /// The next company of the round robin, or `None` after `patience`.
    pub async fn next(&mut self, patience: Duration) -> Result<Option<CompanyId>, StoreError> {
        let mut cmd = redis::cmd("BZPOPMIN");
        cmd.arg(ControlKey::Ready.to_string()).arg(patience.as_secs_f64().max(0.01));
        let reply = Reply::from(cmd.query_async::<Value>(&mut self.conn).await?);
        Ok(reply.int_at(1).and_then(CompanyId::new))
    }
}

/// Waits for announcements of changes.
pub struct ChangeListener {
    pubsub: redis::aio::PubSub,
}

impl ChangeListener {
    /// Waits for the next announcement; `false` when the connection is lost.
    pub async fn next(&mut self) -> bool {
        futures::StreamExt::next(&mut self.pubsub.on_message()).await.is_some()
    }
}
