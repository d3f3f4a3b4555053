//! People who wait for a time: one at a time is asked about a time that became free, and it is kept for them meanwhile.
//!
//! A freed time is a row of its own (a timer of kind `freed`, never due: `skipped` while somebody may still be asked,
//! `done` afterwards), so that it outlives quiet hours, refusals and restarts. Who is asked is marked before the calendar
//! is, so that two processes never ask two people about one time.

mod offering;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::insights::secretaria;
use crate::domain::agenda::appointment::AppointmentState as State;
use crate::models::tenant::agenda_view::{self, FREED};
use crate::models::tenant::appointment::{self, AppointmentRow};
use crate::models::tenant::timer::{self, DONE, SKIPPED, TimerRow};
use crate::models::tenant::waitlist::{self, CANCELLED, EXPIRED, OFFERED, TAKEN, WAITING, WaitRow};
use crate::services::audit::{self, Actor};
use crate::services::{ServiceError, Services};
use crate::tenant::{StoreError, Tenant, TenantTx};

/// What somebody waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The row's id: the same again is the same wish.
    pub id: Uuid,
    /// Who.
    pub person_id: Uuid,
    /// Where they are spoken with; nobody can be asked without one.
    pub conversation_id: Option<Uuid>,
    /// For which service; `None` = any.
    pub service_id: Option<Uuid>,
    /// With whom; `None` = anybody.
    pub professional_id: Option<Uuid>,
    /// From when on a time suits them.
    pub earliest: DateTime<Utc>,
    /// Until when.
    pub latest: DateTime<Utc>,
}

/// What a round came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ticked {
    /// People who took the time they were asked about.
    pub taken: usize,
    /// Times that were refused, or not taken in time.
    pub lapsed: usize,
    /// People for whom it is too late.
    pub expired: usize,
    /// People who are asked now.
    pub asked: usize,
}

/// Puts somebody on the list. Somebody who waits for the same already goes on waiting, for the wider of both spans.
pub async fn join(tx: &mut TenantTx, wanted: &Wanted, now: DateTime<Utc>) -> Result<WaitRow, StoreError> {
    if let Some(row) = waitlist::lock(tx, wanted.id).await? {
        return Ok(row);
    }
    let same = |row: &WaitRow| {
        row.person_id == wanted.person_id
            && row.service_id == wanted.service_id
            && row.professional_id == wanted.professional_id
    };
    if let Some(mut row) = waitlist::open(tx).await?.into_iter().find(same) {
        row.earliest = row.earliest.min(wanted.earliest);
        row.latest = row.latest.max(wanted.latest);
        row.conversation_id = wanted.conversation_id.or(row.conversation_id);
        row.updated_at = now;
        waitlist::save(tx, &row).await?;
        return Ok(row);
    }
    let row = WaitRow {
        id: wanted.id,
        person_id: wanted.person_id,
        conversation_id: wanted.conversation_id,
        service_id: wanted.service_id,
        professional_id: wanted.professional_id,
        earliest: wanted.earliest,
        latest: wanted.latest,
        wanted: json!({}),
        state: WAITING.to_owned(),
        offered_id: None,
        offered_until: None,
        offers: 0,
        created_at: now,
        updated_at: now,
    };
    waitlist::insert(tx, &row).await?;
    Ok(row)
}

/// Takes somebody off the list; a time that is kept for them is given back. `None`: they were not on it.
pub async fn leave(
    services: &Services,
    tenant: &Tenant,
    id: Uuid,
    actor: &Actor,
) -> Result<Option<WaitRow>, ServiceError> {
    let now = services.clock.now();
    let mut tx = tenant.db.begin().await?;
    let Some(mut row) = waitlist::lock(&mut tx, id).await? else {
        tx.commit().await?;
        return Ok(None);
    };
    let kept = row.offered_id.take();
    if matches!(row.state.as_str(), WAITING | OFFERED) {
        CANCELLED.clone_into(&mut row.state);
        (row.offered_until, row.updated_at) = (None, now);
        waitlist::save(&mut tx, &row).await?;
        let entry = actor.entry("agenda.waitlist_leave", format!("waitlist/{id}"), json!({}));
        audit::record(&mut tx, tenant.id(), &entry, now).await?;
    }
    tx.commit().await?;
    if let Some(kept) = kept {
        offering::give_back(services, tenant, kept).await;
        offering::all(services, tenant).await?;
    }
    Ok(Some(row))
}

/// An appointment was called off, declined or moved away: `row` as it was, with the time that is free now. Asks whoever
/// waits for such a time; in quiet hours a later [`tick`] does. The same again changes nothing.
pub async fn freed(services: &Services, tenant: &Tenant, row: &AppointmentRow) -> Result<usize, ServiceError> {
    let now = services.clock.now();
    if row.starts_at <= now || !row.state().was_booked() {
        return Ok(0);
    }
    let mut tx = tenant.db.begin().await?;
    let waits = !waitlist::open(&mut tx).await?.is_empty();
    if waits {
        timer::insert(&mut tx, &[freed_row(row, now)]).await?;
    }
    tx.commit().await?;
    if waits { offering::all(services, tenant).await } else { Ok(0) }
}

/// [`freed`], after something that is done whatever comes of it.
pub async fn freed_after(services: &Services, tenant: &Tenant, row: &AppointmentRow) {
    if let Err(error) = freed(services, tenant, row).await {
        tracing::warn!(company = tenant.id().get(), %error, "Nobody who waits could be asked about a freed time");
    }
}

