//! Gemini's `batchEmbedContents`.

use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::{ANSWER_MAX, EmbeddingEndpoint, Purpose, numbers, whole_json};
use crate::clients::http::HttpClient;
use crate::clients::llm::{gemini, gemini_errors};
use crate::clients::{WireError, WireErrorKind};

/// Longest text, in bytes: the models read 2,048 tokens, about three bytes each in Portuguese.
pub(super) const INPUT_MAX: usize = 6_000;

pub(super) async fn embed(
    http: &HttpClient,
    endpoint: &EmbeddingEndpoint,
    texts: &[&str],
    purpose: Purpose,
) -> Result<Vec<Vec<f32>>, WireError> {
    let url = gemini::call_url(&endpoint.base_url, &endpoint.api_version, &endpoint.model, "batchEmbedContents")?;
    let headers = [("x-goog-api-key", endpoint.api_key.expose_secret())];
    let body = json!({"requests": texts.iter().map(|text| request(endpoint, text, purpose)).collect::<Vec<_>>()});
    let answer = http.post_json(&url, &headers, body.to_string().into_bytes(), endpoint.timeout, ANSWER_MAX).await?;
    if !answer.is_success() {
        return Err(gemini_errors::refusal(&answer));
    }
    let vectors = vectors(&whole_json(&answer)?);
    vectors.ok_or_else(|| answer.error(WireErrorKind::Unavailable, "garbage"))
}

fn request(endpoint: &EmbeddingEndpoint, text: &str, purpose: Purpose) -> Value {
    let task = match purpose {
        Purpose::Query => "RETRIEVAL_QUERY",
        Purpose::Document => "RETRIEVAL_DOCUMENT",
        Purpose::Similarity => "SEMANTIC_SIMILARITY",
    };
    json!({
        "model": format!("models/{}", endpoint.model),
        "content": {"parts": [{"text": text}]},
        "taskType": task,
        "outputDimensionality": endpoint.dimension,
    })
}

fn vectors(body: &Value) -> Option<Vec<Vec<f32>>> {
    body.get("embeddings")?.as_array()?.iter().map(|one| numbers(one.get("values")?)).collect()
}
