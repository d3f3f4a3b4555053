//! When a company is open: its hours of the week, holidays, and what is said while it is closed.
//!
//! All times are local to the company.

mod away;
mod days;
mod holidays;
mod lex;
mod opening;
mod vocabulary;
mod written;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

pub use away::{Away, Notice, away, notice, opens_text, state_line};
pub use days::weekday_name;
pub use holidays::{Effect, NATIONAL_DAYS, NationalDay, OWN_DAYS_MAX, OwnDay, Standing, national, own, parse_own};
pub use opening::{HoursError, OpeningHours, Span};

/// How far ahead the next opening is looked for, days.
const HORIZON: u64 = 400;
/// How long an open time is followed before it counts as endless, days.
const ENDLESS: u64 = 8;

/// When a company is open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BusinessHours {
    /// The hours of the week.
    pub opening: OpeningHours,
    /// The company's own days; they win over the country's.
    pub own: Vec<OwnDay>,
    /// Whether the holidays of the country close it. Days that are only optional ("ponto facultativo") never do by
    /// themselves; a company lists those it keeps.
    pub national: bool,
}

/// Whether a company is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// Open.
    Open {
        /// Until when; `None` when it never closes.
        until: Option<NaiveDateTime>,
    },
    /// Closed.
    Closed {
        /// Why.
        reason: Reason,
        /// When it opens next; `None` when no opening is known.
        opens: Option<NaiveDateTime>,
    },
}

/// Why a company is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Before the first or after the last hour of the day.
    Night,
    /// Between two open times of the day.
    Break,
    /// It does not open on this weekday.
    Weekday,
    /// A holiday, or a day of the company's own, with its name; the name may be empty.
    Holiday(String),
}

/// What holds on a date.
struct Day<'a> {
    spans: &'a [Span],
    special: Option<&'a str>,
}

impl BusinessHours {
    /// Whether it is open at a local time, and until or from when.
    pub fn status(&self, now: NaiveDateTime) -> Status {
        if let Some(end) = self.end_of_open(now) {
            return Status::Open { until: self.last_end(now, end) };
        }
        let today = self.day(now.date());
        let reason = match (today.spans, today.special) {
            ([], Some(name)) => Reason::Holiday(name.to_owned()),
            ([], None) => Reason::Weekday,
            (spans, _) => {
                let before = spans.iter().any(|span| instant(now.date(), span.to()) <= now);
                let after = spans.iter().any(|span| instant(now.date(), span.from()) > now);
                if before && after { Reason::Break } else { Reason::Night }
            }
        };
        Status::Closed { reason, opens: self.next_opening(now) }
    }

    /// Whether the whole of a stretch lies within open time.
    pub fn covers(&self, from: NaiveDateTime, to: NaiveDateTime) -> bool {
        match self.status(from) {
            Status::Open { until } => until.is_none_or(|until| to <= until),
            Status::Closed { .. } => false,
        }
    }

    /// The open times that begin on a date, its holidays considered.
    pub fn spans(&self, date: NaiveDate) -> &[Span] {
        self.day(date).spans
    }

    fn day(&self, date: NaiveDate) -> Day<'_> {
        let weekday = self.opening.on(date);
        if let Some(own) = own(&self.own, date) {
            let spans = match &own.effect {
                Effect::Closed => &[],
                Effect::Open => weekday,
                Effect::Hours(spans) => spans.as_slice(),
            };
            return Day { spans, special: Some(&own.name) };
        }
        match national(date).filter(|day| self.national && day.standing == Standing::Holiday) {
            Some(day) => Day { spans: self.opening.on_holidays().unwrap_or(&[]), special: Some(day.name) },
            None => Day { spans: weekday, special: None },
        }
    }

    /// The latest end of the open times that hold now; they may have begun the day before.
    fn end_of_open(&self, now: NaiveDateTime) -> Option<NaiveDateTime> {
        let days = [now.date().pred_opt(), Some(now.date())];
        let ends = days.into_iter().flatten().flat_map(|date| {
            let spans = self.day(date).spans.iter();
            let holds = move |span: &&Span| instant(date, span.from()) <= now && now < instant(date, span.to());
            spans.filter(holds).map(move |span| instant(date, span.to()))
        });
        ends.max()
    }

    /// Where open times follow each other without a gap, the end of the last.
    fn last_end(&self, now: NaiveDateTime, mut end: NaiveDateTime) -> Option<NaiveDateTime> {
        let limit = now + TimeDelta::days(i64::try_from(ENDLESS).unwrap_or(8));
        while end < limit {
            match self.end_of_open(end) {
                Some(next) => end = next,
                None => return Some(end),
            }
        }
        None
    }

    fn next_opening(&self, now: NaiveDateTime) -> Option<NaiveDateTime> {
        let dates = now.date().iter_days().take(usize::try_from(HORIZON).unwrap_or(0));
        let mut beginnings = dates.flat_map(|date| {
            self.day(date).spans.iter().map(move |span| instant(date, span.from())).filter(move |from| *from > now)
        });
        beginnings.next()
    }
}

/// Minutes after a date's midnight.
fn instant(date: NaiveDate, minutes: u16) -> NaiveDateTime {
    date.and_time(NaiveTime::MIN) + TimeDelta::minutes(minutes.into())
}
