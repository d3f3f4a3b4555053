//! Times of day: "15h30", "duas e meia", "quinze para as oito", "meio-dia e meia", "às 7 da noite".

use super::lex::Line;
use super::numbers::{cardinal, spelled};
use super::part::{Part, part_after_clock};
use super::value::ClockTime;

/// A time of day as it was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::domain::agenda) struct Clock {
    pub hour: u32,
    pub minute: u32,
    pub second: u32,
    /// "da tarde".
    pub part: Option<Part>,
    /// Says itself which half of the day is meant ("15", "08:00", "meio-dia").
    pub literal: bool,
    /// Nothing but a number: only what stands around it makes it an hour.
    pub bare: bool,
}

/// The ways an hour can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::domain::agenda) enum Hours {
    One(ClockTime),
    /// Morning or evening: nobody knows.
    Two(ClockTime, ClockTime),
}

impl Clock {
    /// A full hour that only a number says.
    pub fn at_hour(hour: u32) -> Self {
        Self { hour, minute: 0, second: 0, part: None, literal: hour == 0 || hour > 12, bare: true }
    }

    fn time(self, hour: u32) -> ClockTime {
        ClockTime::new(hour, self.minute, self.second).unwrap_or(ClockTime::MIDNIGHT)
    }

    /// The time as it is written, its part of day considered.
    pub fn written(self) -> ClockTime {
        let hour = self.hour;
        self.time(match self.part {
            Some(part) if part.is_evening() && hour == 12 => 24,
            Some(part) if part.is_evening() && (5..12).contains(&hour) => hour + 12,
            Some(part) if part.is_afternoon() && hour < 12 => hour + 12,
            Some(part) if part.is_night() && hour == 12 => 0,
            _ => hour,
        })
    }

    /// The time as a customer of a business means it: one to six is in the afternoon, seven is open.
    pub fn business(self) -> Hours {
        if self.literal || self.part.is_some() {
            return Hours::One(self.written());
        }
        match self.hour {
            1..=6 => Hours::One(self.time(self.hour + 12)),
            7 => Hours::Two(self.time(7), self.time(19)),
            hour => Hours::One(self.time(hour)),
        }
    }

    /// The same in the other half of the day, when nothing says which one is meant.
    pub fn later(self) -> Option<ClockTime> {
        (!self.literal && self.part.is_none() && self.hour < 12).then(|| self.time(self.hour + 12))
    }
}

/// A time of day, and the place after it. A bare number comes out as `bare`.
pub(in crate::domain::agenda) fn clock(line: &Line, at: usize) -> Option<(Clock, usize)> {
    let (clock, next) = named(line, at).or_else(|| before_hour(line, at)).or_else(|| hour(line, at))?;
    Some(with_part(line, clock, next))
}

fn with_part(line: &Line, mut clock: Clock, mut next: usize) -> (Clock, usize) {
    if line.phrase(next, &["em", "ponto"]).is_some() {
        next += 2;
    }
    // "6 pm da tarde" says it twice.
    if clock.literal
        && line.is(next.saturating_sub(1), &["pm", "am"])
        && let Some((_, after)) = part_after_clock(line, next)
    {
        return (clock, after);
    }
    if let Some((part, after)) = part_after_clock(line, next)
        && fits(clock, part)
    {
        clock.part = Some(part);
        clock.bare = false;
        next = after;
        if let (0, Some((minute, after))) = (clock.minute, minutes_in_words(line, next)) {
            clock.minute = minute;
            next = after;
        }
    }
    (clock, next)
}

fn fits(clock: Clock, part: Part) -> bool {
    clock.hour <= 12 || part.contains_hour(clock.hour)
}

/// "meio-dia", "meia-noite", with minutes.
fn named(line: &Line, at: usize) -> Option<(Clock, usize)> {
    let noon = line.phrase(at, &["meio", "dia"]).map(|next| (12, next));
    let (hour, next) = noon.or_else(|| line.phrase(at, &["meia", "noite"]).map(|next| (0, next)))?;
    let clock = Clock { literal: true, bare: false, ..Clock::at_hour(hour) };
    match minutes_in_words(line, next) {
        Some((minute, next)) => Some((Clock { minute, ..clock }, next)),
        None => Some((clock, next)),
    }
}

