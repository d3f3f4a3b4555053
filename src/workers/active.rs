//! The claims this process holds, and their renewal.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::company::CompanyId;
use crate::queue::Claimed;
use crate::services::Services;
use crate::services::attendance::queue_of;
use crate::services::lease::Lease;

type Held = HashMap<(CompanyId, String), (i64, Arc<Lease>)>;

/// The claims this process holds.
#[derive(Clone, Default)]
pub(super) struct Active {
    held: Arc<Mutex<Held>>,
}

impl Active {
    /// Notes a claim that was asked for at `asked`.
    pub(super) fn add(&self, company: CompanyId, claim: &Claimed, asked: Instant, length: Duration) -> Arc<Lease> {
        let lease = Arc::new(Lease::new(asked, length));
        if let Ok(mut held) = self.held.lock() {
            held.insert((company, claim.conversation.clone()), (claim.fence, Arc::clone(&lease)));
        }
        lease
    }

    /// Forgets a claim that was given back, unless a newer one of the same conversation took its place.
    pub(super) fn remove(&self, company: CompanyId, claim: &Claimed) {
        if let Ok(mut held) = self.held.lock() {
            let key = (company, claim.conversation.clone());
            if held.get(&key).is_some_and(|(fence, _)| *fence == claim.fence) {
                held.remove(&key);
            }
        }
    }

    fn by_company(&self) -> HashMap<CompanyId, Vec<(String, i64, Arc<Lease>)>> {
        let mut grouped: HashMap<CompanyId, Vec<_>> = HashMap::new();
        if let Ok(held) = self.held.lock() {
            for ((company, conversation), (fence, lease)) in held.iter() {
                grouped.entry(*company).or_default().push((conversation.clone(), *fence, Arc::clone(lease)));
            }
        }
        grouped
    }

    /// Renews all claims once. A claim that is no longer ours is marked lost; when Redis is away each runs to its end.
    pub(super) async fn renew(&self, services: &Services, length: Duration) {
        let lease_ms = i64::try_from(length.as_millis()).unwrap_or(i64::MAX);
        for (company, claims) in self.by_company() {
            let Some(tenant) = services.directory.by_id(company) else { continue };
            let pairs: Vec<(String, i64)> = claims.iter().map(|(c, fence, _)| (c.clone(), *fence)).collect();
            let asked = Instant::now();
            match queue_of(services, &tenant).renew(lease_ms, &pairs).await {
                Ok(ours) => {
                    for ((_, _, lease), ours) in claims.iter().zip(ours) {
                        if ours { lease.renewed(asked, length) } else { lease.lost() }
                    }
                }
                Err(error) => tracing::warn!(company = company.get(), %error, "Claims could not be renewed"),
            }
        }
    }
}
