//! The booking conversation with a calendar behind it: what the flow wants done is done, and what came of it goes back
//! to the flow until nothing is open.
//!
//! Everything that changes the calendar is done under an intent's id that follows from the message and the time: a turn
//! that is repeated, after a death or because something newer came, does the same again and finds it done.

mod carrying;

use std::collections::VecDeque;

use uuid::Uuid;

use super::calendar::{self, CalendarError, Customer};
use crate::domain::agenda::flow::{
    Appointment, Committed, Effect, Event, Free, Hold, Reason, Saying, Setting, State, bubbles_of, step,
};
use crate::domain::agenda::offer::Offer;
use crate::domain::conversation::intent::{Context, Intent};
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
    /// Whether the question after a visit was answered with a wish to come again; `None` where it was not asked, or not
    /// answered.
    pub comes_again: Option<bool>,
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
        let mut talked =
            Talked { state: before.clone(), comes_again: comes_again(before, &event), ..Talked::default() };
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
                    let fact = Box::pin(self.carry_out(other, &state)).await?;
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
}

fn comes_again(before: &State, event: &Event<'_>) -> Option<bool> {
    let Event::Said { intent, .. } = event else { return None };
    match (before.context(), intent) {
        (Context::Followup, Intent::FollowUpPositive | Intent::AppointmentRequest | Intent::Affirm) => Some(true),
        (Context::Followup, Intent::FollowUpNegative | Intent::Deny) => Some(false),
        _ => None,
    }
}
