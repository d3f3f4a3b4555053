//! Why a company could not be made or changed.

use super::Step;
use crate::domain::company::CompanyId;
use crate::services::ServiceError;
use crate::tenant::{MasterKeyError, StoreError};

/// A failure of provisioning.
#[derive(Debug, thiserror::Error)]
pub enum ProvisionError {
    /// What was asked for cannot be; the text says why and what can.
    #[error("{0}")]
    Invalid(String),
    /// There is no such company.
    #[error("{0}")]
    NotFound(String),
    /// The company exists, but is not finished. The same command again goes on from there.
    #[error("company {company} is not finished: step {step} failed: {cause}")]
    Step {
        /// The company.
        company: CompanyId,
        /// The step that failed.
        step: Step,
        /// Why.
        cause: Box<ProvisionError>,
    },
    /// A store, the master key or the configuration.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl From<StoreError> for ProvisionError {
    fn from(error: StoreError) -> Self {
        Self::Service(error.into())
    }
}

impl From<MasterKeyError> for ProvisionError {
    fn from(error: MasterKeyError) -> Self {
        Self::Service(error.into())
    }
}
