//! The sections of [`super::Settings`].

use serde::{Deserialize, Serialize};

/// What kind of place this process runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// Real customers.
    Production,
    /// `secretaria demo`: stand-ins, simulator.
    Demo,
    /// The test suite.
    Test,
}

/// `[server]`: the HTTP server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerSettings {
    /// Address and port to listen on.
    pub bind: String,
    /// HTTP worker threads; 0 = one per core.
    pub threads: usize,
    /// Peers (IP or CIDR) whose `X-Forwarded-For` and, on API routes, `X-Company-Domain` are believed.
    pub trusted_proxies: Vec<String>,
    /// Largest body of a webhook, bytes.
    pub body_limit_bytes: usize,
    /// Largest sum of all header names and values, bytes.
    pub header_limit_bytes: usize,
    /// Time to receive a body, milliseconds.
    pub body_timeout_ms: u64,
    /// Time to receive a request's head, milliseconds.
    pub header_timeout_ms: u64,
    /// Idle time of a kept connection, milliseconds.
    pub keep_alive_ms: u64,
    /// Most connections at once.
    pub max_connections: usize,
    /// Flood stop: most webhook requests a second from one peer address, before anything is read.
    pub peer_flood_per_second: u32,
    /// After SIGTERM `/readyz` says 503 this long before the listener closes, milliseconds.
    pub linger_ms: u64,
}

/// `[database]`: PostgreSQL.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseSettings {
    /// URL of the application login role. Secret.
    pub url: secrecy::SecretString,
    /// URL of the migrator role: only `provision` and `migrate` need it. Secret; empty = absent.
    pub admin_url: secrecy::SecretString,
    /// Connections of one process, at most 8 is sensible.
    pub pool_size: usize,
    /// Time to wait for a connection, milliseconds.
    pub acquire_timeout_ms: u64,
    /// Ceiling of one statement, milliseconds.
    pub statement_timeout_ms: u64,
}

/// `[redis]`: Redis.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedisSettings {
    /// URL. Secret.
    pub url: secrecy::SecretString,
    /// Time to wait for an answer, milliseconds. An fsync is inside it: at least 5,000 in production.
    pub response_timeout_ms: u64,
    /// `strict` refuses to start unless every acknowledged write is on disk; `any` only reports.
    pub durability: Durability,
    /// Above this share of maxmemory intake answers 503.
    pub shed_above_ratio: f64,
}

/// What durability of Redis is demanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Durability {
    /// `appendonly yes`, `appendfsync always`, `maxmemory-policy noeviction`, or no start.
    Strict,
    /// Whatever it is, reported.
    Any,
}

/// `[queue]`: message groups.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueSettings {
    /// How long a claim holds a conversation without renewal, milliseconds.
    pub lease_ms: u64,
    /// How often claims are renewed, milliseconds.
    pub renew_ms: u64,
    /// How often lost hints and expired leases are looked for, milliseconds.
    pub sweep_ms: u64,
    /// Longest wait of an idle worker for a hint before it looks by itself, milliseconds.
    pub idle_wait_ms: u64,
    /// How long after a message its burst is taken as finished, milliseconds.
    pub burst_window_ms: u64,
    /// Longest a burst may delay its answer, milliseconds.
    pub burst_max_ms: u64,
    /// Most undecided messages of one conversation.
    pub mailbox_cap: usize,
    /// Expired leases without a decision before a conversation's messages become dead letters.
    pub max_expired_leases: u32,
    /// Turns of one process at once.
    pub concurrency: usize,
    /// Turns of one company at once, over all processes.
    pub company_concurrency: usize,
    /// Messages a company may have claimed per round of the round robin.
    pub quantum: u32,
    /// How long a message id is remembered in Redis, hours.
    pub seen_hours: u64,
    /// How long dead letters are kept, days.
    pub dead_letter_days: u64,
    /// Times an answer is prepared anew because a newer message arrived.
    pub max_repreparations: u32,
    /// Time spent preparing anew at most, milliseconds.
    pub reprepare_budget_ms: u64,
    /// Time for turns in flight after SIGTERM, milliseconds.
    pub drain_ms: u64,
}

