//! A text as its words in sentences, and what phrases found in it.

use super::fold::fold;
use super::tokens::{Kind, tokens_of_folded};

/// How many words of a long text are looked at from its start and from its end: what a message wants stands there, and
/// the time spent on a text stays bounded.
const WORDS_FROM_START: usize = 160;
const WORDS_FROM_END: usize = 60;

/// A word of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// The folded word, number or emoji.
    pub text: String,
    /// What it is.
    pub kind: Kind,
    /// The number of its sentence.
    pub sentence: usize,
    /// The number of its clause: commas, too, end one.
    pub clause: usize,
    /// Whether it is mere politeness.
    pub noise: bool,
}

/// Something found: a section's phrase from word `start` to before word `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The section's number.
    pub section: usize,
    /// The first word.
    pub start: usize,
    /// The word after the last.
    pub end: usize,
}

/// A text's words and what was found in them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    words: Vec<Word>,
    hits: Vec<Hit>,
}

impl Reading {
    pub(super) fn new(words: Vec<Word>, hits: Vec<Hit>) -> Self {
        Self { words, hits }
    }

    /// The words: letters, numbers, times and dates; emoji only when there is nothing else.
    pub fn words(&self) -> &[Word] {
        &self.words
    }

    /// What was found, politeness first.
    pub fn hits(&self) -> &[Hit] {
        &self.hits
    }

    /// What one section found.
    pub fn of(&self, section: usize) -> impl Iterator<Item = &Hit> {
        self.hits.iter().filter(move |hit| hit.section == section)
    }

    /// How many words are more than politeness.
    pub fn substance(&self) -> usize {
        self.words.iter().filter(|word| !word.noise).count()
    }
}

/// A small set of numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ElementSet(Vec<usize>);

impl ElementSet {
    pub(super) fn insert(&mut self, element: usize) {
        if !self.0.contains(&element) {
            self.0.push(element);
        }
    }

    pub(super) fn contains(&self, element: usize) -> bool {
        self.0.contains(&element)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().copied()
    }
}

/// What is written with a full stop that ends no sentence ("Dr. Paulo").
fn is_title(word: &Word) -> bool {
    matches!(word.text.as_str(), "doutor" | "doutora" | "senhor" | "senhora" | "prof" | "profa")
}

/// The words of a text with their sentences. A full stop, an exclamation or question mark, a semicolon and a line break
/// end a sentence; a comma ends a clause only.
pub fn words(text: &str) -> Vec<Word> {
    let tokens = tokens_of_folded(&fold(text));
    let only_emoji = tokens.iter().all(|token| matches!(token.kind, Kind::Emoji | Kind::Mark));
    let (mut sentence, mut clause) = (0, 0);
    let mut words = Vec::with_capacity(tokens.len());
    for token in tokens {
        match token.kind {
            Kind::Mark if token.text == "." && words.last().is_some_and(is_title) => {}
            Kind::Mark if matches!(token.text.as_str(), "." | "!" | "?" | ";" | "\n" | "…") => {
                sentence += 1;
                clause += 1;
            }
            Kind::Mark => clause += usize::from(token.text == ","),
            Kind::Emoji if !only_emoji => {}
            kind => words.push(Word { text: token.text, kind, sentence, clause, noise: false }),
        }
    }
    let over = words.len().saturating_sub(WORDS_FROM_START + WORDS_FROM_END);
    if over > 0 {
        words.drain(WORDS_FROM_START..WORDS_FROM_START + over);
        // The two parts must not read as one sentence.
        words.iter_mut().skip(WORDS_FROM_START).for_each(|word| {
            word.sentence += 1;
            word.clause += 1;
        });
    }
    words
}
