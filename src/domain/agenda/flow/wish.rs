//! What is wanted, put together from several messages.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, TimeDelta, Utc};

use super::super::choice::meets;
use super::super::when::{Answer, ClockTime, Reading, Span, When};
use super::setting::Setting;
use super::state::{Attendee, Wish};
use super::zoned;

/// More ways to read a time than this are not asked about.
const READINGS_MAX: usize = 5;
/// More than this is not remembered as ruled out.
const EXCLUDED_MAX: usize = 8;

/// The first moment something can be, and the first at which it cannot any more; `None` where it has no end.
pub(super) fn bounds(when: &When) -> (Option<NaiveDateTime>, Option<NaiveDateTime>) {
    let midnight = |day: NaiveDate| ClockTime::hour(0).on(day);
    let next = |day: NaiveDate| ClockTime::MIDNIGHT.on(day);
    match when {
        When::Moment(at) => (Some(*at), Some(*at + TimeDelta::minutes(1))),
        When::Day(day) => (Some(midnight(*day)), Some(next(*day))),
        When::Days(Span { from: None, until }) => (None, until.map(next)),
        When::Days(Span { from, until }) => (from.map(midnight), until.map(midnight)),
        When::Moments(span) => (span.from, span.until),
        When::Time(_) | When::Times(_) => (None, None),
        When::Set(all) => {
            let both: Vec<_> = all.iter().map(bounds).collect();
            let from = both.iter().map(|(from, _)| *from).min().flatten();
            let until: Option<Vec<NaiveDateTime>> = both.iter().map(|(_, until)| *until).collect();
            (from, until.and_then(|ends| ends.into_iter().max()))
        }
    }
}

/// Whether it lies in the past.
pub(super) fn is_over(when: &When, now: NaiveDateTime) -> bool {
    match when {
        When::Moment(at) => *at <= now,
        other => bounds(other).1.is_some_and(|until| until <= now),
    }
}

/// Whether it speaks of hours and of no day.
fn is_hours(when: &When) -> bool {
    match when {
        When::Time(_) | When::Times(_) => true,
        When::Set(all) => all.iter().all(is_hours),
        _ => false,
    }
}

impl Wish {
    /// Takes in what a message said of a time. Whether it said anything.
    pub(super) fn hear(&mut self, reading: &Reading, now: NaiveDateTime) -> bool {
        let said = match &reading.answer {
            Answer::Nothing => false,
            Answer::Clear(when) if is_over(when, now) => {
                self.impossible = true;
                true
            }
            Answer::Clear(when) => {
                self.want(when.clone());
                true
            }
            Answer::Ambiguous { sure, readings } => {
                if let Some(sure) = sure.as_ref().filter(|sure| !is_over(sure, now)) {
                    self.want(sure.clone());
                }
                self.open = readings.iter().filter(|when| !is_over(when, now)).take(READINGS_MAX).cloned().collect();
                self.impossible = self.open.is_empty();
                true
            }
        };
        for when in &reading.excluded {
            if !self.excluded.contains(when) && self.excluded.len() < EXCLUDED_MAX {
                self.excluded.push(when.clone());
            }
        }
        said || !reading.excluded.is_empty()
    }

    /// Takes in a time that is wanted: hours add to a day, a day keeps the hours, and what names both replaces both.
    pub(super) fn want(&mut self, when: When) {
        (self.impossible, self.after) = (false, None);
        self.open.clear();
        if is_hours(&when) {
            self.day = match self.day.take() {
                Some(When::Moment(at)) => Some(When::Day(at.date())),
                Some(When::Moments(Span { from: Some(from), .. })) => Some(When::Day(from.date())),
                other => other,
            };
            self.hour = Some(when);
        } else {
            if !matches!(when, When::Day(_) | When::Days(_)) {
                self.hour = None;
            }
            self.day = Some(when);
        }
    }

    /// Any time will do.
    pub(super) fn forget_time(&mut self) {
        (self.day, self.hour, self.after, self.impossible) = (None, None, None, false);
        self.excluded.clear();
        self.open.clear();
    }

    /// The id of the professional that is wanted.
    pub(super) fn professional(&self) -> Option<&str> {
        match &self.attendee {
            Attendee::One(id) => Some(id),
            Attendee::Open | Attendee::Any => None,
        }
    }

    /// Whether a local time is not ruled out.
    pub(super) fn allows(&self, at: NaiveDateTime) -> bool {
        let ruled_out = |when: &When| match when {
            // "segunda não" rules every Monday out.
            When::Day(day) => day.weekday() == at.date().weekday(),
            other => meets(other, at),
        };
        !self.excluded.iter().any(ruled_out) && self.after.is_none_or(|after| at.date() > after)
    }

    /// Whether a local time is what is wanted.
    pub(super) fn fits(&self, at: NaiveDateTime) -> bool {
        let meets = |when: &Option<When>| when.as_ref().is_none_or(|when| meets(when, at));
        meets(&self.day) && meets(&self.hour) && self.allows(at)
    }

    /// The one local time that is wanted, when it is but one.
    pub(super) fn exact(&self) -> Option<NaiveDateTime> {
        match (&self.day, &self.hour) {
            (Some(When::Moment(at)), None) => Some(*at),
            (Some(When::Day(day)), Some(When::Time(time))) => Some(time.on(*day)),
            _ => None,
        }
    }

    /// An hour that is wanted and that the zone's clocks skip.
    pub(super) fn gap(&self, setting: &Setting) -> Option<When> {
        self.exact().filter(|at| zoned::is_gap(setting.zone, *at)).map(When::Moment)
    }

    /// Where what is wanted would be: for sorting what is near it.
    pub(super) fn anchor(&self, now: NaiveDateTime) -> NaiveDateTime {
        let day = self.day.as_ref().and_then(|day| bounds(day).0).filter(|from| *from > now).unwrap_or(now);
        let hour = match &self.hour {
            Some(When::Time(time)) => Some(*time),
            Some(When::Times(span)) => span.from.or(span.until),
            _ => None,
        };
        hour.map_or(day, |hour| hour.on(day.date()))
    }

    /// From when until when to look; `None` where nothing can be booked any more.
    pub(super) fn range(&self, setting: &Setting, now: DateTime<Utc>) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let last = now + TimeDelta::days(setting.days_max.into());
        let (from, until) = self.day.as_ref().map(bounds).unwrap_or_default();
        let after = self.after.map(|day| ClockTime::MIDNIGHT.on(day));
        // From the day's beginning on: what is near an hour may be before it.
        let from = from.max(after).map(|local| ClockTime::hour(0).on(local.date()));
        let from = from.map_or(now, |local| setting.moment(local).max(now));
        let least = from + TimeDelta::days(setting.days_ahead.max(1).into());
        // A month at a time is enough to choose from.
        let most = from + TimeDelta::days(31.max(setting.days_ahead.into()));
        let until = until.map_or(least, |local| setting.moment(local).max(least)).min(most).min(last);
        (from < until).then_some((from, until))
    }
}
