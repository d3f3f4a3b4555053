//! A company's rows as the model and the heat map want them.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDateTime, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

use crate::domain::agenda::appointment::AppointmentState as State;
use crate::domain::agenda::insights::{Outcome, Visit};
use crate::domain::agenda::no_show::{Facts, Record, Replayed, Reply, replay};
use crate::models::tenant::agenda_view::Seen;

/// Where a row keeps that its customer said they will come: a moment, RFC 3339.
pub const CONFIRMED_AT: &str = "presence_confirmed_at";

/// Whether the customer said they will come.
pub fn is_confirmed(row: &Seen) -> bool {
    row.metadata.get(CONFIRMED_AT).is_some_and(serde_json::Value::is_string)
}

/// A company's past and the appointments ahead, with the chance of each that nobody comes.
pub(super) struct Past {
    /// Rows that take part in the model, by their beginning.
    rows: Vec<Seen>,
    records: Vec<Record<Uuid>>,
    replayed: Replayed<Uuid>,
    /// All that was ever booked, for the heat map.
    visits: Vec<Visit>,
    now: DateTime<Utc>,
}

/// An appointment ahead.
pub(super) struct Ahead<'a> {
    pub row: &'a Seen,
    pub local: NaiveDateTime,
    pub chance: f64,
}

pub(super) fn state(row: &Seen) -> State {
    State::parse(&row.state).unwrap_or(State::Booking)
}

impl Past {
    /// Learns from the rows. Deterministic: the same rows give the same chances.
    pub fn learn(rows: Vec<Seen>, reminded: &BTreeMap<Uuid, bool>, zone: Tz, now: DateTime<Utc>) -> Self {
        let local = |at: DateTime<Utc>| at.with_timezone(&zone).naive_local();
        let past = rows.iter().filter(|row| row.starts_at <= now);
        let visits = past.map(|row| Visit { starts: local(row.starts_at), outcome: outcome(row) }).collect();
        let rows: Vec<Seen> =
            rows.into_iter().filter(|row| !matches!(state(row), State::Cancelled | State::Rejected)).collect();
        let record = |row: &Seen| {
            let starts = local(row.starts_at);
            let told = reminded.get(&row.id).copied();
            Record {
                // Nobody we know is nobody we met before.
                person: row.person_id.unwrap_or(row.id),
                booked: local(row.created_at.min(row.starts_at)),
                date: starts.date(),
                time: Some(starts.time()),
                age: None,
                reminded: told.is_some(),
                reply: match (is_confirmed(row), told) {
                    (true, _) => Reply::Confirmed,
                    (false, Some(true)) => Reply::Silent,
                    _ => Reply::NotAsked,
                },
                missed: match state(row) {
                    State::NoShow => Some(true),
                    State::Attended => Some(false),
                    _ => None,
                },
            }
        };
        let records: Vec<Record<Uuid>> = rows.iter().map(record).collect();
        let replayed = replay(&records);
        Self { rows, records, replayed, visits, now }
    }

    pub fn visits(&self) -> &[Visit] {
        &self.visits
    }

    pub fn outcomes(&self) -> u64 {
        self.replayed.model.outcomes()
    }

    pub fn base_rate(&self) -> f64 {
        self.replayed.model.base_rate()
    }

    /// The chances, as they were before, of appointments between a moment and now.
    pub fn chances_since(&self, from: DateTime<Utc>) -> Vec<f64> {
        let both = self.rows.iter().zip(&self.replayed.probabilities);
        both.filter(|(row, _)| row.starts_at >= from && row.starts_at <= self.now).map(|(_, chance)| *chance).collect()
    }

    /// Appointments that stand and are still to come, by their beginning.
    pub fn ahead(&self) -> impl Iterator<Item = Ahead<'_>> {
        let all = self.rows.iter().zip(&self.records).zip(&self.replayed.probabilities);
        all.filter(|((row, _), _)| row.starts_at > self.now && state(row).stands()).map(|((row, record), chance)| {
            Ahead { row, local: record.date.and_time(record.time.unwrap_or_default()), chance: *chance }
        })
    }

    /// Why a chance is what it is, for the company's team.
    pub fn reasons(&self, of: &Seen) -> Vec<String> {
        let Some((_, record)) = self.rows.iter().zip(&self.records).find(|(row, _)| row.id == of.id) else {
            return Vec::new();
        };
        let history = self.replayed.histories.get(&record.person).copied().unwrap_or_default();
        let facts = Facts {
            lead_days: u32::try_from((record.date - record.booked.date()).num_days()).unwrap_or(0),
            date: record.date,
            time: record.time,
            age: None,
            reminded: record.reminded,
            reply: record.reply,
            booked_later: 0,
            history,
        };
        self.replayed.model.reasons(&facts).into_iter().map(|reason| reason.text).collect()
    }
}

fn outcome(row: &Seen) -> Outcome {
    match state(row) {
        State::Attended => Outcome::Attended,
        State::NoShow => Outcome::Missed,
        State::Cancelled | State::Rejected => Outcome::Cancelled,
        _ => Outcome::Open,
    }
}
