//! The attacks, each in a small size for the suite and a large one for `make verify`.

pub mod crash;
pub mod power;
pub mod processes;
pub mod providers;
pub mod soak;
pub mod stores;
pub mod traffic;

use std::pin::Pin;
use std::sync::Arc;

use super::arena::Arena;
use super::judge::{Rules, Verdict, conclude};
use super::load::ClientLedger;

/// How large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// What the suite runs.
    Small,
    /// What `make verify` runs.
    Large,
}

impl Size {
    pub fn pick<T>(self, small: T, large: T) -> T {
        if self == Self::Small { small } else { large }
    }
}

/// What an attack came to.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// What was done, in numbers.
    pub size: String,
    pub verdict: Verdict,
    /// Why it could not be done here.
    pub skipped: Option<String>,
    /// Figures worth a line.
    pub notes: Vec<String>,
}

impl Outcome {
    pub fn new(size: String, verdict: Verdict) -> Self {
        Self { size, verdict, skipped: None, notes: Vec::new() }
    }

    pub fn note(mut self, note: String) -> Self {
        self.notes.push(note);
        self
    }

    /// For the suite: panics with everything that was wrong, and the seed that shows it again.
    #[track_caller]
    pub fn expect_clean(&self, seed: u64) {
        assert!(self.verdict.violations.is_empty(), "seed {seed}, {}: {:#?}", self.size, self.verdict.violations);
        assert!(self.skipped.is_some() || self.verdict.accepted > 0, "nothing was attacked");
    }
}

type Attack = fn(Size, u64) -> Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// A row of the table.
pub struct Scenario {
    pub name: &'static str,
    /// Which promises it attacks.
    pub promises: &'static str,
    /// What is done, in words for the published page.
    pub what: &'static str,
    /// Seconds of the large size, roughly, most of them waiting: long ones begin first.
    pub seconds: u32,
    pub attack: Attack,
}

macro_rules! scenario {
    ($name:literal, $promises:literal, $seconds:literal, $attack:path, $what:literal) => {
        Scenario {
            name: $name,
            promises: $promises,
            what: $what,
            seconds: $seconds,
            attack: |size, seed| Box::pin($attack(size, seed)),
        }
    };
}

/// All rows.
pub const ALL: &[Scenario] = &[
    scenario!(
        "process-kills",
        "G1 G2 G3 G4 G7 G9",
        150,
        processes::kills,
        "`kill -9` of `serve` and `work` at random moments under load; each is started again"
    ),
    scenario!(
        "store-kills",
        "G1 G2 G3 G4",
        150,
        stores::kills,
        "`kill -9` of Redis and of PostgreSQL under load, each started again on its data"
    ),
    scenario!(
        "postgres-down",
        "G2 G3",
        130,
        stores::postgres_down_after_send,
        "PostgreSQL dies while answers are being sent, and comes back later (30 s, or with all times scaled)"
    ),
    scenario!(
        "provider-faults",
        "G2 G3 G4",
        120,
        providers::faults,
        "every kind of trouble from channel and model at once, a share of all requests each; then counters one by one"
    ),
    scenario!(
        "duplicates",
        "G2 G3",
        100,
        traffic::duplicates,
        "each message 1 to 10 times, at once and over two servers, and again after Redis was wiped"
    ),
    scenario!(
        "bursts",
        "G4",
        130,
        traffic::bursts,
        "bursts of 2 to 20 messages to four workers in two processes with two runners each way"
    ),
    scenario!(
        "paused-worker",
        "G3 G4",
        110,
        processes::paused,
        "a worker frozen (SIGSTOP) past its lease, then thawed, while another takes over"
    ),
    scenario!(
        "noisy-neighbour",
        "G8 G9",
        100,
        traffic::noisy_neighbour,
        "one company floods while another's customers write now and then"
    ),
    scenario!(
        "crash-at-k",
        "G1 G2 G3 G4",
        200,
        crash::every_operation,
        "the worker dies at its k-th request to Redis, PostgreSQL or a provider, for every k, before or after it took effect"
    ),
    scenario!(
        "power-cut",
        "G1",
        100,
        power::cut,
        "Redis and PostgreSQL die at once and lose from their logs what was written but not flushed to disk (fdatasync)"
    ),
    scenario!(
        "redis-trouble",
        "G1 G2",
        15,
        stores::redis_trouble,
        "Redis full, loading, read-only: 503, nothing half stored, all accepted later with the same ids"
    ),
];

/// Waits for rest and judges by the common rules.
pub async fn judged(arena: &Arc<Arena>, ledger: &ClientLedger) -> Verdict {
    conclude(arena, ledger, Rules::default()).await
}
