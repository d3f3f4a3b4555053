//! The model in trouble: what is asked again, what is not, and what the customer hears.

use std::time::Duration;

use secretaria::clients::llm::{ChatRequest, ChatRole, ChatTurn};
use secretaria::config::{LogFormat, LogSettings};
use secretaria::services::llm;
use secretaria::standins::{Fault, FaultKind, Provider};
use secretaria::telemetry::logging;
use serde_json::{Value, json};

use crate::harness::{Company, World};

const ANA: &str = "5511987654321";
/// What only the model answers; a courtesy is returned without it.
const QUESTION: &str = "vocês atendem no sábado?";
const TECHNICAL: &str = "Estou com um problema técnico";
const FALLBACK: &str = "Desculpe, não consegui responder agora";

fn gemini(kind: FaultKind) -> Fault {
    Fault::new(Provider::Gemini, kind)
}

fn status(code: u16, word: &str, details: Value) -> Fault {
    Fault::status(
        Provider::Gemini,
        code,
        json!({"error": {"code": code, "status": word, "message": word, "details": details}}),
    )
}

fn retry_info(delay: &str) -> Value {
    json!([{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}])
}

/// Logs of this process as JSON, whoever asked first.
pub fn capture() -> logging::Capture {
    logging::silence_stderr(true);
    let settings = LogSettings { format: LogFormat::Json, filter: "info".to_owned() };
    logging::install(&settings, false).unwrap();
    logging::capture()
}

/// Lines of a company at ERROR that speak of a configuration.
pub fn configuration_alarms(capture: &logging::Capture, company: &Company) -> usize {
    let lines = capture.lines();
    let lines = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines
        .filter(|line| {
            line["level"] == "ERROR"
                && line["company"] == company.id.get()
                && line["message"].as_str().is_some_and(|message| message.starts_with("CONFIGURATION"))
        })
        .count()
}

