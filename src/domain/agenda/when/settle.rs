//! From placed mentions to one answer.

use chrono::{Datelike, NaiveDate, NaiveDateTime, Weekday};

use super::clock::{Clock, Hours};
use super::day::{DaySaid, Days};
use super::grammar::{Mention, joined};
use super::roles::{Link, Placed, Role};
use super::time::TimeSaid;
use super::value::{ClockTime, Span, When};
use super::{Answer, Convention, Frame, Reading};

/// One answer out of all mentions.
pub(super) fn settle(placed: Vec<Placed>, frame: &Frame<'_>) -> Reading {
    let excluded = placed
        .iter()
        .filter(|p| p.role == Role::Excluded)
        .filter_map(|p| match resolved(&p.mention, frame) {
            Answer::Clear(when) => Some(when),
            _ => None,
        })
        .collect();
    let answer = combined(wanted(placed, frame), frame);
    Reading { answer, excluded }
}

/// The mentions that count.
fn wanted(placed: Vec<Placed>, frame: &Frame<'_>) -> Vec<(Mention, Link)> {
    let booking = frame.convention == Convention::Booking;
    let is_past = |mention: &Mention| {
        let moment = mention.moment.is_some_and(|moment| moment < frame.now);
        booking && (mention.day.as_ref().is_some_and(|day| day.past) || moment)
    };
    let placed = with_days_of_others(placed);
    let has_wish = placed.iter().any(|p| p.role == Role::Wanted && !is_past(&p.mention));
    placed
        .into_iter()
        .filter(|p| p.role == Role::Wanted || (p.role == Role::Aside && !has_wish))
        .filter(|p| !is_past(&p.mention))
        .map(|p| (p.mention, p.link))
        .collect()
}

/// A wish that names only a time is about the day that was named beside it: "sair cedo na sexta para ir aí, às 16h?",
/// "tenho hora amanhã às 9, dá para ser depois das 10?".
fn with_days_of_others(mut placed: Vec<Placed>) -> Vec<Placed> {
    let has_day =
        placed.iter().any(|p| p.role == Role::Wanted && p.mention.time.is_none() || p.mention.moment.is_some());
    let beside = placed.iter().find(|p| {
        let only_day = p.role == Role::Old || p.mention.time.is_none();
        matches!(p.role, Role::Aside | Role::Old) && only_day && p.mention.day.as_ref().is_some_and(|day| !day.past)
    });
    let Some(day) = beside.and_then(|p| p.mention.day.clone()).filter(|_| !has_day) else { return placed };
    let target = if placed.iter().any(|p| p.role == Role::Wanted) { Role::Wanted } else { Role::Aside };
    for wish in placed.iter_mut().filter(|p| p.role == target && p.mention.day.is_none() && p.mention.time.is_some()) {
        wish.mention.day = Some(day.clone());
    }
    placed
}

/// "mês que vem, dia 8", "na semana que vem, de preferência terça": the day within the days named beside it.
fn within_named_days(mentions: Vec<(Mention, Link)>) -> Vec<(Mention, Link)> {
    let longer = |m: &Mention| match &m.day {
        Some(DaySaid { days: Days::Span(Span { from: Some(from), until: Some(until) }), .. }) if m.time.is_none() => {
            ((*until - *from).num_days() >= 5).then_some((*from, *until))
        }
        _ => None,
    };
    let Some((at, (from, until))) = mentions.iter().enumerate().find_map(|(at, (m, _))| Some((at, longer(m)?))) else {
        return mentions;
    };
    let mut found = false;
    let mut placed: Vec<(Mention, Link)> = mentions;
    for (mention, link) in placed.iter_mut().filter(|(_, link)| *link != Link::Or) {
        let Some(said) = mention.day.as_mut().filter(|said| said.weekday.is_some() || said.number.is_some()) else {
            continue;
        };
        let fits = |day: &NaiveDate| {
            said.weekday.is_none_or(|w| day.weekday() == w) && said.number.is_none_or(|n| day.day() == n)
        };
        let Some(day) = from.iter_days().take_while(|day| *day < until).find(fits) else { continue };
        said.days = Days::One(day);
        *link = Link::Apart;
        found = true;
    }
    if found {
        placed.remove(at);
    }
    placed
}

fn combined(mentions: Vec<(Mention, Link)>, frame: &Frame<'_>) -> Answer {
    let mentions = if frame.asks() { within_named_days(mentions) } else { mentions };
    let mut groups: Vec<Vec<Mention>> = Vec::new();
    for (mention, link) in mentions {
        match (link, groups.last_mut()) {
            (Link::Instead, Some(group)) => {
                let corrected = group.pop().map_or_else(|| mention.clone(), |old| corrected(old, mention.clone()));
                group.clear();
                group.push(corrected);
            }
            (Link::Or, Some(group)) => group.push(mention),
            (Link::Also, Some(group)) => match group.last_mut() {
                Some(last) if completes(last, &mention) => complete(last, mention),
                _ => group.push(mention),
            },
            (Link::Apart, Some(group)) => match group.last_mut() {
                Some(last) if completes(last, &mention) => complete(last, mention),
                _ => groups.push(vec![mention]),
            },
            (_, None) => groups.push(vec![mention]),
        }
    }
    let mut answers: Vec<Answer> = groups.iter().map(|group| alternatives(group, frame)).collect();
    answers.dedup();
    match frame.convention {
        Convention::Plain => answers.into_iter().next().unwrap_or_default(),
        Convention::Booking => several(answers),
    }
}

