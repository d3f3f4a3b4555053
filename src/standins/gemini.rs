//! Gemini's `generateContent`, with texts and with sound, `countTokens`, embeddings and list of models.

use actix_web::web::{self, Bytes};
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::fault::{FaultKind, Provider};
use super::persona::Persona;
use super::state::{State, company_of};
use super::wire::{Answer, serve};
use super::{sound, vectors};

/// The models that answer; all others are gone (404).
const MODELS: [&str; 8] = [
    "gemini-3.5-flash-lite",
    "gemini-3.8-flash",
    "gemini-3.6-flash",
    "gemini-3.1-flash-lite",
    "gemini-3.1-pro-preview",
    "gemini-2.5-flash",
    "gemini-flash-latest",
    "gemini-flash-lite-latest",
];

/// The model that makes vectors, and how long these are at first.
const EMBEDDING_MODEL: (&str, usize) = ("gemini-embedding-001", 3072);

/// Most texts of one request for vectors.
const INPUTS_MAX: usize = 100;

/// Characters one token stands for in these made-up counts.
const CHARS_PER_TOKEN: usize = 4;

/// Gemini's routes under `/gemini`.
pub(super) fn routes(app: &mut web::ServiceConfig) {
    app.route("/gemini/{version}/models", web::get().to(models))
        .route("/gemini/{version}/models/{model}:{call}", web::post().to(call));
}

fn key(request: &HttpRequest) -> Option<&str> {
    request.headers().get("x-goog-api-key")?.to_str().ok()
}

async fn models(state: web::Data<State>, request: HttpRequest) -> HttpResponse {
    let company = key(&request).and_then(company_of);
    let deed = || match refuse_key(&request) {
        Some(refusal) => refusal,
        None => {
            let models = MODELS.map(|name| {
                json!({"name": format!("models/{name}"), "inputTokenLimit": 1_048_576,
                    "supportedGenerationMethods": ["generateContent", "countTokens"]})
            });
            done(Answer::json(200, &json!({"models": models})))
        }
    };
    serve(&state, &request, &Bytes::new(), Provider::Gemini, company, std::time::Duration::ZERO, deed).await
}

async fn call(
    state: web::Data<State>,
    request: HttpRequest,
    path: web::Path<(String, String, String)>,
    body: Bytes,
) -> HttpResponse {
    let (_, model, call) = path.into_inner();
    let company = key(&request).and_then(company_of);
    let deed = || match refuse_key(&request) {
        Some(refusal) => refusal,
        None => answer(&model, &call, &body, state.persona()),
    };
    serve(&state, &request, &body, Provider::Gemini, company, state.latency(), deed).await
}

fn done(answer: Answer) -> Answer {
    Answer { accepted: true, ..answer }
}

fn error(code: u16, status: &str, message: &str, reason: Option<&str>) -> Answer {
    let mut error = json!({"code": code, "message": message, "status": status});
    if let (Some(reason), Some(fields)) = (reason, error.as_object_mut()) {
        let info = json!({"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason,
            "domain": "googleapis.com", "metadata": {"service": "generativelanguage.googleapis.com"}});
        fields.insert("details".to_owned(), json!([info]));
    }
    Answer::json(code, &json!({"error": error}))
}

