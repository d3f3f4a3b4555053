//! Days by their numbers: "dia 5", "05/12", "5 de dezembro", "maio cinco".

use chrono::{Datelike, NaiveDate};

use super::Frame;
use super::calendar::full_year;
use super::day::{DaySaid, month_named_after};
use super::lex::Line;
use super::numbers::{cardinal, ordinal, spelled};
use super::vocabulary::month;

/// Days by digits or words: "dia 5", "5/12", "5 de dezembro", "maio cinco", "no 15".
pub(super) fn numbered(line: &Line, at: usize, frame: &Frame<'_>) -> Option<(DaySaid, usize)> {
    if line.is(at, &["dia", "dias", "data", "dai"]) {
        let number_at = if line.is(at + 1, &["de", "o"]) { at + 2 } else { named_number(line, at + 1) };
        return written_date(line, number_at, frame).or_else(|| {
            let (number, next) = ordinal(line, number_at).or_else(|| cardinal(line, number_at))?;
            let is_count = line.is(next, &["dias", "semanas", "meses", "anos", "horas", "h", "vezes", "reais"]);
            if is_count || line.is_mark(next, &['%', ':']) { None } else { day_number(line, frame, number, next) }
        });
    }
    if let Some(found) = written_date(line, at, frame) {
        return Some(found);
    }
    if let Some(number) = month(line.word(at)) {
        let (day, next) = cardinal(line, at + 1).filter(|_| line.word(at).len() > 3)?;
        let is_day = (1..=31).contains(&day) && !line.is(next, &["h", "horas", "hs", "anos"]);
        return if is_day { dated(line, frame, day, Some(number), next) } else { None };
    }
    let (day, next) = ordinal(line, at).or_else(|| cardinal(line, at))?;
    let name_at = if line.is(next, &["de", "do", "d"]) || line.is_mark(next, &['/', '-']) { next + 1 } else { next };
    let number = month(line.word(name_at))?;
    // "2 dez" is a date, "2 mar" one too, but "as 10 set" of anything is not: a short form needs its digits.
    let short = line.word(name_at).len() <= 3 && line.digits(at).is_none() && line.word(next) != "de";
    if short { None } else { dated(line, frame, day, Some(number), name_at + 1) }
}

/// "o dia é 18", "o dia certo seria 4": where the number stands; an hour is none.
fn named_number(line: &Line, at: usize) -> usize {
    let verb = if line.is(at, &["certo", "correto", "que"]) { at + 1 } else { at };
    let says = line.is(verb, &["seria", "sera"]) || line.token(verb).is_some_and(|token| token.copula);
    let hour = line.is(verb + 2, &["h", "hs", "hrs", "horas"]) || line.is_mark(verb + 2, &[':']);
    if says && line.digits(verb + 1).is_some() && !hour { verb + 1 } else { at }
}

/// A number after "dia", with what may follow it.
fn day_number(line: &Line, frame: &Frame<'_>, number: u32, next: usize) -> Option<(DaySaid, usize)> {
    if !(1..=31).contains(&number) {
        return None;
    }
    let name_at = if line.is(next, &["de", "do", "d"]) || line.is_mark(next, &['/', '-']) { next + 1 } else { next };
    if let Some(month) = month(line.word(name_at)).filter(|_| name_at > next || line.word(name_at).len() > 3) {
        return dated(line, frame, number, Some(month), name_at + 1);
    }
    // "dia 3 do 12".
    if line.word(next) == "do"
        && let Some((month @ 1..=12, 1 | 2)) = line.digits(next + 1)
        && !line.is(next + 2, &["h", "horas"])
    {
        return dated(line, frame, number, Some(month), next + 2);
    }
    // "dia 18 do mês 7".
    if let Some(at) = line.phrase(next, &["do", "mes"])
        && let Some((month @ 1..=12, 1 | 2)) = line.digits(at)
    {
        return dated(line, frame, number, Some(month), at + 1);
    }
    if let Some((start, after)) = month_named_after(line, next, frame) {
        let day = start.with_day(number);
        return Some((DaySaid::clear(day), after));
    }
    if let Some(after) = line.phrase(next, &["que", "vem"]) {
        return dated(line, frame, number, None, after);
    }
    let next = if line.is(next, &["agora", "proximo"]) { next + 1 } else { next };
    dated(line, frame, number, None, next)
}

