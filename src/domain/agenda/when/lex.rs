//! A text as the words, numbers and marks the grammar reads.
//!
//! Digits and letters that are written together ("15h30", "1º") are separate tokens that know they are glued.

use crate::domain::text::abbreviations;
use crate::domain::text::fold::fold;
use crate::domain::text::tokens::word_form;
use crate::domain::unicode::is_emoji;

/// More than this many tokens of one message are not even counted.
const TOKENS_MAX: usize = 4_000;
/// How many tokens of a long text are looked at from its start and from its end: what a message wants stands there, and
/// the time spent on a text stays bounded.
const TOKENS_FROM_START: usize = 260;
const TOKENS_FROM_END: usize = 140;
/// Longer runs of digits are telephone or document numbers, never a part of a time.
const DIGITS_MAX: usize = 4;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::domain::agenda) enum Kind {
    Word,
    Number,
    Mark(char),
    Emoji,
}

/// A piece of the text.
#[derive(Clone, Debug)]
pub(in crate::domain::agenda) struct Token {
    /// Folded; short forms written out.
    pub text: String,
    pub kind: Kind,
    /// Nothing stands between this and the token before.
    pub glued: bool,
    /// "é", which folding would turn into "e" (and).
    pub copula: bool,
    /// Written with an accent or a cedilla.
    pub accented: bool,
}

/// Short forms whose plural matters here, and words that are two.
const SPLIT: [(&str, &[&str]); 15] = [
    ("pras", &["para", "as"]),
    ("pros", &["para", "os"]),
    ("pro", &["para", "o"]),
    ("depoisdeamanha", &["depois", "de", "amanha"]),
    ("dps", &["depois"]),
    ("ateh", &["ate"]),
    ("inte", &["ate"]),
    ("mei", &["meio"]),
    ("manhan", &["manha"]),
    ("noitinha", &["noite"]),
    ("umas", &["umas"]),
    ("hora", &["hora"]),
    ("num", &["num"]),
    ("agr", &["agora"]),
    ("fimde", &["fim", "de"]),
];

/// The tokens of a message.
#[derive(Debug)]
pub(in crate::domain::agenda) struct Line {
    tokens: Vec<Token>,
}

impl Line {
    pub fn of(text: &str) -> Self {
        let mut tokens = Vec::with_capacity(text.len() / 5 + 2);
        let mut rest = text;
        let mut glued = false;
        while let Some(first) = rest.chars().next() {
            if tokens.len() >= TOKENS_MAX {
                break;
            }
            let class = Class::of(first);
            let len = match class {
                Class::Letter | Class::Digit => rest.find(|c| Class::of(c) != class).unwrap_or(rest.len()),
                _ => first.len_utf8(),
            };
            let (piece, after) = rest.split_at_checked(len).unwrap_or((rest, ""));
            rest = after;
            match class {
                Class::Blank => glued = false,
                Class::Nothing => {}
                _ => {
                    push(&mut tokens, piece, class, first, glued);
                    glued = true;
                }
            }
        }
        let over = tokens.len().saturating_sub(TOKENS_FROM_START + TOKENS_FROM_END);
        if over > 0 {
            // The two parts must not read as one sentence.
            let cut =
                Token { text: String::new(), kind: Kind::Mark('\n'), glued: false, copula: false, accented: false };
            tokens.splice(TOKENS_FROM_START..TOKENS_FROM_START + over, [cut]);
        }
        Self { tokens }
    }

    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    pub fn token(&self, at: usize) -> Option<&Token> {
        self.tokens.get(at)
    }

    /// The word at a place; empty when there is none.
    pub fn word(&self, at: usize) -> &str {
        self.tokens.get(at).filter(|token| token.kind == Kind::Word).map_or("", |token| token.text.as_str())
    }

    /// Whether one of the words stands at a place.
    pub fn is(&self, at: usize, words: &[&str]) -> bool {
        let word = self.word(at);
        let first = word.bytes().next();
        first.is_some() && words.iter().any(|one| one.bytes().next() == first && *one == word)
    }

