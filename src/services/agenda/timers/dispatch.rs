//! From due rows to envelopes in mailboxes.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use futures::StreamExt;
use serde_json::json;
use uuid::Uuid;

use super::judge::{Verdict, judge};
use super::{NO_SHOW, label_of, visit};
use crate::domain::phone::Phone;
use crate::models::tenant::appointment::{self, AppointmentRow};
use crate::models::tenant::conversation;
use crate::models::tenant::timer::{self, CANCELLED, SKIPPED, TimerRow};
use crate::queue::{Accepted, Body, IntakeLimits, NewEnvelope, accept};
use crate::services::audit::{self, Actor};
use crate::services::{ServiceError, Services, orders};
use crate::telemetry::metrics::{self, TimerSkip};
use crate::tenant::{StoreError, Tenant, TenantRedis, TenantTx};

/// How long a worker is given to say what was put, before it is put again; doubled with each time.
const VISIBILITY: TimeDelta = TimeDelta::minutes(1);
/// The longest of these times.
const VISIBILITY_MAX: TimeDelta = TimeDelta::minutes(30);
/// How long it is remembered that an envelope was put, seconds.
const SEEN_SECONDS: i64 = 3_600;
/// Envelopes on their way to Redis at once.
const ABREAST: usize = 32;

/// What became of what was due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dispatched {
    /// Rows that were due and nobody else's.
    pub claimed: usize,
    /// Of those, put into their conversations' mailboxes.
    pub put: usize,
    /// Not yet.
    pub waiting: usize,
    /// Not any more, and why is in their rows.
    pub skipped: usize,
    /// What they were for is gone.
    pub gone: usize,
    /// Visits that were looked at.
    pub visits: usize,
}

/// What is to be put into a mailbox.
struct Errand {
    timer: Uuid,
    attempt: i32,
    group: String,
}

/// Whatever has to be done once the rows are committed.
#[derive(Default)]
struct Sorted {
    errands: Vec<Errand>,
    visits: Vec<Uuid>,
    skipped: Vec<(metrics::TimerKind, TimerSkip)>,
    done: Dispatched,
}

/// Does what is due of a company, at most so many: looks at visits itself, and puts what is to be said into the
/// conversations' own mailboxes. What is put stays due, for later, until its text is stored: should the envelope be lost,
/// it is put again.
///
/// # Errors
/// Those of the stores. What was not done stays due.
pub async fn dispatch(services: &Services, tenant: &Tenant, limit: i64) -> Result<Dispatched, ServiceError> {
    let now = services.clock.now();
    let mut tx = tenant.db.begin().await?;
    let sorted = match sort(&mut tx, tenant, now, limit).await {
        Ok(sorted) => sorted,
        Err(error) => {
            tx.rollback().await;
            return Err(error.into());
        }
    };
    tx.commit().await?;
    for (kind, why) in &sorted.skipped {
        metrics::timer_skipped(tenant.id(), *kind, *why);
    }
    let mut done = sorted.done;
    // First: whoever did not come is not asked how it was.
    for id in sorted.visits {
        // One that cannot be looked at must not stop the others; it is due again in a while.
        match visit::look(services, tenant, id).await {
            Ok(()) => done.visits += 1,
            Err(error) => tracing::warn!(company = tenant.id().get(), %error, "A visit could not be looked at"),
        }
    }
    done.put = put(services, tenant, sorted.errands).await?;
    Ok(done)
}

async fn sort(tx: &mut TenantTx, tenant: &Tenant, now: DateTime<Utc>, limit: i64) -> Result<Sorted, StoreError> {
    let rows = timer::claim(tx, now, limit).await?;
    let mut sorted = Sorted { done: Dispatched { claimed: rows.len(), ..Dispatched::default() }, ..Sorted::default() };
    if rows.is_empty() {
        return Ok(sorted);
    }
    let ids: Vec<Uuid> = rows.iter().filter_map(|row| row.appointment_id).collect();
    let appointments: HashMap<Uuid, AppointmentRow> =
        appointment::of_ids(tx, &ids).await?.into_iter().map(|row| (row.id, row)).collect();
    let groups = Groups::of(tx, &rows).await?;
    let rules = tenant.settings.reminders.rules(tenant.settings.timezone);
    let actor = actor();
    let mut put: HashMap<i32, Vec<Uuid>> = HashMap::new();
    for mut row in rows {
        let of = row.appointment_id.and_then(|id| appointments.get(&id));
        let verdict = of.map_or(Verdict::Gone, |of| judge(&row, of, &rules, now));
        let group = of.and_then(|of| groups.find(&row, of));
        let verdict = match (verdict, row.kind.as_str(), &group) {
            (Verdict::Send, NO_SHOW, _) => verdict,
            (Verdict::Send, _, None) => Verdict::Skip(TimerSkip::NoAddress),
            _ => verdict,
        };
        match verdict {
            Verdict::Send => {
                put.entry(row.attempts).or_default().push(row.id);
                match group {
                    Some(group) if row.kind != NO_SHOW => {
                        sorted.errands.push(Errand { timer: row.id, attempt: row.attempts, group });
                    }
                    _ => sorted.visits.push(row.id),
                }
                continue;
            }
            Verdict::Wait(at) => {
                row.due_at = at;
                sorted.done.waiting += 1;
            }
            Verdict::Skip(why) => {
                skip(tx, tenant, (&mut row, why), &actor, now).await?;
                sorted.skipped.push((label_of(&row), why));
                sorted.done.skipped += 1;
            }
            Verdict::Gone => {
                CANCELLED.clone_into(&mut row.state);
                sorted.done.gone += 1;
            }
        }
        row.updated_at = now;
        timer::save(tx, &row).await?;
    }
    for (attempts, ids) in put {
        let wait = VISIBILITY * 1_i32.checked_shl(attempts.clamp(0, 10).unsigned_abs()).unwrap_or(1);
        timer::put_off(tx, &ids, now + wait.min(VISIBILITY_MAX), now).await?;
    }
    Ok(sorted)
}

