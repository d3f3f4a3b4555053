//! A claimed conversation is attended to.

use crate::queue::{Claimed, Return};
use crate::services::lease::Lease;
use crate::services::{ServiceError, Services, attendance};
use crate::tenant::Tenant;

/// Runs the job.
pub async fn run(services: &Services, tenant: &Tenant, claim: &Claimed, lease: &Lease) -> Result<Return, ServiceError> {
    attendance::attend(services, tenant, claim, lease).await
}
