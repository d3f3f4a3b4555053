//! Appointments: free times, bookings that cannot double, moves, cancellings.
//!
//! Whatever the calendar, the row comes first: it is written and committed before a calendar outside is asked, its id
//! goes along as the intent, and the database lets no two rows have one seat at one time. A calendar outside that falls
//! silent is asked what became of the intent before anything else is done, and what stays open is settled by
//! [`Calendar::settle`]. Nothing is told as booked that is not in the calendar.

/// Does something in one transaction of a desk, or nothing of it. No function that takes an async closure: what awaits one
/// cannot be moved between threads.
macro_rules! within {
    ($desk:expr, |$tx:ident| $body:block) => {{
        let mut begun = $desk.begin().await?;
        let done: Result<_, CalendarError> = {
            let $tx = &mut begun;
            async { $body }.await
        };
        $desk.end(begun, done).await
    }};
}

mod adopting;
mod calendar;
pub mod callbacks;
pub mod catalogue;
mod counting;
pub mod feed;
pub mod front;
pub mod hours;
pub mod insights;
mod lanes;
mod local;
mod news;
pub mod nudge;
mod outside;
pub mod reconcile;
mod rows;
pub mod setting;
pub mod talk;
pub mod timers;
pub mod waitlist;

pub use calendar::{
    Calendar, CalendarError, Customer, Held, LookUp, OpenSlot, Settled, SlotWish, Wish, appointments_of, of, offer,
};
