//! What a text can say of a time, and its notation.

use std::fmt;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike};
use serde::{Deserialize, Serialize};

/// Seconds of a whole day; the end of a part of a day may be its midnight.
const DAY_SECONDS: u32 = 86_400;

/// A time of any day, in seconds from its beginning: 0 to 86,400 (the end of the day, `T24:00`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ClockTime(u32);

impl ClockTime {
    /// The end of a day.
    pub const MIDNIGHT: Self = Self(DAY_SECONDS);

    /// Hour 0 to 24, minute and second 0 to 59; `None` beyond the end of the day.
    pub fn new(hour: u32, minute: u32, second: u32) -> Option<Self> {
        let seconds = hour * 3600 + minute * 60 + second;
        (hour <= 24 && minute < 60 && second < 60 && seconds <= DAY_SECONDS).then_some(Self(seconds))
    }

    /// A full hour; hours beyond the end of the day are its end.
    pub const fn hour(hour: u32) -> Self {
        Self(if hour < 24 { hour * 3600 } else { DAY_SECONDS })
    }

    /// Seconds since the beginning of the day.
    pub fn seconds(self) -> u32 {
        self.0
    }

    /// The moment on a day; the end of the day is the beginning of the next.
    pub fn on(self, day: NaiveDate) -> NaiveDateTime {
        day.and_time(NaiveTime::MIN).checked_add_signed(TimeDelta::seconds(self.0.into())).unwrap_or(NaiveDateTime::MAX)
    }

    /// The time of day of a moment.
    pub fn of(moment: NaiveDateTime) -> Self {
        Self(moment.num_seconds_from_midnight())
    }
}

impl fmt::Display for ClockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "T{:02}:{:02}", self.0 / 3600, self.0 / 60 % 60)?;
        match self.0 % 60 {
            0 => Ok(()),
            second => write!(f, ":{second:02}"),
        }
    }
}

/// From, until, or both: half open where it is closed at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Span<T> {
    /// The first that belongs to it.
    pub from: Option<T>,
    /// The first that does not belong to it any more; of days said as "até sexta" the last one that does.
    pub until: Option<T>,
}

impl<T> Span<T> {
    /// Both ends.
    pub fn between(from: T, until: T) -> Self {
        Self { from: Some(from), until: Some(until) }
    }

    /// From then on.
    pub fn from(from: T) -> Self {
        Self { from: Some(from), until: None }
    }

    /// Until then.
    pub fn until(until: T) -> Self {
        Self { from: None, until: Some(until) }
    }
}

/// What a text says of a time.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum When {
    /// A day and a time of it.
    Moment(NaiveDateTime),
    /// A day.
    Day(NaiveDate),
    /// A time of a day that is not named.
    Time(ClockTime),
    /// From one moment to another.
    Moments(Span<NaiveDateTime>),
    /// Several days on end.
    Days(Span<NaiveDate>),
    /// Part of a day that is not named.
    Times(Span<ClockTime>),
    /// One of several, all of them welcome.
    Set(Vec<When>),
}

impl When {
    /// The notation of ISO 8601 as far as it goes: `2026-10-08`, `2026-10-08T15:00`, `T15:00`, `A/B`, `A/..`, `../B`;
    /// `None` for a set, which has none.
    pub fn notation(&self) -> Option<String> {
        Some(match self {
            Self::Moment(at) => moment(*at),
            Self::Day(day) => day.to_string(),
            Self::Time(time) => time.to_string(),
            Self::Moments(Span { from, until }) => span(from.map(moment), until.map(|end| end_of(*from, end))),
            Self::Days(days) => span(days.from.map(|d| d.to_string()), days.until.map(|d| d.to_string())),
            Self::Times(times) => span(times.from.map(|t| t.to_string()), times.until.map(|t| t.to_string())),
            Self::Set(_) => return None,
        })
    }
}

fn moment(at: NaiveDateTime) -> String {
    format!("{}{}", at.date(), ClockTime::of(at))
}

/// The midnight that ends a day is written with that day when the range began on it.
fn end_of(from: Option<NaiveDateTime>, end: NaiveDateTime) -> String {
    let ends_day_of_from = from.is_some_and(|from| ClockTime::MIDNIGHT.on(from.date()) == end);
    match from {
        Some(from) if ends_day_of_from => format!("{}{}", from.date(), ClockTime::MIDNIGHT),
        _ => moment(end),
    }
}

fn span(from: Option<String>, until: Option<String>) -> String {
    let open = || "..".to_owned();
    format!("{}/{}", from.unwrap_or_else(open), until.unwrap_or_else(open))
}
