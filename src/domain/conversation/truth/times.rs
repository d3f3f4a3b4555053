//! Days, hours and lengths of time: each is one of the facts, a slot, or on this customer's agenda.

use chrono::{Datelike, NaiveDate, NaiveDateTime};

use super::booking;
use super::ground::{Ground, Hours, is_elliptic, same_day};
use super::lexicon::Sign;
use super::sentences::Sentence;
use super::spelled::number;
use super::{Blocked, ClaimKind};
use crate::domain::agenda::when::{ClockTime, Mentioned, Span, mentioned};

/// Promises to answer at once ("em 1 minuto respondo") may be as long as this, in minutes.
const INSTANT_MAX: u32 = 10;

/// What a sentence says of the times it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    /// Something is booked, moved, cancelled or expected then.
    Agenda,
    /// It is free then.
    Free,
    /// Somebody is told to come then.
    Come,
    /// Anything else.
    Said,
}

/// Times of the sentences that are not known to be true.
pub(super) fn check(sentences: &[Sentence<'_>], ground: &Ground<'_>) -> Vec<Blocked> {
    let mut blocked = Vec::new();
    let mut carried = Vec::new();
    for sentence in sentences {
        let mentions = mentioned(sentence.text, ground.truths.now);
        let judge = Judge { sentence, ground, manner: manner(sentence, ground) };
        if !sentence.goes_on {
            carried = Vec::new();
        }
        let mut days: Vec<NaiveDate> = carried.clone();
        let mut is_list = false;
        for mention in &mentions {
            if mention.names_day() {
                if !is_list {
                    days.clear();
                }
                days.extend(&mention.days);
                is_list = mention.hours.is_empty();
            } else {
                is_list = false;
            }
            blocked.extend(judge.mention(mention, &days));
        }
        carried = days;
        blocked.extend(judge.lengths());
        blocked.extend(judge.silent_offer(&mentions));
    }
    blocked
}

fn manner(sentence: &Sentence<'_>, ground: &Ground<'_>) -> Manner {
    if booking::claims_agenda(sentence, ground) || sentence.has(Sign::Meets) {
        return Manner::Agenda;
    }
    // "veja se temos vaga", "vou confirmar a disponibilidade": what hangs on that is not said.
    let is_free = sentence.clauses.iter().any(|clause| {
        clause.hits(Sign::Free).any(|hit| {
            let before = |n: usize| hit.start.checked_sub(n).map_or("", |at| clause.word(at));
            let hangs = |n: usize| matches!(before(n), "se" | "caso" | "qual" | "quais" | "que" | "quando" | "sobre");
            let looked_up = clause.hits(Sign::LookUp).any(|look| look.start < hit.start);
            !looked_up && !(1..=3).any(hangs)
        })
    });
    if is_free && !(sentence.question && asks_back(sentence)) {
        return Manner::Free;
    }
    if sentence.has(Sign::Come) && !sentence.question { Manner::Come } else { Manner::Said }
}

/// A question with one clause asks; "temos amanhã às 15h, pode ser?" says something first.
fn asks_back(sentence: &Sentence<'_>) -> bool {
    let free = sentence.clauses.iter().position(|clause| clause.has(Sign::Free));
    let wish = sentence.clauses.iter().any(|clause| {
        clause.has_word(&["quer", "prefere", "gostaria", "quiser", "deseja", "posso", "podemos", "teria", "voce"])
    });
    free.is_none_or(|at| at + 1 == sentence.clauses.len()) && wish
}

struct Judge<'a> {
    sentence: &'a Sentence<'a>,
    ground: &'a Ground<'a>,
    manner: Manner,
}

