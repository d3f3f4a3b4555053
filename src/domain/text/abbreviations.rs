//! What short forms stand for: "vc", "hj", "pfv". The list is `config/lexicon/abbreviations.txt`.

use std::sync::LazyLock;

use super::fold::fold;
use super::lexicon::{LexiconError, entries};
use super::table::Table;
use super::tokens::word_form;

const FILE: &str = "abbreviations.txt";
const BUILT_IN: &str = include_str!("../../../config/lexicon/abbreviations.txt");

// Empty when the file is broken: `check` is what tells, and the tests call it.
static TABLE: LazyLock<Table<String, Vec<String>>> = LazyLock::new(|| parse(BUILT_IN).unwrap_or_default());

/// The folded words a folded short form stands for; `None` when it is none.
pub fn expand(word: &str) -> Option<&'static [String]> {
    TABLE.get(word).map(Vec::as_slice)
}

/// Whether the list that is built in can be read.
///
/// # Errors
/// The first line that cannot.
pub fn check() -> Result<(), LexiconError> {
    parse(BUILT_IN).map(drop)
}

/// Reads a list of `short, short = words` lines.
///
/// # Errors
/// The first line that is not of that form, or a short form listed twice.
pub fn parse(content: &str) -> Result<Table<String, Vec<String>>, LexiconError> {
    let mut table: Table<String, Vec<String>> = Table::default();
    for entry in entries(FILE, content)? {
        let (short, long) = entry.sides()?;
        let words: Vec<String> = long.split_whitespace().map(|word| word_form(&fold(word))).collect();
        for short in short.split(',').map(|short| word_form(&fold(short.trim()))) {
            if short.is_empty() || !short.chars().all(char::is_alphabetic) {
                return Err(entry.error(format!("\"{short}\" is not one word of letters")));
            }
            if table.insert(short.clone(), words.clone()).is_some() {
                return Err(entry.error(format!("\"{short}\" is listed twice")));
            }
        }
    }
    Ok(table)
}
