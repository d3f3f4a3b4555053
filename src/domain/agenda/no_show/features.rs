//! What is known of an appointment before it, as numbers, and what is thought of each before anything is learnt.
//!
//! The means are reasoning and the common findings of studies on missed appointments, rounded; fitted on nothing:
//!
//! - the share of missed appointments of an average practice lies near one in five;
//! - the longer ago it was booked the more is missed, with the logarithm of the days rather than with the days, and
//!   what is booked for the same day is hardly missed at all ("open access" booking exists for that reason);
//! - what people did before is the best single sign of what they will do;
//! - a reminder helps some, a confirmation a lot, a reminder without an answer is a mild bad sign;
//! - young adults miss most, the old least; the days around the weekend a little more than its middle;
//! - of the hour too little is known to lean to a side.
//!
//! The spreads say how far companies are thought to differ: wide for the base rate and for bookings of the same day,
//! narrow for shapes (one week of lead against two), so that few outcomes do not draw bumps into a smooth curve.
//! They are a strength of smoothing, not a leaning; how strong, and which facts are worth a number, was tried out on
//! records of real appointments.

use chrono::{Datelike, NaiveDate, NaiveTime, Timelike};

/// How many numbers describe an appointment.
pub(super) const SIZE: usize = 25;
/// Share of missed appointments before anything is known.
pub(super) const BASE_RATE: f64 = 0.2;
/// How much persons differ among those of equal facts: variance of their log-odds. Within one variance most persons'
/// odds lie between a third and three times the average.
const PERSON_VARIANCE: f64 = 1.0;
/// Longer leads tell nothing more, days.
const LEAD_MAX: f64 = 120.0;
/// The leads, days, around which the curve may bend.
const BENDS: [f64; 5] = [1.0, 3.0, 7.0, 14.0, 30.0];

/// Prior of one weight, on the scale of log-odds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weight {
    pub mean: f64,
    pub spread: f64,
}

const fn weight(mean: f64, spread: f64) -> Weight {
    Weight { mean, spread }
}

/// In the order of [`values`].
pub(super) const WEIGHTS: [Weight; SIZE] = [
    // one in five at about a week of lead
    weight(-1.4, 0.7),
    // booked for the same day: less than a third of the odds
    weight(-1.2, 0.7),
    // four tenths more odds with each lead 2.7 times as long
    weight(0.35, 0.2),
    // bends of the lead's curve
    weight(0.0, 0.2),
    weight(0.0, 0.2),
    weight(0.0, 0.2),
    weight(0.0, 0.2),
    weight(0.0, 0.2),
    // Monday to Sunday
    weight(0.1, 0.15),
    weight(0.0, 0.15),
    weight(0.0, 0.15),
    weight(0.0, 0.15),
    weight(0.1, 0.15),
    weight(0.1, 0.15),
    weight(0.0, 0.15),
    // per twenty years more; around twenty; small children, who are brought
    weight(-0.15, 0.1),
    weight(0.2, 0.2),
    weight(0.0, 0.2),
    // before nine; from 18 h
    weight(0.0, 0.15),
    weight(0.0, 0.15),
    // reminded; confirmed; asked and silent
    weight(-0.2, 0.2),
    weight(-1.2, 0.5),
    weight(0.2, 0.3),
    // the person's own history is taken at its word; other appointments ahead
    weight(1.0, 0.2),
    weight(0.0, 0.15),
];

/// What the person said when asked whether they will come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reply {
    /// Was not asked, or only just now.
    #[default]
    NotAsked,
    /// Was asked and has not answered.
    Silent,
    /// Said they will come.
    Confirmed,
}

/// What is known of an appointment before it takes place. What is not known is left out and counts as average.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// Calendar days in the company's zone from the booking to the appointment; 0 is the same day.
    pub lead_days: u32,
    /// Day of the appointment in the company's zone.
    pub date: NaiveDate,
    /// Local time of the appointment.
    pub time: Option<NaiveTime>,
    /// Age in years.
    pub age: Option<u8>,
    /// Whether a reminder was sent or will be; same-day bookings get none.
    pub reminded: bool,
    /// What the person answered to it.
    pub reply: Reply,
    /// How many appointments the person has booked for days after this one.
    pub booked_later: u32,
    /// What the person did before.
    pub history: PersonHistory,
}

/// A person's past appointments with this company.
///
/// A miss that anybody would have made says less of a person than one nobody makes. So each past appointment counts
/// with the probability it had when it took place.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PersonHistory {
    /// Appointments whose outcome is known.
    pub outcomes: u32,
    /// Those of them that were missed.
    pub missed: u32,
    /// How many misses were to be expected: sum of the probabilities.
    pub expected: f64,
    /// How much the outcomes tell: sum of p (1 − p).
    pub information: f64,
}

impl PersonHistory {
    /// Adds an appointment that had this probability of being missed.
    pub fn record(&mut self, probability: f64, missed: bool) {
        let probability = if probability.is_finite() { probability.clamp(0.0, 1.0) } else { BASE_RATE };
        self.outcomes = self.outcomes.saturating_add(1);
        self.missed = self.missed.saturating_add(u32::from(missed));
        self.expected += probability;
        self.information += probability * (1.0 - probability);
    }

    /// How much further from others the person's log-odds are, shrunk towards 0 where little is known.
    pub fn leaning(&self) -> f64 {
        let leaning = (f64::from(self.missed) - self.expected) / (1.0 / PERSON_VARIANCE + self.information.max(0.0));
        if leaning.is_finite() { leaning.clamp(-4.0, 4.0) } else { 0.0 }
    }
}

/// The facts as numbers, in the order of [`WEIGHTS`].
pub(super) fn values(facts: &Facts) -> [f64; SIZE] {
    let lead = f64::from(facts.lead_days).min(LEAD_MAX);
    let same_day = facts.lead_days == 0;
    let [bend_1, bend_3, bend_7, bend_14, bend_30] =
        BENDS.map(|days| if same_day { 0.0 } else { tent((lead / days).ln(), 0.8) });
    let [monday, tuesday, wednesday, thursday, friday, saturday, sunday] =
        [0, 1, 2, 3, 4, 5, 6].map(|day| flag(facts.date.weekday().num_days_from_monday() == day));
    let age = facts.age.map(f64::from);
    [
        1.0,
        flag(same_day),
        if same_day { 0.0 } else { lead.ln() - 2.0 },
        bend_1,
        bend_3,
        bend_7,
        bend_14,
        bend_30,
        monday,
        tuesday,
        wednesday,
        thursday,
        friday,
        saturday,
        sunday,
        age.map_or(0.0, |age| (age.min(90.0) - 40.0) / 20.0),
        age.map_or(0.0, |age| tent(age - 20.0, 15.0)),
        age.map_or(0.0, |age| (1.0 - age / 12.0).max(0.0)),
        flag(facts.time.is_some_and(|time| time.hour() < 9)),
        flag(facts.time.is_some_and(|time| time.hour() >= 18)),
        flag(facts.reminded && !same_day),
        flag(facts.reply == Reply::Confirmed),
        flag(facts.reply == Reply::Silent),
        facts.history.leaning(),
        f64::from(facts.booked_later).ln_1p(),
    ]
}

/// 1 in the middle, 0 from `width` on.
fn tent(distance: f64, width: f64) -> f64 {
    (1.0 - distance.abs() / width).max(0.0)
}

fn flag(set: bool) -> f64 {
    f64::from(u8::from(set))
}
