//! What people and programs of a company do with its calendar: they book, move and call off for customers, by name and
//! hour, and are told what else is free where a time is not.

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::calendar::{self, Calendar, CalendarError, Customer, LookUp, OpenSlot, SlotWish, Wish};
use super::lanes;
use crate::config::company::CalendarKind;
use crate::domain::agenda::appointment::AppointmentState as State;
use crate::domain::agenda::slots::exactly;
use crate::domain::phone::Phone;
use crate::models::tenant::agenda_view::{self, Known};
use crate::models::tenant::appointment::{self, AppointmentRow};
use crate::services::Services;
use crate::services::audit::Actor;
use crate::tenant::{StoreError, Tenant};

/// Other free times that a refusal names, and how far ahead they are looked for.
const OPTIONS: usize = 5;
const OPTIONS_WITHIN: TimeDelta = TimeDelta::days(14);

/// A time that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Which service.
    pub service: Option<Uuid>,
    /// With whom.
    pub professional: Option<Uuid>,
    /// When it is to begin.
    pub starts: DateTime<Utc>,
}

/// Why it was not done. Nothing was.
#[derive(Debug)]
pub enum Refusal {
    /// The calendar, or our store.
    Calendar(CalendarError),
    /// The time is over.
    Past,
    /// It begins sooner than the company allows: not before this.
    TooSoon(DateTime<Utc>),
    /// It begins later than the company allows: not after this.
    TooFar(DateTime<Utc>),
    /// Somebody has the time; these are free.
    Taken(Vec<OpenSlot>),
    /// It is no time of this company; these are.
    NotOffered(Vec<OpenSlot>),
    /// There is no such appointment.
    Missing,
    /// Its state does not allow it.
    State(State),
    /// The idempotency key was used for another appointment.
    KeyReused,
    /// What was tried under the idempotency key failed for good.
    KeySpent,
}

impl From<CalendarError> for Refusal {
    fn from(error: CalendarError) -> Self {
        Self::Calendar(error)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Calendar(error.into())
    }
}

