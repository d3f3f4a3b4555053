//! A company's past, day by day: what would have been said of each appointment, and what each day taught.

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

use super::{Facts, NoShowModel, PersonHistory, Reply};

/// An appointment as its rows tell it.
#[derive(Clone, Debug)]
pub struct Record<P> {
    /// Whose it is.
    pub person: P,
    /// Local moment of the booking.
    pub booked: NaiveDateTime,
    /// Local day of the appointment.
    pub date: NaiveDate,
    /// Local time of the appointment, where known.
    pub time: Option<NaiveTime>,
    /// Age in years, where known.
    pub age: Option<u8>,
    /// Whether a reminder was sent.
    pub reminded: bool,
    /// The answer to it before the appointment.
    pub reply: Reply,
    /// Whether the person stayed away; `None` while it is not known.
    pub missed: Option<bool>,
}

/// What a replay leaves.
#[derive(Clone, Debug)]
pub struct Replayed<P> {
    /// The model after the last day.
    pub model: NoShowModel,
    /// The chance of each record as it was before its day, in the order of the records.
    pub probabilities: Vec<f64>,
    /// What each person did.
    pub histories: BTreeMap<P, PersonHistory>,
}

/// Goes through the records by day. Outcomes of a day are learnt after all of the day was predicted; within a day the
/// order of the records counts (in the last digits), so hand them over in a stable one.
pub fn replay<P: Ord + Clone>(records: &[Record<P>]) -> Replayed<P> {
    let mut days: BTreeMap<NaiveDate, Vec<(usize, &Record<P>)>> = BTreeMap::new();
    let mut bookings: BTreeMap<&P, Vec<(NaiveDateTime, NaiveDate)>> = BTreeMap::new();
    for (place, record) in records.iter().enumerate() {
        days.entry(record.date).or_default().push((place, record));
        bookings.entry(&record.person).or_default().push((record.booked, record.date));
    }
    let mut model = NoShowModel::prior();
    let mut histories: BTreeMap<P, PersonHistory> = BTreeMap::new();
    let mut predicted: Vec<(usize, f64)> = Vec::with_capacity(records.len());
    for records in days.into_values() {
        let day: Vec<(Facts, f64)> = records
            .iter()
            .map(|(_, record)| {
                let history = histories.get(&record.person).copied().unwrap_or_default();
                let others = bookings.get(&record.person).map_or(&[][..], Vec::as_slice);
                let facts = facts(record, history, others);
                let probability = model.probability(&facts);
                (facts, probability)
            })
            .collect();
        for ((place, record), (_, probability)) in records.iter().zip(&day) {
            predicted.push((*place, *probability));
            if let Some(missed) = record.missed {
                histories.entry(record.person.clone()).or_default().record(*probability, missed);
            }
        }
        let outcomes = records.iter().zip(&day);
        model.learn_day(outcomes.filter_map(|((_, record), (facts, _))| record.missed.map(|missed| (facts, missed))));
    }
    predicted.sort_unstable_by_key(|(place, _)| *place);
    Replayed { model, probabilities: predicted.into_iter().map(|(_, probability)| probability).collect(), histories }
}

fn facts<P>(record: &Record<P>, history: PersonHistory, others: &[(NaiveDateTime, NaiveDate)]) -> Facts {
    let booked = record.booked.date();
    // Predicted as the day begins; what is booked on the day itself, as it is booked.
    let known = if booked < record.date { record.date.and_time(NaiveTime::MIN) } else { record.booked };
    let later = others.iter().filter(|(booked, date)| *date > record.date && *booked <= known).count();
    Facts {
        lead_days: u32::try_from((record.date - booked).num_days()).unwrap_or(0),
        date: record.date,
        time: record.time,
        age: record.age,
        reminded: record.reminded,
        reply: record.reply,
        booked_later: u32::try_from(later).unwrap_or(u32::MAX),
        history,
    }
}
