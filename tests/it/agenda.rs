//! Times, choices and booking messages as customers write them.

use chrono::{NaiveDate, NaiveDateTime};
use secretaria::domain::agenda::choice::{Choice, choose};
use secretaria::domain::agenda::when::{Aim, Answer, Frame, read};

fn at(text: &str) -> NaiveDateTime {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M").expect("a moment")
}

fn spoken(text: &str, aim: Aim, now: NaiveDateTime) -> String {
    let reading = read(text, &Frame::booking(now).aiming(aim));
    let sure = reading.sure().and_then(|when| when.notation());
    match (&reading.answer, sure) {
        (Answer::Ambiguous { .. }, None) => "?".to_owned(),
        (Answer::Ambiguous { .. }, Some(sure)) => format!("? {sure}"),
        (_, sure) => sure.unwrap_or_else(|| "-".to_owned()),
    }
}

/// The lines `text => meaning` of a file, with the section they stand in.
fn sentences(file: &'static str) -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let mut section = "";
    file.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')).filter_map(move |line| {
        match line.strip_prefix('[') {
            Some(name) => {
                section = name.trim_end_matches(']');
                None
            }
            None => line.split_once(" => ").map(|(text, meaning)| (section, text, meaning)),
        }
    })
}

#[test]
fn what_customers_write_names_these_times() {
    let now = at("2026-06-10T10:00");
    let mut wrong = Vec::new();
    for (section, text, meaning) in sentences(include_str!("agenda/sentences.txt")) {
        let aim = match section {
            "move" => Aim::Move,
            "existing" => Aim::Existing,
            _ => Aim::Wish,
        };
        let said = spoken(text, aim, now);
        if said != meaning {
            wrong.push(format!("{section}: {text} => {meaning}, but reads {said}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn a_leap_day_is_only_where_there_is_one() {
    let said = |now: &str| spoken("dia 29/02 às 9h", Aim::Wish, at(now));
    assert_eq!(said("2028-02-01T08:00"), "2028-02-29T09:00");
    assert!(said("2026-02-01T08:00").starts_with('?'), "the next one is years away: ask");
    assert_eq!(NaiveDate::from_ymd_opt(2026, 2, 29), None);
}

#[test]
fn answers_to_offered_times_take_these_options() {
    let now = at("2026-06-10T10:00");
    let mut wrong = Vec::new();
    for (section, text, meaning) in sentences(include_str!("agenda/choices.txt")) {
        let options: Vec<NaiveDateTime> = section.split(' ').map(|option| at(&format!("2026-06-{option}"))).collect();
        let said = match choose(text, &options, now).choice {
            Choice::Option(number) => number.to_string(),
            Choice::Any => "any".to_owned(),
            Choice::OtherDay => "0".to_owned(),
            Choice::NoneFits => "none".to_owned(),
            Choice::Open => "?".to_owned(),
            Choice::Nothing => "-".to_owned(),
        };
        if said != meaning {
            wrong.push(format!("{section}: {text} => {meaning}, but reads {said}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