/// "quinze para as oito", "10 pro meio-dia", "faltam cinco para as duas".
fn before_hour(line: &Line, at: usize) -> Option<(Clock, usize)> {
    let start = if line.is(at, &["faltam", "faltando", "falta"]) { at + 1 } else { at };
    let (minutes, next) = match line.phrase(start, &["um", "quarto"]) {
        Some(next) => (15, next),
        None => cardinal(line, start).filter(|(minutes, _)| (1..60).contains(minutes))?,
    };
    let unit = line.is(next, &["min", "minutos", "minuto"]);
    let next = if unit { next + 1 } else { next };
    // "das 10 para as 11" names two hours.
    let is_pair = at > 0 && line.is(at - 1, &["das", "dos", "de", "do"]);
    if line.word(next) != "para" || (!unit && (is_pair || minutes % 5 != 0 || minutes > 30)) {
        return None;
    }
    let article = line.is(next + 1, &["as", "a", "o", "os"]);
    let target = if article { next + 2 } else { next + 1 };
    let (target, after) = match named(line, target) {
        Some(found) => found,
        None if article || unit || line.digits(start).is_none() => {
            hour(line, target).filter(|(clock, _)| clock.minute == 0)?
        }
        None => return None,
    };
    let total = (target.hour * 60 + 1440 - minutes) % 1440;
    Some((Clock { hour: total / 60, minute: total % 60, bare: false, ..target }, after))
}

/// "15h30", "15:30", "15 horas e 30", "duas e meia", "8pm", "15".
fn hour(line: &Line, at: usize) -> Option<(Clock, usize)> {
    let (value, next, digits) = match line.digits(at) {
        Some((value, digits)) if digits <= 2 => (value, at + 1, digits),
        Some(_) => return None,
        None => spelled(line, at).map(|(value, next)| (value, next, 0))?,
    };
    if value > 24 {
        return None;
    }
    let mut clock = Clock::at_hour(value);
    clock.literal |= digits == 2 && value < 10;
    let (clock, next) = with_minutes(line, clock, next, digits);
    Some(with_meridiem(line, clock, next))
}

fn with_minutes(line: &Line, clock: Clock, next: usize, digits: usize) -> (Clock, usize) {
    if digits > 0
        && line.is_mark(next, &[':', '.', ','])
        && line.glued(next)
        && line.glued(next + 1)
        && let Some((minute, 2)) = line.digits(next + 1)
        && minute < 60
    {
        // "8.30" is an hour where something else says so; "8:30" always is.
        let bare = line.mark(next) != Some(':');
        if line.mark(next) == Some(',') {
            return (clock, next);
        }
        return with_seconds(line, Clock { minute, bare, ..clock }, next + 2);
    }
    if line.is(next, &["h", "hs", "hr", "hrs", "hora", "horas", "hras", "horinhas"]) {
        return after_unit(line, Clock { bare: false, ..clock }, next + 1);
    }
    match minutes_in_words(line, next) {
        Some((minute, after)) => (Clock { minute, bare: minute % 5 != 0 && !is_led(line, next), ..clock }, after),
        None => (clock, next),
    }
}

/// Whether an hour that ends at `next` stands behind "às", "das", "pelas" or the like.
fn is_led(line: &Line, next: usize) -> bool {
    (1..=4).any(|back| {
        next.checked_sub(back).is_some_and(|at| line.is(at, &["as", "das", "pelas", "umas", "sao", "ate", "nas"]))
    })
}

fn with_seconds(line: &Line, clock: Clock, next: usize) -> (Clock, usize) {
    let unit = |at: usize| if line.is(at, &["h", "hs", "hrs", "horas", "hr"]) { at + 1 } else { at };
    if line.mark(next) == Some(':')
        && line.glued(next + 1)
        && let Some((second @ 0..60, 2)) = line.digits(next + 1)
    {
        return (Clock { second, ..clock }, unit(next + 2));
    }
    (clock, unit(next))
}