/// What stands in several sentences: the same thing said better, or several wishes.
fn several(mut answers: Vec<Answer>) -> Answer {
    if answers.len() < 2 {
        return answers.pop().unwrap_or_default();
    }
    if let Some(open) = answers.iter().find(|answer| matches!(answer, Answer::Ambiguous { .. })) {
        return open.clone();
    }
    let whens: Vec<When> =
        answers.into_iter().filter_map(|a| if let Answer::Clear(when) = a { Some(when) } else { None }).collect();
    let best = most_exact(&whens).cloned();
    Answer::Clear(best.unwrap_or(When::Set(whens)))
}

/// "sábado? dia 12 às 9": the one within all others.
fn most_exact(whens: &[When]) -> Option<&When> {
    whens.iter().find(|best| whens.iter().all(|other| *best == other || is_within(best, other)))
}

/// Whether a wish lies within another.
fn is_within(inner: &When, outer: &When) -> bool {
    let time = match inner {
        When::Moment(at) => Some(ClockTime::of(*at)),
        When::Time(time) => Some(*time),
        _ => None,
    };
    match (outer, time) {
        (When::Time(other), Some(time)) => return time == *other,
        (When::Times(span), Some(time)) => {
            return span.from.is_none_or(|from| from <= time) && span.until.is_none_or(|until| time < until);
        }
        _ => {}
    }
    let day = match inner {
        When::Moment(at) => at.date(),
        When::Day(day) => *day,
        When::Moments(Span { from: Some(from), .. }) => from.date(),
        _ => return false,
    };
    match outer {
        When::Day(other) => day == *other,
        When::Days(span) => span.from.is_none_or(|from| from <= day) && span.until.is_none_or(|until| day < until),
        _ => false,
    }
}

/// Whether the second mention only adds what the first lacks.
fn completes(first: &Mention, second: &Mention) -> bool {
    let plain = |m: &Mention| m.moment.is_none() && m.stretch.is_none() && !m.bare;
    let is_free = |a: bool, b: bool| !(a && b);
    let time_free = is_free(first.time.is_some(), second.time.is_some()) || refines(first, second);
    plain(first) && plain(second) && is_free(first.day.is_some(), second.day.is_some()) && time_free
}

/// "de manhã, às 9".
fn refines(first: &Mention, second: &Mention) -> bool {
    matches!((&first.time, &second.time), (Some(TimeSaid::Part(_)), Some(TimeSaid::At(_))))
}

fn complete(first: &mut Mention, second: Mention) {
    if first.day.is_none() {
        first.day = second.day;
    }
    first.time = match (first.time.take(), second.time) {
        (Some(TimeSaid::Part(part)), Some(said)) => Some(said.in_part(part)),
        (said, other) => said.or(other),
    };
    first.end = second.end;
}

/// "terça às 9, quer dizer, quarta": what the correction does not name stays.
fn corrected(old: Mention, new: Mention) -> Mention {
    let day = new.day.or(old.day);
    Mention { day, time: new.time.or(old.time), ..new }
}

/// Mentions of which each will do: "terça ou quarta de manhã", "quinta e sexta".
fn alternatives(group: &[Mention], frame: &Frame<'_>) -> Answer {
    let [single] = group else {
        let answers: Vec<Answer> = group.iter().map(|mention| resolved(mention, frame)).collect();
        if let Some(open) = answers.iter().find(|answer| matches!(answer, Answer::Ambiguous { .. })) {
            return open.clone();
        }
        let whens: Vec<When> =
            answers.into_iter().filter_map(|a| if let Answer::Clear(when) = a { Some(when) } else { None }).collect();
        if let Some(best) = most_exact(&whens) {
            return Answer::Clear(best.clone());
        }
        return match as_days(&whens) {
            Some(days) => resolve_days(&days),
            None => Answer::Clear(When::Set(whens)),
        };
    };
    resolved(single, frame)
}

/// The days when nothing but days is said; days with a part of the day count, and drop it.
fn as_days(whens: &[When]) -> Option<Days> {
    let day = |when: &When| match when {
        When::Day(day) => Some(*day),
        When::Moments(Span { from: Some(from), until: Some(_) }) => Some(from.date()),
        _ => None,
    };
    let days: Option<Vec<NaiveDate>> = whens.iter().map(day).collect();
    let only_parts = whens.iter().all(|when| !matches!(when, When::Day(_)));
    days.filter(|_| !only_parts).map(joined)
}

fn resolve_days(days: &Days) -> Answer {
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
