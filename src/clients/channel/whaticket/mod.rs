//! Whaticket in its three dialects.

pub mod inbound;
pub mod media;
pub mod outbound;

pub use outbound::send;

use serde::{Deserialize, Serialize};

/// Which Whaticket a company runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flavor {
    /// The open-source community project.
    Community,
    /// A Brazilian SaaS fork.
    Saas,
    /// Whaticket.com.
    Hosted,
}