impl Judge<'_> {
    fn mention(&self, mention: &Mentioned, days: &[NaiveDate]) -> Option<Blocked> {
        if self.is_harmless(mention) {
            return None;
        }
        let truths = self.ground.truths;
        let agenda = self.ground.agenda();
        let grounded = match self.manner {
            Manner::Agenda => fits_moments(mention, days, &agenda) || self.asked(mention),
            Manner::Free if self.is_denied() => !truths.slots.is_empty() && !fits_moments(mention, days, truths.slots),
            Manner::Free => fits_moments(mention, days, truths.slots),
            Manner::Come => {
                let open = mention.hours.is_empty() || mention.from_to;
                fits_moments(mention, days, truths.slots)
                    || fits_moments(mention, days, &agenda)
                    || (open && self.in_facts(mention, days))
            }
            Manner::Said => {
                fits_moments(mention, days, truths.slots)
                    || fits_moments(mention, days, &agenda)
                    || self.in_facts(mention, days)
                    || self.asked(mention)
            }
        };
        let kind = if mention.names_day() && mention.hours.is_empty() { ClaimKind::Date } else { ClaimKind::Time };
        (!grounded).then(|| Blocked::new(kind, mention.said.clone()))
    }

    /// What names a time and claims nothing: wishes, "hoje" by the way, a part of the day in a question.
    fn is_harmless(&self, mention: &Mentioned) -> bool {
        let claims = self.manner != Manner::Said;
        let wished = self.sentence.has(Sign::Wish) && mention.hours.is_empty() && !claims;
        let today = self.ground.truths.now.date();
        let opening = self.sentence.has(Sign::Opening);
        let by_the_way = mention.days == [today] && mention.weekdays.is_empty() && mention.hours.is_empty();
        let vague = mention.days.is_empty() && mention.hours.is_empty() && mention.moment.is_none();
        let ordinal = mention.weekdays.len() == 1
            && self.sentence.words().filter(|word| word.chars().all(char::is_alphabetic)).count() == 1
            && self.customer_named(mention);
        let instant = mention
            .moment
            .is_some_and(|at| (at - self.ground.truths.now).num_minutes().unsigned_abs() <= u64::from(INSTANT_MAX));
        wished
            || (ordinal && !claims)
            || (instant && !claims)
            || (by_the_way && !claims && !opening)
            || (vague && (self.sentence.is_open() || !claims))
    }

    fn is_denied(&self) -> bool {
        self.sentence.clauses.iter().any(|clause| clause.hits(Sign::Free).any(|hit| booking::is_denied(clause, hit)))
    }

    /// Asked back in the customer's own words, or offered in a question where the facts allow the day.
    fn asked(&self, mention: &Mentioned) -> bool {
        if !self.sentence.is_open() && !booking::denies(self.sentence) {
            return false;
        }
        let day_known = mention.days.is_empty()
            || self.customer_named(mention)
            || (self.sentence.question && mention.days.iter().all(|day| self.open_on(*day)));
        let said: Vec<&Vec<ClockTime>> = self.ground.customer_hours().iter().flat_map(|hours| &hours.points).collect();
        let hours_known =
            mention.hours.iter().all(|hour| said.iter().any(|known| hour.iter().any(|time| known.contains(time))));
        day_known && hours_known && mention.moment.is_none()
    }

    fn customer_named(&self, mention: &Mentioned) -> bool {
        let named = |day: &NaiveDate| self.ground.customer_hours().iter().any(|hours| hours.covers(*day));
        !mention.days.is_empty() && mention.days.iter().any(named)
    }

    fn open_on(&self, day: NaiveDate) -> bool {
        self.ground.hours().any(|hours| hours.covers(day))
    }

    fn in_facts(&self, mention: &Mentioned, days: &[NaiveDate]) -> bool {
        if mention.moment.is_some() {
            return false;
        }
        // An end of the opening hours is told as such; as an hour for an appointment no fact names it.
        let told_as_open = mention.from_to || mention.bound || mention.length || self.sentence.has(Sign::Opening);
        self.day_in_facts(mention) && mention.hours.iter().all(|hour| self.hour_in_facts(hour, days, told_as_open))
    }

    fn day_in_facts(&self, mention: &Mentioned) -> bool {
        if mention.days.is_empty() {
            return true;
        }
        // The facts' weekdays say when it is open; that something else happens "amanhã" they do not say.
        let opening = self.sentence.has(Sign::Opening) || self.sentence.question;
        let by_weekday = !mention.weekdays.is_empty() || opening;
        let known = |day: &NaiveDate| {
            self.ground.hours().any(|hours| match by_weekday {
                true => hours.covers(*day),
                false => hours.dates.iter().any(|date| same_day(*date, *day)),
            })
        };
        let week = !mention.weekdays.is_empty();
        let closed = opening
            && self.ground.hours().next().is_some()
            && self.ground.hours().any(Hours::has_days)
            && self.sentence.clauses.iter().any(|clause| {
                clause.has_word(&["nao", "fechado", "fechada", "fechados", "fechadas", "fechamos", "nem"])
            })
            && !mention
                .days
                .iter()
                .any(|day| self.ground.hours().any(|hours| hours.covers(*day) && !hours.points.is_empty()));
        closed || if week { mention.days.iter().any(known) } else { mention.days.iter().all(known) }
    }

    fn hour_in_facts(&self, hour: &[ClockTime], days: &[NaiveDate], told_as_open: bool) -> bool {
        // The customer's lines are read only where the facts alone do not tell.
        let asked = || {
            let asked = self.ground.customer_hours().iter().flat_map(|hours| &hours.points);
            self.sentence.has(Sign::Opening) && asked.flatten().any(|time| hour.contains(time))
        };
        let on_days = |fact: &&Hours| !fact.has_days() || days.is_empty() || days.iter().any(|day| fact.covers(*day));
        let of_the_days = || self.ground.hours().filter(on_days);
        let same = |fact: &Hours| {
            (told_as_open || !fact.bound) && fact.points.iter().flatten().any(|time| hour.contains(time))
        };
        let spanned = |fact: &Hours| hour.iter().any(|time| fact.spans(*time));
        of_the_days().any(same) || of_the_days().any(spanned) && asked()
    }

    /// "30 minutos", "2 dias": a length that no fact names.
    fn lengths(&self) -> Vec<Blocked> {
        let ground = self.ground;
        let known = |length: &Length| {
            let key = (length.count, length.unit);
            ground.has_length(&key)
                || (self.sentence.is_open() && ground.customer_lengths().contains(&key))
                || (length.unit == "minuto" && length.count <= INSTANT_MAX && self.promises_an_instant())
                || (length.unit == "segundo")
        };
        let unknown = lengths(self.sentence).into_iter().filter(|length| !known(length));
        unknown.map(|length| Blocked::new(ClaimKind::Time, length.said)).collect()
    }

    fn promises_an_instant(&self) -> bool {
        let at_once = ["respond", "retorn", "aguard", "so", "instant", "ja", "volt", "momento", "esper"];
        self.sentence.words().any(|word| at_once.iter().any(|stem| word.starts_with(stem)))
    }

    /// "Temos vaga sim!" to whoever asked for a time is an answer about that time.
    fn silent_offer(&self, mentions: &[Mentioned]) -> Option<Blocked> {
        let said = || self.ground.customer_hours().iter().any(|hours| hours.has_days() || !hours.points.is_empty());
        let silent = self.manner == Manner::Free
            && mentions.is_empty()
            && !self.sentence.question
            && !self.is_denied()
            && is_elliptic(self.sentence)
            && self.ground.truths.slots.is_empty();
        (silent && said() && self.ground.asked_for_agenda())
            .then(|| Blocked::new(ClaimKind::Time, self.sentence.text.trim()))
    }
}

