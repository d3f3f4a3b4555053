//! Days and times put together: "sexta depois das 18", "de segunda a quinta", "2 até 6 de maio às 9".

use chrono::NaiveDateTime;

use super::calendar::plus_days;
use super::day::{DaySaid, Days, day};
use super::lex::{Kind, Line};
use super::period::period;
use super::ranges::{bound, day_range, stretched};
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

/// How far before two traded numbers the word "dia" still makes them days.
const TRADE_REACH: usize = 5;

/// All mentions of a text, in order.
pub(in crate::domain::agenda) fn mentions(line: &Line, frame: &Frame<'_>) -> Vec<Mention> {
    first_mentions(line, frame, MENTIONS_MAX)
}

/// The first mentions of a text, in order.
pub(super) fn first_mentions(line: &Line, frame: &Frame<'_>, max: usize) -> Vec<Mention> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < line.len() && found.len() < max {
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
        .or_else(|| traded_day(line, at, frame))
        .or_else(|| bare_numbers(line, at))
}

/// "trocar meu dia, de 17 para 19": numbers are days where a day is what is traded.
fn traded_day(line: &Line, at: usize, frame: &Frame<'_>) -> Option<Mention> {
    let old = at.checked_sub(2).filter(|old| line.is(*old, &["de", "do"]) && line.digits(old + 1).is_some())?;
    let speaks_of_day = (old.saturating_sub(TRADE_REACH)..old).any(|at| line.is(at, &["dia", "data"]));
    let number_at = if line.is(at + 1, &["o"]) { at + 2 } else { at + 1 };
    let (number @ 1..=31, 1 | 2) = line.digits(number_at)? else { return None };
    let fits = frame.aim == Aim::Move && line.is(at, &["para", "por", "pelo"]) && speaks_of_day;
    let hour = line.is(number_at + 1, &["h", "hs", "hrs", "horas"]) || line.is_mark(number_at + 1, &[':', '/']);
    let day = DaySaid { number: Some(number), ..DaySaid::of(frame.day_of_month(number)) };
    (fits && !hour).then(|| Mention { day: Some(day), start: at, end: number_at + 1, ..Mention::default() })
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
pub(super) fn slot(line: &Line, at: usize, frame: &Frame<'_>) -> Option<Mention> {
    let mut made = Mention { start: at, end: at, ..Mention::default() };
    for _ in 0..4 {
        let Some(()) = extend(line, &mut made, frame) else { break };
    }
    (!made.is_empty()).then_some(made)
}

/// Adds what follows, when it is of a kind that is missing.
pub(super) fn extend(line: &Line, made: &mut Mention, frame: &Frame<'_>) -> Option<()> {
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
                (Some(said), TimeSaid::Part(part)) => said.in_later_part(part),
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

pub(super) fn any_day(line: &Line, at: usize, frame: &Frame<'_>) -> Option<(DaySaid, usize)> {
    let lead = line.is(at, &["no", "o", "ao"]) && line.digits(at + 1).is_some() && !frame.asks();
    if let Some(found) = day(line, at, frame).or_else(|| period(line, at, frame)) {
        return Some(found);
    }
    let (number, _) = line.digits(at + 1).filter(|_| lead)?;
    let ends = line.ends_sentence(at + 2) || line.is_mark(at + 2, &[',']);
    (ends && (1..=31).contains(&number))
        .then(|| (DaySaid { number: Some(number), ..DaySaid::of(frame.day_of_month(number)) }, at + 2))
}

/// "dias 3, 4 e 5", "dia 3 ou 4": the numbers after the first are days too.
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

/// "pra 10", "pra 8 ou 9": days or hours.
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
