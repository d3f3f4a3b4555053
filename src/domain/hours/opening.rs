//! The hours of a week: what is open on which day, read from how people write it and written the same way again.

use std::fmt;

use chrono::{Datelike, NaiveDate};
use thiserror::Error;

use super::days::{DaySet, day_name};
use super::written;

/// Minutes of a day.
pub(super) const DAY: u16 = 24 * 60;

/// Why written hours were not understood.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum HoursError {
    /// Nothing was written.
    #[error("no hours are given; write them like \"seg-sex 8h-12h, 13h30-18h; sáb 8h-12h\"")]
    Empty,
    /// Nothing but closed days.
    #[error("no day has open hours; write at least one, like \"seg-sex 8h-18h\"")]
    NeverOpen,
    /// A word or sign that is no part of opening hours.
    #[error("{0:?} is not understood; write hours like \"seg-sex 8h-12h, 13h30-18h; sáb 8h-12h\"")]
    NotUnderstood(String),
    /// No hour of the day.
    #[error("{0:?} is no time of day; write times from 0h to 24h, like 8h30")]
    NoTime(String),
    /// Hours without the days they are for.
    #[error("{0} is given without days; write for example \"seg-sex {0}\" or \"todos os dias {0}\"")]
    NoDays(String),
    /// Days without hours.
    #[error("{0} is given without hours; write for example \"{0} 8h-18h\" or \"{0} fechado\"")]
    NoHours(String),
    /// A time that begins or ends nothing.
    #[error("{0} stands alone; write when it begins and when it ends, like 8h-18h")]
    HalfSpan(String),
    /// An end that is not after its beginning.
    #[error("{0} would go on through the night; write the end as it is, for example 18h instead of 6h")]
    Backwards(String),
    /// Two spans of one day cover the same time.
    #[error("{0} and {1} overlap")]
    Overlap(String, String),
    /// An entry of a list of days that begins with no date.
    #[error("{0:?} does not begin with a date; write entries like \"24/12 Véspera de Natal 8h-12h\"")]
    NoDate(String),
    /// More entries than a list may have.
    #[error("{0} entries; at most {1} are allowed")]
    TooMany(usize, usize),
}

/// An open time of a day, minutes from its midnight. The end is after the beginning and may lie in the next day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    from: u16,
    to: u16,
}

/// A span through the night may last this long; what would last longer is a slip ("das 8 às 6").
const NIGHT_MAX: u16 = 16 * 60;

impl Span {
    /// A whole day.
    pub(super) const WHOLE_DAY: Self = Self { from: 0, to: DAY };

    /// From a minute of the day to another, which is of the next day when it is not after the first.
    ///
    /// # Errors
    /// When the first is no time, or the night between them is longer than 16 hours.
    pub fn new(from: u16, to: u16) -> Result<Self, HoursError> {
        let from = if from == DAY { 0 } else { from };
        let through_night = to <= from;
        let end = if through_night { to.saturating_add(DAY) } else { to };
        let span = Self { from, to: end };
        // From midnight to midnight is a day, not a slip.
        if from >= DAY || end > from + DAY || (through_night && end - from > NIGHT_MAX && to != from) {
            return Err(HoursError::Backwards(span.to_string()));
        }
        Ok(span)
    }

    /// The minute it begins, from midnight.
    pub fn from(self) -> u16 {
        self.from
    }

    /// The minute it ends, from the midnight before it begins; 1440 or more is in the next day.
    pub fn to(self) -> u16 {
        self.to
    }

    /// What is left of it when a pause is taken out.
    pub(super) fn without(self, pause: Self) -> impl Iterator<Item = Self> {
        let before = Self { from: self.from, to: pause.from.min(self.to) };
        let after = Self { from: pause.to.max(self.from), to: self.to };
        [before, after].into_iter().filter(|part| part.from < part.to)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "das {} às {}",
            clock(self.from),
            if self.to == DAY { "24h".to_owned() } else { clock(self.to % DAY) }
        )
    }
}

