//! What people say about times: when they want something, and which of the offered times they take.

pub mod choice;
pub mod insights;
pub mod no_show;
pub mod request;
pub mod waitlist;
pub mod when;
