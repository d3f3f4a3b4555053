//! What everything that writes timers outside their planning needs: quiet hours, and word that something is due.

use chrono::{DateTime, Utc};

use super::timers;
use crate::domain::agenda::reminders::Rules;
use crate::services::Services;
use crate::tenant::Tenant;

/// The company's rules of when nothing is sent.
pub fn rules(tenant: &Tenant) -> Rules {
    tenant.settings.reminders.rules(tenant.settings.timezone)
}

/// Whether nothing is to be sent to this company's customers now.
pub fn is_quiet(tenant: &Tenant, now: DateTime<Utc>) -> bool {
    rules(tenant).is_quiet(now)
}

/// Tells that a timer of the company is due then. A hint: whoever looks for due timers finds them without it, later.
pub async fn due(services: &Services, tenant: &Tenant, at: DateTime<Utc>) {
    timers::due::tell_after_commit(services, tenant.id(), Some(at)).await;
}
