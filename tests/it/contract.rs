//! The model providers' own documents: every example answer in them is read by our clients as what it is, and (by
//! `make contract`, with Prism between) every request of ours is one that they describe.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use secretaria::clients::embedding::{EmbeddingEndpoint, Purpose, embed};
use secretaria::clients::http::{BODY_LIMIT, HttpClient};
use secretaria::clients::llm::{
    self, CeilingField, ChatOutcome, ChatRequest, ChatRole, ChatTurn, LlmEndpoint, LlmKind,
};
use secretaria::clients::transcription::{Limits, Sound, Transcription, transcribe};
use secretaria::clients::{WireError, WireErrorKind};
use secretaria::clock::Clock;
use secretaria::standins::{Fault, Provider, StandIns};
use serde_json::{Value, json};

const OPENAI: &str = "openai.contract.json";
const GEMINI: &str = "gemini-v1beta.subset.openapi.json";

/// A document: the one of `SPECS_DIR` where it is given, else the project's copy.
fn document(name: &str) -> Value {
    let ours = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/contract");
    #[expect(clippy::disallowed_methods, reason = "`make contract` says where the documents are")]
    let folder = std::env::var_os("SPECS_DIR").filter(|dir| !dir.is_empty()).map_or(ours, PathBuf::from);
    let text = std::fs::read_to_string(folder.join(name)).unwrap_or_else(|why| panic!("{folder:?}/{name}: {why}"));
    serde_json::from_str(&text).unwrap()
}

/// Follows a reference within the document.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value.get("$ref").and_then(Value::as_str) {
        Some(path) => resolved(document, document.pointer(path.trim_start_matches('#')).unwrap()),
        None => value,
    }
}

/// The example answers of a call: status, name and body.
fn examples(document: &Value, path: &str) -> Vec<(u16, String, Value)> {
    let responses = document["paths"][path]["post"]["responses"].as_object().unwrap();
    let mut found = Vec::new();
    for (status, response) in responses {
        let Ok(status) = status.parse() else { continue };
        let content = &resolved(document, response)["content"]["application/json"];
        let named: BTreeMap<_, _> = content["examples"].as_object().into_iter().flatten().collect();
        found.extend(
            named.iter().map(|(name, example)| (status, (*name).clone(), resolved(document, example)["value"].clone())),
        );
        if let Some(example) = content.get("example") {
            found.push((status, String::new(), example.clone()));
        }
    }
    found
}

fn endpoint(kind: LlmKind, base_url: String, model: &str) -> LlmEndpoint {
    LlmEndpoint {
        kind,
        base_url,
        api_version: "v1beta".to_owned(),
        api_key: StandIns::credential(1, "contract").into(),
        model: model.to_owned(),
        ceiling: CeilingField::MaxCompletionTokens,
    }
}

fn vectors(endpoint: &LlmEndpoint, model: &str, dimension: usize) -> EmbeddingEndpoint {
    EmbeddingEndpoint {
        kind: endpoint.kind,
        base_url: endpoint.base_url.clone(),
        api_version: endpoint.api_version.clone(),
        api_key: endpoint.api_key.clone(),
        model: model.to_owned(),
        dimension,
        timeout: Duration::from_secs(20),
    }
}

async fn ask(http: &HttpClient, endpoint: &LlmEndpoint) -> Result<ChatOutcome, WireError> {
    let turn = |role, text: &str| ChatTurn { role, text: text.to_owned() };
    let request = ChatRequest {
        system: "Você é a secretária da Clínica X.".to_owned(),
        turns: vec![turn(ChatRole::User, "Oi"), turn(ChatRole::Model, "Olá!"), turn(ChatRole::User, "Quero marcar")],
        max_output_tokens: 1024,
        timeout: Duration::from_secs(20),
        correlation_id: "c-1".to_owned(),
    };
    llm::generate(http, endpoint, &request).await
}

struct Lab {
    standins: StandIns,
    http: HttpClient,
}

