//! Holidays: those of the country, with the movable ones computed, and those of the company.

use chrono::{Datelike, NaiveDate};

use super::opening::{HoursError, Span, in_order};
use super::written::read_spans;
use crate::domain::agenda::when::calendar::{easter, plus_days};
use crate::domain::text::fold::fold;

/// Most days a company may list.
pub const OWN_DAYS_MAX: usize = 200;

/// Whether a day of the country is a holiday.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// A holiday by federal law, or (Good Friday) by the law of every municipality.
    Holiday,
    /// "Ponto facultativo": public offices may close; everybody else decides alone.
    Optional,
}

/// A holiday of the country.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NationalDay {
    /// Its name in pt-BR.
    pub name: &'static str,
    /// Whether it is a holiday.
    pub standing: Standing,
    /// The law it rests on.
    pub law: &'static str,
    day: Rule,
    /// The first year.
    since: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    /// Month and day.
    Fixed(u32, u32),
    /// Days after Easter Sunday.
    FromEaster(i64),
}

const fn holiday(name: &'static str, day: Rule, since: i32, law: &'static str) -> NationalDay {
    NationalDay { name, standing: Standing::Holiday, law, day, since }
}

const fn optional(name: &'static str, days: i64) -> NationalDay {
    let law = "portaria anual do Ministério da Gestão";
    NationalDay { name, standing: Standing::Optional, law, day: Rule::FromEaster(days), since: 1950 }
}

const LAW_662: &str = "Lei 662/1949, na redação da Lei 10.607/2002";

/// The holidays of Brazil.
pub const NATIONAL_DAYS: [NationalDay; 15] = [
    holiday("Confraternização Universal", Rule::Fixed(1, 1), 1950, LAW_662),
    optional("Segunda-feira de Carnaval", -48),
    optional("Carnaval", -47),
    optional("Quarta-feira de Cinzas", -46),
    holiday("Sexta-feira Santa", Rule::FromEaster(-2), 1950, "Lei 9.093/1995, art. 2º, e leis municipais"),
    holiday("Tiradentes", Rule::Fixed(4, 21), 1950, LAW_662),
    holiday("Dia do Trabalho", Rule::Fixed(5, 1), 1950, LAW_662),
    optional("Corpus Christi", 60),
    holiday("Independência do Brasil", Rule::Fixed(9, 7), 1950, LAW_662),
    holiday("Nossa Senhora Aparecida", Rule::Fixed(10, 12), 1980, "Lei 6.802/1980"),
    holiday("Finados", Rule::Fixed(11, 2), 2003, LAW_662),
    holiday("Proclamação da República", Rule::Fixed(11, 15), 1950, LAW_662),
    holiday("Dia da Consciência Negra", Rule::Fixed(11, 20), 2024, "Lei 14.759/2023"),
    holiday("Natal", Rule::Fixed(12, 25), 1950, LAW_662),
    // No holiday anywhere, since it is a Sunday; listed so that a company can name it.
    optional("Páscoa", 0),
];

impl NationalDay {
    /// The date in a year; `None` before the law.
    pub fn of_year(&self, year: i32) -> Option<NaiveDate> {
        if year < self.since {
            return None;
        }
        match self.day {
            Rule::Fixed(month, day) => NaiveDate::from_ymd_opt(year, month, day),
            Rule::FromEaster(days) => easter(year).map(|sunday| plus_days(sunday, days)),
        }
    }
}

/// The day of the country on a date, holiday or optional.
pub fn national(date: NaiveDate) -> Option<&'static NationalDay> {
    NATIONAL_DAYS.iter().find(|day| day.of_year(date.year()) == Some(date))
}

/// What a company's own day does to its hours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Closed.
    Closed,
    /// Open as on any such weekday, also on a holiday.
    Open,
    /// Open at these times.
    Hours(Vec<Span>),
}

/// A day or a stretch of days of the company's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnDay {
    when: When,
    /// Its name, as the company wrote it; may be empty.
    pub name: String,
    /// What it does.
    pub effect: Effect,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    Once(NaiveDate),
    /// Month and day of every year.
    Yearly((u32, u32)),
    /// A day of the country, by its rule.
    Named(&'static NationalDay),
    Between(NaiveDate, NaiveDate),
    /// From a month and day to another, over the new year where need be.
    EveryYearBetween((u32, u32), (u32, u32)),
}

impl OwnDay {
    fn holds(&self, date: NaiveDate) -> bool {
        let day = (date.month(), date.day());
        match self.when {
            When::Once(once) => once == date,
            When::Yearly(yearly) => yearly == day,
            When::Named(named) => named.of_year(date.year()) == Some(date),
            When::Between(from, to) => from <= date && date <= to,
            When::EveryYearBetween(from, to) if from <= to => from <= day && day <= to,
            When::EveryYearBetween(from, to) => day >= from || day <= to,
        }
    }

    /// The narrower the more it says of a date.
    fn breadth(&self) -> u8 {
        match self.when {
            When::Once(_) => 0,
            When::Yearly(_) | When::Named(_) => 1,
            When::Between(..) => 2,
            When::EveryYearBetween(..) => 3,
        }
    }
}

/// The company's own day on a date: a single date before a stretch of days, a year's own before that of every year.
pub fn own(days: &[OwnDay], date: NaiveDate) -> Option<&OwnDay> {
    days.iter().filter(|day| day.holds(date)).min_by_key(|day| day.breadth())
}

