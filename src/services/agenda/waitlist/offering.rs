//! Whom a freed time is offered to, and how it is kept for them.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{close, freed_of, reachable, refused};
use crate::domain::agenda::waitlist::{FreeTime, Offer, Rules, Waiting, next};
use crate::models::tenant::agenda_view;
use crate::models::tenant::appointment;
use crate::models::tenant::timer::{self, SKIPPED, TimerRow};
use crate::models::tenant::waitlist::{self, OFFERED, WAITING, WaitRow};
use crate::services::agenda::insights::secretaria;
use crate::services::agenda::{self, Calendar, CalendarError, Customer, OpenSlot, SlotWish, Wish, nudge, timers};
use crate::services::audit;
use crate::services::{ServiceError, Services};
use crate::tenant::{StoreError, Tenant, TenantTx};

/// How long somebody stays marked while the calendar is asked.
const MARKED: TimeDelta = TimeDelta::minutes(2);

/// Somebody who is about to be asked.
struct Asked {
    freed: TimerRow,
    row: WaitRow,
    until: DateTime<Utc>,
}

/// Goes through the freed times; returns how many people are asked now.
pub(super) async fn all(services: &Services, tenant: &Tenant) -> Result<usize, ServiceError> {
    let now = services.clock.now();
    if nudge::is_quiet(tenant, now) {
        return Ok(0);
    }
    let mut tx = tenant.db.begin().await?;
    let freed = agenda_view::freed(&mut tx, now).await?;
    tx.commit().await?;
    let mut asked = 0;
    for one in freed {
        asked += usize::from(offer(services, tenant, one.id, now).await?);
    }
    Ok(asked)
}

/// Offers one freed time to the next person; whether somebody is asked.
async fn offer(services: &Services, tenant: &Tenant, freed: Uuid, now: DateTime<Utc>) -> Result<bool, ServiceError> {
    let Some(asked) = mark(tenant, freed, now).await? else { return Ok(false) };
    let actor = secretaria();
    let kept = match agenda::of(services, tenant, &actor) {
        Ok(calendar) => keep(tenant, &calendar, &asked).await,
        Err(error) => Err(error),
    };
    match kept {
        Ok(intent) => {
            ask(services, tenant, asked, intent, now).await?;
            nudge::due(services, tenant, now).await;
            Ok(true)
        }
        Err(error) => {
            // Somebody else has it, or it is no time that is on offer: nobody needs to be asked about it any more.
            let over = matches!(error, CalendarError::Taken | CalendarError::NotOffered | CalendarError::Gone);
            unmark(tenant, asked, over, now).await?;
            match error {
                CalendarError::Store(error) => Err(error.into()),
                error => {
                    tracing::debug!(company = tenant.id().get(), %error, "A freed time could not be kept");
                    Ok(false)
                }
            }
        }
    }
}

/// Chooses who is asked, and marks them, while nobody else chooses.
async fn mark(tenant: &Tenant, freed: Uuid, now: DateTime<Utc>) -> Result<Option<Asked>, StoreError> {
    let mut tx = tenant.db.begin().await?;
    let chosen = choose(&mut tx, freed, now).await?;
    tx.commit().await?;
    Ok(chosen)
}

async fn choose(tx: &mut TenantTx, freed: Uuid, now: DateTime<Utc>) -> Result<Option<Asked>, StoreError> {
    let Some(freed) = timer::lock(tx, freed).await?.filter(|row| row.state == SKIPPED) else { return Ok(None) };
    let rows = waitlist::open(tx).await?;
    if rows.iter().any(|row| row.state == OFFERED && freed_of(row) == Some(freed.id)) {
        return Ok(None);
    }
    let reachable = reachable(tx, &rows).await?;
    let waiting: Vec<Waiting> = rows.iter().map(|row| waiting(row, reachable.contains(&row.person_id))).collect();
    let field = |name: &str| freed.data.get(name).and_then(Value::as_str).and_then(|id| id.parse().ok());
    let time = FreeTime { starts: freed.due_at, service: field("service"), professional: field("professional") };
    let Some(Offer { waiting: id, until }) = next(&time, &waiting, &Rules::default(), now, false) else {
        close(tx, Some(freed.id), "nobody", now).await?;
        return Ok(None);
    };
    let Some(mut row) = waitlist::lock(tx, id).await?.filter(|row| row.state == WAITING) else { return Ok(None) };
    OFFERED.clone_into(&mut row.state);
    if let Some(wanted) = row.wanted.as_object_mut() {
        wanted.insert("freed".to_owned(), json!(freed.id));
    }
    (row.offered_id, row.offered_until, row.updated_at) = (None, Some(now + MARKED), now);
    waitlist::save(tx, &row).await?;
    Ok(Some(Asked { freed, row, until }))
}

