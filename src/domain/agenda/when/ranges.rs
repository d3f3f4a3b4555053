//! From one day to another, from or until a day or an hour: "de segunda a quinta", "a partir do dia 10", "até as 11".

use super::Frame;
use super::calendar::plus_days;
use super::day::{DaySaid, Days, day};
use super::grammar::{Mention, any_day, extend, slot};
use super::lex::Line;
use super::numbers::cardinal;
use super::time::TimeSaid;
use super::value::Span;
use super::vocabulary::weekday;

/// The place after "até", "a", "às", "-" between the two ends of a range.
fn connector(line: &Line, at: usize, between: bool) -> Option<usize> {
    let next = match line.word(at) {
        "ate" => at + 1,
        "e" if between => at + 1,
        "a" | "ao" if !between => at + 1,
        // "dia 25 às 10" is a day and its hour; "13h às 14h" is read as times.
        "as" if !between && weekday(line.word(at + 1)).is_some() => at + 1,
        _ if line.mark(at) == Some('-') => at + 1,
        _ => return None,
    };
    Some(if line.is(next, &["o", "a", "ao", "as", "os", "no"]) { next + 1 } else { next })
}

/// "de segunda a sexta", "entre os dias 3 e 7", "2 até 6 de maio", "desde sexta até segunda".
pub(super) fn day_range(line: &Line, at: usize, frame: &Frame<'_>) -> Option<Mention> {
    let between = line.word(at) == "entre";
    let opened = between || line.is(at, &["de", "do", "da", "desde"]) || line.phrase(at, &["a", "partir"]).is_some();
    let mut first_at = match () {
        () if line.phrase(at, &["a", "partir"]).is_some() => at + 2,
        () if opened => at + 1,
        () => at,
    };
    while first_at < at + 5 && opened && line.is(first_at, &["o", "os", "a", "de", "do", "da"]) {
        first_at += 1;
    }
    let dias = line.is(first_at, &["dias", "dia"]) && cardinal(line, first_at + 1).is_some();
    if let Some(found) = number_range(line, at, if dias { first_at + 1 } else { first_at }, between, dias, frame) {
        return Some(found);
    }
    let (first, next) = any_day(line, first_at, frame)?;
    let second_at = connector(line, next, between)?;
    let bare = line.digits(second_at).filter(|_| first.number.is_some() && day(line, second_at, frame).is_none());
    let (second, end) = match bare {
        Some((number, _)) if !is_hour_like(line, second_at + 1) => {
            (DaySaid::of(frame.day_of_month(number)), second_at + 1)
        }
        _ => any_day(line, second_at, frame)?,
    };
    // "quinta a tarde" is no range, "quinta a sexta" is one; "sexta - segunda" needs an opening word.
    let from = start_of(&first.days)?;
    let dated = first.weekday.is_none() && second.weekday.is_none() && first.number.is_none();
    let from = if dated { in_year_of(from, &second.days) } else { from };
    let until = end_of(&second.days, from)?;
    let mut made = Mention {
        day: Some(DaySaid::of(Days::Span(Span::between(from, until)))),
        start: at,
        end,
        ..Mention::default()
    };
    let _ = extend(line, &mut made, frame);
    Some(made)
}

fn start_of(days: &Days) -> Option<chrono::NaiveDate> {
    match days {
        Days::One(day) => Some(*day),
        Days::Span(span) => span.from,
        _ => None,
    }
}

/// "10/1 a 11/2/2017": the year is said once, with the last day.
fn in_year_of(from: chrono::NaiveDate, last: &Days) -> chrono::NaiveDate {
    let Days::One(last) = last else { return from };
    let years = chrono::Datelike::year(last) - chrono::Datelike::year(&from);
    let moved = super::calendar::plus_months(from, 12 * i64::from(years));
    let moved = if moved > *last { super::calendar::plus_months(moved, -12) } else { moved };
    // Within the coming year both were read alike already.
    if from <= *last && years <= 1 && moved != from && years == 0 { from } else { moved }
}

/// The first day after a range that ends with these days; they come after its first day.
fn end_of(days: &Days, from: chrono::NaiveDate) -> Option<chrono::NaiveDate> {
    let mut until = match days {
        Days::One(day) => plus_days(*day, 1),
        Days::Span(span) => span.until?,
        _ => return None,
    };
    // "de quinta a segunda": the second weekday is the one after the first.
    if until <= from {
        until = plus_days(until, 7);
    }
    (until > from).then_some(until)
}

fn is_hour_like(line: &Line, at: usize) -> bool {
    line.is(at, &["h", "hs", "hrs", "horas", "hora", "pm", "am", "da"]) || line.is_mark(at, &[':'])
}

fn says_month(line: &Line, at: usize) -> bool {
    line.is(at, &["de", "do", "deste", "desse"])
        || line.is_mark(at, &['/'])
        || super::vocabulary::month(line.word(at)).is_some()
}

/// "de 5 a 6 no dia 22/4".
fn is_dated_after(line: &Line, at: usize, frame: &Frame<'_>) -> bool {
    let next = if line.is(at, &["em", "no", "na"]) { at + 1 } else { at };
    next > at && any_day(line, next, frame).is_some()
}

