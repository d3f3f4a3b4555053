//! Finds what a question asks for: by words and by likeness, the two orders fused (reciprocal rank fusion, Cormack and
//! others, 2009), nothing below a floor.
//!
//! Built once for a company's whole knowledge and held in memory; a search is some hundred set look-ups and dot products.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::NaiveDate;

use super::facts::Fact;
use super::{Draft, Validity, one_line};
use crate::domain::embedding::Embedding;
use crate::domain::text::hashing::content_roots;
use crate::domain::text::root::root;
use crate::domain::text::sound::{sound, without_ending};
use crate::domain::text::stopwords::is_stop_word;
use crate::domain::text::synonyms;
use crate::domain::text::tokens::{Kind, tokens};

/// Longer texts are cut into passages of about this many characters, so that the prompt gets what was asked for only.
const PASSAGE_CHARS: usize = 600;
/// The share of a sentence's words, by weight, that a passage must have.
const WORDS_FLOOR: f64 = 0.5;
/// From how many words on a sentence is long, and the share that is enough then when it names the title.
const LONG: usize = 4;
const LONG_FLOOR: f64 = 0.08;
/// How slowly a place in an order loses weight; the value of the paper.
const FUSION: f64 = 60.0;
/// A stop word that stands for something ("onde", "quanto") counts less than a word.
const WEAK: f64 = 0.4;
/// What a word counts when another word for it, or another spelling of its sound, is found.
const SYNONYM: f64 = 0.8;
const SOUND: f64 = 0.7;
/// Words of a title count more than those of the text when passages are put in order.
const TITLE: f64 = 1.5;

/// Characters of the prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// For entries.
    pub entries: usize,
    /// For facts.
    pub facts: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { entries: 2_400, facts: 1_600 }
    }
}

/// A question.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// As it was asked.
    pub text: &'a str,
    /// As numbers of a provider's space, where there is one; hashed numbers are made here.
    pub embedding: Option<&'a Embedding>,
    /// Today, where the company is.
    pub today: NaiveDate,
}

/// What is known about a question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Passages, `title: text`, best first.
    pub entries: Vec<String>,
    /// Facts as lines: those asked for first, then the others as far as they fit.
    pub facts: Vec<String>,
    /// Whether anything is about what was asked.
    pub found: bool,
}

/// Something that can be found: a passage of an entry, or a fact.
struct Unit {
    line: String,
    is_fact: bool,
    validity: Validity,
    title: HashSet<String>,
    all: HashSet<String>,
    hashed: [Option<Embedding>; 2],
    embedding: Option<Embedding>,
}

/// A company's knowledge, ready to be searched.
#[derive(Default)]
pub struct Index {
    units: Vec<Unit>,
    /// In how many units a root stands.
    frequency: HashMap<String, usize>,
    by_sound: HashMap<String, String>,
}

