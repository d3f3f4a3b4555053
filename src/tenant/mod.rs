//! The wall between companies: the only code that holds a pool, formats a key of Redis or names a schema.
//!
//! Everything else is handed a [`Tenant`]: one company with a [`TenantDb`] whose transactions begin by taking that
//! company's role and schema, and a [`TenantRedis`] that accepts only [`TenantKey`]s. There is no way to spell another
//! company with it. What belongs to no company goes through [`ControlDb`] and [`ControlRedis`], which are other types.
//! See ADR 0001.

mod admin;
mod crypto;
mod db;
mod error;
mod group;
mod keys;
mod redis;
mod session;
mod statement;

use std::fmt;

pub use admin::{AdminDb, MigrationReport};
pub use crypto::{MasterKey, MasterKeyError};
pub use db::{ControlDb, ControlTx, Database, TenantDb, TenantTx, TxIdentity, become_company, schema_of};
pub use error::{Store, StoreError};
pub use keys::{ControlKey, TenantKey, prefix};
pub use redis::{
    Arg, ChangeListener, ControlRedis, DurabilityLevel, HintListener, Lua, RedisServer, RedisState, Reply, TenantRedis,
};
pub use statement::{Column, GroupedWrite};

use crate::config::company::CompanySettings;
use crate::domain::api_auth::ApiTokens;
use crate::domain::company::{Company, CompanyId};
use crate::domain::webhook_auth::WebhookKeys;
use crate::telemetry::metrics::CompanyLabel;

/// One company, with everything needed to serve it and nothing of another. Cheap to share in an `Arc`.
pub struct Tenant {
    /// Who it is.
    pub company: Company,
    /// Its settings.
    pub settings: CompanySettings,
    /// Its secrets, decrypted.
    pub secrets: TenantSecrets,
    /// Its schema.
    pub db: TenantDb,
    /// Its part of Redis.
    pub redis: TenantRedis,
    /// Its name on metrics.
    pub label: CompanyLabel,
}

impl Tenant {
    /// Its number.
    pub fn id(&self) -> CompanyId {
        self.company.id
    }
}

impl fmt::Debug for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tenant").field("company", &self.company.id).finish_non_exhaustive()
    }
}

/// A company's decrypted secrets. `Debug` shows none.
#[derive(Clone)]
pub struct TenantSecrets {
    /// What a webhook must present.
    pub webhook: WebhookKeys,
    /// What the company's API asks for.
    pub api: ApiTokens,
    /// The channel's credential.
    pub channel_token: secrecy::SecretString,
    /// The model's key.
    pub llm_api_key: secrecy::SecretString,
    /// The key of the provider of vectors; empty = that of the model of the same kind.
    pub embedding_api_key: secrecy::SecretString,
    /// The second model's key.
    pub llm2_api_key: secrecy::SecretString,
    /// The calendar's key.
    pub calendar_api_key: secrecy::SecretString,
    /// What signs the calendar's callbacks: the secret in use and the one before it, those that are set.
    pub calendar_webhook: Vec<secrecy::SecretString>,
}

impl fmt::Debug for TenantSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TenantSecrets(…)")
    }
}