/// A date in digits: "5/12", "05-12-2026", "2026-12-05", "5.12.26"; month first when nothing else is possible.
fn written_date(line: &Line, at: usize, frame: &Frame<'_>) -> Option<(DaySaid, usize)> {
    let (first, first_digits) = line.digits(at)?;
    let separator = line.mark(at + 1).filter(|mark| matches!(mark, '/' | '-' | '.'))?;
    let (second, second_digits) = line.digits(at + 2)?;
    let tight = line.glued(at + 1) && line.glued(at + 2);
    let third = (line.mark(at + 3) == Some(separator)).then(|| line.digits(at + 4)).flatten();
    if second_digits > 2 || (!tight && third.is_none()) {
        return None;
    }
    let year = third.filter(|(_, digits)| *digits != 3 && *digits != 1);
    let ends_tightly = !(line.glued(at + 3) && line.is(at + 3, &["h", "hs", "hrs", "k", "kg", "x"]));
    if first_digits == 4 {
        let (day, _) = third?;
        return on(full_year(first, 4)?, second, day).map(|day| (DaySaid::one(day), at + 5));
    }
    if let Some((year, digits)) = year {
        let year = full_year(year, digits)?;
        let day = on(year, second, first).or_else(|| on(year, first, second))?;
        return Some((DaySaid::one(day), at + 5));
    }
    // Without a year only a slash is surely a date: "8.30" and "13-15" are other things.
    let dotted = separator == '.' && second_digits == 2 && (first > 24 || line.word(at + 3) == "as");
    if !(separator == '/' || dotted) || third.is_some() || !ends_tightly || first_digits > 2 {
        return None;
    }
    if !(1..=31).contains(&first) || !(1..=31).contains(&second) || (first > 12 && second > 12) {
        return None;
    }
    let (day, month) = if second > 12 { (second, first) } else { (first, second) };
    dated(line, frame, day, Some(month), at + 3)
}

pub(super) fn on(year: i32, month: u32, day: u32) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(year, month, day)
}

/// A day of a month, with the year that may follow; without one the next to come.
pub(super) fn dated(
    line: &Line,
    frame: &Frame<'_>,
    day: u32,
    month: Option<u32>,
    next: usize,
) -> Option<(DaySaid, usize)> {
    if !(1..=31).contains(&day) {
        return None;
    }
    let Some(month) = month else {
        let said = DaySaid { number: Some(day), ..DaySaid::of(frame.day_of_month(day)) };
        return Some((said, next));
    };
    let year_at = if line.is(next, &["de", "do"]) || line.is_mark(next, &[',', '/', '-']) { next + 1 } else { next };
    let year_at = if line.word(year_at) == "ano" && line.word(next) == "do" { year_at + 1 } else { year_at };
    if let Some((year, digits)) = line.digits(year_at).filter(|(_, digits)| *digits == 4 || *digits == 2)
        && (digits == 4 || !(is_hour(line, year_at) || line.is_mark(year_at + 1, &['/'])))
        && let Some(year) = full_year(year, digits)
    {
        return Some((DaySaid::clear(on(year, month, day)), year_at + 1));
    }
    Some((DaySaid::of(frame.day_of_year(month, day)), next))
}

fn is_hour(line: &Line, at: usize) -> bool {
    line.is(at + 1, &["h", "hs", "hrs", "horas", "hora", "da", "e", "pm", "am"]) || line.is_mark(at + 1, &[':'])
}

/// A number in words that stands alone as a day ("no quinze").
pub(super) fn lone_number(line: &Line, at: usize) -> Option<(u32, usize)> {
    match line.digits(at) {
        Some((value, 1 | 2)) => Some((value, at + 1)),
        Some(_) => None,
        None => spelled(line, at),
    }
}

/// A number without "dia" that ends a range: "5 até *9 do próximo mês*", "dias 10 a *14*".
pub(super) fn numbered_after(line: &Line, at: usize, frame: &Frame<'_>, plain: bool) -> Option<(DaySaid, usize)> {
    let (number @ 1..=31, 1 | 2) = line.digits(at)? else { return None };
    if let Some((start, next)) = month_named_after(line, at + 1, frame) {
        return Some((DaySaid::clear(start.with_day(number)), next));
    }
    plain.then(|| (DaySaid { number: Some(number), ..DaySaid::of(frame.day_of_month(number)) }, at + 1))
}