/// Marks a timer as one that is not sent, in its transaction. The caller stores it.
pub(in crate::services) async fn skip(
    tx: &mut TenantTx,
    tenant: &Tenant,
    (row, why): (&mut TimerRow, TimerSkip),
    actor: &Actor,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    SKIPPED.clone_into(&mut row.state);
    row.reason = Some(why.as_str().to_owned());
    let detail = json!({ "kind": row.kind, "name": row.name, "reason": why.as_str() });
    let of = row.appointment_id.map(|id| id.to_string()).unwrap_or_default();
    audit::record(tx, tenant.id(), &actor.entry("agenda.timer_skipped", format!("appointment/{of}"), detail), now).await
}

/// Who does what is due.
pub fn actor() -> Actor {
    Actor {
        name: "schedule".to_owned(),
        kind: crate::domain::audit::ActorType::System,
        correlation_id: Uuid::now_v7().to_string(),
    }
}

/// The message groups of those who are to be told something.
struct Groups {
    by_conversation: HashMap<Uuid, String>,
    by_person: HashMap<Uuid, String>,
}

impl Groups {
    async fn of(tx: &mut TenantTx, rows: &[TimerRow]) -> Result<Self, StoreError> {
        let unique = |of: fn(&TimerRow) -> Option<Uuid>| rows.iter().filter_map(of).collect::<HashSet<_>>();
        let ids: Vec<Uuid> = unique(|row| row.conversation_id).into_iter().collect();
        let people: Vec<Uuid> = unique(|row| row.person_id).into_iter().collect();
        let found = conversation::groups(tx, (&ids, &people)).await?;
        Ok(Self {
            by_conversation: found.iter().map(|(id, _, key)| (*id, key.clone())).collect(),
            by_person: found.into_iter().map(|(_, person, key)| (person, key)).collect(),
        })
    }

    /// Where somebody is spoken with: where it was booked, where they were last spoken with, or by their telephone.
    fn find(&self, timer: &TimerRow, row: &AppointmentRow) -> Option<String> {
        let conversation = timer.conversation_id.and_then(|id| self.by_conversation.get(&id));
        let person = || timer.person_id.and_then(|id| self.by_person.get(&id));
        conversation.or_else(person).cloned().or_else(|| Some(phone_of(row)?.person_key()))
    }
}

/// The telephone an appointment was made with.
pub(in crate::services) fn phone_of(row: &AppointmentRow) -> Option<Phone> {
    Phone::typed(row.attendee.get("phone")?.as_str()?)
}

/// Puts envelopes into mailboxes; returns how many are there. One that could not be put is due again in a while.
async fn put(services: &Services, tenant: &Tenant, errands: Vec<Errand>) -> Result<usize, StoreError> {
    let mut done = futures::stream::iter(errands)
        .map(|errand| put_one(services.clone(), tenant.redis.clone(), errand))
        .buffered(ABREAST);
    let (mut count, mut next) = (0, None::<i64>);
    while let Some(accepted) = done.next().await {
        match accepted {
            Ok(Accepted::Queued { next_due }) => {
                count += 1;
                next = next.into_iter().chain((next_due >= 0).then_some(next_due)).min();
            }
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(company = tenant.id().get(), %error, "Something due could not be put into its mailbox");
            }
        }
    }
    if let Some(next) = next {
        services.hints().tell(tenant.id(), next).await?;
    }
    Ok(count)
}

async fn put_one(services: Services, redis: TenantRedis, errand: Errand) -> Result<Accepted, StoreError> {
    let correlation_id = Uuid::now_v7().to_string();
    let body = Body::Timer { timer_id: errand.timer };
    let new = NewEnvelope {
        conversation: &errand.group,
        id: Uuid::now_v7(),
        correlation_id: &correlation_id,
        dedupe: Some(format!("timer:{}:{}", errand.timer, errand.attempt)),
        lid: None,
        body: &body,
    };
    let limits = IntakeLimits { seen_seconds: SEEN_SECONDS, ..orders::unlimited(&services) };
    accept(&redis, &services.clock, &new, &limits).await
}
