//! Waiting before the next try.

use std::time::Duration;

/// Exponential backoff with full jitter: a random share (`chance`, 0 to 1) of `min(cap, base · 2^attempt)`.
pub fn backoff(base: Duration, cap: Duration, attempt: u32, chance: f64) -> Duration {
    let ceiling = base.saturating_mul(2_u32.saturating_pow(attempt.min(20))).min(cap);
    ceiling.mul_f64(chance.clamp(0.0, 1.0))
}

/// A wait from a table with up to a tenth of jitter on top, so that retries of an outage do not return in step.
pub fn spread(wait: Duration, chance: f64) -> Duration {
    wait + wait.mul_f64(chance.clamp(0.0, 1.0) / 10.0)
}
