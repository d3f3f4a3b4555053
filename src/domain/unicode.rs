//! Which characters of Unicode may pass: the rules behind the cleaning of texts and names.

use std::ops::RangeInclusive;

use unicode_normalization::char::is_combining_mark;

/// Zero width joiner: glues emoji into one ("👩‍🏫"), and hides between letters.
pub const ZWJ: char = '\u{200D}';
/// Regional indicators; two of them make a flag.
pub const REGIONAL_INDICATORS: RangeInclusive<char> = '\u{1F1E6}'..='\u{1F1FF}';

const BLACK_FLAG: char = '\u{1F3F4}';
const KEYCAP: char = '\u{20E3}';
const TAGS: RangeInclusive<char> = '\u{E0020}'..='\u{E007F}';
const CANCEL_TAG: char = '\u{E007F}';
const SKIN_TONES: RangeInclusive<char> = '\u{1F3FB}'..='\u{1F3FF}';
/// Every flag that is written with tag characters (Unicode's list of emoji for general interchange): England,
/// Scotland, Wales. Any other tag sequence is hidden text.
const TAG_FLAGS: [&str; 3] = ["gbeng", "gbsct", "gbwls"];

/// Whether the character is, or can be drawn as, an emoji. Whole blocks instead of Unicode's list: a symbol too many
/// does no harm, an emoji of next year missing would.
pub fn is_emoji(c: char) -> bool {
    matches!(c,
        '\u{A9}' | '\u{AE}' | '\u{203C}' | '\u{2049}' | '\u{2122}' | '\u{2139}' | '\u{24C2}' | '\u{3030}'
        | '\u{303D}' | '\u{3297}' | '\u{3299}'
        | '\u{2190}'..='\u{21FF}' | '\u{2300}'..='\u{23FF}' | '\u{25A0}'..='\u{27BF}' | '\u{2900}'..='\u{297F}'
        | '\u{2B00}'..='\u{2BFF}' | '\u{1F000}'..='\u{1FAFF}')
}

/// Characters that are invisible by themselves but part of emoji: joiner, the two presentation selectors, keycap, tags.
pub fn is_emoji_glue(c: char) -> bool {
    c == ZWJ || is_presentation(c) || c == KEYCAP || TAGS.contains(&c)
}

/// What a person's name may consist of besides emoji: letters, digits, accents, blanks and the signs names carry.
/// No brace, bracket, angle, quote, backtick, colon, slash or the like: they structure prompts, templates and URLs.
pub fn is_name_char(c: char) -> bool {
    c.is_alphanumeric()
        || c == ' '
        || (is_combining_mark(c) && !is_invisible(c))
        || matches!(c, '\'' | '’' | '-' | '–' | '.' | ',' | '(' | ')' | '&' | '+' | '!' | '?' | '·')
}

/// Whether the character is one that cleaning never touches, whatever stands beside it: printable ASCII and the letters
/// and signs of western European languages. All of them are composed already (NFC), visible, and nobody's glue.
pub fn is_ordinary(c: char) -> bool {
    matches!(c, ' '..='~' | '\u{A1}'..='\u{AC}' | '\u{AE}'..='\u{17F}')
}

/// Whether the character is drawn onto the one before it, so that a cut must not fall between them.
pub fn extends_previous(c: char) -> bool {
    is_combining_mark(c) || is_emoji_glue(c) || SKIN_TONES.contains(&c)
}

/// The text without what cannot be seen. `\n` is the only control character that stays.
pub fn without_invisible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        let keep = match c {
            ZWJ => joins_emoji(&out, rest.clone().next()),
            _ if is_presentation(c) => out.chars().next_back().is_some_and(takes_presentation),
            '\n' => true,
            _ => !is_invisible(c),
        };
        if keep {
            out.push(c);
        }
        if c == BLACK_FLAG
            && let Some(tags) = tag_flag(rest.as_str())
        {
            out.push_str(tags);
            rest = rest.as_str().get(tags.len()..).unwrap_or_default().chars();
        }
    }
    out
}

/// Text (U+FE0E) or emoji (U+FE0F) presentation of the character before.
fn is_presentation(c: char) -> bool {
    matches!(c, '\u{FE0E}' | '\u{FE0F}')
}

fn takes_presentation(c: char) -> bool {
    is_emoji(c) || matches!(c, '#' | '*' | '0'..='9')
}

fn joins_emoji(before: &str, after: Option<char>) -> bool {
    let base = before.chars().rev().find(|c| !is_presentation(*c));
    base.is_some_and(is_emoji) && after.is_some_and(is_emoji)
}

/// The tag characters at the start of `rest` when they spell one of the flags, their end mark included.
fn tag_flag(rest: &str) -> Option<&str> {
    let end = rest.char_indices().take(7).find(|(_, c)| *c == CANCEL_TAG).map(|(at, c)| at + c.len_utf8())?;
    let tags = rest.get(..end)?;
    let spelled: Option<String> = tags
        .chars()
        .filter(|c| *c != CANCEL_TAG)
        .map(|c| u32::from(c).checked_sub(0xE0000).and_then(char::from_u32).filter(char::is_ascii))
        .collect();
    TAG_FLAGS.contains(&spelled?.as_str()).then_some(tags)
}

/// Controls, bidi controls, zero-width and filler characters, selectors, tags, private use and non-characters.
fn is_invisible(c: char) -> bool {
    c.is_control() || is_format_or_filler(c) || is_private_or_noncharacter(c)
}

fn is_format_or_filler(c: char) -> bool {
    matches!(c,
        '\u{AD}' | '\u{34F}' | '\u{600}'..='\u{605}' | '\u{61C}' | '\u{6DD}' | '\u{70F}' | '\u{8E2}'
        | '\u{890}' | '\u{891}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}'
        | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{13430}'..='\u{1343F}'
        | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

fn is_private_or_noncharacter(c: char) -> bool {
    let code = u32::from(c);
    matches!(code, 0xE000..=0xF8FF | 0xFDD0..=0xFDEF | 0xF_0000..=0x10_FFFF) || code & 0xFFFE == 0xFFFE
}
