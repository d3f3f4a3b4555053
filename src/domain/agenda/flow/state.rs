//! Where a booking conversation stands: small, and stored between messages.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Deserializer, Serialize};

use super::super::when::When;
use crate::domain::conversation::intent::Context;

/// The form of the stored state; another one is not read.
pub const VERSION: u8 = 1;

/// A time that can be booked.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Slot {
    /// When it begins.
    pub start: DateTime<Utc>,
    /// When it ends.
    pub end: DateTime<Utc>,
    /// The id of whoever attends; `None` when nobody in particular does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub professional: Option<String>,
}

/// A slot that is kept for the customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// The calendar's id of the reservation.
    pub id: String,
    /// What is kept.
    pub slot: Slot,
    /// Until when.
    pub until: DateTime<Utc>,
}

/// An appointment that exists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appointment {
    /// Our id.
    pub id: String,
    /// The id of the service, when it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The service's name.
    pub name: String,
    /// The id of whoever attends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub professional: Option<String>,
    /// When it begins.
    pub start: DateTime<Utc>,
    /// When it ends.
    pub end: DateTime<Utc>,
}

/// Somebody else than the customer for whom is booked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patient {
    /// What they are to the customer, after "sua" or "seu": "mãe".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relation: Option<String>,
    /// The name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Who attends, as far as it was said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attendee {
    /// Not said.
    #[default]
    Open,
    /// Anybody will do.
    Any,
    /// This one.
    One(String),
}

/// What is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Wish {
    /// The id of the service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Who is to attend.
    pub attendee: Attendee,
    /// Days, or days and hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day: Option<When>,
    /// Hours of any day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hour: Option<When>,
    /// What is ruled out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub excluded: Vec<When>,
    /// The ways to read what was said of the time, while it is open which is meant.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<When>,
    /// What was named does not exist or is over.
    pub impossible: bool,
    /// Only later than this day: what was shown before did not suit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<NaiveDate>,
    /// For whom, when not for the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patient: Option<Patient>,
    /// The appointment that is moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moving: Option<Appointment>,
}

/// Why slots are looked up, which is what the list begins with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lead {
    /// They were asked for.
    #[default]
    Fresh,
    /// What was asked for is not free; these are near it.
    Near,
    /// The chosen one was taken by somebody else meanwhile.
    Taken,
    /// The ones shown are too old to count.
    Expired,
    /// Those shown before did not suit.
    Others,
    /// The next person's turn.
    Next,
}

/// What is to be done with an appointment that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Only told.
    Tell,
    /// Moved.
    Move,
    /// Cancelled.
    Cancel,
}

/// What was asked last, or is waited for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Nothing.
    #[default]
    Idle,
    /// Asked which of these services.
    Service {
        /// Ids in the order shown.
        among: Vec<String>,
    },
    /// Asked which of these professionals.
    Professional {
        /// Ids in the order shown.
        among: Vec<String>,
    },
    /// Asked for the name of whom it is for.
    Name,
    /// Asked for a day or a part of it.
    Day,
    /// Asked which of several readings of a time is meant.
    Readings,
    /// Waits for slots.
    Slots {
        /// Why.
        lead: Lead,
        /// From when.
        from: DateTime<Utc>,
        /// Until when.
        until: DateTime<Utc>,
        /// How many times the search went further for want of slots.
        widened: u8,
    },
    /// Asked to choose.
    Options {
        /// In the order shown.
        options: Vec<Slot>,
    },
    /// Waits for the slot to be kept.
    Holding {
        /// Which.
        slot: Slot,
        /// What else was on offer.
        options: Vec<Slot>,
        /// Whether the customer already said yes to these very details.
        agreed: bool,
    },
    /// Asked for a yes to the details.
    Recap {
        /// Which.
        slot: Slot,
        /// What else was on offer.
        options: Vec<Slot>,
        /// Whether the calendar can keep slots at all.
        keeps: bool,
    },
    /// Waits for the calendar's answer.
    Committing {
        /// Which.
        slot: Slot,
    },
    /// Waits for the customer's appointments.
    Looking {
        /// What for.
        purpose: Purpose,
        /// The time that was named, to find the one that is meant.
        when: Option<When>,
        /// What to come back to.
        back: Option<Box<Stage>>,
    },
    /// Asked which of several appointments is meant.
    Which {
        /// What for.
        purpose: Purpose,
        /// In the order shown.
        among: Vec<Appointment>,
    },
    /// Asked whether to cancel.
    Cancelling {
        /// Which.
        appointment: Appointment,
    },
    /// Waits for the cancellation.
    Withdrawing {
        /// Which.
        appointment: Appointment,
    },
    /// Reminded of an appointment.
    Reminded {
        /// Which.
        appointment: Appointment,
    },
    /// Asked what is to become of the appointment: confirm, move or cancel.
    Plans {
        /// Which.
        appointment: Appointment,
    },
    /// Waits until the customer's coming is noted.
    Confirming {
        /// Which.
        appointment: Appointment,
    },
    /// Asked whether to book, after a visit or because there is no appointment.
    Invited,
    /// Asked whether to tell when something becomes free.
    Waitlist,
}

