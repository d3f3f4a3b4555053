//! A/B tests of wordings: who is given which, and what the figures say.
//!
//! The unit is the person, not the message: who was given a wording keeps it, and counts once. Nothing is said about a
//! winner before as many people as were planned for have seen each wording: looking early and stopping at a lucky moment
//! finds winners where there are none.

pub mod statistics;

use std::sync::Arc;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::domain::company::CompanyId;
use statistics::{Interval, SampleRatio, TwoProportions, quantile, sample_ratio, sample_size, two_proportions, wilson};

/// Chance of finding a difference where there is none.
pub const ALPHA: f64 = 0.05;
/// Chance of finding a difference of the least size that matters where there is one.
pub const POWER: f64 = 0.80;
/// Below this likelihood the split of people over the variants was not the planned one.
pub const RATIO_ALPHA: f64 = 0.001;
/// People each variant gets before an epsilon-greedy experiment begins to prefer one.
pub const WARM_UP: u64 = 30;
/// People from whom on the share of successes so far is a base to plan with.
const BASE_FROM: u64 = 30;

macro_rules! names {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $label:literal: $meaning:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $(#[doc = $meaning] $variant,)*
        }

        impl $name {
            /// The stored spelling.
            pub fn label(self) -> &'static str {
                match self {
                    $(Self::$variant => $label,)*
                }
            }

            /// Reads the stored spelling.
            pub fn from_label(label: &str) -> Option<Self> {
                [$(Self::$variant,)*].into_iter().find(|one| one.label() == label)
            }
        }
    };
}

names! {
    /// What counts as a success with a person who has seen a wording.
    Goal {
        Response = "response": "They wrote again.",
        Conversion = "conversion": "They did what the company wishes for, such as booking.",
        Feedback = "feedback": "They thought well of it.",
    }
}

/// How people are given a variant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Policy {
    /// By the variants' weights.
    Fixed,
    /// The best so far, and with this chance, from 0 to 1, any.
    EpsilonGreedy {
        /// The chance.
        epsilon: f64,
    },
}

/// A wording that is tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// Its name, such as `A`.
    pub name: String,
    /// The template.
    pub source: Arc<str>,
    /// Its share of a fixed split, against the others' weights.
    pub weight: u32,
}

/// What is known of a variant. All but `impressions` count people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Counts {
    /// Renderings that were delivered.
    pub impressions: u64,
    /// People who got at least one of them.
    pub people: u64,
    /// Of those, who wrote again.
    pub responses: u64,
    /// Of those, who did what the company wishes for.
    pub conversions: u64,
    /// Of those, who thought well of it.
    pub positives: u64,
}

impl Counts {
    /// People with whom the goal was reached.
    pub fn successes(&self, goal: Goal) -> u64 {
        match goal {
            Goal::Response => self.responses,
            Goal::Conversion => self.conversions,
            Goal::Feedback => self.positives,
        }
        .min(self.people)
    }

    /// The share of them, 0 to 1; 0 without people.
    pub fn rate(&self, goal: Goal) -> f64 {
        if self.people == 0 { 0.0 } else { self.successes(goal) as f64 / self.people as f64 }
    }
}

/// An experiment's plan with its figures.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// How people are given a variant.
    pub policy: Policy,
    /// What counts as success.
    pub goal: Goal,
    /// The least difference of success that matters, as a part of 1: 0.05 is five percentage points.
    pub least_effect: f64,
    /// The wordings; at least two.
    pub variants: Vec<Variant>,
    /// Their figures, in the same order.
    pub counts: Vec<Counts>,
}

/// Two chances from 0 to below 1, the same for ever for a company, an experiment and a number: the first and the second
/// eight bytes of SHA-256 of `company:experiment:number`.
pub fn chances(company: CompanyId, experiment: Uuid, number: &str) -> (f64, f64) {
    let digest = Sha256::digest(format!("{company}:{experiment}:{number}"));
    let chance = |bytes: &[u8]| {
        let number = bytes.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        // The 53 bits that a float holds exactly.
        (number >> 11) as f64 / (1_u64 << 53) as f64
    };
    (chance(digest.get(..8).unwrap_or_default()), chance(digest.get(8..16).unwrap_or_default()))
}

impl Trial {
    /// The variant, by its place in the list, for a person who has none yet.
    pub fn assign(&self, company: CompanyId, experiment: Uuid, number: &str) -> usize {
        let (first, second) = chances(company, experiment, number);
        match self.policy {
            Policy::Fixed => self.by_weight(first),
            Policy::EpsilonGreedy { epsilon } => {
                let any =
                    || ((second * self.variants.len() as f64) as usize).min(self.variants.len().saturating_sub(1));
                if first < epsilon || self.is_warming_up() { any() } else { self.best() }
            }
        }
    }

    fn by_weight(&self, chance: f64) -> usize {
        let total: f64 = self.variants.iter().map(|variant| f64::from(variant.weight)).sum();
        let mut left = chance * total;
        for (n, variant) in self.variants.iter().enumerate() {
            left -= f64::from(variant.weight);
            if left < 0.0 {
                return n;
            }
        }
        0
    }

    fn is_warming_up(&self) -> bool {
        (0..self.variants.len()).any(|n| self.counts_of(n).people < WARM_UP)
    }

    fn counts_of(&self, n: usize) -> Counts {
        self.counts.get(n).copied().unwrap_or_default()
    }

    /// The variant with the best figures; the first of equals.
    pub fn best(&self) -> usize {
        (1..self.variants.len()).fold(0, |best, n| {
            let better = self.counts_of(n).rate(self.goal) > self.counts_of(best).rate(self.goal);
            if better { n } else { best }
        })
    }

