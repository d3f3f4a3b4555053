//! Processes that work without being asked over HTTP: the runner of conversations and the scheduler.

mod active;
pub mod jobs;
pub mod runner;
pub mod schedule;
pub mod sweep;
mod task;
