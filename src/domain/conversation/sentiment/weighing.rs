//! The weight of the words of a text.

use crate::domain::text::phrases::Phrases;
use crate::domain::text::reading::{Hit, Reading, Script};

/// Every section of the lexicon: the moods, as in [`MOODS`], and what changes them.
pub(super) const SECTIONS: [&str; 11] = [
    "very positive",
    "positive",
    "positive faint",
    "very negative",
    "negative",
    "negative faint",
    "neutral",
    "negation",
    "more",
    "less",
    "turn",
];
/// What a hit of each of the first sections weighs.
const MOODS: [f32; 7] = [3.0, 2.0, 0.7, -3.0, -2.0, -0.7, 0.0];
const NEGATION: usize = 7;
const MORE: usize = 8;
const LESS: usize = 9;
const TURN: usize = 10;

/// A negation reaches over so many words.
const NEGATION_REACH: usize = 3;
/// "não é bom" is worse than neutral, "não é ruim" is no praise.
const NEGATED_POSITIVE: f32 = -0.7;
const NEGATED_NEGATIVE: f32 = -0.2;
const MORE_FACTOR: f32 = 1.4;
const LESS_FACTOR: f32 = 0.6;
/// What stands in a sentence before "mas", and after it.
const BEFORE_TURN: f32 = 0.6;
const AFTER_TURN: f32 = 1.3;

/// The phrases and which of their sections means what.
pub(super) struct Lexicon {
    phrases: Phrases,
    /// For each section of the file its place in [`SECTIONS`].
    roles: Vec<Option<usize>>,
}

impl Lexicon {
    pub(super) fn new(phrases: Phrases) -> Self {
        let role = |name: &String| SECTIONS.iter().position(|section| section == name);
        let roles = phrases.sections().iter().map(role).collect();
        Self { phrases, roles }
    }

    fn role(&self, hit: &Hit) -> Option<usize> {
        self.roles.get(hit.section).copied().flatten()
    }
}

/// What the words of a text weigh together.
pub(super) fn sum(lexicon: &Lexicon, script: &Script<'_>) -> f32 {
    let reading = lexicon.phrases.read_in(script);
    let mut taken = vec![false; reading.words().len()];
    let moods = longest_moods(lexicon, &reading, &mut taken);
    let words = Changes::of(lexicon, &reading, &taken);
    moods.iter().map(|(hit, weight)| weight * words.factor(&reading, hit, *weight)).sum()
}

/// The hits that carry a mood; of those that overlap the longest one, of equally long ones the heavier one.
fn longest_moods(lexicon: &Lexicon, reading: &Reading, taken: &mut [bool]) -> Vec<(Hit, f32)> {
    let weight = |hit: &Hit| lexicon.role(hit).and_then(|role| MOODS.get(role).copied());
    let mut moods: Vec<(Hit, f32)> = reading.hits().iter().filter_map(|hit| Some((*hit, weight(hit)?))).collect();
    moods.sort_by(|(a, x), (b, y)| {
        (b.end - b.start).cmp(&(a.end - a.start)).then(y.abs().total_cmp(&x.abs())).then(a.start.cmp(&b.start))
    });
    moods.retain(|(hit, _)| {
        let span = taken.get_mut(hit.start..hit.end).unwrap_or_default();
        let free = !span.iter().any(|taken| *taken);
        if free {
            span.fill(true);
        }
        free
    });
    moods
}

/// Which words change the moods beside them.
struct Changes {
    taken: Vec<bool>,
    negation: Vec<bool>,
    more: Vec<bool>,
    less: Vec<bool>,
    turn: Vec<bool>,
}

impl Changes {
    fn of(lexicon: &Lexicon, reading: &Reading, taken: &[bool]) -> Self {
        let none = vec![false; taken.len()];
        let (negation, more, less) = (none.clone(), none.clone(), none.clone());
        let mut made = Self { taken: taken.to_vec(), negation, more, less, turn: none };
        for hit in reading.hits() {
            let marks = match lexicon.role(hit) {
                Some(NEGATION) => &mut made.negation,
                Some(MORE) => &mut made.more,
                Some(LESS) => &mut made.less,
                Some(TURN) => &mut made.turn,
                _ => continue,
            };
            let span = marks.iter_mut().zip(taken).take(hit.end).skip(hit.start);
            span.filter(|(_, taken)| !**taken).for_each(|(mark, _)| *mark = true);
        }
        made
    }

    fn factor(&self, reading: &Reading, hit: &Hit, weight: f32) -> f32 {
        let sentence = reading.words().get(hit.start).map(|word| word.sentence);
        let marked = |marks: &[bool], at: Option<usize>| {
            at.is_some_and(|at| {
                marks.get(at).copied().unwrap_or_default()
                    && reading.words().get(at).map(|word| word.sentence) == sentence
            })
        };
        // A negation is spent on the first mood after it: "não é ruim, adorei".
        let free = |at: &Option<usize>| at.is_some_and(|at| !self.taken.get(at).copied().unwrap_or(true));
        let mut before = (1..=NEGATION_REACH).map(|back| hit.start.checked_sub(back)).take_while(free);
        let negated = before.any(|at| marked(&self.negation, at));
        let beside = |marks: &[bool]| {
            marked(marks, hit.start.checked_sub(1))
                || marked(marks, hit.start.checked_sub(2))
                || marked(marks, Some(hit.end))
        };
        let mut factor = 1.0;
        if beside(&self.less) {
            factor *= LESS_FACTOR;
        } else if beside(&self.more) {
            factor *= MORE_FACTOR;
        }
        if negated {
            factor *= if weight > 0.0 { NEGATED_POSITIVE } else { NEGATED_NEGATIVE };
        }
        factor * self.turned(reading, hit, sentence)
    }

    fn turned(&self, reading: &Reading, hit: &Hit, sentence: Option<usize>) -> f32 {
        let turns = self.turn.iter().zip(reading.words()).enumerate();
        let mut in_sentence = turns.filter(|(_, (turn, word))| **turn && Some(word.sentence) == sentence);
        match in_sentence.next() {
            Some((at, _)) if at >= hit.end => BEFORE_TURN,
            Some(_) => AFTER_TURN,
            None => 1.0,
        }
    }
}
