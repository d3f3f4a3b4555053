//! A written phrase as steps over numbered elements, and the walk along them.

use std::collections::HashMap;

use crate::domain::text::fold::fold;
use crate::domain::text::reading::Word;
use crate::domain::text::sound::{sound, without_ending};
use crate::domain::text::table::Parts;
use crate::domain::text::tokens::{Kind, word_form};

/// How many words `..` may stand for.
const GAP_MAX: usize = 3;
/// From this length on, in bytes, a word may be known by its sound; shorter ones sound alike too easily.
const HEARD_FROM: usize = 5;
/// The element every word has.
const ANY: u32 = 0;

/// One step of a phrase.
#[derive(Debug)]
pub(super) struct Step {
    /// What the word must be.
    pub element: u32,
    /// Whether the word may be missing.
    optional: bool,
    /// How many words of any kind may stand before it.
    gap: usize,
}

/// Everything the phrases ask of a word, numbered, so that a word is looked up once and not once a phrase.
#[derive(Debug, Default)]
pub(super) struct Elements {
    numbers: HashMap<String, u32>,
    exact: Parts<Vec<u32>>,
    prefix: Parts<Vec<u32>>,
    suffix: Parts<Vec<u32>>,
    /// Words and beginnings by their sound, for what is spelled by ear.
    heard: Parts<Vec<u32>>,
    heard_prefix: Parts<Vec<u32>>,
    kinds: Vec<(Kind, u32)>,
}

/// For each word of a text what it is, one after the other.
#[derive(Debug)]
pub(super) struct Sets {
    elements: Vec<u32>,
    ends: Vec<usize>,
    /// For each word a bit for each of its elements: what is not there need not be looked for.
    bits: Vec<u64>,
    open: u64,
}

fn bit(element: u32) -> u64 {
    1 << (element % 64)
}

impl Sets {
    pub(super) fn with_capacity(words: usize) -> Self {
        Self {
            elements: Vec::with_capacity(words * 4),
            ends: Vec::with_capacity(words),
            bits: Vec::with_capacity(words),
            open: 0,
        }
    }

    fn begin(&self) -> usize {
        self.ends.last().copied().unwrap_or_default()
    }

    fn insert(&mut self, element: u32) {
        let is_known = self.open & bit(element) != 0
            && self.elements.get(self.begin()..).is_some_and(|open| open.contains(&element));
        if !is_known {
            self.elements.push(element);
            self.open |= bit(element);
        }
    }

    fn extend(&mut self, elements: &[u32]) {
        elements.iter().for_each(|element| self.insert(*element));
    }

    fn close(&mut self) {
        self.ends.push(self.elements.len());
        self.bits.push(std::mem::take(&mut self.open));
    }

    /// Whether the word at a place is that.
    pub(super) fn has(&self, at: usize, element: u32) -> bool {
        self.bits.get(at).is_some_and(|bits| bits & bit(element) != 0) && self.of(at).contains(&element)
    }

    /// What the word at a place is.
    pub(super) fn of(&self, at: usize) -> &[u32] {
        let begin = at.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied());
        let range = begin.zip(self.ends.get(at)).map(|(begin, end)| begin..*end);
        range.and_then(|range| self.elements.get(range)).unwrap_or_default()
    }
}

impl Elements {
    /// Adds what a word is as the set of the next one.
    pub(super) fn find(&self, word: &Word, sets: &mut Sets) {
        sets.insert(ANY);
        self.kinds.iter().filter(|(kind, _)| *kind == word.kind).for_each(|(_, element)| sets.insert(*element));
        let exact = self.exact.get(&word.text);
        let mut known = exact.is_some();
        sets.extend(exact.map_or(&[], Vec::as_slice));
        for (length, found) in self.prefix.beginnings_of(&word.text) {
            known = known || length >= HEARD_FROM;
            sets.extend(found);
        }
        self.suffix.endings_of(&word.text).for_each(|found| sets.extend(found));
        // What is not known as it is written may be known by ear.
        if !known && word.kind == Kind::Word && word.text.len() >= HEARD_FROM {
            let heard = word.heard();
            sets.extend(self.heard.get(&heard.bare).map_or(&[], Vec::as_slice));
            self.heard_prefix.beginnings_of(&heard.key).for_each(|(_, found)| sets.extend(found));
        }
        sets.close();
    }

