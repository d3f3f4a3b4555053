//! Appointments: what people say about times, the conversation that books, moves and cancels, and when reminders are due.

pub mod appointment;
pub mod choice;
pub mod flow;
pub mod ics;
pub mod insights;
pub mod no_show;
pub mod offer;
pub mod reminders;
pub mod request;
pub mod slots;
pub mod waitlist;
pub mod when;
