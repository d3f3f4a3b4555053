//! Lengths of time: "daqui a três dias", "em 60 minutos", "há duas semanas".

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};

use super::Frame;
use super::calendar::{month_start, plus_days, plus_months};
use super::day::Days;
use super::lex::Line;
use super::numbers::cardinal;
use super::value::Span;
use super::vocabulary::{Unit, unit};

/// Longer ones are no appointment.
const COUNT_MAX: u32 = 1_000;

/// A number and its unit: "três dias", "uma semana", "15 min", "meia hora".
pub(super) fn length(line: &Line, at: usize) -> Option<(i64, Unit, usize)> {
    let at = if line.is(at, &["uns", "umas", "mais", "tipo"]) { at + 1 } else { at };
    if line.is(at, &["meia"]) && line.is(at + 1, &["hora", "horinha"]) {
        return Some((30, Unit::Minute, at + 2));
    }
    let (count, next) = cardinal(line, at).filter(|(count, _)| *count <= COUNT_MAX)?;
    let unit = unit(line.word(next))?;
    // "15h" is a time of day; "15 horas" behind "daqui a" a length.
    Some((i64::from(count), unit, next + 1))
}

/// "daqui a três dias", "dentro de duas semanas", "em 15 dias": days, weeks, months and years from today.
pub(super) fn ahead(line: &Line, at: usize, frame: &Frame<'_>) -> Option<(i64, Unit, usize)> {
    let (count, unit, next) = length(line, lead(line, at, frame)?)?;
    matches!(unit, Unit::Day | Unit::Week | Unit::Month | Unit::Year).then_some((count, unit, next))
}

fn lead(line: &Line, at: usize, frame: &Frame<'_>) -> Option<usize> {
    let next = match line.word(at) {
        "daqui" => at + 1,
        "dentro" => line.phrase(at, &["dentro", "de"])?,
        "em" if !frame.asks() || !is_shift(line, at) => at + 1,
        "de" | "d" => line.phrase(at, &["de", "aqui"]).or_else(|| line.phrase(at, &["d", "aqui"]))?,
        _ => return None,
    };
    Some(if line.is(next, &["a", "ha", "de", "por"]) { next + 1 } else { next })
}

/// "adiar em uma hora" moves an appointment by that length.
fn is_shift(line: &Line, at: usize) -> bool {
    (1..=5).any(|back| {
        let word = at.checked_sub(back).map_or("", |at| line.word(at));
        ["adia", "atras", "antecip", "adiant", "empurr", "reduz", "aument"].iter().any(|stem| word.starts_with(stem))
    })
}

/// The day a length from today; in any text whole years are as vague as the month they lead to.
pub(super) fn days_after(frame: &Frame<'_>, count: i64, unit: Unit) -> Option<Days> {
    let day = day_after(frame.today(), count, unit)?;
    if unit != Unit::Year || frame.asks() {
        return Some(Days::One(day));
    }
    let start = month_start(day);
    Some(Days::Span(Span::between(start, plus_months(start, 1))))
}

/// The day a length after another.
pub(super) fn day_after(day: NaiveDate, count: i64, unit: Unit) -> Option<NaiveDate> {
    Some(match unit {
        Unit::Day => plus_days(day, count),
        Unit::Week => plus_days(day, 7 * count),
        Unit::Month => plus_months(day, count),
        Unit::Quarter => plus_months(day, 3 * count),
        Unit::Year => plus_months(day, 12 * count),
        Unit::Hour | Unit::Minute | Unit::Second => return None,
    })
}

/// A moment hours or minutes from now: "em 60 minutos", "daqui a meia hora", "agora".
pub(super) fn moment(line: &Line, at: usize, frame: &Frame<'_>) -> Option<(NaiveDateTime, usize)> {
    if line.word(at) == "agora" && !frame.asks() {
        return Some((frame.now, at + 1));
    }
    let (count, unit, mut next) = length(line, lead(line, at, frame)?)?;
    let mut seconds = count * clock_unit(unit)?;
    if unit == Unit::Hour && line.phrase(next, &["e", "meia"]).is_some() {
        seconds += 1_800;
        next += 2;
    }
    Some((later(frame.now, seconds), next))
}

pub(super) fn clock_unit(unit: Unit) -> Option<i64> {
    Some(match unit {
        Unit::Second => 1,
        Unit::Minute => 60,
        Unit::Hour => 3_600,
        _ => return None,
    })
}

pub(super) fn later(now: NaiveDateTime, seconds: i64) -> NaiveDateTime {
    now.checked_add_signed(TimeDelta::seconds(seconds)).unwrap_or(now)
}
