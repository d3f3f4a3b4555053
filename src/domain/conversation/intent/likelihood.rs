//! How likely each intent is for a text, by weights that were learned from our own sentences.
//!
//! A second opinion beside the rules: it knows nothing but which words and signs go with which intent. The weights are
//! `config/models/intent.txt`, written by the example `train_intent`.

use std::sync::LazyLock;

use super::cues::{CUES, Cues};
use super::{Context, Intent};
use crate::domain::text::reading::Word;
use crate::domain::text::stem::stem;
use crate::domain::text::tokens::Kind;

mod weights;

pub use weights::{Weights, WeightsError, share};

const BUILT_IN: &str = include_str!("../../../../config/models/intent.txt");

/// How many places the features are hashed into.
pub const BUCKETS: usize = 8192;
/// Up to so many words, how many there are tells something.
const COUNTED_WORDS_MAX: usize = 12;
/// So many letters of a word's sound stand for the word when its ending is not known.
const HEAD_LETTERS: usize = 4;

// Knows nothing when the file is broken: `check` is what tells, and the tests call it.
static WEIGHTS: LazyLock<Weights> = LazyLock::new(|| Weights::parse(BUILT_IN).unwrap_or_default());

/// An intent and how likely it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Likely {
    /// The intent.
    pub intent: Intent,
    /// From 0 to 1; those of all intents add up to 1.
    pub probability: f32,
}

/// How likely each intent is, in the order of [`Intent::ALL`]; empty without weights.
pub fn all(cues: &Cues, context: Context, ruled: Intent) -> Vec<Likely> {
    WEIGHTS.likelihoods(&features(cues, context, Some(ruled)))
}

/// Whether the weights that are built in can be read.
///
/// # Errors
/// What is wrong with the file.
pub fn check() -> Result<(), WeightsError> {
    Weights::parse(BUILT_IN).map(drop)
}

/// The places of everything that is looked at: words and pairs of words, signs, what the rules say, each by itself and
/// together with what was said before. `ruled` is missing where the rules were fitted to that very text.
pub fn features(cues: &Cues, context: Context, ruled: Option<Intent>) -> Vec<usize> {
    let mut places = Places { context: context as u8, found: Vec::new() };
    let words = cues.reading().words();
    let forms: Vec<String> = words.iter().map(form).collect();
    places.add(b'1', &[forms.first().map_or("", String::as_str)]);
    for (at, (here, word)) in forms.iter().zip(words).enumerate() {
        let next = forms.get(at + 1).map_or("", String::as_str);
        let after = forms.get(at + 2).map_or("", String::as_str);
        places.add(b'w', &[here]);
        places.add(b'b', &[here, next]);
        places.add(b's', &[here, after]);
        if word.kind == Kind::Word {
            let heard = word.heard().bare.as_str();
            let head = heard.char_indices().nth(HEAD_LETTERS).map_or(heard, |(end, _)| head(heard, end));
            places.add(b'h', &[head]);
        }
    }
    for (cue, name) in CUES {
        if cues.has(*cue) {
            places.add(b'c', &[name]);
        }
    }
    places.add(b'n', &[COUNTS.get(cues.substance().min(COUNTED_WORDS_MAX)).copied().unwrap_or_default()]);
    if cues.asks() {
        places.add(b'?', &[]);
    }
    if cues.is_finished() {
        places.add(b'.', &[]);
    }
    if let Some(ruled) = ruled {
        places.add(b'r', &[ruled.label()]);
    }
    places.found
}

const COUNTS: [&str; COUNTED_WORDS_MAX + 1] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"];

fn head(text: &str, end: usize) -> &str {
    text.get(..end).unwrap_or(text)
}

/// What stands for a word: numbers, times and dates are all alike, of the rest the stem counts.
fn form(word: &Word) -> String {
    match word.kind {
        Kind::Number => "#n".to_owned(),
        Kind::Clock => "#h".to_owned(),
        Kind::Date => "#d".to_owned(),
        _ => stem(&word.text),
    }
}

struct Places {
    context: u8,
    found: Vec<usize>,
}

impl Places {
    fn add(&mut self, kind: u8, parts: &[&str]) {
        for context in [b'*', b'0' + self.context] {
            let mut hash = mixed(mixed(OFFSET, kind), context);
            for part in parts {
                hash = mixed(part.bytes().fold(hash, mixed), b' ');
            }
            self.found.push(place(hash));
        }
    }
}

/// FNV-1a, folded into the places there are: the same on every machine, for the weights outlive a build.
const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

fn mixed(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
}

fn place(hash: u64) -> usize {
    usize::try_from((hash ^ (hash >> 32)) % BUCKETS as u64).unwrap_or_default()
}
