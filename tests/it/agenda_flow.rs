//! Booking conversations against a calendar made up for the purpose: forty and more dialogues as people would have them,
//! and thousands that nobody would.

mod desk;
mod dialogues;
mod laws;
mod wording;
