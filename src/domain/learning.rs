//! What a person's own messages tell about them over time: what they talk about, what they ask the price of, when they
//! want to come. Counted word by word, so that learning a message later or earlier makes no difference.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::text::fold::fold;
use crate::domain::text::hashing::content_roots;
use crate::domain::text::root::root;
use crate::domain::text::stopwords::is_stop_word;
use crate::domain::text::tokens::{Kind, Token, tokens, word_form};

/// Most subjects kept of a person; those heard least and longest ago make room.
const KEPT: usize = 40;
/// Most subjects shown.
const SHOWN: usize = 5;
/// Shorter words are rarely a subject.
const SHORTEST: usize = 4;
/// How often a wish must have been heard to be a habit, and its share of all such wishes.
const HABIT: u32 = 2;
const HABIT_SHARE: u32 = 2;

const WEEKDAYS: [(&str, &str); 7] = [
    ("segunda", "segunda-feira"),
    ("terca", "terça-feira"),
    ("quarta", "quarta-feira"),
    ("quinta", "quinta-feira"),
    ("sexta", "sexta-feira"),
    ("sabado", "sábado"),
    ("domingo", "domingo"),
];
const PARTS: [&str; 3] = ["de manhã", "à tarde", "à noite"];

/// Something a person spoke of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// As it is written, lower case.
    pub label: String,
    /// In how many messages.
    pub count: u32,
    /// When last.
    pub last: DateTime<Utc>,
}

/// What was learnt of a person. Stored as JSON; `v` tells its shape.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Learned {
    /// Version of the shape.
    pub v: u8,
    /// How many of their messages it was learnt from.
    pub messages: u64,
    /// Subjects by root.
    pub topics: BTreeMap<String, Tally>,
    /// Services and products of the company, by root.
    pub products: BTreeMap<String, Tally>,
    /// How often each weekday was asked for, Monday first.
    pub weekdays: [u32; 7],
    /// How often morning, afternoon and evening were asked for.
    pub parts: [u32; 3],
    /// What they spoke of last.
    pub last_subject: Option<String>,
    /// When that was.
    pub last_at: Option<DateTime<Utc>>,
}

/// A service or product of the company, as customers may name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    name: String,
    roots: Vec<String>,
}

impl Offer {
    /// Takes a name. `None` when it has no word to be known by.
    pub fn new(name: &str) -> Option<Self> {
        let roots = content_roots(name);
        (!roots.is_empty()).then(|| Self { name: name.to_owned(), roots })
    }
}

/// A message of the person.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    /// Its text.
    pub text: &'a str,
    /// When.
    pub at: DateTime<Utc>,
}

impl Learned {
    /// Learns from a message. `name` is the person's, which is no subject.
    pub fn learn(&mut self, said: Said<'_>, offers: &[Offer], name: Option<&str>) {
        self.v = 1;
        self.messages += 1;
        let words = tokens(said.text);
        let named: HashSet<String> = name.map(content_roots).unwrap_or_default().into_iter().collect();
        let topics = topics(said.text, &words, &named);
        let roots: HashSet<String> = words.iter().map(|word| root(&word.text)).collect();
        let wanted: Vec<&Offer> =
            offers.iter().filter(|offer| offer.roots.iter().all(|part| roots.contains(part))).collect();
        for offer in &wanted {
            tally(&mut self.products, &offer.roots.join(" "), &offer.name, said.at);
        }
        for (root, label) in &topics {
            tally(&mut self.topics, root, label, said.at);
        }
        self.wishes(&words);
        let subject = match wanted.first() {
            Some(offer) => Some(offer.name.clone()),
            None => (!topics.is_empty())
                .then(|| topics.iter().take(2).map(|(_, l)| l.as_str()).collect::<Vec<_>>().join(", ")),
        };
        if subject.is_some() && self.last_at.is_none_or(|last| last <= said.at) {
            self.last_subject = subject;
            self.last_at = Some(said.at);
        }
    }

    /// Counts the weekdays and parts of the day that are asked for.
    fn wishes(&mut self, words: &[Token]) {
        for (at, word) in words.iter().enumerate() {
            let neighbour = |step: usize| words.get(at.wrapping_add(step)).map(|word| word.text.as_str());
            let (before, after) = (neighbour(usize::MAX), neighbour(1));
            if let Some(count) = weekday(&word.text, after).and_then(|day| self.weekdays.get_mut(day)) {
                *count += 1;
            }
            if let Some(count) = part(word, before).and_then(|part| self.parts.get_mut(part)) {
                *count += 1;
            }
        }
    }

    /// What they spoke of most, at most five, most often and latest first.
    pub fn topics(&self) -> Vec<&str> {
        most(&self.topics)
    }

