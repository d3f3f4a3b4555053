//! Ten minutes of ordinary trouble.

use super::Outcome;

pub async fn soak(_seconds: u64, _seed: u64) -> Outcome {
    Outcome::default()
}
