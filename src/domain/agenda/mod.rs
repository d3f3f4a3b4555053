//! Appointments: what people say about times, the conversation that books, moves and cancels, and when reminders are due.

pub mod appointment;
pub mod choice;
pub mod ics;
pub mod offer;
pub mod flow;
pub mod reminders;
pub mod request;
pub mod slots;
pub mod insights;
pub mod no_show;
pub mod waitlist;
pub mod when;