    pub fn mark(&self, at: usize) -> Option<char> {
        match self.tokens.get(at)?.kind {
            Kind::Mark(mark) => Some(mark),
            _ => None,
        }
    }

    pub fn is_mark(&self, at: usize, marks: &[char]) -> bool {
        self.mark(at).is_some_and(|mark| marks.contains(&mark))
    }

    pub fn glued(&self, at: usize) -> bool {
        self.tokens.get(at).is_some_and(|token| token.glued)
    }

    /// The value and the number of digits of a number of at most four digits.
    pub fn digits(&self, at: usize) -> Option<(u32, usize)> {
        let token = self.tokens.get(at).filter(|t| t.kind == Kind::Number && t.text.len() <= DIGITS_MAX)?;
        Some((token.text.parse().ok()?, token.text.len()))
    }

    /// The first place after `at` when the words stand there one after the other; hyphens between them do not matter.
    pub fn phrase(&self, at: usize, words: &[&str]) -> Option<usize> {
        let mut here = at;
        for (index, word) in words.iter().enumerate() {
            if index > 0 && self.mark(here) == Some('-') {
                here += 1;
            }
            if self.word(here) != *word {
                return None;
            }
            here += 1;
        }
        Some(here)
    }

    /// Whether a sentence or line ends here.
    pub fn ends_sentence(&self, at: usize) -> bool {
        at >= self.tokens.len()
            || (self.is_mark(at, &['.', '!', '?', ';', '\n'])
                && !(self.glued(at + 1) && self.tokens.get(at + 1).is_some_and(|t| t.kind == Kind::Number)))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Letter,
    Digit,
    Blank,
    Nothing,
    Other,
}

impl Class {
    fn of(c: char) -> Self {
        match c {
            _ if c.is_ascii_digit() || ('\u{FF10}'..='\u{FF19}').contains(&c) => Self::Digit,
            _ if c.is_alphabetic() || ('\u{300}'..='\u{36F}').contains(&c) => Self::Letter,
            '\n' => Self::Other,
            _ if c.is_whitespace() => Self::Blank,
            '\u{20E3}' | '\u{FE0F}' | '\u{FE0E}' | '\u{200D}' | '\u{1F3FB}'..='\u{1F3FF}' => Self::Nothing,
            _ => Self::Other,
        }
    }
}

fn push(tokens: &mut Vec<Token>, piece: &str, class: Class, first: char, glued: bool) {
    let token = |text: String, kind: Kind, glued: bool| Token { text, kind, glued, copula: false, accented: false };
    if class != Class::Letter {
        let kind = match class {
            Class::Digit => Kind::Number,
            _ if is_emoji(first) => Kind::Emoji,
            _ => Kind::Mark(dash(first)),
        };
        let text = if piece.is_ascii() { piece.to_owned() } else { fold(piece) };
        tokens.push(token(text, kind, glued));
        return;
    }
    let form = word_form(&fold(piece));
    let accented = !piece.is_ascii();
    let copula = accented && form == "e";
    if let Some((_, words)) = SPLIT.iter().find(|(short, _)| *short == form) {
        tokens.extend(words.iter().map(|word| token((*word).to_owned(), Kind::Word, glued)));
        return;
    }
    match abbreviations::expand(&form).filter(|_| !is_unit(&form)) {
        Some(words) => tokens.extend(words.iter().map(|word| token(word.clone(), Kind::Word, glued))),
        None => tokens.push(Token { text: form, kind: Kind::Word, glued, copula, accented }),
    }
}

/// Written after a number these are units and no short forms.
fn is_unit(form: &str) -> bool {
    matches!(form, "h" | "hs" | "hr" | "hrs" | "min" | "mins" | "m" | "s" | "a" | "o" | "e" | "am" | "pm")
}

fn dash(c: char) -> char {
    match c {
        '–' | '—' | '−' | '‐' | '‑' => '-',
        '：' => ':',
        _ => c,
    }
}
