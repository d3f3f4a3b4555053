//! How a command ends badly.

use std::fmt;
use std::io::Write;

use crate::config::ConfigError;
use crate::services::ServiceError;
use crate::services::provisioning::ProvisionError;
use crate::tenant::{MasterKeyError, Store, StoreError};

/// The exit codes, documented in `--help`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Something failed.
    Failed = 1,
    /// The command line is wrong.
    Usage = 2,
    /// The configuration is wrong.
    Configuration = 3,
    /// PostgreSQL, Redis or another service cannot be reached.
    Unreachable = 4,
    /// Some parts were done, others not; the next run goes on.
    Partly = 5,
}

/// Why a command ended badly: an exit code and sentences for a person. Causes are told, backtraces are not.
#[derive(Clone, Debug)]
pub struct CliError {
    /// The exit code.
    pub code: Exit,
    /// What is wrong and how to mend it.
    pub message: String,
}

impl CliError {
    /// Exit code 1.
    pub fn failed(message: impl Into<String>) -> Self {
        Self { code: Exit::Failed, message: message.into() }
    }

    /// Exit code 2.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { code: Exit::Usage, message: message.into() }
    }

    /// Exit code 3.
    pub fn configuration(message: impl Into<String>) -> Self {
        Self { code: Exit::Configuration, message: message.into() }
    }

    /// Exit code 4.
    pub fn unreachable(message: impl Into<String>) -> Self {
        Self { code: Exit::Unreachable, message: message.into() }
    }

    /// Exit code 5.
    pub fn partly(message: impl Into<String>) -> Self {
        Self { code: Exit::Partly, message: message.into() }
    }

    /// Writes the message to stderr and gives the process' exit code.
    pub fn report(&self) -> std::process::ExitCode {
        // Nobody may be listening any more; the exit code still tells.
        let _ = writeln!(std::io::stderr(), "secretaria: {self}");
        std::process::ExitCode::from(self.code as u8)
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for CliError {}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        Self::configuration(error.to_string())
    }
}

impl From<MasterKeyError> for CliError {
    fn from(error: MasterKeyError) -> Self {
        Self::configuration(error.to_string())
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        let message = error.to_string();
        match error {
            StoreError::Unavailable { store, .. } => {
                let setting = match store {
                    Store::Postgres => "database.url (DATABASE_URL) and database.admin_url (DATABASE_ADMIN_URL)",
                    Store::Redis => "redis.url (REDIS_URL)",
                };
                Self::unreachable(format!("{message}\n  to mend: look whether it runs, and check {setting}"))
            }
            StoreError::NotMigrated { .. } => Self::configuration(message),
            _ => Self::failed(message),
        }
    }
}

impl From<ServiceError> for CliError {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Store(error) => error.into(),
            ServiceError::MasterKey(error) => error.into(),
            ServiceError::Configuration(message) => Self::configuration(message),
            ServiceError::LeaseLost | ServiceError::Stopping | ServiceError::NotFound(_) => {
                Self::failed(error.to_string())
            }
        }
    }
}

impl From<ProvisionError> for CliError {
    fn from(error: ProvisionError) -> Self {
        let message = error.to_string();
        match error {
            ProvisionError::Invalid(message) => Self::usage(message),
            ProvisionError::NotFound(message) => Self::failed(message),
            ProvisionError::Service(error) => error.into(),
            ProvisionError::Step { cause, .. } => {
                let code = match Self::from(*cause).code {
                    Exit::Unreachable => Exit::Unreachable,
                    _ => Exit::Partly,
                };
                Self {
                    code,
                    message: format!("{message}\n  to mend: run the same command again, it goes on from there"),
                }
            }
        }
    }
}
