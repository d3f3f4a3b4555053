//! OpenAI's chat completions, embeddings, transcriptions and list of models: OpenAI itself at `/openai/v1`, and a local
//! server at `/openai/{company}/v1`, which wants no key, knows any model and demands that roles alternate.

use actix_web::web::{self, Bytes};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use super::fault::{FaultKind, Provider};
use super::persona::Persona;
use super::state::{State, company_of};
use super::wire::{Answer, serve};
use super::{sound, vectors};

/// The chat models that answer; all others are unknown (404).
const CHAT_MODELS: [&str; 3] = ["gpt-4o-mini", "gpt-4.1-mini", "o4-mini"];

/// The models that make vectors, and how long these are at first.
const EMBEDDING_MODELS: [(&str, usize); 2] = [("text-embedding-3-small", 1536), ("text-embedding-3-large", 3072)];

/// The models that listen.
const AUDIO_MODELS: [&str; 2] = ["whisper-1", "gpt-4o-mini-transcribe"];

/// Fields of a chat request that this stand-in knows; the real service refuses unknown ones too.
const CHAT_FIELDS: [&str; 6] = ["model", "messages", "max_tokens", "max_completion_tokens", "stream", "user"];

/// Most texts of one request for vectors.
const INPUTS_MAX: usize = 2_048;

/// Longest vector of the local server's models.
const LOCAL_DIMENSION: usize = 384;

/// Characters one token stands for in these made-up counts.
const CHARS_PER_TOKEN: usize = 4;

/// The routes of both servers.
pub(super) fn routes(app: &mut web::ServiceConfig) {
    for base in ["/openai", "/openai/{company:\\d+}"] {
        app.route(&format!("{base}/v1/models"), web::get().to(models)).route(
            &format!("{base}/v1/{{call:chat/completions|embeddings|audio/transcriptions}}"),
            web::post().to(call),
        );
    }
}

/// Who asks, and at which of the two servers.
struct Caller {
    company: Option<i64>,
    local: bool,
}

impl Caller {
    fn of(request: &HttpRequest) -> Self {
        let at_local = request.match_info().get("company").and_then(|company| company.parse().ok());
        let bearer = request.headers().get("authorization").and_then(|value| value.to_str().ok());
        let company = bearer.and_then(|value| value.strip_prefix("Bearer ")).and_then(company_of);
        Self { company: at_local.or(company), local: at_local.is_some() }
    }

    fn refusal(&self, request: &HttpRequest) -> Option<Answer> {
        if self.local || self.company.is_some() {
            return None;
        }
        let message = match request.headers().contains_key("authorization") {
            true => "Incorrect API key provided.",
            false => "You didn't provide an API key.",
        };
        Some(error(401, message, "invalid_request_error", Some("invalid_api_key")))
    }
}

async fn models(state: web::Data<State>, request: HttpRequest) -> HttpResponse {
    let caller = Caller::of(&request);
    let deed = || {
        caller.refusal(&request).unwrap_or_else(|| {
            let listed =
                CHAT_MODELS.map(|id| json!({"id": id, "object": "model", "created": 0, "owned_by": "standin"}));
            done(Answer::json(200, &json!({"object": "list", "data": listed})))
        })
    };
    serve(&state, &request, &Bytes::new(), Provider::OpenAi, caller.company, std::time::Duration::ZERO, deed).await
}

async fn call(state: web::Data<State>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let caller = Caller::of(&request);
    let deed = || match caller.refusal(&request) {
        Some(refusal) => refusal,
        None => match request.match_info().get("call") {
            Some("chat/completions") => chat(&body, caller.local, state.persona()),
            Some("embeddings") => embeddings(&body, caller.local),
            _ => transcription(&request, &body, caller.local),
        },
    };
    serve(&state, &request, &body, Provider::OpenAi, caller.company, state.latency(), deed).await
}

fn done(answer: Answer) -> Answer {
    Answer { accepted: true, ..answer }
}

fn error(status: u16, message: &str, kind: &str, code: Option<&str>) -> Answer {
    Answer::json(status, &json!({"error": {"message": message, "type": kind, "param": null, "code": code}}))
}

fn invalid(message: &str) -> Answer {
    error(400, message, "invalid_request_error", None)
}

fn no_model(model: &str) -> Answer {
    let message = format!("The model `{model}` does not exist or you do not have access to it.");
    error(404, &message, "invalid_request_error", Some("model_not_found"))
}

fn tokens(text: &str) -> usize {
    text.chars().count().div_ceil(CHARS_PER_TOKEN)
}

fn word<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn chat(body: &[u8], local: bool, persona: Persona) -> Answer {
    let Ok(body) = serde_json::from_slice::<Value>(body) else { return invalid("We could not parse the JSON body.") };
    let model = word(&body, "model");
    if model.is_empty() {
        return invalid("you must provide a model parameter");
    }
    if !local && !CHAT_MODELS.contains(&model) {
        return no_model(model);
    }
    let messages = body.get("messages").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    match complaint(&body, messages, local) {
        Some(message) => invalid(message),
        None => done(completion(model, messages, persona)),
    }
}