impl Lab {
    async fn open() -> Self {
        let standins = StandIns::start(Clock::new(), "127.0.0.1:0".parse().unwrap()).await.unwrap();
        Self { standins, http: HttpClient::new(Duration::from_secs(5)).unwrap() }
    }

    fn answers(&self, provider: Provider, status: u16, body: &Value) {
        self.standins.clear_faults();
        self.standins.add_fault(Fault::status(provider, status, body.clone()));
    }
}

/// What an error answer of that status must be read as.
fn class(status: u16, body: &Value) -> WireErrorKind {
    let spent = ["/error/code", "/error/type"].iter().any(|at| body.pointer(at) == Some(&json!("insufficient_quota")));
    match status {
        429 if spent => WireErrorKind::Auth,
        401 | 403 | 404 => WireErrorKind::Auth,
        429 => WireErrorKind::RateLimited,
        500.. => WireErrorKind::Unavailable,
        _ => WireErrorKind::Invalid,
    }
}

fn word(outcome: &ChatOutcome) -> &'static str {
    match outcome {
        ChatOutcome::Reply { .. } => "reply",
        ChatOutcome::Empty { budget_eaten: true, .. } => "budget eaten",
        ChatOutcome::Empty { .. } => "empty",
        ChatOutcome::Blocked { .. } => "blocked",
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_of_a_chat_is_read_as_what_it_is() {
    let lab = Lab::open().await;
    let calls = [
        (
            Provider::OpenAi,
            OPENAI,
            "/chat/completions",
            endpoint(LlmKind::OpenAi, lab.standins.openai_url(), "gpt-4o-mini"),
        ),
        (
            Provider::Gemini,
            GEMINI,
            "/v1beta/models/{model}:generateContent",
            endpoint(LlmKind::Gemini, lab.standins.gemini_url(), "gemini-3.5-flash-lite"),
        ),
    ];
    let meanings = BTreeMap::from([
        ("ok", "reply"),
        ("toolCall", "empty"),
        ("emptyLength", "budget eaten"),
        ("promptBlocked", "blocked"),
        ("emptyStop", "empty"),
        ("maxTokensNoText", "budget eaten"),
        ("safety", "blocked"),
        ("functionCall", "empty"),
    ]);
    let mut met = Vec::new();
    for (provider, name, path, endpoint) in calls {
        let found = examples(&document(name), path);
        assert!(found.len() >= 8, "{name} {path}: {found:?}");
        for (status, example, body) in found {
            lab.answers(provider, status, &body);
            match ask(&lab.http, &endpoint).await {
                Ok(outcome) => {
                    assert_eq!(status, 200, "{name} {example}");
                    assert_eq!(Some(&word(&outcome)), meanings.get(example.as_str()), "{name} {example}: {outcome:?}");
                    met.push(example);
                }
                Err(error) => assert_eq!(error.kind, class(status, &body), "{name} {status} {example}: {error}"),
            }
        }
    }
    assert!(meanings.keys().all(|name| met.iter().any(|one| one == name)), "met only {met:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_of_embeddings_is_read_as_what_it_is() {
    let lab = Lab::open().await;
    let openai = endpoint(LlmKind::OpenAi, lab.standins.openai_url(), "");
    let gemini = endpoint(LlmKind::Gemini, lab.standins.gemini_url(), "");
    let calls = [
        (Provider::OpenAi, OPENAI, "/embeddings", vectors(&openai, "text-embedding-3-small", 3), "/data"),
        (
            Provider::Gemini,
            GEMINI,
            "/v1beta/models/{model}:batchEmbedContents",
            vectors(&gemini, "gemini-embedding-001", 3),
            "/embeddings",
        ),
    ];
    for (provider, name, path, mut endpoint, list) in calls {
        let mut read = 0;
        for (status, example, body) in examples(&document(name), path) {
            lab.answers(provider, status, &body);
            let made = body.pointer(list).and_then(Value::as_array).cloned().unwrap_or_default();
            let length =
                |one: &Value| ["embedding", "values"].iter().find_map(|field| Some(one[*field].as_array()?.len()));
            endpoint.dimension = made.first().and_then(length).unwrap_or(3);
            let texts = vec!["oi"; made.len().max(1)];
            match embed(&lab.http, &endpoint, &texts, Purpose::Document).await {
                Ok(vectors) => {
                    assert_eq!((status, vectors.len()), (200, texts.len()), "{name} {example}");
                    read += 1;
                }
                Err(error) => assert_eq!(error.kind, class(status, &body), "{name} {status} {example}: {error}"),
            }
        }
        assert!(read > 0, "{name} {path} has no example of vectors");
    }
}

/// Prism's base URL, from the script that started it.
#[expect(clippy::disallowed_methods, reason = "`make contract` says where the servers are")]
fn prism(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set: run this by `make contract`"))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Prism: `make contract` starts it and runs this"]
async fn prism_takes_every_request_to_openai() {
    let http = HttpClient::new(Duration::from_secs(5)).unwrap();
    let mut openai = endpoint(LlmKind::OpenAi, prism("CONTRACT_OPENAI_URL"), "gpt-4o-mini");
    for ceiling in [CeilingField::MaxCompletionTokens, CeilingField::MaxTokens] {
        openai.ceiling = ceiling;
        assert_eq!(word(&ask(&http, &openai).await.unwrap()), "reply");
    }
    let made = embed(&http, &vectors(&openai, "text-embedding-3-small", 3), &["oi"], Purpose::Query).await.unwrap();
    assert_eq!(made.len(), 1);
    openai.api_key = String::new().into();
    assert_eq!(ask(&http, &openai).await.unwrap_err().kind, WireErrorKind::Auth, "no key, no answer");
    // Prism does look: a field that nobody knows is refused.
    let wrong = json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "oi"}], "max_tokenz": 5});
    let url = format!("{}/chat/completions", openai.base_url);
    let headers = [("authorization", "Bearer x")];
    let patience = Duration::from_secs(20);
    let answer = http.post_json(&url, &headers, wrong.to_string().into_bytes(), patience, BODY_LIMIT).await.unwrap();
    assert!((400..500).contains(&answer.status), "{} {}", answer.status, answer.text());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Prism: `make contract` starts it and runs this"]
