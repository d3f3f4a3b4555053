//! Which times are free: open hours of a resource less what keeps it busy.
//!
//! Times are offered on the company's clock (8h, 8h30, …) and counted in real time. Where the clock jumps forward, times
//! that do not exist are not offered; where it goes back, an hour that comes twice means its first coming.

use chrono::{DateTime, Days, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use crate::domain::hours::BusinessHours;

/// Shortest distance between two beginnings, minutes.
const STEP_MIN: i64 = 5;
/// Longest stretch that is looked at, days.
const DAYS_MAX: i64 = 400;
/// A clock never jumps further, minutes: an island that changed the side of the date line lost a day.
const GAP_MAX: i64 = 25 * 60;

/// A stretch of time: the first moment that belongs to it and the first that does not.
pub type Stretch = (DateTime<Utc>, DateTime<Utc>);

/// How times on a resource are made.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// The company's clock.
    pub zone: Tz,
    /// Hours of the house, of the professional, of the service: a time must be within all of them.
    pub hours: &'a [BusinessHours],
    /// How long it takes.
    pub duration: TimeDelta,
    /// What nobody else may have before it.
    pub before: TimeDelta,
    /// What nobody else may have after it.
    pub after: TimeDelta,
    /// From one beginning to the next.
    pub step: TimeDelta,
    /// How many may be there at once.
    pub seats: i16,
    /// Whether these share one service that begins for all at the same time; else each has a time of their own.
    pub shared: bool,
}

/// What keeps a resource busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy {
    /// From when, buffers included.
    pub from: DateTime<Utc>,
    /// Until when, buffers included.
    pub to: DateTime<Utc>,
    /// When the appointment itself begins.
    pub starts: DateTime<Utc>,
    /// Its seat; `None` takes all of them.
    pub seat: Option<i16>,
    /// Whether it is a place in a group.
    pub shared: bool,
    /// Whether it is of the very service that is asked for.
    pub same_service: bool,
}

/// A free time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// When it begins.
    pub starts: DateTime<Utc>,
    /// When it ends.
    pub ends: DateTime<Utc>,
    /// The first free seat.
    pub seat: i16,
}

/// All free times that begin within a stretch, in their order.
pub fn free(rules: &Rules<'_>, busy: &[Busy], (from, until): Stretch) -> Vec<Slot> {
    let beginnings = beginnings(rules, (from, until)).into_iter();
    beginnings.filter_map(|starts| slot_at(rules, busy, starts)).collect()
}

/// The free time that begins at this moment, if it is one that is offered.
pub fn exactly(rules: &Rules<'_>, busy: &[Busy], starts: DateTime<Utc>) -> Option<Slot> {
    beginnings(rules, (starts, starts + TimeDelta::seconds(1))).first().and_then(|found| slot_at(rules, busy, *found))
}

fn slot_at(rules: &Rules<'_>, busy: &[Busy], starts: DateTime<Utc>) -> Option<Slot> {
    free_seat(rules, busy, starts).map(|seat| Slot { starts, ends: starts + rules.duration, seat })
}

/// The first seat that is free at a time, whatever the hours say.
pub fn free_seat(rules: &Rules<'_>, busy: &[Busy], starts: DateTime<Utc>) -> Option<i16> {
    let (from, to) = (starts - rules.before, starts + rules.duration + rules.after);
    let mut there: Vec<&Busy> = busy.iter().filter(|one| one.from < to && from < one.to).collect();
    let may_stay = |one: &&Busy| {
        let joined = one.shared && one.same_service && one.starts == starts;
        one.seat.is_some() && if rules.shared { joined } else { !one.shared }
    };
    if !there.iter().all(may_stay) {
        return None;
    }
    there.sort_by_key(|one| one.seat);
    let mut seat = 0;
    for one in there {
        if one.seat == Some(seat) {
            seat += 1;
        }
    }
    (seat < rules.seats).then_some(seat)
}

