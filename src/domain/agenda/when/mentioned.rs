//! Every place of a text that speaks of a day or an hour, one by one: for judging what a text says, where [`super::read`]
//! tells what a customer wants.

use chrono::{Datelike, NaiveDate, NaiveDateTime, Weekday};

use super::clock::{Clock, Hours};
use super::day::{DaySaid, Days};
use super::grammar::{Mention, first_mentions};
use super::lex::{Kind, Line};
use super::time::TimeSaid;
use super::value::{ClockTime, Span};
use super::vocabulary::weekday;
use super::{Frame, calendar};

/// More mentions than this are not told apart; a text that may be sent is far shorter.
const MENTIONS_MAX: usize = 48;
/// More days than this are a stretch of time, not a list of days.
const DAYS_MAX: usize = 7;

/// A place of a text that speaks of a day or an hour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mentioned {
    /// The words, folded.
    pub said: String,
    /// The word before; empty at the beginning.
    pub before: String,
    /// The days named, when they are few.
    pub days: Vec<NaiveDate>,
    /// Named by their weekdays alone ("segunda a sexta", "aos sábados"), which may be meant of every week.
    pub weekdays: Vec<Weekday>,
    /// A longer stretch of days ("semana que vem").
    pub stretch: Option<Span<NaiveDate>>,
    /// The day of the month, when nothing else names the day.
    pub number: Option<u32>,
    /// The hours named, each with the ways it can be read.
    pub hours: Vec<Vec<ClockTime>>,
    /// The hours are the two ends of a stretch.
    pub from_to: bool,
    /// The hour is the one end of an open stretch ("até as 18h").
    pub bound: bool,
    /// The hours may be a length of time ("24 horas").
    pub length: bool,
    /// Part of a day ("à tarde").
    pub part: Option<Span<ClockTime>>,
    /// A moment that needs no day ("daqui a meia hora").
    pub moment: Option<NaiveDateTime>,
}

impl Mentioned {
    /// Whether a day is named, by date or weekday.
    pub fn names_day(&self) -> bool {
        !self.days.is_empty() || !self.weekdays.is_empty()
    }
}

/// All mentions of a text, in order.
pub fn mentioned(text: &str, now: NaiveDateTime) -> Vec<Mentioned> {
    let line = Line::of(text);
    let frame = Frame::booking(now);
    first_mentions(&line, &frame, MENTIONS_MAX).iter().flat_map(|mention| told(&line, mention, &frame)).collect()
}

fn told(line: &Line, mention: &Mention, frame: &Frame<'_>) -> Vec<Mentioned> {
    if let Some((first, second)) = mention.stretch.as_deref() {
        return [first, second].into_iter().flat_map(|end| told(line, end, frame)).collect();
    }
    let mut out = Mentioned {
        said: words(line, mention.start, mention.end),
        before: mention.start.checked_sub(1).map_or(String::new(), |at| line.word(at).to_owned()),
        moment: mention.moment,
        ..Mentioned::default()
    };
    if let Some(day) = &mention.day {
        name_days(&mut out, day, by_weekday(line, mention), frame);
    }
    match &mention.time {
        Some(time) => {
            name_hours(&mut out, time);
            let last = mention.end.saturating_sub(1);
            let led = (mention.start..mention.end).any(|at| line.is(at, &["as", "das", "pelas", "umas"]));
            out.bound = matches!(time, TimeSaid::From(_) | TimeSaid::Until(_));
            out.length = matches!(time, TimeSaid::At(_)) && line.is(last, &["hora", "horas"]) && !led;
        }
        None if mention.bare => out.hours = bare_hours(line, mention),
        None => {}
    }
    vec![out]
}

fn words(line: &Line, start: usize, end: usize) -> String {
    let mut out = String::new();
    for at in start..end {
        let Some(token) = line.token(at) else { continue };
        if !out.is_empty() && !token.glued {
            out.push(' ');
        }
        match token.kind {
            Kind::Mark(mark) => out.push(mark),
            _ => out.push_str(&token.text),
        }
    }
    out
}

