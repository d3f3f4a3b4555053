//! Days: "hoje", "sexta que vem", "dia 5/12", "5 de dezembro", "primeiro dia útil de março", "de hoje a oito".

use chrono::{Datelike, NaiveDate, Weekday};

use super::Frame;
use super::calendar::{
    monday, month_start, next_weekday, nth_weekday, nth_workday, plus_days, plus_months, weekday_of_week,
};
use super::lex::Line;
use super::numbered::{dated, numbered, on};
use super::numbers::{cardinal, ordinal};
use super::value::Span;
use super::vocabulary::{month, named_day, numbered_weekday, weekday};

/// What was said of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::domain::agenda) enum Days {
    One(NaiveDate),
    Span(Span<NaiveDate>),
    /// All of them are meant.
    Set(Vec<NaiveDate>),
    /// One of them is meant and nobody knows which; none at all when no such day exists.
    Unclear(Vec<NaiveDate>),
}

/// A day as it was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::domain::agenda) struct DaySaid {
    pub days: Days,
    /// Named by nothing but its weekday.
    pub weekday: Option<Weekday>,
    /// Named by nothing but its number in the month.
    pub number: Option<u32>,
    /// Lies in the past by what was said ("ontem", "sexta passada").
    pub past: bool,
}

impl DaySaid {
    pub fn of(days: Days) -> Self {
        Self { days, weekday: None, number: None, past: false }
    }

    pub fn one(day: NaiveDate) -> Self {
        Self::of(Days::One(day))
    }

    pub(super) fn clear(day: Option<NaiveDate>) -> Self {
        Self::of(day.map_or(Days::Unclear(Vec::new()), Days::One))
    }

    fn past(self) -> Self {
        Self { past: true, ..self }
    }
}

/// A day and the place after it.
pub(in crate::domain::agenda) fn day(line: &Line, at: usize, frame: &Frame<'_>) -> Option<(DaySaid, usize)> {
    relative(line, at, frame)
        .or_else(|| named_day(line, at).map(|(day, next)| (DaySaid::clear(day.next(frame.today())), next)))
        .or_else(|| of_month_or_weekday(line, at, frame))
        .or_else(|| numbered(line, at, frame))
        .or_else(|| by_weekday(line, at, frame))
}

fn relative(line: &Line, at: usize, frame: &Frame<'_>) -> Option<(DaySaid, usize)> {
    let today = frame.today();
    if let Some(next) =
        line.phrase(at, &["amanha", "ou", "depois"]).filter(|next| !line.is(*next, &["de", "das", "do"]))
    {
        return Some((DaySaid::of(Days::Span(Span::between(plus_days(today, 1), plus_days(today, 3)))), next));
    }
    let (distance, next) = match line.word(at) {
        "hoje" => (0, at + 1),
        "amanha" => (1, at + 1),
        "depois" => {
            (2, line.phrase(at, &["depois", "de", "amanha"]).or_else(|| line.phrase(at, &["depois", "amanha"]))?)
        }
        "ontem" => (-1, at + 1),
        "anteontem" | "antiontem" | "antontem" => (-2, at + 1),
        "antes" => (-2, line.phrase(at, &["antes", "de", "ontem"])?),
        "proximo" => (1, line.phrase(at, &["proximo", "dia"]).filter(|next| cardinal(line, *next).is_none())?),
        "dia" => (1, line.phrase(at, &["dia", "seguinte"])?),
        _ => return weeks_from(line, at, frame),
    };
    let day = plus_days(today, distance);
    let said = DaySaid::one(day);
    // "de hoje a oito" is a week from today: both ends are counted, as the Church's calendar does.
    if distance >= 0
        && let Some((days, next)) = inclusive_week(line, next)
    {
        return Some((DaySaid::one(plus_days(day, days)), next));
    }
    Some((if distance < 0 { said.past() } else { said }, next))
}

/// "a oito", "a quinze" after a day.
fn inclusive_week(line: &Line, at: usize) -> Option<(i64, usize)> {
    let lead = line.is(at, &["a", "ha"]);
    let value = if lead { cardinal(line, at + 1) } else { None };
    let (days, next) = match value? {
        (8, next) => (7, next),
        (15, next) => (14, next),
        _ => return None,
    };
    let hour = line.is(next, &["h", "horas", "hs", "hrs", "da", "e"]) || line.is_mark(next, &[':', '/']);
    let next = if line.word(next) == "dias" { next + 1 } else { next };
    (!hour).then_some((days, next))
}

