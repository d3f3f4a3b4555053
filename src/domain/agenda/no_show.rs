//! The chance that a person does not come to an appointment.
//!
//! Every company starts from one prior and moves away from it with each of its own past days: a logistic model whose
//! weights are a normal distribution ([`features`] holds the prior and why it is what it is), brought up to date day by
//! day. A company with few outcomes therefore stays near the prior and one with many follows its own people; nothing
//! has to decide from which number on it may be believed. What is still unknown of the weights draws a prediction
//! towards one half, so that a probability means what it says from the first day on.
//!
//! A person's own history enters as one number that is shrunk in the same spirit, see [`PersonHistory`].
//!
//! The same outcomes in the same order give the same model: it can be stored, or learnt anew from the rows.

pub mod calibration;
pub mod features;
mod reasons;
mod replay;

use serde::{Deserialize, Serialize};

pub use features::{Facts, PersonHistory, Reply};
use features::{SIZE, WEIGHTS, values};
pub use reasons::Reason;
pub use replay::{Record, Replayed, replay};

/// Version of the stored shape; grows with every change of the features.
const VERSION: u8 = 1;
/// Share of the prior's variance that comes back with every day learnt, because habits and calendars change. Small: a
/// weight forgets its past over a year or two, not over a month.
const DRIFT: f64 = 0.002;

type Row = [f64; SIZE];

/// What one company's past days taught.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "Stored", try_from = "Stored")]
pub struct NoShowModel {
    weights: Row,
    covariance: [Row; SIZE],
    outcomes: u64,
    missed: u64,
}

impl Default for NoShowModel {
    fn default() -> Self {
        Self::prior()
    }
}

impl NoShowModel {
    /// The model of a company that nothing is known of.
    pub fn prior() -> Self {
        let mut covariance = [[0.0; SIZE]; SIZE];
        for (place, (row, weight)) in covariance.iter_mut().zip(WEIGHTS).enumerate() {
            if let Some(cell) = row.get_mut(place) {
                *cell = weight.spread * weight.spread;
            }
        }
        Self { weights: WEIGHTS.map(|weight| weight.mean), covariance, outcomes: 0, missed: 0 }
    }

    /// The chance, strictly between 0 and 1, that nobody comes.
    pub fn probability(&self, facts: &Facts) -> f64 {
        let values = values(facts);
        let unsure = dot(&self.spread(&values), &values).max(0.0);
        // The mean of a logistic over a normal, by MacKay's approximation.
        logistic(dot(&self.weights, &values) / (1.0 + std::f64::consts::PI * unsure / 8.0).sqrt())
    }

    /// Learns one day: what was known of each of its appointments before, and whether the person stayed away.
    ///
    /// One call a day, in the order of the days; within a day always in the same order, because the last digits
    /// depend on it.
    pub fn learn_day<'a>(&mut self, day: impl IntoIterator<Item = (&'a Facts, bool)>) {
        let mut day = day.into_iter().peekable();
        if day.peek().is_none() {
            return;
        }
        for (place, (row, weight)) in self.covariance.iter_mut().zip(WEIGHTS).enumerate() {
            if let Some(cell) = row.get_mut(place) {
                let prior = weight.spread * weight.spread;
                // Never less sure than the prior: features that a company does not have stay as they were.
                *cell = (*cell + DRIFT * prior).min(prior.max(*cell));
            }
        }
        for (facts, missed) in day {
            self.learn(facts, missed);
        }
    }

    /// How many outcomes were learnt.
    pub fn outcomes(&self) -> u64 {
        self.outcomes
    }

    /// The company's share of missed appointments, shrunk towards the prior's with the weight of twenty appointments.
    pub fn base_rate(&self) -> f64 {
        let (missed, outcomes) = (as_float(self.missed), as_float(self.outcomes));
        (missed + features::BASE_RATE * 20.0) / (outcomes + 20.0)
    }

    /// What raises or lowers the chance, strongest first; for people, not for calculating.
    pub fn reasons(&self, facts: &Facts) -> Vec<Reason> {
        reasons::reasons(&self.weights, facts)
    }

    /// One step of Newton's method from the present belief: the Bayesian update of a logistic model with its
    /// likelihood replaced by a normal of the same slope and curvature.
    fn learn(&mut self, facts: &Facts, missed: bool) {
        let values = values(facts);
        let gain = self.spread(&values);
        let unsure = dot(&gain, &values).max(0.0);
        let expected = logistic(dot(&self.weights, &values));
        let curvature = expected * (1.0 - expected);
        let damping = 1.0 + curvature * unsure;
        let step = (f64::from(u8::from(missed)) - expected) / damping;
        for (weight, gain) in self.weights.iter_mut().zip(gain) {
            *weight += gain * step;
        }
        for (row, left) in self.covariance.iter_mut().zip(gain) {
            let factor = left * curvature / damping;
            for (cell, right) in row.iter_mut().zip(gain) {
                *cell -= factor * right;
            }
        }
        self.outcomes += 1;
        self.missed += u64::from(missed);
    }

    fn spread(&self, values: &Row) -> Row {
        let mut spread = [0.0; SIZE];
        for (place, row) in spread.iter_mut().zip(&self.covariance) {
            *place = dot(row, values);
        }
        spread
    }
}

/// A model as it is kept: the covariance is symmetric, so its lower triangle says all of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Stored {
    v: u8,
    weights: Vec<f64>,
    triangle: Vec<f64>,
    outcomes: u64,
    missed: u64,
}

impl From<NoShowModel> for Stored {
    fn from(model: NoShowModel) -> Self {
        let triangle =
            model.covariance.iter().enumerate().flat_map(|(end, row)| row.iter().take(end + 1).copied()).collect();
        Self { v: VERSION, weights: model.weights.to_vec(), triangle, outcomes: model.outcomes, missed: model.missed }
    }
}

impl TryFrom<Stored> for NoShowModel {
    type Error = &'static str;

    /// Refuses other versions and broken numbers: such a model is learnt anew from the rows.
    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        if stored.v != VERSION {
            return Err("a no-show model of another version");
        }
        let weights: Row = stored.weights.try_into().map_err(|_| "a no-show model of another size")?;
        if stored.triangle.len() != SIZE * (SIZE + 1) / 2 {
            return Err("a no-show model of another size");
        }
        let mut numbers = stored.triangle.into_iter();
        let mut covariance = [[0.0; SIZE]; SIZE];
        for left in 0..SIZE {
            for right in 0..=left {
                let number = numbers.next().ok_or("a no-show model of another size")?;
                for (row, column) in [(left, right), (right, left)] {
                    if let Some(cell) = covariance.get_mut(row).and_then(|row| row.get_mut(column)) {
                        *cell = number;
                    }
                }
            }
        }
        let sound = weights.iter().chain(covariance.iter().flatten()).all(|number| number.is_finite());
        if !sound || stored.missed > stored.outcomes {
            return Err("a no-show model with impossible numbers");
        }
        Ok(Self { weights, covariance, outcomes: stored.outcomes, missed: stored.missed })
    }
}

fn dot(left: &Row, right: &Row) -> f64 {
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}

/// Kept away from 0 and 1, which no amount of evidence reaches.
fn logistic(odds: f64) -> f64 {
    1.0 / (1.0 + (-odds.clamp(-12.0, 12.0)).exp())
}

fn as_float(count: u64) -> f64 {
    count as f64
}
