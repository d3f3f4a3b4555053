//! What an appointment can be, from the wish that holds a time to what became of the visit.

use serde::{Deserialize, Serialize};

/// Where an appointment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppointmentState {
    /// A time is kept for somebody who has not said yes.
    Held,
    /// It is being booked; nobody may be told that it is.
    Booking,
    /// A kept time that was given up or ran out.
    Lapsed,
    /// It could not be booked.
    Failed,
    /// Booked, and the company has to say yes.
    Pending,
    /// Booked.
    Confirmed,
    /// Booked, and moved since.
    Rescheduled,
    /// Called off.
    Cancelled,
    /// The company said no.
    Rejected,
    /// Nobody came.
    NoShow,
    /// The visit took place.
    Attended,
}

impl AppointmentState {
    const ALL: [Self; 11] = [
        Self::Held,
        Self::Booking,
        Self::Lapsed,
        Self::Failed,
        Self::Pending,
        Self::Confirmed,
        Self::Rescheduled,
        Self::Cancelled,
        Self::Rejected,
        Self::NoShow,
        Self::Attended,
    ];

    /// The stored spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Booking => "booking",
            Self::Lapsed => "lapsed",
            Self::Failed => "failed",
            Self::Pending => "pending",
            Self::Confirmed => "confirmed",
            Self::Rescheduled => "rescheduled",
            Self::Cancelled => "cancelled",
            Self::Rejected => "rejected",
            Self::NoShow => "no_show",
            Self::Attended => "attended",
        }
    }

    /// Reads the stored spelling.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether somebody is expected: it may be moved, cancelled, reminded of.
    pub fn stands(self) -> bool {
        matches!(self, Self::Pending | Self::Confirmed | Self::Rescheduled)
    }

    /// Whether its time is taken.
    pub fn occupies(self) -> bool {
        self.stands() || matches!(self, Self::Held | Self::Booking)
    }

    /// Whether it was ever an appointment, so that it belongs into lists of them.
    pub fn was_booked(self) -> bool {
        !matches!(self, Self::Held | Self::Booking | Self::Lapsed | Self::Failed)
    }
}
