//! The signs of `config/lexicon/truth.txt`: what a text claims to have done, to have free, to know, to promise.

use std::sync::LazyLock;

use crate::domain::text::fold::fold;
use crate::domain::text::lexicon::{LexiconError, entries};
use crate::domain::text::phrases::Phrases;
use crate::domain::text::reading::Reading;
use crate::domain::text::table::Set;

const FILE: &str = "truth.txt";
const BUILT_IN: &str = include_str!("../../../../config/lexicon/truth.txt");
const NAMES_FILE: &str = "given_names.txt";
const NAMES_BUILT_IN: &str = include_str!("../../../../config/lexicon/given_names.txt");

macro_rules! signs {
    ($($sign:ident = $section:literal,)*) => {
        /// A sign; each is a section of the lexicon, where it is explained.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Sign {
            $($sign,)*
        }

        const SIGNS: &[(Sign, &str)] = &[$((Sign::$sign, $section),)*];
    };
}

signs! {
    DidBook = "did book",
    DidCancel = "did cancel",
    DidMove = "did move",
    DidConfirm = "did confirm",
    DidOther = "did other",
    IsBooked = "is booked",
    IsCancelled = "is cancelled",
    IsMoved = "is moved",
    IsConfirmed = "is confirmed",
    Owns = "owns",
    Meets = "meets",
    Completed = "completed",
    Free = "free",
    Come = "come",
    LookUp = "look up",
    Restate = "restate",
    Opening = "opening",
    NotDenying = "not denying",
    Wish = "wish",
    Offer = "offer",
    Advice = "advice",
    Promise = "promise",
    Accepts = "accepts",
    Instructions = "instructions",
}

pub(super) struct Lexicon {
    phrases: Phrases,
    sections: Vec<Option<usize>>,
}

// Finds nothing when the file is broken: `check` is what tells, and the tests call it.
pub(super) static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| {
    let phrases = Phrases::parse(FILE, BUILT_IN).unwrap_or_default();
    let sections = SIGNS.iter().map(|(_, section)| phrases.section(section)).collect();
    Lexicon { phrases, sections }
});

static NAMES: LazyLock<Set<String>> = LazyLock::new(|| {
    let all = entries(NAMES_FILE, NAMES_BUILT_IN).unwrap_or_default();
    all.iter().flat_map(|entry| entry.text.split_whitespace()).map(fold).collect()
});

impl Lexicon {
    pub fn read(&self, text: &str) -> Reading {
        self.phrases.read(text)
    }

    pub fn section(&self, sign: Sign) -> Option<usize> {
        self.sections.get(sign as usize).copied().flatten()
    }
}

/// Whether a folded word is a given name that is no other word.
pub(super) fn is_name(word: &str) -> bool {
    NAMES.contains(word)
}

/// Whether the lists that are built in can be read, and have all their sections.
///
/// # Errors
/// The first line that cannot be read, or the section that is missing.
pub fn check() -> Result<(), LexiconError> {
    let sections: Vec<&str> = SIGNS.iter().map(|(_, section)| *section).collect();
    Phrases::parse_with(FILE, BUILT_IN, &sections)?;
    entries(NAMES_FILE, NAMES_BUILT_IN).map(drop)
}
