//! What people say about times: when they want something, and which of the offered times they take.

pub mod appointment;
pub mod choice;
pub mod ics;
pub mod offer;
pub mod request;
pub mod slots;
pub mod when;