/// The intent of an idempotency key: the same key of the same company is the same booking.
pub fn intent_of(tenant: &Tenant, key: &str) -> Uuid {
    let mut hash = Sha256::new();
    hash.update(b"agenda.book/");
    hash.update(tenant.id().get().to_be_bytes());
    hash.update(key.as_bytes());
    let mut bytes = [0_u8; 16];
    bytes.iter_mut().zip(hash.finalize()).for_each(|(byte, hashed)| *byte = hashed);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// One appointment, whatever became of it.
pub async fn find(tenant: &Tenant, id: Uuid) -> Result<Option<AppointmentRow>, StoreError> {
    let mut tx = tenant.db.begin().await?;
    let row = appointment::find(&mut tx, id).await?;
    tx.commit().await?;
    Ok(row)
}

/// The person behind an id or a telephone number, if they ever wrote.
pub async fn known(tenant: &Tenant, id: Option<Uuid>, phone: Option<&Phone>) -> Result<Option<Known>, StoreError> {
    let mut tx = tenant.db.begin().await?;
    let found = match (id, phone) {
        (Some(id), _) => agenda_view::by_id(&mut tx, id).await?,
        (None, Some(phone)) => agenda_view::by_phone(&mut tx, &phone.person_key()).await?,
        (None, None) => None,
    };
    tx.commit().await?;
    Ok(found)
}

/// Books under an intent. `false` beside the row: it was booked under this intent before.
pub async fn book(
    services: &Services,
    tenant: &Tenant,
    (intent, wanted, customer): (Uuid, &Wanted, Customer),
    actor: &Actor,
) -> Result<(AppointmentRow, bool), Refusal> {
    let calendar = calendar::of(services, tenant, actor)?;
    if let Some(row) = find(tenant, intent).await? {
        return before(&calendar, row, wanted).await.map(|row| (row, false));
    }
    let slot = slot(services, tenant, &calendar, wanted, None).await?;
    let wish = Wish { id: intent, slot, customer, source: "api" };
    match calendar.book(&wish).await {
        Ok(row) => Ok((row, true)),
        Err(CalendarError::Taken) => Err(Refusal::Taken(options(&calendar, services, tenant, wanted, None).await)),
        Err(CalendarError::NotOffered) => {
            Err(Refusal::NotOffered(options(&calendar, services, tenant, wanted, None).await))
        }
        Err(error) => Err(error.into()),
    }
}

/// What became of a booking that was tried before.
async fn before(calendar: &Calendar<'_>, row: AppointmentRow, wanted: &Wanted) -> Result<AppointmentRow, Refusal> {
    let row = match row.state() {
        State::Booking => match calendar.look_up(row.id).await? {
            LookUp::Booked(row) => *row,
            LookUp::NotBooked => return Err(Refusal::KeySpent),
            LookUp::Unclear => return Err(CalendarError::Unclear.into()),
        },
        state if !state.was_booked() => return Err(Refusal::KeySpent),
        _ => row,
    };
    // One that was moved since is still the one that was booked.
    let same = row.starts_at == wanted.starts && (wanted.service.is_none() || row.service_id == wanted.service);
    if same || row.state() == State::Rescheduled { Ok(row) } else { Err(Refusal::KeyReused) }
}

/// Moves an appointment; to the time it has, it stays as it is.
pub async fn reschedule(
    services: &Services,
    tenant: &Tenant,
    (id, starts, professional): (Uuid, DateTime<Utc>, Option<Uuid>),
    actor: &Actor,
) -> Result<AppointmentRow, Refusal> {
    let row = standing(tenant, id).await?;
    let wanted = Wanted { service: row.service_id, professional: professional.or(row.professional_id), starts };
    if row.starts_at == starts && row.professional_id == wanted.professional {
        return Ok(row);
    }
    let calendar = calendar::of(services, tenant, actor)?;
    let slot = slot(services, tenant, &calendar, &wanted, Some(id)).await?;
    match calendar.reschedule(id, &slot, None).await {
        Err(CalendarError::Taken) => Err(Refusal::Taken(options(&calendar, services, tenant, &wanted, Some(id)).await)),
        done => Ok(done?),
    }
}

/// Calls an appointment off; one that is called off stays so.
pub async fn cancel(
    services: &Services,
    tenant: &Tenant,
    (id, reason): (Uuid, &str),
    actor: &Actor,
) -> Result<AppointmentRow, Refusal> {
    let row = find(tenant, id).await?.filter(|row| row.state().was_booked()).ok_or(Refusal::Missing)?;
    match row.state() {
        State::Cancelled => Ok(row),
        state if state.stands() => Ok(calendar::of(services, tenant, actor)?.cancel(id, reason).await?),
        state => Err(Refusal::State(state)),
    }
}

/// An appointment that stands.
pub async fn standing(tenant: &Tenant, id: Uuid) -> Result<AppointmentRow, Refusal> {
    let row = find(tenant, id).await?.filter(|row| row.state().was_booked()).ok_or(Refusal::Missing)?;
    if row.state().stands() { Ok(row) } else { Err(Refusal::State(row.state())) }
}

/// The free time that is wanted, as it is on offer.
async fn slot(
    services: &Services,
    tenant: &Tenant,
    calendar: &Calendar<'_>,
    wanted: &Wanted,
    moving: Option<Uuid>,
) -> Result<OpenSlot, Refusal> {
    let (now, choice) = (services.clock.now(), &tenant.settings.calendar);
    let (first, last) = lanes::bounds(choice, now);
    match wanted.starts {
        starts if starts <= now => return Err(Refusal::Past),
        starts if starts < first => return Err(Refusal::TooSoon(first)),
        starts if starts >= last => return Err(Refusal::TooFar(last)),
        _ => {}
    }
    let wish = SlotWish {
        service: wanted.service,
        professional: wanted.professional,
        from: wanted.starts,
        until: wanted.starts + TimeDelta::minutes(1),
        moving,
        limit: 1,
    };
    let found = calendar.slots(&wish).await?.into_iter().find(|slot| slot.starts == wanted.starts);
    match found {
        Some(slot) => Ok(slot),
        None => {
            let options = options(calendar, services, tenant, wanted, moving).await;
            let ever = is_ever_offered(tenant, wanted).await?;
            Err(if ever { Refusal::Taken(options) } else { Refusal::NotOffered(options) })
        }
    }
}

/// Whether the time would be on offer if nobody had it. Of a calendar outside that is not known: then it is taken.
async fn is_ever_offered(tenant: &Tenant, wanted: &Wanted) -> Result<bool, Refusal> {
    if tenant.settings.calendar.kind != CalendarKind::Local {
        return Ok(true);
    }
    let offer = calendar::offer(tenant).await?;
    let lanes = lanes::local(&tenant.settings, &offer, (wanted.service, wanted.professional))?;
    Ok(lanes.iter().any(|lane| exactly(&lane.rules(), &[], wanted.starts).is_some()))
}

/// Free times from the wanted day on. That none can be found out is no reason to refuse in another way.
async fn options(
    calendar: &Calendar<'_>,
    services: &Services,
    tenant: &Tenant,
    wanted: &Wanted,
    moving: Option<Uuid>,
) -> Vec<OpenSlot> {
    let zone = tenant.settings.timezone;
    let day = wanted.starts.with_timezone(&zone).date_naive().and_time(chrono::NaiveTime::MIN);
    let from = crate::domain::agenda::flow::zoned::moment(zone, day).max(services.clock.now());
    let wish = SlotWish {
        service: wanted.service,
        professional: wanted.professional,
        from,
        until: from + OPTIONS_WITHIN,
        moving,
        limit: OPTIONS,
    };
    calendar.slots(&wish).await.unwrap_or_default()
}
