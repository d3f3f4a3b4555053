//! Whether the other side is a machine too. Two of them would answer each other for ever, and cost the number.
//!
//! Four signs: texts that hardly change although they were answered, texts that only machines write, more exchanges than
//! a person manages, and our own words coming back. Only what was said since a human of the company last wrote counts.

use std::cell::OnceCell;
use std::cmp::Ordering;
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
    let marked = Marked::of(recent);
    let signs = [
        (Reason::MachineTexts, machine_texts(recent), limits.machine_texts),
        (Reason::Echoes, echoes(&marked, limits.alike), limits.echoes),
        (Reason::Repeats, repeats(&marked, limits), limits.repeats),
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
fn repeats(lines: &Marked<'_>, limits: &Limits) -> usize {
    let Some((newest, _)) = of_customer(lines.said).next_back() else { return 0 };
    let (mut count, mut later) = (1, newest);
    for (at, _) in of_customer(lines.said).rev().skip(1) {
        let between = lines.said.get(at..later).unwrap_or_default();
        if between.iter().any(|line| line.by == Author::Assistant) && lines.are_alike(newest, at, limits.alike) {
            count += 1;
            later = at;
        }
    }
    // People, too, say "ok" four times; and one text is no repetition.
    match (count, count > 1 && lines.is_short(newest)) {
        (1, _) => 0,
        (_, true) => count / 2,
        (_, false) => count,
    }
}

/// Texts of the customer that nearly are one of ours before them; short ones ("Sim.") do not count.
fn echoes(lines: &Marked<'_>, least: f32) -> usize {
    let ours_before = |at: usize| (0..at).filter(|n| lines.said.get(*n).is_some_and(|l| l.by == Author::Assistant));
    let is_ours = |at: usize| !lines.is_short(at) && ours_before(at).any(|before| lines.are_alike(at, before, least));
    of_customer(lines.said).filter(|(at, _)| is_ours(*at)).count()
}

/// The most answers of ours to the customer within a window that ends with the newest line.
fn exchanges(lines: &[Said<'_>], window: TimeDelta) -> usize {
    let Some(last) = lines.last() else { return 0 };
    let within: Vec<Author> = lines.iter().filter(|line| last.at - line.at <= window).map(|line| line.by).collect();
    let pairs = within.iter().zip(within.iter().skip(1));
    pairs.filter(|(one, next)| **one == Author::Assistant && **next == Author::Customer).count()
}

/// Lines, with what they are compared by: worked out once for each that is.
struct Marked<'a> {
    said: &'a [Said<'a>],
    marks: Vec<OnceCell<Marks>>,
}

/// How many letters a text has, and its letter triples, sorted; a shorter one has none, and is like nothing. Letters only:
/// numbers, names of the day and signs change between repetitions, or are all that does.
#[derive(Default)]
struct Marks {
    letters: usize,
    triples: Vec<u64>,
}

impl Marks {
    fn of(text: &str) -> Self {
        let folded = fold(text);
        let mut marks = Self { letters: 0, triples: Vec::with_capacity(folded.len()) };
        let mut triple = 0_u64;
        for c in folded.chars().filter(|c| c.is_alphabetic()) {
            marks.letters += 1;
            // A character has 21 bits.
            triple = (triple << 21 | u64::from(c)) & ((1 << 63) - 1);
            if marks.letters >= GRAM {
                marks.triples.push(triple);
            }
        }
        marks.triples.sort_unstable();
        marks.triples.dedup();
        marks
    }
}

impl<'a> Marked<'a> {
    fn of(said: &'a [Said<'a>]) -> Self {
        Self { said, marks: said.iter().map(|_| OnceCell::new()).collect() }
    }

    fn at(&self, at: usize) -> Option<&Marks> {
        let (cell, said) = self.marks.get(at).zip(self.said.get(at))?;
        Some(cell.get_or_init(|| Marks::of(said.text)))
    }

    fn is_short(&self, at: usize) -> bool {
        self.at(at).is_none_or(|marks| marks.letters < SHORT)
    }

    /// Whether the shared part of two lines' triples, 0 to 1, is so much; nothing is like nothing.
    fn are_alike(&self, one: usize, other: usize, least: f32) -> bool {
        let Some((one, other)) = self.at(one).zip(self.at(other)) else { return false };
        let (one, other) = (&one.triples, &other.triples);
        let (few, many) = (one.len().min(other.len()), one.len().max(other.len()));
        let share = |shared: usize, all: usize| if all == 0 { 0.0 } else { shared as f32 / all as f32 };
        // No more than the fewer can be shared.
        if share(few, many) < least {
            return false;
        }
        let shared = shared(one, other);
        share(shared, few + many - shared) >= least
    }
}

/// How many of two sorted lists' entries are in both.
fn shared(one: &[u64], other: &[u64]) -> usize {
    let (mut one, mut other) = (one.iter().peekable(), other.iter().peekable());
    let mut count = 0;
    while let (Some(a), Some(b)) = (one.peek(), other.peek()) {
        match a.cmp(b) {
            Ordering::Less => drop(one.next()),
            Ordering::Greater => drop(other.next()),
            Ordering::Equal => {
                count += 1;
                one.next();
                other.next();
            }
        }
    }
    count
}

/// Whether the list that is built in can be read and has its section.
///
/// # Errors
/// The first line that cannot be read, or the section that is missing.
pub fn check() -> Result<(), LexiconError> {
    Phrases::parse_with(FILE, BUILT_IN, &[MACHINE]).map(drop)
}
