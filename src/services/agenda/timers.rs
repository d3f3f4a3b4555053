//! Reminders, looks at whether somebody came, and questions after a visit: planned as rows with every change of an
//! appointment, in its transaction; put into conversations when they are due; said under the conversation's claim.
//!
//! A row stays due until the transaction that stores its text: an envelope that is lost is put again, one that comes twice
//! finds the row done.

mod dispatch;
pub mod due;
mod judge;
pub(in crate::services) mod settled;
mod visit;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

pub use dispatch::{Dispatched, actor, dispatch};
pub(in crate::services) use dispatch::{phone_of, skip};
pub(in crate::services) use judge::{Verdict, judge};
pub use settled::tell_settled;

use crate::domain::agenda::appointment::AppointmentState as State;
use crate::domain::agenda::reminders::{Due, Kind, Skip, Visit, plan};
use crate::models::tenant::appointment::AppointmentRow;
use crate::models::tenant::timer::{self, DONE, DUE, SKIPPED, TimerRow};
use crate::telemetry::metrics;
use crate::tenant::{StoreError, Tenant, TenantTx};

/// A reminder before an appointment; its name says which.
pub const REMINDER: &str = "reminder";
/// The look at whether somebody came.
pub const NO_SHOW: &str = "no_show_check";
/// The question after a visit.
pub const FOLLOW_UP: &str = "follow_up";
/// A time that became free and is kept for somebody who waits; its appointment is the kept time.
pub const VACANCY: &str = "vacancy";
/// The question whether another time suits better, of an appointment that is likely to be missed.
pub const AUTO_RESCHEDULE: &str = "auto_reschedule";
/// What became of something a person asked for, where it was not known at once.
pub const OUTCOME: &str = "outcome";
/// The name of a reminder that a person of the company orders.
pub const MANUAL: &str = "manual";
/// The most reminders of an appointment's own.
const OWN_MAX: usize = 6;

/// What a planning came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Planned {
    /// When the first of it is due.
    pub next: Option<DateTime<Utc>>,
    /// What will not be sent, by kind, and why.
    pub skipped: Vec<(Kind, Skip)>,
}

impl Planned {
    /// Adds another's.
    pub fn add(&mut self, other: Self) {
        self.next = self.next.into_iter().chain(other.next).min();
        self.skipped.extend(other.skipped);
    }

    /// Counts what will not be sent, once it is committed.
    pub fn count(&self, tenant: &Tenant) {
        for (kind, skip) in &self.skipped {
            metrics::timer_skipped(tenant.id(), label(*kind), judge::skip(*skip));
        }
    }
}

/// Plans what is due of an appointment as it is now, and takes away what was planned of it as it was before: in the
/// transaction that stores the appointment. Said twice of one version, it changes nothing.
///
/// # Errors
/// Those of the store.
pub async fn plan_for(
    tx: &mut TenantTx,
    tenant: &Tenant,
    row: &AppointmentRow,
    now: DateTime<Utc>,
) -> Result<Planned, StoreError> {
    let state = row.state();
    if !state.was_booked() {
        return Ok(Planned::default());
    }
    let kinds = kinds(tenant, row);
    let gone = if kinds.is_empty() { row.version.saturating_add(1) } else { row.version };
    timer::cancel_before(tx, (row.id, gone), now).await?;
    if kinds.is_empty() {
        return Ok(Planned::default());
    }
    let before = match row.version {
        1 => Vec::new(),
        _ => timer::of_appointment(tx, row.id).await?,
    };
    let (mut planned, mut rows) = (Planned::default(), Vec::new());
    for kind in kinds {
        let (name, visit) = (name(kind), Visit { start: row.starts_at, end: row.ends_at });
        // Told already of this very visit, when something else of it changed.
        if before.iter().any(|old| is_told(old, kind, &name, row.starts_at)) {
            continue;
        }
        let mut fresh = timer_row(row, (stored_kind(kind), name), row.starts_at, now);
        match plan(kind, &visit, &tenant.settings.reminders.rules(tenant.settings.timezone), now) {
            Due::At(at) => {
                fresh.due_at = at;
                fresh.data = data(row, at);
                planned.next = planned.next.into_iter().chain([at]).min();
            }
            Due::Skipped(why) => {
                fresh.state = SKIPPED.to_owned();
                fresh.reason = Some(why.as_str().to_owned());
                planned.skipped.push((kind, why));
            }
        }
        rows.push(fresh);
    }
    // Planned before: nothing of it is news.
    if timer::insert(tx, &rows).await? == 0 {
        return Ok(Planned::default());
    }
    Ok(planned)
}

/// What there is to do about an appointment that stands so.
fn kinds(tenant: &Tenant, row: &AppointmentRow) -> Vec<Kind> {
    let choice = &tenant.settings.reminders;
    let follow_up = choice.follow_up.then_some(Kind::FollowUp);
    match row.state() {
        State::Confirmed | State::Rescheduled => {
            let mut all: Vec<Kind> = Vec::new();
            all.extend(choice.day.then_some(Kind::Day));
            all.extend(choice.hour.then_some(Kind::Hour));
            let told = |minutes: u32| choice.day && minutes == 1_440 || choice.hour && minutes == 60;
            for minutes in choice.custom.iter().copied().chain(own_minutes(row)) {
                if !told(minutes) && !all.contains(&Kind::Custom(minutes)) {
                    all.push(Kind::Custom(minutes));
                }
            }
            all.push(Kind::NoShow);
            all.extend(follow_up);
            all
        }
        State::Attended => follow_up.into_iter().collect(),
        // Of what the company has not said yes to nobody is reminded; the yes plans it.
        _ => Vec::new(),
    }
}