    /// The number of an element such as `quero/queria`.
    fn number(&mut self, alternatives: &str) -> Result<u32, String> {
        if alternatives == "_" {
            return Ok(ANY);
        }
        if let Some(number) = self.numbers.get(alternatives) {
            return Ok(*number);
        }
        let number = u32::try_from(self.numbers.len() + 1).map_err(|error| error.to_string())?;
        for written in alternatives.split('/') {
            self.learn(written, number)?;
        }
        self.numbers.insert(alternatives.to_owned(), number);
        Ok(number)
    }

    fn learn(&mut self, written: &str, number: u32) -> Result<(), String> {
        let kind = match written {
            "#n" => Some(Kind::Number),
            "#h" => Some(Kind::Clock),
            "#d" => Some(Kind::Date),
            _ => None,
        };
        if let Some(kind) = kind {
            self.kinds.push((kind, number));
            return Ok(());
        }
        let (beginning, ending) = (written.strip_suffix('*'), written.strip_prefix('*'));
        let folded = fold(beginning.or(ending).unwrap_or(written));
        if folded.is_empty() || folded.contains(['*', '?', '@', '#', '<', '>', '.']) {
            return Err(format!("\"{written}\" is no word"));
        }
        let too_long = || format!("\"{written}\" is too long");
        match (beginning, ending) {
            (Some(_), _) => {
                self.prefix.beginning(&folded).ok_or_else(too_long)?.push(number);
                let sound = sound(&folded);
                if folded.len() >= HEARD_FROM && sound.chars().count() >= HEARD_FROM {
                    self.heard_prefix.beginning(&sound).ok_or_else(too_long)?.push(number);
                }
            }
            (None, Some(_)) => self.suffix.ending(&folded).ok_or_else(too_long)?.push(number),
            (None, None) => {
                let form = word_form(&folded);
                if form.len() >= HEARD_FROM {
                    self.heard.beginning(&without_ending(&sound(&form))).ok_or_else(too_long)?.push(number);
                }
                self.exact.beginning(&form).ok_or_else(too_long)?.push(number);
            }
        }
        Ok(())
    }
}

/// The steps of a phrase.
pub(super) fn steps(text: &str, lists: &HashMap<String, String>, elements: &mut Elements) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    let mut gap = 0;
    for part in text.split_whitespace() {
        if part == ".." {
            gap = GAP_MAX;
            continue;
        }
        let required = part.strip_suffix('?');
        let alternatives = with_lists(required.unwrap_or(part), lists)?;
        steps.push(Step { element: elements.number(&alternatives)?, optional: required.is_some(), gap });
        gap = 0;
    }
    match steps.first() {
        Some(first) if !first.optional && first.gap == 0 && gap == 0 => Ok(steps),
        _ => Err("a phrase begins with a word that is not optional, and ends with a word".to_owned()),
    }
}

fn with_lists(part: &str, lists: &HashMap<String, String>) -> Result<String, String> {
    let known = |piece: &str| match piece.starts_with('@') {
        true => lists.get(piece).cloned().ok_or_else(|| format!("no list {piece} above this line")),
        false => Ok(piece.to_owned()),
    };
    Ok(part.split('/').map(known).collect::<Result<Vec<_>, _>>()?.join("/"))
}

/// The words of a text and what each is.
#[derive(Clone, Copy)]
pub(super) struct Walk<'a> {
    pub words: &'a [Word],
    pub sets: &'a Sets,
}

impl Walk<'_> {
    /// Where a match that begins at the word `start` ends (after its last word), when it ends at `least` or later.
    pub(super) fn end_of_match(self, steps: &[Step], start: usize, least: usize) -> Option<usize> {
        let sentence = self.words.get(start)?.sentence;
        let (_, rest) = steps.split_first()?;
        self.end(rest, start + 1, (sentence, least))
    }

    fn end(self, steps: &[Step], at: usize, (sentence, least): (usize, usize)) -> Option<usize> {
        let Some((step, rest)) = steps.split_first() else { return (at >= least).then_some(at) };
        let before = at.checked_sub(1).and_then(|at| self.words.get(at));
        for here in at..=at + step.gap {
            let Some(word) = self.words.get(here).filter(|word| word.sentence == sentence) else { break };
            if here > at && before.is_some_and(|before| before.clause != word.clause) {
                break;
            }
            if self.sets.has(here, step.element)
                && let Some(end) = self.end(rest, here + 1, (sentence, least))
            {
                return Some(end);
            }
        }
        if step.optional { self.end(rest, at, (sentence, least)) } else { None }
    }
}
