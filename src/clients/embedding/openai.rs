//! OpenAI's embeddings, as OpenAI and compatible servers make them.

use serde_json::{Value, json};

use super::{ANSWER_MAX, EmbeddingEndpoint, numbers, whole_json};
use crate::clients::http::HttpClient;
use crate::clients::llm::{openai_compatible, openai_errors};
use crate::clients::{WireError, WireErrorKind};

/// Longest text, in bytes: the models read 8,192 tokens, and a token is a byte at least.
pub(super) const INPUT_MAX: usize = 8_000;

pub(super) async fn embed(
    http: &HttpClient,
    endpoint: &EmbeddingEndpoint,
    texts: &[&str],
) -> Result<Vec<Vec<f32>>, WireError> {
    let url = openai_compatible::call_url(&endpoint.base_url, &endpoint.model, "embeddings")?;
    let bearer = openai_compatible::bearer(&endpoint.api_key);
    let headers = openai_compatible::headers(bearer.as_deref(), "");
    let body = body(endpoint, texts).to_string().into_bytes();
    let answer = http.post_json(&url, &headers, body, endpoint.timeout, ANSWER_MAX).await?;
    if !answer.is_success() {
        return Err(openai_errors::refusal(&answer));
    }
    vectors(&whole_json(&answer)?, texts.len()).ok_or_else(|| answer.error(WireErrorKind::Unavailable, "garbage"))
}

/// Only the third generation of OpenAI's models can shorten vectors; all others refuse to be told a dimension.
fn body(endpoint: &EmbeddingEndpoint, texts: &[&str]) -> Value {
    let mut body = json!({"model": endpoint.model, "input": texts, "encoding_format": "float"});
    if let (Some(fields), true) = (body.as_object_mut(), endpoint.model.starts_with("text-embedding-3")) {
        fields.insert("dimensions".to_owned(), json!(endpoint.dimension));
    }
    body
}

/// The vectors by their index, which need not be the order they come in. Servers that give no index keep the order.
fn vectors(body: &Value, count: usize) -> Option<Vec<Vec<f32>>> {
    let mut placed: Vec<Option<Vec<f32>>> = vec![None; count];
    for (nth, one) in body.get("data")?.as_array()?.iter().enumerate() {
        let index = one.get("index").and_then(Value::as_u64).map_or(Some(nth), |index| usize::try_from(index).ok())?;
        let place = placed.get_mut(index).filter(|place| place.is_none())?;
        *place = Some(numbers(one.get("embedding")?)?);
    }
    placed.into_iter().collect()
}
