//! The audit trail: sensitive acts, in the transaction of the act.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::domain::audit::{ActorType, AuditEntry};
use crate::domain::company::CompanyId;
use crate::models::{control, tenant};
use crate::tenant::{AdminDb, StoreError, TenantTx};

/// Who acts, and under which correlation id.
#[derive(Clone, Debug)]
pub struct Actor {
    /// The name.
    pub name: String,
    /// What kind.
    pub kind: ActorType,
    /// Ties the act to logs.
    pub correlation_id: String,
}

impl Actor {
    /// A person at the command line.
    pub fn operator(name: impl Into<String>) -> Self {
        Self { name: name.into(), kind: ActorType::Operator, correlation_id: uuid::Uuid::now_v7().to_string() }
    }

    /// A program that calls the company's API.
    pub fn api(name: impl Into<String>, correlation_id: impl Into<String>) -> Self {
        Self { name: name.into(), kind: ActorType::Api, correlation_id: correlation_id.into() }
    }

    /// An entry of this actor.
    pub fn entry(&self, action: &'static str, resource: impl Into<String>, detail: Value) -> AuditEntry {
        AuditEntry {
            actor: self.name.clone(),
            actor_type: self.kind,
            action,
            resource: resource.into(),
            ip: None,
            correlation_id: self.correlation_id.clone(),
            detail,
        }
    }
}

/// Records an act on a company's data.
pub async fn record(
    tx: &mut TenantTx,
    company: CompanyId,
    entry: &AuditEntry,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    tenant::audit_log::append(tx, company, entry, now).await
}

/// Records an act on a company's control rows, inside the migrator's transaction.
pub async fn record_control(
    admin: &mut AdminDb,
    company: CompanyId,
    entry: &AuditEntry,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    control::audit_log::append(admin, company, entry, now).await
}
