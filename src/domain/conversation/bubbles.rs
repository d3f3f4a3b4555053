//! From a model's text to WhatsApp bubbles: no Markdown, at most two bubbles of 300 characters, cut at sentences.

use std::sync::LazyLock;

use regex::Regex;

use crate::domain::text::MessageText;

/// Most characters of a bubble.
pub const BUBBLE_MAX: usize = 300;
/// Most bubbles of an answer.
pub const BUBBLES_MAX: usize = 2;

/// Cuts a text into bubbles. Empty when nothing is left to say.
pub fn bubbles(text: &str) -> Vec<String> {
    // Cleaned like what comes in: no control or invisible characters leave, and an echo compares equal.
    let Some(text) = MessageText::clean(&plain(text)) else { return Vec::new() };
    let mut rest = text.as_str();
    let mut out = Vec::new();
    while !rest.is_empty() && out.len() < BUBBLES_MAX {
        let end = cut(rest);
        let (bubble, after) = rest.split_at(end);
        out.push(bubble.trim_end().to_owned());
        rest = after.trim_start();
    }
    out
}

/// Where the next bubble ends, in bytes: all of it, the last paragraph, sentence, word, or hard at the limit.
fn cut(text: &str) -> usize {
    let Some((limit, _)) = text.char_indices().nth(BUBBLE_MAX) else {
        return text.len();
    };
    let head = text.get(..limit).unwrap_or(text);
    let after = |found: &str| head.rfind(found).map(|at| at + found.len());
    // A cut in the first third would leave a stump.
    let decent = |at: &usize| *at > limit / 3;
    let sentence = ["\n\n", "\n", ". ", "! ", "? ", "… ", "; "]
        .iter()
        .take(2)
        .find_map(|mark| after(mark).filter(decent))
        .or_else(|| [". ", "! ", "? ", "… "].iter().filter_map(|mark| after(mark)).filter(decent).max());
    sentence.or_else(|| after(" ")).unwrap_or(limit)
}

struct Rewrite {
    from: Regex,
    to: &'static str,
}

static MARKDOWN: LazyLock<Vec<Rewrite>> = LazyLock::new(|| {
    [
        (r"(?m)^\s{0,3}#{1,6}\s+", ""),
        (r"(?m)^\s*```.*$", ""),
        (r"`([^`\n]*)`", "$1"),
        (r"\*\*([^*\n]+)\*\*", "*$1*"),
        (r"__([^_\n]+)__", "_${1}_"),
        (r"~~([^~\n]+)~~", "~$1~"),
        (r"!?\[([^\]\n]+)\]\(([^)\s]+)\)", "$1: $2"),
        (r"(?m)^\s*[*+]\s+", "- "),
        (r"(?m)^\s*>\s?", ""),
        (r"(?m)^\s*([-*_]\s*){3,}$", ""),
        (r"\n{3,}", "\n\n"),
    ]
    .into_iter()
    .filter_map(|(from, to)| Some(Rewrite { from: Regex::new(from).ok()?, to }))
    .collect()
});

fn plain(text: &str) -> String {
    MARKDOWN.iter().fold(text.to_owned(), |text, rule| rule.from.replace_all(&text, rule.to).into_owned())
}

/// A text that the token ceiling cut: up to its last whole sentence. `None` when there is none.
pub fn whole_sentences(text: &str) -> Option<&str> {
    let end = text.rfind(['.', '!', '?', '…'])?;
    let mark = text.get(end..)?.chars().next()?;
    text.get(..end + mark.len_utf8())
}
