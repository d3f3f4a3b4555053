//! Whether chances mean what they say: of those called 30 %, three in ten should stay away.

/// Appointments whose chance lay in one tenth.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bucket {
    /// How many.
    pub count: u32,
    /// Sum of their chances: how many misses were expected.
    pub expected: f64,
    /// How many were missed.
    pub missed: u32,
}

/// How good past predictions were.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quality {
    /// By tenths of the chance: 0–10 %, 10–20 %, …
    pub table: [Bucket; 10],
    /// Share of the pairs of a missed and a kept appointment in which the missed one had the higher chance; 0.5 is
    /// guessing. `None` unless there are both.
    pub auc: Option<f64>,
    /// Mean squared error; lower is better.
    pub brier: f64,
    /// The same for always saying the share of missed ones.
    pub brier_constant: f64,
}

/// Compares chances with what happened; `None` of nothing.
pub fn quality(outcomes: &[(f64, bool)]) -> Option<Quality> {
    if outcomes.is_empty() {
        return None;
    }
    let count = float(outcomes.len());
    let missed = float(outcomes.iter().filter(|(_, missed)| *missed).count());
    let mut table = [Bucket::default(); 10];
    let mut error = 0.0;
    for (chance, missed) in outcomes {
        error += (chance - f64::from(u8::from(*missed))).powi(2);
        if let Some(bucket) = table.get_mut(tenth(*chance)) {
            bucket.count += 1;
            bucket.expected += chance;
            bucket.missed += u32::from(*missed);
        }
    }
    let base = missed / count;
    Some(Quality { table, auc: auc(outcomes), brier: error / count, brier_constant: base * (1.0 - base) })
}

/// By the sum of ranks; equal chances share theirs.
fn auc(outcomes: &[(f64, bool)]) -> Option<f64> {
    let mut sorted = outcomes.to_vec();
    sorted.sort_by(|left, right| left.0.total_cmp(&right.0));
    let (mut before, mut ranks, mut missed) = (0.0, 0.0, 0.0);
    for equal in sorted.chunk_by(|left, right| left.0.total_cmp(&right.0).is_eq()) {
        let among = float(equal.iter().filter(|(_, missed)| *missed).count());
        let size = float(equal.len());
        ranks += among * (before + f64::midpoint(size, 1.0));
        missed += among;
        before += size;
    }
    let kept = before - missed;
    (missed > 0.0 && kept > 0.0).then(|| (ranks - missed * (missed + 1.0) / 2.0) / (missed * kept))
}

fn tenth(chance: f64) -> usize {
    (chance * 10.0).clamp(0.0, 9.0) as usize
}

fn float(count: usize) -> f64 {
    count as f64
}
