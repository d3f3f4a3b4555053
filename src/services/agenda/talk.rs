//! The booking conversation with a calendar behind it: what the flow wants done is done, and what came of it goes back
//! to the flow until nothing is open.
//!
//! Everything that changes the calendar is done under an intent's id that follows from the message and the time: a turn
//! that is repeated, after a death or because something newer came, does the same again and finds it done.

use std::collections::VecDeque;

use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::calendar::{self, Calendar, CalendarError, Customer, LookUp, OpenSlot, SlotWish, Wish, appointments_of};
use super::rows::Desk;
use crate::domain::agenda::appointment::AppointmentState;
use crate::domain::agenda::flow::{
    Appointment, Committed, Deed, Effect, Entry, Event, Free, Hold, Order, Reason, Saying, Setting, Slot, SlotQuery,
    State, bubbles_of, step,
};
use crate::domain::agenda::offer::Offer;
use crate::models::tenant::appointment::{self, AppointmentRow};
use crate::models::tenant::waitlist::{self, WAITING, WaitRow};
use crate::services::audit::Actor;
use crate::services::{ServiceError, Services};
use crate::tenant::{StoreError, Tenant};

/// Most free times that are looked through for a list of options.
const FREE_MAX: usize = 400;
/// A conversation between flow and calendar that takes more steps than this goes round in circles.
const STEPS_MAX: usize = 40;

/// What came of an event.
#[derive(Clone, Debug, Default)]
pub struct Talked {
    /// Where the booking conversation stands now.
    pub state: State,
    /// What is to be said, in order.
    pub sayings: Vec<Saying>,
    /// The same in words: its bubbles, a blank line between them; empty when nothing is said.
    pub words: String,
    /// The model is to answer; the sayings follow its words.
    pub asks_model: bool,
    /// A person is fetched.
    pub hand_off: Option<Reason>,
    /// The text is an opinion on a visit.
    pub is_opinion: bool,
    /// What was done, with its proof.
    pub done: Vec<Committed>,
    /// Times that are kept since, by their intents.
    pub held: Vec<Uuid>,
}

/// Who speaks, and with whom.
pub struct Talker<'a> {
    services: &'a Services,
    tenant: &'a Tenant,
    actor: Actor,
    offer: Offer,
    /// What the flow knows of the company.
    pub setting: Setting,
    /// The person; nobody yet where the conversation is not stored.
    pub customer: Customer,
    /// What new intents follow from: the oldest message that is being answered.
    pub seed: Uuid,
}

/// An event that owns what it tells.
enum Fact {
    Slots(Vec<Free>),
    Held(Hold),
    CannotHold,
    Taken,
    Committed(Box<Committed>),
    Unknown,
    Refused,
    Down,
    Appointments(Vec<Appointment>),
}

impl Fact {
    fn event(&self) -> Event<'_> {
        match self {
            Self::Slots(free) => Event::Slots(free),
            Self::Held(hold) => Event::Held(hold.clone()),
            Self::CannotHold => Event::CannotHold,
            Self::Taken => Event::Taken,
            Self::Committed(committed) => Event::Committed((**committed).clone()),
            Self::Unknown => Event::Unknown,
            Self::Refused => Event::Refused,
            Self::Down => Event::CalendarDown,
            Self::Appointments(all) => Event::Appointments(all),
        }
    }
}

impl<'a> Talker<'a> {
    /// Reads what can be booked.
    ///
    /// # Errors
    /// Our own store is away.
    pub async fn new(
        services: &'a Services,
        tenant: &'a Tenant,
        actor: Actor,
        customer: Customer,
        seed: Uuid,
    ) -> Result<Self, StoreError> {
        let offer = calendar::offer(tenant).await?;
        let setting = super::setting::of(tenant, &offer);
        Ok(Self { services, tenant, actor, offer, setting, customer, seed })
    }

    /// What an event comes to. The state that was before it stays what it was; nothing is stored but in the calendar.
    ///
    /// # Errors
    /// Our own store is away: then nothing may be said, and the turn is repeated.
    pub async fn talk(&self, before: &State, event: Event<'_>) -> Result<Talked, ServiceError> {
        let mut talked = Talked { state: before.clone(), ..Talked::default() };
        let mut facts = VecDeque::new();
        self.take(&mut talked, event, &mut facts).await?;
        for _ in 0..STEPS_MAX {
            let Some(fact) = facts.pop_front() else { break };
            self.take(&mut talked, fact.event(), &mut facts).await?;
        }
        talked.state = talked.state.settled();
        Ok(self.in_words(talked))
    }

