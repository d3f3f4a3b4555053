//! What a company told us so that its customers can be told: entries (a title and a text, valid for some time) and typed
//! facts (services with their prices, people, hours, addresses).
//!
//! [`index`] finds what a question asks for, [`facts`] writes facts as lines, [`markdown`] and [`table`] read files.

pub mod facts;
pub mod index;
pub mod markdown;
pub mod table;

use chrono::NaiveDate;
use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

use super::unicode::without_invisible;

/// The longest title, in characters.
pub const TITLE_MAX: usize = 120;
/// The longest text of an entry, in characters.
pub const BODY_MAX: usize = 8_000;
/// The most entries of a company, and the most typed facts: all of them are held in memory.
pub const ENTRIES_MAX: usize = 2_000;

/// When something is true, both days included, in the company's time zone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Validity {
    /// The first day; `None` since ever.
    pub from: Option<NaiveDate>,
    /// The last day; `None` for ever.
    pub to: Option<NaiveDate>,
}

impl Validity {
    /// Whether it is true on this day.
    pub fn holds(self, today: NaiveDate) -> bool {
        self.from.is_none_or(|from| from <= today) && self.to.is_none_or(|to| today <= to)
    }
}

/// Something to be kept, not checked yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// What it is about, one line.
    pub title: String,
    /// What is to be said.
    pub body: String,
    /// When it is true.
    pub validity: Validity,
}

/// What is wrong with something given, and where.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {problem}")]
pub struct LineError {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong, and how to write it.
    pub problem: String,
}

impl LineError {
    /// A problem of a line.
    pub fn new(line: usize, problem: impl Into<String>) -> Self {
        Self { line, problem: problem.into() }
    }
}

/// What was read from a file, or all that is wrong with it.
pub type Parsed<T> = Result<Vec<T>, Vec<LineError>>;

impl Draft {
    /// The draft cleaned: no invisible characters, the title on one line, no more than one empty line in a row.
    ///
    /// # Errors
    /// A sentence that says what is missing or too long.
    pub fn checked(self) -> Result<Self, String> {
        let title = one_line(&self.title);
        let body = paragraphs(&self.body);
        let problem = match (title.chars().count(), body.chars().count()) {
            (0, _) => Some("the title is empty".to_owned()),
            (long, _) if long > TITLE_MAX => Some(format!("the title has {long} characters, at most {TITLE_MAX}")),
            (_, 0) => Some(format!("{title:?} has no text")),
            (_, long) if long > BODY_MAX => {
                Some(format!("the text of {title:?} has {long} characters, at most {BODY_MAX}: split it up"))
            }
            _ => None,
        };
        let turned = matches!((self.validity.from, self.validity.to), (Some(from), Some(to)) if to < from);
        match problem.or_else(|| turned.then(|| format!("{title:?} ends before it begins"))) {
            Some(problem) => Err(problem),
            None => Ok(Self { title, body, validity: self.validity }),
        }
    }
}

/// What tells two entries apart: an entry with the same title replaces another unless it begins on another day.
pub fn key(title: &str, validity: Validity) -> (String, Option<NaiveDate>) {
    (title.to_lowercase(), validity.from)
}

/// A text without invisible characters, on one line.
pub fn one_line(text: &str) -> String {
    let clean = without_invisible(&text.nfc().collect::<String>());
    clean.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn paragraphs(text: &str) -> String {
    let clean = without_invisible(&text.replace("\r\n", "\n").replace('\r', "\n").nfc().collect::<String>());
    let mut out: Vec<&str> = Vec::new();
    for line in clean.lines().map(str::trim_end) {
        if !line.trim().is_empty() || out.last().is_some_and(|last| !last.is_empty()) {
            out.push(line.trim());
        }
    }
    out.join("\n").trim().to_owned()
}

/// A day as people here and machines write it: `31/12/2026`, `2026-12-31`.
///
/// # Errors
/// A sentence that shows how to write it.
pub fn day(text: &str) -> Result<NaiveDate, String> {
    let text = text.trim();
    let read = |form| NaiveDate::parse_from_str(text, form).ok();
    read("%d/%m/%Y")
        .or_else(|| read("%Y-%m-%d"))
        .filter(|day| (2000..2200).contains(&chrono::Datelike::year(day)))
        .ok_or_else(|| format!("{text:?} is no day; write it like 31/12/2026"))
}