fn waiting(row: &WaitRow, consent: bool) -> Waiting {
    Waiting {
        id: row.id,
        person: row.person_id,
        service: row.service_id,
        professional: row.professional_id,
        earliest: row.earliest,
        latest: row.latest,
        since: row.created_at,
        holding: row.state == OFFERED,
        refused: refused(row),
        consent,
    }
}

/// Keeps the time at the calendar; the intent under which it does.
async fn keep(tenant: &Tenant, calendar: &Calendar<'_>, asked: &Asked) -> Result<Uuid, CalendarError> {
    let field = |name: &str| asked.freed.data.get(name).and_then(Value::as_str).and_then(|id| id.parse().ok());
    let starts = asked.freed.due_at;
    let wish = SlotWish {
        service: asked.row.service_id.or(field("service")),
        professional: asked.row.professional_id.or(field("professional")),
        from: starts,
        until: starts + TimeDelta::minutes(1),
        moving: None,
        limit: 1,
    };
    let found = calendar.slots(&wish).await?;
    let slot: OpenSlot = found.into_iter().find(|slot| slot.starts == starts).ok_or(CalendarError::NotOffered)?;
    let mut tx = tenant.db.begin().await?;
    let (name, phone) = agenda_view::who(&mut tx, asked.row.person_id).await?;
    tx.commit().await?;
    let customer = Customer {
        person_id: Some(asked.row.person_id),
        conversation_id: asked.row.conversation_id,
        name,
        phone: phone.map(|digits| format!("+{digits}")),
        email: None,
    };
    let wish = Wish { id: Uuid::now_v7(), slot, customer, source: "waitlist" };
    Ok(calendar.hold(&wish).await?.id)
}

/// The time is kept: for as long as the rules say, and the person is asked.
async fn ask(
    services: &Services,
    tenant: &Tenant,
    asked: Asked,
    intent: Uuid,
    now: DateTime<Utc>,
) -> Result<(), ServiceError> {
    let Asked { mut row, until, .. } = asked;
    let mut tx = tenant.db.begin().await?;
    let Some(mut kept) = appointment::lock(&mut tx, intent).await? else {
        tx.commit().await?;
        return Ok(());
    };
    kept.hold_until = Some(kept.hold_until.map_or(until, |held| held.max(until)));
    appointment::save(&mut tx, &kept).await?;
    row.offers = row.offers.saturating_add(1);
    (row.offered_id, row.offered_until, row.updated_at) = (Some(intent), kept.hold_until, now);
    waitlist::save(&mut tx, &row).await?;
    timers::tell_vacancy(&mut tx, &kept, row.id, now).await?;
    let detail = json!({ "waiting": row.id, "until": kept.hold_until });
    let entry = secretaria().entry("agenda.vacancy", format!("appointment/{intent}"), detail);
    audit::record(&mut tx, tenant.id(), &entry, services.clock.now()).await?;
    tx.commit().await?;
    Ok(())
}

/// The person waits on; about a time that is over nobody is asked any more.
async fn unmark(tenant: &Tenant, asked: Asked, over: bool, now: DateTime<Utc>) -> Result<(), StoreError> {
    let mut tx = tenant.db.begin().await?;
    if let Some(mut row) = waitlist::lock(&mut tx, asked.row.id).await?.filter(|row| row.state == OFFERED) {
        WAITING.clone_into(&mut row.state);
        (row.offered_until, row.updated_at) = (None, now);
        waitlist::save(&mut tx, &row).await?;
    }
    if over {
        close(&mut tx, Some(asked.freed.id), "gone", now).await?;
    }
    tx.commit().await
}

/// Gives a kept time back at the calendar. One that fails runs out by itself.
pub(super) async fn give_back(services: &Services, tenant: &Tenant, intent: Uuid) {
    let actor = secretaria();
    let released = match agenda::of(services, tenant, &actor) {
        Ok(calendar) => calendar.release(intent).await,
        Err(error) => Err(error),
    };
    if let Err(error) = released {
        tracing::debug!(company = tenant.id().get(), %error, "A kept time could not be given back");
    }
}
