//! Nothing untrue leaves: which texts may be sent, and which are kept back for what they claim.

use chrono::NaiveDateTime;
use proptest::prelude::*;
use secretaria::domain::conversation::truth::{
    Blocked, ClaimKind, Effect, ReadFacts, Truths, check, check_lexicon, reason,
};

fn at(text: &str) -> NaiveDateTime {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M").expect("a moment")
}

const FACTS: [&str; 8] = [
    "Clínica Sorriso",
    "segunda a sexta, das 8h às 18h; sábado, das 8h às 12h",
    "Rua das Acácias, 120, centro, 3º andar",
    "Limpeza R$ 150,00 (40 minutos); Clareamento R$ 600,00 em até 6x sem juros; avaliação gratuita",
    "Telefone (11) 3344-5566; site www.clinicasorriso.com.br; e-mail contato@clinicasorriso.com.br; Instagram @clinicasorriso",
    "Aceitamos Pix, cartão e convênio Amil. Não atendemos no dia 25/12.",
    "A Dra. Lia Prado atende às terças e quintas. Temos 2 unidades. Emergência 24 horas.",
    "Consultas canceladas com menos de 24 horas de antecedência são cobradas.",
];

const PROMPT: &str = "Você é a secretária virtual de Clínica Sorriso, atendendo clientes pelo WhatsApp.\n\
    Fatos da empresa:\n\
    - Horário de funcionamento: segunda a sexta, das 8h às 18h; sábado, das 8h às 12h\n\
    Regras:\n\
    - Responda em português do Brasil, em no máximo 2 frases curtas e 300 caracteres, com no máximo uma pergunta.\n\
    - Nunca invente preço, horário, endereço ou promessa. Nunca diga que algo foi marcado, remarcado ou cancelado.";

/// What is true in each situation of the tables.
fn judged(situation: &str, text: &str) -> Vec<Blocked> {
    let slots = ["2026-11-26T09:00", "2026-11-26T14:30", "2026-11-27T10:00"].map(at);
    let there = at("2026-11-26T14:30");
    let nothing = Truths {
        facts: &FACTS,
        customer_said: &["Oi, quero marcar uma limpeza amanhã às 15h, meu número é 11 98765-4321"],
        own_phone: Some("5511987654321"),
        names: &["Ana Paula"],
        slots: &[],
        effects: &[],
        appointments: &[],
        read_facts: &ReadFacts::default(),
        system_prompt: PROMPT,
        now: at("2026-11-25T10:00"),
    };
    match situation {
        "nothing" => check(text, &nothing),
        "offered" => check(text, &Truths { slots: &slots, ..nothing }),
        "booked" => check(text, &Truths { effects: &[Effect::Booked { at: there }], ..nothing }),
        "cancelled" => check(text, &Truths { effects: &[Effect::Cancelled { at: there }], ..nothing }),
        "moved" => {
            let moved = Effect::Rescheduled { from: there, to: at("2026-11-27T10:00") };
            check(text, &Truths { effects: &[moved], ..nothing })
        }
        "has" => {
            let asked = ["Que horas é minha consulta?"];
            check(text, &Truths { appointments: &[there], customer_said: &asked, ..nothing })
        }
        other => panic!("no situation [{other}]"),
    }
}

/// The lines of a table with the section they stand in; `\n` in a line is a line break.
fn lines(file: &'static str) -> impl Iterator<Item = (&'static str, String)> {
    let mut section = "";
    file.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')).filter_map(move |line| {
        match line.strip_prefix('[') {
            Some(name) => {
                section = name.trim_end_matches(']');
                None
            }
            None => Some((section, line.replace("\\n", "\n"))),
        }
    })
}

#[test]
fn the_lexicon_can_be_read() {
    check_lexicon().unwrap();
}

