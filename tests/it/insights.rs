//! What the past says of the coming days, whom to ask about another time, and who gets a freed one.

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc, Weekday};
use proptest::prelude::*;
use secretaria::domain::agenda::insights::{
    Finding, HeatMap, Horizon, Hour, Marking, Outcome, Reading, RiskLevel, Upcoming, Visit, recommendation,
    reschedule_offers,
};
use secretaria::domain::agenda::waitlist::{FreeTime, Rules, Waiting, next};
use uuid::Uuid;

const MONDAY_9: Hour = Hour { weekday: Weekday::Mon, hour: 9 };
const FRIDAY_17: Hour = Hour { weekday: Weekday::Fri, hour: 17 };

/// In the week of Monday, 2 March 2026; 0 is Monday.
fn at(day: i64, hour: u32) -> NaiveDateTime {
    NaiveDate::from_ymd_opt(2026, 3, 2).unwrap().and_hms_opt(hour, 0, 0).unwrap() + TimeDelta::days(day)
}

fn visits(starts: NaiveDateTime, attended: usize, missed: usize) -> Vec<Visit> {
    let of = |outcome, count| std::iter::repeat_n(Visit { starts, outcome }, count);
    of(Outcome::Attended, attended).chain(of(Outcome::Missed, missed)).collect()
}

fn clinic() -> HeatMap {
    let mut past = visits(at(0, 9), 38, 2);
    past.extend(visits(at(4, 17), 12, 18));
    past.push(Visit { starts: at(4, 17), outcome: Outcome::Cancelled });
    past.push(Visit { starts: at(2, 14), outcome: Outcome::Open });
    let mut offered = vec![at(0, 9); 42];
    offered.extend(vec![at(4, 17); 40]);
    offered.extend(vec![at(2, 14); 20]);
    HeatMap::of(&past, &offered)
}

#[test]
fn the_heat_map_counts_by_weekday_and_hour() {
    let map = clinic();
    let friday = map.cell(FRIDAY_17);
    assert_eq!((friday.booked, friday.attended, friday.missed, friday.cancelled, friday.offered), (31, 12, 18, 1, 40));
    assert_eq!(map.cell(Hour { weekday: Weekday::Sun, hour: 3 }).booked, 0);
    assert_eq!(
        map.hours().map(|(hour, _)| hour.weekday).collect::<Vec<_>>(),
        [Weekday::Mon, Weekday::Wed, Weekday::Fri]
    );
    assert!((map.attendance_rate().unwrap() - 50.0 / 70.0).abs() < 1e-12);
    assert!(map.attendance(MONDAY_9) > 0.88 && map.attendance(FRIDAY_17) < 0.5);
}

#[test]
fn one_person_who_came_makes_no_good_hour() {
    let mut past = visits(at(0, 9), 60, 20);
    past.extend(visits(at(5, 8), 1, 0));
    let map = HeatMap::of(&past, &[]);
    let lucky = map.attendance(Hour { weekday: Weekday::Sat, hour: 8 });
    assert!((lucky - map.attendance_rate().unwrap()).abs() < 0.04, "{lucky}");
}

#[test]
fn the_best_times_are_those_that_are_taken_and_kept() {
    let free = [at(9, 14), at(11, 17), at(7, 9), at(14, 9)];
    assert_eq!(clinic().best(&free, 3), [at(7, 9), at(14, 9), at(11, 17)]);
    let nothing_known = HeatMap::of(&[], &[]);
    assert_eq!(nothing_known.best(&free, 2), [at(7, 9), at(9, 14)], "without a past, the next ones first");
}

#[test]
fn by_rank_about_a_fifth_is_marked_although_no_chance_reaches_the_threshold() {
    let recent: Vec<f64> = (0..200).map(|place| 0.02 + f64::from(place) * 0.002).collect();
    let level = RiskLevel::of(Marking::default(), &recent, 0.2);
    let marked = recent.iter().filter(|chance| level.marks(**chance)).count();
    assert!((35..=45).contains(&marked), "{marked}");
    let literal = RiskLevel::of(Marking { threshold: 0.8, reading: Reading::Chance }, &recent, 0.2);
    assert!(!recent.iter().any(|chance| literal.marks(*chance)));
    assert!(literal.marks(0.8));
}