/// The reminders of an appointment's own: `metadata.reminder_minutes`, a number or several.
fn own_minutes(row: &AppointmentRow) -> Vec<u32> {
    let read = |value: &Value| value.as_u64().and_then(|minutes| u32::try_from(minutes).ok());
    let own = row.metadata.get("reminder_minutes").unwrap_or(&Value::Null);
    let all: Vec<u32> = match own {
        Value::Array(list) => list.iter().filter_map(read).collect(),
        one => read(one).into_iter().collect(),
    };
    all.into_iter().filter(|minutes| (1..=43_200).contains(minutes)).take(OWN_MAX).collect()
}

fn is_told(old: &TimerRow, kind: Kind, name: &str, starts_at: DateTime<Utc>) -> bool {
    (old.state == DONE || old.message_id.is_some())
        && (old.kind.as_str(), old.name.as_str()) == (stored_kind(kind), name)
        && time_in(&old.data, "starts_at") == Some(starts_at)
}

/// A reminder to be sent at once, as somebody of the company orders it; `None` when this one was ordered before.
///
/// # Errors
/// Those of the store.
pub async fn remind_now(
    tx: &mut TenantTx,
    row: &AppointmentRow,
    order: &str,
    now: DateTime<Utc>,
) -> Result<Option<TimerRow>, StoreError> {
    let name = format!("{MANUAL}:{order}");
    let fresh = timer_row(row, (REMINDER, name), now, now);
    Ok((timer::insert(tx, std::slice::from_ref(&fresh)).await? == 1).then_some(fresh))
}

/// The question after a visit once more; `None` when this one was ordered before.
///
/// # Errors
/// Those of the store.
pub async fn follow_up_again(
    tx: &mut TenantTx,
    row: &AppointmentRow,
    order: &str,
    now: DateTime<Utc>,
) -> Result<Option<TimerRow>, StoreError> {
    let fresh = timer_row(row, (FOLLOW_UP, format!("{MANUAL}:{order}")), now, now);
    Ok((timer::insert(tx, std::slice::from_ref(&fresh)).await? == 1).then_some(fresh))
}

/// Tells somebody who waits of a time that is kept for them (`row`, in state `held`); `None` when they were told before.
///
/// # Errors
/// Those of the store.
pub async fn tell_vacancy(
    tx: &mut TenantTx,
    row: &AppointmentRow,
    waitlist: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<TimerRow>, StoreError> {
    let fresh = timer_row(row, (VACANCY, waitlist.to_string()), now, now);
    Ok((timer::insert(tx, std::slice::from_ref(&fresh)).await? == 1).then_some(fresh))
}

fn timer_row(
    row: &AppointmentRow,
    (kind, name): (&str, String),
    due_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> TimerRow {
    TimerRow {
        id: Uuid::now_v7(),
        kind: kind.to_owned(),
        name,
        appointment_id: Some(row.id),
        version: row.version,
        person_id: row.person_id,
        conversation_id: row.conversation_id,
        due_at,
        state: DUE.to_owned(),
        reason: None,
        attempts: 0,
        message_id: None,
        data: data(row, due_at),
        created_at: now,
        updated_at: now,
    }
}

/// What a timer keeps of its plan: the visit it is of, and when it was due before it was put off.
fn data(row: &AppointmentRow, due_at: DateTime<Utc>) -> Value {
    json!({ "starts_at": row.starts_at, "planned_at": due_at })
}

fn time_in(data: &Value, field: &str) -> Option<DateTime<Utc>> {
    data.get(field)?.as_str()?.parse().ok()
}

/// When a timer was due as it was planned.
pub(in crate::services) fn planned_at(timer: &TimerRow) -> DateTime<Utc> {
    time_in(&timer.data, "planned_at").unwrap_or(timer.due_at)
}

/// The kind of a stored timer; `None` for one that knows no rules but its own.
pub(in crate::services) fn kind_of(timer: &TimerRow) -> Option<Kind> {
    match (timer.kind.as_str(), timer.name.as_str()) {
        (NO_SHOW, _) => Some(Kind::NoShow),
        (FOLLOW_UP, _) => Some(Kind::FollowUp),
        (REMINDER, "24h") => Some(Kind::Day),
        (REMINDER, "1h") => Some(Kind::Hour),
        (REMINDER, name) => Some(Kind::Custom(name.strip_prefix("custom:")?.parse().ok()?)),
        _ => None,
    }
}

fn stored_kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Day | Kind::Hour | Kind::Custom(_) => REMINDER,
        Kind::FollowUp => FOLLOW_UP,
        Kind::NoShow => NO_SHOW,
    }
}

fn name(kind: Kind) -> String {
    match kind {
        Kind::Day => "24h".to_owned(),
        Kind::Hour => "1h".to_owned(),
        Kind::Custom(minutes) => format!("custom:{minutes}"),
        Kind::FollowUp | Kind::NoShow => String::new(),
    }
}

/// The kind in metrics.
fn label(kind: Kind) -> metrics::TimerKind {
    match kind {
        Kind::Day => metrics::TimerKind::Day,
        Kind::Hour => metrics::TimerKind::Hour,
        Kind::Custom(_) => metrics::TimerKind::Custom,
        Kind::FollowUp => metrics::TimerKind::FollowUp,
        Kind::NoShow => metrics::TimerKind::NoShow,
    }
}

/// A stored timer's kind in metrics.
pub(in crate::services) fn label_of(timer: &TimerRow) -> metrics::TimerKind {
    match kind_of(timer) {
        Some(kind) => label(kind),
        None if timer.kind == VACANCY => metrics::TimerKind::Vacancy,
        None if timer.kind == AUTO_RESCHEDULE => metrics::TimerKind::Move,
        None if timer.kind == OUTCOME => metrics::TimerKind::Outcome,
        None => metrics::TimerKind::Manual,
    }
}
