//! The mood of a message: positive, negative or neither, with a score.
//!
//! Words and phrases of `config/lexicon/sentiment.txt` carry the mood; a negation before one turns it, words such as
//! "muito" and "pouco" beside it change its weight, and what stands after "mas" counts for more than what stands before.
//! Emoji and typed faces are in `config/lexicon/emoji.txt`.

mod faces;
mod weighing;

use std::sync::LazyLock;

use crate::domain::text::lexicon::LexiconError;
use crate::domain::text::phrases::Phrases;
use crate::domain::text::reading::Script;

const FILE: &str = "sentiment.txt";
const BUILT_IN: &str = include_str!("../../../config/lexicon/sentiment.txt");

/// From these scores on a message shows a mood. A faint word of displeasure tells more than a faint one of pleasure:
/// politeness is full of the latter.
const PLEASED_FROM: f32 = 0.26;
const DISPLEASED_FROM: f32 = -0.1;
/// How fast a sum of weights nears a full score: one plain word is about half of it.
const SOFTNESS: f32 = 12.0;

/// The mood of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mood {
    /// Joy, praise, relief.
    Positive,
    /// Anger, sadness, fear, disgust.
    Negative,
    /// No mood that shows.
    #[default]
    Neutral,
}

impl Mood {
    /// The mood of a stored name.
    pub fn parse(label: &str) -> Option<Self> {
        [Self::Positive, Self::Negative, Self::Neutral].into_iter().find(|mood| mood.label() == label)
    }

    /// The stable name, as it is stored and counted.
    pub fn label(self) -> &'static str {
        match self {
            Self::Positive => "pos",
            Self::Negative => "neg",
            Self::Neutral => "neu",
        }
    }
}

/// The mood of a message and how much of it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sentiment {
    /// The mood.
    pub mood: Mood,
    /// From -1 (as negative as can be) to 1.
    pub score: f32,
}

/// The mood of a text.
pub fn read(text: &str) -> Sentiment {
    read_in(&Script::of(text))
}

/// The same for a text whose words are read already.
pub fn read_in(script: &Script<'_>) -> Sentiment {
    let sum = weighing::sum(&LEXICON, script) + faces::sum(script.text());
    let score = sum / (sum * sum + SOFTNESS).sqrt();
    let mood = if score >= PLEASED_FROM {
        Mood::Positive
    } else if score <= DISPLEASED_FROM {
        Mood::Negative
    } else {
        Mood::Neutral
    };
    Sentiment { mood, score }
}

/// Whether the word lists that are built in can be read and have every section.
///
/// # Errors
/// The first line that cannot be read, or the section that is missing.
pub fn check() -> Result<(), LexiconError> {
    Phrases::parse_with(FILE, BUILT_IN, &weighing::SECTIONS)?;
    faces::check()
}

// Finds nothing when the file is broken: `check` is what tells, and the tests call it.
static LEXICON: LazyLock<weighing::Lexicon> =
    LazyLock::new(|| weighing::Lexicon::new(Phrases::parse(FILE, BUILT_IN).unwrap_or_default()));
