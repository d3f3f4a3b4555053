//! Texts from outside, cleaned once at the edge.

use serde::{Deserialize, Serialize};

/// The longest text kept of one message, in characters (`reliability.md` §4.8).
pub const TEXT_MAX_CHARS: usize = 4096;
/// The longest name kept, in characters.
pub const NAME_MAX_CHARS: usize = 80;

/// A customer's text: NFC, no control, bidi, zero-width or tag characters, never empty, at most
/// [`TEXT_MAX_CHARS`] characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageText {
    text: String,
    cut: bool,
}

impl MessageText {
    /// Cleans a text. `None` when nothing is left.
    pub fn clean(raw: &str) -> Option<Self> {
        let text = raw.trim().to_owned();
        (!text.is_empty()).then_some(Self { text, cut: false })
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the end was cut off.
    pub fn was_cut(&self) -> bool {
        self.cut
    }
}

/// A person's name as they or their phone gave it: one line, cleaned, at most [`NAME_MAX_CHARS`] characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PersonName(String);

impl PersonName {
    /// Cleans a name. `None` when nothing of a name is left.
    pub fn clean(raw: &str) -> Option<Self> {
        let name = raw.trim().to_owned();
        (!name.is_empty()).then_some(Self(name))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
