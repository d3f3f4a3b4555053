//! Whether the other side is a machine too. Two of them would answer each other for ever, and cost the number.
//!
//! Four signs: texts that hardly change although they were answered, texts that only machines write, more exchanges than
//! a person manages, and our own words coming back. Only what was said since a human of the company last wrote counts.

use std::collections::HashSet;
use std::sync::LazyLock;

use chrono::{DateTime, TimeDelta, Utc};

use super::history::Author;
use crate::domain::text::fold::fold;
use crate::domain::text::lexicon::LexiconError;
use crate::domain::text::phrases::Phrases;

const FILE: &str = "automatic.txt";
const BUILT_IN: &str = include_str!("../../../config/lexicon/automatic.txt");
const MACHINE: &str = "machine";

/// Shorter texts, in letters, are repeated by people too ("sim", "ok"): they count only at twice the limit.
const SHORT: usize = 12;
/// Letters in a row whose sets are compared.
const GRAM: usize = 3;

type Grams = HashSet<[char; GRAM]>;

/// A line of a conversation with its time.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    /// Who.
    pub by: Author,
    /// What.
    pub text: &'a str,
    /// When.
    pub at: DateTime<Utc>,
}

/// From where on it is a loop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// So many texts of the customer that are nearly the same, each answered before the next.
    pub repeats: usize,
    /// How alike "nearly the same" is: the shared part of all letter triples, 0 to 1.
    pub alike: f32,
    /// So many texts that machines write.
    pub machine_texts: usize,
    /// More exchanges than this within [`Self::window`].
    pub exchanges: usize,
    /// The stretch of time the exchanges are counted in.
    pub window: TimeDelta,
    /// So many of our own texts that come back.
    pub echoes: usize,
    /// How far back lines count at all.
    pub memory: TimeDelta,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            repeats: 3,
            alike: 0.85,
            machine_texts: 2,
            exchanges: 8,
            window: TimeDelta::seconds(60),
            echoes: 2,
            memory: TimeDelta::minutes(30),
        }
    }
}

/// Why it looks like a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The same text again and again.
    Repeats,
    /// Texts that machines write ("digite 1").
    MachineTexts,
    /// More exchanges a minute than a person manages.
    TooQuick,
    /// Our own words come back.
    Echoes,
}

impl Reason {
    /// The stable name, as it is stored and counted.
    pub fn label(self) -> &'static str {
        match self {
            Self::Repeats => "repeats",
            Self::MachineTexts => "machine_texts",
            Self::TooQuick => "too_quick",
            Self::Echoes => "echoes",
        }
    }
}

/// What the lines show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A person, as far as can be seen.
    Free,
    /// One step before a loop: answer, but ask nothing.
    Suspect(Reason),
    /// A loop: say nothing more.
    Loop(Reason),
}

// Finds nothing when the file is broken: `check` is what tells, and the tests call it.
static PHRASES: LazyLock<Phrases> = LazyLock::new(|| Phrases::parse(FILE, BUILT_IN).unwrap_or_default());

/// Whether a text is one of those that machines write.
pub fn is_machine_text(text: &str) -> bool {
    let Some(section) = PHRASES.section(MACHINE) else { return false };
    PHRASES.read(text).of(section).next().is_some()
}

/// Judges the last lines, oldest first; the customer's newest is the last.
pub fn judge(lines: &[Said<'_>], limits: &Limits) -> Verdict {
    let recent = recent(lines, limits.memory);
    let signs = [
        (Reason::MachineTexts, machine_texts(recent), limits.machine_texts),
        (Reason::Echoes, echoes(recent, limits.alike), limits.echoes),
        (Reason::Repeats, repeats(recent, limits), limits.repeats),
        // More than the limit, so one further.
        (Reason::TooQuick, exchanges(recent, limits.window), limits.exchanges.saturating_add(1)),
    ];
    let reached = |less: usize| signs.iter().find(|(_, count, limit)| *count > 0 && count + less >= *limit);
    match (reached(0), reached(1)) {
        (Some((reason, ..)), _) => Verdict::Loop(*reason),
        (None, Some((reason, ..))) => Verdict::Suspect(*reason),
        (None, None) => Verdict::Free,
    }
}

/// The lines since a human of the company last wrote, and not older than `memory` before the last.
fn recent<'a, 'b>(lines: &'a [Said<'b>], memory: TimeDelta) -> &'a [Said<'b>] {
    let Some(last) = lines.last() else { return &[] };
    let since_team = lines.iter().rposition(|line| line.by == Author::Team).map_or(0, |at| at + 1);
    let young = lines.iter().position(|line| last.at - line.at <= memory).unwrap_or(lines.len());
    lines.get(since_team.max(young)..).unwrap_or_default()
}

