//! What one mention says, in days and hours.

use chrono::{Datelike, NaiveDate, NaiveDateTime, Weekday};

use super::clock::{Clock, Hours};
use super::day::{DaySaid, Days};
use super::grammar::Mention;
use super::time::TimeSaid;
use super::value::{ClockTime, Span, When};
use super::{Answer, Frame};

pub(super) fn resolve_days(days: &Days) -> Answer {
    match days {
        Days::One(day) => Answer::Clear(When::Day(*day)),
        Days::Span(span) => Answer::Clear(When::Days(*span)),
        Days::Set(days) => Answer::Clear(When::Set(days.iter().copied().map(When::Day).collect())),
        Days::Unclear(days) => {
            Answer::Ambiguous { sure: None, readings: days.iter().copied().map(When::Day).collect() }
        }
    }
}

/// What one mention says.
pub(super) fn resolved(mention: &Mention, frame: &Frame<'_>) -> Answer {
    if mention.bare {
        return Answer::Ambiguous { sure: None, readings: Vec::new() };
    }
    if let Some(moment) = mention.moment {
        return Answer::Clear(When::Moment(moment));
    }
    if let Some((first, second)) = mention.stretch.as_deref() {
        let end = |m: &Mention| match resolved(m, frame) {
            Answer::Clear(When::Moment(at)) => Some(at),
            _ => None,
        };
        return match (end(first), end(second)) {
            (Some(from), Some(until)) => Answer::Clear(When::Moments(Span::between(from, until))),
            _ => Answer::Nothing,
        };
    }
    match (&mention.day, &mention.time) {
        (None, None) => Answer::Nothing,
        (Some(said), None) => resolve_days(&known(said, frame)),
        (None, Some(time)) => time_only(time, frame),
        (Some(said), Some(time)) => match known(said, frame) {
            Days::One(day) => on_day(day, time, frame),
            Days::Unclear(days) => Answer::Ambiguous {
                sure: clear_time(time),
                readings: days.iter().filter_map(|day| first_reading(*day, time, frame)).collect(),
            },
            other => resolve_days(&other),
        },
    }
}

/// The day as that of the offered time it names.
fn known(said: &DaySaid, frame: &Frame<'_>) -> Days {
    let fits = |day: &NaiveDate| {
        said.weekday.is_some_and(|weekday: Weekday| day.weekday() == weekday)
            || said.number.is_some_and(|n| day.day() == n)
    };
    if said.weekday.is_none() && said.number.is_none() {
        return said.days.clone();
    }
    let mut offered: Vec<NaiveDate> = frame.options.iter().map(NaiveDateTime::date).filter(fits).collect();
    offered.sort_unstable();
    offered.dedup();
    match offered.as_slice() {
        [day] => Days::One(*day),
        [] => said.days.clone(),
        several => Days::Unclear(several.to_vec()),
    }
}

fn first_reading(day: NaiveDate, time: &TimeSaid, frame: &Frame<'_>) -> Option<When> {
    match on_day(day, time, frame) {
        Answer::Clear(when) => Some(when),
        Answer::Ambiguous { readings, .. } => readings.into_iter().next(),
        Answer::Nothing => None,
    }
}

/// The time where it is the same on every day.
fn clear_time(time: &TimeSaid) -> Option<When> {
    match time {
        TimeSaid::At(clock) => match clock.business() {
            Hours::One(time) => Some(When::Time(time)),
            Hours::Two(..) => None,
        },
        _ => times(time, true).map(When::Times),
    }
}

/// The ends of a stretch of the day.
fn times(time: &TimeSaid, business: bool) -> Option<Span<ClockTime>> {
    let read = |clock: &Clock| {
        if !business {
            return clock.written();
        }
        match clock.business() {
            Hours::One(time) | Hours::Two(time, _) => time,
        }
    };
    Some(match time {
        TimeSaid::Part(part) => part.span(),
        TimeSaid::From(clock) => Span::from(open_end(clock, business, true)),
        TimeSaid::Until(clock) => Span::until(open_end(clock, business, false)),
        TimeSaid::Between(from, until) => {
            let until_time = read(until);
            let from_time = read(from);
            // "das 9 às 6": an end that is before the beginning is in the other half of the day.
            let from_time = if business && from_time > until_time { from.written() } else { from_time };
            Span::between(from_time, TimeSaid::ordered(from_time, until_time))
        }
        TimeSaid::At(_) | TimeSaid::Any(_) => return None,
    })
}

/// "depois das 7" is in the evening, "antes das 7" too; nobody works so early that it would bound anything else.
fn open_end(clock: &Clock, business: bool, is_from: bool) -> ClockTime {
    match (business, clock.business()) {
        (true, Hours::One(time)) => time,
        (true, Hours::Two(early, late)) => {
            if is_from {
                late
            } else {
                early.max(late)
            }
        }
        (false, _) => clock.written(),
    }
}

