//! Secretaria: a virtual secretary for many companies at once.
//!
//! # The map
//! Each layer may import only from layers to its left:
//! `domain` < `config` `telemetry` (and `clock`) < `tenant` `clients` < `models` `queue` < `services` < `workers` `routes` < `cli` < `main`;
//! `standins` stands beside `routes`. `docs/ARCHITECTURE.md` walks one message through it.
//!
//! # Invariants, stated as absences
//! - No code outside [`tenant`] holds a pool or formats a key of Redis or a schema's name.
//! - No code in [`domain`] does I/O, reads a clock, draws a random number or counts a metric.
//! - No code in [`clients`] retries, decides or stores.
//! - No function that holds one company's [`tenant::Tenant`] can name another company's data.

pub mod cli;
pub mod clients;
pub mod clock;
pub mod config;
pub mod domain;
pub mod models;
pub mod queue;
pub mod routes;
pub mod services;
pub mod standins;
pub mod telemetry;
pub mod tenant;
pub mod workers;
