//! Days, hours and lists as customers read them.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, TimeDelta, Timelike, Utc, Weekday};

use super::super::when::{ClockTime, Span, When};
use super::setting::Setting;
use super::state::{Appointment, Patient, Slot};

/// Days so far away are written with their year.
const YEAR_FROM_DAYS: i64 = 300;
/// The longest name of a service, a person or a place in a line, in characters.
const NAME_MAX: usize = 40;
/// The same in a list of times.
const LISTED_MAX: usize = 22;

/// "qui", as in dates.
pub fn weekday(day: Weekday) -> &'static str {
    match day {
        Weekday::Mon => "seg",
        Weekday::Tue => "ter",
        Weekday::Wed => "qua",
        Weekday::Thu => "qui",
        Weekday::Fri => "sex",
        Weekday::Sat => "sáb",
        Weekday::Sun => "dom",
    }
}

/// "qui 8/10", with the year where it would be missed.
pub fn day(day: NaiveDate, today: NaiveDate) -> String {
    let name = weekday(day.weekday());
    match (day - today).num_days().abs() >= YEAR_FROM_DAYS {
        true => format!("{name} {}/{}/{}", day.day(), day.month(), day.year()),
        false => format!("{name} {}/{}", day.day(), day.month()),
    }
}

/// "14h", "14h30".
pub fn hour(at: NaiveDateTime) -> String {
    match at.minute() {
        0 => format!("{}h", at.hour()),
        minute => format!("{}h{minute:02}", at.hour()),
    }
}

/// "qui 8/10 às 14h".
pub fn moment(at: NaiveDateTime, today: NaiveDate) -> String {
    let article = if at.hour() == 1 { "à" } else { "às" };
    format!("{} {article} {}", day(at.date(), today), hour(at))
}

fn clock(time: ClockTime) -> String {
    match (time.seconds() / 3600, time.seconds() / 60 % 60) {
        (hour, 0) => format!("{hour}h"),
        (hour, minute) => format!("{hour}h{minute:02}"),
    }
}

/// What was said of a time, told back.
pub fn when(said: &When, today: NaiveDate) -> String {
    match said {
        When::Moment(at) => moment(*at, today),
        When::Day(one) => day(*one, today),
        When::Time(time) => format!("às {}", clock(*time)),
        When::Times(span) => hours(span.from.map(clock), span.until.map(clock)),
        When::Days(Span { from, until }) => {
            // The end is the first day after it, but for "até sexta".
            let last = until.map(|until| if from.is_some() { until - TimeDelta::days(1) } else { until });
            match (from.map(|from| day(from, today)), last.map(|last| day(last, today))) {
                (Some(from), Some(last)) if from == last => from,
                (Some(from), Some(last)) => format!("de {from} a {last}"),
                (Some(from), None) => format!("a partir de {from}"),
                (None, Some(last)) => format!("até {last}"),
                (None, None) => "qualquer dia".to_owned(),
            }
        }
        When::Moments(Span { from, until }) => match (from, until) {
            (Some(from), Some(until)) if is_one_day(*from, *until) => {
                let end = if until.date() == from.date() { hour(*until) } else { "24h".to_owned() };
                format!("{}, {}", day(from.date(), today), hours(Some(hour(*from)), Some(end)))
            }
            (Some(from), Some(until)) => format!("de {} até {}", moment(*from, today), moment(*until, today)),
            (Some(from), None) => format!("a partir de {}", moment(*from, today)),
            (None, Some(until)) => format!("até {}", moment(*until, today)),
            (None, None) => "qualquer dia".to_owned(),
        },
        When::Set(all) => all.iter().map(|one| when(one, today)).collect::<Vec<_>>().join(" ou "),
    }
}

fn is_one_day(from: NaiveDateTime, until: NaiveDateTime) -> bool {
    until.date() == from.date() || until == ClockTime::MIDNIGHT.on(from.date())
}

fn hours(from: Option<String>, until: Option<String>) -> String {
    match (from, until) {
        (Some(from), Some(until)) => format!("das {from} às {until}"),
        (Some(from), None) => format!("a partir das {from}"),
        (None, Some(until)) => format!("até as {until}"),
        (None, None) => "qualquer hora".to_owned(),
    }
}

/// A name that fits into a line.
pub fn clip(name: &str) -> String {
    cut(name, NAME_MAX)
}

fn cut(name: &str, most: usize) -> String {
    let line = name.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(most) {
        None => line,
        Some(_) => {
            let short: String = line.chars().take(most.saturating_sub(1)).collect();
            format!("{}…", short.trim_end())
        }
    }
}

/// Numbered lines.
pub fn list<'a>(lines: impl IntoIterator<Item = (usize, &'a str)>) -> String {
    lines.into_iter().map(|(number, line)| format!("{number}. {line}")).collect::<Vec<_>>().join("\n")
}

/// "qui 8/10, 14h", with who attends where that differs, and the offset where the same hour comes twice.
pub fn slots(numbered: &[(usize, &Slot)], setting: &Setting, now: DateTime<Utc>) -> String {
    let today = setting.local(now).date();
    let differ = numbered
        .iter()
        .any(|(_, slot)| numbered.first().is_some_and(|(_, first)| first.professional != slot.professional));
    let lines: Vec<(usize, String)> = numbered
        .iter()
        .map(|(number, slot)| {
            let local = setting.local(slot.start);
            let twice =
                numbered.iter().any(|(_, other)| other.start != slot.start && setting.local(other.start) == local);
            let mut line = format!("{}, {}", day(local.date(), today), hour(local));
            if twice {
                line.push_str(&format!(" (UTC{})", slot.start.with_timezone(&setting.zone).format("%:z")));
            }
            if let Some(who) = slot.professional.as_deref().filter(|_| differ) {
                line.push_str(&format!(", {}", cut(setting.professional_name(who), LISTED_MAX)));
            }
            (*number, line)
        })
        .collect();
    list(lines.iter().map(|(number, line)| (*number, line.as_str())))
}

/// "limpeza, qui 8/10 às 14h", one a line.
pub fn appointments(all: &[Appointment], setting: &Setting, now: DateTime<Utc>) -> String {
    let today = setting.local(now).date();
    let lines: Vec<String> = all
        .iter()
        .map(|one| format!("{}, {}", cut(&one.name, LISTED_MAX), moment(setting.local(one.start), today)))
        .collect();
    list((1..).zip(lines.iter().map(String::as_str)))
}

/// "Maria (sua mãe)", "Maria", "sua mãe".
pub fn patient(who: &Patient) -> String {
    match (&who.name, &who.relation) {
        (Some(name), _) => clip(name),
        (None, Some(relation)) => super::people::possessed(relation),
        (None, None) => "a outra pessoa".to_owned(),
    }
}