/// What may follow "15h": "30", "e 30 minutos", "e meia", "em ponto".
fn after_unit(line: &Line, clock: Clock, next: usize) -> (Clock, usize) {
    let minute_unit = |at: usize| if line.is(at, &["min", "mins", "minutos", "m"]) { at + 1 } else { at };
    if line.glued(next)
        && let Some((minute @ 0..60, 1 | 2)) = line.digits(next)
    {
        return (Clock { minute, ..clock }, minute_unit(next + 1));
    }
    if let Some((minute @ 0..60, 2)) = line.digits(next)
        && (line.is(next + 1, &["min", "mins", "minutos"]) || is_spaced_minute(line, next))
    {
        return (Clock { minute, ..clock }, minute_unit(next + 1));
    }
    match minutes_in_words(line, next) {
        Some((minute, after)) => (Clock { minute, ..clock }, after),
        None => (clock, next),
    }
}

/// "15 h 30" and no more.
fn is_spaced_minute(line: &Line, at: usize) -> bool {
    line.word(at.wrapping_sub(1)) == "h"
        && !line.glued(at.wrapping_sub(1))
        && (line.ends_sentence(at + 1) || line.mark(at + 1) == Some(','))
}

/// "e meia", "e quinze", "e 30", "e um quarto".
fn minutes_in_words(line: &Line, at: usize) -> Option<(u32, usize)> {
    if line.word(at) != "e" {
        return None;
    }
    if line.is(at + 1, &["meia", "meio"]) {
        // "e meia noite" is another hour, "e meio-dia" too.
        let other = line.phrase(at + 1, &["meia", "noite"]).or_else(|| line.phrase(at + 1, &["meio", "dia"]));
        return other.is_none().then_some((30, at + 2));
    }
    if line.is(at + 1, &["pouco", "pouca", "pouquinho", "tanto", "pico"]) {
        return Some((0, at + 2));
    }
    if let Some(next) = line.phrase(at + 1, &["um", "quarto"]) {
        return Some((15, next));
    }
    let (minute, next) = match line.digits(at + 1) {
        Some((value, 2)) => (value, at + 2),
        Some(_) => return None,
        None => spelled(line, at + 1).filter(|(value, _)| *value >= 5)?,
    };
    let next = if line.is(next, &["min", "mins", "minutos"]) { next + 1 } else { next };
    // "9 e 10" may be two hours or two days, "8 e 40" only one time.
    let is_hour = line.is(next, &["h", "hs", "hrs", "horas"]) || line.is_mark(next, &[':', '/']);
    (minute < 60 && !is_hour).then_some((minute, next))
}

/// "8pm", "8 p.m.", "8 am".
fn with_meridiem(line: &Line, clock: Clock, next: usize) -> (Clock, usize) {
    let dotted = |letter: &str| {
        let first = line.word(next) == letter && line.mark(next + 1) == Some('.');
        (first && line.word(next + 2) == "m" && line.glued(next + 2))
            .then(|| if line.mark(next + 3) == Some('.') { next + 4 } else { next + 3 })
    };
    let is = |word: &str| (line.word(next) == word).then_some(next + 1);
    let found = is("pm").or_else(|| dotted("p")).map(|after| (Part::AFTERNOON, after));
    let Some((part, after)) = found.or_else(|| is("am").or_else(|| dotted("a")).map(|after| (Part::MORNING, after)))
    else {
        return (clock, next);
    };
    if clock.hour > 12 {
        return (clock, after);
    }
    let hour = if part == Part::MORNING && clock.hour == 12 { 0 } else { clock.hour };
    let hour = if part == Part::AFTERNOON && hour < 12 { hour + 12 } else { hour };
    let clock = Clock { hour, literal: true, bare: false, ..clock };
    match minutes_in_words(line, after) {
        Some((minute, after)) => (Clock { minute, ..clock }, after),
        None => (clock, after),
    }
}
