//! Weeks, weekends, months, quarters, years: several days on end.

use chrono::{Datelike, NaiveDate};

use super::Frame;
use super::calendar::{full_year, monday, month_start, plus_days, plus_months, year_start};
use super::day::{DaySaid, Days, day};
use super::lex::Line;
use super::numbers::{cardinal, ordinal};
use super::value::Span;
use super::vocabulary::{Unit, full_month, month, unit};

/// Which of the units that follow one another is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Third {
    Start,
    Middle,
    End,
}

/// A period and the place after it.
pub(super) fn period(line: &Line, at: usize, frame: &Frame<'_>) -> Option<(DaySaid, usize)> {
    weekend(line, at, frame)
        .or_else(|| third_of(line, at, frame))
        .or_else(|| fortnight(line, at, frame))
        .or_else(|| counted(line, at, frame))
        .or_else(|| whole(line, at, frame).map(|(whole, next)| (said(whole, frame), next)))
        .or_else(|| several(line, at, frame))
}

/// A period's days, and whether it is over.
#[derive(Clone, Copy)]
struct Whole {
    from: NaiveDate,
    until: NaiveDate,
    unit: Unit,
}

fn said(whole: Whole, frame: &Frame<'_>) -> DaySaid {
    let past = whole.until <= frame.today();
    DaySaid { past, ..DaySaid::of(Days::Span(Span::between(whole.from, whole.until))) }
}

/// "fim de semana", "próximo final de semana".
fn weekend(line: &Line, at: usize, frame: &Frame<'_>) -> Option<(DaySaid, usize)> {
    let lead = line.is(at, &["proximo", "este", "esse", "neste", "nesse", "deste", "desse"]);
    let start = if lead { at + 1 } else { at };
    if !line.is(start, &["fim", "final", "fins", "finde", "findi"]) {
        return None;
    }
    let next = if line.is(start, &["finde", "findi"]) { start + 1 } else { line.phrase(start + 1, &["de", "semana"])? };
    let coming = line.phrase(next, &["que", "vem"]);
    let past = line.is(next, &["passado"]);
    let saturday = plus_days(monday(frame.today()), 5);
    let saturday = if past { plus_days(saturday, -7) } else { saturday };
    let on_weekend = frame.today() >= saturday;
    let skip = on_weekend && (coming.is_some() || line.word(at) == "proximo");
    let saturday = if skip { plus_days(saturday, 7) } else { saturday };
    let days = Days::Span(Span::between(saturday, plus_days(saturday, 2)));
    Some((DaySaid { past, ..DaySaid::of(days) }, coming.unwrap_or(if past { next + 1 } else { next })))
}

/// "começo da semana que vem", "fim do mês", "meados de março".
fn third_of(line: &Line, at: usize, frame: &Frame<'_>) -> Option<(DaySaid, usize)> {
    let third = match line.word(at) {
        "comeco" | "inicio" | "comecinho" => Third::Start,
        "meio" | "meados" => Third::Middle,
        "fim" | "final" | "finalzinho" => Third::End,
        _ => return None,
    };
    if !line.is(at + 1, &["da", "do", "de", "deste", "desse", "desta", "dessa"]) {
        return None;
    }
    let start = if line.is(at + 1, &["da", "do", "de"]) { at + 2 } else { at + 1 };
    let bare = |name: &str, unit: Unit| (line.word(start) == name).then(|| (current(frame.today(), unit), start + 1));
    let (whole, next) = whole(line, start, frame)
        .or_else(|| full_month(line, start).map(|month| (whole_month(frame, month), start + 1)))
        .or_else(|| bare("semana", Unit::Week))
        .or_else(|| bare("mes", Unit::Month))
        .or_else(|| bare("ano", Unit::Year))?;
    let (from, until) = cut(whole, third);
    let days = Days::Span(Span::between(from, until));
    Some((DaySaid { past: until <= frame.today(), ..DaySaid::of(days) }, next))
}

