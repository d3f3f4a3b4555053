//! What somebody thinks of a visit, in answer to the question how it was: a grade, a verdict, or the mood of the words.

mod grade;

use std::sync::LazyLock;

use super::sentiment::{self, Mood};
use crate::domain::text::lexicon::LexiconError;
use crate::domain::text::phrases::Phrases;

const FILE: &str = "feedback.txt";
const BUILT_IN: &str = include_str!("../../../config/lexicon/feedback.txt");
const PLEASED: &str = "pleased";
const DISPLEASED: &str = "displeased";

struct Lexicon {
    phrases: Phrases,
    pleased: Option<usize>,
    displeased: Option<usize>,
}

// Finds nothing when the file is broken: `check` is what tells, and the tests call it.
static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| {
    let phrases = Phrases::parse(FILE, BUILT_IN).unwrap_or_default();
    Lexicon { pleased: phrases.section(PLEASED), displeased: phrases.section(DISPLEASED), phrases }
});

/// Whether an opinion is good or bad; neutral when it is neither, or as much the one as the other.
///
/// A grade decides; then a verdict such as "não recomendo"; then the mood of the words.
pub fn read(text: &str) -> Mood {
    if let Some(mood) = grade::of(text) {
        return mood;
    }
    let reading = LEXICON.phrases.read(text);
    let count = |section: Option<usize>| section.map_or(0, |section| reading.of(section).count());
    match (count(LEXICON.pleased), count(LEXICON.displeased)) {
        (1.., 0) => Mood::Positive,
        (0, 1..) => Mood::Negative,
        _ => sentiment::read(text).mood,
    }
}

/// Whether the list that is built in can be read and has both sections.
///
/// # Errors
/// The first line that cannot be read, or the section that is missing.
pub fn check() -> Result<(), LexiconError> {
    Phrases::parse_with(FILE, BUILT_IN, &[PLEASED, DISPLEASED]).map(drop)
}
