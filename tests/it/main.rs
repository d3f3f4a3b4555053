//! The one integration binary: one file per capability, on the product's real server, runner, PostgreSQL and Redis.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod cli;
mod configuration;
mod conversation_laws;
mod delivery;
mod embedded;
mod first_answer;
mod gemini;
mod harness;
mod http_surface;
mod inbound_shapes;
mod logging;
mod metrics;
mod migrating;
mod phones;
mod provisioning;
mod rebuild;
mod simulator_page;
mod standins;
mod text_cleaning;
mod tidy;
mod turn;
mod turn_model;
mod unknown_commit;
mod wall;
mod webhook_auth;
mod whaticket_out;
