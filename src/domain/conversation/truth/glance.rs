//! Cheap looks at a text that tell when an expression cannot match in it. Expressions that know accents are slow, and most
//! texts hold nothing of what they look for. Every look lets through more than the expression does, never less.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// The text in lower case, and what can be told of it.
pub(super) struct Glance {
    low: String,
    /// Signs that an expression without regard to case takes for an "s" or a "k".
    odd: bool,
}

impl Glance {
    pub fn at(text: &str) -> Self {
        Self { low: text.to_lowercase(), odd: text.contains(['ſ', '\u{212A}']) }
    }

    /// Whether one of these, in lower case, may stand in the text.
    pub fn may_hold(&self, words: &[&str]) -> bool {
        self.odd || words.iter().any(|word| self.low.contains(word))
    }

    /// Whether a number may follow right after one of these words, with blanks and a colon between them.
    pub fn may_count(&self, words: &[&str]) -> bool {
        let is_first =
            |(at, _): &(usize, char)| !self.low.get(..*at).is_some_and(|before| before.ends_with(char::is_numeric));
        let mut numbers = self.low.char_indices().filter(|(_, c)| c.is_numeric()).filter(is_first);
        self.odd
            || numbers.any(|(at, _)| {
                let before = self.low.get(..at).unwrap_or_default();
                let before = before.trim_end_matches(|c: char| c == ':' || c.is_whitespace());
                words.iter().any(|word| before.ends_with(word))
            })
    }

    /// Whether a blank may follow right after one of these words.
    pub fn may_go_on(&self, words: &[&str]) -> bool {
        let stands = |token: &str, word: &&str| {
            let before = token.strip_suffix(word);
            before.is_some_and(|before| !before.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_'))
        };
        self.odd || self.low.split_whitespace().any(|token| words.iter().any(|word| stands(token, word)))
    }
}

/// Whether so many digits may stand together, with at most three blanks or signs between two of them.
pub(super) fn has_digits(text: &str, wanted: usize) -> bool {
    let (mut count, mut apart) = (0, 0);
    for c in text.chars() {
        if c.is_numeric() {
            count += 1;
            apart = 0;
        } else {
            let parts = matches!(c, '.' | '(' | ')' | '-' | '–' | '/') || c.is_whitespace();
            apart += 1;
            if !parts || apart > 3 {
                count = 0;
            }
        }
        if count >= wanted {
            return true;
        }
    }
    false
}

static LETTERS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\p{L}+").ok());

/// Where the words of letters only stand.
pub(super) fn letter_runs(text: &str) -> Vec<Range<usize>> {
    // Up to here every sign that counts as alphabetic is a letter.
    if text.chars().any(|c| c > '\u{24F}' && c.is_alphabetic()) {
        return LETTERS.iter().flat_map(|letters| letters.find_iter(text)).map(|word| word.range()).collect();
    }
    let mut runs = Vec::with_capacity(text.len() / 5 + 1);
    let mut start = None;
    for (at, c) in text.char_indices() {
        match (c.is_alphabetic(), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                runs.push(from..at);
                start = None;
            }
            _ => {}
        }
    }
    runs.extend(start.map(|from| from..text.len()));
    runs
}
