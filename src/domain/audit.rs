//! The audit trail's entries and their hash chain.

use chrono::{DateTime, SecondsFormat, Utc};
use sha2::{Digest, Sha256};

use super::company::CompanyId;

/// Who acted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActorType {
    /// A person at the command line.
    Operator,
    /// Secretaria itself.
    System,
    /// A caller of a company's API.
    Api,
}

impl ActorType {
    /// The stored spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::System => "system",
            Self::Api => "api",
        }
    }
}

/// One sensitive act.
#[derive(Clone, Debug)]
pub struct AuditEntry {
    /// Who.
    pub actor: String,
    /// What kind of who.
    pub actor_type: ActorType,
    /// What was done, `noun.verb`.
    pub action: &'static str,
    /// To what.
    pub resource: String,
    /// From where, when known.
    pub ip: Option<String>,
    /// Ties it to logs and other rows.
    pub correlation_id: String,
    /// More, without texts, names, numbers or secrets.
    pub detail: serde_json::Value,
}

/// The link of an entry: SHA-256 over the previous link and every field, each with its length, so that no two different
/// entries have the same bytes. Times count to the microsecond, as PostgreSQL stores them.
pub fn link(prev: &[u8], company: CompanyId, seq: i64, at: DateTime<Utc>, entry: &AuditEntry) -> Vec<u8> {
    let fields = [
        company.to_string(),
        seq.to_string(),
        at.to_rfc3339_opts(SecondsFormat::Micros, true),
        entry.actor.clone(),
        entry.actor_type.as_str().to_owned(),
        entry.action.to_owned(),
        entry.resource.clone(),
        entry.ip.clone().unwrap_or_default(),
        entry.correlation_id.clone(),
        canonical(&entry.detail),
    ];
    let mut hash = Sha256::new();
    hash.update(prev);
    for field in fields {
        hash.update((field.len() as u64).to_be_bytes());
        hash.update(field.as_bytes());
    }
    hash.finalize().to_vec()
}

/// JSON with sorted keys: PostgreSQL's `jsonb` keeps no order of its own.
fn canonical(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Object(map) => {
            let mut keys: Vec<_> = map.iter().collect();
            keys.sort_by_key(|(key, _)| *key);
            let inner: Vec<String> =
                keys.iter().map(|(key, value)| format!("{}:{}", serde_json::json!(key), canonical(value))).collect();
            format!("{{{}}}", inner.join(","))
        }
        serde_json::Value::Array(list) => {
            format!("[{}]", list.iter().map(canonical).collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}
