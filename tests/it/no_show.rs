//! The chance that a person does not come.

use chrono::{NaiveDate, NaiveTime, TimeDelta};
use proptest::prelude::*;
use secretaria::domain::agenda::no_show::calibration::quality;
use secretaria::domain::agenda::no_show::{Facts, NoShowModel, PersonHistory, Record, Reply, replay};

fn day(number: i64) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 3, 2).expect("a Monday") + TimeDelta::days(number)
}

/// On a Wednesday, by somebody new of forty.
fn lead(days: u32) -> Facts {
    Facts { lead_days: days, date: day(2), age: Some(40), ..Facts::default() }
}

fn history(missed: u32, attended: u32) -> PersonHistory {
    let mut history = PersonHistory::default();
    (0..missed).for_each(|_| history.record(0.2, true));
    (0..attended).for_each(|_| history.record(0.2, false));
    history
}

/// Numbers that look random and are the same in every run (splitmix64).
struct Seeded(u64);

impl Seeded {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn share(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn below(&mut self, end: u64) -> u64 {
        self.bits() % end
    }
}

/// A company of 400 persons, each with an own leaning, whose base odds and slope of lead are given.
fn company(seed: u64, days: i64, a_day: u64, base: f64, slope: f64) -> Vec<Record<u64>> {
    let mut random = Seeded(seed);
    let leanings: Vec<f64> = (0..400).map(|_| (random.share() + random.share() + random.share() - 1.5) * 2.0).collect();
    let mut records = Vec::new();
    for number in 0..days {
        for _ in 0..a_day {
            let person = random.below(400);
            let lead = i64::try_from(random.below(5) * random.below(9)).unwrap();
            let odds = base + slope * (lead as f64).ln_1p() + leanings[usize::try_from(person).unwrap()];
            let missed = random.share() < 1.0 / (1.0 + (-odds).exp());
            records.push(Record {
                person,
                booked: day(number - lead).and_time(NaiveTime::from_hms_opt(9, 0, 0).unwrap()),
                date: day(number),
                time: NaiveTime::from_hms_opt(10, 0, 0),
                age: None,
                reminded: lead > 0,
                reply: Reply::NotAsked,
                missed: Some(missed),
            });
        }
    }
    records
}

fn judged(records: &[Record<u64>], from: usize) -> Vec<(f64, bool)> {
    let replayed = replay(records);
    records
        .iter()
        .zip(replayed.probabilities)
        .skip(from)
        .map(|(record, chance)| (chance, record.missed.unwrap()))
        .collect()
}

#[test]
fn before_anything_is_known_about_one_in_five_stays_away() {
    let chance = NoShowModel::prior().probability(&lead(7));
    assert!((0.15..0.27).contains(&chance), "{chance}");
    assert!((NoShowModel::prior().base_rate() - 0.2).abs() < 1e-9);
}

#[test]
fn the_longer_ago_it_was_booked_the_likelier_it_is_missed() {
    let model = NoShowModel::prior();
    let chances: Vec<f64> =
        [0, 1, 2, 3, 5, 7, 10, 14, 21, 30, 60, 120].map(|days| model.probability(&lead(days))).into();
    assert!(chances.windows(2).all(|pair| pair[0] < pair[1]), "{chances:?}");
}

#[test]
fn who_missed_before_is_likelier_to_miss_again_and_who_came_is_not() {
    let model = NoShowModel::prior();
    let with = |history| model.probability(&Facts { history, ..lead(7) });
    let chances = [history(0, 9), history(0, 2), history(0, 0), history(1, 1), history(1, 0), history(3, 0)].map(with);
    assert!(chances.windows(2).all(|pair| pair[0] < pair[1]), "{chances:?}");
    assert!(chances[5] < 0.9, "three misses are no certainty: {chances:?}");
}

#[test]
fn a_miss_that_anybody_would_have_made_says_less_of_a_person() {
    let (mut likely, mut unlikely) = (PersonHistory::default(), PersonHistory::default());
    likely.record(0.6, true);
    unlikely.record(0.05, true);
    assert!(likely.leaning() < unlikely.leaning());
}

#[test]
fn a_confirmation_lowers_the_chance_and_silence_does_not() {
    let model = NoShowModel::prior();
    let with = |reply| model.probability(&Facts { reminded: true, reply, ..lead(7) });
    assert!(with(Reply::Confirmed) < with(Reply::NotAsked) * 0.6);
    assert!(with(Reply::Silent) > with(Reply::NotAsked));
}

#[test]
fn a_company_with_few_outcomes_stays_near_the_prior_and_one_with_many_follows_its_own() {
    let prior = NoShowModel::prior().probability(&lead(7));
    let after = |count: usize| {
        let mut model = NoShowModel::prior();
        for chunk in vec![lead(7); count].chunks(10) {
            model.learn_day(chunk.iter().map(|facts| (facts, false)));
        }
        model.probability(&lead(7))
    };
    let (few, many) = (after(3), after(300));
    assert!(few < prior && few > prior * 0.6, "three who came: {prior} to {few}");
    assert!(many < 0.03, "three hundred who came: {many}");
}

#[test]
fn chances_mean_what_they_say_in_companies_of_every_kind() {
    for (seed, base, slope) in [(1, -2.5, 0.5), (2, -1.0, 0.2), (3, -4.0, 0.9), (4, -0.5, 0.0)] {
        let outcomes = judged(&company(seed, 120, 40, base, slope), 400);
        let quality = quality(&outcomes).unwrap();
        for bucket in quality.table.iter().filter(|bucket| bucket.count >= 150) {
            let (count, missed) = (f64::from(bucket.count), f64::from(bucket.missed));
            let expected = bucket.expected / count;
            let allowed = 0.03 + 3.0 * (expected * (1.0 - expected) / count).sqrt();
            assert!((missed / count - expected).abs() < allowed, "company {seed}: {bucket:?}");
        }
        assert!(quality.brier < quality.brier_constant, "company {seed}: better than a constant");
    }
}

#[test]
fn what_a_company_shows_is_learnt() {
    let outcomes = judged(&company(5, 120, 40, -3.0, 0.8), 400);
    let quality = quality(&outcomes).unwrap();
    assert!(quality.auc.unwrap() > 0.72, "{:?}", quality.auc);
    assert!(quality.brier < 0.9 * quality.brier_constant);
}

#[test]
fn outcomes_of_the_same_day_and_of_later_days_change_no_chance() {
    let records = company(6, 20, 20, -1.0, 0.2);
    let mut other = records.clone();
    let today = day(12);
    for record in other.iter_mut().filter(|record| record.date >= today) {
        record.missed = record.missed.map(|missed| !missed);
    }
    let (first, second) = (replay(&records), replay(&other));
    let until = records.iter().filter(|record| record.date <= today).count();
    assert_eq!(first.probabilities[..until], second.probabilities[..until]);
    assert_ne!(first.probabilities[until..], second.probabilities[until..]);
}

#[test]
fn without_an_outcome_nothing_is_learnt() {
    let mut records = company(7, 5, 10, -1.0, 0.2);
    records.iter_mut().for_each(|record| record.missed = None);
    let replayed = replay(&records);
    assert_eq!(replayed.model, NoShowModel::prior());
    assert!(replayed.histories.is_empty());
}

#[test]
fn a_stored_model_says_the_same_and_a_foreign_one_is_refused() {
    let model = replay(&company(8, 30, 20, -1.5, 0.3)).model;
    let stored = serde_json::to_string(&model).unwrap();
    assert!(stored.len() < 10_000, "{} bytes", stored.len());
    let back: NoShowModel = serde_json::from_str(&stored).unwrap();
    for days in [0, 1, 10, 90] {
        assert!((back.probability(&lead(days)) - model.probability(&lead(days))).abs() < 1e-9);
    }
    for (from, to) in
        [("\"v\":1", "\"v\":2"), ("\"weights\":[", "\"weights\":[1.0,"), ("\"triangle\":[", "\"triangle\":[0.5,")]
    {
        assert!(stored.contains(from));
        assert!(serde_json::from_str::<NoShowModel>(&stored.replace(from, to)).is_err(), "{to}");
    }
}

#[test]
fn the_reasons_are_told_in_portuguese_with_their_numbers() {
    let model = NoShowModel::prior();
    let facts = Facts { history: history(2, 1), reply: Reply::Silent, reminded: true, ..lead(31) };
    let reasons: Vec<(String, bool)> =
        model.reasons(&facts).into_iter().map(|reason| (reason.text, reason.effect > 0.0)).collect();
    assert_eq!(reasons[0], ("faltou a 2 de 3 horários anteriores".to_owned(), true));
    assert!(reasons.contains(&("marcada com 31 dias de antecedência".to_owned(), true)));
    assert!(reasons.contains(&("não respondeu ao lembrete".to_owned(), true)));
    assert!(reasons.contains(&("recebe lembrete".to_owned(), false)));
}

#[test]
fn quality_is_measured_as_textbooks_do() {
    let quality = quality(&[(0.1, false), (0.4, true), (0.35, false), (0.8, true), (0.4, false)]).unwrap();
    assert!((quality.auc.unwrap() - 5.5 / 6.0).abs() < 1e-12);
    assert!((quality.brier_constant - 0.24).abs() < 1e-12);
    assert!(secretaria::domain::agenda::no_show::calibration::quality(&[]).is_none());
}

fn any_facts() -> impl Strategy<Value = Facts> {
    let history = (0_u32..50, 0_u32..50, 0.0_f64..=1.0).prop_map(|(missed, attended, chance)| {
        let mut history = PersonHistory::default();
        (0..missed).for_each(|_| history.record(chance, true));
        (0..attended).for_each(|_| history.record(chance, false));
        history
    });
    let reply = prop_oneof![Just(Reply::NotAsked), Just(Reply::Silent), Just(Reply::Confirmed)];
    let time = proptest::option::of((0_u32..24).prop_map(|hour| NaiveTime::from_hms_opt(hour, 30, 0).unwrap()));
    let calendar = (any::<u32>(), 0_i64..4000, time);
    (calendar, proptest::option::of(any::<u8>()), any::<bool>(), reply, any::<u32>(), history).prop_map(
        |((lead_days, date, time), age, reminded, reply, booked_later, history)| Facts {
            lead_days,
            date: day(date),
            time,
            age,
            reminded,
            reply,
            booked_later,
            history,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_was_learnt_a_chance_is_a_number_between_none_and_certain(
        days in proptest::collection::vec(proptest::collection::vec((any_facts(), any::<bool>()), 0..12), 0..20),
        asked in any_facts(),
    ) {
        let mut model = NoShowModel::prior();
        for day in &days {
            model.learn_day(day.iter().map(|(facts, missed)| (facts, *missed)));
        }
        let chance = model.probability(&asked);
        prop_assert!(chance > 0.0 && chance < 1.0, "{}", chance);
        prop_assert!(model.reasons(&asked).iter().all(|reason| reason.effect.is_finite()));
        let back: NoShowModel = serde_json::from_str(&serde_json::to_string(&model).unwrap()).unwrap();
        prop_assert!((back.probability(&asked) - chance).abs() < 1e-6);
    }
}
