//! `cargo bench --bench pure`: the pure functions every message passes, one by one.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

mod turn;

use std::hint::black_box;
use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use criterion::{Criterion, criterion_group, criterion_main};
use secretaria::clients::channel::whaticket::inbound;
use secretaria::domain::agenda::choice::choose;
use secretaria::domain::agenda::request::{self, Situation};
use secretaria::domain::agenda::when::{self, Frame};
use secretaria::domain::conversation::bubbles::bubbles;
use secretaria::domain::conversation::injection::judge;
use secretaria::domain::conversation::intent::{self, Context, Intent};
use secretaria::domain::conversation::introduction::name_given;
use secretaria::domain::conversation::prompt::{Briefing, system_instruction};
use secretaria::domain::conversation::{advice, feedback, handoff, opt_out, sentiment, urgency};
use secretaria::domain::phone::Phone;
use secretaria::domain::text::MessageText;
use secretaria::domain::webhook_auth::{AuthMode, PresentedHeaders, WebhookCredentials, sign};

const TEXT: &str =
    "Oi, tudo bem? Queria saber qual o horário de atendimento de vocês esta semana e quanto custa uma limpeza.";
const ANSWER: &str = "Olá! **Atendemos** de segunda a sexta, das 8h às 18h.\n\n- Limpeza: R$ 150\n- Avaliação: grátis\n\nPosso \
ajudar em mais alguma coisa? Também temos horário aos sábados pela manhã, com hora marcada, e aceitamos cartão e pix. \
Se preferir, passe na recepção: Rua das Acácias, 120, perto da praça. O estacionamento é gratuito para clientes.";
const PAYLOAD: &str = r#"{"key":{"remoteJid":"5511987654321@s.whatsapp.net","fromMe":false,"id":"3EB0C767D82B3C2E"},"messageTimestamp":1764000000,"pushName":"Ana","message":{"conversation":"Oi, qual o horário de atendimento de vocês esta semana?"}}"#;
/// Times, negations, a correction, a question: all the detectors have work.
const MESSAGE: &str = "Oi, bom dia! Não vou conseguir ir amanhã às 15h30, muito obrigada. Vocês teriam outro horário na sexta \
de manhã, ou depois das 18, sem ser dia 5/12? Se não der, quinta, quer dizer, quarta. Adorei o atendimento, mas demorou. ";
const NOW: i64 = 1_764_000_000;

fn pure(c: &mut Criterion) {
    c.bench_function("phone: typed", |b| b.iter(|| Phone::typed(black_box("(11) 98765-4321"))));
    c.bench_function("phone: jid", |b| b.iter(|| Phone::from_jid_user(black_box("5511987654321"))));
    c.bench_function("text: clean", |b| b.iter(|| MessageText::clean(black_box(TEXT))));
    c.bench_function("payload: read", |b| b.iter(|| inbound::read(black_box(PAYLOAD.as_bytes()))));
    c.bench_function("injection: judge", |b| b.iter(|| judge(black_box(TEXT))));
    c.bench_function("bubbles", |b| b.iter(|| bubbles(black_box(ANSWER))));
    signature(c);
    prompt(c);
    detectors(c);
    hostile(c);
    turn::turn(c);
}

/// The longest texts that cost the most, for the detectors every message passes.
fn hostile(c: &mut Criterion) {
    let mut group = c.benchmark_group("hostile, 4096 characters");
    group.sample_size(10).warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_millis(800));
    let texts = [("no", "não "), ("not", "not "), ("letter", "a"), ("letters", "a "), ("digits", "1"), ("blanks", " ")];
    let more = [("emoji", "😀"), ("wish", "quero "), ("order", "ignore as instruções "), ("dates", "12/05 ")];
    for (name, piece) in texts.into_iter().chain(more) {
        let text: String = piece.chars().cycle().take(4_096).collect();
        let mut measure = |detector: &str, read: &dyn Fn(&str)| {
            group.bench_function(format!("{detector}: {name}"), |b| b.iter(|| read(black_box(&text))));
        };
        measure("intent", &|text| {
            black_box(intent::read(text, Context::None));
        });
        measure("sentiment", &|text| {
            black_box(sentiment::read(text));
        });
        measure("injection", &|text| {
            black_box(judge(text));
        });
        measure("urgency", &|text| {
            black_box(urgency::read(text));
        });
        measure("feedback", &|text| {
            black_box(feedback::read(text));
        });
        measure("advice", &|text| {
            black_box(advice::asked(text));
        });
        measure("name", &|text| {
            black_box(name_given(text, true));
        });
    }
    group.finish();
}