/// "daqui a três dias", "dentro de duas semanas", "em 15 dias", "três dias depois de hoje".
fn weeks_from(line: &Line, at: usize, frame: &Frame<'_>) -> Option<(DaySaid, usize)> {
    let (count, unit, next) = match line.word(at) {
        "daqui" | "dentro" | "em" | "de" | "d" => super::duration::ahead(line, at, frame)?,
        _ => {
            let (count, unit, next) = super::duration::length(line, at)?;
            let next = line
                .phrase(next, &["depois", "de", "hoje"])
                .or_else(|| line.phrase(next, &["a", "partir", "de", "hoje"]))?;
            (count, unit, next)
        }
    };
    super::duration::days_after(frame, count, unit).map(|days| (DaySaid::of(days), next))
}

/// "primeira segunda de dezembro", "último dia útil do mês", "primeiro de março", "último dia do mês".
fn of_month_or_weekday(line: &Line, at: usize, frame: &Frame<'_>) -> Option<(DaySaid, usize)> {
    let (n, next) = match line.word(at) {
        "ultimo" | "ultima" => (0, at + 1),
        _ => ordinal(line, at)?,
    };
    if line.is(next, &["de", "do"]) && n > 0 {
        let month = month(line.word(next + 1))?;
        return dated(line, frame, n, Some(month), next + 2);
    }
    if let Some(month) = month(line.word(next)).filter(|_| n > 0) {
        return dated(line, frame, n, Some(month), next + 1);
    }
    let workday = line.phrase(next, &["dia", "util"]);
    let last_day = if n == 0 && workday.is_none() && line.word(next) == "dia" { Some(next + 1) } else { None };
    let named = weekday(line.word(next)).map(|weekday| (weekday, after_feira(line, next + 1)));
    let after = workday.or(last_day).or(named.map(|(_, next)| next))?;
    let (start, after) = month_named_after(line, after, frame)?;
    let of = |start: NaiveDate| match named {
        _ if workday.is_some() => nth_workday(start, n),
        Some((weekday, _)) => nth_weekday(start, weekday, n),
        None => Some(plus_days(plus_months(start, 1), -1)),
    };
    // "o primeiro sábado do mês" said after it is the one of next month.
    let day = of(start).filter(|day| *day >= frame.today()).or_else(|| of(plus_months(start, 1)));
    Some((DaySaid::clear(day), after))
}

/// "de dezembro", "do mês", "do mês que vem", "deste mês".
pub(super) fn month_named_after(line: &Line, at: usize, frame: &Frame<'_>) -> Option<(NaiveDate, usize)> {
    let this = month_start(frame.today());
    if !line.is(at, &["de", "do", "deste", "desse", "em", "no"]) {
        return None;
    }
    if let Some(number) = month(line.word(at + 1)) {
        let start = this.with_month(number)?;
        let start = if start < this { plus_months(start, 12) } else { start };
        return Some((start, at + 2));
    }
    let next = if line.word(at + 1) == "mes" { at + 2 } else { line.phrase(at + 1, &["proximo", "mes"])? };
    let (months, next) = month_shift(line, at, next);
    Some((plus_months(this, months), next))
}

/// How many months "mês" that ends before `next` is away, by the words around it.
fn month_shift(line: &Line, start: usize, next: usize) -> (i64, usize) {
    if let Some(after) = line.phrase(next, &["que", "vem"]).or_else(|| line.phrase(next, &["q", "vem"])) {
        return (1, after);
    }
    if line.is(next, &["seguinte", "proximo"]) {
        return (1, next + 1);
    }
    let is_next = (start..next).any(|at| line.word(at) == "proximo");
    (i64::from(is_next), next)
}

pub(super) fn after_feira(line: &Line, at: usize) -> usize {
    let feira = if line.mark(at) == Some('-') { at + 1 } else { at };
    if line.is(feira, &["feira", "fera", "feiras"]) { feira + 1 } else { at }
}

