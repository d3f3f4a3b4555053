//! A written phrase as steps over numbered elements, and the walk along them.

use std::collections::HashMap;

use crate::domain::text::fold::fold;
use crate::domain::text::reading::{ElementSet, Word};
use crate::domain::text::sound::{sound, without_ending};
use crate::domain::text::tokens::{Kind, word_form};

/// How many words `..` may stand for.
const GAP_MAX: usize = 3;
/// From this length on, in bytes, a word may be known by its sound; shorter ones sound alike too easily.
const HEARD_FROM: usize = 5;
/// The element every word has.
const ANY: usize = 0;

/// One step of a phrase.
#[derive(Debug)]
pub(super) struct Step {
    /// What the word must be.
    pub element: usize,
    /// Whether the word may be missing.
    optional: bool,
    /// How many words of any kind may stand before it.
    gap: usize,
}

/// Everything the phrases ask of a word, numbered, so that a word is looked up once and not once a phrase.
#[derive(Debug, Default)]
pub(super) struct Elements {
    numbers: HashMap<String, usize>,
    exact: HashMap<String, Vec<usize>>,
    prefix: HashMap<String, Vec<usize>>,
    suffix: HashMap<String, Vec<usize>>,
    longest_part: usize,
    /// Words and beginnings by their sound, for what is spelled by ear.
    heard: HashMap<String, Vec<usize>>,
    heard_prefix: HashMap<String, Vec<usize>>,
    kinds: HashMap<Kind, Vec<usize>>,
}

impl Elements {
    /// What a word is.
    pub(super) fn of(&self, word: &Word) -> ElementSet {
        let mut set = ElementSet::default();
        set.insert(ANY);
        let mut add = |found: Option<&Vec<usize>>| found.into_iter().flatten().for_each(|element| set.insert(*element));
        add(self.kinds.get(&word.kind));
        let exact = self.exact.get(&word.text);
        let mut known = exact.is_some();
        add(exact);
        for (at, c) in word.text.char_indices().take(self.longest_part) {
            let end = at + c.len_utf8();
            let found = word.text.get(..end).and_then(|prefix| self.prefix.get(prefix));
            known = known || (found.is_some() && end >= HEARD_FROM);
            add(found);
        }
        for (at, _) in word.text.char_indices().rev().take(self.longest_part) {
            add(word.text.get(at..).and_then(|suffix| self.suffix.get(suffix)));
        }
        if !known && word.kind == Kind::Word {
            self.add_heard(&word.text, &mut set);
        }
        set
    }

    /// What a word is that is not known as it is written.
    fn add_heard(&self, word: &str, set: &mut ElementSet) {
        if word.len() < HEARD_FROM {
            return;
        }
        let key = sound(word);
        let mut add = |found: Option<&Vec<usize>>| found.into_iter().flatten().for_each(|element| set.insert(*element));
        add(self.heard.get(&without_ending(&key)));
        for (at, c) in key.char_indices().take(self.longest_part).skip(HEARD_FROM - 1) {
            add(key.get(..at + c.len_utf8()).and_then(|prefix| self.heard_prefix.get(prefix)));
        }
    }

    /// The number of an element such as `quero/queria`.
    fn number(&mut self, alternatives: &str) -> Result<usize, String> {
        if alternatives == "_" {
            return Ok(ANY);
        }
        if let Some(number) = self.numbers.get(alternatives) {
            return Ok(*number);
        }
        let number = self.numbers.len() + 1;
        for written in alternatives.split('/') {
            self.learn(written, number)?;
        }
        self.numbers.insert(alternatives.to_owned(), number);
        Ok(number)
    }

    fn learn(&mut self, written: &str, number: usize) -> Result<(), String> {
        let kind = match written {
            "#n" => Some(Kind::Number),
            "#h" => Some(Kind::Clock),
            "#d" => Some(Kind::Date),
            _ => None,
        };
        if let Some(kind) = kind {
            self.kinds.entry(kind).or_default().push(number);
            return Ok(());
        }
        let (beginning, ending) = (written.strip_suffix('*'), written.strip_prefix('*'));
        let folded = fold(beginning.or(ending).unwrap_or(written));
        if folded.is_empty() || folded.contains(['*', '?', '@', '#', '<', '>', '.']) {
            return Err(format!("\"{written}\" is no word"));
        }
        let (table, key) = match (beginning, ending) {
            (Some(_), _) => (&mut self.prefix, folded),
            (None, Some(_)) => (&mut self.suffix, folded),
            (None, None) => (&mut self.exact, word_form(&folded)),
        };
        match (beginning, ending) {
            (Some(_), _) if key.len() >= HEARD_FROM => {
                self.heard_prefix.entry(sound(&key)).or_default().push(number);
            }
            (None, None) if key.len() >= HEARD_FROM => {
                self.heard.entry(without_ending(&sound(&key))).or_default().push(number);
            }
            _ => {}
        }
        if beginning.or(ending).is_some() {
            self.longest_part = self.longest_part.max(key.chars().count());
        }
        table.entry(key).or_default().push(number);
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

/// Where a match that begins at the word `start` ends (after its last word), when it ends at `least` or later.
pub(super) fn end_of_match(
    steps: &[Step],
    words: &[Word],
    sets: &[ElementSet],
    start: usize,
    least: usize,
) -> Option<usize> {
    let sentence = words.get(start)?.sentence;
    let walk = Walk { words, sets, sentence, least };
    let (_, rest) = steps.split_first()?;
    walk.end(rest, start + 1)
}

struct Walk<'a> {
    words: &'a [Word],
    sets: &'a [ElementSet],
    sentence: usize,
    least: usize,
}

impl Walk<'_> {
    fn end(&self, steps: &[Step], at: usize) -> Option<usize> {
        let Some((step, rest)) = steps.split_first() else { return (at >= self.least).then_some(at) };
        let before = at.checked_sub(1).and_then(|at| self.words.get(at));
        for here in at..=at + step.gap {
            let Some(word) = self.words.get(here).filter(|word| word.sentence == self.sentence) else { break };
            if here > at && before.is_some_and(|before| before.clause != word.clause) {
                break;
            }
            if self.sets.get(here).is_some_and(|set| set.contains(step.element))
                && let Some(end) = self.end(rest, here + 1)
            {
                return Some(end);
            }
        }
        if step.optional { self.end(rest, at) } else { None }
    }
}
