//! What was said before the lines the model is shown, in a few short sentences.
//!
//! Nothing is made up, and nothing is quoted: the sentences hold topics and catalogue names that were spoken of and days
//! that were named. The customer's own wording has no place in an instruction to the model.

use super::history::{Author, Line};
use super::injection::judge;
use super::profile::{products, topics};
use crate::domain::text::tokens::{Kind, tokens};

/// How much of a synthesis is kept where nothing else is said, in characters.
pub const SYNTHESIS_MAX: usize = 480;
/// How many lines before the window are looked at.
const LINES_MAX: usize = 120;
/// Topics, names and days a sentence holds.
const NAMED_MAX: usize = 4;

/// The longest date: dd/mm/yyyy.
const DATE_MAX: usize = 10;

const DAYS: [&str; 7] = ["segunda", "terca", "quarta", "quinta", "sexta", "sabado", "domingo"];
const DAYS_SHOWN: [&str; 7] = ["segunda", "terça", "quarta", "quinta", "sexta", "sábado", "domingo"];

/// The sentences about the lines before the window, oldest line first, the most telling sentence first; together at
/// most `max` characters.
pub fn synthesis(before: &[Line], catalogue: &[&str], max: usize) -> Vec<String> {
    let before = before.get(before.len().saturating_sub(LINES_MAX)..).unwrap_or_default();
    let said: Vec<&str> = before
        .iter()
        .filter(|line| line.by == Author::Customer)
        .map(|line| line.text.as_str())
        .filter(|text| judge(text).score == 0.0)
        .collect();
    let (mut subjects, mut names, mut days) = (Vec::new(), Vec::new(), Vec::new());
    for text in said.iter().rev() {
        add(&mut names, products(text, catalogue).into_iter().map(str::to_owned));
        add(&mut subjects, topics(text).into_iter().map(str::to_owned));
        add(&mut days, named_days(text).into_iter());
    }
    let mut sentences = Vec::new();
    let mut tell = |label: &str, what: &[String]| {
        if !what.is_empty() {
            sentences.push(format!("{label}: {}.", what.join(", ")));
        }
    };
    tell("Falou de", &names);
    tell("Perguntou sobre", &subjects);
    tell("Citou", &days);
    if before.iter().any(|line| line.by == Author::Team) {
        sentences.push("Uma pessoa da equipe respondeu.".to_owned());
    }
    bounded(sentences, max)
}

fn add(known: &mut Vec<String>, named: impl Iterator<Item = String>) {
    for one in named {
        if known.len() < NAMED_MAX && !known.contains(&one) {
            known.push(one);
        }
    }
}

/// Weekdays and dates as they were named; "amanhã" has meant another day since.
fn named_days(text: &str) -> Vec<String> {
    let day = |word: &str| DAYS.iter().position(|name| *name == word).and_then(|at| DAYS_SHOWN.get(at));
    let named = tokens(text).into_iter().filter_map(|token| match token.kind {
        Kind::Date if token.text.contains('/') && token.text.len() <= DATE_MAX => Some(token.text),
        Kind::Word => day(&token.text).map(|name| (*name).to_owned()),
        _ => None,
    });
    named.collect()
}

/// The first sentences that fit.
fn bounded(sentences: Vec<String>, max: usize) -> Vec<String> {
    let mut left = max;
    let mut fits = |sentence: &String| {
        let length = sentence.chars().count() + 1;
        let fits = length <= left;
        left -= if fits { length } else { 0 };
        fits
    };
    sentences.into_iter().filter(|sentence| fits(sentence)).collect()
}
