//! The learned weights and how they are written down.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

use super::{BUCKETS, Likely};
use crate::domain::conversation::intent::Intent;

/// The version of features and file this program reads.
const VERSION: &str = "intent-weights 1";
const ORIGIN: &str = "# Learned from our own sentences. After a change of them or of config/lexicon/intent.txt:
# F=tests/it/understanding; cargo run --release --example train_intent -- $F/messages.txt! $F/learned.txt \\
#   --write config/models/intent.txt
";
/// Weights are kept as whole steps of this size.
const STEP: f32 = 0.1;

/// Why a file of weights cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WeightsError {
    /// It was written for other features.
    #[error("the first line is not \"{VERSION}\"")]
    Version,
    /// A line is not an intent's name and its weights.
    #[error("line {0}: expected an intent and {BUCKETS} weights in base64")]
    Line(usize),
}

/// For every place of a feature, what it tells for each intent.
#[derive(Clone, Debug, Default)]
pub struct Weights {
    /// The intents that were learned; the weights of a place stand in this order.
    intents: Vec<Intent>,
    /// `BUCKETS` times the number of intents, in steps.
    steps: Vec<i8>,
}

impl Weights {
    /// Reads weights as [`Self::written`] writes them.
    ///
    /// # Errors
    /// The line that cannot be read.
    pub fn parse(content: &str) -> Result<Self, WeightsError> {
        let mut lines = content.lines().enumerate();
        if lines.next().is_none_or(|(_, line)| line != VERSION) {
            return Err(WeightsError::Version);
        }
        let mut columns = Vec::new();
        for (index, line) in lines.filter(|(_, line)| !line.starts_with('#')) {
            columns.push(column(line).ok_or(WeightsError::Line(index + 1))?);
        }
        let intents = columns.iter().map(|(intent, _)| *intent).collect();
        let place = |at: usize| columns.iter().map(move |(_, steps)| steps.get(at).copied().unwrap_or_default());
        Ok(Self { intents, steps: (0..BUCKETS).flat_map(place).collect() })
    }

    /// Weights as they were learned, one list of [`BUCKETS`] for each intent, as a file.
    pub fn written(columns: &[(Intent, Vec<f32>)]) -> String {
        let mut file = format!("{VERSION}\n{ORIGIN}");
        for (intent, weights) in columns {
            let steps: Vec<u8> = weights.iter().map(|weight| step(*weight).cast_unsigned()).collect();
            file.push_str(&format!("{} {}\n", intent.label(), STANDARD.encode(steps)));
        }
        file
    }

    /// How likely each intent is for features at these places; empty without weights.
    pub(super) fn likelihoods(&self, places: &[usize]) -> Vec<Likely> {
        let count = self.intents.len();
        let mut sums = vec![0_i32; count];
        for place in places {
            let row = self.steps.get(place * count..(place + 1) * count).unwrap_or_default();
            sums.iter_mut().zip(row).for_each(|(sum, step)| *sum += i32::from(*step));
        }
        let scale = STEP * share(places.len());
        let scores: Vec<f32> = sums.into_iter().map(|sum| scale * i16::try_from(sum).map_or(0.0, f32::from)).collect();
        let highest = scores.iter().copied().fold(f32::MIN, f32::max);
        let powers: Vec<f32> = scores.iter().map(|score| (score - highest).exp()).collect();
        let total: f32 = powers.iter().sum();
        let likely = self.intents.iter().zip(powers);
        likely.map(|(intent, power)| Likely { intent: *intent, probability: power / total }).collect()
    }
}

/// How much one of so many features counts: a long text has more to say, but not as many times more.
pub fn share(features: usize) -> f32 {
    1.0 / u16::try_from(features.max(1)).map_or(f32::from(u16::MAX), f32::from).sqrt()
}

fn column(line: &str) -> Option<(Intent, Vec<i8>)> {
    let (name, encoded) = line.split_once(' ')?;
    let intent = Intent::ALL.iter().find(|intent| intent.label() == name)?;
    let steps: Vec<i8> = STANDARD.decode(encoded).ok()?.into_iter().map(|byte| byte.cast_signed()).collect();
    (steps.len() == BUCKETS).then_some((*intent, steps))
}

fn step(weight: f32) -> i8 {
    // Saturating, so that one weight out of range is a weak one and not one of the other sign.
    (weight / STEP).round().clamp(f32::from(i8::MIN), f32::from(i8::MAX)) as i8
}
