//! What companies' facts say, kept from one answer to the next: they change rarely and are told at every answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, NaiveDateTime};

use crate::domain::conversation::truth::{FactRead, ReadFacts};

/// So many facts are kept; then it begins anew.
const KEPT_MAX: usize = 2_048;

/// The minute since 1970 a fact was read in, and what it says.
type Kept = (i64, Arc<FactRead>);

/// Facts that were read, by their text. A fact says the same to whoever reads it, so companies may share one.
#[derive(Debug, Default)]
pub struct KeptFacts {
    kept: Mutex<HashMap<Box<str>, Kept>>,
}

impl ReadFacts for KeptFacts {
    fn read(&self, fact: &str, now: NaiveDateTime) -> Arc<FactRead> {
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