/// Whether the times of a mention are among these moments, on one of the days said before it where it names none.
fn fits_moments(mention: &Mentioned, days: &[NaiveDate], moments: &[NaiveDateTime]) -> bool {
    if let Some(at) = mention.moment {
        return moments.iter().any(|moment| (*moment - at).num_minutes().abs() < 1);
    }
    let days: &[NaiveDate] = if mention.days.is_empty() { days } else { &mention.days };
    let on_day = |moment: &&NaiveDateTime| {
        days.is_empty() || days.iter().any(|day| same_day(moment.date(), *day)) || day_number(mention, moment.date())
    };
    let in_stretch = |moment: &&NaiveDateTime| mention.stretch.is_none_or(|stretch| spans(stretch, moment.date()));
    let in_part = |moment: &&NaiveDateTime| mention.part.is_none_or(|part| spans(part, ClockTime::of(**moment)));
    let fitting: Vec<&NaiveDateTime> = moments.iter().filter(on_day).filter(in_stretch).filter(in_part).collect();
    let all_days = days.is_empty()
        || !mention.weekdays.is_empty()
        || mention.number.is_some()
        || mention.days.iter().all(|day| fitting.iter().any(|moment| same_day(moment.date(), *day)));
    let all_hours =
        mention.hours.iter().all(|hour| fitting.iter().any(|moment| hour.contains(&ClockTime::of(**moment))));
    !fitting.is_empty() && all_days && all_hours
}

/// "dia 10" said after the tenth is that of this month, too.
fn day_number(mention: &Mentioned, day: NaiveDate) -> bool {
    mention.number == Some(day.day())
}

fn spans<T: PartialOrd + Copy>(span: Span<T>, value: T) -> bool {
    span.from.is_none_or(|from| from <= value) && span.until.is_none_or(|until| value < until)
}

/// A length of time in a text.
#[derive(Debug)]
pub(super) struct Length {
    pub count: u32,
    pub unit: &'static str,
    said: String,
}

/// The lengths of time in a sentence: a number and a unit. Hours are read as times of day, here and in facts alike.
pub(super) fn lengths(sentence: &Sentence<'_>) -> Vec<Length> {
    let mut out = Vec::new();
    for clause in &sentence.clauses {
        let words: Vec<&str> = clause.words().iter().map(|word| word.text.as_str()).collect();
        for (at, word) in words.iter().enumerate() {
            let Some(unit) = unit(word) else { continue };
            let Some((count, start)) = number_before(&words, at) else { continue };
            let said = words.get(start..=at).unwrap_or_default().join(" ");
            out.push(Length { count, unit, said });
        }
    }
    out
}

fn unit(word: &str) -> Option<&'static str> {
    Some(match word {
        "minuto" | "minutos" | "min" | "mins" => "minuto",
        "segundo" | "segundos" => "segundo",
        "dia" | "dias" => "dia",
        "semana" | "semanas" => "semana",
        "mes" | "meses" => "mes",
        "ano" | "anos" => "ano",
        _ => return None,
    })
}

/// The number that ends right before a word; "um" and "uma" count nothing ("um dia", "uma semana").
fn number_before(words: &[&str], at: usize) -> Option<(u32, usize)> {
    let end = if words.get(at.checked_sub(1)?) == Some(&"uteis") { at - 1 } else { at };
    (end.saturating_sub(4)..end).find_map(|start| {
        let run = words.get(start..end)?;
        let value = number(run)?;
        (value > 1 || run.first().is_some_and(|word| word.starts_with('1'))).then_some((value, start))
    })
}

/// Whether all times named are among these moments.
pub(super) fn fits_any(mentions: &[Mentioned], moments: &[NaiveDateTime]) -> bool {
    let mut days: Vec<NaiveDate> = Vec::new();
    mentions.iter().all(|mention| {
        if mention.names_day() {
            days.clone_from(&mention.days);
        }
        fits_moments(mention, &days, moments)
    })
}
