//! What a company does with what its past appointments say.

use chrono::TimeDelta;

use super::values::Stored;
use crate::domain::agenda::insights::{Horizon, Marking, Reading};

/// A company's wishes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AgendaChoice {
    /// How far ahead the insights look.
    pub horizon: Horizon,
    /// Which appointments are marked as high risk.
    pub marking: Marking,
    /// Whether people of marked appointments are asked if another time suits them better.
    pub auto_reschedule: bool,
}

/// Reads it.
pub(super) fn choice(read: &Stored<'_>) -> Result<AgendaChoice, String> {
    Ok(AgendaChoice {
        horizon: Horizon {
            days_ahead: read.number("agenda.days_ahead", 7)?,
            look_ahead: TimeDelta::hours(read.number("agenda.look_ahead_hours", 72)?),
        },
        marking: Marking {
            threshold: read.number("agenda.risk_threshold", 0.8)?,
            reading: match read.text("agenda.risk_reading", "rank") {
                "chance" => Reading::Chance,
                _ => Reading::Rank,
            },
        },
        auto_reschedule: read.flag("agenda.auto_reschedule", false),
    })
}
