//! What operators see: logs and metrics. No layer above needs to know how either is written out.

pub mod logging;
pub mod metrics;
