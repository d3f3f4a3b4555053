//! Letters as they are read: what looks like a Latin letter is that letter.

use std::collections::HashMap;
use std::sync::OnceLock;

use unicode_normalization::char::{decompose_compatible, is_combining_mark};

use super::lexicon::LexiconError;
use crate::domain::unicode::is_emoji_glue;

/// The doubles of letters as the product knows them.
pub(super) const SOURCE: &str = include_str!("../../../../config/lexicon/lookalikes.txt");

/// One character of a text after folding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Letter {
    /// Lower case, without accent.
    pub(super) read_as: char,
    /// Whether it was another sign that only looks like this letter.
    pub(super) is_lookalike: bool,
}

/// Hands the letters of a character, lower case and bare, to `put`; none for accents and parts of emoji.
pub(super) fn fold(c: char, put: &mut impl FnMut(Letter)) {
    if c.is_ascii() {
        put(Letter { read_as: c.to_ascii_lowercase(), is_lookalike: false });
        return;
    }
    // Hangul syllables, and Arabic sentences in one sign, are no Latin letter's double, and taking one apart costs more
    // than it tells.
    if matches!(c, '\u{AC00}'..='\u{D7A3}' | '\u{FDFA}' | '\u{FDFB}') {
        put(Letter { read_as: c, is_lookalike: false });
        return;
    }
    let styled = is_styled(c);
    decompose_compatible(c, |part| {
        if is_combining_mark(part) || is_emoji_glue(part) {
            return;
        }
        for low in part.to_lowercase() {
            // Lower case of a few letters is a pair of letter and accent ("İ").
            if !is_combining_mark(low) {
                let twin = lookalike(low);
                put(Letter { read_as: twin.unwrap_or(low), is_lookalike: styled || twin.is_some() });
            }
        }
    });
}

/// Letters that exist only for decoration: full width, mathematical, in circles and squares.
fn is_styled(c: char) -> bool {
    matches!(c, '\u{FF01}'..='\u{FF5E}' | '\u{1D400}'..='\u{1D7FF}' | '\u{24B6}'..='\u{24E9}' | '\u{249C}'..='\u{24B5}'
        | '\u{1F110}'..='\u{1F189}' | '\u{1F1E6}'..='\u{1F1FF}' | '\u{2100}'..='\u{214F}' | '\u{1D2C}'..='\u{1D6A}')
        && !matches!(c, '\u{2122}' | '\u{2116}' | '\u{2103}')
}

/// The Latin letter that a lower-case letter of another script, a phonetic sign or a framed letter looks like.
fn lookalike(c: char) -> Option<char> {
    match c {
        '\u{1F150}'..='\u{1F169}' => framed(c, 0x1F150),
        '\u{1F170}'..='\u{1F189}' => framed(c, 0x1F170),
        '\u{1F1E6}'..='\u{1F1FF}' => framed(c, 0x1F1E6),
        _ => doubles().get(&c).copied(),
    }
}

/// Doubles of Latin letters, as [`fold`] meets them: decomposed and lower case.
fn doubles() -> &'static HashMap<char, char> {
    static DOUBLES: OnceLock<HashMap<char, char>> = OnceLock::new();
    DOUBLES.get_or_init(|| parse_doubles(SOURCE).unwrap_or_default())
}

/// Reads lines of a letter and its doubles.
pub(super) fn parse_doubles(source: &str) -> Result<HashMap<char, char>, LexiconError> {
    let mut doubles = HashMap::new();
    for (at, line) in source.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
        let fault = |why| LexiconError { line: at + 1, why, text: line.to_owned() };
        let mut signs = line.split(' ').map(|sign| {
            let mut chars = sign.chars();
            chars.next().filter(|_| chars.next().is_none()).ok_or_else(|| fault("one sign between two blanks"))
        });
        let letter = signs.next().transpose()?.filter(char::is_ascii_lowercase);
        let letter = letter.ok_or_else(|| fault("a line begins with a lower-case letter"))?;
        for double in signs {
            let double = double?;
            decompose_compatible(double, |part| doubles.extend(part.to_lowercase().map(|low| (low, letter))));
        }
    }
    doubles.retain(|double, _| !double.is_ascii() && !is_combining_mark(*double));
    Ok(doubles)
}

fn framed(c: char, first: u32) -> Option<char> {
    let step = u8::try_from(u32::from(c).checked_sub(first)?).ok()?;
    (step < 26).then(|| char::from(b'a' + step))
}

/// Whether a sign may stand for a letter inside a word ("1gn0re", "in$tru").
pub(super) fn is_leet(c: char) -> bool {
    leet(c, 'i').is_some()
}

/// Whether a sign inside a word stands for a letter left out ("pr*mpt").
pub(super) fn is_joker(c: char) -> bool {
    matches!(c, '*' | '#')
}

/// The letter a digit or sign stands for; `one` is what a "1" is taken for.
pub(super) fn leet(c: char, one: char) -> Option<char> {
    let letter = match c {
        '0' => 'o',
        '1' | '|' | '!' | '¡' => one,
        '2' => 'z',
        '3' | '€' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '6' | '9' => 'g',
        '7' | '+' => 't',
        '8' => 'b',
        _ => return None,
    };
    Some(letter)
}

/// A letter moved along the alphabet.
pub(super) fn shifted(c: char, by: u8) -> char {
    u8::try_from(c).ok().filter(u8::is_ascii_lowercase).map_or(c, |byte| char::from((byte - b'a' + by) % 26 + b'a'))
}
