//! The few formulas of statistics that experiments need.

use std::f64::consts::PI;

/// A range, both ends from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// Whether two shares differ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TwoProportions {
    /// Standard errors between them; positive when the first is greater.
    pub z: f64,
    /// The likelihood of at least such a difference, either way, were there none.
    pub p: f64,
}

/// Whether a split is the planned one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SampleRatio {
    /// Pearson's statistic.
    pub chi2: f64,
    /// The likelihood of at least such a deviation under the plan.
    pub p: f64,
}

/// Wilson's score interval of a share (Wilson 1927); all of 0 to 1 when nobody was asked.
pub fn wilson(successes: u64, people: u64, z: f64) -> Interval {
    if people == 0 {
        return Interval { low: 0.0, high: 1.0 };
    }
    let n = people as f64;
    let share = successes as f64 / n;
    let scale = 1.0 + z * z / n;
    let middle = (share + z * z / (2.0 * n)) / scale;
    let half = z / scale * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    Interval { low: (middle - half).max(0.0), high: (middle + half).min(1.0) }
}

/// The test of two shares, `(successes, people)` each, with the pooled variance. `None` when it says nothing: a side
/// without people, or all or none of both succeeded.
pub fn two_proportions(first: (u64, u64), second: (u64, u64)) -> Option<TwoProportions> {
    let ((s1, n1), (s2, n2)) = ((first.0 as f64, first.1 as f64), (second.0 as f64, second.1 as f64));
    if first.1 == 0 || second.1 == 0 {
        return None;
    }
    let pooled = (s1 + s2) / (n1 + n2);
    let error = (pooled * (1.0 - pooled) * (1.0 / n1 + 1.0 / n2)).sqrt();
    (error > 0.0).then(|| {
        let z = (s1 / n1 - s2 / n2) / error;
        TwoProportions { z, p: two_sided(z) }
    })
}

/// The chi-squared test of people against the weights they were split by. `None` without people or with fewer than two
/// weights above zero.
pub fn sample_ratio(people: &[u64], weights: &[f64]) -> Option<SampleRatio> {
    let pairs: Vec<(f64, f64)> = people
        .iter()
        .zip(weights)
        .filter(|(_, weight)| **weight > 0.0)
        .map(|(n, weight)| (*n as f64, *weight))
        .collect();
    let total: f64 = pairs.iter().map(|(n, _)| n).sum();
    let weight: f64 = pairs.iter().map(|(_, weight)| weight).sum();
    if total <= 0.0 || pairs.len() < 2 {
        return None;
    }
    let term = |(n, share): &(f64, f64)| {
        let expected = total * share / weight;
        (n - expected) * (n - expected) / expected
    };
    let chi2: f64 = pairs.iter().map(term).sum();
    Some(SampleRatio { chi2, p: upper_gamma((pairs.len() - 1) as f64 / 2.0, chi2 / 2.0) })
}

/// People each of two sides needs for a difference of `effect` from `base` to be found with this power at this level,
/// two-sided (normal approximation). The difference is taken towards the side that has room for it.
pub fn sample_size(base: f64, effect: f64, alpha: f64, power: f64) -> u64 {
    let effect = effect.clamp(0.001, 0.5);
    let base = base.clamp(0.0, 1.0);
    let other = if base + effect <= 1.0 { base + effect } else { base - effect };
    let middle = f64::midpoint(base, other);
    let spread = |share: f64| share * (1.0 - share);
    let under_none = quantile(1.0 - alpha / 2.0) * (2.0 * spread(middle)).sqrt();
    let under_effect = quantile(power) * (spread(base) + spread(other)).sqrt();
    ((under_none + under_effect).powi(2) / (effect * effect)).ceil() as u64
}

/// The likelihood that a standard normal value is at least so far from 0, either way.
pub fn two_sided(z: f64) -> f64 {
    upper_gamma(0.5, z * z / 2.0)
}

/// The value below which a standard normal one stays with this probability.
pub fn quantile(probability: f64) -> f64 {
    let probability = probability.clamp(1e-12, 1.0 - 1e-12);
    let below = |z: f64| {
        let tail = two_sided(z) / 2.0;
        if z < 0.0 { tail } else { 1.0 - tail }
    };
    let (mut low, mut high) = (-8.0, 8.0);
    for _ in 0..80 {
        let middle = f64::midpoint(low, high);
        if below(middle) < probability {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// The regularised upper incomplete gamma function Q(a, x): by its series below a + 1, by a continued fraction (Lentz)
/// above.
fn upper_gamma(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    let scale = (a * x.ln() - x - ln_gamma(a)).exp();
    if x < a + 1.0 {
        let (mut term, mut sum, mut n) = (1.0 / a, 1.0 / a, a);
        for _ in 0..500 {
            n += 1.0;
            term *= x / n;
            sum += term;
            if term < sum * f64::EPSILON {
                break;
            }
        }
        return (1.0 - scale * sum).clamp(0.0, 1.0);
    }
    let tiny = f64::MIN_POSITIVE / f64::EPSILON;
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / tiny;
    let mut d = 1.0 / b;
    let mut fraction = d;
    for n in 1..500 {
        let step = -f64::from(n) * (f64::from(n) - a);
        b += 2.0;
        d = 1.0 / away_from_zero(step * d + b, tiny);
        c = away_from_zero(b + step / c, tiny);
        fraction *= d * c;
        if (d * c - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    (scale * fraction).clamp(0.0, 1.0)
}

fn away_from_zero(value: f64, tiny: f64) -> f64 {
    if value.abs() < tiny { tiny } else { value }
}

/// The logarithm of the gamma function for a half or a whole number above 0: by its recurrence from Γ(1/2) = √π and
/// Γ(1) = 1.
fn ln_gamma(a: f64) -> f64 {
    let half = a.fract() != 0.0;
    let (mut at, mut sum) = if half { (0.5, PI.sqrt().ln()) } else { (1.0, 0.0) };
    while at + 0.75 < a {
        sum += f64::ln(at);
        at += 1.0;
    }
    sum
}