/// What the real services would not take.
fn complaint(body: &Value, messages: &[Value], local: bool) -> Option<&'static str> {
    let known = |field: &String| CHAT_FIELDS.contains(&field.as_str());
    if body.as_object().is_none_or(|fields| !fields.keys().all(known)) {
        return Some("Unrecognized request argument supplied");
    }
    if messages.is_empty() {
        return Some("[] is too short - 'messages'");
    }
    if messages.iter().any(|message| !matches!(word(message, "role"), "system" | "developer" | "user" | "assistant")) {
        return Some("Invalid value for 'messages[].role'.");
    }
    if messages.iter().any(|message| message.get("content").and_then(Value::as_str).is_none()) {
        return Some("Invalid type for 'messages[].content'.");
    }
    if !local && word(body, "model").starts_with('o') && body.get("max_tokens").is_some() {
        return Some("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.");
    }
    let roles: Vec<&str> = messages.iter().map(|message| word(message, "role")).collect();
    let twice = roles.iter().zip(roles.iter().skip(1)).any(|(one, next)| one == next);
    (local && twice).then_some("Conversation roles must alternate user/assistant/user/assistant/...")
}

fn completion(model: &str, messages: &[Value], persona: Persona) -> Answer {
    let (rules, said): (Vec<&Value>, Vec<&Value>) =
        messages.iter().partition(|message| matches!(word(message, "role"), "system" | "developer"));
    let system = rules.iter().map(|message| word(message, "content")).collect::<Vec<_>>().join("\n");
    let last = said.last().map(|message| word(message, "content")).unwrap_or_default();
    let reply = persona.reply(&system, &[last], said.len());
    let prompt = messages.iter().map(|message| tokens(word(message, "content"))).sum::<usize>();
    Answer::json(
        200,
        &answered(
            model,
            json!({"role": "assistant", "content": reply, "refusal": null}),
            "stop",
            (prompt, tokens(&reply)),
        ),
    )
}

fn answered(model: &str, message: Value, finish: &str, (prompt, output): (usize, usize)) -> Value {
    json!({
        "id": "chatcmpl-standin", "object": "chat.completion", "created": 0, "model": model,
        "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": finish}],
        "usage": {"prompt_tokens": prompt, "completion_tokens": output, "total_tokens": prompt + output},
    })
}

fn embeddings(body: &[u8], local: bool) -> Answer {
    let Ok(body) = serde_json::from_slice::<Value>(body) else { return invalid("We could not parse the JSON body.") };
    let model = word(&body, "model");
    let known = EMBEDDING_MODELS.iter().find(|(name, _)| *name == model).map(|(_, dimension)| *dimension);
    let Some(full) = known.or(local.then_some(LOCAL_DIMENSION)) else { return no_model(model) };
    let inputs: Vec<&str> = match body.get("input") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if inputs.is_empty() || inputs.len() > INPUTS_MAX || inputs.iter().any(|text| text.is_empty()) {
        return invalid("'$.input' is invalid. Please check the API reference.");
    }
    let wanted = body.get("dimensions").and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
    if local && wanted.is_some() {
        return invalid("dimensions is not supported for this model");
    }
    let dimension = wanted.unwrap_or(full).min(full);
    // Backwards, because the order of an answer is promised by nobody: the index counts.
    let made = inputs.iter().enumerate().rev();
    let data: Vec<Value> = made
        .map(|(index, text)| json!({"object": "embedding", "index": index, "embedding": vectors::of(text, dimension)}))
        .collect();
    let used = inputs.iter().map(|text| tokens(text)).sum::<usize>();
    let usage = json!({"prompt_tokens": used, "total_tokens": used});
    done(Answer::json(200, &json!({"object": "list", "data": data, "model": model, "usage": usage})))
}

fn transcription(request: &HttpRequest, body: &[u8], local: bool) -> Answer {
    let kind = request.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("multipart/form-data; boundary=") {
        return invalid("Could not parse multipart form");
    }
    let form = String::from_utf8_lossy(body);
    let field = |name: &str| {
        let (_, after) = form.split_once(&format!("name=\"{name}\"\r\n\r\n"))?;
        after.split_once("\r\n").map(|(value, _)| value.to_owned())
    };
    let model = field("model").unwrap_or_default();
    if !local && !AUDIO_MODELS.contains(&model.as_str()) {
        return no_model(&model);
    }
    if !form.contains("name=\"file\"; filename=\"") {
        return invalid("'file' is a required property");
    }
    match sound::transcript(body) {
        Some(text) => done(Answer::json(200, &json!({"text": text}))),
        None => invalid("Audio file might be corrupted or unsupported"),
    }
}

/// The bodies of a chat model's own kinds of trouble, all with HTTP 200.
pub(super) fn trouble(kind: FaultKind) -> Option<Value> {
    let message = |content: Value, refusal: Value| json!({"role": "assistant", "content": content, "refusal": refusal});
    let (message, finish, output) = match kind {
        FaultKind::Blocked => (message(json!(""), Value::Null), "content_filter", 0),
        FaultKind::BlockedAnswer => (message(Value::Null, json!("I'm sorry, I can't help with that.")), "stop", 9),
        FaultKind::Empty => (message(Value::Null, Value::Null), "stop", 0),
        FaultKind::MaxTokens => (message(json!(""), Value::Null), "length", 1024),
        FaultKind::Cut => {
            (message(json!("Funcionamos de segunda a sexta. Aos sábados, das"), Value::Null), "length", 9)
        }
        _ => return None,
    };
    Some(answered("gpt-4o-mini", message, finish, (120, output)))
}
