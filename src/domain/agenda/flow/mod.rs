//! The conversation that books, moves and cancels, as a pure machine: a state and an event make a new state and what is
//! to be done. It asks for slots instead of fetching them; what has a result comes back as an event.
//!
//! Laws: nothing is booked before a yes to the details; only slots the calendar named are kept or booked; what is
//! ambiguous is asked; that something was done is said only with the calendar's proof ([`Committed`]); every state has a
//! way out: "deixa pra lá", a person, or three rounds without progress.

mod advance;
mod choosing;
mod committed;
mod event;
mod heard;
mod naming;
mod offer;
mod own;
mod people;
mod reminding;
mod results;
mod saying;
mod setting;
mod state;
mod talk;
mod texts;
mod turn;
mod wish;
pub mod wording;
pub mod zoned;

use chrono::{DateTime, Utc};

pub use committed::{Committed, Deed, Entry};
pub use event::{Effect, Event, Free, Order, Reason, SlotQuery, Step};
pub use offer::OPTIONS_MAX;
pub use reminding::{Reminding, told};
pub use saying::{Saying, bubbles_of};
pub use setting::{Professional, Service, Setting};
pub use state::{Appointment, Attendee, Hold, Lead, Patient, Purpose, Slot, Stage, State, VERSION, Wish};
pub use texts::{NAMES, Text};

use turn::Turn;

/// What an event comes to.
pub fn step(state: &State, event: Event<'_>, now: DateTime<Utc>, setting: &Setting) -> Step {
    let mut turn = Turn::new(state, now, setting);
    match event {
        Event::Said { text, intent } => talk::said(&mut turn, text, intent),
        other => results::happened(&mut turn, other),
    }
    turn.finish()
}
