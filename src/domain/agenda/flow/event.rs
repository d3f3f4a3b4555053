//! What happens to a booking conversation, and what it wants done.

use chrono::{DateTime, Utc};

use super::committed::Committed;
use super::saying::Saying;
use super::state::{Appointment, Hold, Patient, Slot, State};
use crate::domain::conversation::intent::{self, Intent};

/// A slot that is free, and how good it is for the company.
#[derive(Clone, Debug, PartialEq)]
pub struct Free {
    /// The slot.
    pub slot: Slot,
    /// Offered first where it is high; of equal ones the earliest.
    pub weight: f32,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// The customer wrote.
    Said {
        /// What.
        text: &'a str,
        /// What it means in [`State::context`].
        intent: Intent,
    },
    /// The slots that were asked for.
    Slots(&'a [Free]),
    /// A slot is kept.
    Held(Hold),
    /// The calendar cannot keep slots.
    CannotHold,
    /// The slot is somebody else's.
    Taken,
    /// It was done, and stored.
    Committed(Committed),
    /// It is not known whether it was done, and looking it up did not tell.
    Unknown,
    /// The calendar refuses for a reason that another slot would not mend.
    Refused,
    /// The calendar cannot be reached, or its key is refused.
    CalendarDown,
    /// The customer's appointments, the next first.
    Appointments(&'a [Appointment]),
    /// The kept slot's time is over.
    Expired,
    /// A reminder of an appointment went out.
    Reminded(Appointment),
    /// After a visit it was asked whether to book again.
    FollowedUp {
        /// The id of the service of that visit.
        service: Option<String>,
    },
    /// A slot became free and is kept for this customer, who waited for it.
    Vacancy {
        /// The id of the service.
        service: String,
        /// The slot.
        hold: Hold,
    },
}

impl<'a> Event<'a> {
    /// A text, read in the context of a state.
    pub fn said(text: &'a str, state: &State) -> Self {
        Self::Said { text, intent: intent::read(text, state.context()) }
    }
}

/// Slots that are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotQuery {
    /// The id of the service.
    pub service: String,
    /// The id of the professional; `None` for anybody.
    pub professional: Option<String>,
    /// The first moment at which one may begin.
    pub from: DateTime<Utc>,
    /// The first moment at which none may begin any more.
    pub until: DateTime<Utc>,
    /// The id of an appointment whose own time counts as free.
    pub moving: Option<String>,
}

/// A slot that is to be kept or booked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The id of the service.
    pub service: String,
    /// The slot.
    pub slot: Slot,
    /// For whom, when not for the customer.
    pub patient: Option<Patient>,
    /// The id of the appointment that is moved there.
    pub moving: Option<String>,
}

/// Why a person is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The company has no calendar, or nothing that can be booked.
    NoCalendar,
    /// The calendar cannot be reached.
    CalendarDown,
    /// Round after round without progress.
    Fruitless,
    /// Nobody knows whether it is booked.
    Unknown,
    /// The calendar refuses the booking.
    Refused,
    /// The customer asked for a person.
    Asked,
}

impl Reason {
    /// The stable name, as it is stored and counted.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoCalendar => "no_calendar",
            Self::CalendarDown => "calendar_down",
            Self::Fruitless => "booking_fruitless",
            Self::Unknown => "booking_unknown",
            Self::Refused => "booking_refused",
            Self::Asked => "asked",
        }
    }
}

/// What is to be done. What has a result comes back as an [`Event`].
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Look slots up: [`Event::Slots`] or [`Event::CalendarDown`].
    AskSlots(SlotQuery),
    /// Keep a slot: [`Event::Held`], [`Event::Taken`], [`Event::CannotHold`] or [`Event::CalendarDown`].
    Hold(Order),
    /// Let a kept slot go. No result.
    Release(Hold),
    /// Book: [`Event::Committed`], [`Event::Taken`], [`Event::Unknown`], [`Event::Refused`] or [`Event::CalendarDown`].
    Book(Order),
    /// Move the appointment `order.moving`: as for a booking.
    Reschedule(Order),
    /// Cancel: [`Event::Committed`], [`Event::Unknown`], [`Event::Refused`] or [`Event::CalendarDown`].
    Cancel(Appointment),
    /// Note that the customer will come: [`Event::Committed`].
    Confirm(Appointment),
    /// Find out how the last booking, move or cancellation ended: as for these.
    LookUp,
    /// Read the customer's appointments: [`Event::Appointments`] or [`Event::CalendarDown`].
    ListAppointments,
    /// Put the customer on the list of those who wait. No result.
    JoinWaitlist(SlotQuery),
    /// Keep the text as an opinion on a visit. No result.
    Feedback,
    /// Say something.
    Say(Saying),
    /// Let the model answer; what was asked before is asked again after it.
    LeaveToModel {
        /// The question to repeat.
        repeat: Option<Saying>,
    },
    /// Fetch a person.
    HandOff(Reason),
    /// The matter is closed.
    Done,
}

/// What a step comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What is to be done, in this order.
    pub effects: Vec<Effect>,
    /// What to store.
    pub state: State,
}
