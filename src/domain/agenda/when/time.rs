//! Times of day as a customer asks for them: at, from, until, between, a part of the day.

use super::clock::{Clock, clock};
use super::lex::Line;
use super::part::{Part, part};
use super::value::ClockTime;

/// No business makes an appointment "in the morning" before this hour.
const EARLIEST_HOUR: u32 = 5;

/// A time of day as it was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::domain::agenda) enum TimeSaid {
    At(Clock),
    Part(Part),
    From(Clock),
    Until(Clock),
    Between(Clock, Clock),
    /// One of several hours.
    Any(Vec<Clock>),
}

/// A time of day and the place after it.
pub(super) fn time(line: &Line, at: usize, after_day: bool) -> Option<(TimeSaid, usize)> {
    between(line, at)
        .or_else(|| open(line, at))
        .or_else(|| hours(line, at, after_day))
        .or_else(|| part(line, at, after_day).map(|(part, next)| (TimeSaid::Part(part), next)))
}

/// "entre 14 e 16", "das 14 às 16h", "de 2 até 4 da tarde".
fn between(line: &Line, at: usize) -> Option<(TimeSaid, usize)> {
    let (first_at, needs_proof) = match line.word(at) {
        "entre" => (if line.is(at + 1, &["as", "a", "o"]) { at + 2 } else { at + 1 }, false),
        "das" => (at + 1, false),
        "de" | "da" | "do" => (at + 1, true),
        "desde" => (if line.is(at + 1, &["as", "a", "das"]) { at + 2 } else { at + 1 }, true),
        _ => return None,
    };
    let (first, next) = if line.word(at) == "entre" { first_of_pair(line, first_at)? } else { clock(line, first_at)? };
    let second_at = match line.word(next) {
        "e" if line.word(at) == "entre" => skip_article(line, next + 1),
        "as" | "a" | "ao" | "ate" if line.word(at) != "entre" => skip_article(line, next + 1),
        _ if line.mark(next) == Some('-') => next + 1,
        _ => return None,
    };
    let (second, end) = clock(line, second_at)?;
    let proven = !first.bare || !second.bare;
    if (needs_proof && !proven && line.word(next) != "as") || (second.bare && is_count(line, end)) {
        return None;
    }
    Some((TimeSaid::Between(with_part_of(first, second), second), end))
}

/// "entre 14 e 16": what follows "e" are no minutes.
fn first_of_pair(line: &Line, at: usize) -> Option<(Clock, usize)> {
    let Some((hour, next)) = super::numbers::cardinal(line, at) else { return clock(line, at) };
    if line.word(next) == "e" && hour <= 24 && super::numbers::cardinal(line, skip_article(line, next + 1)).is_some() {
        let twice = clock(line, at).filter(|(_, after)| line.word(*after) == "e");
        return Some(twice.unwrap_or((Clock::at_hour(hour), next)));
    }
    clock(line, at)
}

fn skip_article(line: &Line, at: usize) -> usize {
    if line.is(at, &["as", "a", "o", "das"]) { at + 1 } else { at }
}

/// "das 2 às 4 da tarde": the part of day is said once.
fn with_part_of(first: Clock, second: Clock) -> Clock {
    let shares = first.part.is_none() && !first.literal && first.hour <= second.hour;
    if shares { Clock { part: second.part, ..first } } else { first }
}

