//! Opening hours as people write them, holidays, and what is said while a company is closed.

use chrono::{Datelike, NaiveDate, NaiveDateTime, TimeDelta, Weekday};
use proptest::prelude::*;
use secretaria::domain::hours::{
    Away, BusinessHours, NATIONAL_DAYS, OpeningHours, Reason, Standing, Status, away, national, notice, opens_text,
    parse_own, state_line,
};

/// Wednesday.
const TODAY: (i32, u32, u32) = (2026, 11, 25);

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

fn at(text: &str) -> NaiveDateTime {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap()
}

/// Hours of a week in one line: a weekday's number from 1 (Monday), the spans in minutes written as hours.
fn week(hours: &OpeningHours) -> String {
    let monday = day(2026, 11, 23);
    let text = |minutes: u16| match (minutes / 60, minutes % 60) {
        (hour, 0) => hour.to_string(),
        (hour, rest) => format!("{hour}:{rest:02}"),
    };
    let days = monday.iter_days().take(7).filter_map(|date| {
        let spans: Vec<String> =
            hours.on(date).iter().map(|span| format!("{}-{}", text(span.from()), text(span.to()))).collect();
        (!spans.is_empty()).then(|| format!("{} {}", date.weekday().number_from_monday(), spans.join(",")))
    });
    let mut days: Vec<String> = days.collect();
    if let Some(spans) = hours.on_holidays() {
        let spans: Vec<String> =
            spans.iter().map(|span| format!("{}-{}", text(span.from()), text(span.to()))).collect();
        days.push(format!("F {}", spans.join(",")).trim().to_owned());
    }
    days.join("; ")
}

const MON_FRI_8_18: &str = "1 8-18; 2 8-18; 3 8-18; 4 8-18; 5 8-18";