/// A minute of the day as people write it: "8h", "13h30".
pub(super) fn clock(minute: u16) -> String {
    match (minute / 60, minute % 60) {
        (hour, 0) => format!("{hour}h"),
        (hour, rest) => format!("{hour}h{rest:02}"),
    }
}

/// The hours of each weekday, from Monday, and those of holidays where they are given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpeningHours {
    week: [Vec<Span>; 7],
    holidays: Option<Vec<Span>>,
}

impl OpeningHours {
    /// Reads hours as people write them: days and times in either order, "fechado", "24 horas", pauses, exceptions.
    /// Every word has to be understood; a day that is not named is closed.
    ///
    /// # Errors
    /// What is not understood, or contradicts itself.
    pub fn parse(text: &str) -> Result<Self, HoursError> {
        let days = written::read(text)?;
        let mut made = Self::default();
        for (number, spans) in days.into_iter().enumerate() {
            let spans = spans.map(in_order).transpose()?;
            match made.week.get_mut(number) {
                Some(day) => *day = spans.unwrap_or_default(),
                None => made.holidays = spans,
            }
        }
        if made.week.iter().chain(&made.holidays).all(Vec::is_empty) {
            return Err(HoursError::NeverOpen);
        }
        Ok(made)
    }

    /// The spans of a date, by its weekday alone.
    pub fn on(&self, date: NaiveDate) -> &[Span] {
        let number = usize::try_from(date.weekday().num_days_from_monday()).unwrap_or(0);
        self.week.get(number).map_or(&[], Vec::as_slice)
    }

    /// The spans of holidays; `None` when nothing is said of them.
    pub fn on_holidays(&self) -> Option<&[Span]> {
        self.holidays.as_deref()
    }
}

/// The spans in their order.
pub(super) fn in_order(mut spans: Vec<Span>) -> Result<Vec<Span>, HoursError> {
    spans.sort();
    let pairs = spans.iter().zip(spans.iter().skip(1));
    match pairs.into_iter().find(|(one, next)| next.from < one.to) {
        Some((one, next)) => Err(HoursError::Overlap(one.to_string(), next.to_string())),
        None => Ok(spans),
    }
}

/// Spans in words; none is "fechado".
pub(super) fn spans_text(spans: &[Span]) -> String {
    match spans {
        [] => "fechado".to_owned(),
        [span] if *span == Span::WHOLE_DAY => "24 horas".to_owned(),
        _ => spans.iter().map(Span::to_string).collect::<Vec<_>>().join(" e "),
    }
}

/// In words that [`OpeningHours::parse`] understands: "segunda a sexta, das 8h às 18h; sábado, das 8h às 12h; domingo,
/// fechado".
impl fmt::Display for OpeningHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<(usize, usize, &[Span])> = Vec::new();
        for (number, spans) in self.week.iter().enumerate() {
            match parts.last_mut() {
                Some((_, last, same)) if *same == spans.as_slice() => *last = number,
                _ => parts.push((number, number, spans)),
            }
        }
        let mut lines: Vec<String> = parts
            .into_iter()
            .map(|(first, last, spans)| format!("{}, {}", days_text(first, last), spans_text(spans)))
            .collect();
        lines.extend(self.holidays.as_ref().map(|spans| format!("feriados, {}", spans_text(spans))));
        f.write_str(&lines.join("; "))
    }
}

fn days_text(first: usize, last: usize) -> String {
    match (first, last) {
        (0, 6) => "todos os dias".to_owned(),
        _ if first == last => day_name(first).to_owned(),
        _ if first + 1 == last => format!("{} e {}", day_name(first), day_name(last)),
        _ => format!("{} a {}", day_name(first), day_name(last)),
    }
}

/// The names of days, for errors.
pub(super) fn set_text(days: DaySet) -> String {
    days.numbers().map(day_name).collect::<Vec<_>>().join(", ")
}
