//! One calendar, wherever it is kept.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::counting::how_it_ended;
use super::local::Local;
use super::outside::Outside;
use super::rows::Desk;
use super::waitlist;
use crate::clients::calendar::{FINAL_STATE, NOT_FOUND, SLOT_TAKEN};
use crate::clients::{WireError, WireErrorKind};
use crate::config::company::CalendarKind;
use crate::domain::agenda::offer::Offer;
use crate::models::tenant::appointment::{self, AppointmentRow};
use crate::models::tenant::catalog;
use crate::services::Services;
use crate::services::audit::Actor;
use crate::telemetry::metrics::{self, AgendaOperation};
use crate::tenant::{StoreError, Tenant};

/// Why a calendar did not do what was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CalendarError {
    /// The company has none, or what it needs is missing; the word says what.
    #[error("the calendar is not set up: {0}")]
    NotConfigured(&'static str),
    /// Somebody else has the time.
    #[error("the time is taken")]
    Taken,
    /// The time is not on offer: past, too soon, outside hours.
    #[error("the time is not on offer")]
    NotOffered,
    /// There is no such appointment, or it can no longer be changed.
    #[error("there is no such appointment that could be changed")]
    Gone,
    /// The calendar says no for good; the word says why.
    #[error("the calendar refuses: {0}")]
    Refused(&'static str),
    /// The calendar does not work now, and surely did nothing.
    #[error("the calendar does not work now")]
    Down {
        /// How long it asks us to wait.
        wait: Option<Duration>,
    },
    /// Nobody knows yet whether it was done: nothing may be told, and [`Calendar::settle`] will know.
    #[error("it is not known whether the calendar did it")]
    Unclear,
    /// Our own store.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for CalendarError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict { constraint } if constraint == "appointment_seat" => Self::Taken,
            other => Self::Store(other),
        }
    }
}

impl From<WireError> for CalendarError {
    fn from(error: WireError) -> Self {
        match (error.kind, error.code) {
            (_, SLOT_TAKEN) => Self::Taken,
            (WireErrorKind::Invalid, NOT_FOUND | FINAL_STATE) => Self::Gone,
            (WireErrorKind::Invalid, "in_the_past" | "too_early") => Self::NotOffered,
            (WireErrorKind::Auth, code) => Self::NotConfigured(code),
            (WireErrorKind::Invalid, code) => Self::Refused(code),
            (WireErrorKind::RateLimited | WireErrorKind::Unavailable, _) => Self::Down { wait: error.retry_after },
            (WireErrorKind::Unknown, _) => Self::Unclear,
        }
    }
}

/// Which free times are wanted.
#[derive(Clone, Copy, Debug)]
pub struct SlotWish {
    /// For which service; `None` where the company has no list of them.
    pub service: Option<Uuid>,
    /// With whom; `None` = anybody.
    pub professional: Option<Uuid>,
    /// Beginning at or after.
    pub from: DateTime<Utc>,
    /// Beginning before.
    pub until: DateTime<Utc>,
    /// The appointment that is to be moved: its own time counts as free.
    pub moving: Option<Uuid>,
    /// At most so many, the first ones.
    pub limit: usize,
}

/// A time on offer. It can be kept with a conversation and comes back as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenSlot {
    /// When it begins.
    pub starts: DateTime<Utc>,
    /// When it ends.
    pub ends: DateTime<Utc>,
    /// The service.
    pub service: Option<Uuid>,
    /// Its name; empty where there is no list of services.
    pub service_name: String,
    /// With whom.
    pub professional: Option<Uuid>,
    /// Their name; empty when nobody is named.
    pub professional_name: String,
}

/// Who comes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// The person who asks.
    pub person_id: Option<Uuid>,
    /// Where they are spoken with.
    pub conversation_id: Option<Uuid>,
    /// The name of whoever comes, who may be somebody else.
    pub name: String,
    /// In E.164, with the plus sign.
    pub phone: Option<String>,
    /// E-mail.
    pub email: Option<String>,
}

/// An appointment that is wanted.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The intent's id, drawn once and used for holding and booking and for every new try.
    pub id: Uuid,
    /// The time, as it was offered.
    pub slot: OpenSlot,
    /// For whom.
    pub customer: Customer,
    /// Who asks: `chat`, `api`, `waitlist`.
    pub source: &'static str,
}

