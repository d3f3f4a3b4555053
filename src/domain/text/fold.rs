//! One spelling for all the ways a word is typed: case, accents, compatibility forms, drawn-out letters.

use unicode_normalization::char::{decompose_compatible, is_combining_mark};

/// From this many equal letters on, a run is emphasis and not spelling ("oiiii", "muuuito").
const EMPHASIS: usize = 3;

/// Lower case, compatibility forms, no accents, no drawn-out letters, no presentation marks or skin tones of emoji.
/// Blanks, punctuation, digits and emoji stay where they are. Folding twice changes nothing more.
pub fn fold(text: &str) -> String {
    let mut bare = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() {
            bare.push(c.to_ascii_lowercase());
        } else if let Some(letter) = plain_letter(c) {
            bare.push(letter);
        } else if is_dense_ligature(c) {
            bare.push(c);
        } else if let Some(syllable) = hangul(c) {
            bare.extend(syllable.into_iter().flatten());
        } else {
            push_bare(&mut bare, c);
        }
    }
    if has_run(&bare) { without_emphasis(&bare) } else { bare }
}

/// The accented letters of Portuguese, which need no table of Unicode.
fn plain_letter(c: char) -> Option<char> {
    Some(match c {
        'á' | 'à' | 'â' | 'ã' | 'Á' | 'À' | 'Â' | 'Ã' => 'a',
        'é' | 'ê' | 'É' | 'Ê' => 'e',
        'í' | 'Í' => 'i',
        'ó' | 'ô' | 'õ' | 'Ó' | 'Ô' | 'Õ' => 'o',
        'ú' | 'ü' | 'Ú' | 'Ü' => 'u',
        'ç' | 'Ç' => 'c',
        _ => return None,
    })
}

/// The letters of a Korean syllable, by the arithmetic of Unicode (chapter 3.12): the table takes many times as long.
fn hangul(c: char) -> Option<[Option<char>; 3]> {
    let syllable = u32::from(c).checked_sub(0xAC00).filter(|syllable| *syllable < 11_172)?;
    let (lead, vowel, tail) = (syllable / 588, syllable % 588 / 28, syllable % 28);
    let tail = if tail > 0 { char::from_u32(0x11A7 + tail) } else { None };
    Some([char::from_u32(0x1100 + lead), char::from_u32(0x1161 + vowel), tail])
}

/// Whether the same letter may stand three times in a row: signs that are not ASCII are not looked at closely.
fn has_run(text: &str) -> bool {
    let bytes = text.as_bytes();
    let triples = bytes.iter().zip(bytes.iter().skip(1)).zip(bytes.iter().skip(2));
    !text.is_ascii() || triples.into_iter().any(|((a, b), c)| a == b && b == c && a.is_ascii_alphabetic())
}

/// Characters that stand for whole words or sentences: taking them apart would make a short text a very long one.
fn is_dense_ligature(c: char) -> bool {
    matches!(c, '\u{3200}'..='\u{33FF}' | '\u{FB50}'..='\u{FDFF}' | '\u{1F200}'..='\u{1F2FF}')
}

/// The letters of a character without its marks. Lower-casing can bring marks and forms of its own ("İ"), so the
/// result is taken apart once more.
fn push_bare(out: &mut String, c: char) {
    decompose_compatible(c, |part| {
        for low in part.to_lowercase() {
            decompose_compatible(low, |end| {
                if !is_combining_mark(end) && !is_drawn_on(end) {
                    out.extend(end.to_lowercase().filter(|c| !is_combining_mark(*c)));
                }
            });
        }
    });
}

fn is_drawn_on(c: char) -> bool {
    matches!(c, '\u{FE0E}' | '\u{FE0F}' | '\u{1F3FB}'..='\u{1F3FF}')
}

/// "nãoooo" is "nao"; r and s keep two, because "rr" and "ss" are spelling inside a word ("nosssa").
fn without_emphasis(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let mut run = 1;
        while c.is_alphabetic() && chars.next_if_eq(&c).is_some() {
            run += 1;
        }
        let kept = match run {
            EMPHASIS.. if matches!(c, 'r' | 's') => 2,
            EMPHASIS.. => 1,
            short => short,
        };
        out.extend(std::iter::repeat_n(c, kept));
    }
    out
}