fn of_customer<'a>(lines: &'a [Said<'_>]) -> impl DoubleEndedIterator<Item = (usize, &'a str)> {
    lines.iter().enumerate().filter(|(_, line)| line.by == Author::Customer).map(|(at, line)| (at, line.text))
}

/// Texts that machines write, when the newest is one.
fn machine_texts(lines: &[Said<'_>]) -> usize {
    let newest = of_customer(lines).next_back();
    if !newest.is_some_and(|(_, text)| is_machine_text(text)) {
        return 0;
    }
    of_customer(lines).filter(|(_, text)| is_machine_text(text)).count()
}

/// Texts of the customer that are nearly the newest one, with an answer of ours between each two.
fn repeats(lines: &[Said<'_>], limits: &Limits) -> usize {
    let Some((newest, text)) = of_customer(lines).next_back() else { return 0 };
    let grams = grams(text);
    let (mut count, mut later) = (1, newest);
    for (at, before) in of_customer(lines).rev().skip(1) {
        let answered = lines.get(at..later).unwrap_or_default().iter().any(|line| line.by == Author::Assistant);
        if answered && alike(&grams, &self::grams(before)) >= limits.alike {
            count += 1;
            later = at;
        }
    }
    // People, too, say "ok" four times; and one text is no repetition.
    let short = letters(text).count() < SHORT;
    match (count, short) {
        (1, _) => 0,
        (_, true) => count / 2,
        (_, false) => count,
    }
}

/// Texts of the customer that nearly are one of ours before them; short ones ("Sim.") do not count.
fn echoes(lines: &[Said<'_>], least: f32) -> usize {
    let is_ours = |(at, text): &(usize, &str)| {
        let said = grams(text);
        let before = lines.get(..*at).unwrap_or_default().iter().filter(|line| line.by == Author::Assistant);
        letters(text).count() >= SHORT && before.into_iter().any(|line| alike(&said, &grams(line.text)) >= least)
    };
    of_customer(lines).filter(is_ours).count()
}

/// The most answers of ours to the customer within a window that ends with the newest line.
fn exchanges(lines: &[Said<'_>], window: TimeDelta) -> usize {
    let Some(last) = lines.last() else { return 0 };
    let within: Vec<Author> = lines.iter().filter(|line| last.at - line.at <= window).map(|line| line.by).collect();
    let pairs = within.iter().zip(within.iter().skip(1));
    pairs.filter(|(one, next)| **one == Author::Assistant && **next == Author::Customer).count()
}

/// Letters only: numbers, names of the day and signs change between repetitions, or are all that does.
fn letters(text: &str) -> impl Iterator<Item = char> {
    fold(text).chars().filter(|c| c.is_alphabetic()).collect::<Vec<_>>().into_iter()
}

/// The letter triples of a text; a shorter one has none, and is like nothing.
fn grams(text: &str) -> Grams {
    let letters: Vec<char> = letters(text).collect();
    letters.windows(GRAM).filter_map(|three| three.try_into().ok()).collect()
}

/// The shared part of two sets, 0 to 1; nothing is like nothing.
fn alike(one: &Grams, other: &Grams) -> f32 {
    let shared = one.intersection(other).count();
    let all = one.len() + other.len() - shared;
    if all == 0 { 0.0 } else { shared as f32 / all as f32 }
}

/// Whether the list that is built in can be read and has its section.
///
/// # Errors
/// The first line that cannot be read, or the section that is missing.
pub fn check() -> Result<(), LexiconError> {
    Phrases::parse_with(FILE, BUILT_IN, &[MACHINE]).map(drop)
}
