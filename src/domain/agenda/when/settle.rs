//! From placed mentions to one answer.

use chrono::{Datelike, NaiveDate};

use super::day::{DaySaid, Days};
use super::grammar::{Mention, joined};
use super::resolve::{resolve_days, resolved};
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

/// A wish that names only a time is about the day that was named beside it: "folgo terça para passar aí, dá às 9h?",
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