#[test]
fn where_all_are_alike_nobody_is_marked() {
    let level = RiskLevel::of(Marking::default(), &[0.2; 100], 0.2);
    assert!(!level.marks(0.2));
    assert!(RiskLevel::of(Marking::default(), &[], 0.2).marks(0.4), "few recent ones: against the base rate");
}

#[test]
fn the_recommendation_gives_its_numbers() {
    let finding = Finding { upcoming: 23, high_risk: 4, expected_missed: 5.26, days: 7 };
    assert_eq!(
        recommendation(&clinic(), &finding),
        "Nos próximos 7 dias há 23 horários marcados, 4 com risco alto de falta: vale confirmar com essas pessoas. \
         Faltas esperadas ao todo: cerca de 5,3. Comparecimento até aqui: 71 % (50 de 70). \
         Mais faltas: sexta-feira às 17h, 18 de 30. Um lembrete a mais nesse horário pode ajudar. \
         Mais livre: quarta-feira às 14h, 1 de 20 horários ocupados."
    );
}

#[test]
fn a_new_company_is_told_that_little_is_known() {
    let finding = Finding { upcoming: 1, high_risk: 0, expected_missed: 0.1, days: 7 };
    assert_eq!(
        recommendation(&HeatMap::of(&visits(at(0, 9), 2, 1), &[]), &finding),
        "Nos próximos 7 dias há 1 horário marcado, nenhum com risco alto de falta. \
         Ainda há poucos resultados (3) para comparar dias e horários."
    );
}

#[test]
fn insights_speak_of_the_coming_week() {
    let horizon = Horizon::default();
    assert!(horizon.covers(at(0, 9), at(7, 9)) && !horizon.covers(at(0, 9), at(7, 10)));
    assert!(!horizon.covers(at(0, 9), at(0, 9)), "what begins now is no longer ahead");
}

fn risky(number: u128, starts: NaiveDateTime) -> Upcoming {
    Upcoming {
        appointment: Uuid::from_u128(number),
        person: Some(Uuid::from_u128(number + 1000)),
        starts,
        risk: 0.5,
        confirmed: false,
        asked_before: false,
        consent: true,
    }
}

fn offers(upcoming: &[Upcoming], quiet: bool) -> Vec<u128> {
    let level = RiskLevel::of(Marking { threshold: 0.4, reading: Reading::Chance }, &[], 0.2);
    let offers = reschedule_offers(upcoming, &level, &Horizon::default(), at(0, 9), quiet);
    offers.into_iter().map(|id| id.as_u128()).collect()
}

#[test]
fn only_risky_appointments_of_the_next_three_days_are_asked_about_and_once() {
    let soon = at(2, 10);
    let upcoming = [
        risky(1, soon),
        Upcoming { risk: 0.3, ..risky(2, soon) },
        Upcoming { confirmed: true, ..risky(3, soon) },
        Upcoming { asked_before: true, ..risky(4, soon) },
        Upcoming { consent: false, ..risky(5, soon) },
        Upcoming { person: None, ..risky(6, soon) },
        risky(7, at(3, 10)),
        risky(8, at(0, 8)),
        Upcoming { risk: 0.7, ..risky(9, soon) },
        risky(10, at(3, 9)),
    ];
    assert_eq!(offers(&upcoming, false), [9, 1, 10]);
    assert!(offers(&upcoming, true).is_empty(), "nobody is asked in quiet hours");
}

#[test]
fn a_person_with_two_risky_appointments_is_asked_about_one() {
    let second = Upcoming { person: Some(Uuid::from_u128(1001)), ..risky(2, at(1, 9)) };
    assert_eq!(offers(&[risky(1, at(2, 9)), second], false), [2], "the nearer one");
}

