//! The pure core: values in, values out. No async, no I/O, no clock, no randomness, no metrics.

pub mod agenda;
pub mod api_auth;
pub mod audit;
pub mod company;
pub mod conversation;
pub mod embedding;
pub mod hours;
pub mod inbound;
pub mod knowledge;
pub mod learning;
pub mod phone;
pub mod resilience;
pub mod text;
pub mod unicode;
pub mod webhook_auth;
