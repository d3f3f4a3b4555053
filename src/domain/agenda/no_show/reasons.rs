//! Why a chance is what it is, in words for the company's team.

use chrono::Datelike;

use super::features::{Facts, Reply, SIZE, values};
use crate::domain::hours::weekday_name;

/// Weaker reasons are not worth a line, log-odds.
const WEAKEST: f64 = 0.15;

/// One reason.
#[derive(Clone, Debug, PartialEq)]
pub struct Reason {
    /// In Portuguese, with its numbers: "marcada com 31 dias de antecedência".
    pub text: String,
    /// How much it adds to the log-odds of a miss; below 0 it speaks for coming.
    pub effect: f64,
}

/// Strongest first. Age takes part in the chance, and is left out here: it is no reason to tell a team.
pub(super) fn reasons(weights: &[f64; SIZE], facts: &Facts) -> Vec<Reason> {
    let parts: Vec<f64> = weights.iter().zip(values(facts)).map(|(weight, value)| weight * value).collect();
    let sum = |from: usize, to: usize| parts.get(from..to).map_or(0.0, |parts| parts.iter().sum());
    let mut reasons = vec![Reason { text: lead(facts.lead_days), effect: sum(1, 8) }];
    reasons.push(Reason { text: weekday_name(facts.date.weekday()).to_owned(), effect: sum(8, 15) });
    if let Some(time) = facts.time {
        reasons.push(Reason { text: format!("horário das {}", time.format("%H:%M")), effect: sum(18, 20) });
    }
    if facts.reminded && facts.lead_days > 0 {
        reasons.push(Reason { text: "recebe lembrete".to_owned(), effect: sum(20, 21) });
    }
    match facts.reply {
        Reply::Confirmed => reasons.push(Reason { text: "confirmou presença".to_owned(), effect: sum(21, 22) }),
        Reply::Silent => reasons.push(Reason { text: "não respondeu ao lembrete".to_owned(), effect: sum(22, 23) }),
        Reply::NotAsked => {}
    }
    if facts.history.outcomes > 0 {
        reasons.push(Reason { text: history(facts.history.missed, facts.history.outcomes), effect: sum(23, 24) });
    }
    reasons.retain(|reason| reason.effect.abs() >= WEAKEST);
    reasons.sort_by(|left, right| right.effect.abs().total_cmp(&left.effect.abs()));
    reasons
}

fn lead(days: u32) -> String {
    match days {
        0 => "marcada para o mesmo dia".to_owned(),
        1 => "marcada de um dia para o outro".to_owned(),
        _ => format!("marcada com {days} dias de antecedência"),
    }
}

fn history(missed: u32, outcomes: u32) -> String {
    match (missed, outcomes) {
        (0, 1) => "compareceu da última vez".to_owned(),
        (0, _) => format!("compareceu às últimas {outcomes} vezes"),
        (1, 1) => "faltou na única vez anterior".to_owned(),
        _ => format!("faltou a {missed} de {outcomes} horários anteriores"),
    }
}