fn cut(whole: Whole, third: Third) -> (NaiveDate, NaiveDate) {
    let day = |n: i64| plus_days(whole.from, n);
    match (whole.unit, third) {
        (Unit::Week, Third::Start) => (day(0), day(2)),
        (Unit::Week, Third::Middle) => (day(1), day(4)),
        (Unit::Week, Third::End) => (day(3), day(5)),
        (Unit::Month, Third::Start) => (day(0), day(10)),
        (Unit::Month, Third::Middle) => (day(10), day(20)),
        (Unit::Month, Third::End) => (day(20), whole.until),
        (_, Third::Start) => (whole.from, plus_months(whole.from, 3)),
        (_, Third::Middle) => (plus_months(whole.from, 4), plus_months(whole.from, 8)),
        (_, Third::End) => (plus_months(whole.until, -2), whole.until),
    }
}

/// The unit a day lies in.
fn current(today: NaiveDate, unit: Unit) -> Whole {
    let (from, until) = match unit {
        Unit::Week => (monday(today), plus_days(monday(today), 7)),
        Unit::Month => (month_start(today), plus_months(month_start(today), 1)),
        Unit::Quarter => {
            let start = plus_months(year_start(today), i64::from(today.month0() / 3 * 3));
            (start, plus_months(start, 3))
        }
        Unit::Year => (year_start(today), plus_months(year_start(today), 12)),
        _ => (today, plus_days(today, 1)),
    };
    Whole { from, until, unit }
}

fn shifted(today: NaiveDate, unit: Unit, by: i64) -> Whole {
    let moved = match unit {
        Unit::Week => plus_days(today, 7 * by),
        Unit::Month => plus_months(month_start(today), by),
        Unit::Quarter => plus_months(month_start(today), 3 * by),
        _ => plus_months(year_start(today), 12 * by),
    };
    current(moved, unit)
}

/// "semana que vem", "este mês", "em dezembro", "próximo trimestre", "ano passado".
fn whole(line: &Line, at: usize, frame: &Frame<'_>) -> Option<(Whole, usize)> {
    let today = frame.today();
    let is_unit = |at: usize| {
        unit(line.word(at)).filter(|u| {
            matches!(u, Unit::Week | Unit::Month | Unit::Quarter | Unit::Year) && !matches!(line.word(at), "sem")
        })
    };
    let before = match line.word(at) {
        "proxima" | "proximo" | "prox" => Some(1),
        "esta" | "essa" | "nesta" | "nessa" | "desta" | "dessa" | "este" | "esse" | "neste" | "nesse" | "deste"
        | "desse" => Some(0),
        "outra" | "outro" => Some(if line.word(at + 1) == "semana" && previous_is_week(line, at) { 2 } else { 1 }),
        "ultima" | "ultimo" => Some(-1),
        _ => None,
    };
    if let Some(by) = before {
        // "semana que vem viajo, na outra volto".
        if line.word(at) == "outra" && previous_is_week(line, at) && line.ends_sentence(at + 1) {
            return Some((shifted(today, Unit::Week, 2), at + 1));
        }
        // "este setembro" may be over, and is still that of this year.
        if by == 0
            && !frame.asks()
            && let Some(found) = month_of_this_year(line, at + 1, frame)
        {
            return Some(found);
        }
        let Some(unit) = is_unit(at + 1) else { return named_month(line, at, frame) };
        return Some((shifted(today, unit, by), at + 2));
    }
    if let Some(unit) = is_unit(at) {
        if let Some(found) = unit_after(line, at, unit, frame) {
            return Some(found);
        }
        // "semana do dia 20".
        if unit == Unit::Week
            && line.is(at + 1, &["do", "de"])
            && let Some((DaySaid { days: Days::One(day), .. }, next)) = day(line, at + 2, frame)
        {
            return Some((current(day, Unit::Week), next));
        }
        if unit == Unit::Month && line.word(at + 1) == "de" {
            return month(line.word(at + 2)).map(|month| with_year(line, frame, month, at + 3));
        }
        return None;
    }
    named_month(line, at, frame)
}

