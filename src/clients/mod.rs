//! Wire only: bytes to domain values and back. No retries, no policy, no storage.

pub mod calendar;
pub mod channel;
pub mod embedding;
pub mod guard;
pub mod hints;
pub mod http;
pub mod llm;
pub mod media;
mod timely;
pub mod transcription;

use std::fmt;
use std::time::Duration;

/// What went wrong at a provider, in the classes of the wire sheet (§0).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireErrorKind {
    /// Credentials or configuration: alert, never retried.
    Auth,
    /// The request itself is refused for good.
    Invalid,
    /// The provider is overloaded or asks for patience.
    RateLimited,
    /// Out of order for now; it surely did nothing.
    Unavailable,
    /// It may have happened: timeouts after bytes went out, most 5xx.
    Unknown,
}

/// A failed call, without any secret or personal data in it.
#[derive(Clone, Debug, thiserror::Error)]
pub struct WireError {
    /// The class, which decides what the caller may do.
    pub kind: WireErrorKind,
    /// The HTTP status, when there was one.
    pub status: Option<u16>,
    /// How long the provider asked us to wait.
    pub retry_after: Option<Duration>,
    /// Short machine-readable cause, from a closed list of this project's own words
    /// (`no_whatsapp`, `bad_token`, `model_not_found`, `timeout`, `connect`, …): becomes reason labels and dead-letter reasons.
    pub code: &'static str,
    /// What the provider said, cut and stripped of credentials and numbers: for the log.
    pub detail: String,
}

impl WireError {
    /// Whether it is certain that the provider did nothing.
    pub fn surely_not_sent(&self) -> bool {
        !matches!(self.kind, WireErrorKind::Unknown)
    }
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({:?}", self.code, self.kind)?;
        if let Some(status) = self.status {
            write!(f, ", HTTP {status}")?;
        }
        write!(f, "): {}", self.detail)
    }
}
