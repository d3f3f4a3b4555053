//! Metrics: one vocabulary ([`CATALOGUE`]), one typed function a use, one exporter.
//!
//! No other file of the program names a family or uses the recording macros, so a typing error cannot make a new
//! series, and no label can carry a phone number, a text or an address.

mod catalogue;
mod exporter;
mod labels;
mod record;

pub use catalogue::{CATALOGUE, Kind, Label, Metric, markdown};
pub use exporter::{HISTOGRAM_COMPANY_LIMIT, MetricsHandle, SplitRecorder, build, install};
pub use labels::*;
pub use record::*;
