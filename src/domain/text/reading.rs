//! A text as its words in sentences, and what phrases found in it.

use std::sync::{Arc, OnceLock};

use super::abbreviations;
use super::fold::fold;
use super::sound::{sound, without_ending};
use super::tokens::{Kind, form, spans};

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
    heard: OnceLock<Heard>,
}

/// How a word sounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Its key, as [`sound`] makes it.
    pub key: String,
    /// The key without what is swallowed at the end.
    pub bare: String,
}

impl Word {
    fn new(text: &str, kind: Kind, (sentence, clause): (usize, usize)) -> Self {
        Self { text: text.to_owned(), kind, sentence, clause, heard: OnceLock::new() }
    }

    /// How it sounds; worked out when it is first asked for.
    pub fn heard(&self) -> &Heard {
        self.heard.get_or_init(|| {
            let key = sound(&self.text);
            Heard { bare: without_ending(&key), key }
        })
    }
}

/// A text and its words, read once for all who look for something in it.
#[derive(Clone, Debug)]
pub struct Script<'a> {
    text: &'a str,
    words: Arc<[Word]>,
}

impl<'a> Script<'a> {
    /// Reads a text.
    pub fn of(text: &'a str) -> Self {
        Self { text, words: words(text).into() }
    }

    /// The text as it was written.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// Its words: letters, numbers, times and dates; emoji only when there is nothing else.
    pub fn words(&self) -> &[Word] {
        &self.words
    }
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
    words: Arc<[Word]>,
    /// Which words are mere politeness; shorter than the words, or empty, where the rest is none.
    noise: Vec<bool>,
    hits: Vec<Hit>,
}

impl Reading {
    pub(super) fn new(script: &Script<'_>, noise: Vec<bool>, hits: Vec<Hit>) -> Self {
        Self { words: Arc::clone(&script.words), noise, hits }
    }

    /// The words: letters, numbers, times and dates; emoji only when there is nothing else.
    pub fn words(&self) -> &[Word] {
        &self.words
    }

    /// Whether the word at a place is mere politeness.
    pub fn is_noise(&self, at: usize) -> bool {
        self.noise.get(at).copied().unwrap_or_default()
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
        self.words.len() - self.noise.iter().filter(|noise| **noise).count()
    }
}

/// What is written with a full stop that ends no sentence ("Dr. Paulo").
fn is_title(word: &Word) -> bool {
    matches!(word.text.as_str(), "doutor" | "doutora" | "senhor" | "senhora" | "prof" | "profa")
}

/// The words of a text with their sentences. A full stop, an exclamation or question mark, a semicolon and a line break
/// end a sentence; a comma ends a clause only.
pub fn words(text: &str) -> Vec<Word> {
    let folded = fold(text);
    let spans = spans(&folded);
    let only_emoji = spans.iter().all(|span| matches!(span.kind, Kind::Emoji | Kind::Mark));
    let (mut sentence, mut clause) = (0, 0);
    let mut words = Vec::with_capacity(spans.len());
    for span in spans {
        let written = span.of(&folded);
        match span.kind {
            Kind::Mark if written == "." && words.last().is_some_and(is_title) => {}
            Kind::Mark if matches!(written, "." | "!" | "?" | ";" | "\n" | "…") => {
                sentence += 1;
                clause += 1;
            }
            Kind::Mark => clause += usize::from(written == ","),
            Kind::Emoji if !only_emoji => {}
            Kind::Word => {
                let form = form(written);
                match abbreviations::expand(form) {
                    Some(long) => words.extend(long.iter().map(|one| Word::new(one, Kind::Word, (sentence, clause)))),
                    None => words.push(Word::new(form, Kind::Word, (sentence, clause))),
                }
            }
            kind => words.push(Word::new(written, kind, (sentence, clause))),
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