fn refuse_key(request: &HttpRequest) -> Option<Answer> {
    if request.headers().contains_key("authorization") {
        return Some(error(400, "INVALID_ARGUMENT", "Multiple authentication credentials received.", None));
    }
    match key(request) {
        None => Some(error(403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers.", None)),
        Some(key) if company_of(key).is_none() => Some(error(
            400,
            "INVALID_ARGUMENT",
            "API key not valid. Please pass a valid API key.",
            Some("API_KEY_INVALID"),
        )),
        Some(_) => None,
    }
}

fn answer(model: &str, call: &str, body: &[u8], persona: Persona) -> Answer {
    let embeds = matches!(call, "embedContent" | "batchEmbedContents");
    let known = MODELS.contains(&model) || (embeds && model == EMBEDDING_MODEL.0);
    if !known {
        let message = format!(
            "models/{model} is not found for API version v1beta, or is not supported for generateContent. Call \
             ListModels to see the list of available models and their supported methods."
        );
        return error(404, "NOT_FOUND", &message, None);
    }
    let Ok(body) = serde_json::from_slice::<Value>(body) else {
        return error(400, "INVALID_ARGUMENT", "Invalid JSON payload received.", None);
    };
    match call {
        "generateContent" => match complaint(model, &body) {
            Some(message) => error(400, "INVALID_ARGUMENT", message, None),
            None => done(generate(model, &body, persona)),
        },
        "embedContent" => vector(&body)
            .map_or_else(unreadable, |vector| done(Answer::json(200, &json!({"embedding": {"values": vector}})))),
        "batchEmbedContents" => embed_all(&body),
        "countTokens" => {
            let contents = body.pointer("/generateContentRequest").unwrap_or(&body);
            done(Answer::json(200, &json!({"totalTokens": tokens(&contents.to_string())})))
        }
        _ => error(404, "NOT_FOUND", "Method not found.", None),
    }
}

/// What the real service would not take.
fn complaint(model: &str, body: &Value) -> Option<&'static str> {
    let contents = body.get("contents").and_then(Value::as_array).filter(|contents| !contents.is_empty());
    let Some(contents) = contents else { return Some("* GenerateContentRequest.contents: contents is not specified") };
    let role = |content: &Value| content.get("role").and_then(Value::as_str).map(str::to_owned);
    if contents.iter().any(|content| !matches!(role(content).as_deref(), Some("user" | "model") | None)) {
        return Some("Please use a valid role: user, model.");
    }
    if contents.last().and_then(role).as_deref() == Some("model") {
        return Some("Requests ending with a model turn are not supported.");
    }
    let empty = |content: &Value| content.get("parts").and_then(Value::as_array).is_none_or(Vec::is_empty);
    if contents.iter().any(empty) {
        return Some("* GenerateContentRequest.contents.parts: contents.parts must not be empty.");
    }
    let config = body.get("generationConfig").unwrap_or(&Value::Null);
    if ["temperature", "topP", "topK"].iter().any(|name| config.get(name).is_some()) {
        return Some("Sampling parameters are not supported.");
    }
    let level = config.pointer("/thinkingConfig/thinkingLevel").and_then(Value::as_str);
    match level {
        Some(_) if model.starts_with("gemini-2.5") => Some("Thinking level is not supported for this model."),
        Some("minimal") if model == "gemini-3.8-flash" => Some("Thinking level minimal is not supported."),
        _ => None,
    }
}

fn unreadable() -> Answer {
    error(400, "INVALID_ARGUMENT", "* EmbedContentRequest.content: contents is not specified", None)
}

fn embed_all(body: &Value) -> Answer {
    let requests = body.get("requests").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if requests.is_empty() || requests.len() > INPUTS_MAX {
        return error(400, "INVALID_ARGUMENT", "* BatchEmbedContentsRequest.requests: at most 100 requests", None);
    }
    if requests.iter().any(|one| one.get("model").and_then(Value::as_str) != Some("models/gemini-embedding-001")) {
        return error(400, "INVALID_ARGUMENT", "* BatchEmbedContentsRequest.requests[].model: differs", None);
    }
    let made: Option<Vec<Value>> = requests.iter().map(|one| Some(json!({"values": vector(one)?}))).collect();
    made.map_or_else(unreadable, |made| done(Answer::json(200, &json!({"embeddings": made}))))
}

fn vector(request: &Value) -> Option<Vec<f32>> {
    let text = texts(request.get("content")?).join("\n");
    let wanted = request.get("outputDimensionality").and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
    (!text.is_empty()).then(|| vectors::of(&text, wanted.unwrap_or(EMBEDDING_MODEL.1).min(EMBEDDING_MODEL.1)))
}

/// What is said in the sound of a content, if it carries any.
fn sound_of(content: &Value) -> Option<String> {
    let parts = content.get("parts").and_then(Value::as_array)?;
    let data = parts.iter().find_map(|part| part.pointer("/inlineData/data")?.as_str())?;
    Some(BASE64_STANDARD.decode(data).ok().and_then(|bytes| sound::transcript(&bytes)).unwrap_or_default())
}

fn tokens(text: &str) -> usize {
    text.chars().count().div_ceil(CHARS_PER_TOKEN)
}

fn texts(content: &Value) -> Vec<&str> {
    let parts = content.get("parts").and_then(Value::as_array);
    parts.into_iter().flatten().filter_map(|part| part.get("text").and_then(Value::as_str)).collect()
}

fn generate(model: &str, body: &Value, persona: Persona) -> Answer {
    let system = body.get("systemInstruction").map(texts).unwrap_or_default().join("\n");
    let contents = body.get("contents").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let last = contents.last().map(texts).unwrap_or_default();
    let reply = match contents.last().and_then(sound_of) {
        Some(words) => words,
        None => persona.reply(&system, &last, contents.len()),
    };
    let prompt = tokens(&system) + contents.iter().flat_map(texts).map(tokens).sum::<usize>();
    let output = tokens(&reply);
    Answer::json(
        200,
        &json!({
            "candidates": [{"content": {"role": "model", "parts": [{"text": reply}]}, "finishReason": "STOP", "index": 0}],
            "usageMetadata": {"promptTokenCount": prompt, "candidatesTokenCount": output, "totalTokenCount": prompt + output},
            "modelVersion": model,
            "responseId": "standin",
        }),
    )
}

/// The bodies of Gemini's own kinds of trouble, all with HTTP 200.
pub(super) fn trouble(kind: FaultKind) -> Option<Value> {
    let usage = json!({"promptTokenCount": 120, "totalTokenCount": 120});
    let ate = json!({"promptTokenCount": 120, "thoughtsTokenCount": 1024, "totalTokenCount": 1144});
    let cut = json!({"promptTokenCount": 120, "candidatesTokenCount": 9, "totalTokenCount": 129});
    let (candidate, usage) = match kind {
        FaultKind::Blocked => {
            return Some(json!({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": usage}));
        }
        FaultKind::BlockedAnswer => (json!({"finishReason": "SAFETY", "index": 0}), usage),
        FaultKind::Empty => (json!({"content": {"role": "model"}, "finishReason": "STOP", "index": 0}), usage),
        FaultKind::MaxTokens => (json!({"content": {"role": "model"}, "finishReason": "MAX_TOKENS", "index": 0}), ate),
        FaultKind::Cut => {
            let parts = json!([{"text": "Funcionamos de segunda a sexta. Aos sábados, das"}]);
            (json!({"content": {"role": "model", "parts": parts}, "finishReason": "MAX_TOKENS", "index": 0}), cut)
        }
        _ => return None,
    };
    Some(json!({"candidates": [candidate], "usageMetadata": usage, "modelVersion": "gemini-3.5-flash-lite"}))
}
