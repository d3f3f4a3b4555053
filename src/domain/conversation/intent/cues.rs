//! The signs of `config/lexicon/intent.txt` in a text.

use std::sync::LazyLock;

use crate::domain::text::lexicon::LexiconError;
use crate::domain::text::phrases::Phrases;
use crate::domain::text::reading::{Hit, Reading, Script};

const FILE: &str = "intent.txt";
const BUILT_IN: &str = include_str!("../../../../config/lexicon/intent.txt");

macro_rules! cues {
    ($($cue:ident = $section:literal: $meaning:literal,)*) => {
        /// A sign; each is a section of the lexicon.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Cue {
            $(#[doc = $meaning] $cue,)*
        }

        /// Every sign with its section.
        pub const CUES: &[(Cue, &str)] = &[$((Cue::$cue, $section),)*];
    };
}

cues! {
    Time = "time": "A time or a day is named.",
    Book = "book": "Asks for an appointment.",
    Slot = "slot": "Asks whether there is a free time.",
    Move = "move": "Wants an appointment at another time.",
    Shift = "shift": "Not at that time, but at another.",
    Cancel = "cancel": "Gives an appointment up.",
    Cant = "cant": "Cannot come.",
    Drop = "drop": "Lets the matter rest.",
    IfCancel = "conditional cancel": "Gives up only under a condition.",
    Own = "own": "Asks about an appointment they have.",
    Yes = "yes": "Agrees.",
    No = "no": "Refuses.",
    Correction = "correction": "Says that something is to be otherwise.",
    Later = "later": "Not now, or no need.",
    Come = "come": "Will come.",
    Complaint = "complaint": "Is unhappy with the service, or reports a fault.",
    Fault = "fault": "Something is broken or wrong, perhaps not by our doing.",
    Rating = "rating": "Grades the visit.",
    Appointment = "appointment": "An appointment is named.",
    Away = "away": "Will be elsewhere.",
    Praise = "praise": "Tells an opinion of the service.",
    Handoff = "handoff": "Wants a person.",
    Contact = "contact": "Wants a telephone number or an address to write to.",
    OptOut = "opt out": "Wants no more messages.",
    OptIn = "opt in": "Wants messages again.",
    Greeting = "greeting": "Greets.",
    Farewell = "farewell": "Takes leave.",
    Thanks = "thanks": "Thanks.",
    Closing = "closing": "Needs nothing more.",
    Question = "question": "Asks for information.",
    AboutBot = "about bot": "Asks about the assistant itself, or chats.",
    Statement = "statement": "Tells something.",
    WrongNumber = "wrong number": "Is not who was written to.",
    Maybe = "maybe": "Is not sure.",
}

struct Lexicon {
    phrases: Phrases,
    sections: Vec<Option<usize>>,
}

// Finds nothing when the file is broken: `check` is what tells, and the tests call it.
static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| {
    let phrases = Phrases::parse(FILE, BUILT_IN).unwrap_or_default();
    let sections = CUES.iter().map(|(_, section)| phrases.section(section)).collect();
    Lexicon { phrases, sections }
});

/// Whether the lexicon that is built in can be read and has every section.
///
/// # Errors
/// The first line that cannot be read, or the section that is missing.
pub fn check() -> Result<(), LexiconError> {
    let sections: Vec<&str> = CUES.iter().map(|(_, section)| *section).collect();
    Phrases::parse_with(FILE, BUILT_IN, &sections).map(drop)
}

/// The signs in a text.
#[derive(Clone, Debug)]
pub struct Cues {
    reading: Reading,
    asks: bool,
    finished: bool,
}

impl Cues {
    /// Reads a text.
    pub fn of(text: &str) -> Self {
        Self::of_script(&Script::of(text))
    }

    /// The same for a text whose words are read already.
    pub fn of_script(script: &Script<'_>) -> Self {
        let text = script.text();
        let asks = text.contains(['?', '？']);
        let finished = text.trim_end().ends_with(['.', '!']);
        Self { reading: LEXICON.phrases.read_in(script), asks, finished }
    }

    /// Whether the sign is there.
    pub fn has(&self, cue: Cue) -> bool {
        self.first(cue).is_some()
    }

    /// Whether any of the signs is there.
    pub fn any(&self, cues: &[Cue]) -> bool {
        cues.iter().any(|cue| self.has(*cue))
    }

    /// The first place of a sign.
    pub fn first(&self, cue: Cue) -> Option<&Hit> {
        self.hits(cue).min_by_key(|hit| hit.start)
    }

    /// The last place of a sign.
    pub fn last(&self, cue: Cue) -> Option<&Hit> {
        self.hits(cue).max_by_key(|hit| hit.start)
    }

    /// The places of a sign.
    pub fn hits(&self, cue: Cue) -> impl Iterator<Item = &Hit> {
        let section = LEXICON.sections.get(cue as usize).copied().flatten();
        self.reading.hits().iter().filter(move |hit| Some(hit.section) == section)
    }

    /// Whether it ends as a sentence that tells something does; a bare topic ends with nothing.
    pub fn is_finished(&self) -> bool {
        self.finished
    }

    /// Whether there is a question mark.
    pub fn asks(&self) -> bool {
        self.asks
    }

    /// The words and what was found in them.
    pub fn reading(&self) -> &Reading {
        &self.reading
    }

    /// How many words are more than politeness.
    pub fn substance(&self) -> usize {
        self.reading.substance()
    }

    /// Whether the signs cover every word that is more than politeness.
    pub fn only(&self, cues: &[Cue]) -> bool {
        let covered = |at: usize| cues.iter().any(|cue| self.hits(*cue).any(|hit| hit.start <= at && at < hit.end));
        self.reading.words().iter().enumerate().all(|(at, _)| self.reading.is_noise(at) || covered(at))
    }
}
