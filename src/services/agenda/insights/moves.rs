//! Asking people of appointments that will probably be missed whether another time suits them better.

use serde_json::json;
use uuid::Uuid;

use super::past;
use super::{RECENT, learn, secretaria};
use crate::domain::agenda::insights::{RiskLevel, Upcoming, reschedule_offers};
use crate::models::tenant::agenda_view::{self, Seen};
use crate::models::tenant::timer::{self, DUE, TimerRow};
use crate::services::agenda::nudge;
use crate::services::audit::{self, Actor};
use crate::services::{ServiceError, Services};
use crate::telemetry::metrics;
use crate::tenant::Tenant;

/// The kind of the timers.
pub const KIND: &str = "auto_reschedule";

/// What came of a round.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moves {
    /// The appointments whose people are asked now.
    pub asked: Vec<Uuid>,
    /// Nobody is asked because it is quiet: the next round does it.
    pub quiet: bool,
}

/// Puts a timer for everybody who is to be asked now: of a marked appointment that is near, not confirmed by its
/// customer, once an appointment whatever came of it, one a person, never in quiet hours. Whether the company wants it
/// (`agenda.auto_reschedule`) is for the caller to ask. To be run every hour or so of the day.
pub async fn auto_reschedule(
    services: &Services,
    tenant: &Tenant,
    actor: Option<&Actor>,
) -> Result<Moves, ServiceError> {
    let now = services.clock.now();
    let local = now.with_timezone(&tenant.settings.timezone).naive_local();
    if nudge::is_quiet(tenant, now) {
        return Ok(Moves { quiet: true, ..Moves::default() });
    }
    let choice = tenant.settings.agenda;
    let past = learn(tenant, now).await?;
    let level = RiskLevel::of(choice.marking, &past.chances_since(now - RECENT), past.base_rate());
    let near: Vec<past::Ahead<'_>> =
        past.ahead().filter(|one| one.row.starts_at - now <= choice.horizon.look_ahead).collect();
    let mut tx = tenant.db.begin().await?;
    let ids: Vec<Uuid> = near.iter().map(|one| one.row.id).collect();
    let people: Vec<Uuid> = near.iter().filter_map(|one| one.row.person_id).collect();
    let asked = agenda_view::timed(&mut tx, KIND, &ids).await?;
    let reachable = agenda_view::reachable(&mut tx, &people).await?;
    let upcoming: Vec<Upcoming> = near
        .iter()
        .filter(|one| one.row.conversation_id.is_some())
        .map(|one| Upcoming {
            appointment: one.row.id,
            person: one.row.person_id,
            starts: one.local,
            risk: one.chance,
            confirmed: past::is_confirmed(one.row),
            asked_before: asked.contains(&one.row.id),
            consent: one.row.person_id.is_some_and(|person| reachable.contains(&person)),
        })
        .collect();
    let chosen = reschedule_offers(&upcoming, &level, &choice.horizon, local, false);
    let rows: Vec<TimerRow> =
        near.iter().filter(|one| chosen.contains(&one.row.id)).map(|one| row(one.row, one.chance, now)).collect();
    timer::insert(&mut tx, &rows).await?;
    let system = secretaria();
    for row in &rows {
        let resource = row.appointment_id.map(|id| format!("appointment/{id}")).unwrap_or_default();
        let entry = actor.unwrap_or(&system).entry("agenda.auto_reschedule", resource, json!({ "timer": row.id }));
        audit::record(&mut tx, tenant.id(), &entry, now).await?;
    }
    tx.commit().await?;
    if !rows.is_empty() {
        metrics::moves_offered(tenant.id(), u64::try_from(rows.len()).unwrap_or(0));
        nudge::due(services, tenant, now).await;
    }
    Ok(Moves { asked: chosen, quiet: false })
}

fn row(seen: &Seen, chance: f64, now: chrono::DateTime<chrono::Utc>) -> TimerRow {
    TimerRow {
        id: Uuid::now_v7(),
        kind: KIND.to_owned(),
        name: String::new(),
        appointment_id: Some(seen.id),
        version: seen.version,
        person_id: seen.person_id,
        conversation_id: seen.conversation_id,
        due_at: now,
        state: DUE.to_owned(),
        reason: None,
        attempts: 0,
        message_id: None,
        data: json!({ "risk": chance }),
        created_at: now,
        updated_at: now,
    }
}
