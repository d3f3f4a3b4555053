//! What is said while the company is closed.

use chrono::{Datelike, NaiveDateTime, TimeDelta, Timelike, Weekday};

use super::days::weekday_name;
use super::{Reason, Status};

/// What is said while the company is closed, in parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Away {
    /// That it is closed, and why: "Hoje estamos fechados: Natal."
    pub closed: String,
    /// When it opens: "Abrimos amanhã às 8h."; empty when that is not known.
    pub opens: String,
}

impl Away {
    /// Both parts in one line.
    pub fn text(&self) -> String {
        [self.closed.as_str(), self.opens.as_str()].join(" ").trim().to_owned()
    }
}

/// What to say at a local time; `None` while it is open.
pub fn away(status: &Status, now: NaiveDateTime) -> Option<Away> {
    let Status::Closed { reason, opens } = status else { return None };
    let closed = match reason {
        Reason::Night => "Agora estamos fora do horário de atendimento.".to_owned(),
        Reason::Break => "Agora estamos em intervalo.".to_owned(),
        Reason::Weekday => format!("{} não atendemos.", on_weekdays(now.weekday())),
        Reason::Holiday(name) if name.is_empty() => "Hoje estamos fechados.".to_owned(),
        Reason::Holiday(name) => format!("Hoje estamos fechados: {}.", one_line(name).trim_end_matches('.')),
    };
    let opens = opens.map(|opens| format!("Abrimos {}.", opens_text(opens, now))).unwrap_or_default();
    Some(Away { closed, opens })
}

/// A notice that the company is closed, and what is to be remembered of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What to say.
    pub away: Away,
    /// Until when it has been said.
    pub holds_until: NaiveDateTime,
}

/// The notice that is due in a conversation: once a closing. `told_until` is [`Notice::holds_until`] of the last one
/// that was given there; all times are local.
pub fn notice(status: &Status, now: NaiveDateTime, told_until: Option<NaiveDateTime>) -> Option<Notice> {
    if told_until.is_some_and(|until| now < until) {
        return None;
    }
    let Status::Closed { opens, .. } = status else { return None };
    // Where no opening is known, a week is long enough to be told again.
    let holds_until = opens.unwrap_or(now + TimeDelta::days(7));
    Some(Notice { away: away(status, now)?, holds_until })
}

/// Whether it is open now, as a line for the model.
pub fn state_line(status: &Status, now: NaiveDateTime) -> String {
    match status {
        Status::Open { until: None } => "aberto agora, 24 horas".to_owned(),
        Status::Open { until: Some(until) } => format!("aberto agora, até {}", until_text(*until, now)),
        Status::Closed { reason, opens } => {
            let why = match reason {
                Reason::Holiday(name) if !name.is_empty() => format!(" ({})", one_line(name)),
                Reason::Break => " (intervalo)".to_owned(),
                _ => String::new(),
            };
            let opens = opens.map(|opens| format!("; abre {}", opens_text(opens, now))).unwrap_or_default();
            format!("fechado agora{why}{opens}")
        }
    }
}

/// When something opens, seen from now: "hoje às 13h30", "amanhã às 8h", "na segunda-feira às 8h", "no sábado, 02/01, às
/// 9h".
pub fn opens_text(opens: NaiveDateTime, now: NaiveDateTime) -> String {
    let hour = at_hour(opens);
    match days_between(opens, now) {
        0 => format!("hoje {hour}"),
        1 => format!("amanhã {hour}"),
        2..=6 => format!("{} {hour}", on_weekday(opens.weekday())),
        _ if opens.year() == now.year() => {
            format!("{}, {}, {hour}", on_weekday(opens.weekday()), opens.format("%d/%m"))
        }
        _ => format!("{}, {}, {hour}", on_weekday(opens.weekday()), opens.format("%d/%m/%Y")),
    }
}

fn until_text(until: NaiveDateTime, now: NaiveDateTime) -> String {
    match days_between(until, now) {
        0 => clock(until),
        1 if until.num_seconds_from_midnight() == 0 => "meia-noite".to_owned(),
        1 => format!("{} de amanhã", clock(until)),
        _ => format!("{} de {}", clock(until), until.format("%d/%m")),
    }
}

fn days_between(then: NaiveDateTime, now: NaiveDateTime) -> i64 {
    (then.date() - now.date()).num_days()
}

fn clock(at: NaiveDateTime) -> String {
    super::opening::clock(u16::try_from(at.num_seconds_from_midnight() / 60).unwrap_or(0))
}

fn at_hour(at: NaiveDateTime) -> String {
    match at.hour() {
        1 => format!("à {}", clock(at)),
        _ => format!("às {}", clock(at)),
    }
}

fn on_weekday(day: Weekday) -> String {
    let article = if matches!(day, Weekday::Sat | Weekday::Sun) { "no" } else { "na" };
    format!("{article} {}", weekday_name(day))
}

fn on_weekdays(day: Weekday) -> String {
    match day {
        Weekday::Sat | Weekday::Sun => format!("Aos {}s", weekday_name(day)),
        // "segunda-feira" takes both plurals; the short form is what people say.
        _ => format!("Às {}s", weekday_name(day).trim_end_matches("-feira")),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