/// `[limits]`: limits of intake, shared by all processes through Redis.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitSettings {
    /// Messages a minute of one number.
    pub number_per_minute: u32,
    /// Messages one number may send at once.
    pub number_burst: u32,
    /// Messages a second of one company from one address (the gateway's).
    pub company_address_per_second: u32,
    /// Whether conversations that look like two machines talking to each other are cut.
    pub loop_guard: bool,
}

/// `[context]`: the short context.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContextSettings {
    /// How long it lives in Redis, seconds.
    pub ttl_seconds: u64,
    /// Exchanges (customer and assistant) kept.
    pub turns: usize,
}

/// `[llm]`: the language model, as far as a company does not say otherwise.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LlmSettings {
    /// Base URL.
    pub base_url: String,
    /// Path version.
    pub api_version: String,
    /// Model of companies that name none.
    pub model: String,
    /// Asked when the first model's name is unknown to the provider; empty = none.
    pub fallback_model: String,
    /// Ceiling of output tokens, thinking included.
    pub max_output_tokens: u32,
    /// Tries inside the budget.
    pub tries: u32,
    /// Time for all tries together, milliseconds.
    pub budget_ms: u64,
    /// Time for one call, milliseconds.
    pub call_timeout_ms: u64,
    /// After so long without an answer the customer is told to wait a moment, milliseconds; 0 = never.
    pub wait_notice_ms: u64,
    /// First backoff, milliseconds.
    pub backoff_base_ms: u64,
    /// Failures in a row that open the breaker.
    pub breaker_failures: u32,
    /// How long an open breaker stays shut to calls, milliseconds.
    pub breaker_open_ms: u64,
    /// Share of calls that should succeed: the error budget is the rest.
    pub error_budget_target: f64,
    /// Window of the error budget, minutes.
    pub error_budget_window_minutes: u64,
}

/// `[delivery]`: sending answers.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeliverySettings {
    /// Base URL of companies that name none; empty = each must.
    pub base_url: String,
    /// Time for one send, milliseconds.
    pub timeout_ms: u64,
    /// Waits before each further try of a text that surely was not sent, milliseconds.
    pub retry_ms: Vec<u64>,
    /// A text older than this is dead, milliseconds.
    pub max_age_ms: u64,
    /// How long an ambiguous send waits for an echo or a status, milliseconds.
    pub ambiguous_wait_ms: u64,
    /// Time that must be left of the lease when a request is written, milliseconds.
    pub deadline_spare_ms: u64,
}

/// `[metrics]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricsSettings {
    /// Where `work` and `schedule` show `/metrics`, `/healthz`, `/readyz`; empty = nowhere.
    pub bind: String,
    /// Which per-company series exist: `all`, `active` (evicted when idle) or `totals`.
    pub company_series: CompanySeries,
    /// Idle time before a company's series are evicted, minutes.
    pub idle_minutes: u64,
    /// Token for scrapers that are not on loopback. Secret; empty = loopback only.
    pub token: secrecy::SecretString,
}

impl MetricsSettings {
    /// Whether a token is set and too short to withstand guessing.
    pub fn token_is_short(&self) -> bool {
        use secrecy::ExposeSecret;
        let length = self.token.expose_secret().len();
        length > 0 && length < 32
    }
}

/// Which per-company series exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CompanySeries {
    /// Never evicted.
    All,
    /// Evicted when idle.
    Active,
    /// None: the label is `_all`.
    Totals,
}

/// `[log]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSettings {
    /// `auto` (human on a terminal, else JSON), `json` or `human`.
    pub format: LogFormat,
    /// A `tracing` filter, e.g. `info,secretaria=debug`.
    pub filter: String,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// Human on a terminal, else JSON.
    Auto,
    /// JSON.
    Json,
    /// For eyes.
    Human,
}

/// `[security]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecuritySettings {
    /// File holding the master key (64 hex digits, mode 0600) that encrypts companies' credentials.
    pub master_key_file: String,
    /// The key itself, for places that hand secrets over in the environment. Secret; empty = use the file.
    pub master_key: secrecy::SecretString,
}
