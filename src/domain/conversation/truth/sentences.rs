//! A text as sentences and clauses: what is denied, asked or under a condition in one says nothing of the next.

use std::ops::Range;

use super::lexicon::{LEXICON, Sign};
use crate::domain::text::reading::{Hit, Reading, Word};

/// A full stop behind one of these ends no sentence.
const SHORTENED: [&str; 16] =
    ["dr", "dra", "sr", "sra", "srta", "prof", "profa", "av", "r", "tel", "ex", "obs", "n", "nº", "min", "aprox"];

/// A sentence with its clauses.
#[derive(Debug)]
pub(super) struct Sentence<'a> {
    /// Where it stands in the text, in bytes.
    pub range: Range<usize>,
    pub text: &'a str,
    /// Ends with a question mark.
    pub question: bool,
    /// The sentence before ends with a colon, or this is an item of a list: it goes on.
    pub goes_on: bool,
    pub clauses: Vec<Clause>,
}

/// A part of a sentence between commas, colons, brackets or dashes.
#[derive(Debug)]
pub(super) struct Clause {
    pub reading: Reading,
}

impl Clause {
    fn of(text: &str) -> Self {
        Self { reading: LEXICON.read(text) }
    }

    pub fn words(&self) -> &[Word] {
        self.reading.words()
    }

    /// The word at a place; empty when there is none.
    pub fn word(&self, at: usize) -> &str {
        self.words().get(at).map_or("", |word| word.text.as_str())
    }

    pub fn hits(&self, sign: Sign) -> impl Iterator<Item = &Hit> {
        LEXICON.section(sign).into_iter().flat_map(|section| self.reading.of(section))
    }

    pub fn has(&self, sign: Sign) -> bool {
        self.hits(sign).next().is_some()
    }

    /// Whether one of the words stands in it.
    pub fn has_word(&self, words: &[&str]) -> bool {
        self.words().iter().any(|word| words.contains(&word.text.as_str()))
    }

    /// The words of a hit, as they are looked for in facts and shown to the model.
    pub fn said(&self, hit: &Hit) -> String {
        let words: Vec<&str> = (hit.start..hit.end).map(|at| self.word(at)).collect();
        words.join(" ")
    }
}

impl Sentence<'_> {
    pub fn has(&self, sign: Sign) -> bool {
        self.clauses.iter().any(|clause| clause.has(sign))
    }

    /// Whether something is not known yet and is said to be looked up.
    pub fn looks_up(&self) -> bool {
        self.clauses.iter().any(|clause| clause.has(Sign::LookUp))
    }

    /// Whether it asks, or says again what the customer wants.
    pub fn is_open(&self) -> bool {
        self.question || self.looks_up() || self.has(Sign::Restate)
    }

    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.clauses.iter().flat_map(Clause::words).map(|word| word.text.as_str())
    }
}

/// The sentences of a text.
pub(super) fn sentences(text: &str) -> Vec<Sentence<'_>> {
    let mut out: Vec<Sentence<'_>> = Vec::new();
    let mut start = 0;
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    let mut goes_on = false;
    for (index, (at, c)) in chars.iter().enumerate() {
        let next = chars.get(index + 1).map(|(_, c)| *c);
        if *c == ' ' && *at >= start && begins_contrast(text.get(*at..).unwrap_or_default()) {
            push(&mut out, text, start..*at, &mut goes_on);
            (start, goes_on) = (*at, true);
        } else if ends_sentence(text, start, *at, *c, next) {
            let end = at + c.len_utf8();
            push(&mut out, text, start..end, &mut goes_on);
            start = end;
        }
    }
    push(&mut out, text, start..text.len(), &mut goes_on);
    out
}

fn push<'a>(out: &mut Vec<Sentence<'a>>, text: &'a str, range: Range<usize>, goes_on: &mut bool) {
    let Some(piece) = text.get(range.clone()) else { return };
    if !piece.chars().any(char::is_alphanumeric) {
        // "amanhã às 15h ?" and "…??": the mark belongs to what stands before.
        if let (true, Some(last)) = (piece.contains('?'), out.last_mut()) {
            last.question = true;
        }
        return;
    }
    let begins_item = piece.trim_start().starts_with(['-', '•', '*', '1', '2', '3', '4', '5', '6', '7', '8', '9', '0']);
    let item = piece.contains('\n') || begins_item;
    let trimmed = piece.trim_end();
    out.push(Sentence {
        range,
        text: piece,
        question: trimmed.ends_with('?'),
        goes_on: *goes_on,
        clauses: clauses(piece),
    });
    *goes_on = trimmed.ends_with(':') || (*goes_on && item);
}

/// What follows "mas" or "porém" is said in full, whatever stands before it; only the day goes on.
fn begins_contrast(rest: &str) -> bool {
    [" mas ", " porém ", " porem ", " entretanto ", " só que "].iter().any(|word| rest.starts_with(word))
}

fn ends_sentence(text: &str, start: usize, at: usize, c: char, next: Option<char>) -> bool {
    match c {
        '!' | '?' | '…' | '\n' | ';' => true,
        '.' => {
            let inner = next.is_some_and(|next| next.is_alphanumeric() && !next.is_uppercase());
            let before = text.get(start..at).unwrap_or_default();
            let word = before.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_lowercase();
            // "1. qua 25/11": the number of an item.
            let numbered = before.trim().parse::<u8>().is_ok();
            !(inner || numbered || SHORTENED.contains(&word.as_str()))
        }
        _ => false,
    }
}

fn clauses(sentence: &str) -> Vec<Clause> {
    let chars: Vec<(usize, char)> = sentence.char_indices().collect();
    let mut pieces = Vec::new();
    let mut start = 0;
    for (index, (at, c)) in chars.iter().enumerate() {
        let near = |index: Option<usize>| index.and_then(|index| chars.get(index)).map(|(_, c)| *c);
        let (before, after) = (near(index.checked_sub(1)), near(Some(index + 1)));
        let in_number = before.is_some_and(|c| c.is_ascii_digit()) && after.is_some_and(|c| c.is_ascii_digit());
        let splits = match c {
            ',' | ':' => !in_number,
            '(' | ')' | '–' | '—' | '"' | '“' | '”' => true,
            '-' => before == Some(' ') && after == Some(' '),
            _ => false,
        };
        if splits {
            pieces.push(sentence.get(start..*at).unwrap_or_default());
            start = at + c.len_utf8();
        }
    }
    pieces.push(sentence.get(start..).unwrap_or_default());
    pieces.into_iter().map(Clause::of).filter(|clause| !clause.words().is_empty()).collect()
}