#[test]
fn what_is_not_true_is_kept_back_for_what_it_claims() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for (situation, line) in lines(include_str!("truth/blocked.txt")) {
        let (text, kind) = line.rsplit_once(" => ").expect("a text and a kind");
        let blocked = judged(situation, text);
        count += 1;
        if !blocked.iter().any(|one| one.kind.label() == kind) {
            wrong.push(format!("[{situation}] {text} => {kind}, but: {blocked:?}"));
        }
    }
    assert!(count >= 150, "{count} sentences");
    assert!(wrong.is_empty(), "{} of {count}\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_is_true_or_claims_nothing_may_be_sent() {
    let mut wrong = Vec::new();
    for (situation, text) in lines(include_str!("truth/allowed.txt")) {
        let blocked = judged(situation, &text);
        if !blocked.is_empty() {
            wrong.push(format!("[{situation}] {text}: {blocked:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_model_is_told_what_was_wrong_and_what_is_allowed() {
    let blocked = judged("nothing", "Marcado! A limpeza custa R$ 99, te espero amanhã às 15h.");
    let told = reason(&blocked);
    for words in ["isso não aconteceu", "R$ 99", "amanha as 15h", "confirmar com a equipe"] {
        assert!(told.contains(words), "{words} is missing: {told}");
    }
    let kinds: Vec<&str> = ClaimKind::ALL.iter().map(|kind| kind.label()).collect();
    assert!(kinds.iter().all(|label| label.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')), "{kinds:?}");
}

#[test]
fn what_is_told_is_true_only_while_it_is() {
    let offer = "Temos amanhã às 14h30, pode ser?";
    assert!(judged("offered", offer).is_empty());
    assert!(!judged("nothing", offer).is_empty(), "the slot is gone");
    let claim = "Sua limpeza está marcada para amanhã às 14h30.";
    assert!(judged("booked", claim).is_empty());
    assert!(!judged("offered", claim).is_empty(), "an offer is no booking");
    assert!(!judged("cancelled", claim).is_empty(), "it is cancelled");
}

const PIECES: [&str; 60] = [
    "dia",
    "31/02",
    "às",
    "9",
    "e",
    "meia",
    "R$",
    "80",
    "reais",
    "não",
    "marcado",
    "agendei",
    "?",
    "!",
    ".",
    ",",
    "amanhã",
    "sexta",
    "temos",
    "vaga",
    "http://",
    "x.com",
    "@ana",
    "(11)",
    "98765-4321",
    "Carla",
    "Dra.",
    "10%",
    "12x",
    "cento",
    "mil",
    "por",
    "se",
    "quando",
    "você",
    "tem",
    "de",
    "graça",
    "Rua",
    "Brasil",
    "tome",
    "500mg",
    "garantimos",
    "\n",
    "1.",
    "-",
    ":",
    "15h30",
    "das",
    "a",
    "segunda",
    "minutos",
    "há",
    "2",
    "dias",
    "já",
    "te",
    "espero",
    "pode",
    "vir",
];

fn moments() -> impl Strategy<Value = NaiveDateTime> {
    (0_i64..60 * 24 * 4).prop_map(|quarters| at("2026-11-26T00:00") + chrono::TimeDelta::minutes(quarters * 15))
}

fn told(moment: NaiveDateTime, way: usize) -> String {
    match way % 3 {
        0 => moment.format("Temos dia %d/%m às %H:%M, pode ser?").to_string(),
        1 => moment.format("Tenho um horário em %d/%m/%Y às %Hh%M.").to_string(),
        _ => moment.format("Surgiu uma vaga no dia %d/%m, às %Hh%M!").to_string(),
    }
}

proptest! {
    #[test]
    fn judging_never_fails(text in any::<String>()) {
        for situation in ["nothing", "offered", "booked"] {
            let _ = reason(&judged(situation, &text));
        }
    }

    #[test]
    fn claims_in_any_order_never_fail(words in prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..30)) {
        let text = words.join(" ");
        for situation in ["nothing", "offered", "booked", "has"] {
            let _ = judged(situation, &text);
        }
    }

    #[test]
    fn a_slot_on_offer_may_be_told_and_no_other_time(slot in moments(), other in moments(), way in 0_usize..3) {
        let truths = Truths {
            facts: &FACTS, customer_said: &["tem horário?"], own_phone: None, names: &[], slots: &[slot], effects: &[],
            appointments: &[], read_facts: &ReadFacts::default(), system_prompt: PROMPT, now: at("2026-11-25T10:00"),
        };
        prop_assert!(check(&told(slot, way), &truths).is_empty(), "{} {:?}", told(slot, way), check(&told(slot, way), &truths));
        if other != slot {
            prop_assert!(!check(&told(other, way), &truths).is_empty(), "{} with {} on offer", told(other, way), slot);
        }
    }
}
