//! OpenAI's chat completions, as OpenAI itself and most local servers and gateways speak them.
//!
//! Servers differ in what they leave out, so nothing of an answer is needed but a text: `usage`, `refusal`, `id` and
//! even the finish reason may be absent. Sampling settings are never sent; thinking models refuse them.
//!
//! # Codes
//! `key_refused`, `model_not_found`, `bad_model`, `wrong_url`, `quota_spent` (no credit left): configuration.
//! `bad_request`, `too_long`: our request is wrong. `rate_limited`: patience. `overloaded`, `server_error`, `garbage`,
//! `connect`, `dns`, `tls`, `timeout`, `reset`: worth another try.

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::openai_errors;
use super::{CeilingField, ChatOutcome, ChatRequest, ChatRole, LlmEndpoint, TokenUsage, spoken};
use crate::clients::http::{BODY_LIMIT, BodyCut, HttpAnswer, HttpClient};
use crate::clients::{WireError, WireErrorKind};

/// Asks the model once.
pub async fn generate(
    http: &HttpClient,
    endpoint: &LlmEndpoint,
    request: &ChatRequest,
) -> Result<ChatOutcome, WireError> {
    let bearer = bearer(&endpoint.api_key);
    let headers = headers(bearer.as_deref(), &request.correlation_id);
    let body = body(endpoint, request).to_string().into_bytes();
    let url = call_url(&endpoint.base_url, &endpoint.model, "chat/completions")?;
    let answer = http.post_json(&url, &headers, body, request.timeout, BODY_LIMIT).await?;
    if !answer.is_success() {
        return match openai_errors::content_refused(&answer) {
            Some(reason) => Ok(ChatOutcome::Blocked { reason, usage: None }),
            None => Err(openai_errors::refusal(&answer)),
        };
    }
    match answer.cut {
        Some(BodyCut::Timeout) => return Err(answer.error(WireErrorKind::Unknown, "timeout")),
        Some(BodyCut::Reset) => return Err(answer.error(WireErrorKind::Unknown, "garbage")),
        Some(BodyCut::Limit) | None => {}
    }
    outcome(&answer).ok_or_else(|| openai_errors::hidden(&answer))
}

/// The URL of a call. Only an endpoint that names its model has one.
pub(in crate::clients) fn call_url(base: &str, model: &str, call: &str) -> Result<String, WireError> {
    if model.trim().is_empty() {
        return Err(WireError {
            kind: WireErrorKind::Auth,
            status: None,
            retry_after: None,
            code: "bad_model",
            detail: "no model is named".to_owned(),
        });
    }
    Ok(format!("{}/{call}", base.trim_end_matches('/')))
}

/// The value of the Authorization header; none without a key, because some servers refuse even an empty one.
pub(in crate::clients) fn bearer(key: &SecretString) -> Option<String> {
    let key = key.expose_secret();
    (!key.is_empty()).then(|| format!("Bearer {key}"))
}

/// The headers of every call.
pub(in crate::clients) fn headers<'a>(
    bearer: Option<&'a str>,
    correlation_id: &'a str,
) -> Vec<(&'static str, &'a str)> {
    let authorization = bearer.map(|value| ("authorization", value));
    let correlation = (!correlation_id.is_empty()).then_some(("x-correlation-id", correlation_id));
    authorization.into_iter().chain(correlation).collect()
}

fn body(endpoint: &LlmEndpoint, request: &ChatRequest) -> Value {
    let ceiling = match endpoint.ceiling {
        CeilingField::MaxTokens => "max_tokens",
        CeilingField::MaxCompletionTokens => "max_completion_tokens",
    };
    json!({"model": endpoint.model, "messages": messages(request), ceiling: request.max_output_tokens})
}

/// Turns as messages; neighbours of one role become one, since the chat templates of many local models demand that roles
/// alternate.
fn messages(request: &ChatRequest) -> Vec<Value> {
    let mut merged: Vec<(ChatRole, String)> = Vec::new();
    for turn in spoken(&request.turns) {
        match merged.last_mut() {
            Some((role, text)) if *role == turn.role => {
                text.push('\n');
                text.push_str(&turn.text);
            }
            _ => merged.push((turn.role, turn.text.clone())),
        }
    }
    let name = |role| match role {
        ChatRole::User => "user",
        ChatRole::Model => "assistant",
    };
    let instruction = (!request.system.trim().is_empty()).then(|| json!({"role": "system", "content": request.system}));
    let said = merged.into_iter().map(|(role, text)| json!({"role": name(role), "content": text}));
    instruction.into_iter().chain(said).collect()
}

/// Reads a 200. `None` when it is no answer of this API at all.
fn outcome(answer: &HttpAnswer) -> Option<ChatOutcome> {
    let body: Value = serde_json::from_slice(&answer.body).ok()?;
    let choices = body.get("choices")?.as_array()?;
    let usage = usage(&body);
    let Some(choice) = choices.first() else { return Some(ChatOutcome::Empty { budget_eaten: false, usage }) };
    let finish = choice.get("finish_reason").and_then(Value::as_str).unwrap_or("stop");
    if finish == "content_filter" {
        // A text that was stopped half-way by a filter is not sent either.
        return Some(ChatOutcome::Blocked { reason: finish.to_owned(), usage });
    }
    let refused = choice.pointer("/message/refusal").and_then(Value::as_str);
    if refused.is_some_and(|words| !words.trim().is_empty()) {
        return Some(ChatOutcome::Blocked { reason: "refusal".to_owned(), usage });
    }
    let ceiling = finish == "length";
    let text = without_thoughts(&content(choice.pointer("/message/content"))).to_owned();
    if text.trim().is_empty() {
        return Some(ChatOutcome::Empty { budget_eaten: ceiling, usage });
    }
    let model_version = body.get("model").and_then(Value::as_str).filter(|name| !name.is_empty()).map(str::to_owned);
    Some(ChatOutcome::Reply { text, truncated: ceiling, usage, model_version })
}

/// A message's text: a string, or parts of which some are text.
fn content(content: Option<&Value>) -> String {
    match content {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => {
            let spoken =
                parts.iter().filter(|part| part.get("type").and_then(Value::as_str).is_none_or(|t| t == "text"));
            spoken.filter_map(|part| part.get("text").and_then(Value::as_str)).collect()
        }
        _ => String::new(),
    }
}

/// Local thinking models say their thoughts first, between marks, unless the server takes them out. Thoughts that were
/// cut have no second mark: then nothing was said.
fn without_thoughts(text: &str) -> &str {
    match text.trim_start().strip_prefix("<think>") {
        Some(thoughts) => thoughts.split_once("</think>").map_or("", |(_, said)| said.trim_start()),
        None => text,
    }
}

/// The provider's count; many local servers give none.
pub(in crate::clients) fn usage(body: &Value) -> Option<TokenUsage> {
    let counts = body.get("usage")?;
    let count = |name: &str| counts.get(name).and_then(Value::as_u64).map(|n| u32::try_from(n).unwrap_or(u32::MAX));
    match (count("prompt_tokens"), count("completion_tokens")) {
        (None, None) => None,
        (input, output) => Some(TokenUsage { input: input.unwrap_or(0), output: output.unwrap_or(0) }),
    }
}
