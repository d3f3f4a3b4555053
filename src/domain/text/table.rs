//! Tables of words that are part of the program. Nobody outside chooses their keys, so their hasher is a quick one that
//! does not guard against chosen keys.

use std::collections::{HashMap, HashSet};

use foldhash::fast::FixedState;

/// What stands for a key.
pub type Table<K, V> = HashMap<K, V, FixedState>;
/// Keys.
pub type Set<K> = HashSet<K, FixedState>;

/// The longest part, in bytes.
const PART_MAX: usize = 63;

/// Beginnings or endings of words. A word is asked only for the lengths that parts with its first (or last) byte have:
/// most words begin as nothing does.
#[derive(Clone, Debug)]
pub struct Parts<V> {
    table: Table<Box<str>, V>,
    /// For each byte a bit for each length.
    lengths: Vec<u64>,
}

impl<V> Default for Parts<V> {
    fn default() -> Self {
        Self { table: Table::default(), lengths: vec![0; 256] }
    }
}

impl<V: Default> Parts<V> {
    /// What stands for a part, at first the default. `end` is the part's first byte where parts are beginnings, its last
    /// where they are endings. `None` when the part is empty or too long.
    fn entry(&mut self, part: &str, end: Option<u8>) -> Option<&mut V> {
        if part.len() > PART_MAX {
            return None;
        }
        *self.lengths.get_mut(usize::from(end?))? |= 1 << part.len();
        Some(self.table.entry(part.into()).or_default())
    }

    /// What stands for a beginning, at first the default; `None` when it is empty or longer than 63 bytes.
    pub fn beginning(&mut self, part: &str) -> Option<&mut V> {
        self.entry(part, part.bytes().next())
    }

    /// What stands for an ending, at first the default; `None` when it is empty or longer than 63 bytes.
    pub fn ending(&mut self, part: &str) -> Option<&mut V> {
        self.entry(part, part.bytes().next_back())
    }
}

impl<V> Parts<V> {
    /// The beginnings of a word, with their lengths in bytes, the shortest first.
    pub fn beginnings_of<'a>(&'a self, word: &'a str) -> impl DoubleEndedIterator<Item = (usize, &'a V)> {
        let lengths = self.lengths_of(word.bytes().next());
        lengths.filter_map(|length| Some((length, self.table.get(word.get(..length)?)?)))
    }

    /// The endings of a word, the shortest first.
    pub fn endings_of<'a>(&'a self, word: &'a str) -> impl Iterator<Item = &'a V> {
        let lengths = self.lengths_of(word.bytes().next_back());
        lengths.filter_map(|length| self.table.get(word.get(word.len().checked_sub(length)?..)?))
    }

    fn lengths_of(&self, byte: Option<u8>) -> Lengths {
        Lengths(byte.and_then(|byte| self.lengths.get(usize::from(byte)).copied()).unwrap_or_default())
    }
}

/// The numbers of the bits that are set.
struct Lengths(u64);

impl Iterator for Lengths {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let lowest = (self.0 != 0).then(|| self.0.trailing_zeros())?;
        self.0 &= self.0 - 1;
        usize::try_from(lowest).ok()
    }
}

impl DoubleEndedIterator for Lengths {
    fn next_back(&mut self) -> Option<usize> {
        let highest = self.0.checked_ilog2()?;
        self.0 &= !(1 << highest);
        usize::try_from(highest).ok()
    }
}
