//! Google Gemini, `generateContent` of the Developer API.
//!
//! A generation is safe to repeat (it costs money only), so besides the transport errors nothing here is ambiguous.
//! Sampling settings are never sent: newer models ignore them and are announced to refuse them. Thinking levels are not
//! sent either, since which level is an error differs by model; the token ceiling is the caller's only lever.
//!
//! # Codes
//! `key_refused`, `model_not_found`, `bad_model`, `wrong_url`: configuration. `bad_request`: our request is wrong.
//! `rate_limited`, `daily_quota` (no use before the quota's midnight): patience. `overloaded`, `server_error`,
//! `garbage`, `connect`, `dns`, `tls`, `timeout`, `reset`: worth another try.

use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::gemini_errors;
use super::{ChatOutcome, ChatRequest, ChatRole, LlmEndpoint, TokenUsage, spoken};
use crate::clients::http::{BODY_LIMIT, BodyCut, HttpAnswer, HttpClient};
use crate::clients::{WireError, WireErrorKind};

/// Asks Gemini once.
pub async fn generate(
    http: &HttpClient,
    endpoint: &LlmEndpoint,
    request: &ChatRequest,
) -> Result<ChatOutcome, WireError> {
    let url = call_url(&endpoint.base_url, &endpoint.api_version, &endpoint.model, "generateContent")?;
    let key = endpoint.api_key.expose_secret();
    // Never as `?key=`: URLs end up in logs. Never beside an Authorization header: that pair is refused.
    let headers = [("x-goog-api-key", key), ("x-correlation-id", request.correlation_id.as_str())];
    let body = body(request).to_string().into_bytes();
    read(&http.post_json(&url, &headers, body, request.timeout, BODY_LIMIT).await?)
}

/// Reads an answer of `generateContent`.
pub(in crate::clients) fn read(answer: &HttpAnswer) -> Result<ChatOutcome, WireError> {
    if !answer.is_success() {
        return Err(gemini_errors::refusal(answer));
    }
    match answer.cut {
        Some(BodyCut::Timeout) => return Err(answer.error(WireErrorKind::Unknown, "timeout")),
        Some(BodyCut::Reset) => return Err(answer.error(WireErrorKind::Unknown, "garbage")),
        Some(BodyCut::Limit) | None => {}
    }
    outcome(answer).ok_or_else(|| answer.error(WireErrorKind::Unavailable, "garbage"))
}

/// The URL of a call. The model and the version become path segments, so only plain names pass.
pub(in crate::clients) fn call_url(base: &str, version: &str, model: &str, call: &str) -> Result<String, WireError> {
    let plain = |name: &str| {
        let mut bytes = name.bytes();
        name.len() <= 100
            && bytes.next().is_some_and(|b| b.is_ascii_alphanumeric())
            && bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    if !plain(model) || !plain(version) {
        let detail = "a model is named by letters, digits, dots and hyphens, without models/".to_owned();
        return Err(WireError {
            kind: WireErrorKind::Auth,
            status: None,
            retry_after: None,
            code: "bad_model",
            detail,
        });
    }
    Ok(format!("{}/{version}/models/{model}:{call}", base.trim_end_matches('/')))
}

fn body(request: &ChatRequest) -> Value {
    let mut body = json!({
        "contents": contents(request),
        "generationConfig": {"maxOutputTokens": request.max_output_tokens},
    });
    if let (Some(fields), false) = (body.as_object_mut(), request.system.trim().is_empty()) {
        fields.insert("systemInstruction".to_owned(), json!({"parts": [{"text": request.system}]}));
    }
    body
}

/// Turns as contents: neighbours of one role become parts of one content.
fn contents(request: &ChatRequest) -> Vec<Value> {
    let mut merged: Vec<(ChatRole, Vec<Value>)> = Vec::new();
    for turn in spoken(&request.turns) {
        let part = json!({"text": turn.text});
        match merged.last_mut() {
            Some((role, parts)) if *role == turn.role => parts.push(part),
            _ => merged.push((turn.role, vec![part])),
        }
    }
    let name = |role| match role {
        ChatRole::User => "user",
        ChatRole::Model => "model",
    };
    merged.into_iter().map(|(role, parts)| json!({"role": name(role), "parts": parts})).collect()
}

/// Reads a 200. `None` when it is no answer of this API at all.
fn outcome(answer: &HttpAnswer) -> Option<ChatOutcome> {
    let body: Value = serde_json::from_slice(&answer.body).ok()?;
    // A gateway may wrap the one answer as a stream would: an array of it.
    let body = body.as_array().map_or(Some(&body), |list| list.first())?;
    let fields = body.as_object()?;
    let usage = usage(body);
    let Some(candidate) = body.pointer("/candidates/0") else {
        return match body.pointer("/promptFeedback/blockReason").and_then(Value::as_str) {
            Some(reason) => Some(ChatOutcome::Blocked { reason: reason.to_owned(), usage }),
            None if ["candidates", "usageMetadata", "promptFeedback", "modelVersion", "responseId"]
                .iter()
                .any(|field| fields.contains_key(*field)) =>
            {
                Some(ChatOutcome::Empty { budget_eaten: false, usage })
            }
            None => None,
        };
    };
    let finish = candidate.get("finishReason").and_then(Value::as_str).unwrap_or("STOP");
    let text = reply_text(candidate);
    let ceiling = finish == "MAX_TOKENS";
    if is_block(finish) {
        // A text that was stopped half-way by a filter is not sent either.
        return Some(ChatOutcome::Blocked { reason: finish.to_owned(), usage });
    }
    if text.trim().is_empty() {
        return Some(ChatOutcome::Empty { budget_eaten: ceiling, usage });
    }
    let model_version = body.get("modelVersion").and_then(Value::as_str).map(str::to_owned);
    Some(ChatOutcome::Reply { text, truncated: ceiling, usage, model_version })
}

/// The reasons that mean "the content is not wanted". Malformed calls and names yet unknown are glitches instead.
fn is_block(finish: &str) -> bool {
    matches!(finish, "SAFETY" | "RECITATION" | "LANGUAGE" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII")
        || (finish.starts_with("IMAGE_") && finish != "IMAGE_OTHER")
}

fn reply_text(candidate: &Value) -> String {
    let parts = candidate.pointer("/content/parts").and_then(Value::as_array);
    let spoken = parts.into_iter().flatten().filter(|part| part.get("thought").and_then(Value::as_bool) != Some(true));
    spoken.filter_map(|part| part.get("text").and_then(Value::as_str)).collect()
}

fn usage(body: &Value) -> Option<TokenUsage> {
    let counts = body.get("usageMetadata")?;
    // Absent means zero: proto3 drops zero values.
    let count = |name: &str| {
        let number = counts.get(name).and_then(Value::as_u64).unwrap_or(0);
        u32::try_from(number).unwrap_or(u32::MAX)
    };
    let output = count("candidatesTokenCount").saturating_add(count("thoughtsTokenCount"));
    Some(TokenUsage { input: count("promptTokenCount"), output })
}
