//! OpenAI's `audio/transcriptions`, which takes a form with a file.

use serde_json::Value;
use uuid::Uuid;

use super::Limits;
use super::format::Format;
use crate::clients::http::{BODY_LIMIT, BodyCut, HttpClient};
use crate::clients::llm::{LlmEndpoint, TokenUsage, openai_compatible, openai_errors};
use crate::clients::{WireError, WireErrorKind};

/// Largest file.
pub(super) const BYTES_MAX: usize = 25_000_000;

pub(super) async fn transcribe(
    http: &HttpClient,
    endpoint: &LlmEndpoint,
    (bytes, format): (&[u8], Format),
    limits: &Limits,
    correlation_id: &str,
) -> Result<(String, Option<TokenUsage>), WireError> {
    let url = openai_compatible::call_url(&endpoint.base_url, &endpoint.model, "audio/transcriptions")?;
    let bearer = openai_compatible::bearer(&endpoint.api_key);
    let headers = openai_compatible::headers(bearer.as_deref(), correlation_id);
    // Random, so that no file can hold it and break out of its part.
    let boundary = format!("secretaria-{}", Uuid::new_v4().simple());
    let kind = format!("multipart/form-data; boundary={boundary}");
    let body = form(&boundary, &endpoint.model, bytes, format);
    let answer = http.post(&url, &headers, (&kind, body), limits.timeout, BODY_LIMIT).await?;
    if !answer.is_success() {
        return Err(openai_errors::refusal(&answer));
    }
    if answer.cut == Some(BodyCut::Timeout) {
        return Err(answer.error(WireErrorKind::Unknown, "timeout"));
    }
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    match body.get("text").and_then(Value::as_str) {
        Some(text) => Ok((text.to_owned(), usage(&body))),
        None => Err(answer.error(WireErrorKind::Unavailable, "garbage")),
    }
}

fn form(boundary: &str, model: &str, bytes: &[u8], format: Format) -> Vec<u8> {
    // A line break in a field would end it; models have none.
    let model: String = model.chars().filter(|c| !c.is_control()).collect();
    let fields = [("model", model.as_str()), ("response_format", "json"), ("language", "pt")];
    let mut form = Vec::with_capacity(bytes.len() + 1_024);
    for (name, value) in fields {
        let part = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        form.extend_from_slice(part.as_bytes());
    }
    let head = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"voz.{}\"\r\nContent-Type: {}\r\n\r\n",
        format.ending, format.mime
    );
    form.extend_from_slice(head.as_bytes());
    form.extend_from_slice(bytes);
    form.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    form
}

/// The newer models count tokens under names of their own; the older ones count seconds, which are none.
fn usage(body: &Value) -> Option<TokenUsage> {
    let count = |name: &str| {
        let number = body.get("usage")?.get(name)?.as_u64()?;
        Some(u32::try_from(number).unwrap_or(u32::MAX))
    };
    Some(TokenUsage { input: count("input_tokens")?, output: count("output_tokens")? })
}
