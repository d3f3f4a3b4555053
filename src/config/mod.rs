//! Settings of a process: one struct per section. Every key stands with a comment in `config/default.toml`.
//!
//! Sources, later ones win: the embedded `config/default.toml` · the file given by `--config` or `SECRETARIA_CONFIG` ·
//! environment `SECRETARIA_SECTION__KEY` (and `DATABASE_URL`, `DATABASE_ADMIN_URL`, `REDIS_URL`; each with a `_FILE`
//! variant that names a file holding the value).

pub mod company;
pub mod sections;

use serde::Deserialize;

pub use sections::*;

/// All settings of a process.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// What kind of place this is.
    pub profile: Profile,
    /// The HTTP server.
    pub server: ServerSettings,
    /// PostgreSQL.
    pub database: DatabaseSettings,
    /// Redis.
    pub redis: RedisSettings,
    /// Message groups, leases, bursts.
    pub queue: QueueSettings,
    /// Limits of intake.
    pub limits: LimitSettings,
    /// Short context.
    pub context: ContextSettings,
    /// The language model.
    pub llm: LlmSettings,
    /// Delivery of answers.
    pub delivery: DeliverySettings,
    /// Metrics.
    pub metrics: MetricsSettings,
    /// Logs.
    pub log: LogSettings,
    /// Keys.
    pub security: SecuritySettings,
}
