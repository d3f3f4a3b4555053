//! Whether a text is a value of a company's setting.

use chrono_tz::{TZ_VARIANTS, Tz};

use super::super::error::nearest;
use super::{Kind, find, reminders};
use crate::domain::hours::{OpeningHours, OwnDay, parse_own};

impl Kind {
    /// What the value may be, in words.
    pub fn describe(&self) -> String {
        match self {
            Self::Text { max } => format!("text, at most {max} characters"),
            Self::Int { min, max } => format!("{min} to {max}"),
            Self::Share => "a number from 0 to 1".to_owned(),
            Self::Bool => "true or false".to_owned(),
            Self::Choice(words) => words.join(", "),
            Self::Url => "http or https URL".to_owned(),
            Self::Hours => "opening hours, for example seg-sex 8h-18h; sáb 8h-12h".to_owned(),
            Self::Days => "days, for example 24/12 8h-12h; 31/12 fechado".to_owned(),
            Self::TimeZone => "time zone, for example America/Sao_Paulo".to_owned(),
            Self::Clock => "time of day, for example 21:00".to_owned(),
            Self::Minutes => "minutes with commas between them, for example 120, 2880".to_owned(),
            Self::Secret { min } => format!("secret, at least {min} characters"),
        }
    }
}

/// Refuses unknown names and values that do not fit, with a sentence that never repeats a secret.
pub fn check(key: &str, value: &str) -> Result<(), String> {
    let setting = find(key)?;
    let expected = || Err(format!("{key} must be {}", article(&setting.kind)));
    match setting.kind {
        Kind::Text { max } if value.chars().count() > max => {
            Err(format!("{key} has {} characters; at most {max} are allowed", value.chars().count()))
        }
        Kind::Text { .. } if value.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) => {
            Err(format!("{key} holds control characters; write plain text"))
        }
        Kind::Int { min, max } if !value.parse().is_ok_and(|number: u64| (min..=max).contains(&number)) => expected(),
        Kind::Share if !value.parse().is_ok_and(|share: f64| (0.0..=1.0).contains(&share)) => expected(),
        Kind::Bool if value.parse::<bool>().is_err() => expected(),
        Kind::Choice(words) if !words.contains(&value) => expected(),
        Kind::Url if !is_web_url(value) => expected(),
        Kind::TimeZone => time_zone(key, value).map(|_| ()),
        Kind::Hours => opening(key, value).map(drop),
        Kind::Days => days(key, value).map(drop),
        Kind::Clock => reminders::clock(key, value).map(drop),
        Kind::Minutes => reminders::minutes(key, value).map(drop),
        Kind::Secret { min } if value.len() < min => {
            Err(format!("{key} is too short: at least {min} characters, for example from `openssl rand -hex 32`"))
        }
        Kind::Secret { .. } if !value.chars().all(|c| c.is_ascii_graphic()) => {
            Err(format!("{key} may hold visible ASCII characters only, no spaces and no line breaks"))
        }
        _ => Ok(()),
    }
}

fn article(kind: &Kind) -> String {
    match kind {
        Kind::Choice(words) => format!("one of {}", words.join(", ")),
        Kind::Int { min, max } => format!("a whole number from {min} to {max}"),
        Kind::Url => "an http or https URL without user, query or fragment".to_owned(),
        other => other.describe(),
    }
}

fn is_web_url(value: &str) -> bool {
    url::Url::parse(value).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    })
}

/// The opening hours of a text; none when it is blank.
pub(super) fn opening(key: &str, value: &str) -> Result<Option<OpeningHours>, String> {
    let hours = Some(value).filter(|value| !value.trim().is_empty()).map(OpeningHours::parse);
    hours.transpose().map_err(|error| format!("{key}: {error}"))
}

/// The days of a text.
pub(super) fn days(key: &str, value: &str) -> Result<Vec<OwnDay>, String> {
    parse_own(value).map_err(|error| format!("{key}: {error}"))
}

/// The time zone of this name.
pub(super) fn time_zone(key: &str, value: &str) -> Result<Tz, String> {
    value.parse().map_err(|_| match nearest(value, TZ_VARIANTS.iter().map(|zone| zone.name())) {
        Some(name) => format!("{key}: there is no time zone {value:?}; did you mean {name}?"),
        None => format!("{key}: there is no time zone {value:?}; write it like America/Sao_Paulo"),
    })
}
