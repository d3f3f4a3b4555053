//! Words of the calendar: weekdays, months, units, days with names.

use chrono::Weekday;

use super::calendar::NamedDay;
use super::lex::Line;

/// The weekday a word names, "segunda" to "domingo"; an ordinal may be meant.
pub(in crate::domain::agenda) fn weekday(word: &str) -> Option<Weekday> {
    Some(match word {
        "segunda" | "segundona" | "sigunda" | "segundafeira" | "seg" | "segundas" | "sgunda" => Weekday::Mon,
        "terca" | "tersa" | "tercafeira" | "tercas" | "terc" => Weekday::Tue,
        "quarta" | "quartafeira" | "qua" | "quartas" | "qarta" => Weekday::Wed,
        "quinta" | "quintafeira" | "qui" | "quintas" | "qinta" => Weekday::Thu,
        "sexta" | "sextafeira" | "sextou" | "sex" | "sextas" | "sesta" => Weekday::Fri,
        "sabado" | "sab" | "sabadao" | "sabados" | "sabadu" | "sabdo" => Weekday::Sat,
        "domingo" | "dom" | "domingao" | "domingos" | "dumingo" => Weekday::Sun,
        _ => return None,
    })
}

/// "2ª" to "6ª".
pub(super) fn numbered_weekday(number: u32) -> Option<Weekday> {
    Some(match number {
        2 => Weekday::Mon,
        3 => Weekday::Tue,
        4 => Weekday::Wed,
        5 => Weekday::Thu,
        6 => Weekday::Fri,
        _ => return None,
    })
}

/// The month a word names. Short forms count only beside a number.
pub(super) fn month(word: &str) -> Option<u32> {
    Some(match word {
        "janeiro" | "jan" => 1,
        "fevereiro" | "fev" => 2,
        "marco" | "mar" => 3,
        "abril" | "abr" => 4,
        "maio" | "mai" => 5,
        "junho" | "jun" => 6,
        "julho" | "jul" => 7,
        "agosto" | "ago" => 8,
        "setembro" | "set" => 9,
        "outubro" | "out" => 10,
        "novembro" | "nov" => 11,
        "dezembro" | "dez" | "desembro" => 12,
        _ => return None,
    })
}

/// A month's full name, not one of the short forms that are words of their own.
pub(super) fn full_month(line: &Line, at: usize) -> Option<u32> {
    let word = line.word(at);
    // "Marco" is a man, "março" a month.
    let is_name = word == "marco" && !line.token(at).is_some_and(|token| token.accented);
    if word.len() < 4 || is_name { None } else { month(word) }
}

/// A unit of the calendar or the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

pub(super) fn unit(word: &str) -> Option<Unit> {
    Some(match word {
        "segundo" | "segundos" | "seg" => Unit::Second,
        "min" | "mins" | "minuto" | "minutos" | "minutinho" | "minutinhos" => Unit::Minute,
        "h" | "hora" | "horas" | "hr" | "hs" | "hrs" | "horinha" | "horinhas" => Unit::Hour,
        "dia" | "dias" | "diazinho" => Unit::Day,
        "semana" | "semanas" | "sem" | "semaninha" => Unit::Week,
        "mes" | "meses" | "mese" => Unit::Month,
        "trimestre" | "trimestres" => Unit::Quarter,
        "ano" | "anos" => Unit::Year,
        _ => return None,
    })
}

/// Days with a name, by the words after an optional "dia de"/"dia dos".
const NAMED: [(&[&str], NamedDay); 24] = [
    (&["vespera", "de", "natal"], NamedDay::Fixed(12, 24)),
    (&["vespera", "do", "natal"], NamedDay::Fixed(12, 24)),
    (&["natal"], NamedDay::Fixed(12, 25)),
    (&["vespera", "de", "ano", "novo"], NamedDay::Fixed(12, 31)),
    (&["vespera", "do", "ano", "novo"], NamedDay::Fixed(12, 31)),
    (&["reveillon"], NamedDay::Fixed(12, 31)),
    (&["reveion"], NamedDay::Fixed(12, 31)),
    (&["ano", "novo"], NamedDay::Fixed(1, 1)),
    (&["confraternizacao", "universal"], NamedDay::Fixed(1, 1)),
    (&["dia", "das", "maes"], NamedDay::Nth(5, Weekday::Sun, 2)),
    (&["dia", "dos", "pais"], NamedDay::Nth(8, Weekday::Sun, 2)),
    (&["dia", "dos", "namorados"], NamedDay::Fixed(6, 12)),
    (&["dia", "das", "criancas"], NamedDay::Fixed(10, 12)),
    (&["dia", "do", "trabalho"], NamedDay::Fixed(5, 1)),
    (&["dia", "do", "trabalhador"], NamedDay::Fixed(5, 1)),
    (&["dia", "de", "finados"], NamedDay::Fixed(11, 2)),
    (&["finados"], NamedDay::Fixed(11, 2)),
    (&["tiradentes"], NamedDay::Fixed(4, 21)),
    (&["corpus", "christi"], NamedDay::FromEaster(60)),
    (&["sexta", "santa"], NamedDay::FromEaster(-2)),
    (&["quarta", "de", "cinzas"], NamedDay::FromEaster(-46)),
    (&["carnaval"], NamedDay::FromEaster(-47)),
    (&["pascoa"], NamedDay::FromEaster(0)),
    (&["dia", "da", "mulher"], NamedDay::Fixed(3, 8)),
];

/// A day with a name, and the place after it.
pub(super) fn named_day(line: &Line, at: usize) -> Option<(NamedDay, usize)> {
    let word = line.word(at);
    if word == "dia"
        && line.is(at + 1, &["de", "do"])
        && let Some(found) = named_day(line, at + 2)
    {
        return Some(found);
    }
    NAMED
        .iter()
        .filter(|(words, _)| words.first().is_some_and(|first| *first == word))
        .find_map(|(words, day)| line.phrase(at, words).map(|next| (*day, next)))
}
