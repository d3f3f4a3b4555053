//! What the flow wants done, done at the calendar; what came of it, as the flow wants to hear it.

use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{FREE_MAX, Fact, Talker};
use crate::domain::agenda::appointment::AppointmentState;
use crate::domain::agenda::flow::{Appointment, Committed, Deed, Entry, Free, Hold, Order, Slot, SlotQuery, State};
use crate::models::tenant::appointment::{self, AppointmentRow};
use crate::services::ServiceError;
use crate::services::agenda::calendar::{
    Calendar, CalendarError, Customer, LookUp, OpenSlot, SlotWish, Wish, appointments_of,
};
use crate::services::agenda::insights::{Weights, weights};
use crate::services::agenda::rows::Desk;
use crate::services::agenda::waitlist::{self, Wanted};
use crate::telemetry::metrics;

impl Talker<'_> {
    pub(super) async fn slots(&self, calendar: &Calendar<'_>, query: &SlotQuery) -> Result<Fact, ServiceError> {
        let wish = SlotWish {
            service: id(&query.service),
            professional: query.professional.as_deref().and_then(id),
            from: query.from,
            until: query.until,
            moving: query.moving.as_deref().and_then(id),
            limit: FREE_MAX,
        };
        match calendar.slots(&wish).await {
            Ok(found) => {
                let weights = weights(self.services, self.tenant, self.services.clock.now()).await;
                Ok(Fact::Slots(found.iter().map(|slot| free(slot, &weights)).collect()))
            }
            // A service or professional that is gone from the catalogue has no times. A kind of booking that the calendar
            // does not know (`Gone`) is a mistake of the set-up and no answer to the customer.
            Err(CalendarError::NotOffered | CalendarError::Taken) => Ok(Fact::Slots(Vec::new())),
            Err(error) => failed(error, Fact::Down),
        }
    }

    pub(super) async fn hold(&self, calendar: &Calendar<'_>, order: &Order) -> Result<Fact, ServiceError> {
        let wish = self.wish(order, self.intent(order));
        match calendar.hold(&wish).await {
            Ok(held) => Ok(Fact::Held(Hold { id: held.id.to_string(), slot: order.slot.clone(), until: held.until })),
            // Somebody keeps or has it; or it is on offer no more.
            Err(CalendarError::Taken | CalendarError::NotOffered) => Ok(Fact::Taken),
            Err(CalendarError::Gone | CalendarError::Refused(_) | CalendarError::Unclear) => Ok(Fact::CannotHold),
            Err(error) => failed(error, Fact::Down),
        }
    }

    pub(super) async fn book(
        &self,
        calendar: &Calendar<'_>,
        order: &Order,
        state: &State,
    ) -> Result<Fact, ServiceError> {
        let wish = self.wish(order, kept(state).unwrap_or_else(|| self.intent(order)));
        match calendar.book(&wish).await {
            Ok(row) => {
                let requested = row.state() == AppointmentState::Pending;
                Ok(self.committed(if requested { Deed::Requested } else { Deed::Booked }, &row))
            }
            Err(error) => changed_nothing(error),
        }
    }

    pub(super) async fn reschedule(
        &self,
        calendar: &Calendar<'_>,
        order: &Order,
        state: &State,
    ) -> Result<Fact, ServiceError> {
        let Some(moving) = order.moving.as_deref().and_then(id) else { return Ok(Fact::Refused) };
        let from = state.wish.moving.as_ref().map_or(order.slot.start, |old| old.start);
        // A turn that is repeated finds it moved.
        if let Some(row) = self.find(moving).await?
            && row.state().stands()
            && row.starts_at == order.slot.start
            && from != order.slot.start
        {
            return Ok(self.committed(Deed::Moved { from }, &row));
        }
        match calendar.reschedule(moving, &self.open_slot(order), kept(state)).await {
            Ok(row) => Ok(self.committed(Deed::Moved { from }, &row)),
            Err(error) => changed_nothing(error),
        }
    }

    pub(super) async fn cancel(&self, calendar: &Calendar<'_>, one: &Appointment) -> Result<Fact, ServiceError> {
        let Some(appointment) = id(&one.id) else { return Ok(Fact::Refused) };
        match calendar.cancel(appointment, "Cancelado a pedido do cliente").await {
            Ok(row) => Ok(self.committed(Deed::Cancelled, &row)),
            Err(CalendarError::Unclear) => Ok(Fact::Unknown),
            Err(CalendarError::Down { .. }) => Ok(Fact::Down),
            Err(error) => failed(error, Fact::Refused),
        }
    }

    /// The customer says they will come: noted with the appointment; the calendar outside has no word for it.
    pub(super) async fn confirm(&self, one: &Appointment) -> Result<Fact, ServiceError> {
        let Some(appointment) = id(&one.id) else { return Ok(Fact::Refused) };
        let desk = Desk::new(self.services, self.tenant, &self.actor);
        let now = self.services.clock.now();
        let noted = desk.change(appointment, "agenda.presence", |row| {
            if !row.state().stands() {
                return Err(CalendarError::Gone);
            }
            if let Some(metadata) = row.metadata.as_object_mut() {
                metadata.entry("presence_confirmed_at").or_insert_with(|| json!(now));
            }
            Ok(())
        });
        match noted.await {
            Ok(row) => {
                metrics::appointment_confirmation(self.tenant.id());
                Ok(self.committed(Deed::Confirmed, &row))
            }
            Err(error) => failed(error, Fact::Refused),
        }
    }

    pub(super) async fn look_up(&self, calendar: &Calendar<'_>, state: &State) -> Result<Fact, ServiceError> {
        let Some(intent) = kept(state) else { return Ok(Fact::Unknown) };
        match calendar.look_up(intent).await {
            Ok(LookUp::Booked(row)) => Ok(self.committed(Deed::Booked, &row)),
            Ok(LookUp::NotBooked) => Ok(Fact::Taken),
            Ok(LookUp::Unclear) => Ok(Fact::Unknown),
            Err(error) => failed(error, Fact::Unknown),
        }
    }

    pub(super) async fn join_waitlist(&self, query: &SlotQuery) -> Result<(), ServiceError> {
        let (Some(person_id), now) = (self.customer.person_id, self.services.clock.now()) else { return Ok(()) };
        let wanted = Wanted {
            id: intent_of(self.seed, &format!("waitlist/{}", query.service)),
            person_id,
            conversation_id: self.customer.conversation_id,
            service_id: id(&query.service),
            professional_id: query.professional.as_deref().and_then(id),
            earliest: query.from,
            latest: query.until,
        };
        let mut tx = self.tenant.db.begin().await?;
        waitlist::join(&mut tx, &wanted, now).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The customer's appointments that are not over.
    pub async fn appointments(&self) -> Result<Vec<Appointment>, ServiceError> {
        let Some(person) = self.customer.person_id else { return Ok(Vec::new()) };
        let rows = appointments_of(self.tenant, person, self.services.clock.now()).await?;
        Ok(rows.iter().map(appointment_of).collect())
    }

    pub(super) async fn find(&self, id: Uuid) -> Result<Option<AppointmentRow>, ServiceError> {
        let mut tx = self.tenant.db.begin().await?;
        let row = appointment::find(&mut tx, id).await?;
        tx.commit().await?;
        Ok(row)
    }

    fn committed(&self, deed: Deed, row: &AppointmentRow) -> Fact {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let own = row.attendee_name() == self.customer.name;
        let place =
            self.tenant.settings.facts.iter().find(|(label, _)| is_address(label)).map(|(_, fact)| fact.clone());
        let entry = Entry {
            appointment: row.id.to_string(),
            start: row.starts_at,
            end: row.ends_at,
            service: row.service.clone(),
            professional: some(&row.professional),
            patient: some(row.attendee_name()).filter(|_| !own && row.source == "chat"),
            place: some(row.place()).or(place),
            link: some(row.meeting_url()),
        };
        Fact::Committed(Box::new(Committed::recorded(deed, entry)))
    }

    fn wish(&self, order: &Order, id: Uuid) -> Wish {
        let patient = order.patient.as_ref().and_then(|who| who.name.clone());
        let customer =
            Customer { name: patient.unwrap_or_else(|| self.customer.name.clone()), ..self.customer.clone() };
        Wish { id, slot: self.open_slot(order), customer, source: "chat" }
    }

    fn open_slot(&self, order: &Order) -> OpenSlot {
        let (service, professional) = (id(&order.service), order.slot.professional.as_deref().and_then(id));
        let name = |found: Option<&String>| found.cloned().unwrap_or_default();
        OpenSlot {
            starts: order.slot.start,
            ends: order.slot.end,
            service,
            service_name: name(service.and_then(|id| self.offer.service(id)).map(|one| &one.name)),
            professional,
            professional_name: name(professional.and_then(|id| self.offer.professional(id)).map(|one| &one.name)),
        }
    }

    fn intent(&self, order: &Order) -> Uuid {
        let who = order.slot.professional.as_deref().unwrap_or_default();
        let moving = order.moving.as_deref().unwrap_or_default();
        intent_of(self.seed, &format!("{}/{}/{who}/{moving}", order.service, order.slot.start.timestamp()))
    }
}