/// A time that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// The intent's id.
    pub id: Uuid,
    /// Until when.
    pub until: DateTime<Utc>,
}

/// What became of an intent.
#[derive(Clone, Debug, PartialEq)]
pub enum LookUp {
    /// It is in the calendar.
    Booked(Box<AppointmentRow>),
    /// It is not, and will not be.
    NotBooked,
    /// Nobody knows yet.
    Unclear,
}

/// What settling found out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settled {
    /// Bookings that turned out to have been made: whoever asked may be told now.
    pub booked: Vec<AppointmentRow>,
    /// Bookings that were not made.
    pub failed: Vec<AppointmentRow>,
    /// Appointments that turned out to have been moved.
    pub moved: Vec<AppointmentRow>,
    /// Appointments that turned out to have been called off.
    pub cancelled: Vec<AppointmentRow>,
    /// Bookings that came through too late or twice and were called off at the calendar.
    pub called_back: usize,
    /// Kept times that ran out.
    pub lapsed: usize,
    /// What is still open.
    pub open: usize,
}

/// A company's calendar.
pub enum Calendar<'a> {
    /// Its own, in its tables.
    Local(Local<'a>),
    /// At Cal.com.
    Calcom(Outside<'a>),
}

/// The company's calendar; `actor` is who will stand in the audit trail.
///
/// # Errors
/// `NotConfigured`: the company has none, or its key is missing.
pub fn of<'a>(services: &'a Services, tenant: &'a Tenant, actor: &'a Actor) -> Result<Calendar<'a>, CalendarError> {
    let desk = Desk::new(services, tenant, actor);
    match tenant.settings.calendar.kind {
        CalendarKind::None => Err(CalendarError::NotConfigured("no_calendar")),
        CalendarKind::Local => Ok(Calendar::Local(Local { desk })),
        CalendarKind::Calcom => Ok(Calendar::Calcom(Outside::new(desk)?)),
    }
}

/// What can be booked of a company.
pub async fn offer(tenant: &Tenant) -> Result<Offer, StoreError> {
    let mut tx = tenant.db.begin().await?;
    let items = catalog::all(&mut tx).await?;
    tx.commit().await?;
    Ok(Offer::of(items.iter().map(|item| (item.id, &item.fact, &item.data))))
}

/// A person's appointments that stand and are not over, the next one first, whatever the calendar.
pub async fn appointments_of(
    tenant: &Tenant,
    person_id: Uuid,
    now: DateTime<Utc>,
) -> Result<Vec<AppointmentRow>, StoreError> {
    let mut tx = tenant.db.begin().await?;
    let found = appointment::standing_of(&mut tx, person_id, now).await?;
    tx.commit().await?;
    Ok(found)
}

