//! routes

pub mod simulator;
