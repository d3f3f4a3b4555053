//! Whether somebody asks for a person.

use super::intent::cues::{Cue, Cues};

/// Whether a text asks to be answered by a person, or for a call.
pub fn wanted(text: &str) -> bool {
    of(&Cues::of(text))
}

/// Whether signs read already ask for a person.
pub fn of(cues: &Cues) -> bool {
    cues.has(Cue::Handoff) && !cues.has(Cue::OptOut)
}
