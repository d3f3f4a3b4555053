//! What is known to be true, read once before a text is judged.

use std::collections::HashSet;

use chrono::{Datelike, NaiveDate, NaiveDateTime, Weekday};

use super::contact::{self, Contact};
use super::prices::{self, Priced};
use super::sentences::{Sentence, sentences};
use super::{Effect, Truths, masked};
use crate::domain::agenda::when::{ClockTime, Mentioned, mentioned};
use crate::domain::conversation::intent::cues::{Cue, Cues};
use crate::domain::text::fold::fold;
use crate::domain::text::stem::stem;

/// Hours with the days they are said of.
#[derive(Clone, Debug, Default)]
pub(super) struct Hours {
    /// Weekdays; when these and the dates are empty, no day was named.
    pub weekdays: Vec<Weekday>,
    pub dates: Vec<NaiveDate>,
    /// The ways each hour can be read.
    pub points: Vec<Vec<ClockTime>>,
    pub from_to: bool,
    /// An end of the time something is open.
    pub bound: bool,
}

impl Hours {
    pub fn has_days(&self) -> bool {
        !self.weekdays.is_empty() || !self.dates.is_empty()
    }

    pub fn covers(&self, day: NaiveDate) -> bool {
        self.weekdays.contains(&day.weekday()) || self.dates.iter().any(|date| same_day(*date, day))
    }

    /// Whether a time lies between the two ends.
    pub fn spans(&self, time: ClockTime) -> bool {
        let end = |n: usize| self.points.get(n).and_then(|readings| readings.iter().max());
        self.from_to && end(0).is_some_and(|from| *from <= time) && end(1).is_some_and(|until| time <= *until)
    }
}

/// Everything that may be said.
#[derive(Debug)]
pub(super) struct Ground<'a> {
    pub truths: &'a Truths<'a>,
    /// The words of each fact, folded, with blanks around and between them.
    pub facts: Vec<String>,
    /// Stems of all words of the facts.
    pub stems: HashSet<String>,
    pub hours: Vec<Hours>,
    pub prices: Vec<Priced>,
    pub contacts: Vec<Contact>,
    pub lengths: HashSet<(u32, &'static str)>,
    /// The same of the customer's messages.
    pub customer: Vec<String>,
    pub customer_hours: Vec<Hours>,
    pub customer_contacts: Vec<Contact>,
    pub customer_lengths: HashSet<(u32, &'static str)>,
    pub customer_prices: Vec<Priced>,
    /// The customer asked for an appointment, or to move or cancel one.
    pub asked_for_agenda: bool,
}

impl<'a> Ground<'a> {
    pub fn of(truths: &'a Truths<'a>) -> Self {
        let mut hours = Vec::new();
        let mut lengths = HashSet::new();
        let mut priced = Vec::new();
        let mut contacts = Vec::new();
        for fact in truths.facts {
            let found = contact::found(fact);
            let bare = masked(fact, found.iter().map(|one| one.range.clone()));
            priced.extend(prices::priced(&bare));
            let amounts = prices::found(&bare);
            let plain = masked(&bare, amounts.into_iter().map(|one| one.range));
            read_hours(&plain, truths.now, &mut hours, &mut lengths);
            contacts.extend(found);
        }
        let mut customer_hours = Vec::new();
        let mut customer_lengths = HashSet::new();
        for said in truths.customer_said {
            let plain = masked(said, contact::found(said).into_iter().map(|one| one.range));
            read_hours(&plain, truths.now, &mut customer_hours, &mut customer_lengths);
        }
        let cues = [Cue::Book, Cue::Slot, Cue::Move, Cue::Shift, Cue::Cancel, Cue::Own];
        let asks = |text: &&str| {
            let found = Cues::of(text);
            cues.iter().any(|cue| found.has(*cue))
        };
        let facts: Vec<String> = truths.facts.iter().map(|fact| plain_words(fact)).collect();
        Self {
            truths,
            stems: facts.iter().flat_map(|fact| fact.split_whitespace()).map(stem).collect(),
            facts,
            hours,
            prices: priced,
            contacts,
            lengths,
            customer: truths.customer_said.iter().map(|said| plain_words(said)).collect(),
            customer_hours,
            customer_contacts: truths.customer_said.iter().flat_map(|said| contact::found(said)).collect(),
            customer_lengths,
            customer_prices: truths.customer_said.iter().flat_map(|said| prices::priced(said)).collect(),
            asked_for_agenda: truths.customer_said.iter().any(asks),
        }
    }

    /// Whether the words stand in a fact, one after the other.
    pub fn quotes(&self, words: &str) -> bool {
        let wanted = format!(" {} ", words.trim());
        self.facts.iter().any(|fact| fact.contains(&wanted))
    }

    /// Whether a word, in any of its forms, stands in a fact.
    pub fn knows(&self, word: &str) -> bool {
        self.stems.contains(&stem(word))
    }

    /// The times at which this customer really has, or just got or gave up, an appointment.
    pub fn agenda(&self) -> Vec<NaiveDateTime> {
        let effects = self.truths.effects.iter().flat_map(|effect| match *effect {
            Effect::Booked { at } | Effect::Cancelled { at } | Effect::Confirmed { at } => vec![at],
            Effect::Rescheduled { from, to } => vec![from, to],
        });
        self.truths.appointments.iter().copied().chain(effects).collect()
    }
}

/// A day of the year, whatever the year.
pub(super) fn same_day(a: NaiveDate, b: NaiveDate) -> bool {
    (a.month(), a.day()) == (b.month(), b.day())
}

/// Folded words with one blank around each.
pub(super) fn plain_words(text: &str) -> String {
    let folded = fold(text);
    let mut out = String::from(" ");
    for word in folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        out.push_str(word);
        out.push(' ');
    }
    out
}

fn read_hours(text: &str, now: NaiveDateTime, hours: &mut Vec<Hours>, lengths: &mut HashSet<(u32, &'static str)>) {
    for sentence in sentences(text) {
        hours.extend(with_days(&mentioned(sentence.text, now)));
        lengths.extend(super::times::lengths(&sentence).into_iter().map(|length| (length.count, length.unit)));
    }
}

/// Hours put together with the days said before them in the same sentence, or else after them.
fn with_days(mentions: &[Mentioned]) -> Vec<Hours> {
    let mut out: Vec<Hours> = Vec::new();
    let mut days = Hours::default();
    let mut used = true;
    for mention in mentions {
        if mention.names_day() {
            if used {
                days = Hours::default();
            }
            days.weekdays.extend(&mention.weekdays);
            // The dates of weekdays are next week's only by chance.
            if mention.weekdays.is_empty() {
                days.dates.extend(&mention.days);
            }
            used = false;
        }
        if !mention.hours.is_empty() {
            used = true;
            let (from_to, bound) = (mention.from_to, mention.from_to || mention.bound);
            out.push(Hours { points: mention.hours.clone(), from_to, bound, ..days.clone() });
        }
    }
    if !used {
        match out.iter_mut().rfind(|hours| !hours.has_days()) {
            Some(hours) => {
                hours.weekdays.clone_from(&days.weekdays);
                hours.dates.clone_from(&days.dates);
            }
            None => out.push(days),
        }
    }
    out
}

/// Whether a sentence names what it speaks of only by a pronoun or not at all, so that the customer's words tell.
pub(super) fn is_elliptic(sentence: &Sentence<'_>) -> bool {
    sentence.words().count() <= 6
}
