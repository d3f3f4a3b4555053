//! What a fact tells besides its words: times, prices, contacts. Facts change rarely and are told at every answer, so what
//! was read is kept for a while.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, NaiveDateTime};

use super::contact::{self, Contact};
use super::ground::{Hours, with_days};
use super::masked;
use super::prices::{self, Priced};
use super::sentences::sentences;
use super::times;
use crate::domain::agenda::when::mentioned;

/// So many facts are kept; then it begins anew.
const KEPT_MAX: usize = 2_048;

/// Hours, and lengths of time by count and unit.
#[derive(Debug, Default)]
pub(super) struct Times {
    pub hours: Vec<Hours>,
    pub lengths: HashSet<(u32, &'static str)>,
}

impl Times {
    pub fn add(&mut self, text: &str, now: NaiveDateTime) {
        for sentence in sentences(text) {
            self.hours.extend(with_days(&mentioned(sentence.text, now)));
            self.lengths.extend(times::lengths(&sentence).into_iter().map(|length| (length.count, length.unit)));
        }
    }
}

/// A fact, read.
#[derive(Debug, Default)]
pub(super) struct FactRead {
    pub times: Times,
    pub prices: Vec<Priced>,
    pub contacts: Vec<Contact>,
}

impl FactRead {
    fn of(fact: &str, now: NaiveDateTime) -> Self {
        let mut read = Self::default();
        let found = contact::found(fact);
        let bare = masked(fact, found.iter().map(|one| one.range.clone()));
        read.prices.extend(prices::priced(&bare));
        let amounts = prices::found(&bare);
        let plain = masked(&bare, amounts.into_iter().map(|one| one.range));
        read.times.add(&plain, now);
        read.contacts.extend(found);
        read
    }
}

/// The minute since 1970 a fact was read in, and what it says.
type Kept = (i64, Arc<FactRead>);

/// Facts that were read, by their text, each with the minute since 1970 it was read in. One is shared by whoever checks
/// texts: a fact is a company's own words, so nothing of one company is told by another's.
#[derive(Debug, Default)]
pub struct ReadFacts {
    kept: Mutex<HashMap<Box<str>, Kept>>,
}

impl ReadFacts {
    /// A fact, from what is kept. What it says of days depends on the day, and of hours at most on the minute.
    pub(super) fn read(&self, fact: &str, now: NaiveDateTime) -> Arc<FactRead> {
        let minute = now.and_utc().timestamp().div_euclid(60);
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(read) = kept().get(fact).filter(|(at, _)| *at == minute).map(|(_, read)| Arc::clone(read)) {
            return read;
        }
        let now = DateTime::from_timestamp(minute * 60, 0).map_or(now, |now| now.naive_utc());
        let read = Arc::new(FactRead::of(fact, now));
        let mut kept = kept();
        if kept.len() >= KEPT_MAX && !kept.contains_key(fact) {
            kept.clear();
        }
        kept.insert(fact.into(), (minute, Arc::clone(&read)));
        read
    }
}