impl Calendar<'_> {
    /// Free times, in order. What is free now may be taken a moment later.
    pub async fn slots(&self, wish: &SlotWish) -> Result<Vec<OpenSlot>, CalendarError> {
        let found = self.timed(AgendaOperation::Slots, async {
            match self {
                Self::Local(local) => local.slots(wish).await,
                Self::Calcom(outside) => outside.slots(wish).await,
            }
        });
        let found = found.await?;
        metrics::slots_listed(self.desk().tenant.id(), found.len() as u64);
        Ok(found)
    }

    /// Keeps a time while somebody decides. Asked again with the same intent and time, it is kept longer.
    pub async fn hold(&self, wish: &Wish) -> Result<Held, CalendarError> {
        self.timed(AgendaOperation::Hold, async {
            match self {
                Self::Local(local) => local.hold(wish).await,
                Self::Calcom(outside) => outside.hold(wish).await,
            }
        })
        .await
    }

    /// Gives a kept time back. One that is not kept (any more) stays as it is.
    pub async fn release(&self, intent: Uuid) -> Result<(), CalendarError> {
        self.timed(AgendaOperation::Cancel, async {
            match self {
                Self::Local(local) => local.desk.release(intent).await.map(drop),
                Self::Calcom(outside) => outside.release(intent).await,
            }
        })
        .await
    }

    /// Books, whether or not the time was kept before. Asked again with the same intent, it gives the same appointment.
    /// Only the row that comes back is booked (or, where the company has to say yes, `pending`).
    pub async fn book(&self, wish: &Wish) -> Result<AppointmentRow, CalendarError> {
        let booked = self.timed(AgendaOperation::Book, async {
            match self {
                Self::Local(local) => local.book(wish).await,
                Self::Calcom(outside) => outside.book(wish).await,
            }
        });
        let booked = booked.await;
        metrics::booking_ended(self.desk().tenant.id(), how_it_ended(&booked));
        booked
    }

    /// What became of an intent.
    pub async fn look_up(&self, intent: Uuid) -> Result<LookUp, CalendarError> {
        self.timed(AgendaOperation::Book, async {
            match self {
                Self::Local(local) => local.look_up(intent).await,
                Self::Calcom(outside) => outside.look_up(intent).await,
            }
        })
        .await
    }

    /// Moves an appointment. `hold` is the intent under which the new time is kept, if it is. The row keeps its id.
    pub async fn reschedule(
        &self,
        appointment: Uuid,
        to: &OpenSlot,
        hold: Option<Uuid>,
    ) -> Result<AppointmentRow, CalendarError> {
        let before = self.desk().find(appointment).await?;
        let moved = self
            .timed(AgendaOperation::Reschedule, async {
                match self {
                    Self::Local(local) => local.reschedule(appointment, to, hold).await,
                    Self::Calcom(outside) => outside.reschedule(appointment, to, hold).await,
                }
            })
            .await?;
        if let Some(before) = before.filter(|before| before.starts_at != moved.starts_at) {
            waitlist::freed_after(self.desk().services, self.desk().tenant, &before).await;
        }
        Ok(moved)
    }

    /// Calls an appointment off. One that is called off already is fine.
    pub async fn cancel(&self, appointment: Uuid, reason: &str) -> Result<AppointmentRow, CalendarError> {
        let off = self
            .timed(AgendaOperation::Cancel, async {
                match self {
                    Self::Local(local) => local.cancel(appointment, reason).await,
                    Self::Calcom(outside) => outside.cancel(appointment, reason).await,
                }
            })
            .await?;
        waitlist::freed_after(self.desk().services, self.desk().tenant, &off).await;
        Ok(off)
    }

    /// Says yes to a pending appointment for the company.
    pub async fn confirm(&self, appointment: Uuid) -> Result<AppointmentRow, CalendarError> {
        self.timed(AgendaOperation::Answer, async {
            match self {
                Self::Local(local) => local.desk.answer(appointment, true, "").await,
                Self::Calcom(outside) => outside.answer(appointment, true, "").await,
            }
        })
        .await
    }

    /// Says no to a pending appointment for the company.
    pub async fn decline(&self, appointment: Uuid, reason: &str) -> Result<AppointmentRow, CalendarError> {
        let off = self
            .timed(AgendaOperation::Answer, async {
                match self {
                    Self::Local(local) => local.desk.answer(appointment, false, reason).await,
                    Self::Calcom(outside) => outside.answer(appointment, false, reason).await,
                }
            })
            .await?;
        waitlist::freed_after(self.desk().services, self.desk().tenant, &off).await;
        Ok(off)
    }

    /// Notes whether somebody came, and who says so: `team`, `calendar`, `customer`. Not before the beginning.
    pub async fn mark(&self, appointment: Uuid, came: bool, says: &str) -> Result<AppointmentRow, CalendarError> {
        self.timed(AgendaOperation::Answer, async {
            match self {
                Self::Local(local) => local.desk.mark(appointment, came, says).await,
                Self::Calcom(outside) => outside.mark(appointment, came, says).await,
            }
        })
        .await
    }

    /// A person's appointments that stand and are not over, the next one first.
    pub async fn appointments_of(&self, person_id: Uuid) -> Result<Vec<AppointmentRow>, CalendarError> {
        let desk = self.desk();
        Ok(appointments_of(desk.tenant, person_id, desk.now()).await?)
    }

    /// Finds out what became of everything that was left open, gives up times that are kept no longer, and calls off what
    /// came through late or twice. To be done every few minutes; at most `limit` rows a time.
    pub async fn settle(&self, limit: i64) -> Result<Settled, CalendarError> {
        match self {
            Self::Local(local) => {
                let lapsed = local.desk.lapse().await?;
                Ok(Settled { lapsed, ..Settled::default() })
            }
            Self::Calcom(outside) => outside.settle(limit).await,
        }
    }
}
