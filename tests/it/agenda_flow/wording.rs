//! How days, hours and texts are written.

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};
use secretaria::domain::agenda::flow::{
    Appointment, Committed, Deed, Entry, Lead, NAMES, Patient, Purpose, Reason, Saying, Setting, Slot, State, Text,
    wording, zoned,
};
use secretaria::domain::agenda::when::{ClockTime, Span, When};

use super::desk::{Desk, NOW, service};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn at(text: &str) -> NaiveDateTime {
    format!("{text}:00").parse().unwrap()
}

#[test]
fn times_are_told_back_as_people_say_them() {
    let today = day("2026-10-07");
    let clock = |hour| ClockTime::new(hour, 0, 0).unwrap();
    let table = [
        (When::Moment(at("2026-10-08T14:00")), "qui 8/10 às 14h"),
        (When::Moment(at("2026-10-08T01:00")), "qui 8/10 à 1h"),
        (When::Moment(at("2026-10-08T14:30")), "qui 8/10 às 14h30"),
        (When::Day(day("2028-02-29")), "ter 29/2/2028"),
        (When::Time(clock(19)), "às 19h"),
        (When::Times(Span::from(clock(18))), "a partir das 18h"),
        (When::Times(Span::between(clock(8), clock(12))), "das 8h às 12h"),
        (When::Days(Span::between(day("2026-10-12"), day("2026-10-17"))), "de seg 12/10 a sex 16/10"),
        (When::Days(Span::until(day("2026-10-16"))), "até sex 16/10"),
        (When::Moments(Span::between(at("2026-10-08T12:00"), at("2026-10-08T18:00"))), "qui 8/10, das 12h às 18h"),
        (When::Set(vec![When::Day(day("2026-10-08")), When::Day(day("2026-10-10"))]), "qui 8/10 ou sáb 10/10"),
    ];
    for (when, said) in table {
        assert_eq!(wording::when(&when, today), said);
    }
}

#[test]
fn an_hour_that_comes_twice_is_told_apart() {
    let setting = Setting { zone: chrono_tz::America::New_York, ..Setting::default() };
    let slot = |at: &str| {
        let start = at.parse().unwrap();
        Slot { start, end: start + TimeDelta::minutes(30), professional: None }
    };
    let (first, second) = (slot("2026-11-01T05:30:00Z"), slot("2026-11-01T06:30:00Z"));
    let list = wording::slots(&[(1, &first), (2, &second)], &setting, "2026-10-30T12:00:00Z".parse().unwrap());
    assert_eq!(list, "1. dom 1/11, 1h30 (UTC-04:00)\n2. dom 1/11, 1h30 (UTC-05:00)");
}

#[test]
fn a_local_time_inside_a_gap_is_the_end_of_the_gap() {
    let zone = chrono_tz::America::New_York;
    assert!(zoned::is_gap(zone, at("2026-03-08T02:30")));
    assert_eq!(zoned::moment(zone, at("2026-03-08T02:30")).to_rfc3339(), "2026-03-08T07:00:00+00:00");
    // A day that never was.
    let apia = chrono_tz::Pacific::Apia;
    assert_eq!(zoned::moment(apia, at("2011-12-30T12:00")).to_rfc3339(), "2011-12-30T10:00:00+00:00");
}

#[test]
fn every_text_is_filled_and_none_names_what_is_not_given() {
    for text in Text::ALL {
        let source = text.source();
        assert!(!source.is_empty() && source.chars().count() <= 300, "{}", text.name());
        for name in source.split("{{").skip(1).filter_map(|rest| rest.split("}}").next()) {
            assert!(NAMES.contains(&name.trim()), "{} names {name}", text.name());
        }
    }
}

