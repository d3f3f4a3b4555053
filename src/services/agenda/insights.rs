//! What a company's past appointments say: the chance that nobody comes to those ahead, the hours that are worth filling,
//! a recommendation, and the order in which free times are offered.
//!
//! The model is learnt anew from the rows every day (`domain::agenda::no_show`: one prior, then the company's own past in
//! its order), so that nothing of it is stored that a correction of a row would not reach.

mod moves;
mod past;
mod weights;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

pub use moves::{Moves, auto_reschedule};
use past::Past;
pub use past::{CONFIRMED_AT, is_confirmed};
pub use weights::{Preferences, Weights, weights};

use super::calendar::SlotWish;
use crate::domain::agenda::insights::{Finding, HeatMap, RiskLevel, recommendation};
use crate::domain::audit::ActorType;
use crate::models::tenant::agenda_view;
use crate::models::tenant::scheduling_insight::{self, InsightRow};
use crate::services::audit::{self, Actor};
use crate::services::{ServiceError, Services};
use crate::telemetry::metrics;
use crate::tenant::{StoreError, Tenant};

/// The kind under which a day's insights are stored.
pub const DAILY: &str = "daily";
/// How far back the model looks; appointments are kept no longer.
const BACK: TimeDelta = TimeDelta::days(730);
/// How far back the heat map looks, and how far the ranks of chances.
const HEAT_BACK: TimeDelta = TimeDelta::days(365);
const RECENT: TimeDelta = TimeDelta::days(90);
/// Most rows of one look.
const ROWS_MAX: i64 = 20_000;
/// Best times and marked appointments that are told of.
const BEST_MAX: usize = 10;
const HIGH_MAX: usize = 50;
/// Free times that are looked through for the best ones.
const FREE_MAX: usize = 1_000;

/// What a day's look came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Daily {
    /// Appointments ahead that were given a chance.
    pub upcoming: usize,
    /// Those of the coming days that are marked as high risk.
    pub high: usize,
    /// Those of them that were not marked the day before: what a counter of marks is to grow by.
    pub newly_high: usize,
    /// The recommendation.
    pub recommendation: String,
}

/// Who acts when nobody asked.
pub(super) fn secretaria() -> Actor {
    Actor { name: "secretaria".to_owned(), kind: ActorType::System, correlation_id: Uuid::now_v7().to_string() }
}

/// Looks at a company's appointments: writes the risk on those ahead, and stores the insights of this local day in
/// place of what was stored for it before. To be run once a local day; running it again does no harm.
pub async fn daily(services: &Services, tenant: &Tenant) -> Result<Daily, ServiceError> {
    let (now, zone) = (services.clock.now(), tenant.settings.timezone);
    let local = now.with_timezone(&zone).naive_local();
    let past = learn(tenant, now).await?;
    let choice = tenant.settings.agenda;
    let level = RiskLevel::of(choice.marking, &past.chances_since(now - RECENT), past.base_rate());
    let before = newest(tenant).await?.and_then(|row| row.data.get("risk_from").and_then(Value::as_f64));
    let since = (now - HEAT_BACK).with_timezone(&zone).naive_local();
    let visits: Vec<_> = past.visits().iter().copied().filter(|visit| visit.starts >= since).collect();
    let map = HeatMap::of(&visits, &[]);

    let mut daily = Daily::default();
    let (mut risks, mut marked, mut expected, mut upcoming) = (Vec::new(), Vec::new(), 0.0, 0);
    for one in past.ahead() {
        risks.push((one.row.id, one.chance));
        if !choice.horizon.covers(local, one.local) {
            continue;
        }
        upcoming += 1;
        expected += one.chance;
        if level.marks(one.chance) {
            daily.high += 1;
            let marked_before = before.zip(one.row.risk).is_some_and(|(from, risk)| f64::from(risk) >= from);
            daily.newly_high += usize::from(!marked_before);
            marked.push((
                one.chance,
                json!({
                    "appointment_id": one.row.id, "starts_at": one.row.starts_at, "risk": rounded(one.chance),
                    "reasons": past.reasons(one.row),
                }),
            ));
        }
    }
    marked.sort_by(|left, right| right.0.total_cmp(&left.0));
    let finding = Finding {
        upcoming,
        high_risk: u32::try_from(daily.high).unwrap_or(u32::MAX),
        expected_missed: expected,
        days: choice.horizon.days_ahead,
    };
    daily.upcoming = risks.len();
    daily.recommendation = recommendation(&map, &finding);
    let data = json!({
        "days_ahead": choice.horizon.days_ahead, "upcoming": upcoming, "high_risk": daily.high,
        "expected_missed": rounded(expected), "risk_from": level.from(), "base_rate": rounded(past.base_rate()),
        "outcomes": past.outcomes(), "attendance_rate": map.attendance_rate().map(rounded),
        "heat": heat(&map), "best": best(services, tenant, &map, now).await,
        "high": marked.into_iter().take(HIGH_MAX).map(|(_, one)| one).collect::<Vec<_>>(),
        "recommendation": daily.recommendation,
    });
    store(
        tenant,
        &risks,
        InsightRow { id: Uuid::now_v7(), day: local.date(), kind: DAILY.to_owned(), data, created_at: now },
    )
    .await?;
    services.preferences.forget(tenant.id());
    metrics::agenda_optimized(tenant.id(), u64::try_from(daily.newly_high).unwrap_or(0));
    Ok(daily)
}

