//! Times, choices and booking messages as customers write them.

use chrono::{Datelike, NaiveDate, NaiveDateTime, TimeDelta};
use proptest::prelude::*;
use secretaria::domain::agenda::choice::{Choice, choose};
use secretaria::domain::agenda::request::{self, Situation};
use secretaria::domain::agenda::when::{Aim, Answer, Frame, When, read};
use secretaria::domain::conversation::intent::{Context, Intent};

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

fn wished(text: &str, now: NaiveDateTime) -> Option<When> {
    read(text, &Frame::booking(now)).sure().cloned()
}

/// A moment of the years in which this program will be used.
fn moments() -> impl Strategy<Value = NaiveDateTime> {
    (0_i64..20 * 365 * 1440).prop_map(|minutes| at("2024-01-01T00:00") + TimeDelta::minutes(minutes))
}

proptest! {
    #[test]
    fn reading_never_fails(text in any::<String>(), now in moments(), options in prop::collection::vec(moments(), 0..6)) {
        for frame in [Frame::booking(now), Frame::plain(now), Frame::booking(now).aiming(Aim::Move).with_options(&options)] {
            let _ = read(&text, &frame);
        }
        let _ = choose(&text, &options, now);
    }

    #[test]
    fn words_of_time_in_any_order_never_fail(
        words in prop::collection::vec(prop::sample::select(vec![
            "dia", "31", "30/02", "às", "9", "e", "meia", "de", "a", "sexta", "que", "vem", "não", "entre", "até", "amanhã", "ou",
            "último", "primeira", "segunda", "semana", "do", "mês", "em", "daqui", "1000", "anos", "meio-dia", ",", ".", "?", ":",
            "15h30", "antes", "depois", "fim", "fevereiro", "29", "2028", "da", "noite", "oito", "hoje", "para", "por", "-", "/",
        ]), 0..24),
        now in moments(),
    ) {
        let text = words.join(" ");
        for frame in [Frame::booking(now), Frame::plain(now), Frame::booking(now).aiming(Aim::Move)] {
            if let Some(when) = read(&text, &frame).sure() {
                let _ = when.notation();
            }
        }
    }

    #[test]
    fn a_day_and_hour_to_come_are_read_as_they_are_written(now in moments(), days in 1_i64..300, minute in 0_u32..60, hour in 8_u32..20) {
        let day = now.date() + TimeDelta::days(days);
        let expected = day.and_hms_opt(hour, minute, 0).map(When::Moment);
        let (d, m, y) = (day.day(), day.month(), day.year());
        let months = ["janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho", "agosto", "setembro", "outubro",
            "novembro", "dezembro"];
        let name = months[day.month0() as usize];
        for text in [
            format!("dia {d}/{m} às {hour}h{minute:02}"),
            format!("pode ser dia {d:02}/{m:02} às {hour}:{minute:02}?"),
            format!("{d} de {name} às {hour}h{minute:02}"),
            format!("às {hour}h{minute:02} do dia {d} de {name}"),
            format!("{d:02}/{m:02}/{y} {hour:02}:{minute:02}"),
            format!("quero marcar {y}-{m:02}-{d:02} {hour:02}:{minute:02}"),
        ] {
            // The 29th of February after this year's is years away, and is asked for.
            if !(d == 29 && m == 2) || text.contains(&y.to_string()) {
                prop_assert_eq!(wished(&text, now), expected.clone(), "{}", text);
            }
        }
    }

    #[test]
    fn what_is_said_of_the_future_is_never_over(now in moments(), number in 1_u32..32, hour in 1_u32..13,
        word in prop::sample::select(vec!["segunda", "terça", "quarta", "quinta", "sexta", "sábado", "domingo", "amanhã", "hoje"])) {
        for text in [format!("{word} às {hour}"), format!("dia {number} às {hour}"), format!("dia {number}"), word.to_owned(),
            format!("{word} de manhã"), format!("{word} que vem"), format!("{word} depois das {hour}")] {
            match read(&text, &Frame::booking(now)).answer {
                Answer::Clear(When::Moment(moment)) => prop_assert!(moment > now, "{} is {}", text, moment),
                Answer::Clear(When::Day(day)) => prop_assert!(day >= now.date(), "{} is {}", text, day),
                Answer::Clear(When::Moments(span)) => prop_assert!(span.until.is_none_or(|until| until > now), "{}", text),
                _ => {}
            }
        }
    }

    #[test]
    fn a_weekday_is_the_next_one(now in moments(), index in 0_usize..7) {
        let names = ["segunda", "terça", "quarta", "quinta", "sexta", "sábado", "domingo"];
        let Some(When::Day(day)) = wished(names[index], now) else { return Err(TestCaseError::fail("no day")) };
        let distance = (day - now.date()).num_days();
        prop_assert!((1..=7).contains(&distance));
        prop_assert_eq!(day.weekday().num_days_from_monday() as usize, index);
    }

    #[test]
    fn a_number_of_the_list_takes_that_option(now in moments(), count in 1_usize..9, pick in 0_usize..8) {
        let options: Vec<NaiveDateTime> = (0..count).map(|n| now + TimeDelta::hours(30 * (n as i64 + 1))).collect();
        let number = pick % count + 1;
        for text in [format!("{number}"), format!("opção {number}"), format!("quero a opção {number} por favor"), format!("nº {number}")] {
            prop_assert_eq!(choose(&text, &options, now).choice, Choice::Option(number), "{}", text);
        }
    }
}

#[test]
fn what_is_not_meant_for_sure_is_asked_back() {
    let now = at("2026-06-10T10:00");
    let offered = ["2026-06-11T09:00", "2026-06-11T15:00", "2026-06-12T10:30"].map(at);
    let mut wrong = Vec::new();
    for (section, text, meaning) in sentences(include_str!("agenda/requests.txt")) {
        let (context, label) = section.split_once(' ').expect("a context and a label");
        let context = Context::from_name(context).expect("a context");
        let intent = *Intent::ALL.iter().find(|intent| intent.label() == label).expect("an intent");
        let options: &[NaiveDateTime] = if context == Context::Options { &offered } else { &[] };
        let ask = request::read(text, intent, &Situation { now, context, options }).ask;
        if ask != (meaning == "ask") {
            wrong.push(format!("{section}: {text} => {meaning}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
