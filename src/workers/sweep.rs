//! The sweep: expired claims, lost hints, a Redis that forgot, and the gauges of the queue.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt;

use crate::domain::company::CompanyId;
use crate::queue::Reaped;
use crate::services::attendance::queue_of;
use crate::services::{Services, rebuild};
use crate::telemetry::metrics;
use crate::tenant::Tenant;

/// Companies looked at side by side.
const ABREAST: usize = 64;

/// What a sweep over companies found.
#[derive(Clone, Copy, Debug, Default)]
pub struct Found {
    /// Undecided envelopes.
    pub size: i64,
    /// Claims in force.
    pub leased: i64,
    /// Companies with a conversation that waits to be claimed, now or at a time.
    pub waiting: i64,
    /// Whether every company could be looked at.
    pub complete: bool,
}

/// Remembers which companies had something last time, so that their gauges fall back to zero.
#[derive(Clone, Default)]
pub struct Sweeper {
    shown: Arc<Mutex<HashSet<CompanyId>>>,
    staffed: Arc<Mutex<HashSet<CompanyId>>>,
}

impl Sweeper {
    /// Looks at each of these companies once.
    pub async fn sweep(&self, services: &Services, tenants: &[Arc<Tenant>]) -> Found {
        let found: Vec<Option<Reaped>> = futures::stream::iter(tenants.to_vec())
            .map(|tenant| self.clone().look(services.clone(), tenant))
            .buffer_unordered(ABREAST)
            .collect()
            .await;
        let mut sum = Found { complete: found.iter().all(Option::is_some), ..Found::default() };
        let (mut dead, mut oldest) = (0, Duration::ZERO);
        for reaped in found.into_iter().flatten() {
            sum.size += reaped.size;
            sum.leased += reaped.leased;
            sum.waiting += i64::from(reaped.next_due >= 0);
            dead += reaped.dead;
            oldest = oldest.max(age(services, &reaped));
        }
        metrics::queue_totals(count(sum.size), count(dead), oldest);
        sum
    }

    async fn look(self, services: Services, tenant: Arc<Tenant>) -> Option<Reaped> {
        let company = tenant.id();
        let days = services.settings.queue.dead_letter_days;
        let keep_ms = i64::try_from(days.saturating_mul(86_400_000)).unwrap_or(i64::MAX);
        let lease_ms = i64::try_from(services.settings.queue.lease_ms).unwrap_or(30_000);
        let reaped = match queue_of(&services, &tenant).sweep(keep_ms, lease_ms).await {
            Ok(reaped) => reaped,
            Err(error) => {
                tracing::warn!(company = company.get(), %error, "A company's queue could not be looked at");
                return None;
            }
        };
        if reaped.expired > 0 {
            tracing::warn!(company = company.get(), expired = reaped.expired, "Claims of stopped workers came back");
        }
        if !reaped.known
            && let Err(error) = rebuild::rebuild(&services, &tenant).await
        {
            tracing::warn!(company = company.get(), %error, "Unfinished deliveries could not be put back; trying again");
        }
        if let Err(error) = services.hints().tell(company, reaped.next_due).await {
            tracing::debug!(company = company.get(), %error, "A hint could not be given");
        }
        self.show(&services, company, &reaped);
        Some(reaped)
    }

    fn show(&self, services: &Services, company: CompanyId, reaped: &Reaped) {
        if changes(&self.staffed, company, reaped.workers > 0) {
            metrics::tenant_active_workers(company, count(reaped.workers));
        }
        if !changes(&self.shown, company, reaped.size > 0 || reaped.dead > 0) {
            return;
        }
        metrics::queue_size(company, count(reaped.size));
        metrics::dead_letter_queue_size(company, count(reaped.dead));
        metrics::queue_oldest_age(company, age(services, reaped));
    }
}

/// Whether a company's gauge has to be set: it has something, or had something last time.
fn changes(shown: &Mutex<HashSet<CompanyId>>, company: CompanyId, something: bool) -> bool {
    let Ok(mut shown) = shown.lock() else { return something };
    if something {
        shown.insert(company);
        return true;
    }
    shown.remove(&company)
}

fn age(services: &Services, reaped: &Reaped) -> Duration {
    if reaped.oldest_ms == 0 {
        return Duration::ZERO;
    }
    Duration::from_millis(count(services.clock.now_ms() - reaped.oldest_ms))
}

fn count(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}
