//! Days and times put together: "sexta depois das 18", "de segunda a quinta", "13 até 15 de julho às 9".

use chrono::NaiveDateTime;

use super::calendar::plus_days;
use super::day::{DaySaid, Days, day};
use super::lex::{Kind, Line};
use super::numbers::cardinal;
use super::period::period;
use super::time::{TimeSaid, is_count, time};
use super::value::Span;
use super::vocabulary::weekday;
use super::{Aim, Frame};

/// A place of the text that speaks of a time.
#[derive(Clone, Debug, Default)]
pub(in crate::domain::agenda) struct Mention {
    pub day: Option<DaySaid>,
    pub time: Option<TimeSaid>,
    /// A moment that needs no day ("daqui a meia hora").
    pub moment: Option<NaiveDateTime>,
    /// From one day and time to another.
    pub stretch: Option<Box<(Mention, Mention)>>,
    /// Numbers that are days or hours, and nobody knows which ("pra 10").
    pub bare: bool,
    pub start: usize,
    pub end: usize,
}

impl Mention {
    fn is_empty(&self) -> bool {
        self.day.is_none() && self.time.is_none() && self.moment.is_none() && self.stretch.is_none() && !self.bare
    }
}

/// More mentions than this are a list of hours, not a wish.
const MENTIONS_MAX: usize = 12;

/// All mentions of a text, in order.
pub(in crate::domain::agenda) fn mentions(line: &Line, frame: &Frame<'_>) -> Vec<Mention> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < line.len() && found.len() < MENTIONS_MAX {
        match if may_begin(line, at) { mention(line, at, frame) } else { None } {
            Some(mention) => {
                at = mention.end.max(at + 1);
                found.push(mention);
            }
            None => at += skipped(line, at),
        }
    }
    found
}

/// A number written with signs between its digits is skipped whole: its end must not be read as an hour.
fn skipped(line: &Line, at: usize) -> usize {
    let is_number = |at: usize| line.token(at).is_some_and(|token| token.kind == Kind::Number);
    let mut end = at + 1;
    while is_number(at)
        && line.is_mark(end, &['.', ',', '-', '/'])
        && line.glued(end)
        && is_number(end + 1)
        && line.glued(end + 1)
    {
        end += 2;
    }
    end - at
}

/// Whether a mention can begin here: a first look that costs nothing.
fn may_begin(line: &Line, at: usize) -> bool {
    let Some(token) = line.token(at) else { return false };
    match token.kind {
        Kind::Number => !line.glued(at) || !line.is_mark(at.saturating_sub(1), &['$', '#', '+', ')', '(']),
        Kind::Word => !(token.text == "dia" && at > 0 && line.is(at - 1, &["bom", "bons"])),
        Kind::Mark(_) | Kind::Emoji => false,
    }
}

/// A mention that begins here.
fn mention(line: &Line, at: usize, frame: &Frame<'_>) -> Option<Mention> {
    ago(line, at, frame)
        .or_else(|| day_range(line, at, frame))
        .or_else(|| bound(line, at, frame))
        .or_else(|| {
            let (moment, end) = super::duration::moment(line, at, frame)?;
            Some(Mention { moment: Some(moment), start: at, end, ..Mention::default() })
        })
        .or_else(|| slot(line, at, frame).map(|first| stretched(line, first, frame)))
        .or_else(|| bare_numbers(line, at))
}

/// "há dois dias", "faz 3 semanas", "2 horas atrás": over, and read so that its numbers are nothing else.
fn ago(line: &Line, at: usize, frame: &Frame<'_>) -> Option<Mention> {
    let led = line.is(at, &["ha", "faz", "tem"]) && (line.word(at) != "tem" || line.is(at + 1, &["uns", "umas"]));
    let (count, unit, end) = super::duration::length(line, if led { at + 1 } else { at })?;
    let back = line.is(end, &["atras"]);
    if !led && !back {
        return None;
    }
    let end = if back { end + 1 } else { end };
    if let Some(seconds) = super::duration::clock_unit(unit) {
        let from = super::duration::later(frame.now, -count * seconds);
        return Some(Mention { moment: Some(from), start: at, end, ..Mention::default() });
    }
    let days = super::duration::days_after(frame, -count, unit)?;
    Some(Mention { day: Some(DaySaid { past: true, ..DaySaid::of(days) }), start: at, end, ..Mention::default() })
}

/// Words that may stand between a day and its time.
const BETWEEN: [&str; 30] = [
    "no", "na", "do", "da", "de", "em", "para", "pela", "la", "por", "a", "o", "as", "tipo", "bem", "uns", "ai", "so",
    "agora", "mesmo", "horario", "ainda", "logo", "mais", "menos", "ate", "ao", "pelo", "nas", "entao",
];

/// A day and a time, in either order, or one of them.
fn slot(line: &Line, at: usize, frame: &Frame<'_>) -> Option<Mention> {
    let mut made = Mention { start: at, end: at, ..Mention::default() };
    for _ in 0..4 {
        let Some(()) = extend(line, &mut made, frame) else { break };
    }
    (!made.is_empty()).then_some(made)
}

