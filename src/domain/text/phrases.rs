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
use super::reading::{ElementSet, Hit, Reading, Word, words};

mod compile;

use compile::{Elements, Step};

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
    phrases: Vec<Phrase>,
    by_first: HashMap<usize, Vec<usize>>,
    noise: Option<usize>,
    /// For a section the one that takes its hits back.
    unless: HashMap<usize, usize>,
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
            let number = made.phrases.len();
            if let Some(first) = phrase.steps.first() {
                made.by_first.entry(first.element).or_default().push(number);
            }
            made.phrases.push(phrase);
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
        let mut words = words(text);
        let sets: Vec<ElementSet> = words.iter().map(|word| self.elements.of(word)).collect();
        let mut hits = Vec::new();
        let is_noise = |phrase: &&Phrase| Some(phrase.section) == self.noise;
        self.search(&words, &sets, &mut hits, |phrase| is_noise(&phrase));
        for hit in &hits {
            words.iter_mut().take(hit.end).skip(hit.start).for_each(|word| word.noise = true);
        }
        self.search(&words, &sets, &mut hits, |phrase| !is_noise(&phrase));
        let exceptions = hits.clone();
        hits.retain(|hit| {
            let unless = self.unless.get(&hit.section);
            let overlaps =
                |other: &Hit| Some(&other.section) == unless && other.start < hit.end && hit.start < other.end;
            unless.is_none() || !exceptions.iter().any(overlaps)
        });
        Reading::new(words, hits)
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

    fn link_exceptions(&mut self) {
        self.noise = self.section(NOISE);
        for (number, name) in self.sections.iter().enumerate() {
            if let Some(of) = name.strip_suffix(UNLESS).and_then(|of| self.section(of)) {
                self.unless.insert(of, number);
            }
        }
    }

    fn search(&self, words: &[Word], sets: &[ElementSet], hits: &mut Vec<Hit>, wanted: impl Fn(&Phrase) -> bool) {
        let lead = words.iter().take_while(|word| word.noise).count();
        let tail = words.len() - words.iter().rev().take_while(|word| word.noise).count();
        for (start, set) in sets.iter().enumerate() {
            for number in set.iter().filter_map(|element| self.by_first.get(&element)).flatten() {
                let Some(phrase) = self.phrases.get(*number).filter(|phrase| wanted(phrase)) else { continue };
                if phrase.from_start && start > lead {
                    continue;
                }
                let least = if phrase.to_end { tail } else { 0 };
                if let Some(end) = compile::end_of_match(&phrase.steps, words, sets, start, least) {
                    hits.push(Hit { section: phrase.section, start, end });
                }
            }
        }
    }
}