/// Everything that can be said, with the longest names.
fn sayings() -> Vec<Saying> {
    let long = "Limpeza profunda com aplicação de flúor, polimento e orientação".to_owned();
    let start = "2026-12-28T13:30:00Z".parse().unwrap();
    let slot = |n: i64| Slot {
        start: start + TimeDelta::minutes(30 * n),
        end: start + TimeDelta::minutes(30 * n + 30),
        professional: Some(format!("Dra. Maria Antonieta das Dores Albuquerque {n}")),
    };
    let one = Appointment {
        id: "A".to_owned(),
        service: None,
        name: long.clone(),
        professional: None,
        start,
        end: start + TimeDelta::minutes(30),
    };
    let patient = Some(Patient {
        relation: Some("mãe".to_owned()),
        name: Some("Maria das Graças de Oliveira Silva e Souza".to_owned()),
    });
    let names: Vec<String> = (0..9).map(|n| format!("{n} {long}")).collect();
    let options: Vec<Slot> = (0..5).map(slot).collect();
    let entry = Entry {
        appointment: "A".to_owned(),
        start,
        end: start + TimeDelta::minutes(30),
        service: long.clone(),
        professional: slot(0).professional,
        patient: Some("Maria das Graças de Oliveira Silva e Souza".to_owned()),
        place: Some("Avenida Presidente Juscelino Kubitschek de Oliveira, 12345, conjunto 1201, bloco B".to_owned()),
        link: Some(format!("https://meet.example.com/{}", "x".repeat(200))),
    };
    let mut out = vec![
        Saying::AskService { names: names.clone() },
        Saying::AskProfessional { service: long.clone(), names: names.clone() },
        Saying::AskName { relation: Some("mãe".to_owned()) },
        Saying::AskName { relation: None },
        Saying::AskDay,
        Saying::AskReading {
            readings: (0..5).map(|n| When::Moment(at("2026-10-08T14:30") + TimeDelta::days(n))).collect(),
        },
        Saying::NoSuchTime,
        Saying::GapTime { when: When::Moment(at("2026-03-08T02:30")) },
        Saying::TooFar { last: start },
        Saying::WhichOption { options: (1..).zip(options.clone()).collect() },
        Saying::NotBooked { moving: false },
        Saying::NotBooked { moving: true },
        Saying::Checking,
        Saying::NoneFree { service: long.clone() },
        Saying::WaitlistJoined { service: long.clone() },
        Saying::Appointments(vec![one.clone(); 5]),
        Saying::NoAppointments,
        Saying::Which { purpose: Purpose::Cancel, among: vec![one.clone(); 5] },
        Saying::Which { purpose: Purpose::Move, among: vec![one.clone(); 5] },
        Saying::ConfirmCancel(one.clone()),
        Saying::Kept(one.clone()),
        Saying::Plans(one.clone()),
        Saying::Dropped,
        Saying::NoRush,
        Saying::ThanksFeedback,
        Saying::Invite,
        Saying::Vacancy { service: long.clone(), slot: slot(0) },
        Saying::Again(Box::new(Saying::AskService { names })),
    ];
    for lead in [Lead::Fresh, Lead::Near, Lead::Taken, Lead::Expired, Lead::Others, Lead::Next] {
        for moving in [None, Some(one.clone())] {
            let options = options.clone();
            out.push(Saying::Options { lead, service: long.clone(), options, moving, patient: patient.clone() });
        }
    }
    for (moving, sure) in [(None, false), (None, true), (Some(one.clone()), false), (Some(one), true)] {
        out.push(Saying::Recap { service: long.clone(), slot: slot(0), patient: patient.clone(), moving, sure });
    }
    for deed in [Deed::Booked, Deed::Requested, Deed::Moved { from: start }, Deed::Cancelled, Deed::Confirmed] {
        out.push(Saying::Committed { committed: Committed::recorded(deed, entry.clone()), reminded: true });
    }
    let reasons =
        [Reason::NoCalendar, Reason::CalendarDown, Reason::Fruitless, Reason::Unknown, Reason::Refused, Reason::Asked];
    out.extend(reasons.map(Saying::Human));
    out
}

#[test]
fn no_text_is_longer_than_two_bubbles_nor_cut_short() {
    let setting = Desk::new().setting;
    for saying in sayings() {
        let now = NOW.parse().unwrap();
        let text = saying.text(&setting, now);
        let bubbles = saying.bubbles(&setting, now);
        assert!((1..=2).contains(&bubbles.len()), "{saying:?}");
        assert!(bubbles.iter().all(|bubble| bubble.chars().count() <= 300), "{bubbles:#?}");
        let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).count();
        let kept: usize = bubbles.iter().map(|bubble| letters(bubble)).sum();
        assert_eq!(kept, letters(&text), "cut short:\n{text}\n{bubbles:#?}");
        assert!(!text.contains("{{") && !text.contains("  ") && !text.contains(" ,") && !text.contains(" ."), "{text}");
    }
}

#[test]
fn only_a_proof_says_that_something_was_done() {
    let setting = Desk::new().setting;
    for saying in sayings() {
        let text = saying.text(&setting, NOW.parse().unwrap());
        let claims = text.contains('✅') || text.starts_with("Cancelado") || text.starts_with("Marcado");
        let proven = matches!(&saying, Saying::Committed { committed, .. } if committed.deed() != Deed::Requested);
        assert_eq!(claims, proven, "{text}");
    }
}

#[test]
fn a_customers_braces_are_data() {
    let setting = Setting { services: vec![service("x", "{{ servico }} {% if %}", &[])], ..Setting::default() };
    let names = vec![setting.services[0].name.clone()];
    let text = Saying::AskService { names }.text(&setting, NOW.parse().unwrap());
    assert!(text.ends_with("1. { { servico }} {% if %}"), "{text}");
}

#[test]
fn a_state_of_another_version_begins_anew() {
    assert_eq!(State::read(""), State::default());
    assert_eq!(State::read(r#"{"version":99,"stage":"idle"}"#), State::default());
    assert_eq!(State::read(&State::default().stored()), State::default());
}
