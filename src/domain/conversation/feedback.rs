//! What somebody thinks of a visit, in answer to the question how it was: a grade, a verdict, or the mood of the words.

mod grade;

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::sentiment::{self, Mood, Sentiment};
use crate::domain::text::lexicon::LexiconError;
use crate::domain::text::phrases::Phrases;
use crate::domain::text::reading::Script;

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
    let script = Script::of(text);
    read_in(&script, || sentiment::read_in(&script))
}

/// The same for a text whose words are read already; `mood` tells the mood of the words where it is asked for.
pub fn read_in(script: &Script<'_>, mood: impl FnOnce() -> Sentiment) -> Mood {
    if let Some(mood) = grade::of(script) {
        return mood;
    }
    let reading = LEXICON.phrases.read_in(script);
    let count = |section: Option<usize>| section.map_or(0, |section| reading.of(section).count());
    match (count(LEXICON.pleased), count(LEXICON.displeased)) {
        (1.., 0) => Mood::Positive,
        (0, 1..) => Mood::Negative,
        _ => mood().mood,
    }
}

/// Opinions counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Good ones.
    pub positive: u32,
    /// Bad ones.
    pub negative: u32,
    /// Those that are neither.
    pub neutral: u32,
}

impl Share {
    /// Counts one more.
    pub fn add(&mut self, mood: Mood) {
        let count = match mood {
            Mood::Positive => &mut self.positive,
            Mood::Negative => &mut self.negative,
            Mood::Neutral => &mut self.neutral,
        };
        *count = count.saturating_add(1);
    }

    /// How many say something: the neutral ones do not.
    pub fn opinions(&self) -> u32 {
        self.positive.saturating_add(self.negative)
    }

    /// The good ones of those that say something, 0 to 1; `None` without any.
    pub fn positive_share(&self) -> Option<f32> {
        let opinions = self.opinions();
        // Counts of one company: far below where an f32 loses a whole number.
        (opinions > 0).then(|| (f64::from(self.positive) / f64::from(opinions)) as f32)
    }
}

/// Opinions counted, as [`read`] told them.
pub fn share_positive(opinions: impl IntoIterator<Item = Mood>) -> Share {
    let mut share = Share::default();
    opinions.into_iter().for_each(|mood| share.add(mood));
    share
}

/// The net promoter score of grades from 0 to 10: the percentage of 9 and 10 less that of 0 to 6, from -100 to 100.
/// `None` without a grade; grades above 10 do not count.
pub fn net_promoter_score(grades: &[u8]) -> Option<i32> {
    let valid = grades.iter().filter(|grade| **grade <= 10);
    let (mut all, mut balance) = (0_i64, 0_i64);
    for grade in valid {
        all += 1;
        balance += match grade {
            9..=10 => 1,
            0..=6 => -1,
            _ => 0,
        };
    }
    // Rounded half away from zero, as such scores are published.
    let rounded = (balance * 200 + all * balance.signum()).checked_div(all * 2)?;
    i32::try_from(rounded).ok()
}

/// Whether the list that is built in can be read and has both sections.
///
/// # Errors
/// The first line that cannot be read, or the section that is missing.
pub fn check() -> Result<(), LexiconError> {
    Phrases::parse_with(FILE, BUILT_IN, &[PLEASED, DISPLEASED]).map(drop)
}