/// Reads a company's days, one a line or with semicolons between them: `24/12 Véspera de Natal 8h-12h`,
/// `31/12 fechado`, `20/12 a 05/01 Recesso`, `02/01/2027 aberto`, `carnaval fechado`. A date without a year is of every
/// year; without hours or "aberto" it is closed.
///
/// # Errors
/// The first entry that does not begin with a date, or whose hours contradict themselves; too many entries.
pub fn parse_own(text: &str) -> Result<Vec<OwnDay>, HoursError> {
    let entries: Vec<&str> = text.split(['\n', ';']).map(str::trim).filter(|entry| !entry.is_empty()).collect();
    if entries.len() > OWN_DAYS_MAX {
        return Err(HoursError::TooMany(entries.len(), OWN_DAYS_MAX));
    }
    entries.into_iter().map(entry).collect()
}

fn entry(text: &str) -> Result<OwnDay, HoursError> {
    let (when, rest, known_name) = date_part(text).ok_or_else(|| HoursError::NoDate(text.to_owned()))?;
    let (name, effect) = name_and_effect(rest)?;
    let name = if name.is_empty() { known_name.to_owned() } else { name };
    Ok(OwnDay { when, name, effect })
}

/// The date or dates at the start, the rest of the text, and the name the date brings along.
fn date_part(text: &str) -> Option<(When, &str, &'static str)> {
    if let Some((named, rest)) = named_day(text) {
        return Some((When::Named(named), rest, named.name));
    }
    let (first, rest) = date(text)?;
    let bound = ["a ", "à ", "até ", "ate ", "-", "–"];
    let second = bound.iter().find_map(|word| date(rest.trim_start().strip_prefix(word)?.trim_start()));
    let (when, rest) = match (first, second) {
        (Date::Full(from), Some((Date::Full(to), rest))) if from <= to => (When::Between(from, to), rest),
        (Date::Yearly(from), Some((Date::Yearly(to), rest))) => (When::EveryYearBetween(from, to), rest),
        (_, Some(_)) => return None,
        (Date::Full(day), None) => (When::Once(day), rest),
        (Date::Yearly(day), None) => (When::Yearly(day), rest),
    };
    Some((when, rest, ""))
}

fn named_day(text: &str) -> Option<(&'static NationalDay, &str)> {
    let days = NATIONAL_DAYS.iter().filter(|day| matches!(day.day, Rule::FromEaster(_)));
    days.filter_map(|day| Some((day, after_words(text, day.name)?))).max_by_key(|(day, _)| day.name.len())
}

/// What follows when the text begins with these words, whatever their accents and capitals.
fn after_words<'a>(text: &'a str, words: &str) -> Option<&'a str> {
    let end = text.char_indices().nth(words.chars().count()).map_or(text.len(), |(at, _)| at);
    let (start, rest) = text.split_at_checked(end)?;
    (fold(start) == fold(words) && !rest.starts_with(char::is_alphanumeric)).then_some(rest)
}

enum Date {
    Full(NaiveDate),
    Yearly((u32, u32)),
}

/// `dd/mm` or `dd/mm/yyyy` at the start of a text, and what follows.
fn date(text: &str) -> Option<(Date, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '/').unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    let mut numbers = digits.split('/');
    let (day, month) = (numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?);
    let date = match numbers.next() {
        Some(year) if year.len() == 4 => Date::Full(NaiveDate::from_ymd_opt(year.parse().ok()?, month, day)?),
        Some(_) => return None,
        // Of a leap year, so that 29/02 may be written.
        None => NaiveDate::from_ymd_opt(2024, month, day).map(|_| Date::Yearly((month, day)))?,
    };
    numbers.next().is_none().then_some((date, rest))
}

/// The words before the longest end that reads as hours are the name.
fn name_and_effect(rest: &str) -> Result<(String, Effect), HoursError> {
    let words: Vec<&str> = rest.split_whitespace().collect();
    for start in 0..words.len() {
        let end = words.get(start..).unwrap_or_default().join(" ");
        let effect = match read_spans(&end) {
            Ok(Some(spans)) if spans.is_empty() => Some(Effect::Closed),
            Ok(Some(spans)) => Some(Effect::Hours(in_order(spans)?)),
            Ok(None) if is_open(&end) => Some(Effect::Open),
            // Times that contradict themselves are no part of a name.
            Err(error @ (HoursError::Backwards(_) | HoursError::HalfSpan(_) | HoursError::NoTime(_)))
                if end.starts_with(|c: char| c.is_ascii_digit()) =>
            {
                return Err(error);
            }
            _ => None,
        };
        if let Some(effect) = effect {
            return Ok((name(words.get(..start).unwrap_or_default()), effect));
        }
    }
    Ok((name(&words), Effect::Closed))
}

fn is_open(text: &str) -> bool {
    let words = fold(text);
    let open = ["aberto", "aberta", "abre", "abrimos", "normal"];
    words.split_whitespace().next().is_some_and(|word| open.contains(&word.trim_matches([',', '.', ':'])))
}

fn name(words: &[&str]) -> String {
    let marks = |c: char| c.is_whitespace() || matches!(c, ',' | ':' | '-' | '–' | '(' | ')' | '.');
    words.join(" ").trim_matches(marks).to_owned()
}