fn month_of_this_year(line: &Line, at: usize, frame: &Frame<'_>) -> Option<(Whole, usize)> {
    let from = year_start(frame.today()).with_month(full_month(line, at)?)?;
    Some((Whole { from, until: plus_months(from, 1), unit: Unit::Month }, at + 1))
}

/// "semana que vem é feriado, na outra semana" counts from the one that was named.
fn previous_is_week(line: &Line, at: usize) -> bool {
    (1..=at.min(12)).any(|back| line.word(at - back) == "semana" && line.is(at - back + 1, &["que"]))
}

fn unit_after(line: &Line, at: usize, unit: Unit, frame: &Frame<'_>) -> Option<(Whole, usize)> {
    let (by, next) = match line.word(at + 1) {
        "que" => (1, line.phrase(at + 1, &["que", "vem"]).or_else(|| line.phrase(at + 1, &["que", "entra"]))?),
        "q" => (1, line.phrase(at + 1, &["q", "vem"])?),
        "seguinte" | "proxima" | "proximo" | "vindoura" => (1, at + 2),
        "passada" | "passado" | "anterior" => (-1, at + 2),
        "retrasada" | "retrasado" => (-2, at + 2),
        "atual" | "actual" => (0, at + 2),
        _ => return None,
    };
    Some((shifted(frame.today(), unit, by), next))
}

/// A month by its name, with or without its year.
fn named_month(line: &Line, at: usize, frame: &Frame<'_>) -> Option<(Whole, usize)> {
    let lead = line.is(at, &["em", "no", "ate", "desde", "este", "esse", "so"]);
    let name_at = if lead && line.word(at + 1) != "mes" { at + 1 } else { at };
    let short = lead && line.is(at, &["em", "este", "esse"]) && matches!(line.word(name_at).len(), 3);
    let number = full_month(line, name_at).or_else(|| if short { month(line.word(name_at)) } else { None })?;
    Some(with_year(line, frame, number, name_at + 1))
}

fn whole_month(frame: &Frame<'_>, number: u32) -> Whole {
    let this = month_start(frame.today());
    let start = this.with_month(number).unwrap_or(this);
    let start = if start < this { plus_months(start, 12) } else { start };
    Whole { from: start, until: plus_months(start, 1), unit: Unit::Month }
}

fn with_year(line: &Line, frame: &Frame<'_>, number: u32, next: usize) -> (Whole, usize) {
    let year_at = if line.is(next, &["de", "do"]) || line.is_mark(next, &[',', '/']) { next + 1 } else { next };
    if let Some((year, 4)) = line.digits(year_at)
        && let Some(from) = full_year(year, 4).and_then(|year| NaiveDate::from_ymd_opt(year, number, 1))
    {
        return (Whole { from, until: plus_months(from, 1), unit: Unit::Month }, year_at + 1);
    }
    let month = whole_month(frame, number);
    if line.word(next) == "do"
        && let Some(after) = line.phrase(next, &["do", "ano", "que", "vem"])
    {
        let from = plus_months(year_start(frame.today()), 11 + i64::from(number));
        return (Whole { from, until: plus_months(from, 1), unit: Unit::Month }, after);
    }
    (month, line.phrase(next, &["que", "vem"]).unwrap_or(next))
}

/// "segunda quinzena", "primeira quinzena de julho".
fn fortnight(line: &Line, at: usize, frame: &Frame<'_>) -> Option<(DaySaid, usize)> {
    let (number @ 1..=2, next) = ordinal(line, at)? else { return None };
    if line.word(next) != "quinzena" {
        return None;
    }
    let of = if line.is(next + 1, &["de", "do", "deste", "desse"]) { next + 2 } else { next + 1 };
    let month = if of > next + 1 { whole(line, of, frame) } else { None };
    let (month, end) = month.unwrap_or((current(frame.today(), Unit::Month), next + 1));
    let middle = plus_days(month.from, 15);
    let (from, until) = if number == 1 { (month.from, middle) } else { (middle, month.until) };
    Some((DaySaid { past: until <= frame.today(), ..DaySaid::of(Days::Span(Span::between(from, until))) }, end))
}

