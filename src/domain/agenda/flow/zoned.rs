//! Local times and moments, where clocks are put forward and back.

use chrono::{DateTime, LocalResult, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

/// The longest gap in a zone's time: a country that changes sides of the date line skips a day.
const GAP_MAX_MINUTES: i64 = 26 * 60;
/// Gaps end on a quarter of an hour.
const STEP_MINUTES: i64 = 15;

/// The moment of a local time: the earlier of two, and the end of a gap for a time inside one.
pub fn moment(zone: Tz, local: NaiveDateTime) -> DateTime<Utc> {
    if let Some(at) = exact(zone, local) {
        return at;
    }
    let start = local
        - TimeDelta::minutes(i64::from(chrono::Timelike::minute(&local)) % STEP_MINUTES)
        - TimeDelta::seconds(i64::from(chrono::Timelike::second(&local)));
    (1..=GAP_MAX_MINUTES / STEP_MINUTES)
        .find_map(|step| exact(zone, start + TimeDelta::minutes(step * STEP_MINUTES)))
        .unwrap_or_else(|| Utc.from_utc_datetime(&local))
}

/// Whether the clocks of a zone never show a local time.
pub fn is_gap(zone: Tz, local: NaiveDateTime) -> bool {
    exact(zone, local).is_none()
}

fn exact(zone: Tz, local: NaiveDateTime) -> Option<DateTime<Utc>> {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(at) => Some(at.to_utc()),
        LocalResult::Ambiguous(first, second) => Some(first.min(second).to_utc()),
        LocalResult::None => None,
    }
}
