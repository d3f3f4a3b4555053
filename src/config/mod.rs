//! Settings of a process: one struct per section. Every key stands with a comment in `config/default.toml`.
//!
//! Sources, later ones win: the embedded `config/default.toml` · the file given by `--config` or `SECRETARIA_CONFIG` ·
//! environment `SECRETARIA_SECTION__KEY` (and `DATABASE_URL`, `DATABASE_ADMIN_URL`, `REDIS_URL`; each with a `_FILE`
//! variant that names a file holding the value) · what the command itself sets (flags, `demo`).
//!
//! - [`load`]: reads the sources and remembers where each value came from
//! - [`check`]: refuses values that contradict each other
//! - [`describe`]: `config show` and `docs/config.md`
//! - [`company`]: the settings of one company

mod check;
pub mod company;
pub mod describe;
mod error;
pub mod load;
pub mod sections;
mod values;

use serde::Deserialize;

pub use describe::markdown;
pub use error::ConfigError;
pub use load::{Origin, OriginEntry, Origins, Sources};
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