/// "segundo trimestre deste ano", "terceira semana do mês", "semana 12 do ano passado", "segundo mês de 2030".
fn counted(line: &Line, at: usize, frame: &Frame<'_>) -> Option<(DaySaid, usize)> {
    let (number, unit, next) = match line.word(at) {
        "semana" => {
            let (number, _) = line.digits(at + 1)?;
            (number, Unit::Week, at + 2)
        }
        "ultimo" | "ultima" => (0, unit(line.word(at + 1))?, at + 2),
        _ => {
            let (number, next) = ordinal(line, at)?;
            (number, unit(line.word(next))?, next + 1)
        }
    };
    if !matches!(unit, Unit::Week | Unit::Month | Unit::Quarter) {
        return None;
    }
    let of = if line.is(next, &["de", "do", "da"]) { next + 1 } else { next };
    let (container, next) = match line.digits(of) {
        Some((year, 4)) => {
            let start = NaiveDate::from_ymd_opt(full_year(year, 4)?, 1, 1)?;
            (current(start, Unit::Year), of + 1)
        }
        _ => match line.word(of) {
            "mes" => (current(frame.today(), Unit::Month), of + 1),
            "ano" if line.word(of + 1) != "passado" => (current(frame.today(), Unit::Year), of + 1),
            _ => whole(line, of, frame)?,
        },
    };
    let part = |start: NaiveDate| current(start, unit);
    let index = i64::from(number) - 1;
    let found = match unit {
        _ if number == 0 => part(plus_days(container.until, -1)),
        Unit::Week => {
            // The week with the container's first Thursday is its first, as ISO 8601 counts them.
            let thursday = plus_days(container.from, 3);
            part(plus_days(thursday, 7 * index))
        }
        Unit::Month => part(plus_months(container.from, index)),
        _ => part(plus_months(container.from, 3 * index)),
    };
    Some((said(found, frame), next))
}

/// "próximos 15 dias", "2 semanas que vem", "últimos dois meses".
fn several(line: &Line, at: usize, frame: &Frame<'_>) -> Option<(DaySaid, usize)> {
    let (direction, count_at) = match line.word(at) {
        "proximos" | "proximas" => (1, at + 1),
        "ultimos" | "ultimas" | "passados" | "passadas" => (-1, at + 1),
        _ => (0, at),
    };
    let (count, next) = cardinal(line, count_at).filter(|(count, _)| (1..=400).contains(count))?;
    let count = i64::from(count);
    let inner = if direction == 0 { line.is(next, &["ultimos", "ultimas", "proximos", "proximas"]) } else { false };
    let unit = unit(line.word(if inner { next + 1 } else { next }))?;
    let next = if inner { next + 2 } else { next + 1 };
    let coming = line.phrase(next, &["que", "vem"]);
    let direction = match (direction, inner) {
        (0, true) if line.word(next - 2).starts_with("ultim") => -1,
        (0, true) => 1,
        (0, false) if coming.is_some() => 2,
        (given, _) => given,
    };
    let today = frame.today();
    let span = match (direction, unit) {
        (2, Unit::Week | Unit::Month | Unit::Year) => (shifted(today, unit, 1).from, shifted(today, unit, count).until),
        (1 | 2, _) => {
            let first = plus_days(today, 1);
            (first, super::duration::day_after(first, count, unit)?)
        }
        (-1, Unit::Day) => (plus_days(today, -count), today),
        (-1, Unit::Week | Unit::Month | Unit::Year) => {
            (shifted(today, unit, -count).from, shifted(today, unit, -1).until)
        }
        _ => return None,
    };
    let days = Days::Span(Span::between(span.0, span.1));
    Some((DaySaid { past: direction < 0, ..DaySaid::of(days) }, coming.unwrap_or(next)))
}