impl Index {
    /// Takes entries, with their numbers where a provider made some, and facts. Facts that are not offered are left out.
    pub fn new<'a>(
        entries: impl Iterator<Item = (&'a Draft, Option<&'a Embedding>)>,
        facts: impl Iterator<Item = &'a Fact>,
    ) -> Self {
        let mut made = Self::default();
        for (entry, embedding) in entries {
            for passage in passages(&entry.body) {
                let text = format!("{} {passage}", entry.title);
                let line = format!("{}: {}", entry.title, one_line(&passage));
                let unit = Unit::new(line, (&entry.title, &text), embedding.cloned());
                made.add(Unit { validity: entry.validity, ..unit });
            }
        }
        for fact in facts.filter(|fact| fact.active) {
            let unit = Unit::new(fact.line(), (&fact.name, &fact.asked_by()), None);
            made.add(Unit { is_fact: true, ..unit });
        }
        made
    }

    fn add(&mut self, unit: Unit) {
        for root in &unit.all {
            *self.frequency.entry(root.clone()).or_default() += 1;
            self.by_sound.entry(heard(root)).or_insert_with(|| root.clone());
        }
        self.units.push(unit);
    }

    /// Whether there is nothing to be found.
    pub fn is_empty(&self) -> bool {
        self.units.is_empty()
    }

    /// Whether an entry has numbers of a provider's space, so that a question in that space is worth asking for.
    pub fn has_embeddings(&self) -> bool {
        self.units.iter().any(|unit| unit.embedding.is_some())
    }

    /// What is known about a question, within a budget.
    pub fn search(&self, question: Question<'_>, budget: Budget) -> Found {
        let ranked = self.ranked(question);
        let mut out = Found { found: !ranked.is_empty(), ..Found::default() };
        let mut left = budget.entries;
        for unit in ranked.iter().filter(|unit| !unit.is_fact) {
            take(&mut out.entries, &unit.line, &mut left);
        }
        let mut left = budget.facts;
        let others = self.units.iter().filter(|unit| !ranked.iter().any(|one| std::ptr::eq(*one, *unit)));
        for unit in ranked.iter().copied().chain(others).filter(|unit| unit.is_fact) {
            take(&mut out.facts, &unit.line, &mut left);
        }
        out
    }

    /// The units about the question, best first.
    fn ranked(&self, question: Question<'_>) -> Vec<&Unit> {
        // Each sentence may ask for something of its own; greetings and reasons around it do not make it less.
        let sentences: Vec<Vec<Term>> =
            question.text.split(['.', '!', '?', ';', '\n']).map(|s| self.terms(s)).collect();
        let hashed = Embedding::hashed(question.text);
        let mut scored: Vec<Scored<'_>> = Vec::new();
        for unit in self.units.iter().filter(|unit| unit.validity.holds(question.today)) {
            let asked = sentences.iter().filter(|terms| unit.answers(terms));
            let words = asked.map(|terms| unit.score(terms)).fold(0.0, f64::max);
            let (likeness, near) = match unit.provided(question.embedding) {
                Some(provided) => provided,
                // Short texts may fall together by chance: hashed likeness counts only beside a word.
                None => {
                    let (likeness, near) = unit.hashed(hashed.as_ref());
                    (likeness, near && sentences.iter().any(|terms| unit.score(terms) > 0.0))
                }
            };
            if near || words > 0.0 {
                scored.push(Scored { unit, words, likeness });
            }
        }
        fuse(scored)
    }

    /// What a sentence asks for, each with its other words.
    fn terms(&self, sentence: &str) -> Vec<Term> {
        let said = tokens(sentence).into_iter().filter(|token| matches!(token.kind, Kind::Word | Kind::Number));
        let mut terms: Vec<Term> = Vec::new();
        let mut seen = BTreeSet::new();
        for token in said {
            let root = root(&token.text);
            let weak = is_stop_word(&token.text);
            let mut forms: Vec<(String, f64)> = synonyms::of(&root).map(|other| (other.to_owned(), SYNONYM)).collect();
            if !seen.insert(root.clone()) || (weak && forms.is_empty()) {
                continue;
            }
            if !weak {
                let spelled = self.by_sound.get(&heard(&root)).filter(|_| !self.frequency.contains_key(&root));
                forms.extend(spelled.map(|other| (other.clone(), SOUND)));
                forms.push((root.clone(), 1.0));
            }
            terms.push(Term { rarity: self.rarity(&root, &forms) * if weak { WEAK } else { 1.0 }, weak, forms });
        }
        terms
    }

    /// The less often a word stands in the knowledge, in whatever form, the more it says; most of all one that stands
    /// nowhere: it may be the very thing that is asked for.
    fn rarity(&self, root: &str, forms: &[(String, f64)]) -> f64 {
        let roots = forms.iter().map(|(form, _)| form.as_str()).chain([root]);
        let with = count(roots.filter_map(|root| self.frequency.get(root)).copied().max().unwrap_or(0));
        (1.0 + (count(self.units.len()) - with + 0.5) / (with + 0.5)).ln().max(0.2)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand units at most")]
fn count(n: usize) -> f64 {
    n as f64
}

impl Unit {
    fn new(line: String, (title, text): (&str, &str), embedding: Option<Embedding>) -> Self {
        Self {
            line,
            is_fact: false,
            validity: Validity::default(),
            title: content_roots(title).into_iter().collect(),
            all: content_roots(text).into_iter().collect(),
            hashed: [Embedding::hashed(title), Embedding::hashed(text)],
            embedding,
        }
    }

    /// Whether it has enough of what a sentence asks for. A long sentence tells much besides; there it is enough that the
    /// title is in it.
    fn answers(&self, terms: &[Term]) -> bool {
        // "Onde vocês ficam?" has only weak words; where there are others, those only help to put in order.
        let strong = terms.iter().filter(|term| !term.weak).count();
        let decisive = || terms.iter().filter(|term| strong == 0 || !term.weak);
        let weight: f64 = decisive().map(|term| term.rarity).sum();
        let covered: f64 = decisive().map(|term| term.found(&self.all)).sum();
        let named = || self.title.iter().filter(|root| decisive().any(|term| term.counts(root) > 0.0)).count();
        let floor = if strong >= LONG && named() * 2 > self.title.len() { LONG_FLOOR } else { WORDS_FLOOR };
        weight > 0.0 && covered >= floor * weight
    }

    fn score(&self, terms: &[Term]) -> f64 {
        terms.iter().map(|term| term.found(&self.all) + TITLE * term.found(&self.title)).sum()
    }

    /// How alike the question is by a provider's numbers, and whether that is above the floor; `None` where one of both has
    /// none of the space.
    fn provided(&self, question: Option<&Embedding>) -> Option<(f32, bool)> {
        let (own, other) = self.embedding.as_ref().zip(question)?;
        own.likeness(other).map(|likeness| (likeness, own.is_near(other)))
    }

    /// The same by hashed numbers, of the title or of all.
    fn hashed(&self, question: Option<&Embedding>) -> (f32, bool) {
        let Some(question) = question else { return (0.0, false) };
        let pairs =
            self.hashed.iter().flatten().filter_map(|own| Some((own.likeness(question)?, own.is_near(question))));
        pairs.fold((0.0, false), |best, one| if one.0 > best.0 { one } else { best })
    }
}

/// A word of a sentence with the roots that answer to it, and what each counts.
struct Term {
    rarity: f64,
    weak: bool,
    forms: Vec<(String, f64)>,
}

impl Term {
    /// What a root counts as an answer to it.
    fn counts(&self, root: &str) -> f64 {
        self.forms.iter().filter(|(form, _)| form == root).map(|(_, counts)| *counts).fold(0.0, f64::max)
    }

    fn found(&self, roots: &HashSet<String>) -> f64 {
        let best = self.forms.iter().filter(|(root, _)| roots.contains(root)).map(|(_, counts)| *counts);
        self.rarity * best.fold(0.0, f64::max)
    }
}

struct Scored<'a> {
    unit: &'a Unit,
    words: f64,
    likeness: f32,
}

