//! The attack engine: a whole Secretaria of real processes on servers of its own, load with unique words, and a judge
//! that compares four witnesses: the client's ledger of every 2xx, PostgreSQL, Redis, and the stand-ins' ledger.
//!
//! The suite runs its small sizes (`tests/it/attack.rs`), `make verify` the large ones.
#![allow(dead_code, reason = "each of the two programs that include the engine uses a part of it")]

pub mod arena;
pub mod child;
pub mod deeds;
pub mod evidence;
pub mod judge;
pub mod load;
pub mod proxy;
pub mod resp;
pub mod scenarios;
pub mod wal;
pub mod wire;

/// Chance that is the same for the same seed (SplitMix64).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64, salt: u64) -> Self {
        Self(seed.wrapping_mul(0x2545_F491_4F6C_DD1D) ^ salt.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    }

    /// A number in `0..n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.roll() % n.max(1)
    }

    /// A number in `low..=high`.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// True so many times of a hundred.
    pub fn percent(&mut self, share: u64) -> bool {
        self.below(100) < share
    }
}