async fn prism_takes_every_request_to_gemini() {
    let http = HttpClient::new(Duration::from_secs(5)).unwrap();
    let mut gemini = endpoint(LlmKind::Gemini, prism("CONTRACT_GEMINI_URL"), "gemini-3.5-flash-lite");
    assert_eq!(word(&ask(&http, &gemini).await.unwrap()), "reply");
    let made = embed(&http, &vectors(&gemini, "gemini-embedding-001", 3), &["oi"], Purpose::Document).await.unwrap();
    assert_eq!(made.len(), 1);
    let sound = Sound { bytes: StandIns::voice("oi", 1), mime: "audio/ogg".to_owned(), seconds: None };
    let limits = Limits { bytes: 10_000, seconds: 60, timeout: Duration::from_secs(20) };
    let heard = transcribe(&http, &gemini, &sound, &limits, "c-1").await.unwrap();
    assert!(matches!(heard, Transcription::Text { .. }), "{heard:?}");
    gemini.api_key = String::new().into();
    assert!(ask(&http, &gemini).await.is_err(), "no key, no answer");
    let wrong = json!({"contents": [{"role": "assistant", "parts": [{"text": "oi"}]}]});
    let url = format!("{}/v1beta/models/gemini-3.5-flash-lite:generateContent", gemini.base_url);
    let patience = Duration::from_secs(20);
    let headers = [("x-goog-api-key", "x")];
    let answer = http.post_json(&url, &headers, wrong.to_string().into_bytes(), patience, BODY_LIMIT).await.unwrap();
    assert!((400..500).contains(&answer.status), "{} {}", answer.status, answer.text());
}