    /// Which services and products they asked about, at most five, most often and latest first.
    pub fn products(&self) -> Vec<&str> {
        most(&self.products)
    }

    /// When they usually want to come, in words; empty without a habit.
    pub fn preferences(&self) -> Vec<String> {
        let weekday = habit(&self.weekdays).and_then(|day| WEEKDAYS.get(day)).map(|(_, name)| (*name).to_owned());
        let part = habit(&self.parts).and_then(|part| PARTS.get(part)).map(|name| (*name).to_owned());
        weekday.into_iter().chain(part).collect()
    }

    /// What they care about as one text, to be made into numbers: no message of theirs, only subjects and names of what
    /// the company offers.
    pub fn essence(&self) -> String {
        let mut parts: Vec<&str> = most_of(&self.products, KEPT);
        parts.extend(most_of(&self.topics, KEPT));
        parts.join(", ")
    }
}

fn tally(tallies: &mut BTreeMap<String, Tally>, key: &str, label: &str, at: DateTime<Utc>) {
    let entry = tallies.entry(key.to_owned()).or_insert_with(|| Tally { label: label.to_owned(), count: 0, last: at });
    entry.count = entry.count.saturating_add(1);
    entry.last = entry.last.max(at);
    if tallies.len() > KEPT {
        let least =
            tallies.iter().filter(|(other, _)| other.as_str() != key).min_by_key(|(_, one)| (one.count, one.last));
        if let Some(least) = least.map(|(key, _)| key.clone()) {
            tallies.remove(&least);
        }
    }
}

fn most(tallies: &BTreeMap<String, Tally>) -> Vec<&str> {
    most_of(tallies, SHOWN)
}

fn most_of(tallies: &BTreeMap<String, Tally>, limit: usize) -> Vec<&str> {
    let mut all: Vec<&Tally> = tallies.values().collect();
    all.sort_by_key(|one| std::cmp::Reverse((one.count, one.last)));
    all.into_iter().take(limit).map(|one| one.label.as_str()).collect()
}

/// The wish that stands out, if one does.
fn habit(counts: &[u32]) -> Option<usize> {
    let all: u32 = counts.iter().sum();
    let (at, most) = counts.iter().enumerate().max_by_key(|(_, count)| **count)?;
    (*most >= HABIT && most.saturating_mul(HABIT_SHARE) >= all).then_some(at)
}

/// The subjects of a message, each once, with the spelling it has there.
fn topics(text: &str, words: &[Token], named: &HashSet<String>) -> Vec<(String, String)> {
    let written: BTreeMap<String, String> = text
        .split(|c: char| !c.is_alphabetic())
        .filter(|word| !word.is_empty())
        .map(|word| (word_form(&fold(word)), word.to_lowercase()))
        .collect();
    let mut out: Vec<(String, String)> = Vec::new();
    for word in words.iter().filter(|word| is_subject(word)) {
        let root = root(&word.text);
        if !named.contains(&root) && !out.iter().any(|(other, _)| *other == root) {
            out.push((root, written.get(&word.text).unwrap_or(&word.text).clone()));
        }
    }
    out
}

fn is_subject(word: &Token) -> bool {
    word.kind == Kind::Word
        && word.text.chars().count() >= SHORTEST
        && !is_stop_word(&word.text)
        && !WEEKDAYS.iter().any(|(day, _)| *day == word.text)
        && !matches!(
            word.text.as_str(),
            "feira" | "manha" | "semana" | "horas" | "hora" | "minutos" | "proxima" | "proximo"
        )
}

/// Monday is 0. "Segunda via" and "segunda vez" are no days.
fn weekday(word: &str, after: Option<&str>) -> Option<usize> {
    let ordinal = matches!(after, Some("via" | "vez" | "opcao" | "parcela" | "parte" | "sessao" | "dose"));
    WEEKDAYS.iter().position(|(day, _)| *day == word).filter(|_| !ordinal)
}

/// 0 morning, 1 afternoon, 2 evening; greetings ask for nothing.
fn part(word: &Token, before: Option<&str>) -> Option<usize> {
    let greeting = matches!(before, Some("boa" | "boas" | "bom"));
    match (word.kind, word.text.as_str()) {
        (Kind::Word, "manha" | "cedo") => Some(0),
        (Kind::Word, "tarde" | "tardinha") if !greeting && before != Some("mais") => Some(1),
        (Kind::Word, "noite" | "noitinha") if !greeting => Some(2),
        (Kind::Clock, clock) => {
            let hour: u32 = clock.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?;
            match hour {
                5..=11 => Some(0),
                12..=17 => Some(1),
                18..=23 => Some(2),
                _ => None,
            }
        }
        _ => None,
    }
}
