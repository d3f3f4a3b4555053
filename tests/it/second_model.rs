//! Two models of one company: who is asked when, whose breaker opens, and one time budget for both.

use std::time::{Duration, Instant};

use secretaria::clients::llm::{ChatRequest, ChatRole, ChatTurn, LlmKind};
use secretaria::services::llm::{self, Answer};
use secretaria::standins::{Fault, FaultKind, Provider, StandIns};
use secretaria::telemetry::metrics::FallbackReason;
use serde_json::{Value, json};

use crate::harness::{Company, World};

/// The clinic asks Gemini first and OpenAI when that fails; the salon has Gemini only.
async fn world(settings: &[(&str, &str)]) -> World {
    let mut builder = World::builder().workers(0);
    for (key, value) in settings {
        builder = builder.set(key, value);
    }
    let world = builder.start().await;
    let (url, key) = (world.standins.openai_url(), StandIns::credential(world.clinic.id.get(), "two"));
    let second = [
        ("llm2.kind", "openai"),
        ("llm2.base_url", url.as_str()),
        ("llm2.model", "gpt-4o-mini"),
        ("secret:llm2.api_key", key.as_str()),
    ];
    world.configure(&world.clinic, &second).await;
    world
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

async fn ask(world: &World, company: &Company) -> Answer {
    llm::ask(&world.process.services, &world.tenant(company), question()).await
}

/// Who was asked, in order.
fn asked(world: &World) -> Vec<String> {
    world.ledger().iter().map(|entry| json!(entry.provider).as_str().unwrap().to_owned()).collect()
}

fn fails(world: &World, provider: Provider, fault: Fault) {
    world.standins.add_fault(Fault { provider, ..fault });
}

fn status(code: u16, body: Value) -> Fault {
    Fault::status(Provider::Gemini, code, body)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_preferred_model_answers_alone_while_it_works() {
    let world = world(&[]).await;
    let answer = ask(&world, &world.clinic).await;
    assert_eq!((answer.text.as_deref(), answer.kind), (Some("oi (1)"), Some(LlmKind::Gemini)));
    assert_eq!(asked(&world), ["gemini"]);
    // The order is the company's.
    let (url, key) = (world.standins.openai_url(), StandIns::credential(world.clinic.id.get(), "one"));
    let turned = [
        ("llm.kind", "openai"),
        ("llm.base_url", url.as_str()),
        ("llm.model", "gpt-4.1-mini"),
        ("secret:llm.api_key", key.as_str()),
    ];
    world.configure(&world.clinic, &turned).await;
    let answer = ask(&world, &world.clinic).await;
    assert_eq!((answer.kind, answer.model.as_deref()), (Some(LlmKind::OpenAi), Some("gpt-4.1-mini")));
    assert_eq!(asked(&world), ["gemini", "openai"]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_first_fails_of_the_second_answers() {
    let world = world(&[("llm.breaker_failures", "1000")]).await;
    let quota =
        json!({"error": {"status": "RESOURCE_EXHAUSTED", "details": [{"violations": [{"quotaId": "PerDay"}]}]}});
    let patience = json!({"error": {"status": "RESOURCE_EXHAUSTED", "details": [{"retryDelay": "38s"}]}});
    let rows = [
        ("overloaded", status(503, json!({})), 3),
        ("a refused key", status(403, json!({})), 1),
        ("a model that is gone", status(404, json!({})), 1),
        ("a refused request", status(400, json!({})), 1),
        ("the day's quota", status(429, quota), 1),
        ("longer patience than there is", status(429, patience), 1),
        ("nothing said, twice", Fault::new(Provider::Gemini, FaultKind::Empty), 2),
        ("nonsense", Fault::new(Provider::Gemini, FaultKind::Garbage), 3),
        ("a dropped connection", Fault::new(Provider::Gemini, FaultKind::ResetBefore), 3),
    ];
    for (what, fault, calls) in rows {
        world.standins.clear_faults();
        fails(&world, Provider::Gemini, fault);
        let before = asked(&world).len();
        let answer = ask(&world, &world.clinic).await;
        assert_eq!(answer.text.as_deref(), Some("oi (1)"), "{what}");
        assert_eq!((answer.kind, answer.failure), (Some(LlmKind::OpenAi), None), "{what}");
        let then = asked(&world)[before..].to_vec();
        assert_eq!(then.len(), calls + 1, "{what}: {then:?}");
        assert!(then[..calls].iter().all(|one| one == "gemini") && then[calls] == "openai", "{what}: {then:?}");
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_key_of_the_first_is_no_reason_for_silence() {
    let world = world(&[]).await;
    let key = StandIns::credential(world.salon.id.get(), "two");
    let url = world.standins.openai_url();
    let second = [
        ("llm2.kind", "openai"),
        ("llm2.base_url", &url),
        ("llm2.model", "gpt-4o-mini"),
        ("secret:llm2.api_key", &key),
    ];
    world.configure(&world.salon, &second).await;
    world.unset(&world.salon, &["llm.api_key"]).await;
    assert_eq!(ask(&world, &world.salon).await.text.as_deref(), Some("oi (1)"));
    assert_eq!(asked(&world), ["openai"]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_content_is_final() {
    let world = world(&[]).await;
    for kind in [FaultKind::Blocked, FaultKind::BlockedAnswer] {
        world.standins.clear_faults();
        fails(&world, Provider::Gemini, Fault::new(Provider::Gemini, kind));
        assert_eq!(ask(&world, &world.clinic).await.failure, Some(FallbackReason::Blocked));
    }
    assert_eq!(asked(&world), ["gemini", "gemini"]);
    // The second one's refusal is as final.
    world.standins.clear_faults();
    fails(&world, Provider::Gemini, status(403, json!({})));
    fails(&world, Provider::OpenAi, Fault::new(Provider::OpenAi, FaultKind::BlockedAnswer));
    let answer = ask(&world, &world.clinic).await;
    assert_eq!((answer.text, answer.failure), (None, Some(FallbackReason::Blocked)));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_both_fail_the_last_ones_reason_counts_and_all_tokens_are_kept() {
    let world = world(&[]).await;
    fails(&world, Provider::Gemini, Fault::new(Provider::Gemini, FaultKind::MaxTokens));
    fails(&world, Provider::OpenAi, Fault::new(Provider::OpenAi, FaultKind::MaxTokens));
    let answer = ask(&world, &world.clinic).await;
    assert_eq!((answer.text.as_deref(), answer.failure, answer.silent), (None, Some(FallbackReason::LlmFailed), true));
    assert_eq!((answer.usage.input, answer.usage.output, answer.estimated), (480, 4096, false));
    let room = |field: &str, at: usize| world.ledger()[at].body.pointer(field).and_then(Value::as_u64).unwrap();
    assert_eq!(room("/generationConfig/maxOutputTokens", 1), 2048);
    assert_eq!((room("/max_tokens", 2), room("/max_tokens", 3)), (1024, 2048), "the second begins with its own room");
    world.standins.clear_faults();
    fails(&world, Provider::Gemini, status(503, json!({})));
    fails(&world, Provider::OpenAi, status(401, json!({})));
    assert_eq!(ask(&world, &world.clinic).await.failure, Some(FallbackReason::Misconfigured));
    let label = "provider=\"openai\"";
    assert_eq!(world.metric(&world.clinic, "llm_errors_total", label), 3.0, "two empty ones and a refused key");
    assert_eq!(world.metric(&world.clinic, "llm_errors_total", "provider=\"gemini\""), 5.0);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_model_has_its_own_breaker() {
    let world = world(&[("llm.breaker_failures", "3")]).await;
    fails(&world, Provider::Gemini, status(503, json!({})));
    assert!(ask(&world, &world.clinic).await.text.is_some());
    assert_eq!(world.metric(&world.clinic, "llm_circuit_state", "provider=\"gemini\""), 2.0);
    // Gemini's is open: the second is asked at once, and its own stays closed.
    world.standins.clear_faults();
    let before = asked(&world).len();
    for _ in 0..3 {
        assert_eq!(ask(&world, &world.clinic).await.kind, Some(LlmKind::OpenAi));
    }
    assert_eq!(asked(&world)[before..], ["openai", "openai", "openai"]);
    // Both open: nobody is asked.
    fails(&world, Provider::OpenAi, status(500, json!({})));
    assert!(ask(&world, &world.clinic).await.text.is_none());
    assert_eq!(world.metric(&world.clinic, "llm_circuit_state", "provider=\"openai\""), 2.0);
    world.standins.clear_faults();
    let before = asked(&world).len();
    assert_eq!(ask(&world, &world.clinic).await.failure, Some(FallbackReason::CircuitOpen));
    assert_eq!(asked(&world).len(), before);
    // The salon's Gemini is the same server and another company's breaker.
    assert!(ask(&world, &world.salon).await.text.is_some());
    // Half open: one probe brings the preferred one back.
    world.clock.advance(Duration::from_secs(61));
    assert_eq!(ask(&world, &world.clinic).await.kind, Some(LlmKind::Gemini));
    // One error budget for the company: what either failed of counts.
    let rate = world.metric(&world.clinic, "llm_error_rate", "");
    assert!(rate > 0.4 && rate < 0.8, "{rate}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_moved_begins_with_a_fresh_breaker() {
    let world = world(&[("llm.breaker_failures", "1"), ("llm.tries", "1")]).await;
    fails(&world, Provider::OpenAi, status(500, json!({})));
    fails(&world, Provider::Gemini, status(403, json!({})));
    assert!(ask(&world, &world.clinic).await.text.is_none());
    world.standins.clear_faults();
    fails(&world, Provider::Gemini, status(403, json!({})));
    assert_eq!(ask(&world, &world.clinic).await.failure, Some(FallbackReason::CircuitOpen));
    let local = world.standins.local_openai_url(world.clinic.id.get());
    world.configure(&world.clinic, &[("llm2.base_url", &local)]).await;
    assert_eq!(ask(&world, &world.clinic).await.text.as_deref(), Some("oi (1)"));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_first_leaves_the_second_its_time() {
    let world = world(&[("llm.budget_ms", "2000"), ("llm.call_timeout_ms", "1500")]).await;
    fails(&world, Provider::Gemini, Fault::new(Provider::Gemini, FaultKind::SilentAfterAccept));
    let begun = Instant::now();
    let answer = ask(&world, &world.clinic).await;
    assert_eq!(answer.kind, Some(LlmKind::OpenAi));
    assert!(begun.elapsed() >= Duration::from_millis(990), "half the budget is the first one's");
    // Both hang: the budget is one for both.
    fails(&world, Provider::OpenAi, Fault::new(Provider::OpenAi, FaultKind::SilentAfterAccept));
    let begun = Instant::now();
    assert!(ask(&world, &world.clinic).await.text.is_none());
    let took = begun.elapsed();
    assert!(took >= Duration::from_millis(1_900) && took < Duration::from_millis(3_000), "{took:?}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_local_server_without_a_key_answers_a_whole_turn() {
    let world = World::start().await;
    let url = world.standins.local_openai_url(world.salon.id.get());
    world.configure(&world.salon, &[("llm.kind", "openai"), ("llm.base_url", &url), ("llm.model", "qwen2.5:7b")]).await;
    world.unset(&world.salon, &["llm.api_key"]).await;
    let ana = world.customer(&world.salon, "5511987654321");
    ana.says("qual o horário?").await.expect_status(202);
    world.quiet().await;
    assert!(ana.heard()[0].contains("das 8h às 18h"), "{:?}", ana.heard());
    assert_eq!(world.sql(&world.salon, "SELECT model, tokens_estimated FROM turn"), "qwen2.5:7b|f");
    let call = world.ledger().into_iter().find(|entry| entry.path.ends_with("/chat/completions")).unwrap();
    assert!(!call.headers.contains_key("authorization"));
    assert_eq!(call.company, Some(world.salon.id.get()));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_openai_server_without_a_model_is_refused_when_it_is_set() {
    let world = World::builder().workers(0).start().await;
    for (values, missing) in
        [([("llm.kind", "openai")], "llm.model is missing"), ([("llm2.kind", "openai")], "llm2.model is missing")]
    {
        let refusal = world.try_configure(&world.clinic, &values).await.unwrap_err();
        assert!(refusal.contains(missing), "{refusal}");
    }
    world.end().await;
}