/// Where a booking conversation stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// [`VERSION`].
    pub version: u8,
    /// What was asked last, or is waited for.
    pub stage: Stage,
    /// What is wanted.
    #[serde(default)]
    pub wish: Wish,
    /// Rounds in a row without progress.
    #[serde(default)]
    pub fruitless: u8,
    /// When the stage was reached.
    #[serde(default)]
    pub since: DateTime<Utc>,
    /// The slot that is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
    /// Whose turn comes afterwards.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub next: Vec<Patient>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            version: VERSION,
            stage: Stage::Idle,
            wish: Wish::default(),
            fruitless: 0,
            since: DateTime::UNIX_EPOCH,
            hold: None,
            next: Vec::new(),
        }
    }
}

impl State {
    /// Reads a stored state; one that cannot be read, or of another version, begins anew.
    pub fn read(stored: &str) -> Self {
        serde_json::from_str(stored).ok().filter(|state: &Self| state.version == VERSION).unwrap_or_default()
    }

    /// As [`State::read`], from within another stored form, which stays readable whatever stands here.
    ///
    /// # Errors
    /// Those of the form around it.
    pub fn leniently<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let stored = serde_json::Value::deserialize(from)?;
        let read = serde_json::from_value(stored).ok();
        Ok(read.filter(|state: &Self| state.version == VERSION).unwrap_or_default())
    }

    /// The state as it is kept: one in which nothing is going on is like one that never was.
    pub fn settled(self) -> Self {
        if self.is_idle() { Self::default() } else { self }
    }

    /// The stored form.
    pub fn stored(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Whether nothing is going on: nothing needs to be stored.
    pub fn is_idle(&self) -> bool {
        self.stage == Stage::Idle
    }

    /// Whether an answer of the calendar or the database is outstanding.
    pub fn waits(&self) -> bool {
        matches!(
            self.stage,
            Stage::Slots { .. }
                | Stage::Holding { .. }
                | Stage::Committing { .. }
                | Stage::Looking { .. }
                | Stage::Withdrawing { .. }
                | Stage::Confirming { .. }
        )
    }

    /// The beginnings of the times on offer.
    pub fn offered(&self) -> Vec<DateTime<Utc>> {
        match &self.stage {
            Stage::Options { options } => options.iter().map(|slot| slot.start).collect(),
            Stage::Recap { slot, options, .. } => std::iter::once(slot).chain(options).map(|slot| slot.start).collect(),
            _ => Vec::new(),
        }
    }

    /// The context in which the customer's next message is to be read.
    pub fn context(&self) -> Context {
        match self.stage {
            Stage::Options { .. }
            | Stage::Service { .. }
            | Stage::Professional { .. }
            | Stage::Readings
            | Stage::Which { .. }
            | Stage::Plans { .. } => Context::Options,
            Stage::Recap { .. } | Stage::Cancelling { .. } | Stage::Waitlist => Context::Recap,
            Stage::Reminded { .. } => Context::Reminder,
            Stage::Invited => Context::Followup,
            _ => Context::None,
        }
    }
}