/// Reads the rows and learns from them, on a thread that may take its time.
async fn learn(tenant: &Tenant, now: DateTime<Utc>) -> Result<Past, ServiceError> {
    let zone = tenant.settings.timezone;
    let mut tx = tenant.db.begin().await?;
    let rows = agenda_view::since(&mut tx, now - BACK, ROWS_MAX).await?;
    let reminded: BTreeMap<Uuid, bool> = agenda_view::reminded(&mut tx, now - BACK).await?;
    tx.commit().await?;
    tokio::task::spawn_blocking(move || Past::learn(rows, &reminded, zone, now))
        .await
        .map_err(|_| ServiceError::Stopping)
}

async fn store(tenant: &Tenant, risks: &[(Uuid, f64)], row: InsightRow) -> Result<(), StoreError> {
    let mut tx = tenant.db.begin().await?;
    agenda_view::set_risks(&mut tx, risks).await?;
    scheduling_insight::put(&mut tx, &row).await?;
    let detail =
        json!({ "day": row.day, "upcoming": row.data.get("upcoming"), "high_risk": row.data.get("high_risk") });
    let entry = secretaria().entry("agenda.optimize", "scheduling_insights/daily", detail);
    audit::record(&mut tx, tenant.id(), &entry, row.created_at).await?;
    tx.commit().await
}

/// The newest daily insights.
pub async fn newest(tenant: &Tenant) -> Result<Option<InsightRow>, StoreError> {
    let mut tx = tenant.db.begin().await?;
    let row = scheduling_insight::newest(&mut tx, DAILY).await?;
    tx.commit().await?;
    Ok(row)
}

/// From which chance on an appointment is marked as high risk, as the newest insights have it; `None` before the first.
pub async fn risk_from(tenant: &Tenant) -> Result<Option<f64>, StoreError> {
    Ok(newest(tenant).await?.and_then(|row| row.data.get("risk_from").and_then(Value::as_f64)))
}

fn heat(map: &HeatMap) -> Vec<Value> {
    map.hours()
        .map(|(hour, cell)| {
            json!({
                "weekday": weights::weekday(hour), "hour": hour.hour, "booked": cell.booked, "attended": cell.attended,
                "missed": cell.missed, "cancelled": cell.cancelled, "attendance": rounded(map.attendance(hour)),
                "occupancy": rounded(map.occupancy(hour)), "worth": rounded(map.worth(hour)),
            })
        })
        .collect()
}

/// The free times of the coming days that are most worth filling. A calendar that does not answer has none to tell of:
/// the rest of the insights does not wait for it.
async fn best(services: &Services, tenant: &Tenant, map: &HeatMap, now: DateTime<Utc>) -> Vec<Value> {
    let zone = tenant.settings.timezone;
    let days = TimeDelta::days(tenant.settings.agenda.horizon.days_ahead.into());
    let wish =
        SlotWish { service: None, professional: None, from: now, until: now + days, moving: None, limit: FREE_MAX };
    let actor = secretaria();
    let found = match super::of(services, tenant, &actor) {
        Ok(calendar) => calendar.slots(&wish).await,
        Err(error) => Err(error),
    };
    let free: BTreeMap<NaiveDateTime, DateTime<Utc>> = match found {
        Ok(slots) => slots.iter().map(|slot| (slot.starts.with_timezone(&zone).naive_local(), slot.starts)).collect(),
        Err(error) => {
            tracing::debug!(company = tenant.id().get(), %error, "Free times for the insights could not be read");
            return Vec::new();
        }
    };
    let locals: Vec<NaiveDateTime> = free.keys().copied().collect();
    let best = map.best(&locals, BEST_MAX).into_iter();
    best.filter_map(|local| {
        let worth = rounded(map.worth(crate::domain::agenda::insights::Hour::of(local)));
        Some(json!({ "starts_at": free.get(&local)?, "local": local.format("%Y-%m-%dT%H:%M").to_string(), "worth": worth }))
    })
    .collect()
}

/// Four digits: more would look like knowledge.
fn rounded(number: f64) -> f64 {
    (number * 10_000.0).round() / 10_000.0
}
