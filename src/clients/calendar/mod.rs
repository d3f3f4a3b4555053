//! Calendars outside: which times are free, and what becomes of bookings. All times are UTC here and on the wire.
//!
//! Nothing is tried twice here, and nothing is believed: a call that may have happened ends in
//! [`WireErrorKind::Unknown`](super::WireErrorKind::Unknown), and whoever asked looks for the booking by what it carries
//! ([`INTENT_KEY`]).

pub mod calcom;
pub mod calcom_callback;
mod calcom_errors;
mod calcom_json;

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use secrecy::SecretString;

pub use calcom_errors::{FINAL_STATE, NOT_FOUND, SLOT_TAKEN};
pub use calcom_json::booking as read_booking;

/// Under this name a booking's metadata carry the id of the intent it was made for.
pub const INTENT_KEY: &str = "sv_request";
/// Under this name they carry the company's number.
pub const COMPANY_KEY: &str = "sv_company";

/// Which form of each family of calls is spoken. A missing or unknown version makes the service fall back to forms of
/// 2024 without a word, so every call carries one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versions {
    /// Free times and reservations.
    pub slots: String,
    /// One booking: made, fetched, moved, cancelled, confirmed, declined, absent.
    pub bookings: String,
    /// The list of bookings.
    pub list: String,
    /// Event types.
    pub event_types: String,
}

impl Default for Versions {
    fn default() -> Self {
        Self {
            slots: "2024-09-04".to_owned(),
            bookings: "2024-08-13".to_owned(),
            list: "2024-08-13".to_owned(),
            event_types: "2024-06-14".to_owned(),
        }
    }
}

/// Where a company's calendar is.
#[derive(Clone, Debug)]
pub struct CalendarEndpoint {
    /// Everything before `/v2`.
    pub base_url: String,
    /// The key.
    pub api_key: SecretString,
    /// Which forms are spoken.
    pub versions: Versions,
    /// Time allowed for one call.
    pub timeout: Duration,
}

/// Whose key it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its number.
    pub id: String,
    /// Its name in addresses.
    pub username: String,
    /// Its time zone.
    pub time_zone: String,
}

/// What can be booked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventType {
    /// Its number.
    pub id: i64,
    /// Its title.
    pub title: String,
    /// Its name in addresses.
    pub slug: String,
    /// How long it takes, minutes.
    pub length_minutes: i64,
    /// How many people work there at once; 1 when nothing is said.
    pub hosts: usize,
    /// How many customers may come at once; `None` = one.
    pub seats: Option<i64>,
    /// Whether the host has to say yes.
    pub needs_confirmation: bool,
}

impl EventType {
    /// Whether two bookings of it can never overlap.
    pub fn is_exclusive(&self) -> bool {
        self.hosts <= 1 && self.seats.is_none_or(|seats| seats <= 1)
    }
}

/// Which free times are asked for.
#[derive(Clone, Copy, Debug)]
pub struct SlotQuery<'a> {
    /// Of which event type.
    pub event_type: i64,
    /// From when.
    pub from: DateTime<Utc>,
    /// Until when.
    pub until: DateTime<Utc>,
    /// The zone in which days are counted.
    pub zone: Tz,
    /// The booking that is to be moved: its own time counts as free.
    pub moving: Option<&'a str>,
}

/// A free time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FreeTime {
    /// When it begins.
    pub starts: DateTime<Utc>,
    /// When it ends, where that is told.
    pub ends: Option<DateTime<Utc>>,
}

/// A time that is kept for us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// Its id.
    pub uid: String,
    /// Until when; `None` when it is not told.
    pub until: Option<DateTime<Utc>>,
}

/// A booking to be made.
#[derive(Clone, Copy, Debug)]
pub struct NewBooking<'a> {
    /// Of which event type.
    pub event_type: i64,
    /// When.
    pub starts: DateTime<Utc>,
    /// Whose name.
    pub name: &'a str,
    /// In E.164, with the plus sign. At least one of phone and e-mail is needed.
    pub phone: Option<&'a str>,
    /// E-mail.
    pub email: Option<&'a str>,
    /// The zone the person lives by.
    pub zone: Tz,
    /// What is kept with the booking; names of at most 40, values of at most 500 characters.
    pub metadata: &'a BTreeMap<String, String>,
}

/// How a booking stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BookingStatus {
    /// It stands.
    Accepted,
    /// The host has to say yes.
    Pending,
    /// Called off, or moved: then there is a newer one.
    Cancelled,
    /// The host said no.
    Rejected,
    /// A word of a later version.
    Other(String),
}

impl BookingStatus {
    /// Reads it in any case.
    pub fn parse(text: &str) -> Self {
        match text.to_ascii_lowercase().as_str() {
            "accepted" => Self::Accepted,
            "pending" | "awaiting_host" => Self::Pending,
            "cancelled" => Self::Cancelled,
            "rejected" => Self::Rejected,
            other => Self::Other(other.to_owned()),
        }
    }

    /// Whether somebody is expected.
    pub fn stands(&self) -> bool {
        matches!(self, Self::Accepted | Self::Pending)
    }
}

/// Somebody who comes to a booking.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attendee {
    /// Their name.
    pub name: String,
    /// E-mail; made up by the service for whoever gave a phone only.
    pub email: String,
    /// Phone, as given.
    pub phone: Option<String>,
    /// Whether they did not come.
    pub absent: bool,
}

/// A booking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booking {
    /// Its id; a moved booking gets another.
    pub uid: String,
    /// How it stands.
    pub status: BookingStatus,
    /// What it is called.
    pub title: String,
    /// When it begins.
    pub starts: DateTime<Utc>,
    /// When it ends.
    pub ends: DateTime<Utc>,
    /// Of which event type.
    pub event_type: Option<i64>,
    /// Who is visited.
    pub host: String,
    /// Where to meet online.
    pub meeting_url: Option<String>,
    /// Where to go, where that is a place.
    pub location: Option<String>,
    /// Who comes.
    pub attendees: Vec<Attendee>,
    /// What is kept with it.
    pub metadata: BTreeMap<String, String>,
    /// Why it was called off.
    pub cancellation_reason: Option<String>,
    /// The booking it was moved from.
    pub moved_from: Option<String>,
    /// The booking it was moved to.
    pub moved_to: Option<String>,
    /// When it was made.
    pub created_at: Option<DateTime<Utc>>,
    /// When it was last changed.
    pub updated_at: Option<DateTime<Utc>>,
}

impl Booking {
    /// The intent it was made for, where it was made by us.
    pub fn intent(&self) -> Option<&str> {
        self.metadata.get(INTENT_KEY).map(String::as_str)
    }
}
