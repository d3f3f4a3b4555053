//! Whether a message can wait. The phrases are in `config/lexicon/urgency.txt`.

use std::sync::LazyLock;

use crate::domain::text::lexicon::LexiconError;
use crate::domain::text::phrases::Phrases;
use crate::domain::text::reading::Script;

const FILE: &str = "urgency.txt";
const BUILT_IN: &str = include_str!("../../../config/lexicon/urgency.txt");
const EMERGENCY: &str = "emergency";
const URGENT: &str = "urgent";

/// How much a message presses; the more the greater.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Urgency {
    /// It can wait its turn.
    #[default]
    None,
    /// It goes first: pain, a last day, "o mais rápido possível".
    Urgent,
    /// Somebody's life or health may be in danger: a person has to see it at once.
    Emergency,
}

impl Urgency {
    /// The stable name, as it is stored and counted.
    pub fn label(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Urgent => "urgent",
            Self::Emergency => "emergency",
        }
    }
}

struct Lexicon {
    phrases: Phrases,
    emergency: Option<usize>,
    urgent: Option<usize>,
}

// Finds nothing when the file is broken: `check` is what tells, and the tests call it.
static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| {
    let phrases = Phrases::parse(FILE, BUILT_IN).unwrap_or_default();
    Lexicon { emergency: phrases.section(EMERGENCY), urgent: phrases.section(URGENT), phrases }
});

/// How much a text presses.
pub fn read(text: &str) -> Urgency {
    read_in(&Script::of(text))
}

/// The same for a text whose words are read already.
pub fn read_in(script: &Script<'_>) -> Urgency {
    let reading = LEXICON.phrases.read_in(script);
    let found = |section: Option<usize>| section.is_some_and(|section| reading.of(section).next().is_some());
    if found(LEXICON.emergency) {
        Urgency::Emergency
    } else if found(LEXICON.urgent) {
        Urgency::Urgent
    } else {
        Urgency::None
    }
}

/// Whether the list that is built in can be read and has both sections.
///
/// # Errors
/// The first line that cannot be read, or the section that is missing.
pub fn check() -> Result<(), LexiconError> {
    Phrases::parse_with(FILE, BUILT_IN, &[EMERGENCY, URGENT]).map(drop)
}
