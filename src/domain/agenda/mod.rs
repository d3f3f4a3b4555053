//! What people say about times: when they want something, and which of the offered times they take.

pub mod choice;
pub mod request;
pub mod when;