fn moment(day: i64, hour: u32) -> DateTime<Utc> {
    at(day, hour).and_utc()
}

fn waits(number: u128, since: i64) -> Waiting {
    Waiting {
        id: Uuid::from_u128(number),
        person: Uuid::from_u128(number + 1000),
        service: None,
        professional: None,
        earliest: moment(0, 0),
        latest: moment(30, 0),
        since: moment(since, 12),
        holding: false,
        refused: Vec::new(),
        consent: true,
    }
}

fn chosen(waiting: &[Waiting]) -> Option<u128> {
    let free = FreeTime { starts: moment(2, 15), service: Some(Uuid::from_u128(7)), professional: None };
    next(&free, waiting, &Rules::default(), moment(0, 9), false).map(|offer| offer.waiting.as_u128())
}

#[test]
fn who_waited_longest_is_asked_first_and_after_a_refusal_the_next() {
    assert_eq!(chosen(&[waits(1, -2), waits(2, -5), waits(3, -1)]), Some(2));
    let refused = Waiting { refused: vec![moment(2, 15)], ..waits(2, -5) };
    assert_eq!(chosen(&[waits(1, -2), refused.clone(), waits(3, -1)]), Some(1));
    assert_eq!(chosen(&[refused]), None);
}

#[test]
fn whom_no_later_time_would_suit_goes_first() {
    let last_chance = Waiting { latest: moment(3, 0), ..waits(2, -1) };
    assert_eq!(chosen(&[waits(1, -9), last_chance]), Some(2));
}

#[test]
fn a_time_is_offered_to_those_only_whom_it_suits() {
    let unsuited = [
        Waiting { service: Some(Uuid::from_u128(8)), ..waits(1, -9) },
        Waiting { earliest: moment(2, 16), ..waits(2, -9) },
        Waiting { latest: moment(2, 14), ..waits(3, -9) },
        Waiting { holding: true, ..waits(4, -9) },
        Waiting { consent: false, ..waits(5, -9) },
    ];
    assert_eq!(chosen(&unsuited), None);
    let suited = Waiting { service: Some(Uuid::from_u128(7)), ..waits(6, -1) };
    assert_eq!(chosen(&[&unsuited[..], &[suited]].concat()), Some(6));
}

#[test]
fn nobody_is_asked_too_late_or_in_quiet_hours() {
    let free = FreeTime { starts: moment(0, 12), service: None, professional: None };
    let ask = |now, quiet| next(&free, &[waits(1, -1)], &Rules::default(), now, quiet);
    assert!(ask(moment(0, 9), false).is_some());
    assert!(ask(moment(0, 9), true).is_none());
    assert!(ask(moment(0, 11), false).is_none());
}

proptest! {
    #[test]
    fn a_time_is_kept_until_before_it_begins(minutes in 0_i64..100_000) {
        let now = moment(0, 9);
        let free = FreeTime { starts: now + TimeDelta::minutes(minutes), service: None, professional: None };
        let everybody = Waiting { latest: moment(365, 0), ..waits(1, -1) };
        let rules = Rules::default();
        if let Some(offer) = next(&free, &[everybody], &rules, now, false) {
            prop_assert!(offer.until > now && offer.until < free.starts);
            prop_assert!(offer.until - now >= rules.hold_min && offer.until - now <= rules.hold_max);
        } else {
            prop_assert!(minutes < 120);
        }
    }

    #[test]
    fn rates_of_an_hour_stay_rates(attended in 0_usize..40, missed in 0_usize..40, offered in 0_usize..40) {
        let map = HeatMap::of(&visits(at(0, 9), attended, missed), &vec![at(0, 9); offered]);
        for rate in [map.attendance(MONDAY_9), map.occupancy(MONDAY_9), map.worth(MONDAY_9), map.worth(FRIDAY_17)] {
            prop_assert!((0.0..=1.0).contains(&rate), "{}", rate);
        }
    }
}