/// A time of no certain day.
fn time_only(time: &TimeSaid, frame: &Frame<'_>) -> Answer {
    let business = frame.asks();
    match time {
        TimeSaid::At(clock) if !business => Answer::Clear(When::Moment(next_at(clock.written(), frame))),
        TimeSaid::At(clock) => match offered_hour(clock, frame).map_or_else(|| clock.business(), Hours::One) {
            Hours::One(time) => Answer::Clear(When::Time(time)),
            Hours::Two(a, b) => Answer::Ambiguous { sure: None, readings: vec![When::Time(a), When::Time(b)] },
        },
        TimeSaid::Any(clocks) => {
            let all = clocks.iter().map(|clock| match clock.business() {
                Hours::One(time) | Hours::Two(time, _) => When::Time(time),
            });
            Answer::Clear(When::Set(all.collect()))
        }
        _ => times(time, business).map_or(Answer::Nothing, |span| plain_times(span, time, frame)),
    }
}

/// An open bound of a plain text is of today: "até a meia-noite".
fn plain_times(span: Span<ClockTime>, time: &TimeSaid, frame: &Frame<'_>) -> Answer {
    if frame.asks() {
        return Answer::Clear(When::Times(span));
    }
    let bound = matches!(time, TimeSaid::From(_) | TimeSaid::Until(_));
    let at = |time: ClockTime| if bound { next_at(time, frame) } else { time.on(frame.today()) };
    Answer::Clear(When::Moments(Span { from: span.from.map(at), until: span.until.map(at) }))
}

/// The next moment of that time.
fn next_at(time: ClockTime, frame: &Frame<'_>) -> NaiveDateTime {
    let today = time.on(frame.today());
    if today < frame.now { time.on(super::calendar::plus_days(frame.today(), 1)) } else { today }
}

/// The hour of the offered times that an open or unlikely reading names: "às 7" with 07:30 and 19:00 on offer.
fn offered_hour(clock: &Clock, frame: &Frame<'_>) -> Option<ClockTime> {
    if clock.literal || clock.part.is_some() {
        return None;
    }
    let readings = [Some(clock.written()), clock.later()];
    let mut offered = readings
        .into_iter()
        .flatten()
        .filter(|time| frame.options.iter().any(|option| ClockTime::of(*option) == *time));
    let first = offered.next()?;
    offered.next().is_none().then_some(first)
}

/// A time on a day.
fn on_day(day: NaiveDate, time: &TimeSaid, frame: &Frame<'_>) -> Answer {
    let business = frame.asks();
    match time {
        TimeSaid::At(clock) if !business => Answer::Clear(When::Moment(clock.written().on(day))),
        TimeSaid::At(clock) => at_hour(day, clock, frame),
        TimeSaid::Any(clocks) => {
            let all = clocks.iter().map(|clock| match clock.business() {
                Hours::One(time) | Hours::Two(time, _) => When::Moment(time.on(day)),
            });
            Answer::Clear(When::Set(all.collect()))
        }
        _ => times(time, business).map_or(Answer::Nothing, |span| {
            let moments = Span { from: span.from.map(|time| time.on(day)), until: span.until.map(|time| time.on(day)) };
            let over = business && moments.until.is_some_and(|until| until <= frame.now);
            if over {
                return Answer::Ambiguous { sure: None, readings: Vec::new() };
            }
            Answer::Clear(When::Moments(moments))
        }),
    }
}

/// An hour of a day in a booking: what has passed is meant later, or was not meant at all.
fn at_hour(day: NaiveDate, clock: &Clock, frame: &Frame<'_>) -> Answer {
    let is_to_come = |time: &ClockTime| time.on(day) > frame.now;
    let hours = offered_hour(clock, frame).map_or_else(|| clock.business(), Hours::One);
    let candidates: Vec<ClockTime> = match hours {
        Hours::One(time) => vec![time],
        Hours::Two(a, b) => vec![a, b],
    };
    let mut left: Vec<ClockTime> = candidates.iter().copied().filter(is_to_come).collect();
    if left.is_empty() {
        left = clock.later().filter(is_to_come).into_iter().collect();
    }
    match left.as_slice() {
        [] => Answer::Ambiguous { sure: None, readings: Vec::new() },
        [time] => Answer::Clear(When::Moment(time.on(day))),
        several => Answer::Ambiguous {
            sure: Some(When::Day(day)),
            readings: several.iter().map(|time| When::Moment(time.on(day))).collect(),
        },
    }
}