/// Adds what follows, when it is of a kind that is missing.
fn extend(line: &Line, made: &mut Mention, frame: &Frame<'_>) -> Option<()> {
    let mut at = made.end;
    let limit = if made.is_empty() { at } else { at + 4 };
    while at <= limit {
        if made.day.is_none()
            && let Some((said, end)) = any_day(line, at, frame)
        {
            // "às 15h, sábado": but "tem 15h? sábado" are two sentences.
            made.day = Some(said);
            made.end = end;
            more_numbers(line, made, frame);
            return Some(());
        }
        // "17 de junho, quarta-feira": the weekday only says it again.
        if let Some(DaySaid { days: Days::One(day), .. }) = &made.day
            && let Some(named) = weekday(line.word(at))
            && chrono::Datelike::weekday(day) == named
            && at > made.end
        {
            made.end = super::day::after_feira(line, at + 1);
            return Some(());
        }
        if wants_time(made)
            && let Some((said, end)) = time(line, at, made.day.is_some() && at <= made.end + 1)
            && (!matches!(made.time, Some(TimeSaid::At(_))) || matches!(said, TimeSaid::Part(_)))
        {
            made.time = Some(match (made.time.take(), said) {
                (Some(TimeSaid::Part(part)), said) => said.in_part(part),
                (Some(said), TimeSaid::Part(part)) => said.in_part(part),
                (_, said) => said,
            });
            made.end = end;
            return Some(());
        }
        // "de amanhã para as 15h" are the old day and the new hour.
        let moves = frame.aim == Aim::Move && line.is(at, &["para", "por", "pelo", "pela"]);
        let filler = !moves && line.is(at, &BETWEEN) || line.is_mark(at, &[',', '-', '(', '@']) || is_about(line, at);
        if made.is_empty() || !filler {
            return None;
        }
        at += 1;
    }
    None
}

/// "mais ou menos".
fn is_about(line: &Line, at: usize) -> bool {
    line.word(at) == "ou" && line.word(at + 1) == "menos"
}

fn wants_time(made: &Mention) -> bool {
    match &made.time {
        None => true,
        Some(TimeSaid::Part(_)) => true,
        Some(TimeSaid::At(clock)) => clock.part.is_none() && !clock.literal,
        _ => false,
    }
}

fn any_day(line: &Line, at: usize, frame: &Frame<'_>) -> Option<(DaySaid, usize)> {
    let lead = line.is(at, &["no", "o", "ao"]) && line.digits(at + 1).is_some() && !frame.asks();
    if let Some(found) = day(line, at, frame).or_else(|| period(line, at, frame)) {
        return Some(found);
    }
    let (number, _) = line.digits(at + 1).filter(|_| lead)?;
    let ends = line.ends_sentence(at + 2) || line.is_mark(at + 2, &[',']);
    (ends && (1..=31).contains(&number))
        .then(|| (DaySaid { number: Some(number), ..DaySaid::of(frame.day_of_month(number)) }, at + 2))
}

/// "dias 10, 11 e 12", "dia 22 ou 23": the numbers after the first are days too.
fn more_numbers(line: &Line, made: &mut Mention, frame: &Frame<'_>) {
    let Some(DaySaid { days: Days::One(first), number: Some(_), .. }) = made.day else { return };
    let mut all = vec![first];
    while all.len() < 8 && (line.is(made.end, &["e", "ou"]) || line.mark(made.end) == Some(',')) {
        let at = if line.is(made.end + 1, &["dia", "o"]) { made.end + 2 } else { made.end + 1 };
        let Some((number @ 1..=31, _)) = line.digits(at) else { break };
        let hour = line.is(at + 1, &["h", "hs", "hrs", "horas", "da", "pm", "am", "reais", "min"]);
        let Days::One(day) = frame.day_of_month(number) else { break };
        if hour || line.is_mark(at + 1, &[':', '/']) || is_count(line, at + 1) {
            break;
        }
        all.push(day);
        made.end = at + 1;
    }
    if all.len() > 1 {
        made.day = Some(DaySaid::of(joined(all)));
    }
}

/// Several days: those that follow each other are a range.
pub(super) fn joined(mut days: Vec<chrono::NaiveDate>) -> Days {
    days.sort_unstable();
    days.dedup();
    let follow = days.windows(2).all(|pair| matches!(pair, [a, b] if plus_days(*a, 1) == *b));
    match (days.first(), days.last()) {
        (Some(first), Some(last)) if first == last => Days::One(*first),
        (Some(first), Some(last)) if follow => Days::Span(Span::between(*first, plus_days(*last, 1))),
        _ => Days::Set(days),
    }
}

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

/// "de segunda a sexta", "entre os dias 10 e 14", "13 até 15 de julho", "desde hoje até amanhã".
fn day_range(line: &Line, at: usize, frame: &Frame<'_>) -> Option<Mention> {
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

/// A range of two numbers of which only the last says its month: "13-15 de julho", "4 até 23 do próximo mês".
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
        // "4 até 23 do próximo mês": the grammar of a day with its number, without the word "dia".
        super::day::numbered_after(line, second_at, frame, dias)
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
fn bound(line: &Line, at: usize, frame: &Frame<'_>) -> Option<Mention> {
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
fn stretched(line: &Line, first: Mention, frame: &Frame<'_>) -> Mention {
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

/// "pra 10", "pra 10 ou 11": days or hours.
fn bare_numbers(line: &Line, at: usize) -> Option<Mention> {
    if line.word(at) != "para" {
        return None;
    }
    let number_at = if line.is(at + 1, &["o", "os"]) { at + 2 } else { at + 1 };
    let (1..=31, 1 | 2) = line.digits(number_at)? else { return None };
    let mut end = number_at + 1;
    if line.is(end, &["ou", "e"]) && line.digits(end + 1).is_some() {
        end += 2;
    }
    let alone =
        line.ends_sentence(end) || line.mark(end) == Some(',') || line.is(end, &["tem", "da", "pode", "por", "nao"]);
    alone.then(|| Mention { bare: true, start: at, end, ..Mention::default() })
}
