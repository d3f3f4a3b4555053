//! What is known of a customer: their name, what they asked about, what they like, the last subject.
//!
//! Everything but the name comes from closed lists (topics, preferences, the company's catalogue), never from the
//! customer's own wording: so the profile can stand in an instruction to the model.

use std::collections::HashSet;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::introduction::name_given;
use crate::domain::text::PersonName;
use crate::domain::text::lexicon::LexiconError;
use crate::domain::text::phrases::Phrases;
use crate::domain::text::reading::{Script, words};
use crate::domain::text::stem::stem;

const TOPICS_FILE: &str = "topics.txt";
const TOPICS: &str = include_str!("../../../config/lexicon/topics.txt");
const PREFERENCES_FILE: &str = "preferences.txt";
const PREFERENCES: &str = include_str!("../../../config/lexicon/preferences.txt");

/// Most topics and most products that are kept.
pub const MENTIONS_MAX: usize = 8;
/// Most preferences that are kept.
pub const PREFERENCES_MAX: usize = 5;
/// How many of each the model is told.
const SHOWN: usize = 4;
/// Shorter words of a catalogue name ("de", "com") need not be said.
const NAME_WORD_MIN: usize = 4;

/// Something a customer spoke of, and how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mention {
    /// What.
    pub what: String,
    /// In how many messages.
    pub times: u32,
}

/// What is known of a customer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Profile {
    /// The name they gave in words.
    pub name: Option<PersonName>,
    /// What they asked about, the newest first.
    pub topics: Vec<Mention>,
    /// What of the catalogue they spoke of, the newest first.
    pub products: Vec<Mention>,
    /// What they said they like best, the newest first.
    pub preferences: Vec<String>,
    /// What they spoke of last.
    pub last_subject: Option<String>,
}

/// A message of the customer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Heard<'a> {
    /// Its text.
    pub text: &'a str,
    /// Whether it tries to take the assistant over: nothing is learned from such a message.
    pub suspicious: bool,
    /// Whether the customer had just been asked for their name.
    pub asked_name: bool,
    /// The names in the company's catalogue: services, products, professionals.
    pub catalogue: &'a [&'a str],
}

impl Profile {
    /// Learns from a message. Returns whether anything changed.
    pub fn learn(&mut self, heard: &Heard<'_>) -> bool {
        if heard.suspicious {
            return false;
        }
        let before = self.clone();
        if let Some(name) = name_given(heard.text, heard.asked_name) {
            self.name = Some(name);
        }
        let script = Script::of(heard.text);
        let products = products(heard.text, heard.catalogue);
        let topics = sections_in(&TOPIC_PHRASES, &script);
        if let Some(subject) = products.first().copied().or_else(|| topics.first().copied()) {
            self.last_subject = Some(subject.to_owned());
        }
        mention(&mut self.products, &products);
        mention(&mut self.topics, &topics);
        for liked in sections_in(&PREFERENCE_PHRASES, &script) {
            self.preferences.retain(|known| known != liked);
            self.preferences.insert(0, liked.to_owned());
        }
        self.preferences.truncate(PREFERENCES_MAX);
        *self != before
    }

    /// What the model is told, a line each, in pt-BR; the name is not among it.
    pub fn lines(&self) -> Vec<String> {
        let join = |mentions: &[Mention]| {
            mentions.iter().take(SHOWN).map(|one| one.what.as_str()).collect::<Vec<_>>().join(", ")
        };
        let mut out = Vec::new();
        let mut tell = |label: &str, what: String| {
            if !what.is_empty() {
                out.push(format!("{label}: {what}"));
            }
        };
        tell("Já perguntou sobre", join(&self.topics));
        tell("Interessou-se por", join(&self.products));
        tell("Prefere", self.preferences.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", "));
        tell("Último assunto", self.last_subject.clone().unwrap_or_default());
        out
    }
}

fn mention(known: &mut Vec<Mention>, named: &[&str]) {
    for what in named.iter().rev() {
        let at = known.iter().position(|one| one.what == *what);
        let mut one = at.map_or_else(|| Mention { what: (*what).to_owned(), times: 0 }, |at| known.remove(at));
        one.times = one.times.saturating_add(1);
        known.insert(0, one);
    }
    known.truncate(MENTIONS_MAX);
}

// Find nothing when their file is broken: `check` is what tells, and the tests call it.
static TOPIC_PHRASES: LazyLock<Phrases> = LazyLock::new(|| Phrases::parse(TOPICS_FILE, TOPICS).unwrap_or_default());
static PREFERENCE_PHRASES: LazyLock<Phrases> =
    LazyLock::new(|| Phrases::parse(PREFERENCES_FILE, PREFERENCES).unwrap_or_default());

/// The topics a text speaks of, in their order in it.
pub fn topics(text: &str) -> Vec<&'static str> {
    sections_in(&TOPIC_PHRASES, &Script::of(text))
}

/// What a text says somebody likes best.
pub fn preferences(text: &str) -> Vec<&'static str> {
    sections_in(&PREFERENCE_PHRASES, &Script::of(text))
}

fn sections_in(phrases: &'static Phrases, script: &Script<'_>) -> Vec<&'static str> {
    let reading = phrases.read_in(script);
    let mut hits: Vec<_> = reading.hits().iter().collect();
    hits.sort_by_key(|hit| hit.start);
    let mut out: Vec<&'static str> = Vec::new();
    for name in hits.into_iter().filter_map(|hit| phrases.sections().get(hit.section)) {
        if !out.contains(&name.as_str()) {
            out.push(name);
        }
    }
    out
}

/// The names of a catalogue a text speaks of: every longer word of the name is in it, in whatever form. Of names that
/// contain each other ("Limpeza", "Limpeza de pele") the longer counts.
pub fn products<'a>(text: &str, catalogue: &[&'a str]) -> Vec<&'a str> {
    if catalogue.is_empty() {
        return Vec::new();
    }
    let said: HashSet<String> = words(text).into_iter().map(|word| stem(&word.text)).collect();
    let named: Vec<(&'a str, HashSet<String>)> = catalogue
        .iter()
        .map(|name| (*name, name_stems(name)))
        .filter(|(_, stems)| !stems.is_empty() && stems.is_subset(&said))
        .collect();
    let is_part =
        |stems: &HashSet<String>| named.iter().any(|(_, other)| other.len() > stems.len() && stems.is_subset(other));
    named.iter().filter(|(_, stems)| !is_part(stems)).map(|(name, _)| *name).collect()
}

fn name_stems(name: &str) -> HashSet<String> {
    let long = |length: usize| {
        words(name).into_iter().filter(move |word| word.text.chars().count() >= length).map(|word| stem(&word.text))
    };
    let stems: HashSet<String> = long(NAME_WORD_MIN).collect();
    // "Luz", "SPA": all there is counts.
    if stems.is_empty() { long(1).collect() } else { stems }
}

/// Whether the lists that are built in can be read.
///
/// # Errors
/// The first line that cannot.
pub fn check() -> Result<(), LexiconError> {
    Phrases::parse(TOPICS_FILE, TOPICS)?;
    Phrases::parse(PREFERENCES_FILE, PREFERENCES).map(drop)
}