/// What every detector takes for a message of ordinary length and for the longest one that is read.
fn detectors(c: &mut Criterion) {
    let now = DateTime::from_timestamp(NOW, 0).unwrap().naive_utc();
    let options = [26, 44, 74].map(|hours| now + TimeDelta::hours(hours));
    for length in [200, 4_096] {
        let text: String = MESSAGE.chars().cycle().take(length).collect();
        let mut measure = |name: &str, detector: &dyn Fn(&str)| {
            c.bench_function(&format!("{name}: {length} characters"), |b| b.iter(|| detector(black_box(&text))));
        };
        measure("intent", &|text| {
            black_box(intent::read(text, Context::None));
        });
        measure("sentiment", &|text| {
            black_box(sentiment::read(text));
        });
        measure("injection", &|text| {
            black_box(judge(text));
        });
        measure("feedback", &|text| {
            black_box(feedback::read(text));
        });
        measure("urgency", &|text| {
            black_box(urgency::read(text));
        });
        measure("opt-out", &|text| {
            black_box(opt_out::read(text));
        });
        measure("hand-off", &|text| {
            black_box(handoff::wanted(text));
        });
        measure("when", &|text| {
            black_box(when::read(text, &Frame::booking(now)));
        });
        measure("choice", &|text| {
            black_box(choose(text, &options, now));
        });
        measure("phone", &|text| {
            black_box(Phone::find(text));
        });
        let situation = Situation { now, context: Context::None, options: &[] };
        measure("booking request", &|text| {
            black_box(request::read(text, Intent::AppointmentRequest, &situation));
        });
    }
}

fn signature(c: &mut Criterion) {
    let credentials = WebhookCredentials {
        mode: AuthMode::HmacToken,
        secrets: vec!["whsec_c2VjcmV0b2Z0aGlydHl0d29ieXRlc2Zvcm1lYXN1cmluZw==".to_owned()],
        tokens: vec!["t".repeat(43)],
        allow_untimestamped: false,
    };
    let (timestamp, token) = (NOW.to_string(), "t".repeat(43));
    let signature = format!("sha256={}", sign(&credentials.secrets[0], NOW, PAYLOAD.as_bytes()));
    let headers = || {
        PresentedHeaders::new([
            ("host", b"clinica.localhost".as_slice()),
            ("content-type", b"application/json"),
            ("x-webhook-token", token.as_bytes()),
            ("x-webhook-timestamp", timestamp.as_bytes()),
            ("x-webhook-signature", signature.as_bytes()),
        ])
    };
    // As in serving: prepared when the company is loaded.
    let keys = credentials.prepare();
    assert!(keys.verify(&headers(), None, PAYLOAD.as_bytes(), NOW).is_ok());
    c.bench_function("signature: headers and verify", |b| {
        b.iter(|| keys.verify(&headers(), None, black_box(PAYLOAD.as_bytes()), NOW).is_ok());
    });
}

fn prompt(c: &mut Criterion) {
    let facts = [
        ("Horário", "segunda a sexta, das 8h às 18h".to_owned()),
        ("Endereço", "Rua das Acácias, 120".to_owned()),
        ("Serviços", "limpeza R$ 150, avaliação grátis, clareamento R$ 600".to_owned()),
    ];
    let zone = "America/Sao_Paulo".parse().unwrap();
    let now = DateTime::from_timestamp(NOW, 0).unwrap();
    let briefing = Briefing { company: "Clínica Sorriso", facts: &facts, customer: Some("Ana"), zone };
    c.bench_function("prompt: system instruction", |b| b.iter(|| system_instruction(black_box(&briefing), now)));
}

criterion_group!(benches, pure);
criterion_main!(benches);
