//! The recommendation of the day, in Portuguese and with the numbers behind it.

use super::{HeatMap, Hour};
use crate::domain::hours::weekday_name;

/// Fewer outcomes say nothing of an hour, or of a company.
const HOUR_OUTCOMES_MIN: u32 = 8;
const OUTCOMES_MIN: u32 = 20;
/// How much worse than the company an hour must be to be named, shares.
const WORSE_BY: f64 = 0.08;
/// Up to here an hour counts as often free.
const OFTEN_FREE: f64 = 0.4;

/// What the coming days look like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Finding {
    /// Appointments within the days spoken of.
    pub upcoming: u32,
    /// How many of them are marked as high risk.
    pub high_risk: u32,
    /// How many misses are to be expected among all of them: the sum of their chances.
    pub expected_missed: f64,
    /// How many days are spoken of.
    pub days: u16,
}

/// One to four sentences; says plainly when too little is known.
pub fn recommendation(map: &HeatMap, finding: &Finding) -> String {
    let mut lines = vec![ahead(finding)];
    let total = map.total();
    match map.attendance_rate() {
        Some(rate) if total.outcomes() >= OUTCOMES_MIN => {
            lines.push(format!(
                "Comparecimento até aqui: {} ({} de {}).",
                percent(rate),
                total.attended,
                total.outcomes()
            ));
            lines.extend(worst(map, rate));
            lines.extend(free(map));
        }
        _ => lines.push(format!("Ainda há poucos resultados ({}) para comparar dias e horários.", total.outcomes())),
    }
    lines.join(" ")
}

fn ahead(finding: &Finding) -> String {
    let days = match finding.days {
        1 => "No próximo dia".to_owned(),
        days => format!("Nos próximos {days} dias"),
    };
    let risk = match finding.high_risk {
        0 => "nenhum com risco alto de falta".to_owned(),
        1 => "1 com risco alto de falta: vale confirmar com a pessoa".to_owned(),
        many => format!("{many} com risco alto de falta: vale confirmar com essas pessoas"),
    };
    match finding.upcoming {
        0 => format!("{days} não há horários marcados."),
        1 => format!("{days} há 1 horário marcado, {risk}."),
        many => format!(
            "{days} há {many} horários marcados, {risk}. Faltas esperadas ao todo: cerca de {}.",
            one_digit(finding.expected_missed)
        ),
    }
}

fn worst(map: &HeatMap, rate: f64) -> Option<String> {
    let (hour, cell) = map
        .hours()
        .filter(|(_, cell)| cell.outcomes() >= HOUR_OUTCOMES_MIN)
        .min_by(|(left, _), (right, _)| map.attendance(*left).total_cmp(&map.attendance(*right)))?;
    (rate - map.attendance(hour) >= WORSE_BY).then(|| {
        format!(
            "Mais faltas: {}, {} de {}. Um lembrete a mais nesse horário pode ajudar.",
            hour_name(hour),
            cell.missed,
            cell.outcomes()
        )
    })
}

/// An hour that stays free although those who book it come.
fn free(map: &HeatMap) -> Option<String> {
    let (hour, cell) = map
        .hours()
        .filter(|(_, cell)| cell.offered >= HOUR_OUTCOMES_MIN)
        .min_by(|(left, _), (right, _)| map.occupancy(*left).total_cmp(&map.occupancy(*right)))?;
    (map.occupancy(hour) <= OFTEN_FREE).then(|| {
        let taken = cell.booked.saturating_sub(cell.cancelled);
        format!("Mais livre: {}, {taken} de {} horários ocupados.", hour_name(hour), cell.offered)
    })
}

fn hour_name(hour: Hour) -> String {
    format!("{} às {}h", weekday_name(hour.weekday), hour.hour)
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

fn one_digit(number: f64) -> String {
    format!("{number:.1}").replace('.', ",")
}
