//! When a company's customers are reminded of appointments, and asked after them.

use chrono::NaiveTime;
use chrono_tz::Tz;

use super::values::Stored;
use crate::domain::agenda::reminders::{Quiet, Rules};

/// The most reminders of a company's own.
pub const CUSTOM_MAX: usize = 6;
/// The longest time before an appointment at which one of them may be due, minutes.
const CUSTOM_MINUTES_MAX: u32 = 43_200;

/// A company's reminders and questions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReminderChoice {
    /// Whether a reminder goes out 24 hours before.
    pub day: bool,
    /// Whether one goes out an hour before.
    pub hour: bool,
    /// Further ones, so many minutes before, without doubles.
    pub custom: Vec<u32>,
    /// When nothing is sent.
    pub quiet: Quiet,
    /// Whether somebody of whom nobody says that they came counts as not having come.
    pub no_show_auto: bool,
    /// How long after the end it is looked at, minutes.
    pub grace_minutes: u32,
    /// Whether it is asked after a visit how it was.
    pub follow_up: bool,
    /// How long after the end, minutes.
    pub follow_up_minutes: u32,
}

impl ReminderChoice {
    /// The rules of what is due when, in a zone.
    pub fn rules(&self, zone: Tz) -> Rules {
        Rules {
            zone,
            quiet: self.quiet,
            follow_up_minutes: self.follow_up_minutes,
            grace_minutes: self.grace_minutes,
            ..Rules::default()
        }
    }
}

/// Reads it.
pub(super) fn choice(read: &Stored<'_>) -> Result<ReminderChoice, String> {
    let quiet = Quiet {
        from: clock("reminders.quiet_from", read.text("reminders.quiet_from", "21:00"))?,
        until: clock("reminders.quiet_until", read.text("reminders.quiet_until", "08:00"))?,
    };
    Ok(ReminderChoice {
        day: read.flag("reminders.day", true),
        hour: read.flag("reminders.hour", true),
        custom: minutes("reminders.custom_minutes", read.text("reminders.custom_minutes", ""))?,
        quiet,
        no_show_auto: read.flag("reminders.no_show_auto", false),
        grace_minutes: read.number("reminders.grace_minutes", 30)?,
        follow_up: read.flag("followup.enabled", true),
        follow_up_minutes: read.number("followup.after_minutes", 60)?,
    })
}

/// A time of day, "21:00".
pub(super) fn clock(key: &str, value: &str) -> Result<NaiveTime, String> {
    NaiveTime::parse_from_str(value.trim(), "%H:%M").map_err(|_| format!("{key} must be a time of day, such as 21:00"))
}

/// Numbers of minutes with commas between them, in their order and without doubles.
pub(super) fn minutes(key: &str, value: &str) -> Result<Vec<u32>, String> {
    let bad = || format!("{key} must be at most {CUSTOM_MAX} numbers of minutes up to {CUSTOM_MINUTES_MAX}: 120, 2880");
    let mut all: Vec<u32> = Vec::new();
    for part in value.split([',', ';', ' ']).filter(|part| !part.is_empty()) {
        let number: u32 = part.parse().map_err(|_| bad())?;
        if number == 0 || number > CUSTOM_MINUTES_MAX {
            return Err(bad());
        }
        if !all.contains(&number) {
            all.push(number);
        }
    }
    if all.len() > CUSTOM_MAX { Err(bad()) } else { Ok(all) }
}
