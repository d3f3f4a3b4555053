//! Proof that something stands in the calendar.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use crate::domain::conversation::truth::Effect;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// An appointment was made.
    Booked,
    /// An appointment was asked for and the company has yet to accept it.
    Requested,
    /// An appointment was moved.
    Moved {
        /// When it was before.
        from: DateTime<Utc>,
    },
    /// An appointment was given up.
    Cancelled,
    /// The customer's coming was noted.
    Confirmed,
}

/// What the calendar answered and was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The id of our appointment.
    pub appointment: String,
    /// When it begins.
    pub start: DateTime<Utc>,
    /// When it ends.
    pub end: DateTime<Utc>,
    /// The service's name.
    pub service: String,
    /// The name of whoever attends.
    pub professional: Option<String>,
    /// Whom it is for, when not for the customer.
    pub patient: Option<String>,
    /// Where.
    pub place: Option<String>,
    /// The address of an online meeting.
    pub link: Option<String>,
}

/// Proof that something stands in the calendar. Every text that claims so is made of one, and of nothing else.
///
/// The flow has no way to make one: it takes them from the events of the shell, which makes them of rows it committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    deed: Deed,
    entry: Entry,
}

impl Committed {
    /// For the one place that has stored the calendar's answer. Never called in the core.
    pub fn recorded(deed: Deed, entry: Entry) -> Self {
        Self { deed, entry }
    }

    /// What was done.
    pub fn deed(&self) -> Deed {
        self.deed
    }

    /// The appointment as it is now, or was when it was given up.
    pub fn entry(&self) -> &Entry {
        &self.entry
    }

    /// The same for the check of outgoing texts; `None` for a request, which claims nothing yet.
    pub fn effect(&self, zone: Tz) -> Option<Effect> {
        let local = |at: DateTime<Utc>| at.with_timezone(&zone).naive_local();
        let at = local(self.entry.start);
        Some(match self.deed {
            Deed::Booked => Effect::Booked { at },
            Deed::Requested => return None,
            Deed::Moved { from } => Effect::Rescheduled { from: local(from), to: at },
            Deed::Cancelled => Effect::Cancelled { at },
            Deed::Confirmed => Effect::Confirmed { at },
        })
    }
}
