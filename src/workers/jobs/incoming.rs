//! A claimed conversation is attended to.

use crate::queue::Claimed;
use crate::services::attendance::{self, Attended};
use crate::services::lease::Lease;
use crate::services::{ServiceError, Services};
use crate::tenant::Tenant;

/// Runs the job.
pub async fn run(
    services: &Services,
    tenant: &Tenant,
    claim: &Claimed,
    lease: &Lease,
) -> Result<Attended, ServiceError> {
    attendance::attend(services, tenant, claim, lease).await
}
