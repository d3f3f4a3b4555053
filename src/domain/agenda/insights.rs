//! What a company's past appointments say about the coming days: when its people come, which times are worth filling
//! first, and which appointments to look after. Moments are local to the company's zone.

mod heat;
mod offers;
mod risk;
mod text;

use chrono::{Datelike, NaiveDateTime, TimeDelta, Timelike, Weekday};

pub use heat::{Cell, HeatMap};
pub use offers::{Upcoming, reschedule_offers};
pub use risk::{Marking, Reading, RiskLevel};
pub use text::{Finding, recommendation};

/// What became of an appointment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The person came.
    Attended,
    /// The person stayed away.
    Missed,
    /// It was given up before.
    Cancelled,
    /// It is over, and nobody said what became of it; or it is still to come.
    Open,
}

/// A past appointment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visit {
    /// Local beginning.
    pub starts: NaiveDateTime,
    /// What became of it.
    pub outcome: Outcome,
}

/// How far ahead to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Horizon {
    /// Days the insights speak of.
    pub days_ahead: u16,
    /// How near an appointment must be for the person to be asked about moving it.
    pub look_ahead: TimeDelta,
}

impl Default for Horizon {
    /// A week, and three days.
    fn default() -> Self {
        Self { days_ahead: 7, look_ahead: TimeDelta::hours(72) }
    }
}

impl Horizon {
    /// Whether the insights made now speak of that moment.
    pub fn covers(&self, now: NaiveDateTime, starts: NaiveDateTime) -> bool {
        starts > now && starts <= now + TimeDelta::days(i64::from(self.days_ahead))
    }
}

/// An hour of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Hour {
    /// Its day.
    pub weekday: Weekday,
    /// 0 to 23.
    pub hour: u8,
}

impl Hour {
    /// The one that a moment lies in.
    pub fn of(moment: NaiveDateTime) -> Self {
        Self { weekday: moment.weekday(), hour: u8::try_from(moment.hour()).unwrap_or(0) }
    }

    fn place(self) -> usize {
        self.weekday.num_days_from_monday() as usize * 24 + usize::from(self.hour.min(23))
    }
}