/// What follows an ordinal that is no weekday: "segunda opção", "quarta vez".
const ORDINAL_NOUNS: [&str; 32] = [
    "opcao",
    "alternativa",
    "vez",
    "via",
    "consulta",
    "sessao",
    "parcela",
    "dose",
    "etapa",
    "semana",
    "data",
    "pessoa",
    "aula",
    "visita",
    "mensagem",
    "tentativa",
    "avaliacao",
    "parte",
    "quinzena",
    "chamada",
    "fileira",
    "guerra",
    "linha",
    "instancia",
    "mao",
    "unha",
    "filha",
    "cadeira",
    "sugestao",
    "escolha",
    "opiniao",
    "da",
];

/// Whether the weekday word at `at` (its "-feira" behind it) stands for an ordinal.
pub(in crate::domain::agenda) fn is_ordinal_here(line: &Line, at: usize) -> bool {
    let ambiguous = line.is(at, &["segunda", "terca", "quarta", "quinta", "sexta"]);
    let feira = after_feira(line, at + 1) > at + 1;
    let noun = line.is(at + 1, &ORDINAL_NOUNS)
        && (line.word(at + 1) != "da" || line.phrase(at + 1, &["da", "lista"]).is_some());
    let before = at.checked_sub(1).map_or("", |at| line.word(at));
    let kind = at.checked_sub(1).is_some_and(|at| line.is(at, &["opcao", "alternativa"]));
    ambiguous && !feira && (noun || kind || before == "decima" || before == "vigesima")
}

fn by_weekday(line: &Line, at: usize, frame: &Frame<'_>) -> Option<(DaySaid, usize)> {
    let lead = line.is(
        at,
        &[
            "outra", "outro", "proxima", "proximo", "prox", "essa", "esta", "nessa", "nesta", "esse", "este", "desta",
            "dessa", "deste", "desse", "neste", "nesse",
        ],
    );
    let name_at = if lead && !line.is(at + 1, &["semana", "mes"]) { at + 1 } else { at };
    let (named, mut next) = match weekday(line.word(name_at)).filter(|_| !is_ordinal_here(line, name_at)) {
        Some(weekday) => (weekday, after_feira(line, name_at + 1)),
        None => digit_weekday(line, name_at)?,
    };
    if line.is_mark(next, &['.']) && line.word(name_at).len() <= 3 && line.glued(next) {
        next += 1;
    }
    let lead = if name_at > at { line.word(at) } else { "" };
    super::weekday::qualified(line, frame, named, lead, next)
}

/// "3ª", "5a feira", "6ª-feira".
fn digit_weekday(line: &Line, at: usize) -> Option<(Weekday, usize)> {
    let (number, 1) = line.digits(at)? else { return None };
    let raised = line.glued(at + 1) && line.is(at + 1, &["a", "as"]);
    let after = if raised { at + 2 } else { at + 1 };
    let next = after_feira(line, after);
    let noun = line.is(next, &ORDINAL_NOUNS);
    (next > after || (raised && !noun)).then_some(())?;
    numbered_weekday(number).map(|weekday| (weekday, next))
}

impl Frame<'_> {
    /// The next day of that number to come, today included.
    pub(super) fn day_of_month(&self, number: u32) -> Days {
        let today = self.today();
        let this = month_start(today);
        if let Some(day) = this.with_day(number).filter(|day| *day >= today) {
            return Days::One(day);
        }
        let following = || (1..=2).filter_map(|months| plus_months(this, months).with_day(number)).next();
        let skips = plus_months(this, 1).with_day(number).is_none() || this.with_day(number).is_none();
        let reading = following().into_iter().collect::<Vec<_>>();
        match reading.first() {
            Some(day) if !skips || !self.asks() => Days::One(*day),
            // "dia 30" said on 31 January: next month has none, and the person thinks of some day.
            _ => Days::Unclear(reading),
        }
    }

    /// The next such date to come, today included.
    pub(super) fn day_of_year(&self, month: u32, day: u32) -> Days {
        let today = self.today();
        let found = (0..=8).filter_map(|years| on(today.year() + years, month, day)).find(|day| *day >= today);
        match found {
            Some(found) if found <= plus_months(today, 12) || !self.asks() => Days::One(found),
            Some(found) => Days::Unclear(vec![found]),
            None => Days::Unclear(Vec::new()),
        }
    }

    /// The next such weekday, and the one of next week.
    pub(super) fn weekday_readings(&self, weekday: Weekday) -> (NaiveDate, NaiveDate) {
        let today = self.today();
        (next_weekday(today, weekday), weekday_of_week(plus_days(monday(today), 7), weekday))
    }
}
