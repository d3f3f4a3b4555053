//! Which of the offered times a message takes: by number, place in the list, hour, weekday or part of the day.

mod pointing;

use std::ops::Range;

use chrono::{Datelike, NaiveDateTime};

use super::when::lex::{Kind, Line};
use super::when::{Answer, ClockTime, Frame, Reading, Span, When, read_with_spans};
use pointing::{Pointer, Refusal};

/// What a message says of a list of offered times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Nothing about the list.
    Nothing,
    /// The option with this number, from 1.
    Option(usize),
    /// Any of them will do.
    Any,
    /// Another day than those offered is wanted.
    OtherDay,
    /// None of them fits.
    NoneFits,
    /// One of them is meant, and it is open which.
    Open,
}

/// A place in a list of unknown length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The n-th, from 1.
    FromStart(usize),
    /// The n-th from the end: 1 is the last.
    FromEnd(usize),
}

impl Place {
    /// The number in a list of that length; `None` beyond its ends.
    pub fn within(self, count: usize) -> Option<usize> {
        match self {
            Self::FromStart(n) => (1..=count).contains(&n).then_some(n),
            Self::FromEnd(n) => (count + 1).checked_sub(n).filter(|number| (1..=count).contains(number)),
        }
    }
}

/// The place a text names in a list of which nothing is known.
pub fn place(text: &str) -> Option<Place> {
    pointing::places(&Line::of(text), |_| false, None).into_iter().next().map(|found| found.place)
}

/// What a text says of a list of so many options of which nothing else is known.
pub fn choose_of(text: &str, count: usize) -> Choice {
    let line = Line::of(text);
    if let Some(refusal) = pointing::refusal(&line) {
        return refused(refusal);
    }
    let mut numbers: Vec<usize> = pointing::places(&line, |_| false, Some(count))
        .into_iter()
        .filter_map(|found| found.place.within(count))
        .collect();
    numbers.dedup();
    match numbers.as_slice() {
        [number] => Choice::Option(*number),
        [] if pointing::takes_any(&line) => Choice::Any,
        [] => Choice::Nothing,
        _ => Choice::Open,
    }
}

/// A choice among offered times, and what was said of the time itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// The choice.
    pub choice: Choice,
    /// The time that was named, if one was.
    pub reading: Reading,
}

/// What a text says of offered local times, which are in the order they were shown in.
pub fn choose(text: &str, options: &[NaiveDateTime], now: NaiveDateTime) -> Chosen {
    choose_line(&Line::of(text), options, now)
}

/// The same for a text that is tokens already.
pub(super) fn choose_line(line: &Line, options: &[NaiveDateTime], now: NaiveDateTime) -> Chosen {
    let (reading, spans) = read_with_spans(line, &Frame::booking(now).with_options(options));
    List { line, options, spans }.chosen(reading)
}

fn refused(refusal: Refusal) -> Choice {
    match refusal {
        Refusal::OtherDay => Choice::OtherDay,
        Refusal::NoneFits | Refusal::Unable => Choice::NoneFits,
    }
}

/// The offered times and the text that answers them.
struct List<'a> {
    line: &'a Line,
    options: &'a [NaiveDateTime],
    /// Where times are spoken of.
    spans: Vec<Range<usize>>,
}

