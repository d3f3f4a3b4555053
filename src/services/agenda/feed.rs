//! The company's appointments as other calendar programs subscribe to them.

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::agenda::appointment::AppointmentState as State;
use crate::domain::agenda::ics::{Entry, Standing, feed};
use crate::models::tenant::appointment::{self, AppointmentRow, Filter};
use crate::tenant::{StoreError, Tenant};

/// How far back the feed goes.
const BACK: TimeDelta = TimeDelta::days(31);
/// Most appointments of a feed.
const MOST: i64 = 5_000;

/// The feed's text: from a month ago on.
pub async fn text(tenant: &Tenant, now: DateTime<Utc>) -> Result<String, StoreError> {
    let mut tx = tenant.db.begin().await?;
    let filter = Filter { from: Some(now - BACK), ..Filter::default() };
    let rows = appointment::list(&mut tx, &filter, MOST).await?;
    tx.commit().await?;
    let domain = &tenant.company.domain;
    Ok(feed(&tenant.company.name, &rows.iter().map(|row| entry(row, domain)).collect::<Vec<_>>()))
}

/// An appointment as an entry of a feed.
pub fn entry(row: &AppointmentRow, domain: &str) -> Entry {
    let parts = [row.service.as_str(), row.attendee_name(), row.professional.as_str()];
    let named: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    Entry {
        uid: format!("{}@{domain}", row.id),
        summary: if named.is_empty() { "Horário marcado".to_owned() } else { named.join(", ") },
        description: row.meeting_url().to_owned(),
        location: row.place().to_owned(),
        starts: row.starts_at,
        ends: row.ends_at,
        version: row.version,
        changed: row.updated_at,
        standing: match row.state() {
            State::Pending => Standing::Tentative,
            State::Cancelled | State::Rejected => Standing::Cancelled,
            _ => Standing::Confirmed,
        },
    }
}