/// "depois das 18", "antes do meio-dia", "a partir das 14h", "até as 10", "depois do almoço".
fn open(line: &Line, at: usize) -> Option<(TimeSaid, usize)> {
    let (is_from, next) = match line.word(at) {
        "depois" | "apos" | "passando" => (true, at + 1),
        // "não antes das 10" is from ten on.
        "nao" if line.word(at + 1) == "antes" => (true, at + 2),
        "antes" => (false, at + 1),
        "ate" => (false, at + 1),
        "a" => (true, line.phrase(at, &["a", "partir"])?),
        "apartir" | "partir" => (true, at + 1),
        "mais" if line.is(at + 1, &["tarde", "cedo"]) && line.is(at + 2, &["que", "do"]) => {
            (line.word(at + 1) == "tarde", at + 3)
        }
        _ => return None,
    };
    let article = line.is(next, &["das", "da", "de", "do", "as", "a", "o", "la", "umas", "que", "pelas"]);
    let target = if article { next + 1 } else { next };
    let target = if line.is(target, &["as", "a", "das", "umas"]) && article { target + 1 } else { target };
    let made = |clock: Clock| if is_from { TimeSaid::From(clock) } else { TimeSaid::Until(clock) };
    if line.is(target, &["almoco", "almoso"]) {
        let hour = if is_from { 13 } else { 12 };
        return Some((made(Clock { hour, minute: 0, second: 0, part: None, literal: true, bare: false }), target + 1));
    }
    let work = ["trabalho", "trampo", "servico", "expediente"];
    if is_from && line.is(target, &work) {
        return Some((
            made(Clock { hour: 18, minute: 0, second: 0, part: None, literal: true, bare: false }),
            target + 1,
        ));
    }
    let (clock, end) = clock(line, target)?;
    let led = (next..target).any(|at| line.is(at, &["das", "as", "pelas", "umas"]));
    let proven = !clock.bare || (led && !is_count(line, end));
    proven.then(|| (made(clock), end))
}

/// "às 15", "lá pelas 4", "15h às 16h", "14h ou 15h".
fn hours(line: &Line, at: usize, after_day: bool) -> Option<(TimeSaid, usize)> {
    let (led, clock_at) = lead(line, at);
    let (first, next) = clock(line, clock_at)?;
    let count = is_count(line, next);
    let follows_day = after_day && line.digits(clock_at).is_some();
    // "14h às 16h", "8:10 - 12:30".
    let second_at = match line.word(next) {
        "as" | "a" | "ate" => Some(skip_article(line, next + 1)),
        _ if line.mark(next) == Some('-') => Some(next + 1),
        _ => None,
    };
    if let Some((second, end)) = second_at.and_then(|at| clock(line, at))
        && (!first.bare || (!second.bare && line.digits(clock_at).is_some()) || (led && line.word(next) == "as"))
        && !(second.bare && is_count(line, end))
    {
        return Some((TimeSaid::Between(with_part_of(first, second), second), end));
    }
    if first.bare && (count || !(led || follows_day)) {
        // "2 ou 3 da tarde", "10 ou 11h".
        let (all, end) = alternatives(line, first, next);
        let proven = all.len() > 1 && all.last().is_some_and(|last| !last.bare);
        return proven.then_some((TimeSaid::Any(all), end));
    }
    let (all, end) = alternatives(line, first, next);
    if all.len() > 1 { Some((TimeSaid::Any(all), end)) } else { Some((TimeSaid::At(first), next)) }
}

/// The hours named together with the first: "14h, 15h ou 16h".
fn alternatives(line: &Line, first: Clock, next: usize) -> (Vec<Clock>, usize) {
    let (mut all, mut end) = (vec![first], next);
    let mut is_closed = true;
    while all.len() < 6 && (line.is(end, &["ou", "e"]) || line.mark(end) == Some(',')) {
        let is_or = line.word(end) == "ou";
        let joins = line.mark(end) != Some(',');
        let (led, at) = lead(line, end + 1);
        let Some((another, after)) = clock(line, at) else { break };
        let is_hour = !another.bare || led || (is_or && line.digits(at).is_some());
        if !is_hour || (another.bare && is_count(line, after)) {
            break;
        }
        is_closed = joins;
        all.push(another);
        end = after;
    }
    // "em vez das 8h, 8h30": a list ends with "ou" or "e".
    if !is_closed {
        return (vec![first], next);
    }
    if let Some(part) = all.last().and_then(|last| last.part) {
        all.iter_mut().filter(|clock| clock.part.is_none() && !clock.literal).for_each(|clock| clock.part = Some(part));
    }
    (all, end)
}

