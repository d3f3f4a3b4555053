//! What stands around a weekday: "sexta que vem", "terça da outra semana", "quinta dia 12", "sábado, 10 de janeiro".

use chrono::{Datelike, NaiveDate, Weekday};

use super::Frame;
use super::calendar::{monday, month_start, plus_days, plus_months, weekday_of_week};
use super::day::{DaySaid, Days, day};
use super::lex::Line;
use super::numbered::lone_number;

/// How far ahead a weekday with a number ("sexta 13") is looked for, in months.
const MONTHS_AHEAD: i64 = 24;

/// A weekday with the words before and after it.
pub(super) fn qualified(
    line: &Line,
    frame: &Frame<'_>,
    weekday: Weekday,
    lead: &str,
    next: usize,
) -> Option<(DaySaid, usize)> {
    if let Some(found) = with_date(line, frame, weekday, next) {
        return Some(found);
    }
    let (soonest, next_week) = frame.weekday_readings(weekday);
    let open = |readings: [NaiveDate; 2]| match readings {
        [a, b] if a == b => Days::One(a),
        [_, b] if !frame.asks() => Days::One(b),
        both => Days::Unclear(both.to_vec()),
    };
    if let Some((week, after)) = week_after(line, next) {
        let days = match week {
            Week::This => this_week(frame, weekday),
            Week::Next => Days::One(next_week),
            Week::Other => open([next_week, plus_days(next_week, 7)]),
            Week::Last => Days::One(plus_days(next_week, -14)),
        };
        return Some((DaySaid { past: week == Week::Last, ..DaySaid::of(days) }, after));
    }
    if let Some(after) = coming(line, next) {
        return Some((DaySaid::of(open([soonest, next_week])), after));
    }
    if line.is(next, &["passada", "passado", "retrasada", "retrasado"]) {
        let weeks = if line.is(next, &["retrasada", "retrasado"]) { 7 } else { 0 };
        let last = plus_days(super::calendar::next_weekday(frame.today(), weekday), -7);
        let last = if last == frame.today() { plus_days(last, -7) } else { last };
        return Some((DaySaid { past: true, ..DaySaid::one(plus_days(last, -weeks)) }, next + 1));
    }
    if matches!(lead, "proxima" | "proximo" | "prox") {
        return Some((DaySaid::of(open([soonest, next_week])), next));
    }
    // "a outra sexta": not the next one, where that is of this week.
    if matches!(lead, "outra" | "outro") {
        let later = plus_days(soonest, 7);
        return Some((DaySaid::of(if soonest == next_week { open([soonest, later]) } else { Days::One(later) }), next));
    }
    // "sexta a oito": a week after the next Friday.
    if line.word(next) == "a" && line.is(next + 1, &["oito"]) && !line.is(next + 2, &["h", "horas", "da"]) {
        return Some((DaySaid::one(plus_days(soonest, 7)), next + 2));
    }
    Some((DaySaid { weekday: Some(weekday), ..DaySaid::one(soonest) }, next))
}

/// The one of this week, also when it is today; a day that is over was hardly meant.
fn this_week(frame: &Frame<'_>, weekday: Weekday) -> Days {
    let day = weekday_of_week(monday(frame.today()), weekday);
    if day < frame.today() && frame.asks() { Days::Unclear(vec![plus_days(day, 7)]) } else { Days::One(day) }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Week {
    This,
    Next,
    Other,
    Last,
}

/// "que vem", "próxima", "seguinte".
fn coming(line: &Line, at: usize) -> Option<usize> {
    line.phrase(at, &["que", "vem"]).or_else(|| line.is(at, &["proxima", "proximo", "seguinte"]).then_some(at + 1))
}

/// "desta semana", "da semana que vem", "da outra semana", after a weekday.
fn week_after(line: &Line, at: usize) -> Option<(Week, usize)> {
    if let Some(next) =
        ["desta", "dessa", "nessa", "nesta", "esta", "essa"].iter().find_map(|w| line.phrase(at, &[w, "semana"]))
    {
        return Some((Week::This, next));
    }
    let lead = if line.is(at, &["da", "na", "de", "a"]) { at + 1 } else { at };
    if line.word(lead) == "outra" {
        let next = if line.word(lead + 1) == "semana" { lead + 2 } else { lead + 1 };
        return (lead > at).then_some((Week::Other, next));
    }
    if let Some(next) = line.phrase(lead, &["proxima", "semana"]) {
        return Some((Week::Next, next));
    }
    if line.word(lead) != "semana" || lead == at {
        return None;
    }
    match coming(line, lead + 1) {
        Some(next) => Some((Week::Next, next)),
        None if line.is(lead + 1, &["passada"]) => Some((Week::Last, lead + 2)),
        None => None,
    }
}

/// A weekday and its date: both must fit, else nobody knows which was meant.
fn with_date(line: &Line, frame: &Frame<'_>, weekday: Weekday, next: usize) -> Option<(DaySaid, usize)> {
    let mut date_at = next;
    while line.is_mark(date_at, &[',', '(', '-'])
        || (date_at < next + 2 && line.is(date_at, &["no", "do", "o", "agora"]))
    {
        date_at += 1;
    }
    if date_at > next + 2 {
        return None;
    }
    let starts_date = line.is(date_at, &["dia"]) || line.digits(date_at).is_some();
    let dated = if starts_date { day(line, date_at, frame).filter(|(said, _)| said.weekday.is_none()) } else { None };
    if let Some((said, after)) = dated {
        let after = if line.mark(after) == Some(')') { after + 1 } else { after };
        return Some((reconciled(frame, weekday, said), after));
    }
    let (number, after) = lone_number(line, date_at).filter(|_| line.digits(date_at).is_some())?;
    let is_clock = line.is(after, &["h", "hs", "hrs", "hr", "hora", "horas", "da", "e", "pm", "am", "as", "ou", "min"])
        || line.is_mark(after, &[':', '.', '-']) && line.glued(after + 1);
    if is_clock || number < 13 && date_at == next {
        return None;
    }
    let day = matching(frame, weekday, number)?;
    let near = day <= plus_days(frame.today(), 35);
    (near || number > 23 || !frame.asks()).then(|| (DaySaid::one(day), after))
}

fn reconciled(frame: &Frame<'_>, weekday: Weekday, said: DaySaid) -> DaySaid {
    let fits = |day: &NaiveDate| day.weekday() == weekday;
    let days = match (&said.days, said.number) {
        (Days::One(day), _) if fits(day) => Days::One(*day),
        (Days::One(day), Some(number)) if !frame.asks() => Days::One(matching(frame, weekday, number).unwrap_or(*day)),
        (Days::One(day), _) if !frame.asks() => Days::One(*day),
        (Days::One(day), _) => Days::Unclear(vec![frame.weekday_readings(weekday).0, *day]),
        (Days::Unclear(days), _) if days.iter().filter(|day| fits(day)).count() == 1 => {
            Days::Unclear(days.iter().copied().filter(fits).collect())
        }
        (other, _) => other.clone(),
    };
    DaySaid::of(days)
}

/// The next day of that number that is such a weekday.
fn matching(frame: &Frame<'_>, weekday: Weekday, number: u32) -> Option<NaiveDate> {
    let start = month_start(frame.today());
    (0..MONTHS_AHEAD)
        .filter_map(|months| plus_months(start, months).with_day(number))
        .find(|day| *day >= frame.today() && day.weekday() == weekday)
}
