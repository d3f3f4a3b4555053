//! The one integration binary: one file per capability, on the product's real server, runner, PostgreSQL and Redis.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod gemini;
mod standins;
mod whaticket_out;