/// A range of two numbers of which only the last says its month: "2-6 de maio", "5 até 9 do próximo mês".
fn number_range(line: &Line, start: usize, at: usize, between: bool, dias: bool, frame: &Frame<'_>) -> Option<Mention> {
    let (number, 1 | 2) = line.digits(at)? else { return None };
    let second_at = connector(line, at + 1, between)?;
    // Numbers alone are hours where they can be; days say that they are.
    let hours = number <= 24
        && line.digits(second_at).is_some_and(|(n, _)| n <= 24 && !dias && !says_month(line, second_at + 1));
    if hours && (between || line.is(start, &["das"]) || is_dated_after(line, second_at + 1, frame)) {
        return None;
    }
    let plain = line.digits(second_at).is_some();
    let is_day = line.word(second_at) == "dia" || (plain && !is_hour_like(line, second_at + 1));
    if !is_day {
        return None;
    }
    let dated = day(line, second_at, frame).or_else(|| {
        // "5 até 9 do próximo mês": the grammar of a day with its number, without the word "dia".
        super::numbered::numbered_after(line, second_at, frame, dias)
    });
    let (second, end) = dated?;
    let Days::One(last) = second.days else { return None };
    let first = chrono::Datelike::with_day(&last, number)?;
    let first = if first > last { super::calendar::plus_months(first, -1) } else { first };
    let days = Days::Span(Span::between(first, plus_days(last, 1)));
    let mut made = Mention { day: Some(DaySaid::of(days)), start, end, ..Mention::default() };
    let _ = extend(line, &mut made, frame);
    Some(made)
}

/// "até sexta", "a partir de segunda", "antes do dia 15", "do dia 10 em diante".
pub(super) fn bound(line: &Line, at: usize, frame: &Frame<'_>) -> Option<Mention> {
    let is_day =
        [&["depois", "de", "amanha"][..], &["depois", "amanha"], &["antes", "de", "ontem"], &["antes", "ontem"]];
    if is_day.iter().any(|phrase| line.phrase(at, phrase).is_some()) {
        return None;
    }
    let (is_from, mut next) = match line.word(at) {
        "ate" => (false, at + 1),
        "antes" => (false, at + 1),
        "depois" | "apos" | "desde" => (true, at + 1),
        "a" => (true, line.phrase(at, &["a", "partir"])?),
        "apartir" | "partir" => (true, at + 1),
        "de" | "do" | "da" => {
            let inner = slot(line, at + 1, frame)?;
            let onward =
                line.phrase(inner.end, &["em", "diante"]).or_else(|| line.phrase(inner.end, &["para", "frente"]));
            return bounded(inner, true, at, onward?);
        }
        _ => return None,
    };
    while next < at + 4 && line.is(next, &["de", "do", "da", "o", "a", "as", "no", "na"]) {
        next += 1;
    }
    let mut inner = slot(line, next, frame)?;
    let after_day = line.is(at, &["depois", "apos"]) && inner.time.is_none();
    if let Some(DaySaid { days: Days::One(day), .. }) = &mut inner.day
        && after_day
    {
        *day = plus_days(*day, 1);
    }
    let end = inner.end;
    // "com dor desde segunda" is over, whatever else is wanted.
    let past = line.word(at) == "desde" && frame.asks();
    let mut made = bounded(inner, is_from, at, end)?;
    made.day.iter_mut().for_each(|said| said.past |= past);
    Some(made)
}

/// The mention with its time, or its day when it has none, as one end of an open range.
fn bounded(inner: Mention, is_from: bool, start: usize, end: usize) -> Option<Mention> {
    let mut made = Mention { start, end, ..inner };
    match made.time.take() {
        Some(TimeSaid::At(clock)) => {
            made.time = Some(if is_from { TimeSaid::From(clock) } else { TimeSaid::Until(clock) });
        }
        Some(TimeSaid::Part(part)) => {
            let span = part.span();
            let hour = if is_from { span.from } else { span.until }?.seconds() / 3600;
            let clock = super::clock::Clock { hour, minute: 0, second: 0, part: None, literal: true, bare: false };
            made.time = Some(if is_from { TimeSaid::From(clock) } else { TimeSaid::Until(clock) });
        }
        Some(other) => made.time = Some(other),
        None => {
            let said = made.day.take()?;
            let days = match (said.days, is_from) {
                (Days::One(day), true) => Days::Span(Span::from(day)),
                (Days::One(day), false) => Days::Span(Span::until(day)),
                (Days::Span(Span { from: Some(from), .. }), true) => Days::Span(Span::from(from)),
                (Days::Span(Span { until: Some(until), .. }), false) => Days::Span(Span::until(until)),
                (other, _) => other,
            };
            made.day = Some(DaySaid { days, weekday: None, number: None, past: said.past });
        }
    }
    Some(made)
}

/// "2:00pm 21/2 a 3:32 23/4": from one day and time to another.
pub(super) fn stretched(line: &Line, first: Mention, frame: &Frame<'_>) -> Mention {
    let full = |m: &Mention| matches!((&m.day, &m.time), (Some(_), Some(TimeSaid::At(_))));
    if !full(&first) {
        return first;
    }
    let Some(second) = connector(line, first.end, false).and_then(|at| slot(line, at, frame)) else { return first };
    if !full(&second) {
        return first;
    }
    let (start, end) = (first.start, second.end);
    Mention { stretch: Some(Box::new((first, second))), start, end, ..Mention::default() }
}
