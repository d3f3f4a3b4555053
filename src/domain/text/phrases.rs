//! Finds what a lexicon file looks for in a text: phrases of words, each under the section it stands in.
//!
//! How a phrase is written (the files say it again for those who extend them):
//! `word` that word, `word*` words that begin so, `*word` words that end so, `a/b` either, `word?` may be missing, `@list` one of a list that a
//! line `@list = a, b` gives, `_` any word, `..` up to three words of any kind (none beyond a comma), `#n` a number, `#h` a time with digits,
//! `#d` a date with digits, `<` at the start: nothing but politeness before, `>` at the end: nothing but politeness
//! after. Politeness is what the section `noise` finds. No phrase reaches beyond its sentence.
//! A hit that overlaps one of the section `NAME unless` does not count for `NAME`.

use std::collections::HashMap;

use super::lexicon::{LexiconError, entries};
use super::reading::{Hit, Reading, Script};

mod compile;

use compile::{Elements, Sets, Step, Walk};

/// The section whose hits are politeness.
pub const NOISE: &str = "noise";
const UNLESS: &str = " unless";

#[derive(Debug)]
struct Phrase {
    section: usize,
    from_start: bool,
    to_end: bool,
    steps: Vec<Step>,
}

/// The phrases of a file, ready to be looked for.
#[derive(Debug, Default)]
pub struct Phrases {
    sections: Vec<String>,
    elements: Elements,
    /// Politeness and all else, by the element they begin with.
    noise: Vec<Vec<Phrase>>,
    others: Vec<Vec<Phrase>>,
    /// For a section the one that takes its hits back.
    unless: Vec<Option<usize>>,
}

impl Phrases {
    /// Reads a file.
    ///
    /// # Errors
    /// The first line that is not written as above.
    pub fn parse(file: &'static str, content: &str) -> Result<Self, LexiconError> {
        let mut made = Self::default();
        let mut lists: HashMap<String, String> = HashMap::new();
        for entry in entries(file, content)? {
            if entry.text.starts_with('@') && entry.text.contains('=') {
                let (name, words) = entry.sides()?;
                let alternatives: Vec<&str> = words.split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
                if alternatives.iter().any(|word| word.contains(char::is_whitespace)) {
                    return Err(entry.error("a list holds single words, with commas between them"));
                }
                lists.insert(name.to_owned(), alternatives.join("/"));
                continue;
            }
            if entry.section.is_empty() {
                return Err(entry.error("a phrase stands below a [section]"));
            }
            let section = made.section_number(entry.section);
            let phrase = made.compile(section, entry.text, &lists).map_err(|problem| entry.error(problem))?;
            made.add(entry.section == NOISE, phrase);
        }
        made.link_exceptions();
        Ok(made)
    }

    /// Reads a file that must have certain sections.
    ///
    /// # Errors
    /// The first line that is not written as above, or the section that is missing (as line 0).
    pub fn parse_with(file: &'static str, content: &str, sections: &[&str]) -> Result<Self, LexiconError> {
        let made = Self::parse(file, content)?;
        match sections.iter().find(|name| made.section(name).is_none()) {
            Some(name) => Err(LexiconError { file, line: 0, problem: format!("the section [{name}] is missing") }),
            None => Ok(made),
        }
    }

    /// The names of the sections, in the order of their first phrase.
    pub fn sections(&self) -> &[String] {
        &self.sections
    }

    /// The number of a section; `None` when the file has no such section.
    pub fn section(&self, name: &str) -> Option<usize> {
        self.sections.iter().position(|section| section == name)
    }

    /// Reads a text: its words, and what the phrases find in it.
    pub fn read(&self, text: &str) -> Reading {
        self.read_in(&Script::of(text))
    }

    /// The same for a text that is words already.
    pub fn read_in(&self, script: &Script<'_>) -> Reading {
        let words = script.words();
        let mut sets = Sets::with_capacity(words.len());
        words.iter().for_each(|word| self.elements.find(word, &mut sets));
        let walk = Walk { words, sets: &sets };
        let (mut noise, mut hits) = (Vec::new(), Vec::new());
        search(&self.noise, walk, &noise, &mut hits);
        if !hits.is_empty() {
            noise.resize(words.len(), false);
        }
        for hit in &hits {
            noise.get_mut(hit.start..hit.end).unwrap_or_default().fill(true);
        }
        search(&self.others, walk, &noise, &mut hits);
        self.take_back(&mut hits);
        Reading::new(script, noise, hits)
    }

    /// Takes back what the exceptions of its section overlap.
    fn take_back(&self, hits: &mut Vec<Hit>) {
        let unless = |hit: &Hit| self.unless.get(hit.section).copied().flatten();
        if !hits.iter().any(|hit| unless(hit).is_some()) {
            return;
        }
        let exceptions = hits.clone();
        hits.retain(|hit| {
            let unless = unless(hit);
            let overlaps =
                |other: &Hit| Some(other.section) == unless && other.start < hit.end && hit.start < other.end;
            unless.is_none() || !exceptions.iter().any(overlaps)
        });
    }

    fn section_number(&mut self, name: &str) -> usize {
        self.section(name).unwrap_or_else(|| {
            self.sections.push(name.to_owned());
            self.sections.len() - 1
        })
    }

    fn compile(&mut self, section: usize, text: &str, lists: &HashMap<String, String>) -> Result<Phrase, String> {
        let mut parts = text;
        let from_start = parts.strip_prefix('<').inspect(|rest| parts = rest).is_some();
        let to_end = parts.strip_suffix('>').inspect(|rest| parts = rest).is_some();
        let steps = compile::steps(parts, lists, &mut self.elements)?;
        Ok(Phrase { section, from_start, to_end, steps })
    }

    fn add(&mut self, is_noise: bool, phrase: Phrase) {
        let by_first = if is_noise { &mut self.noise } else { &mut self.others };
        let Some(first) = phrase.steps.first().and_then(|first| usize::try_from(first.element).ok()) else { return };
        if by_first.len() <= first {
            by_first.resize_with(first + 1, Vec::new);
        }
        if let Some(phrases) = by_first.get_mut(first) {
            phrases.push(phrase);
        }
    }

    fn link_exceptions(&mut self) {
        let of = |name: &String| self.section(&format!("{name}{UNLESS}"));
        self.unless = self.sections.iter().map(of).collect();
    }
}

fn search(by_first: &[Vec<Phrase>], walk: Walk<'_>, noise: &[bool], hits: &mut Vec<Hit>) {
    if by_first.is_empty() {
        return;
    }
    let lead = noise.iter().take_while(|noise| **noise).count();
    let tail = walk.words.len() - noise.iter().rev().take_while(|noise| **noise).count();
    for start in 0..walk.words.len() {
        let elements = walk.sets.of(start).iter().filter_map(|element| usize::try_from(*element).ok());
        for phrase in elements.filter_map(|element| by_first.get(element)).flatten() {
            if phrase.from_start && start > lead {
                continue;
            }
            let least = if phrase.to_end { tail } else { 0 };
            if let Some(end) = walk.end_of_match(&phrase.steps, start, least) {
                hits.push(Hit { section: phrase.section, start, end });
            }
        }
    }
}