impl List<'_> {
    fn chosen(&self, mut reading: Reading) -> Chosen {
        if let Some(hour) = self.lone_number() {
            return hour;
        }
        let placed = self.pointed();
        let says_time = !matches!(reading.answer, Answer::Nothing);
        let choice = match (placed, says_time) {
            (Placed::One(number, _), true) => self.agreed(number, &reading),
            (Placed::One(number, _), false) => Choice::Option(number),
            (Placed::WeekdayOr(number), _) => {
                let choice = self.weekday_or(number, &reading);
                // A number of the list says no time.
                if choice == Choice::Option(number) && !self.fits(number, &reading) {
                    reading.answer = Answer::Nothing;
                }
                choice
            }
            (Placed::Several, _) => Choice::Open,
            (Placed::Nowhere, _) => self.by_time(&reading, says_time),
        };
        if choice == Choice::Open && !matches!(reading.answer, Answer::Clear(When::Time(_))) {
            reading.answer = match reading.answer {
                Answer::Ambiguous { sure, readings } => Answer::Ambiguous { sure, readings },
                Answer::Clear(when) if self.matching(&when).len() > 1 || placed != Placed::Nowhere => {
                    Answer::Ambiguous { sure: None, readings: vec![when] }
                }
                other => other,
            };
        }
        Chosen { choice, reading }
    }

    /// A message that is but a number: of the list when the list is that long, else an hour.
    fn lone_number(&self) -> Option<Chosen> {
        let number = pointing::lone_number(self.line)?;
        if (1..=self.options.len()).contains(&number) {
            return Some(Chosen { choice: Choice::Option(number), reading: Reading::default() });
        }
        let hour = u32::try_from(number).ok().filter(|hour| *hour <= 24)?;
        let hours = [Some(hour), (hour < 12).then_some(hour + 12)];
        let times = hours.into_iter().flatten().filter_map(|hour| ClockTime::new(hour, 0, 0));
        let mut found: Vec<(usize, ClockTime)> = Vec::new();
        for time in times {
            found.extend(self.numbers(|option| ClockTime::of(option) == time).into_iter().map(|n| (n, time)));
        }
        Some(match found.as_slice() {
            [(number, time)] => Chosen {
                choice: Choice::Option(*number),
                reading: Reading { answer: Answer::Clear(When::Time(*time)), excluded: Vec::new() },
            },
            _ => Chosen { choice: Choice::Open, reading: Reading::default() },
        })
    }

    /// The numbers of the options that fit.
    fn numbers(&self, fits: impl Fn(NaiveDateTime) -> bool) -> Vec<usize> {
        (1..).zip(self.options).filter(|(_, option)| fits(**option)).map(|(number, _)| number).collect()
    }

    fn pointed(&self) -> Placed {
        let covered = |at: usize| self.spans.iter().any(|span| span.contains(&at));
        let found: Vec<Pointer> = pointing::places(self.line, covered, Some(self.options.len()));
        let ruled_out: Vec<usize> =
            found.iter().filter(|p| p.negated).filter_map(|p| p.place.within(self.options.len())).collect();
        let mut numbers: Vec<(usize, bool)> = found
            .iter()
            .filter(|pointer| !pointer.negated)
            .filter_map(|pointer| Some((pointer.place.within(self.options.len())?, pointer.is_weekday)))
            .collect();
        numbers.dedup_by_key(|(number, _)| *number);
        match numbers.as_slice() {
            [(number, false)] => Placed::One(*number, false),
            [(number, true)] => Placed::WeekdayOr(*number),
            [] if !ruled_out.is_empty() => {
                let left: Vec<usize> = (1..=self.options.len()).filter(|n| !ruled_out.contains(n)).collect();
                match left.as_slice() {
                    [number] => Placed::One(*number, false),
                    _ => Placed::Several,
                }
            }
            [] => Placed::Nowhere,
            _ => match found.iter().find(|p| p.corrects && !p.negated).and_then(|p| p.place.within(self.options.len()))
            {
                Some(number) => Placed::One(number, false),
                None => Placed::Several,
            },
        }
    }

    fn fits(&self, number: usize, reading: &Reading) -> bool {
        reading.sure().is_some_and(|when| self.matching(when).contains(&number))
    }

    /// A number and a time: they must agree.
    fn agreed(&self, number: usize, reading: &Reading) -> Choice {
        match &reading.answer {
            Answer::Clear(when) if self.matching(when).contains(&number) => Choice::Option(number),
            Answer::Ambiguous { readings, .. }
                if readings.is_empty() || readings.iter().any(|when| self.matching(when).contains(&number)) =>
            {
                Choice::Option(number)
            }
            _ => Choice::Open,
        }
    }

    /// "a segunda" is a weekday and a place in the list.
    fn weekday_or(&self, number: usize, reading: &Reading) -> Choice {
        let mut all = match &reading.answer {
            Answer::Clear(when) => self.matching(when),
            Answer::Ambiguous { readings, .. } => readings.iter().flat_map(|when| self.matching(when)).collect(),
            Answer::Nothing => Vec::new(),
        };
        all.push(number);
        all.sort_unstable();
        all.dedup();
        match all.as_slice() {
            [number] => Choice::Option(*number),
            _ => Choice::Open,
        }
    }

    /// The options a time fits.
    fn matching(&self, when: &When) -> Vec<usize> {
        self.numbers(|option| meets(when, option))
    }

    fn by_time(&self, reading: &Reading, says_time: bool) -> Choice {
        let ruled_out = !reading.excluded.is_empty();
        let refusal =
            pointing::refusal(self.line).filter(|refusal| *refusal != Refusal::Unable || !(says_time || ruled_out));
        let left = self.left(reading);
        let extreme = pointing::extreme(self.line);
        if !says_time {
            return match (refusal, extreme) {
                (Some(refusal), _) => refused(refusal),
                (None, Some(last)) => pick(&left, last).map_or(Choice::NoneFits, Choice::Option),
                _ if !reading.excluded.is_empty() => one_of(&left),
                _ if pointing::takes_any(self.line) => Choice::Any,
                _ if pointing::agrees(self.line) => one_of(&left),
                _ => Choice::Nothing,
            };
        }
        let found: Vec<usize> = match &reading.answer {
            Answer::Clear(when) => self.matching(when),
            Answer::Ambiguous { readings, .. } => {
                let mut all: Vec<usize> = readings.iter().flat_map(|when| self.matching(when)).collect();
                all.sort_unstable();
                all.dedup();
                all
            }
            Answer::Nothing => Vec::new(),
        };
        let found: Vec<usize> = found.into_iter().filter(|number| left.contains(number)).collect();
        match (found.as_slice(), extreme) {
            ([number], _) if refusal.is_none() => Choice::Option(*number),
            (_, Some(last)) if !found.is_empty() => pick(&found, last).map_or(Choice::Open, Choice::Option),
            ([], _) => self.unmet(reading),
            _ => refusal.map_or(Choice::Open, refused),
        }
    }

    /// Nothing on offer is what was named: another hour of these days, or other days.
    fn unmet(&self, reading: &Reading) -> Choice {
        let day = |when: &When| match when {
            When::Day(day) => Some(*day),
            When::Moment(at) => Some(at.date()),
            When::Days(span) => span.from.or(span.until),
            When::Moments(span) => span.from.or(span.until).map(|at| at.date()),
            _ => None,
        };
        let named = match &reading.answer {
            Answer::Clear(When::Set(all)) => all.first().and_then(day),
            Answer::Clear(when) => day(when),
            Answer::Ambiguous { readings, sure } => readings.first().or(sure.as_ref()).and_then(day),
            Answer::Nothing => None,
        };
        let offered = |named: chrono::NaiveDate| self.options.iter().any(|option| option.date() == named);
        match named {
            Some(day) if !offered(day) => Choice::OtherDay,
            _ if reading.is_ambiguous() => Choice::Open,
            _ => Choice::NoneFits,
        }
    }

    /// The options that are not ruled out.
    fn left(&self, reading: &Reading) -> Vec<usize> {
        self.numbers(|option| !reading.excluded.iter().any(|when| meets(when, option) || same_weekday(when, option)))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Placed {
    Nowhere,
    One(usize, bool),
    /// A word that is an ordinal and a weekday.
    WeekdayOr(usize),
    Several,
}

fn one_of(numbers: &[usize]) -> Choice {
    match numbers {
        [] => Choice::NoneFits,
        [number] => Choice::Option(*number),
        _ => Choice::Open,
    }
}

fn pick(numbers: &[usize], last: bool) -> Option<usize> {
    if last { numbers.last().copied() } else { numbers.first().copied() }
}

/// "segunda não" rules every Monday out.
fn same_weekday(excluded: &When, option: NaiveDateTime) -> bool {
    matches!(excluded, When::Day(day) if day.weekday() == option.weekday())
}

/// Whether a moment is what was said.
pub fn meets(when: &When, option: NaiveDateTime) -> bool {
    let time = ClockTime::of(option);
    match when {
        When::Moment(at) => *at == option,
        When::Day(day) => *day == option.date(),
        When::Time(wanted) => *wanted == time,
        When::Moments(span) => lies_in(span, &option),
        When::Days(span) => match (span.from, span.until) {
            (None, Some(until)) => option.date() <= until,
            _ => lies_in(span, &option.date()),
        },
        When::Times(span) => lies_in(span, &time),
        When::Set(all) => all.iter().any(|when| meets(when, option)),
    }
}

fn lies_in<T: PartialOrd>(span: &Span<T>, value: &T) -> bool {
    span.from.as_ref().is_none_or(|from| from <= value) && span.until.as_ref().is_none_or(|until| value < until)
}

/// Whether a token is a word with meaning of its own.
fn is_wordlike(line: &Line, at: usize) -> bool {
    line.token(at).is_some_and(|token| matches!(token.kind, Kind::Word | Kind::Number))
}
