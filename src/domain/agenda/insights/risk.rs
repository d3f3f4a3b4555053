//! Which appointments count as high risk.
//!
//! Calibrated chances are modest: where one in five stays away, hardly any single appointment has a chance above 80 %,
//! and a mark from 0.8 on would never be seen. So the threshold is read as a rank: 0.8 marks what is riskier than four
//! in five of the company's recent appointments, and clearly above its average, lest somebody be marked where all are
//! alike. Who means the chance itself can say so.

/// How the threshold is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reading {
    /// As a share of the company's recent appointments that must be less risky.
    #[default]
    Rank,
    /// As the chance itself.
    Chance,
}

/// When an appointment is marked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Marking {
    /// 0 to 1.
    pub threshold: f64,
    /// What it is a threshold of.
    pub reading: Reading,
}

impl Default for Marking {
    fn default() -> Self {
        Self { threshold: 0.8, reading: Reading::Rank }
    }
}

/// By rank: how many times the base rate a marked chance is at least.
const ABOVE_BASE: f64 = 1.25;
/// With fewer recent appointments a rank says nothing; then this many times the base rate is high.
const RECENT_MIN: usize = 20;
const FEW_ABOVE_BASE: f64 = 1.75;

/// The chance from which on an appointment is marked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RiskLevel {
    from: f64,
}

impl RiskLevel {
    /// `recent` are chances of the company's recent appointments, in any order; `base_rate` its share of missed ones.
    pub fn of(marking: Marking, recent: &[f64], base_rate: f64) -> Self {
        let threshold = if marking.threshold.is_finite() { marking.threshold.clamp(0.0, 1.0) } else { 0.8 };
        if marking.reading == Reading::Chance {
            return Self { from: threshold };
        }
        let mut sorted: Vec<f64> = recent.iter().copied().filter(|chance| chance.is_finite()).collect();
        if sorted.len() < RECENT_MIN {
            return Self { from: (base_rate * FEW_ABOVE_BASE).min(1.0) };
        }
        sorted.sort_by(f64::total_cmp);
        let place = ((sorted.len() - 1) as f64 * threshold).ceil() as usize;
        let ranked = sorted.get(place).copied().unwrap_or(1.0);
        Self { from: ranked.max(base_rate * ABOVE_BASE).min(1.0) }
    }

    /// Whether a chance is marked.
    pub fn marks(&self, chance: f64) -> bool {
        chance >= self.from
    }

    /// The chance itself, to be shown beside the mark.
    pub fn from(&self) -> f64 {
        self.from
    }
}
