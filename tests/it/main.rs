//! The one integration binary: one file per capability, on the product's real server, runner, PostgreSQL and Redis.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod configuration;
mod inbound_shapes;
mod http_surface;
mod logging;
mod metrics;
mod phones;
mod text_cleaning;
mod tidy;
mod webhook_auth;
mod cli;
mod configuration;
mod embedded;
mod logging;
mod metrics;
mod tidy;
mod simulator_page;