    /// What the figures say.
    pub fn judge(&self) -> Report {
        let counts: Vec<Counts> = (0..self.variants.len()).map(|n| self.counts_of(n)).collect();
        let z = quantile(1.0 - ALPHA / 2.0);
        let arms = counts.iter().map(|counts| Arm {
            counts: *counts,
            rate: counts.rate(self.goal),
            interval: wilson(counts.successes(self.goal), counts.people, z),
        });
        let ratio = (self.policy == Policy::Fixed).then(|| self.ratio(&counts)).flatten();
        let needed = self.needed(&counts);
        let missing: u64 = counts.iter().map(|counts| needed.saturating_sub(counts.people)).sum();
        let verdict = if ratio.is_some_and(|ratio| ratio.p < RATIO_ALPHA) {
            Verdict::BrokenSplit
        } else if missing > 0 {
            Verdict::NotEnough { missing }
        } else {
            self.compare(&counts)
        };
        Report { arms: arms.collect(), needed, ratio, verdict }
    }

    fn ratio(&self, counts: &[Counts]) -> Option<SampleRatio> {
        let people: Vec<u64> = counts.iter().map(|counts| counts.people).collect();
        let weights: Vec<f64> = self.variants.iter().map(|variant| f64::from(variant.weight)).collect();
        sample_ratio(&people, &weights)
    }

    /// The best against each other one. The more there are, the likelier one is best by luck: each comparison has to be
    /// that much surer (Bonferroni).
    fn alpha(&self) -> f64 {
        ALPHA / (self.variants.len().saturating_sub(1).max(1) as f64)
    }

    /// People each variant needs.
    fn needed(&self, counts: &[Counts]) -> u64 {
        let people: u64 = counts.iter().map(|counts| counts.people).sum();
        let successes: u64 = counts.iter().map(|counts| counts.successes(self.goal)).sum();
        // Half is the worst case: no other share asks for more people.
        let base = if people < BASE_FROM { 0.5 } else { successes as f64 / people as f64 };
        sample_size(base, self.least_effect, self.alpha(), POWER)
    }

    fn compare(&self, counts: &[Counts]) -> Verdict {
        let best = self.best();
        let of = |n: usize| counts.get(n).map_or((0, 0), |counts| (counts.successes(self.goal), counts.people));
        let tests: Vec<TwoProportions> = (0..counts.len())
            .filter(|n| *n != best)
            .map(|n| two_proportions(of(best), of(n)))
            .map(|test| test.unwrap_or(TwoProportions { z: 0.0, p: 1.0 }))
            .collect();
        let p = tests.iter().map(|test| test.p).fold(0.0, f64::max);
        if !tests.is_empty() && p < self.alpha() { Verdict::Winner { variant: best, p } } else { Verdict::NoDifference }
    }
}

/// A variant in the report.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arm {
    /// Its figures.
    pub counts: Counts,
    /// The share of successes, 0 to 1.
    pub rate: f64,
    /// Where the true share is, with 95 % confidence (Wilson).
    pub interval: Interval,
}

/// What the figures of an experiment say.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The variants, in their order.
    pub arms: Vec<Arm>,
    /// People that each variant needs.
    pub needed: u64,
    /// Whether the split is the planned one; `None` where none was planned or nobody has come yet.
    pub ratio: Option<SampleRatio>,
    /// What to make of it.
    pub verdict: Verdict,
}

/// What to make of an experiment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    /// People were not split as planned: the figures are worth nothing until the cause is found.
    BrokenSplit,
    /// It is too early to say.
    NotEnough {
        /// People still to come, all variants together.
        missing: u64,
    },
    /// One is better than every other.
    Winner {
        /// Its place in the list.
        variant: usize,
        /// The likelihood of such a lead by luck, against the closest other one.
        p: f64,
    },
    /// No difference that matters.
    NoDifference,
}

impl Verdict {
    /// Its stable name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::BrokenSplit => "broken_split",
            Self::NotEnough { .. } => "not_enough",
            Self::Winner { .. } => "winner",
            Self::NoDifference => "no_difference",
        }
    }
}

impl Report {
    /// The verdict in a sentence for the owner; `names` are the variants'.
    pub fn sentence(&self, names: &[&str]) -> String {
        match self.verdict {
            Verdict::BrokenSplit => {
                "A divisão entre as versões não saiu como planejada; os números não valem até se achar a causa."
                    .to_owned()
            }
            Verdict::NotEnough { missing } => {
                format!("Ainda não dá para dizer: faltam ~{} conversas.", grouped(roughly(missing)))
            }
            Verdict::Winner { variant, .. } => {
                let name = names.get(variant).copied().unwrap_or_default();
                let others = self.arms.iter().enumerate().filter(|(n, _)| *n != variant).map(|(_, arm)| arm.rate);
                let next = percent(others.fold(0.0, f64::max));
                let rate = percent(self.arms.get(variant).map_or(0.0, |arm| arm.rate));
                format!("A versão {name} é melhor: {rate} contra {next}.")
            }
            Verdict::NoDifference => "As versões não mostram diferença que importe.".to_owned(),
        }
    }
}

/// Two digits that count, rounded up.
fn roughly(number: u64) -> u64 {
    let mut step = 1;
    while number / step >= 100 {
        step *= 10;
    }
    number.div_ceil(step) * step
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            out.push('.');
        }
        out.push(digit);
    }
    out
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0).replace('.', ",")
}
