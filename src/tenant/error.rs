//! What a store can answer instead of a value.

use std::fmt;

/// Which store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// PostgreSQL.
    Postgres,
    /// Redis.
    Redis,
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Postgres => "PostgreSQL",
            Self::Redis => "Redis",
        })
    }
}

/// A store's failure.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// Down, full, loading, read-only, or silent: try again later. Whether the last command happened is unknown.
    #[error("{store} is not available: {detail}")]
    Unavailable {
        /// Which.
        store: Store,
        /// What it said.
        detail: String,
    },
    /// A unique key is taken already: somebody else decided first.
    #[error("already there: {constraint}")]
    Conflict {
        /// The constraint's name.
        constraint: String,
    },
    /// The fence in PostgreSQL is higher: another worker holds the conversation now.
    #[error("a newer claim holds the conversation (fence {stored} > {ours})")]
    StaleFence {
        /// PostgreSQL's fence.
        stored: i64,
        /// Ours.
        ours: i64,
    },
    /// A schema or table is missing: `secretaria migrate up` mends it.
    #[error("the database has not been migrated: {detail}; run `secretaria migrate up`")]
    NotMigrated {
        /// What is missing.
        detail: String,
    },
    /// A value that should be there, or should be readable, is not.
    #[error("{store} holds something unexpected: {detail}")]
    Data {
        /// Which.
        store: Store,
        /// What.
        detail: String,
    },
}

impl StoreError {
    /// A value in Redis that cannot be read.
    pub fn redis_data(detail: impl Into<String>) -> Self {
        Self::Data { store: Store::Redis, detail: detail.into() }
    }

    /// A value in PostgreSQL that cannot be read.
    pub fn pg_data(detail: impl Into<String>) -> Self {
        Self::Data { store: Store::Postgres, detail: detail.into() }
    }

    /// Whether waiting may help.
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}

impl From<diesel::result::Error> for StoreError {
    fn from(error: diesel::result::Error) -> Self {
        use diesel::result::{DatabaseErrorKind as Kind, Error};
        match error {
            Error::DatabaseError(Kind::UniqueViolation | Kind::ExclusionViolation, info) => {
                Self::Conflict { constraint: info.constraint_name().unwrap_or("unknown").to_owned() }
            }
            Error::DatabaseError(kind, info) => from_message(kind, info.message()),
            Error::NotFound => Self::pg_data("a row is missing"),
            Error::BrokenTransactionManager | Error::RollbackTransaction | Error::NotInTransaction => {
                Self::Unavailable { store: Store::Postgres, detail: error.to_string() }
            }
            other => Self::Data { store: Store::Postgres, detail: other.to_string() },
        }
    }
}

/// diesel tells most of PostgreSQL's conditions by message only.
fn from_message(kind: diesel::result::DatabaseErrorKind, message: &str) -> StoreError {
    use diesel::result::DatabaseErrorKind as Kind;
    let missing = message.contains("does not exist") || message.contains("permission denied for schema");
    let down = matches!(kind, Kind::ClosedConnection | Kind::UnableToSendCommand | Kind::SerializationFailure)
        || [
            "connection closed",
            "shutting down",
            "starting up",
            "recovery mode",
            "terminating connection",
            "error communicating",
            "statement timeout",
            "lock timeout",
            "deadlock",
            "No space left",
            "too many connections",
            "read-only transaction",
            "cached plan must not change",
        ]
        .iter()
        .any(|known| message.contains(known));
    if down {
        StoreError::Unavailable { store: Store::Postgres, detail: message.to_owned() }
    } else if missing {
        StoreError::NotMigrated { detail: message.to_owned() }
    } else {
        StoreError::Data { store: Store::Postgres, detail: message.to_owned() }
    }
}

impl From<diesel::ConnectionError> for StoreError {
    fn from(error: diesel::ConnectionError) -> Self {
        Self::Unavailable { store: Store::Postgres, detail: error.to_string() }
    }
}

impl From<deadpool_redis::redis::RedisError> for StoreError {
    fn from(error: deadpool_redis::redis::RedisError) -> Self {
        // A wrong type, an unknown command or a script's own error is our mistake; all else (IO, OOM, READONLY,
        // LOADING, MISCONF, NOREPLICAS, CLUSTERDOWN) passes with time.
        let text = error.to_string();
        let ours = ["WRONGTYPE", "ERR "].iter().any(|code| text.contains(code))
            || matches!(error.kind(), deadpool_redis::redis::ErrorKind::UnexpectedReturnType);
        let passing =
            ["OOM", "READONLY", "LOADING", "MISCONF", "BUSY", "MASTERDOWN", "CLUSTERDOWN", "max number of clients"]
                .iter()
                .any(|code| text.contains(code));
        if ours && !passing {
            Self::Data { store: Store::Redis, detail: text }
        } else {
            Self::Unavailable { store: Store::Redis, detail: text }
        }
    }
}
