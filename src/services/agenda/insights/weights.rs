//! Which of the free times a customer is shown first.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde_json::Value;
use tokio::time::Instant;

use super::DAILY;
use crate::domain::agenda::insights::Hour;
use crate::domain::company::CompanyId;
use crate::models::tenant::scheduling_insight;
use crate::services::Services;
use crate::tenant::{StoreError, Tenant};

/// How long they are remembered: they change once a day.
const FRESH: Duration = Duration::from_secs(600);
/// What a day of waiting takes off: the best hour of the week is worth waiting four days for against the worst one, and
/// no more, as what is booked long before is missed more often.
const DAY: f32 = 0.25;
/// With fewer past appointments the hours cannot be told apart; then the earliest time comes first.
const BOOKED_MIN: u64 = 20;

type Worth = HashMap<(u8, u8), f32>;

/// What this process remembers.
#[derive(Default)]
pub struct Preferences {
    companies: Mutex<HashMap<CompanyId, (Instant, Arc<Worth>)>>,
}

impl Preferences {
    fn get(&self, company: CompanyId) -> Option<Arc<Worth>> {
        let companies = self.companies.lock().unwrap_or_else(PoisonError::into_inner);
        companies.get(&company).filter(|(at, _)| at.elapsed() < FRESH).map(|(_, worth)| Arc::clone(worth))
    }

    fn keep(&self, company: CompanyId, worth: &Arc<Worth>) {
        let mut companies = self.companies.lock().unwrap_or_else(PoisonError::into_inner);
        companies.insert(company, (Instant::now(), Arc::clone(worth)));
    }

    /// The next question reads anew.
    pub(super) fn forget(&self, company: CompanyId) {
        self.companies.lock().unwrap_or_else(PoisonError::into_inner).remove(&company);
    }
}

/// How much a company prefers one free time to another, seen from one moment.
#[derive(Clone, Debug)]
pub struct Weights {
    zone: Tz,
    today: NaiveDate,
    worth: Arc<Worth>,
}

impl Weights {
    /// For ordering free times, the highest first: how full the hour of the week is and how many come then, from 0 to 1
    /// against the company's best hour, less a little for each day of waiting. All equal while too little is known.
    pub fn of(&self, starts: DateTime<Utc>) -> f32 {
        if self.worth.is_empty() {
            return 0.0;
        }
        let local = starts.with_timezone(&self.zone).naive_local();
        let hour = Hour::of(local);
        let key = (weekday(hour), hour.hour);
        let days = i16::try_from((local.date() - self.today).num_days()).unwrap_or(i16::MAX);
        self.worth.get(&key).copied().unwrap_or(0.0) - DAY * f32::from(days)
    }

    /// Whether any hour is preferred.
    pub fn is_neutral(&self) -> bool {
        self.worth.is_empty()
    }
}

/// A weekday as it is stored: 0 is Monday.
pub(super) fn weekday(hour: Hour) -> u8 {
    u8::try_from(hour.weekday.num_days_from_monday()).unwrap_or(0)
}

/// The company's preferences, from the newest daily insights. Never fails: what cannot be read prefers nothing.
pub async fn weights(services: &Services, tenant: &Tenant, now: DateTime<Utc>) -> Weights {
    let zone = tenant.settings.timezone;
    let worth = match services.preferences.get(tenant.id()) {
        Some(worth) => worth,
        None => match read(tenant).await {
            Ok(worth) => {
                let worth = Arc::new(worth);
                services.preferences.keep(tenant.id(), &worth);
                worth
            }
            Err(error) => {
                tracing::debug!(company = tenant.id().get(), %error, "Preferred hours could not be read");
                Arc::default()
            }
        },
    };
    Weights { zone, today: now.with_timezone(&zone).date_naive(), worth }
}

async fn read(tenant: &Tenant) -> Result<Worth, StoreError> {
    let mut tx = tenant.db.begin().await?;
    let newest = scheduling_insight::newest(&mut tx, DAILY).await?;
    tx.commit().await?;
    Ok(newest.map(|row| of(&row.data)).unwrap_or_default())
}

/// Hours by what they are worth against the best one.
fn of(data: &Value) -> Worth {
    let cells: Vec<&Value> = data.get("heat").and_then(Value::as_array).into_iter().flatten().collect();
    let number = |cell: &Value, field: &str| cell.get(field).and_then(Value::as_u64);
    if cells.iter().filter_map(|cell| number(cell, "booked")).sum::<u64>() < BOOKED_MIN {
        return Worth::default();
    }
    let worth = |cell: &Value| {
        let key = (u8::try_from(number(cell, "weekday")?).ok()?, u8::try_from(number(cell, "hour")?).ok()?);
        Some((key, cell.get("worth").and_then(Value::as_f64)? as f32))
    };
    let found: Worth = cells.into_iter().filter_map(worth).collect();
    let best = found.values().copied().fold(0.0, f32::max);
    if best <= 0.0 {
        return Worth::default();
    }
    found.into_iter().map(|(key, worth)| (key, worth / best)).collect()
}