/// An id that is the same whenever the same is wanted by the same message.
fn intent_of(seed: Uuid, what: &str) -> Uuid {
    let mut hash = Sha256::new();
    hash.update(seed.as_bytes());
    hash.update(what.as_bytes());
    let mut bytes = [0_u8; 16];
    bytes.iter_mut().zip(hash.finalize()).for_each(|(byte, hashed)| *byte = hashed);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

fn id(text: &str) -> Option<Uuid> {
    text.parse().ok()
}

/// The intent under which the time is kept.
fn kept(state: &State) -> Option<Uuid> {
    state.hold.as_ref().and_then(|hold| id(&hold.id))
}

fn free(slot: &OpenSlot, weights: &Weights) -> Free {
    let professional = slot.professional.map(|id| id.to_string());
    Free { slot: Slot { start: slot.starts, end: slot.ends, professional }, weight: weights.of(slot.starts) }
}

/// An appointment as the flow knows it.
pub fn appointment_of(row: &AppointmentRow) -> Appointment {
    Appointment {
        id: row.id.to_string(),
        service: row.service_id.map(|id| id.to_string()),
        name: row.service.clone(),
        professional: row.professional_id.map(|id| id.to_string()),
        start: row.starts_at,
        end: row.ends_at,
    }
}

/// A booking or a move that did not come about.
fn changed_nothing(error: CalendarError) -> Result<Fact, ServiceError> {
    match error {
        CalendarError::Taken | CalendarError::NotOffered => Ok(Fact::Taken),
        CalendarError::Unclear => Ok(Fact::Unknown),
        CalendarError::Down { .. } | CalendarError::NotConfigured(_) => failed(error, Fact::Down),
        error => failed(error, Fact::Refused),
    }
}

/// Of our own store nothing is told to anybody: the turn is repeated.
fn failed(error: CalendarError, fact: Fact) -> Result<Fact, ServiceError> {
    match error {
        CalendarError::Store(error) => Err(error.into()),
        error => {
            tracing::warn!(%error, "The calendar did not do what was asked");
            Ok(fact)
        }
    }
}

fn is_address(label: &str) -> bool {
    let label = label.to_lowercase();
    label.contains("endereço") || label.contains("endereco")
}