/// Whether weekdays and no dates name the days of a mention.
fn by_weekday(line: &Line, mention: &Mention) -> bool {
    let named = (mention.start..mention.end).any(|at| weekday(line.word(at)).is_some());
    let ordinal = (mention.start..mention.end).any(|at| line.glued(at) && line.is(at, &["a", "as"]));
    let dated = (mention.start..mention.end).any(|at| line.is_mark(at, &['/']) || line.is(at, &["dia", "dias", "mes"]));
    (named || ordinal) && !dated
}

fn name_days(out: &mut Mentioned, said: &DaySaid, by_weekday: bool, frame: &Frame<'_>) {
    out.number = said.number;
    let days: Vec<NaiveDate> = match &said.days {
        Days::One(day) => vec![*day],
        Days::Set(days) | Days::Unclear(days) => days.clone(),
        Days::Span(span) => match each_day(*span) {
            Some(days) => days,
            // "até amanhã", "a partir de quinta": the day itself is what is told.
            None if span.from.is_none() || span.until.is_none() => span.from.or(span.until).into_iter().collect(),
            None => {
                out.stretch = Some(*span);
                Vec::new()
            }
        },
    };
    let is_range = matches!(said.days, Days::Span(_));
    if by_weekday && !said.past && (is_range || said.weekday.is_some()) {
        out.weekdays = days.iter().map(NaiveDate::weekday).collect();
        out.weekdays.dedup();
        // Said on a Thursday, "quinta" may be today.
        let today = frame.today();
        if let (Some(named), false) = (said.weekday, is_range)
            && today.weekday() == named
        {
            out.days.push(today);
        }
    } else if is_range && days.len() >= 5 {
        out.stretch = days.first().map(|first| Span::between(*first, calendar::plus_days(*first, days.len() as i64)));
        return;
    }
    out.days.extend(days);
}

/// The days of a short closed stretch.
fn each_day(span: Span<NaiveDate>) -> Option<Vec<NaiveDate>> {
    let (from, until) = (span.from?, span.until?);
    let days: Vec<NaiveDate> = from.iter_days().take_while(|day| *day < until).take(DAYS_MAX + 1).collect();
    (!days.is_empty() && days.len() <= DAYS_MAX).then_some(days)
}

fn readings(clock: &Clock) -> Vec<ClockTime> {
    match clock.business() {
        Hours::One(time) => vec![time],
        Hours::Two(early, late) => vec![early, late],
    }
}

fn name_hours(out: &mut Mentioned, time: &TimeSaid) {
    match time {
        TimeSaid::At(clock) | TimeSaid::From(clock) | TimeSaid::Until(clock) => out.hours.push(readings(clock)),
        TimeSaid::Any(clocks) => out.hours.extend(clocks.iter().map(readings)),
        TimeSaid::Part(part) => out.part = Some(part.span()),
        TimeSaid::Between(from, until) => {
            let first = readings(from);
            // "das 9 às 6": the end is in the other half of the day; "das 7 às 9" begins before it ends.
            let ends = readings(until);
            let latest = ends.iter().max().copied();
            let begins: Vec<ClockTime> =
                first.iter().copied().filter(|at| latest.is_none_or(|end| *at < end)).collect();
            out.hours.push(if begins.is_empty() { vec![from.written()] } else { begins });
            out.hours.push(ends);
            out.from_to = true;
        }
    }
}

/// The numbers of "pra 10" as hours, where they can be.
fn bare_hours(line: &Line, mention: &Mention) -> Vec<Vec<ClockTime>> {
    let numbers = (mention.start..mention.end).filter_map(|at| line.digits(at));
    numbers.filter(|(value, _)| *value <= 24).map(|(value, _)| readings(&Clock::at_hour(value))).collect()
}
