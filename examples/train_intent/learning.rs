//! Multinomial logistic regression by stochastic gradient descent, the same on every run.

use secretaria::domain::conversation::intent::Intent;
use secretaria::domain::conversation::intent::likelihood::{BUCKETS, share};

/// How often every sentence is gone through; the steps become smaller from round to round.
const ROUNDS: u16 = 40;
const RATE: f32 = 1.5;
/// How much of every weight is forgotten in the first round, so that rare words do not decide alone.
const FORGOTTEN: f32 = 0.018;

/// A sentence with what it means.
pub struct Sample {
    pub line: String,
    pub label: usize,
    /// What the rules say.
    pub ruled: usize,
    /// Whether the rules were fitted to it.
    pub fitted: bool,
    /// The features to learn from.
    pub places: Vec<usize>,
    /// The features to ask with.
    pub asked: Vec<usize>,
}

/// One weight for each place and intent.
pub struct Model(Vec<f32>);

const LABELS: usize = Intent::ALL.len();

impl Model {
    pub fn learned(samples: &[&Sample]) -> Self {
        let mut model = Self(vec![0.0; BUCKETS * LABELS]);
        let mut order: Vec<&Sample> = samples.to_vec();
        for round in 0..ROUNDS {
            order.sort_by_key(|sample| mixed(&format!("{round}{}", sample.line)));
            let pace = 1.0 - f32::from(round) / f32::from(ROUNDS);
            for sample in &order {
                model.learn(sample, RATE * pace);
            }
            let kept = 1.0 - FORGOTTEN * pace;
            model.0.iter_mut().for_each(|weight| *weight *= kept);
        }
        model
    }

    fn learn(&mut self, sample: &Sample, rate: f32) {
        let share = share(sample.places.len());
        let wrong: Vec<f32> = self
            .likelihoods(&sample.places)
            .into_iter()
            .enumerate()
            .map(|(label, p)| f32::from(u8::from(label == sample.label)) - p)
            .collect();
        for place in &sample.places {
            let row = self.0.get_mut(place * LABELS..(place + 1) * LABELS).unwrap_or_default();
            row.iter_mut().zip(&wrong).for_each(|(weight, wrong)| *weight += rate * share * wrong);
        }
    }

    fn likelihoods(&self, places: &[usize]) -> Vec<f32> {
        let mut sums = [0.0_f32; LABELS];
        for place in places {
            let row = self.0.get(place * LABELS..(place + 1) * LABELS).unwrap_or_default();
            sums.iter_mut().zip(row).for_each(|(sum, weight)| *sum += weight);
        }
        let share = share(places.len());
        let highest = sums.iter().copied().fold(f32::MIN, f32::max);
        let powers: Vec<f32> = sums.iter().map(|sum| ((sum - highest) * share).exp()).collect();
        let total: f32 = powers.iter().sum();
        powers.into_iter().map(|power| power / total).collect()
    }

    /// The likeliest intent's number and how likely it is.
    pub fn best(&self, places: &[usize]) -> (usize, f32) {
        let all = self.likelihoods(places);
        all.into_iter().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b)).unwrap_or_default()
    }

    /// The weights of one intent.
    pub fn column(&self, label: usize) -> Vec<f32> {
        self.0.iter().skip(label).step_by(LABELS).copied().collect()
    }
}

/// A number that looks like chance and is the same on every run.
pub fn mixed(text: &str) -> usize {
    let hash =
        text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3));
    usize::try_from((hash ^ (hash >> 29)) & 0x7fff_ffff).unwrap_or_default()
}