/// What makes a bare number an hour: "às", "pelas", "umas", "por volta das"; and the place after it.
fn lead(line: &Line, at: usize) -> (bool, usize) {
    if let Some(next) = named_hour(line, at) {
        return (true, next);
    }
    let mut here = at;
    let mut led = false;
    for _ in 0..5 {
        match line.word(here) {
            "as" | "pelas" | "umas" | "das" | "nas" | "sao" => {
                led = true;
                here += 1;
            }
            "la" | "por" | "perto" | "proximo" | "tipo" | "em" => here += 1,
            "volta" | "torno" => {
                led = true;
                here += 1;
            }
            "de" | "do" | "da" | "a" if here > at => here += 1,
            "a" if line.token(here).is_some_and(|t| t.accented) => {
                led = true;
                here += 1;
            }
            "a" | "ao" | "o" => here += 1,
            _ => break,
        }
    }
    (led, here)
}

/// "o horário é 10", "o horário certo seria 14": and the place of the number.
fn named_hour(line: &Line, at: usize) -> Option<usize> {
    let mut here = line.is(at, &["horario", "hora"]).then_some(at + 1)?;
    while here < at + 3 && line.is(here, &["que", "certo", "correto"]) {
        here += 1;
    }
    let verb = line.is(here, &["seria", "sera"]) || line.token(here).is_some_and(|token| token.copula);
    (verb && line.digits(here + 1).is_some()).then_some(here + 1)
}

/// Plurals that may follow an hour without being counted by it.
const NOT_COUNTED: [&str; 14] = [
    "mas", "horas", "depois", "pois", "antes", "das", "nas", "temos", "podemos", "vamos", "seus", "mais", "dos", "nos",
];

/// Whether the number that ends before `at` counts things: "as 3 crianças", "2 vagas", "10%".
pub(super) fn is_count(line: &Line, at: usize) -> bool {
    let word = line.word(at);
    let plural = word.len() >= 4 && word.ends_with('s') && !NOT_COUNTED.contains(&word);
    plural
        || line.is(at, &["anos", "ano", "mil", "reais", "kg", "km", "mg", "ml", "x", "min", "por", "mes", "dia", "vez"])
        || line.is_mark(at, &['%', '/', '$'])
        || (line.is_mark(at, &['.', ',', '-']) && line.glued(at + 1) && line.digits(at + 1).is_some())
}

impl TimeSaid {
    /// The same time in a part of the day that was said elsewhere.
    pub fn in_part(self, part: Part) -> Self {
        let set = |clock: Clock| match clock.part {
            None if !clock.literal => Clock { part: Some(part), ..clock },
            _ => clock,
        };
        match self {
            Self::At(clock) => Self::At(set(clock)),
            Self::From(clock) => Self::From(set(clock)),
            Self::Until(clock) => Self::Until(set(clock)),
            Self::Between(a, b) => Self::Between(set(a), set(b)),
            Self::Any(all) => Self::Any(all.into_iter().map(set).collect()),
            Self::Part(_) => self,
        }
    }

    /// The same for a part that is said later on: "levo as duas no sábado de manhã" names no hour of the night.
    pub fn in_later_part(self, part: Part) -> Self {
        match &self {
            Self::At(clock) if part == Part::MORNING && !clock.literal && clock.hour < EARLIEST_HOUR => {
                Self::Part(part)
            }
            _ => self.in_part(part),
        }
    }

    /// The two ends of a stretch, the later one after the earlier.
    pub fn ordered(from: ClockTime, until: ClockTime) -> ClockTime {
        let later = ClockTime::new(until.seconds() / 3600 + 12, until.seconds() / 60 % 60, 0);
        if until > from { until } else { later.filter(|later| *later > from).unwrap_or(until) }
    }
}