/// All moments within a stretch at which a time may begin by the hours alone.
fn beginnings(rules: &Rules<'_>, (from, until): Stretch) -> Vec<DateTime<Utc>> {
    let until = until.min(from + TimeDelta::days(DAYS_MAX));
    if from >= until || rules.duration <= TimeDelta::zero() {
        return Vec::new();
    }
    let step = rules.step.max(TimeDelta::minutes(STEP_MIN));
    let mut found = Vec::new();
    for open in open_times(rules, (from, until)) {
        on_the_clock(rules.zone, open, step, &mut |starts| {
            if open.0 <= starts && starts + rules.duration <= open.1 && from <= starts && starts < until {
                found.push(starts);
            }
        });
    }
    found.sort();
    found
}

/// The moments of an open time that are a step apart on the clock, counted from where it opens, and on each further day
/// from midnight.
fn on_the_clock(zone: Tz, (from, to): Stretch, step: TimeDelta, each: &mut impl FnMut(DateTime<Utc>)) {
    let (first, last) = (local(zone, from), local(zone, to));
    let mut date = first.date();
    while date <= last.date() {
        let mut time = if date == first.date() { first } else { date.and_time(NaiveTime::MIN) };
        while time.date() == date && time <= last {
            match zone.from_local_datetime(&time) {
                LocalResult::Single(moment) | LocalResult::Ambiguous(moment, _) => each(moment.to_utc()),
                LocalResult::None => {}
            }
            time += step;
        }
        let Some(next) = date.checked_add_days(Days::new(1)) else { return };
        date = next;
    }
}

fn local(zone: Tz, moment: DateTime<Utc>) -> NaiveDateTime {
    moment.with_timezone(&zone).naive_local()
}

/// When all hours are open, around a stretch.
fn open_times(rules: &Rules<'_>, (from, until): Stretch) -> Vec<Stretch> {
    // Spans may begin the day before; and the last day has to end before it is known whether a time fits into it.
    let first = local(rules.zone, from).date().checked_sub_days(Days::new(2));
    let last = local(rules.zone, until + rules.duration).date().checked_add_days(Days::new(1));
    let (Some(first), Some(last)) = (first, last) else { return Vec::new() };
    let mut sets = rules.hours.iter().map(|hours| spans(hours, rules.zone, first, last));
    let Some(start) = sets.next() else { return Vec::new() };
    sets.fold(start, |both, next| common(&both, &next))
}

/// The open spans of a stretch of days in real time, those that touch made one.
fn spans(hours: &BusinessHours, zone: Tz, first: NaiveDate, last: NaiveDate) -> Vec<Stretch> {
    let days = first.iter_days().take_while(|date| *date <= last);
    let spans = days.flat_map(|date| {
        let midnight = date.and_time(NaiveTime::MIN);
        hours.spans(date).iter().map(move |span| {
            let at = |minutes: u16| moment_of(zone, midnight + TimeDelta::minutes(minutes.into()));
            (at(span.from()), at(span.to()))
        })
    });
    let mut merged: Vec<Stretch> = Vec::new();
    let mut sorted: Vec<Stretch> = spans.filter(|(from, to)| from < to).collect();
    sorted.sort();
    for (from, to) in sorted {
        match merged.last_mut() {
            Some(before) if from <= before.1 => before.1 = before.1.max(to),
            _ => merged.push((from, to)),
        }
    }
    merged
}

/// What two ordered lists of stretches have in common.
fn common(one: &[Stretch], other: &[Stretch]) -> Vec<Stretch> {
    let both = one.iter().flat_map(|a| other.iter().map(move |b| (a.0.max(b.0), a.1.min(b.1))));
    both.filter(|(from, to)| from < to).collect()
}

/// The moment of a local time: the first of two, and for a time that does not exist the moment the clock jumps.
pub fn moment_of(zone: Tz, time: NaiveDateTime) -> DateTime<Utc> {
    let tries = (0..=GAP_MAX).map(|minutes| time + TimeDelta::minutes(minutes));
    let found = tries.into_iter().find_map(|time| zone.from_local_datetime(&time).earliest());
    found.map_or_else(|| zone.from_utc_datetime(&time).to_utc(), |moment| moment.to_utc())
}
