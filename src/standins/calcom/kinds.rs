//! What the calendar is asked for and what it keeps.

use chrono::{DateTime, Utc, Weekday};
use chrono_tz::Tz;
use serde_json::Value;

/// Why something is refused.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// HTTP's word for it.
    pub status: u16,
    /// The service's own.
    pub code: &'static str,
    /// And in words.
    pub message: String,
}

impl Refusal {
    pub(in crate::standins) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    pub(in crate::standins) fn bad(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequestException", message)
    }

    pub(super) fn taken() -> Self {
        Self::bad("User either already has booking at this time or is not available")
    }
}

/// What can be booked at the stand-in.
#[derive(Clone, Debug)]
pub struct EventTypeAtStandIn {
    /// Its number, which no other company's has.
    pub id: i64,
    /// Whose it is.
    pub company: i64,
    /// Its title.
    pub title: String,
    /// How long it takes, minutes; times begin as far apart.
    pub minutes: i64,
    /// Who works there; bookings of one host never overlap.
    pub host: String,
    /// The host's clock.
    pub zone: Tz,
    /// Open from this hour …
    pub opens: u32,
    /// … to this one.
    pub closes: u32,
    /// On these days.
    pub days: Vec<Weekday>,
    /// How many may come at once.
    pub seats: usize,
    /// Whether the host has to say yes.
    pub needs_confirmation: bool,
}

impl EventTypeAtStandIn {
    /// Half an hour with one host, Monday to Saturday from 8 to 18, São Paulo's clock.
    pub fn new(company: i64, id: i64) -> Self {
        use Weekday::{Fri, Mon, Sat, Thu, Tue, Wed};
        Self {
            id,
            company,
            title: "Consulta".to_owned(),
            minutes: 30,
            host: "Dra. Lia".to_owned(),
            zone: chrono_tz::America::Sao_Paulo,
            opens: 8,
            closes: 18,
            days: vec![Mon, Tue, Wed, Thu, Fri, Sat],
            seats: 1,
            needs_confirmation: false,
        }
    }
}

/// A booking at the stand-in.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the service's own words")]
pub struct BookingAtStandIn {
    pub company: i64,
    pub id: i64,
    pub uid: String,
    /// `accepted`, `pending`, `cancelled`, `rejected`.
    pub status: &'static str,
    pub event_type: i64,
    pub title: String,
    pub host: String,
    pub starts: DateTime<Utc>,
    pub ends: DateTime<Utc>,
    pub name: String,
    pub email: String,
    pub phone: String,
    pub zone: String,
    pub absent: bool,
    pub metadata: Value,
    pub reason: String,
    pub moved_from: Option<String>,
    pub moved_to: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl BookingAtStandIn {
    /// Whether somebody is expected.
    pub fn stands(&self) -> bool {
        matches!(self.status, "accepted" | "pending")
    }
}

/// A booking that is asked for.
#[derive(Clone, Debug)]
pub(in crate::standins) struct NewBooking {
    pub event_type: i64,
    pub starts: DateTime<Utc>,
    pub name: String,
    pub email: String,
    pub phone: String,
    pub zone: String,
    pub metadata: Value,
}

impl NewBooking {
    /// As somebody asks at the public page.
    pub fn elsewhere(event_type: i64, starts: DateTime<Utc>, name: &str) -> Self {
        Self {
            event_type,
            starts,
            name: name.to_owned(),
            email: "visitante@example.com".to_owned(),
            phone: String::new(),
            zone: "America/Sao_Paulo".to_owned(),
            metadata: serde_json::json!({}),
        }
    }
}

/// A time that is kept.
#[derive(Clone, Debug)]
pub(super) struct Reserved {
    pub uid: String,
    pub event_type: i64,
    pub starts: DateTime<Utc>,
    pub ends: DateTime<Utc>,
    pub minutes: i64,
    pub until: DateTime<Utc>,
}
