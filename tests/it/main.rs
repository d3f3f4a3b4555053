//! The one integration binary: one file per capability, on the product's real server, runner, PostgreSQL and Redis.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod agenda;
mod attack;
mod boot;
mod canaries;
mod cli;
mod configuration;
mod conversation_laws;
mod delivery;
mod demo;
mod embedded;
#[path = "../tools/verify/engine/mod.rs"]
mod engine;
mod first_answer;
mod gemini;
mod group_commit;
mod harness;
mod hostile;
mod http_surface;
mod inbound_shapes;
mod injection;
mod intake;
mod logging;
mod metrics;
mod migrating;
mod outages;
mod phones;
mod provisioning;
mod queue;
mod queue_model;
mod rebuild;
mod resumption;
mod simulator_page;
mod standins;
mod text_cleaning;
mod tidy;
mod truth;
mod turn;
mod turn_model;
mod understanding;
mod unknown_commit;
mod wall;
mod wall_http;
mod webhook_auth;
mod whaticket_out;
mod workers;
