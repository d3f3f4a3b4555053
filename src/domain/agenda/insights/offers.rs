//! Whom to ask whether another time would suit better, before they just stay away.

use chrono::NaiveDateTime;
use uuid::Uuid;

use super::{Horizon, RiskLevel};

/// An appointment to come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Upcoming {
    /// Its row.
    pub appointment: Uuid,
    /// Whose it is; nobody we can write to otherwise.
    pub person: Option<Uuid>,
    /// Local beginning.
    pub starts: NaiveDateTime,
    /// Chance of a miss.
    pub risk: f64,
    /// The person said they will come.
    pub confirmed: bool,
    /// They were asked before: it happens once an appointment, whatever came of it.
    pub asked_before: bool,
    /// They may be written to.
    pub consent: bool,
}

/// The appointments whose people are to be asked now, riskiest first and one a person. `quiet` is whether now lies in
/// quiet hours: then nobody is asked, and the next run does it. Whether the company wants this at all is for the
/// caller to look up.
pub fn reschedule_offers(
    upcoming: &[Upcoming],
    level: &RiskLevel,
    horizon: &Horizon,
    now: NaiveDateTime,
    quiet: bool,
) -> Vec<Uuid> {
    if quiet {
        return Vec::new();
    }
    let mut asked: Vec<(&Upcoming, Uuid)> = upcoming
        .iter()
        .filter(|one| one.consent && !one.confirmed && !one.asked_before && level.marks(one.risk))
        .filter(|one| one.starts > now && one.starts - now <= horizon.look_ahead)
        .filter_map(|one| one.person.map(|person| (one, person)))
        .collect();
    asked.sort_by(|(left, _), (right, _)| {
        let riskier = right.risk.total_cmp(&left.risk);
        riskier.then(left.starts.cmp(&right.starts)).then(left.appointment.cmp(&right.appointment))
    });
    let mut persons = std::collections::HashSet::new();
    asked.into_iter().filter(|(_, person)| persons.insert(*person)).map(|(one, _)| one.appointment).collect()
}
