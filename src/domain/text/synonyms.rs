//! Different words for one thing, as customers and companies use them. The list is `config/lexicon/synonyms.txt`.

use std::sync::LazyLock;

use super::fold::fold;
use super::lexicon::{LexiconError, entries};
use super::root::root;
use super::table::Table;
use super::tokens::word_form;

const FILE: &str = "synonyms.txt";
const BUILT_IN: &str = include_str!("../../../config/lexicon/synonyms.txt");

/// From a root to the groups it is in, and from a group to its roots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Synonyms {
    groups: Vec<Vec<String>>,
    by_root: Table<String, Vec<usize>>,
}

// Empty when the file is broken: `check` is what tells, and the tests call it.
static TABLE: LazyLock<Synonyms> = LazyLock::new(|| Synonyms::parse(BUILT_IN).unwrap_or_default());

/// The roots of words that mean much the same as the one with this root, itself left out.
pub fn of(root: &str) -> impl Iterator<Item = &'static str> {
    let own = root.to_owned();
    let groups = TABLE.by_root.get(root).map(Vec::as_slice).unwrap_or_default();
    let roots = groups.iter().filter_map(|group| TABLE.groups.get(*group)).flatten();
    roots.map(String::as_str).filter(move |other| *other != own)
}

/// Whether the list that is built in can be read.
///
/// # Errors
/// The first line that cannot.
pub fn check() -> Result<(), LexiconError> {
    Synonyms::parse(BUILT_IN).map(drop)
}

impl Synonyms {
    /// Reads a list with one group of words on a line, commas between them.
    ///
    /// # Errors
    /// The first line that has less than two words, or something that is no word.
    pub fn parse(content: &str) -> Result<Self, LexiconError> {
        let mut made = Self::default();
        for entry in entries(FILE, content)? {
            let group = made.groups.len();
            let mut roots: Vec<String> = Vec::new();
            for word in entry.text.split(',').map(str::trim) {
                let form = word_form(&fold(word));
                if form.is_empty() || !form.chars().all(char::is_alphabetic) {
                    return Err(entry.error(format!("\"{word}\" is not one word of letters")));
                }
                let root = root(&form);
                if !roots.contains(&root) {
                    made.by_root.entry(root.clone()).or_default().push(group);
                    roots.push(root);
                }
            }
            if roots.len() < 2 {
                return Err(entry.error("a group has two different words or more"));
            }
            made.groups.push(roots);
        }
        Ok(made)
    }
}
