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
/// Pairs of letters are told apart by five bits each.
const PAIRS: usize = 1024;

/// Words, beginnings or endings of words. A word is looked up only for the lengths that parts with its first (or last)
/// two letters have: most words begin as nothing does.
#[derive(Clone, Debug)]
pub struct Parts<V> {
    table: Table<Box<str>, V>,
    /// For each pair of letters a bit for each length.
    lengths: Vec<u64>,
}

impl<V> Default for Parts<V> {
    fn default() -> Self {
        Self { table: Table::default(), lengths: vec![0; PAIRS] }
    }
}

fn pair((outer, inner): (u8, u8)) -> usize {
    usize::from(outer & 31) * 32 + usize::from(inner & 31)
}

fn first_two(word: &str) -> Option<(u8, u8)> {
    let mut bytes = word.bytes();
    Some((bytes.next()?, bytes.next().unwrap_or_default()))
}

fn last_two(word: &str) -> Option<(u8, u8)> {
    let mut bytes = word.bytes().rev();
    Some((bytes.next()?, bytes.next().unwrap_or_default()))
}

impl<V: Default> Parts<V> {
    /// What stands for a part whose end has these letters, at first the default. `None` when it is empty or too long.
    fn entry(&mut self, part: &str, end: Option<(u8, u8)>) -> Option<&mut V> {
        let end = end.filter(|_| part.len() <= PART_MAX)?;
        // One letter alone may have any beside it.
        let pairs = if part.len() == 1 { (0..32).map(|inner| pair((end.0, inner))).collect() } else { vec![pair(end)] };
        for at in pairs {
            *self.lengths.get_mut(at)? |= 1 << part.len();
        }
        Some(self.table.entry(part.into()).or_default())
    }

    /// What stands for a word or a beginning, at first the default; `None` when it is empty or longer than 63 bytes.
    pub fn beginning(&mut self, part: &str) -> Option<&mut V> {
        self.entry(part, first_two(part))
    }

    /// What stands for an ending, at first the default; `None` when it is empty or longer than 63 bytes.
    pub fn ending(&mut self, part: &str) -> Option<&mut V> {
        self.entry(part, last_two(part))
    }
}

impl<V> Parts<V> {
    /// What stands for a whole word.
    pub fn get(&self, word: &str) -> Option<&V> {
        let lengths = self.lengths_of(first_two(word));
        let may_stand = word.len() <= PART_MAX && lengths.0 & (1 << word.len()) != 0;
        if may_stand { self.table.get(word) } else { None }
    }

    /// The beginnings of a word, with their lengths in bytes, the shortest first.
    pub fn beginnings_of<'a>(&'a self, word: &'a str) -> impl DoubleEndedIterator<Item = (usize, &'a V)> {
        let lengths = self.lengths_of(first_two(word)).up_to(word.len());
        lengths.filter_map(|length| Some((length, self.table.get(word.get(..length)?)?)))
    }

    /// The endings of a word, the shortest first.
    pub fn endings_of<'a>(&'a self, word: &'a str) -> impl Iterator<Item = &'a V> {
        let lengths = self.lengths_of(last_two(word)).up_to(word.len());
        lengths.filter_map(|length| self.table.get(word.get(word.len().checked_sub(length)?..)?))
    }

    fn lengths_of(&self, end: Option<(u8, u8)>) -> Lengths {
        Lengths(end.and_then(|end| self.lengths.get(pair(end)).copied()).unwrap_or_default())
    }
}

/// The numbers of the bits that are set.
struct Lengths(u64);

impl Lengths {
    fn up_to(self, longest: usize) -> Self {
        if longest < PART_MAX { Self(self.0 & ((2 << longest) - 1)) } else { self }
    }
}

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
