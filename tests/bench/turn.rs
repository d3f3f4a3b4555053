//! The pure part of a turn, step by step, with the benchmark's texts: at a first contact and after ten exchanges.

use std::hint::black_box;
use std::sync::LazyLock;

use chrono::DateTime;
use criterion::Criterion;
use secretaria::clients::channel::whaticket::inbound;
use secretaria::domain::conversation::bubbles::bubbles;
use secretaria::domain::conversation::decide::{Booking, Situation, decide};
use secretaria::domain::conversation::feedback::Share;
use secretaria::domain::conversation::history::{Author, Line};
use secretaria::domain::conversation::injection::judge;
use secretaria::domain::conversation::intent::Context;
use secretaria::domain::conversation::introduction::name_given;
use secretaria::domain::conversation::profile::{Heard, Profile};
use secretaria::domain::conversation::prompt::{Briefing, Material, instruction};
use secretaria::domain::conversation::sentiment::Mood;
use secretaria::domain::conversation::standing::Standing;
use secretaria::domain::conversation::synthesis::synthesis;
use secretaria::domain::conversation::tone::{Style, ToneProfile};
use secretaria::domain::conversation::truth::{ReadFacts, Truths, check};
use secretaria::domain::inbound::{Inbound, InboundMessage};

const NOW: i64 = 1_764_000_000;
const EXCHANGES: u32 = 10;

static READ: LazyLock<ReadFacts> = LazyLock::new(ReadFacts::default);

fn asked(n: u32) -> String {
    format!("Oi, qx7v1234n{n}x, qual o horário de atendimento de vocês esta semana?")
}

fn answered(n: u32) -> String {
    format!("Olá! Sobre qx7v1234n{n}x: atendemos de segunda a sexta, das 8h às 18h. Posso ajudar em mais alguma coisa?")
}

fn message(n: u32) -> InboundMessage {
    let body = format!(
        r#"{{"key":{{"remoteJid":"5511980001234@s.whatsapp.net","fromMe":false,"id":"B{n}"}},"messageTimestamp":{NOW},"pushName":"Ana","message":{{"conversation":"{}"}}}}"#,
        asked(n)
    );
    let message = match inbound::read(body.as_bytes()).unwrap().remove(0) {
        Inbound::Message(message) => Some(message),
        _ => None,
    };
    message.unwrap()
}

fn history(exchanges: u32) -> Vec<Line> {
    // One exchange every four minutes, so that only the last few are near each other.
    let at = |ago: u32, seconds: i64| DateTime::from_timestamp(NOW - i64::from(ago) * 240 + seconds, 0).unwrap();
    (0..exchanges)
        .flat_map(|n| {
            let ago = exchanges - n;
            [
                Line::new(Author::Customer, asked(n)).at(at(ago, 0)).judged(),
                Line::new(Author::Assistant, answered(n)).at(at(ago, 2)),
            ]
        })
        .collect()
}

/// Every step by itself, then all of them.
pub fn turn(c: &mut Criterion) {
    for exchanges in [0, EXCHANGES] {
        let place = Place::new(exchanges);
        let mut measure = |name: &str, step: &dyn Fn()| {
            c.bench_function(&format!("turn after {exchanges}: {name}"), |b| b.iter(step));
        };
        measure("decide", &|| place.decide());
        measure("name", &|| place.name());
        measure("prompt", &|| drop(black_box(place.prompt())));
        measure("history shown", &|| place.harmless());
        measure("history judged anew", &|| place.judge_history());
        let system = place.prompt();
        measure("truth", &|| place.truth(&system));
        measure("bubbles", &|| drop(black_box(bubbles(&place.answer))));
        measure("learn", &|| place.learn());
        measure("all", &|| {
            place.decide();
            place.name();
            let system = place.prompt();
            place.harmless();
            place.truth(&system);
            black_box(bubbles(&place.answer));
            place.learn();
        });
    }
}

struct Place {
    message: InboundMessage,
    lines: Vec<Line>,
    standing: Standing,
    profile: Profile,
    answer: String,
    facts: [(&'static str, String); 2],
}

impl Place {
    fn new(exchanges: u32) -> Self {
        let mut profile = Profile::default();
        for n in 0..exchanges {
            profile.learn(&Heard { text: &asked(n), ..Heard::default() });
        }
        Self {
            message: message(exchanges),
            lines: history(exchanges),
            standing: Standing::default(),
            profile,
            answer: answered(exchanges),
            facts: [
                ("Horário de funcionamento", "segunda a sexta, das 8h às 18h".to_owned()),
                ("Endereço", "Rua das Acácias, 120".to_owned()),
            ],
        }
    }

    fn text(&self) -> &str {
        self.message.text.as_ref().unwrap().as_str()
    }

    fn decide(&self) {
        black_box(decide(&Situation {
            messages: &[&self.message],
            history: &self.lines,
            standing: &self.standing,
            context: Context::None,
            booking: Booking::Idle,
            ai_enabled: true,
            loop_guard: true,
            transcribes: false,
            now_ms: NOW * 1000,
        }));
    }

    /// The name on the profile, and one given in words.
    fn name(&self) {
        black_box(judge("Ana").blocks());
        black_box(name_given(self.text(), false));
    }

    fn prompt(&self) -> String {
        let briefing = Briefing {
            company: "Empresa 7",
            facts: &self.facts,
            customer: Some("Ana"),
            zone: "America/Sao_Paulo".parse().unwrap(),
        };
        let tone = ToneProfile::of(Style::Friendly, Share::default(), Mood::Neutral);
        let synthesis = synthesis(&[], &[], 400);
        let material =
            Material { profile: Some(&self.profile), synthesis: &synthesis, tone: Some(&tone), ..Material::default() };
        instruction(&briefing, &material, DateTime::from_timestamp(NOW, 0).unwrap()).text
    }

    /// What is kept from the model in its own turn is kept from it later too.
    fn harmless(&self) {
        for line in &self.lines {
            black_box(line.is_blocked());
        }
    }

    /// What that took before the verdict was kept with the line.
    fn judge_history(&self) {
        for line in self.lines.iter().filter(|line| line.by == Author::Customer) {
            black_box(judge(&line.text).blocks());
        }
    }

    fn truth(&self, system: &str) {
        let labelled: Vec<String> = self.facts.iter().map(|(label, fact)| format!("{label}: {fact}")).collect();
        let facts: Vec<&str> = ["Empresa 7", ""].into_iter().chain(labelled.iter().map(String::as_str)).collect();
        let customer = self.lines.iter().filter(|line| line.by == Author::Customer);
        let said: Vec<&str> = customer.map(|line| line.text.as_str()).chain([self.text()]).collect();
        let truths = Truths {
            facts: &facts,
            customer_said: &said,
            own_phone: None,
            names: &["Ana"],
            slots: &[],
            effects: &[],
            appointments: &[],
            read_facts: &READ,
            system_prompt: system,
            now: DateTime::from_timestamp(NOW, 0).unwrap().naive_utc(),
        };
        let blocked = check(&self.answer, &truths);
        assert!(blocked.is_empty(), "{blocked:?}");
    }

    fn learn(&self) {
        let mut profile = self.profile.clone();
        black_box(profile.learn(&Heard { text: self.text(), ..Heard::default() }));
    }
}
