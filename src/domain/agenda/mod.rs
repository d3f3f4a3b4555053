//! Appointments: what people say about times, the conversation that books, moves and cancels, and when reminders are due.

pub mod choice;
pub mod flow;
pub mod reminders;
pub mod request;
pub mod when;
