//! How a command ends badly.

use std::fmt;
use std::io::Write;

use crate::config::ConfigError;

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
