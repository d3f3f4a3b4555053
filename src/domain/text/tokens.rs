//! A text as words, numbers, emoji and marks, with the short forms written out.

use super::abbreviations;
use super::fold::fold;
use crate::domain::unicode::is_emoji;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Letters ("amanha").
    Word,
    /// Digits only ("15"); an amount with a point ("1.200") too.
    Number,
    /// A time of day with digits ("15h", "15h30", "15:30").
    Clock,
    /// A date with digits ("05/12", "5-12-2026").
    Date,
    /// One emoji character.
    Emoji,
    /// Punctuation or a line break: one character.
    Mark,
}

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The folded text; of a short form the word it stands for.
    pub text: String,
    /// What it is.
    pub kind: Kind,
    /// Where the written form begins in the folded text, in bytes.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
}

/// The tokens of a text as it was written.
pub fn tokens(text: &str) -> Vec<Token> {
    tokens_of_folded(&fold(text))
}

/// The tokens of a text that went through [`fold`] already; the positions are positions in `folded`.
pub fn tokens_of_folded(folded: &str) -> Vec<Token> {
    let mut out = Vec::with_capacity(folded.len() / 5 + 1);
    spans(folded).into_iter().for_each(|span| push(&mut out, folded, span));
    out
}

/// Where a token stands in a folded text, short forms as they are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub kind: Kind,
    start: usize,
    end: usize,
}

impl Span {
    /// What is written there.
    pub fn of(self, folded: &str) -> &str {
        folded.get(self.start..self.end).unwrap_or_default()
    }
}

/// The places of the tokens of a folded text.
pub(super) fn spans(folded: &str) -> Vec<Span> {
    let mut out = Vec::with_capacity(folded.len() / 5 + 1);
    let mut next = 0;
    for (start, c) in folded.char_indices() {
        if start < next || (c.is_whitespace() && c != '\n') {
            continue;
        }
        let (kind, end) = match c {
            _ if c.is_ascii_digit() => digits(folded, start),
            _ if c.is_alphabetic() => (Kind::Word, run_end(folded, start, char::is_alphabetic)),
            _ if is_emoji(c) => (Kind::Emoji, start + c.len_utf8()),
            _ => (Kind::Mark, start + c.len_utf8()),
        };
        out.push(Span { kind, start, end });
        next = end;
    }
    out
}

/// The form a folded word is looked up by: a last letter typed twice counts once ("oii", "naoo").
pub fn word_form(word: &str) -> String {
    form(word).to_owned()
}

/// The same, as the part of the word it is.
pub(super) fn form(word: &str) -> &str {
    let mut form = word;
    while let Some(shorter) = without_doubled_end(form) {
        form = shorter;
    }
    form
}

fn without_doubled_end(word: &str) -> Option<&str> {
    let mut chars = word.chars().rev();
    let last = chars.next().filter(|c| c.is_alphabetic())?;
    (chars.next() == Some(last)).then(|| word.strip_suffix(last)).flatten()
}

fn push(out: &mut Vec<Token>, folded: &str, span: Span) {
    let (written, Span { kind, start, end }) = (span.of(folded), span);
    if kind != Kind::Word {
        out.push(Token { text: written.to_owned(), kind, start, end });
        return;
    }
    let form = form(written);
    match abbreviations::expand(form) {
        Some(words) => out.extend(words.iter().map(|word| Token { text: word.clone(), kind, start, end })),
        None => out.push(Token { text: form.to_owned(), kind, start, end }),
    }
}

fn run_end(text: &str, start: usize, belongs: impl Fn(char) -> bool) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    start + rest.find(|c| !belongs(c)).unwrap_or(rest.len())
}

/// What begins with a digit: "15", "15h", "15h30", "15:30", "05/12/2026".
fn digits(text: &str, start: usize) -> (Kind, usize) {
    let is_digit = |c: char| c.is_ascii_digit();
    let number = run_end(text, start, is_digit);
    let rest = text.get(number..).unwrap_or_default();
    if rest.strip_prefix([':', 'h']).is_some_and(|minutes| minutes.starts_with(is_digit)) {
        let minutes = run_end(text, number + 1, is_digit);
        let unit = run_end(text, minutes, char::is_alphabetic);
        let has_unit = matches!(text.get(minutes..unit), Some("h" | "hs" | "hrs" | "min" | "m"));
        return (Kind::Clock, if has_unit { unit } else { minutes });
    }
    let unit = run_end(text, number, char::is_alphabetic);
    if matches!(text.get(number..unit), Some("h" | "hs" | "hr" | "hrs" | "hora" | "horas")) {
        return (Kind::Clock, unit);
    }
    match separated_end(text, number) {
        Some(end) if is_amount(text.get(number..end).unwrap_or_default()) => (Kind::Number, end),
        Some(end) => (Kind::Date, end),
        None => (Kind::Number, number),
    }
}

/// Where groups of digits with `/`, `-` or `.` between them end; `None` when none follows.
fn separated_end(text: &str, number: usize) -> Option<usize> {
    let mut end = number;
    while let Some(rest) = text.get(end..).and_then(|rest| rest.strip_prefix(['/', '-', '.']))
        && rest.starts_with(|c: char| c.is_ascii_digit())
    {
        end = run_end(text, end + 1, |c| c.is_ascii_digit());
    }
    (end > number).then_some(end)
}

fn is_amount(groups: &str) -> bool {
    groups.starts_with('.') && groups.matches(['/', '-', '.']).count() == 1
}