    /// A company without a calendar: nothing is known of anybody's appointments but to people.
    pub fn without_calendar(&self) -> Talked {
        let reason = Reason::NoCalendar;
        let (sayings, hand_off) = (vec![Saying::Human(reason)], Some(reason));
        self.in_words(Talked { sayings, hand_off, ..Talked::default() })
    }

    fn in_words(&self, talked: Talked) -> Talked {
        let bubbles = bubbles_of(&talked.sayings, &self.setting, self.services.clock.now());
        Talked { words: bubbles.join("\n\n"), ..talked }
    }

    async fn take(
        &self,
        talked: &mut Talked,
        event: Event<'_>,
        facts: &mut VecDeque<Fact>,
    ) -> Result<(), ServiceError> {
        let made = step(&talked.state, event, self.services.clock.now(), &self.setting);
        talked.state = made.state;
        let state = talked.state.clone();
        for effect in made.effects {
            match effect {
                Effect::Say(saying) => talked.sayings.push(saying),
                Effect::LeaveToModel { repeat } => {
                    talked.asks_model = true;
                    talked.sayings.extend(repeat);
                }
                Effect::HandOff(reason) => talked.hand_off = Some(reason),
                Effect::Feedback => talked.is_opinion = true,
                Effect::Done => {}
                Effect::JoinWaitlist(query) => self.join_waitlist(&query).await?,
                other => {
                    let fact = self.carry_out(other, &state).await?;
                    match &fact {
                        Some(Fact::Held(hold)) => talked.held.extend(hold.id.parse::<Uuid>()),
                        Some(Fact::Committed(committed)) => talked.done.push((**committed).clone()),
                        _ => {}
                    }
                    facts.extend(fact);
                }
            }
        }
        Ok(())
    }

    async fn carry_out(&self, effect: Effect, state: &State) -> Result<Option<Fact>, ServiceError> {
        if matches!(effect, Effect::ListAppointments) {
            return Ok(Some(Fact::Appointments(self.appointments().await?)));
        }
        let calendar = match calendar::of(self.services, self.tenant, &self.actor) {
            Ok(calendar) => calendar,
            Err(CalendarError::Store(error)) => return Err(error.into()),
            Err(error) => {
                tracing::warn!(company = self.tenant.id().get(), %error, "The calendar cannot be used");
                return Ok(Some(Fact::Down));
            }
        };
        Ok(match effect {
            Effect::AskSlots(query) => Some(self.slots(&calendar, &query).await?),
            Effect::Hold(order) => Some(self.hold(&calendar, &order).await?),
            Effect::Release(hold) => {
                if let Ok(id) = hold.id.parse()
                    && let Err(CalendarError::Store(error)) = calendar.release(id).await
                {
                    return Err(error.into());
                }
                None
            }
            Effect::Book(order) => Some(self.book(&calendar, &order, state).await?),
            Effect::Reschedule(order) => Some(self.reschedule(&calendar, &order, state).await?),
            Effect::Cancel(one) => Some(self.cancel(&calendar, &one).await?),
            Effect::Confirm(one) => Some(self.confirm(&one).await?),
            Effect::LookUp => Some(self.look_up(&calendar, state).await?),
            _ => None,
        })
    }

    async fn slots(&self, calendar: &Calendar<'_>, query: &SlotQuery) -> Result<Fact, ServiceError> {
        let wish = SlotWish {
            service: id(&query.service),
            professional: query.professional.as_deref().and_then(id),
            from: query.from,
            until: query.until,
            moving: query.moving.as_deref().and_then(id),
            limit: FREE_MAX,
        };
        match calendar.slots(&wish).await {
            Ok(found) => Ok(Fact::Slots(found.iter().map(free).collect())),
            // A service or professional that is gone from the catalogue has no times. A kind of booking that the calendar
            // does not know (`Gone`) is a mistake of the set-up and no answer to the customer.
            Err(CalendarError::NotOffered | CalendarError::Taken) => Ok(Fact::Slots(Vec::new())),
            Err(error) => failed(error, Fact::Down),
        }
    }

    async fn hold(&self, calendar: &Calendar<'_>, order: &Order) -> Result<Fact, ServiceError> {
        let wish = self.wish(order, self.intent(order));
        match calendar.hold(&wish).await {
            Ok(held) => {
                Ok(Fact::Held(Hold { id: held.id.to_string(), slot: order.slot.clone(), until: held.until }))
            }
            // Somebody keeps or has it; or it is on offer no more.
            Err(CalendarError::Taken | CalendarError::NotOffered) => Ok(Fact::Taken),
            Err(CalendarError::Gone | CalendarError::Refused(_) | CalendarError::Unclear) => Ok(Fact::CannotHold),
            Err(error) => failed(error, Fact::Down),
        }
    }

