//! What many tests share: PostgreSQL for all, a Redis for each, the product's own server and runner, stand-ins for the
//! providers, and words to speak with (`customer.says("…")`).

pub mod agenda;
pub mod pg;
pub mod trouble;
mod world;

pub use world::{Answer, Builder, Company, World, eventually};