fn freed_row(row: &AppointmentRow, now: DateTime<Utc>) -> TimerRow {
    TimerRow {
        id: Uuid::now_v7(),
        kind: FREED.to_owned(),
        name: row.starts_at.timestamp().to_string(),
        appointment_id: Some(row.id),
        version: row.version,
        person_id: None,
        conversation_id: None,
        due_at: row.starts_at,
        state: SKIPPED.to_owned(),
        reason: Some("open".to_owned()),
        attempts: 0,
        message_id: None,
        data: json!({ "service": row.service_id, "professional": row.professional_id }),
        created_at: now,
        updated_at: now,
    }
}

/// Sees what became of the times people were asked about, and asks the next ones. To be done every minute or so.
pub async fn tick(services: &Services, tenant: &Tenant) -> Result<Ticked, ServiceError> {
    let now = services.clock.now();
    let mut ticked = Ticked::default();
    let mut given_back = Vec::new();
    let mut tx = tenant.db.begin().await?;
    let waiting = waitlist::open(&mut tx).await?;
    // Of most companies nobody waits: they cost one look.
    if waiting.is_empty() {
        tx.commit().await?;
        return Ok(ticked);
    }
    for known in waiting {
        let Some(mut row) = waitlist::lock(&mut tx, known.id).await? else { continue };
        let before = row.clone();
        match row.state.as_str() {
            OFFERED => given_back.extend(look(&mut tx, &mut row, &mut ticked, now).await?),
            WAITING if row.latest <= now => expire(&mut row, &mut ticked),
            _ => {}
        }
        if row != before {
            row.updated_at = now;
            waitlist::save(&mut tx, &row).await?;
            let entry =
                secretaria().entry("agenda.waitlist", format!("waitlist/{}", row.id), json!({ "state": row.state }));
            audit::record(&mut tx, tenant.id(), &entry, now).await?;
        }
    }
    tx.commit().await?;
    for kept in given_back {
        offering::give_back(services, tenant, kept).await;
    }
    ticked.asked = offering::all(services, tenant).await?;
    Ok(ticked)
}

fn expire(row: &mut WaitRow, ticked: &mut Ticked) {
    EXPIRED.clone_into(&mut row.state);
    ticked.expired += 1;
}

/// What became of the time somebody was asked about; the intent that is to be given back, if one is.
async fn look(
    tx: &mut TenantTx,
    row: &mut WaitRow,
    ticked: &mut Ticked,
    now: DateTime<Utc>,
) -> Result<Option<Uuid>, StoreError> {
    let kept = match row.offered_id {
        Some(id) => appointment::find(tx, id).await?,
        // Marked, and the process died before the calendar was asked.
        None if row.offered_until.is_none_or(|until| until <= now) => None,
        None => return Ok(None),
    };
    let mut give_back = None;
    if let Some(kept) = kept {
        let moved_there = appointment::standing_of(tx, row.person_id, now).await?;
        if kept.state().was_booked() || moved_there.iter().any(|own| own.starts_at == kept.starts_at) {
            TAKEN.clone_into(&mut row.state);
            row.offered_until = None;
            close(tx, freed_of(row), "taken", now).await?;
            ticked.taken += 1;
            return Ok(None);
        }
        let in_time = kept.hold_until.is_none_or(|until| until > now);
        match kept.state() {
            State::Booking => return Ok(None),
            State::Held if in_time => return Ok(None),
            State::Held => give_back = Some(kept.id),
            _ => {}
        }
        refuse(row, kept.starts_at);
        ticked.lapsed += 1;
    }
    (row.offered_id, row.offered_until) = (None, None);
    WAITING.clone_into(&mut row.state);
    if row.latest <= now {
        expire(row, ticked);
    }
    Ok(give_back)
}

/// The freed time somebody was asked about.
fn freed_of(row: &WaitRow) -> Option<Uuid> {
    row.wanted.get("freed").and_then(Value::as_str)?.parse().ok()
}

/// The times somebody was asked about and did not take.
fn refused(row: &WaitRow) -> Vec<DateTime<Utc>> {
    let told = row.wanted.get("refused").and_then(Value::as_array).into_iter().flatten();
    told.filter_map(|at| DateTime::parse_from_rfc3339(at.as_str()?).ok().map(|at| at.to_utc())).collect()
}

fn refuse(row: &mut WaitRow, starts: DateTime<Utc>) {
    let mut all = refused(row);
    all.push(starts);
    let all: Vec<String> = all.iter().map(DateTime::to_rfc3339).collect();
    if let Some(wanted) = row.wanted.as_object_mut() {
        wanted.remove("freed");
        wanted.insert("refused".to_owned(), json!(all));
    }
}

/// Nobody is asked about a freed time any more.
async fn close(tx: &mut TenantTx, freed: Option<Uuid>, why: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
    let Some(id) = freed else { return Ok(()) };
    if let Some(mut row) = timer::lock(tx, id).await? {
        DONE.clone_into(&mut row.state);
        (row.reason, row.updated_at) = (Some(why.to_owned()), now);
        timer::save(tx, &row).await?;
    }
    Ok(())
}

/// Those on the list in a state, or all, the newest first.
pub async fn list(tenant: &Tenant, state: Option<&str>, limit: i64) -> Result<Vec<WaitRow>, StoreError> {
    let mut tx = tenant.db.begin().await?;
    let rows = waitlist::list(&mut tx, state, limit).await?;
    tx.commit().await?;
    Ok(rows)
}

/// Whether anybody may be written to of those waiting.
async fn reachable(tx: &mut TenantTx, rows: &[WaitRow]) -> Result<std::collections::BTreeSet<Uuid>, StoreError> {
    let people: Vec<Uuid> = rows.iter().map(|row| row.person_id).collect();
    agenda_view::reachable(tx, &people).await
}
