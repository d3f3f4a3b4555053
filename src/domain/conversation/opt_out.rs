//! Whether somebody wants no more messages, or wants them again.
//!
//! Only plain words decide: a wish to leave early, or to stop smoking, is none to be left alone.

use super::intent::cues::{Cue, Cues};

/// A change of mind about being written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OptChange {
    /// No more messages ("SAIR", "não quero mais receber").
    Out,
    /// Messages again ("VOLTAR").
    In,
}

/// The change a text asks for; `None` when it asks for none. It does not depend on what was said before.
pub fn read(text: &str) -> Option<OptChange> {
    of(&Cues::of(text))
}

/// The change that signs read already ask for.
pub fn of(cues: &Cues) -> Option<OptChange> {
    if cues.has(Cue::OptOut) {
        Some(OptChange::Out)
    } else if cues.has(Cue::OptIn) {
        Some(OptChange::In)
    } else {
        None
    }
}