#[test]
fn hours_are_read_as_people_write_them() {
    let every = |span: &str| (1..=7).map(|day| format!("{day} {span}")).collect::<Vec<_>>().join("; ");
    let cases: Vec<(&str, String)> = vec![
        ("seg-sex 8h-18h", MON_FRI_8_18.to_owned()),
        ("Segunda a Sexta: 08:00 às 18:00", MON_FRI_8_18.to_owned()),
        ("segunda-feira a sexta-feira, das 8h às 18h", MON_FRI_8_18.to_owned()),
        ("de segunda à sexta de 8 a 18", MON_FRI_8_18.to_owned()),
        ("2ª a 6ª feira das 8h00 às 18h00", MON_FRI_8_18.to_owned()),
        ("dias úteis 8h–18h", MON_FRI_8_18.to_owned()),
        ("Atendemos durante a semana, das 8 da manhã às 6 da tarde.", MON_FRI_8_18.to_owned()),
        ("Das 8h às 18h, de segunda a sexta", MON_FRI_8_18.to_owned()),
        ("Seg. a Sex. | 8:00 - 18:00", MON_FRI_8_18.to_owned()),
        ("SEG A SEX 8HS AS 18HS", MON_FRI_8_18.to_owned()),
        ("abrimos seg a sex às 8h e fechamos às 18h", MON_FRI_8_18.to_owned()),
        ("seg, ter, qua, qui e sex: 8h até 18h", MON_FRI_8_18.to_owned()),
        ("seg/ter/qua/qui/sex 8h/18h".replace("8h/18h", "8h às 18h").leak(), MON_FRI_8_18.to_owned()),
        ("segunda a sexta das 8h às 18h, sem fechar para almoço", MON_FRI_8_18.to_owned()),
        ("todos os dias 9h às 22h", every("9-22")),
        ("9h às 22h todos os dias", every("9-22")),
        ("Diariamente das 9h às 22h", every("9-22")),
        ("de segunda a domingo, 9h-22h", every("9-22")),
        ("24 horas", every("0-24")),
        ("24h por dia, 7 dias por semana", every("0-24")),
        ("24/7", every("0-24")),
        ("aberto 24 horas todos os dias", every("0-24")),
        (
            "seg-sex 8h-12h, 13h30-18h; sáb 8h-12h",
            "1 8-12,13:30-18; 2 8-12,13:30-18; 3 8-12,13:30-18; 4 8-12,13:30-18; 5 8-12,13:30-18; 6 8-12".to_owned(),
        ),
        ("segunda a sexta das 8 às 18h, sábado até 12h", format!("{MON_FRI_8_18}; 6 8-12")),
        ("segunda a sexta das 8 às 18h, sábado fecha às 12h", format!("{MON_FRI_8_18}; 6 8-12")),
        ("segunda a sexta das 8h às 18h e aos sábados das 9h ao meio-dia", format!("{MON_FRI_8_18}; 6 9-12")),
        ("8h às 18h de segunda a sexta, 9h às 13h aos sábados", format!("{MON_FRI_8_18}; 6 9-13")),
        ("8h às 18h de segunda a sexta, fechado aos domingos", MON_FRI_8_18.to_owned()),
        ("8h às 18h de segunda a sexta, sábado e domingo fechado", MON_FRI_8_18.to_owned()),
        ("seg a sex 8h-18h, sáb e dom fechado", MON_FRI_8_18.to_owned()),
        ("seg a sex 8h-18h. Não abrimos aos sábados, domingos e feriados.", format!("{MON_FRI_8_18}; F")),
        ("todos os dias, exceto domingo, das 8h às 18h", format!("{MON_FRI_8_18}; 6 8-18")),
        ("todos os dias das 8h às 18h, menos aos domingos", format!("{MON_FRI_8_18}; 6 8-18")),
        ("8h às 18h todos os dias exceto aos domingos", format!("{MON_FRI_8_18}; 6 8-18")),
        (
            "terça a sábado, das 9h às 20h; fechado aos domingos e segundas",
            "2 9-20; 3 9-20; 4 9-20; 5 9-20; 6 9-20".into(),
        ),
        (
            "segunda a sexta, das 8h às 18h; sábado, das 8h às 12h; fechada aos domingos e feriados",
            format!("{MON_FRI_8_18}; 6 8-12; F"),
        ),
        ("seg, qua e sex 9-18", "1 9-18; 3 9-18; 5 9-18".into()),
        ("terças e quintas das 14h às 17h30", "2 14-17:30; 4 14-17:30".into()),
        ("sexta a domingo 18h às 2h", "5 18-26; 6 18-26; 7 18-26".into()),
        ("qui a sáb das 22h à meia-noite", "4 22-24; 5 22-24; 6 22-24".into()),
        ("fim de semana 10h-16h", "6 10-16; 7 10-16".into()),
        ("domingos e feriados das 9h às 13h", "7 9-13; F 9-13".into()),
        ("segunda das 2 às 6 da tarde", "1 14-18".into()),
        ("segunda das 8 e meia ao meio-dia e meia", "1 8:30-12:30".into()),
        (
            "seg a sex das 8h às 18h com intervalo das 12h às 13h",
            "1 8-12,13-18; 2 8-12,13-18; 3 8-12,13-18; 4 8-12,13-18; 5 8-12,13-18".into(),
        ),
        ("sex 8h-18h (fechamos para almoço das 12h às 14h)", "5 8-12,14-18".into()),
        (
            "Segunda a sexta\n8h às 12h\n13h às 18h\nSábado\n8h às 12h",
            "1 8-12,13-18; 2 8-12,13-18; 3 8-12,13-18; 4 8-12,13-18; 5 8-12,13-18; 6 8-12".into(),
        ),
        (
            "🕗 Seg a Sex: 8h30min às 17h30min",
            "1 8:30-17:30; 2 8:30-17:30; 3 8:30-17:30; 4 8:30-17:30; 5 8:30-17:30".into(),
        ),
        ("fechado segunda, terça a domingo 9h-18h", "2 9-18; 3 9-18; 4 9-18; 5 9-18; 6 9-18; 7 9-18".into()),
        ("seg manhã: 8-12, tarde: 14-18", "1 8-12,14-18".into()),
        ("seg 8h-18h; seg 9h-17h", "1 9-17".into()),
        (
            "Não abrimos às segundas. Terça a domingo das 12h às 22h",
            "2 12-22; 3 12-22; 4 12-22; 5 12-22; 6 12-22; 7 12-22".into(),
        ),
        ("domingo a domingo das 8h às 20h", every("8-20")),
        ("todo dia das 6 da manhã às 10 da noite", every("6-22")),
        ("Seg. Ter. Qua. 8h às 12h", "1 8-12; 2 8-12; 3 8-12".into()),
        ("Segunda à quinta 8h às 18h - Sexta 8h às 17h", "1 8-18; 2 8-18; 3 8-18; 4 8-18; 5 8-17".into()),
        ("Todos os dias das 10h à meia noite", every("10-24")),
    ];
    let mut wrong = Vec::new();
    for (text, expected) in &cases {
        match OpeningHours::parse(text) {
            Ok(hours) if week(&hours) == *expected => {}
            Ok(hours) => wrong.push(format!("{text:?}: {} instead of {expected}", week(&hours))),
            Err(error) => wrong.push(format!("{text:?}: {error}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_not_understood_is_named() {
    for (text, named) in [
        ("", "no hours"),
        ("  \n", "no hours"),
        ("segunda a sexta quando der", "quando"),
        ("seg 8h-18h, sabadaço 9h-12h", "sabadaco"),
        ("8h às 18h", "das 8h às 18h is given without days"),
        ("segunda a sexta", "segunda, terça, quarta, quinta, sexta is given without hours"),
        ("seg a sex 8h-18h, sábado", "sábado is given without hours"),
        ("seg a sex a partir das 8h", "8h stands alone"),
        ("sábado até 12h", "até 12h stands alone"),
        ("seg 8h-25h", "25h"),
        ("seg 8h75-18h", "8h75"),
        ("seg das 8 às 6", "6h"),
        ("seg 8h-12h, 11h-18h", "overlap"),
        ("fechado", "fechado"),
        ("Segunda-feira: fechado", "no day has open hours"),
        ("sábado e domingo só com agendamento", "agendamento"),
        ("Horário comercial", "no hours"),
        ("ligue para saber 8h", "ligue"),
        ("seg {{x}} 8h-18h", "{"),
    ] {
        let error = OpeningHours::parse(text).expect_err(text).to_string();
        assert!(error.contains(named), "{text:?}: {error}");
    }
}

#[test]
fn hours_are_told_in_words() {
    for (text, told) in [
        (
            "seg-sex 8h-12h, 13h30-18h; sáb 8h-12h",
            "segunda a sexta, das 8h às 12h e das 13h30 às 18h; sábado, das 8h às 12h; domingo, fechado",
        ),
        ("24 horas", "todos os dias, 24 horas"),
        (
            "sex a dom 18h-2h, feriados fechado",
            "segunda a quinta, fechado; sexta a domingo, das 18h às 2h; feriados, fechado",
        ),
        ("sáb e dom 10-16", "segunda a sexta, fechado; sábado e domingo, das 10h às 16h"),
    ] {
        assert_eq!(OpeningHours::parse(text).unwrap().to_string(), told);
    }
}

#[test]
fn the_holidays_of_brazil() {
    for (date, name) in [
        (day(2026, 1, 1), Some("Confraternização Universal")),
        (day(2026, 2, 16), Some("Segunda-feira de Carnaval")),
        (day(2026, 2, 17), Some("Carnaval")),
        (day(2026, 2, 18), Some("Quarta-feira de Cinzas")),
        (day(2026, 4, 3), Some("Sexta-feira Santa")),
        (day(2026, 4, 5), Some("Páscoa")),
        (day(2026, 6, 4), Some("Corpus Christi")),
        (day(2027, 2, 9), Some("Carnaval")),
        (day(2027, 3, 26), Some("Sexta-feira Santa")),
        (day(2027, 5, 27), Some("Corpus Christi")),
        (day(2025, 3, 4), Some("Carnaval")),
        (day(2025, 4, 18), Some("Sexta-feira Santa")),
        (day(2025, 6, 19), Some("Corpus Christi")),
        (day(2026, 10, 12), Some("Nossa Senhora Aparecida")),
        (day(2026, 11, 20), Some("Dia da Consciência Negra")),
        (day(2024, 11, 20), Some("Dia da Consciência Negra")),
        (day(2023, 11, 20), None),
        (day(2026, 11, 25), None),
    ] {
        assert_eq!(national(date).map(|day| day.name), name, "{date}");
    }
    let closing: Vec<NaiveDate> = NATIONAL_DAYS
        .iter()
        .filter(|day| day.standing == Standing::Holiday)
        .filter_map(|day| day.of_year(2026))
        .collect();
    assert_eq!(closing.len(), 10, "nine by law and Good Friday");
    assert!(NATIONAL_DAYS.iter().all(|day| !day.law.is_empty()));
}

fn clinic(own: &str) -> BusinessHours {
    BusinessHours {
        opening: OpeningHours::parse("seg-sex 8h-12h, 13h30-18h; sáb 8h-12h").unwrap(),
        own: parse_own(own).unwrap(),
        national: true,
    }
}

fn closed(reason: Reason, opens: &str) -> Status {
    Status::Closed { reason, opens: Some(at(opens)) }
}

fn open_until(until: &str) -> Status {
    Status::Open { until: Some(at(until)) }
}

#[test]
fn the_clinic_knows_whether_it_is_open() {
    let own = "24/12 Véspera de Natal 8h-12h; 31/12 fechado; 20/12 a 05/01 Recesso; 24/12/2027 fechado; \
               08/12 Aniversário da cidade; 12/10 aberto; carnaval fechado";
    let clinic = clinic(own);
    let holiday = |name: &str| Reason::Holiday(name.to_owned());
    for (now, status) in [
        ("2026-11-25 08:00", open_until("2026-11-25 12:00")),
        ("2026-11-25 11:59", open_until("2026-11-25 12:00")),
        ("2026-11-25 12:00", closed(Reason::Break, "2026-11-25 13:30")),
        ("2026-11-25 18:00", closed(Reason::Night, "2026-11-26 08:00")),
        ("2026-11-25 07:59", closed(Reason::Night, "2026-11-25 08:00")),
        ("2026-11-28 12:00", closed(Reason::Night, "2026-11-30 08:00")),
        ("2026-11-29 10:00", closed(Reason::Weekday, "2026-11-30 08:00")),
        ("2026-11-20 10:00", closed(holiday("Dia da Consciência Negra"), "2026-11-21 08:00")),
        ("2026-12-24 09:00", open_until("2026-12-24 12:00")),
        ("2026-12-24 13:00", closed(Reason::Night, "2027-01-06 08:00")),
        ("2026-12-31 09:00", closed(holiday(""), "2027-01-06 08:00")),
        ("2027-01-04 09:00", closed(holiday("Recesso"), "2027-01-06 08:00")),
        ("2026-12-08 09:00", closed(holiday("Aniversário da cidade"), "2026-12-09 08:00")),
        ("2026-10-12 09:00", open_until("2026-10-12 12:00")),
        ("2026-02-17 09:00", closed(holiday("Carnaval"), "2026-02-18 08:00")),
        ("2026-02-16 09:00", open_until("2026-02-16 12:00")),
        ("2027-12-24 09:00", closed(holiday(""), "2028-01-06 08:00")),
    ] {
        assert_eq!(clinic.status(at(now)), status, "{now}");
    }
}

#[test]
fn a_place_may_ignore_the_holidays_or_have_hours_for_them() {
    let christmas = at("2026-12-25 10:00");
    let mut clinic = clinic("");
    assert!(
        matches!(clinic.status(christmas), Status::Closed { reason: Reason::Holiday(name), .. } if name == "Natal")
    );
    clinic.national = false;
    assert_eq!(clinic.status(christmas), open_until("2026-12-25 12:00"));
    let shop = BusinessHours {
        opening: OpeningHours::parse("todos os dias 9h-22h, feriados 14h-20h").unwrap(),
        own: Vec::new(),
        national: true,
    };
    assert_eq!(shop.status(christmas), closed(Reason::Night, "2026-12-25 14:00"));
    assert_eq!(shop.status(at("2026-12-25 15:00")), open_until("2026-12-25 20:00"));
}

#[test]
fn nights_and_endless_hours() {
    let bar =
        BusinessHours { opening: OpeningHours::parse("qui a sáb 18h às 2h").unwrap(), ..BusinessHours::default() };
    assert_eq!(bar.status(at("2026-11-29 01:30")), open_until("2026-11-29 02:00"), "Saturday's night goes on");
    assert_eq!(bar.status(at("2026-11-29 02:00")), closed(Reason::Weekday, "2026-12-03 18:00"));
    assert_eq!(bar.status(at("2026-11-27 03:00")), closed(Reason::Night, "2026-11-27 18:00"));
    let always = BusinessHours { opening: OpeningHours::parse("24h").unwrap(), ..BusinessHours::default() };
    assert_eq!(always.status(at("2026-11-25 03:00")), Status::Open { until: None });
    let week =
        BusinessHours { opening: OpeningHours::parse("seg a sex 24 horas").unwrap(), ..BusinessHours::default() };
    assert_eq!(week.status(at("2026-11-25 03:00")), open_until("2026-11-28 00:00"));
    let never = BusinessHours::default();
    assert_eq!(never.status(at("2026-11-25 03:00")), Status::Closed { reason: Reason::Weekday, opens: None });
    assert!(week.covers(at("2026-11-25 03:00"), at("2026-11-28 00:00")));
    assert!(!week.covers(at("2026-11-25 03:00"), at("2026-11-28 00:01")));
}

#[test]
fn wrong_own_days_are_refused_with_the_entry() {
    for (text, named) in [
        ("natal fechado", "natal fechado"),
        ("31/02 fechado", "31/02"),
        ("32/01 fechado", "32/01"),
        ("24/12/26 fechado", "24/12/26"),
        ("20/12/2026 a 05/01/2026 Recesso", "20/12/2026"),
        ("24/12 8h-25h", "25h"),
    ] {
        let error = parse_own(text).expect_err(text).to_string();
        assert!(error.contains(named), "{text:?}: {error}");
    }
    assert!(parse_own(&"01/02 x;".repeat(201)).unwrap_err().to_string().contains("201"));
    let days = parse_own("29/02: Dia extra\nCorpus Christi – 8h às 12h;;\n sexta-feira santa").unwrap();
    let names: Vec<&str> = days.iter().map(|day| day.name.as_str()).collect();
    assert_eq!(names, ["Dia extra", "Corpus Christi", "Sexta-feira Santa"]);
}

#[test]
fn customers_are_told_when_people_are_back() {
    let clinic = clinic("24/12 Véspera de Natal 8h-12h; 20/12 a 05/01 Recesso de fim de ano");
    for (now, text) in [
        ("2026-11-25 20:00", "Agora estamos fora do horário de atendimento. Abrimos amanhã às 8h."),
        ("2026-11-25 06:00", "Agora estamos fora do horário de atendimento. Abrimos hoje às 8h."),
        ("2026-11-25 12:30", "Agora estamos em intervalo. Abrimos hoje às 13h30."),
        ("2026-11-28 15:00", "Agora estamos fora do horário de atendimento. Abrimos na segunda-feira às 8h."),
        ("2026-11-29 10:00", "Aos domingos não atendemos. Abrimos amanhã às 8h."),
        ("2026-11-20 10:00", "Hoje estamos fechados: Dia da Consciência Negra. Abrimos amanhã às 8h."),
        (
            "2026-12-28 10:00",
            "Hoje estamos fechados: Recesso de fim de ano. Abrimos na quarta-feira, 06/01/2027, às 8h.",
        ),
    ] {
        let status = clinic.status(at(now));
        assert_eq!(away(&status, at(now)).map(|away| away.text()).as_deref(), Some(text), "{now}");
        assert!(text.chars().count() <= 300 && !text.contains('?'));
    }
    assert_eq!(away(&clinic.status(at("2026-11-25 09:00")), at("2026-11-25 09:00")), None);
    let early =
        BusinessHours { opening: OpeningHours::parse("seg 1h-5h; qua 8h-9h").unwrap(), ..BusinessHours::default() };
    let now = at("2026-11-25 10:00");
    assert_eq!(away(&early.status(now), now).unwrap().opens, "Abrimos na segunda-feira à 1h.");
    let weekday = at("2026-11-24 10:00");
    assert_eq!(away(&early.status(weekday), weekday).unwrap().closed, "Às terças não atendemos.");
    let never = Away { closed: "Às quartas não atendemos.".to_owned(), opens: String::new() };
    assert_eq!(away(&BusinessHours::default().status(now), now), Some(never));
}

#[test]
fn a_closing_is_told_once_in_a_conversation() {
    let clinic = clinic("");
    let due = |now: &str, told| notice(&clinic.status(at(now)), at(now), told);
    let first = due("2026-11-25 20:00", None).expect("closed and not told");
    assert_eq!(due("2026-11-25 23:00", Some(first.holds_until)), None, "told already");
    assert_eq!(due("2026-11-26 07:59", Some(first.holds_until)), None, "the same closing");
    assert_eq!(due("2026-11-26 09:00", Some(first.holds_until)), None, "open");
    assert!(due("2026-11-26 12:10", Some(first.holds_until)).is_some(), "the next closing");
    assert!(due("2026-11-26 20:00", Some(first.holds_until)).is_some());
}

#[test]
fn the_model_is_told_whether_it_is_open() {
    let clinic = clinic("");
    for (now, line) in [
        ("2026-11-25 09:00", "aberto agora, até 12h"),
        ("2026-11-25 12:30", "fechado agora (intervalo); abre hoje às 13h30"),
        ("2026-12-25 12:30", "fechado agora (Natal); abre amanhã às 8h"),
    ] {
        assert_eq!(state_line(&clinic.status(at(now)), at(now)), line);
    }
    let night = Status::Open { until: Some(at("2026-11-26 02:00")) };
    assert_eq!(state_line(&night, at("2026-11-25 20:00")), "aberto agora, até 2h de amanhã");
    assert_eq!(opens_text(at("2026-12-05 09:30"), at("2026-11-25 20:00")), "no sábado, 05/12, às 9h30");
}

/// A week's hours that can be written: for each day some spans on half hours, in order and apart.
fn weeks() -> impl Strategy<Value = Vec<Vec<(u16, u16)>>> {
    let spans = prop_oneof![
        Just(Vec::new()),
        (0_u16..47, 1_u16..48).prop_map(|(from, length)| vec![(from * 30, (from + length).min(48) * 30)]),
        (1_u16..12, 1_u16..10, 1_u16..8, 1_u16..16).prop_map(|(from, a, pause, b)| {
            let first = (from * 30, (from + a) * 30);
            let start = first.1 + pause * 30;
            vec![first, (start, (start + b * 30).min(48 * 30))]
        }),
    ];
    proptest::collection::vec(spans, 7)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn hours_told_in_words_are_read_again(week in weeks()) {
        prop_assume!(week.iter().any(|spans| !spans.is_empty()));
        const NAMES: [&str; 7] = ["seg", "ter", "qua", "qui", "sex", "sáb", "dom"];
        let clock = |minutes: u16| format!("{}:{:02}", minutes / 60, minutes % 60);
        let lines = week.iter().zip(NAMES).map(|(spans, name)| {
            let spans: Vec<String> = spans.iter().map(|(a, b)| format!("{}-{}", clock(*a), clock(*b))).collect();
            if spans.is_empty() { format!("{name} fechado") } else { format!("{name} {}", spans.join(", ")) }
        });
        let written = lines.collect::<Vec<_>>().join("\n");
        let read = OpeningHours::parse(&written).unwrap();
        prop_assert_eq!(OpeningHours::parse(&read.to_string()).unwrap(), read, "{}", written);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,80}", hours in "[a-zà-ú0-9h :,;.–-]{0,60}") {
        let _ = OpeningHours::parse(&text);
        let _ = parse_own(&text);
        if let Ok(read) = OpeningHours::parse(&hours) {
            prop_assert!(OpeningHours::parse(&read.to_string()).is_ok(), "{} -> {}", hours, read);
        }
    }

    /// The status holds until the moment it names, and is another one then.
    #[test]
    fn a_status_holds_until_the_moment_it_names(week in weeks(), minutes in 0_i64..60 * 24 * 60, fraction in 0.0..1.0_f64) {
        const NAMES: [&str; 7] = ["seg", "ter", "qua", "qui", "sex", "sáb", "dom"];
        let lines = week.iter().zip(NAMES).flat_map(|(spans, name)| {
            spans.iter().map(move |(a, b)| format!("{name} {}h{:02}-{}h{:02}", a / 60, a % 60, b / 60, b % 60))
        });
        let mut seen = std::collections::BTreeMap::<String, Vec<String>>::new();
        for line in lines {
            let (name, span) = line.split_once(' ').unwrap();
            seen.entry(name.to_owned()).or_default().push(span.to_owned());
        }
        let text = seen.iter().map(|(name, spans)| format!("{name} {}", spans.join(", "))).collect::<Vec<_>>().join("; ");
        prop_assume!(!text.is_empty());
        let hours = BusinessHours { opening: OpeningHours::parse(&text).unwrap(), own: Vec::new(), national: true };
        let now = day(TODAY.0, TODAY.1, TODAY.2).and_hms_opt(0, 0, 0).unwrap() + TimeDelta::minutes(minutes);
        match hours.status(now) {
            Status::Open { until: Some(until) } => {
                prop_assert!(until > now);
                let between = now + (until - now).to_std().map(|all| TimeDelta::from_std(all.mul_f64(fraction)).unwrap()).unwrap();
                if between < until {
                    let still = matches!(hours.status(between), Status::Open { until: Some(same) } if same == until);
                    prop_assert!(still, "{:?}", hours.status(between));
                }
                let over = matches!(hours.status(until), Status::Closed { .. });
                prop_assert!(over);
            }
            Status::Open { until: None } => {}
            Status::Closed { opens, .. } => {
                let opens = opens.expect("a week with hours opens again");
                prop_assert!(opens > now);
                let opened = matches!(hours.status(opens), Status::Open { .. });
                prop_assert!(opened);
                let before = matches!(hours.status(opens - TimeDelta::minutes(1)), Status::Closed { .. });
                prop_assert!(before);
            }
        }
    }

    #[test]
    fn easter_is_a_sunday_and_carnival_a_tuesday(year in 1990_i32..2150) {
        let of = |name: &str| NATIONAL_DAYS.iter().find(|day| day.name == name).unwrap().of_year(year).unwrap();
        prop_assert_eq!(of("Páscoa").weekday(), Weekday::Sun);
        prop_assert_eq!(of("Carnaval").weekday(), Weekday::Tue);
        prop_assert_eq!(of("Corpus Christi").weekday(), Weekday::Thu);
        prop_assert_eq!(of("Sexta-feira Santa").weekday(), Weekday::Fri);
    }
}
