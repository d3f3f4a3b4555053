//! Why a use case could not be carried out, and what that means for the work.

use crate::tenant::{MasterKeyError, StoreError};

/// A use case's failure.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// A store did not do its part.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The master key does not fit.
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    /// A setting is missing or wrong; the text says which and how to mend it.
    #[error("{0}")]
    Configuration(String),
    /// The claim was lost: somebody else has the conversation.
    #[error("the claim on the conversation was lost")]
    LeaseLost,
    /// The process stops, and nothing was decided yet: somebody else shall do it.
    #[error("the process stops")]
    Stopping,
    /// The company, or the thing asked for, does not exist.
    #[error("{0}")]
    NotFound(String),
}

/// What the runner does about a failed turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// Waiting mends it; try again soon, as often as it takes.
    Later,
    /// Somebody else has it: let go.
    LetGo,
    /// It may never work: try again, counted.
    Counted,
}

impl ServiceError {
    /// What to do about it.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Store(StoreError::StaleFence { .. }) | Self::LeaseLost | Self::Stopping => Disposition::LetGo,
            Self::Store(StoreError::Unavailable { .. } | StoreError::NotMigrated { .. }) => Disposition::Later,
            Self::Configuration(_) => Disposition::Later,
            Self::Store(_) | Self::MasterKey(_) | Self::NotFound(_) => Disposition::Counted,
        }
    }
}