/// One message in a world with this trouble: what was heard, and how many calls were made.
async fn one_turn(world: &World, text: &str) -> (String, usize) {
    let before = world.model_calls().len();
    let ana = world.customer(&world.clinic, ANA);
    ana.says(text).await.expect_status(202);
    world.quiet().await;
    world.standins.clear_faults();
    (ana.heard().last().cloned().unwrap_or_default(), world.model_calls().len() - before)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_reply_is_asked_again_once() {
    let world = World::start().await;
    world.standins.add_fault(gemini(FaultKind::Empty).times(1));
    assert_eq!(one_turn(&world, "eco: oi").await, ("oi (1)".to_owned(), 2));
    world.standins.add_fault(gemini(FaultKind::Empty));
    let (heard, calls) = one_turn(&world, "eco: oi").await;
    assert!(heard.starts_with(FALLBACK), "{heard}");
    assert_eq!(calls, 2);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn thinking_that_ate_the_budget_gets_twice_the_room() {
    let world = World::start().await;
    world.standins.add_fault(gemini(FaultKind::MaxTokens).times(1));
    assert_eq!(one_turn(&world, "eco: oi").await, ("oi (1)".to_owned(), 2));
    let room: Vec<i64> = world
        .model_calls()
        .iter()
        .map(|call| call.body["generationConfig"]["maxOutputTokens"].as_i64().unwrap())
        .collect();
    assert_eq!(room[1], room[0] * 2);
    assert_eq!(world.sql(&world.clinic, "SELECT tokens_out >= 1024, tokens_estimated FROM turn"), "t|f");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn blocked_answers_are_not_asked_again_and_cut_ones_end_in_a_sentence() {
    let world = World::start().await;
    for kind in [FaultKind::Blocked, FaultKind::BlockedAnswer] {
        world.standins.add_fault(gemini(kind));
        let (heard, calls) = one_turn(&world, "oi").await;
        // The second in a row fetches a person.
        let second = kind == FaultKind::BlockedAnswer;
        assert!(heard.starts_with(if second { "Certo, vou chamar uma pessoa" } else { FALLBACK }), "{heard}");
        assert_eq!(calls, 1, "{kind:?}");
    }
    assert_eq!(world.metric(&world.clinic, "fallback_replies_total", "reason=\"blocked\""), 2.0);
    world.echo(&world.clinic, ANA, "#assistente", "OWN1").await.expect_status(200);
    world.quiet().await;
    world.standins.add_fault(gemini(FaultKind::Cut));
    assert_eq!(one_turn(&world, "oi").await, ("Funcionamos de segunda a sexta.".to_owned(), 1));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_key_is_an_alarm_and_one_call() {
    let capture = capture();
    let world = World::start().await;
    world.configure(&world.clinic, &[("secret:llm.api_key", "wrong-key-of-the-clinic")]).await;
    let (heard, calls) = one_turn(&world, QUESTION).await;
    assert!(heard.starts_with(TECHNICAL), "{heard}");
    assert_eq!(calls, 1);
    assert_eq!(configuration_alarms(&capture, &world.clinic), 1);
    assert_eq!(configuration_alarms(&capture, &world.salon), 0);
    assert_eq!(world.metric(&world.clinic, "fallback_replies_total", "reason=\"misconfigured\""), 1.0);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_is_gone_is_replaced_by_the_second_one() {
    let world = World::builder().set("llm.fallback_model", "gemini-3.6-flash").set("llm.tries", 1).start().await;
    world.configure(&world.clinic, &[("llm.model", "gemini-pro")]).await;
    assert_eq!(one_turn(&world, "eco: oi").await, ("oi (1)".to_owned(), 2));
    assert!(world.model_calls()[1].path.contains("gemini-3.6-flash"));
    assert_eq!(world.sql(&world.clinic, "SELECT model FROM turn"), "gemini-3.6-flash");
    world.end().await;
    let world = World::start().await;
    world.configure(&world.clinic, &[("llm.model", "gemini-pro")]).await;
    let (heard, calls) = one_turn(&world, QUESTION).await;
    assert!(heard.starts_with(TECHNICAL) && calls == 1, "{heard} {calls}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn patience_is_obeyed_within_the_budget_and_not_beyond() {
    let world = World::start().await;
    world.standins.add_fault(status(429, "RESOURCE_EXHAUSTED", retry_info("0.4s")).times(1));
    assert_eq!(one_turn(&world, "eco: oi").await, ("oi (1)".to_owned(), 2));
    let calls = world.model_calls();
    assert!(calls[1].at - calls[0].at >= chrono::TimeDelta::milliseconds(390), "waited as asked");
    world.standins.add_fault(status(429, "RESOURCE_EXHAUSTED", retry_info("38s")).times(1));
    let (heard, calls) = one_turn(&world, QUESTION).await;
    assert!(heard.starts_with(TECHNICAL) && calls == 1, "{heard} {calls}");
    let quota = json!([{"@type": "type.googleapis.com/google.rpc.QuotaFailure",
        "violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]}]);
    world.standins.add_fault(status(429, "RESOURCE_EXHAUSTED", quota).times(1));
    let (heard, calls) = one_turn(&world, QUESTION).await;
    assert!(heard.starts_with(TECHNICAL) && calls == 1, "{heard} {calls}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overloaded_model_is_asked_three_times_and_the_error_budget_shows_it() {
    let world = World::builder().set("llm.error_budget_target", "0.5").start().await;
    world.standins.add_fault(status(503, "UNAVAILABLE", json!([])).times(2));
    assert_eq!(one_turn(&world, "eco: oi").await, ("oi (1)".to_owned(), 3));
    let rate = world.metric(&world.clinic, "llm_error_rate", "");
    assert!((rate - 2.0 / 3.0).abs() < 1e-9, "{rate}");
    assert_eq!(world.metric(&world.clinic, "llm_error_budget_remaining_ratio", ""), 0.0);
    world.standins.add_fault(status(503, "UNAVAILABLE", json!([])));
    let (heard, calls) = one_turn(&world, QUESTION).await;
    assert!(heard.starts_with(TECHNICAL) && calls == 3, "{heard} {calls}");
    assert_eq!(world.sql(&world.clinic, "SELECT reason FROM turn ORDER BY decided_at DESC LIMIT 1"), "technical_issue");
    world.end().await;
}

fn question() -> ChatRequest {
    ChatRequest {
        system: "Você é a secretária.".to_owned(),
        turns: vec![ChatTurn { role: ChatRole::User, text: "eco: oi".to_owned() }],
        max_output_tokens: 1024,
        timeout: Duration::from_secs(5),
        correlation_id: "c-1".to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_breaker_opens_for_all_processes_and_one_probe_closes_it() {
    let world = World::builder().set("llm.breaker_failures", 3).start().await;
    let other = world.second_process().await;
    let elsewhere = other.services.directory.by_id(world.clinic.id).unwrap();
    world.standins.add_fault(status(503, "UNAVAILABLE", json!([])));
    let here = world.tenant(&world.clinic);
    let failed = llm::ask(&world.process.services, &here, question()).await;
    assert!(failed.text.is_none());
    assert_eq!(world.model_calls().len(), 3);
    assert_eq!(world.metric(&world.clinic, "llm_circuit_state", ""), 2.0);
    // Open: neither process asks, and another company's breaker is its own.
    assert!(llm::ask(&other.services, &elsewhere, question()).await.text.is_none());
    assert!(one_turn(&world, QUESTION).await.0.starts_with(TECHNICAL));
    assert_eq!(world.model_calls().len(), 3);
    let salon = llm::ask(&world.process.services, &world.tenant(&world.salon), question()).await;
    assert!(salon.text.is_some());
    // Half open: one probe of all, which fails; then one that closes it.
    world.clock.advance(Duration::from_secs(61));
    world.standins.add_fault(status(503, "UNAVAILABLE", json!([])));
    let before = world.model_calls().len();
    assert!(llm::ask(&other.services, &elsewhere, question()).await.text.is_none());
    assert!(llm::ask(&world.process.services, &here, question()).await.text.is_none());
    assert_eq!(world.model_calls().len() - before, 1, "a single probe");
    world.standins.clear_faults();
    world.clock.advance(Duration::from_secs(61));
    assert!(llm::ask(&other.services, &elsewhere, question()).await.text.is_some());
    assert!(llm::ask(&world.process.services, &here, question()).await.text.is_some());
    other.shutdown.stop();
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_kept_as_reported_or_estimated_and_counted_live() {
    let world = World::start().await;
    assert_eq!(one_turn(&world, "eco: oi").await.1, 1);
    assert_eq!(world.sql(&world.clinic, "SELECT tokens_in > 50, tokens_out, tokens_estimated FROM turn"), "t|2|f");
    let uncounted = json!({"candidates": [{"content": {"parts": [{"text": "Sem conta."}]}, "finishReason": "STOP"}]});
    world.standins.add_fault(Fault::status(Provider::Gemini, 200, uncounted));
    assert_eq!(one_turn(&world, "oi").await.0, "Sem conta.");
    let newest = "SELECT tokens_in > 50, tokens_out, tokens_estimated FROM turn ORDER BY decided_at DESC LIMIT 1";
    assert_eq!(world.sql(&world.clinic, newest), "t|3|t");
    let month = world.clock.now().format("%Y-%m").to_string();
    let usage = format!("company:{{{}}}:usage:{month}", world.clinic.id);
    let live = |field: &str| world.redis_says(&["HGET", &usage, field]);
    assert_eq!((live("messages_in"), live("messages_out"), live("tokens_out")), ("2".into(), "2".into(), "5".into()));
    let stored = world.sql(&world.clinic, "SELECT sum(tokens_in) FROM turn");
    assert_eq!(live("tokens_in"), stored);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_answer_leaves_as_two_short_texts_in_order_without_markdown() {
    let world = World::start().await;
    let long = format!("## Serviços\n\n**Primeira** parte. {}", "Uma frase de tamanho razoável aqui. ".repeat(14));
    let body = json!({"candidates": [{"content": {"parts": [{"text": long}]}, "finishReason": "STOP"}]});
    world.standins.add_fault(Fault::status(Provider::Gemini, 200, body));
    one_turn(&world, "oi").await;
    let heard = world.texts_to(ANA);
    assert_eq!(heard.len(), 2, "{heard:?}");
    assert!(heard[0].starts_with("Serviços\n\n*Primeira* parte."), "{heard:?}");
    assert!(heard.iter().all(|text| text.chars().count() <= 300 && text.ends_with('.')), "{heard:?}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn braces_never_leave_as_a_template() {
    let world = World::start().await;
    let body =
        json!({"candidates": [{"content": {"parts": [{"text": "Olá {{name}}, {{{x"}]}, "finishReason": "STOP"}]});
    world.standins.add_fault(Fault::status(Provider::Gemini, 200, body));
    one_turn(&world, "oi").await;
    let sent = world.texts_to(ANA);
    assert!(sent.len() == 1 && !sent[0].contains("{{"), "{sent:?}");
    world.end().await;
}
