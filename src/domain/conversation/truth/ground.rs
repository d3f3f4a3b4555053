//! What is known to be true, read once, as far as a text needs it.

use std::cell::OnceCell;
use std::collections::HashSet;
use std::sync::Arc;

use chrono::{Datelike, NaiveDate, NaiveDateTime, Weekday};

use super::contact::{self, Contact};
use super::facts::{FactRead, Times};
use super::prices::{self, Priced};
use super::sentences::Sentence;
use super::{Effect, Truths, masked};
use crate::domain::agenda::when::{ClockTime, Mentioned};
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

/// Everything that may be said. Each part is read when a text is the first to need it: most texts claim little, and a
/// conversation's lines would be read at every answer anew.
#[derive(Debug)]
pub(super) struct Ground<'a> {
    pub truths: &'a Truths<'a>,
    facts: OnceCell<Vec<String>>,
    stems: OnceCell<HashSet<String>>,
    of_facts: OnceCell<Vec<Arc<FactRead>>>,
    customer: OnceCell<Vec<String>>,
    customer_times: OnceCell<Times>,
    customer_contacts: OnceCell<Vec<Contact>>,
    customer_prices: OnceCell<Vec<Priced>>,
    asked_for_agenda: OnceCell<bool>,
}

impl<'a> Ground<'a> {
    pub fn of(truths: &'a Truths<'a>) -> Self {
        Self {
            truths,
            facts: OnceCell::new(),
            stems: OnceCell::new(),
            of_facts: OnceCell::new(),
            customer: OnceCell::new(),
            customer_times: OnceCell::new(),
            customer_contacts: OnceCell::new(),
            customer_prices: OnceCell::new(),
            asked_for_agenda: OnceCell::new(),
        }
    }

    fn of_facts(&self) -> impl Iterator<Item = &FactRead> {
        let read = || self.truths.facts.iter().map(|fact| self.truths.read_facts.read(fact, self.truths.now)).collect();
        self.of_facts.get_or_init(read).iter().map(Arc::as_ref)
    }

    fn customer_times(&self) -> &Times {
        self.customer_times.get_or_init(|| {
            let mut times = Times::default();
            for said in self.truths.customer_said {
                let plain = masked(said, contact::found(said).into_iter().map(|one| one.range));
                times.add(&plain, self.truths.now);
            }
            times
        })
    }

    /// The words of each fact, folded, with blanks around and between them.
    pub fn facts(&self) -> &[String] {
        self.facts.get_or_init(|| self.truths.facts.iter().map(|fact| plain_words(fact)).collect())
    }

    pub fn hours(&self) -> impl Iterator<Item = &Hours> {
        self.of_facts().flat_map(|fact| &fact.times.hours)
    }

    /// Whether a fact names a length of time.
    pub fn has_length(&self, length: &(u32, &'static str)) -> bool {
        self.of_facts().any(|fact| fact.times.lengths.contains(length))
    }

    pub fn prices(&self) -> impl Iterator<Item = &Priced> {
        self.of_facts().flat_map(|fact| &fact.prices)
    }

    pub fn contacts(&self) -> impl Iterator<Item = &Contact> {
        self.of_facts().flat_map(|fact| &fact.contacts)
    }

    /// The words of each of the customer's messages, as those of the facts.
    pub fn customer(&self) -> &[String] {
        self.customer.get_or_init(|| self.truths.customer_said.iter().map(|said| plain_words(said)).collect())
    }

    pub fn customer_hours(&self) -> &[Hours] {
        &self.customer_times().hours
    }

    pub fn customer_lengths(&self) -> &HashSet<(u32, &'static str)> {
        &self.customer_times().lengths
    }

    pub fn customer_contacts(&self) -> &[Contact] {
        let found = || self.truths.customer_said.iter().flat_map(|said| contact::found(said)).collect();
        self.customer_contacts.get_or_init(found)
    }

    pub fn customer_prices(&self) -> &[Priced] {
        let found = || self.truths.customer_said.iter().flat_map(|said| prices::priced(said)).collect();
        self.customer_prices.get_or_init(found)
    }

    /// Whether the customer asked for an appointment, or to move or cancel one.
    pub fn asked_for_agenda(&self) -> bool {
        let cues = [Cue::Book, Cue::Slot, Cue::Move, Cue::Shift, Cue::Cancel, Cue::Own];
        let asks = |text: &&str| {
            let found = Cues::of(text);
            cues.iter().any(|cue| found.has(*cue))
        };
        *self.asked_for_agenda.get_or_init(|| self.truths.customer_said.iter().any(asks))
    }

    /// Whether the words stand in a fact, one after the other.
    pub fn quotes(&self, words: &str) -> bool {
        let wanted = format!(" {} ", words.trim());
        self.facts().iter().any(|fact| fact.contains(&wanted))
    }

    /// Whether a word, in any of its forms, stands in a fact.
    pub fn knows(&self, word: &str) -> bool {
        let stems = || self.facts().iter().flat_map(|fact| fact.split_whitespace()).map(stem).collect();
        self.stems.get_or_init(stems).contains(&stem(word))
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

/// Hours put together with the days said before them in the same sentence, or else after them.
pub(super) fn with_days(mentions: &[Mentioned]) -> Vec<Hours> {
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