    async fn book(&self, calendar: &Calendar<'_>, order: &Order, state: &State) -> Result<Fact, ServiceError> {
        let wish = self.wish(order, kept(state).unwrap_or_else(|| self.intent(order)));
        match calendar.book(&wish).await {
            Ok(row) => {
                let requested = row.state() == AppointmentState::Pending;
                Ok(self.committed(if requested { Deed::Requested } else { Deed::Booked }, &row))
            }
            Err(error) => changed_nothing(error),
        }
    }

    async fn reschedule(&self, calendar: &Calendar<'_>, order: &Order, state: &State) -> Result<Fact, ServiceError> {
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

    async fn cancel(&self, calendar: &Calendar<'_>, one: &Appointment) -> Result<Fact, ServiceError> {
        let Some(appointment) = id(&one.id) else { return Ok(Fact::Refused) };
        match calendar.cancel(appointment, "Cancelado a pedido do cliente").await {
            Ok(row) => Ok(self.committed(Deed::Cancelled, &row)),
            Err(CalendarError::Unclear) => Ok(Fact::Unknown),
            Err(CalendarError::Down { .. }) => Ok(Fact::Down),
            Err(error) => failed(error, Fact::Refused),
        }
    }

    /// The customer says they will come: noted with the appointment; the calendar outside has no word for it.
    async fn confirm(&self, one: &Appointment) -> Result<Fact, ServiceError> {
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
            Ok(row) => Ok(self.committed(Deed::Confirmed, &row)),
            Err(error) => failed(error, Fact::Refused),
        }
    }

    async fn look_up(&self, calendar: &Calendar<'_>, state: &State) -> Result<Fact, ServiceError> {
        let Some(intent) = kept(state) else { return Ok(Fact::Unknown) };
        match calendar.look_up(intent).await {
            Ok(LookUp::Booked(row)) => Ok(self.committed(Deed::Booked, &row)),
            Ok(LookUp::NotBooked) => Ok(Fact::Taken),
            Ok(LookUp::Unclear) => Ok(Fact::Unknown),
            Err(error) => failed(error, Fact::Unknown),
        }
    }

    async fn join_waitlist(&self, query: &SlotQuery) -> Result<(), ServiceError> {
        let (Some(person_id), now) = (self.customer.person_id, self.services.clock.now()) else { return Ok(()) };
        let row = WaitRow {
            id: intent_of(self.seed, &format!("waitlist/{}", query.service)),
            person_id,
            conversation_id: self.customer.conversation_id,
            service_id: id(&query.service),
            professional_id: query.professional.as_deref().and_then(id),
            earliest: query.from,
            latest: query.until,
            wanted: json!({}),
            state: WAITING.to_owned(),
            offered_id: None,
            offered_until: None,
            offers: 0,
            created_at: now,
            updated_at: now,
        };
        let mut tx = self.tenant.db.begin().await?;
        if waitlist::lock(&mut tx, row.id).await?.is_none() {
            waitlist::insert(&mut tx, &row).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// The customer's appointments that are not over.
    pub async fn appointments(&self) -> Result<Vec<Appointment>, ServiceError> {
        let Some(person) = self.customer.person_id else { return Ok(Vec::new()) };
        let rows = appointments_of(self.tenant, person, self.services.clock.now()).await?;
        Ok(rows.iter().map(appointment_of).collect())
    }

    async fn find(&self, id: Uuid) -> Result<Option<AppointmentRow>, ServiceError> {
        let mut tx = self.tenant.db.begin().await?;
        let row = appointment::find(&mut tx, id).await?;
        tx.commit().await?;
        Ok(row)
    }

    fn committed(&self, deed: Deed, row: &AppointmentRow) -> Fact {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let own = row.attendee_name() == self.customer.name;
        let place = self.tenant.settings.facts.iter().find(|(label, _)| is_address(label)).map(|(_, fact)| fact.clone());
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
        let customer = Customer { name: patient.unwrap_or_else(|| self.customer.name.clone()), ..self.customer.clone() };
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

fn free(slot: &OpenSlot) -> Free {
    let professional = slot.professional.map(|id| id.to_string());
    Free { slot: Slot { start: slot.starts, end: slot.ends, professional }, weight: 0.0 }
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