fn fuse(mut scored: Vec<Scored<'_>>) -> Vec<&Unit> {
    let mut fused: Vec<(&Unit, f64)> = Vec::new();
    scored.sort_by(|a, b| b.words.total_cmp(&a.words));
    fused.extend(scored.iter().enumerate().map(|(place, one)| (one.unit, share(place, one.words))));
    scored.sort_by(|a, b| b.likeness.total_cmp(&a.likeness));
    for (place, one) in scored.iter().enumerate() {
        if let Some((_, sum)) = fused.iter_mut().find(|(unit, _)| std::ptr::eq(*unit, one.unit)) {
            *sum += share(place, f64::from(one.likeness));
        }
    }
    fused.sort_by(|a, b| b.1.total_cmp(&a.1));
    fused.into_iter().map(|(unit, _)| unit).collect()
}

/// What a place in an order counts; nothing for those that are in it without a reason.
fn share(place: usize, value: f64) -> f64 {
    if value > 0.0 { 1.0 / (FUSION + count(place)) } else { 0.0 }
}

fn take(lines: &mut Vec<String>, line: &str, left: &mut usize) {
    let long = line.chars().count() + 1;
    if long <= *left {
        *left -= long;
        lines.push(line.to_owned());
    }
}

/// A root by ear, for words that are spelled otherwise.
fn heard(root: &str) -> String {
    without_ending(&sound(root))
}

/// A text in pieces of whole lines, and where a line alone is too long, of whole sentences.
fn passages(body: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let lines = body.split('\n').flat_map(|line| {
        if line.chars().count() > PASSAGE_CHARS {
            line.split_inclusive(['.', '!', '?', ';']).collect()
        } else {
            vec![line]
        }
    });
    for piece in lines.map(str::trim).filter(|piece| !piece.is_empty()) {
        match out.last_mut() {
            Some(last) if last.chars().count() + piece.chars().count() < PASSAGE_CHARS => {
                last.push('\n');
                last.push_str(piece);
            }
            _ => out.push(piece.to_owned()),
        }
    }
    out
}
