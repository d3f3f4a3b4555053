//! What a fact tells besides its words: times, prices, contacts. Facts change rarely and are told at every answer, so
//! whoever checks many texts may keep what was read for a minute.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::NaiveDateTime;

use super::contact::{self, Contact};
use super::ground::{Hours, with_days};
use super::masked;
use super::prices::{self, Priced};
use super::sentences::sentences;
use super::times;
use crate::domain::agenda::when::mentioned;

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
pub struct FactRead {
    pub(super) times: Times,
    pub(super) prices: Vec<Priced>,
    pub(super) contacts: Vec<Contact>,
}

impl FactRead {
    /// Reads a fact. What it says of days depends on the local day, and of hours at most on the minute.
    pub fn of(fact: &str, now: NaiveDateTime) -> Self {
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

/// How a check comes by what facts say.
pub trait ReadFacts: std::fmt::Debug + Sync {
    /// What a fact says, seen from a local time.
    fn read(&self, fact: &str, now: NaiveDateTime) -> Arc<FactRead>;
}

/// Reads each fact each time.
#[derive(Clone, Copy, Debug)]
pub struct ReadAfresh;

impl ReadFacts for ReadAfresh {
    fn read(&self, fact: &str, now: NaiveDateTime) -> Arc<FactRead> {
        Arc::new(FactRead::of(fact, now))
    }
}
