//! Words that say nothing of what a text is about. The list is `config/lexicon/stopwords.txt`.

use std::sync::LazyLock;

use super::fold::fold;
use super::lexicon::{LexiconError, entries};
use super::table::Set;
use super::tokens::word_form;

const FILE: &str = "stopwords.txt";
const BUILT_IN: &str = include_str!("../../../config/lexicon/stopwords.txt");

// Empty when the file is broken: `check` is what tells, and the tests call it.
static WORDS: LazyLock<Set<String>> = LazyLock::new(|| parse(BUILT_IN).unwrap_or_default());

/// Whether a folded word is one. Single letters are, whatever the list says.
pub fn is_stop_word(word: &str) -> bool {
    let mut chars = word.chars();
    let one_letter = chars.next().is_some_and(char::is_alphabetic) && chars.next().is_none();
    one_letter || WORDS.contains(word)
}

/// Whether the list that is built in can be read.
///
/// # Errors
/// The first line that cannot.
pub fn check() -> Result<(), LexiconError> {
    parse(BUILT_IN).map(drop)
}

/// Reads a list of words, any number on a line.
///
/// # Errors
/// The first line with something that is no word.
pub fn parse(content: &str) -> Result<Set<String>, LexiconError> {
    let mut words = Set::default();
    for entry in entries(FILE, content)? {
        for word in entry.text.split_whitespace() {
            let form = word_form(&fold(word));
            if form.is_empty() || !form.chars().all(char::is_alphabetic) {
                return Err(entry.error(format!("\"{word}\" is not one word of letters")));
            }
            words.insert(form);
        }
    }
    Ok(words)
}
