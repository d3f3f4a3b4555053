//! Texts from outside, cleaned once at the edge.
//!
//! What is invisible can carry orders to a language model or turn a log line around, so it goes: control, bidi,
//! zero-width, tag, private-use characters. What people really write stays: accents, every emoji, line breaks.
//!
//! The parts below prepare a text for being understood: [`fold`] (spelling), [`tokens`] (words), [`abbreviations`],
//! [`stem`] and [`root`] (word forms), [`sound`] (spelling by ear), [`lexicon`] (how the word lists are written),
//! [`phrases`] and [`reading`] (what the lists find), [`stopwords`] and [`synonyms`] (what weighs nothing, what means the
//! same), [`hashing`] (a text as numbers).

pub mod abbreviations;
pub mod fold;
pub mod hashing;
pub mod lexicon;
pub mod phrases;
pub mod reading;
pub mod root;
pub mod sound;
pub mod stem;
pub mod stopwords;
pub mod synonyms;
pub mod table;
pub mod tokens;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use super::unicode::{
    REGIONAL_INDICATORS, ZWJ, extends_previous, is_emoji, is_emoji_glue, is_name_char, is_ordinary, without_invisible,
};

/// The longest text kept of one message, in characters (WhatsApp's own limit for a text).
pub const TEXT_MAX_CHARS: usize = 4096;
/// The longest name kept, in characters.
pub const NAME_MAX_CHARS: usize = 80;

/// How far back a cut may move to spare an accent or an emoji built of several characters.
const CUT_BACKTRACK_MAX: usize = 64;

/// A customer's text: NFC, no control, bidi, zero-width or tag characters, never empty, at most
/// [`TEXT_MAX_CHARS`] characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageText {
    text: String,
    cut: bool,
}

impl MessageText {
    /// Cleans a text. `None` when nothing is left. Line breaks stay (as `\n`), tabs become spaces; joiners and
    /// variation selectors stay only inside emoji, tag characters only inside the three flags that use them.
    pub fn clean(raw: &str) -> Option<Self> {
        // Nearly every text is of ordinary characters only, and comes out as it went in.
        let text = if raw.chars().all(|c| c == '\n' || is_ordinary(c)) {
            Cow::Borrowed(raw)
        } else {
            Cow::Owned(composed(without_invisible(&with_plain_breaks(&composed(raw.to_owned())))))
        };
        let trimmed = text.trim();
        let (text, cut) = cut_at(trimmed, TEXT_MAX_CHARS);
        (!text.is_empty()).then(|| Self { text: text.to_owned(), cut })
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

/// A person's name as they or their phone gave it: one line, cleaned, at most [`NAME_MAX_CHARS`] characters, with at
/// least one letter and none of the signs that structure a prompt, a template or a log line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PersonName(String);

impl PersonName {
    /// Cleans a name. `None` when nothing of a name is left (a telephone number or a lone emoji is no name).
    pub fn clean(raw: &str) -> Option<Self> {
        let one_line = if raw.chars().all(|c| is_ordinary(c) && is_name_char(c)) && !raw.contains("  ") {
            Cow::Borrowed(raw.trim())
        } else {
            Cow::Owned(Self::one_line(raw))
        };
        let (name, _) = cut_at(&one_line, NAME_MAX_CHARS);
        name.chars().any(char::is_alphabetic).then(|| Self(name.to_owned()))
    }

    fn one_line(raw: &str) -> String {
        let raw = composed(raw.to_owned());
        // Signs go before the invisible characters do: an emoji glue whose neighbour is dropped must go as well.
        let allowed: String = raw
            .chars()
            .filter_map(|c| if c.is_whitespace() { Some(' ') } else { allowed_in_name(c).then_some(c) })
            .collect();
        let cleaned = composed(without_invisible(&allowed));
        cleaned.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// NFC. Nearly every text is that already, which is quick to see and slow to do.
fn composed(text: String) -> String {
    match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => text,
        IsNormalized::No | IsNormalized::Maybe => text.nfc().collect(),
    }
}

fn allowed_in_name(c: char) -> bool {
    is_name_char(c) || is_emoji(c) || is_emoji_glue(c)
}

/// One kind of line break, no tabs.
fn with_plain_breaks(raw: &str) -> String {
    raw.replace("\r\n", "\n")
        .chars()
        .map(|c| match c {
            '\r' | '\u{0B}' | '\u{0C}' | '\u{85}' | '\u{2028}' | '\u{2029}' => '\n',
            '\t' => ' ',
            other => other,
        })
        .collect()
}

/// The longest beginning of at most `max` characters that ends between two visible signs, and whether it is shorter.
fn cut_at(text: &str, max: usize) -> (&str, bool) {
    // There are never more characters than bytes.
    if text.len() <= max {
        return (text, false);
    }
    // One character more than allowed decides whether anything has to go, and is looked at when it does.
    let starts: Vec<(usize, char)> = text.char_indices().take(max + 1).collect();
    if starts.len() <= max {
        return (text, false);
    }
    let earliest = max.saturating_sub(CUT_BACKTRACK_MAX).max(1);
    let at = (earliest..=max).rev().find(|&at| is_sign_boundary(&starts, at)).unwrap_or(max);
    let end = starts.get(at).map_or(text.len(), |(byte, _)| *byte);
    let kept = text.get(..end).unwrap_or_default();
    (kept.trim_end_matches(|c: char| c == ZWJ || c.is_whitespace()), true)
}

/// Whether a text may be cut before its character number `at` without tearing an accent, an emoji or a flag apart.
fn is_sign_boundary(chars: &[(usize, char)], at: usize) -> bool {
    let char_at = |i: usize| chars.get(i).map(|(_, c)| *c);
    let (Some(before), Some(after)) = (at.checked_sub(1).and_then(char_at), char_at(at)) else { return true };
    if extends_previous(after) || before == ZWJ {
        return false;
    }
    let flags_before = (0..at).rev().map_while(char_at).take_while(|c| REGIONAL_INDICATORS.contains(c)).count();
    !(REGIONAL_INDICATORS.contains(&after) && flags_before % 2 == 1)
}
