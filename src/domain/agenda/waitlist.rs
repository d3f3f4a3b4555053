//! A time became free: who of those waiting is asked, and for how long it is kept for them.
//!
//! One person at a time, so that nobody is told of a time that another takes meanwhile. Those who waited longer come
//! first; with one exception, see [`next`].

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

/// A time that became free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FreeTime {
    /// Its beginning.
    pub starts: DateTime<Utc>,
    /// For which service; `None` fits all.
    pub service: Option<Uuid>,
    /// With whom; `None` where professionals do not matter.
    pub professional: Option<Uuid>,
}

/// Somebody who waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The row.
    pub id: Uuid,
    /// Who.
    pub person: Uuid,
    /// For which service; `None` for any.
    pub service: Option<Uuid>,
    /// With whom; `None` with anybody.
    pub professional: Option<Uuid>,
    /// From when on a time suits them.
    pub earliest: DateTime<Utc>,
    /// The last moment at which it may begin.
    pub latest: DateTime<Utc>,
    /// Since when they wait.
    pub since: DateTime<Utc>,
    /// Another time is kept for them at present.
    pub holding: bool,
    /// Times they were asked about already and did not take, by their beginning.
    pub refused: Vec<DateTime<Utc>>,
    /// They may be written to.
    pub consent: bool,
}

/// How freed times are offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// A time that begins sooner is not offered: nobody gets there.
    pub notice: TimeDelta,
    /// The shortest and the longest that a time is kept.
    pub hold_min: TimeDelta,
    /// See `hold_min`.
    pub hold_max: TimeDelta,
}

impl Default for Rules {
    /// Two hours of notice; kept for 15 minutes to 2 hours.
    fn default() -> Self {
        Self { notice: TimeDelta::hours(2), hold_min: TimeDelta::minutes(15), hold_max: TimeDelta::hours(2) }
    }
}

/// Who is asked, and until when the time is kept for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Whom of those waiting.
    pub waiting: Uuid,
    /// Until when they may take it.
    pub until: DateTime<Utc>,
}

/// The next to be asked about a time that nobody holds; `None` when nobody is left and it is simply free.
///
/// First whom it suits only just: somebody whose last moment lies within a day after this time may get no other
/// chance. Then who waited longest. `quiet` is whether now lies in quiet hours: then nobody is asked.
pub fn next(free: &FreeTime, waiting: &[Waiting], rules: &Rules, now: DateTime<Utc>, quiet: bool) -> Option<Offer> {
    let ahead = free.starts - now;
    if quiet || ahead < rules.notice {
        return None;
    }
    let chosen = waiting.iter().filter(|one| suits(one, free)).min_by_key(|one| {
        let last_chance = one.latest - free.starts <= TimeDelta::days(1);
        (!last_chance, one.since, one.id)
    })?;
    Some(Offer { waiting: chosen.id, until: now + hold(ahead, rules) })
}

fn suits(one: &Waiting, free: &FreeTime) -> bool {
    let same = |wanted: Option<Uuid>, there: Option<Uuid>| wanted.is_none() || there.is_none() || wanted == there;
    one.consent
        && !one.holding
        && (one.earliest..=one.latest).contains(&free.starts)
        && same(one.service, free.service)
        && same(one.professional, free.professional)
        && !one.refused.contains(&free.starts)
}

/// An eighth of the time that is left, so that several can be asked in turn before it begins.
fn hold(ahead: TimeDelta, rules: &Rules) -> TimeDelta {
    (ahead / 8).min(rules.hold_max).max(rules.hold_min).min(ahead)
}
