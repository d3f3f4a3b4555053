//! Embeddings: texts to vectors of length 1, so that a dot product is their likeness.
//!
//! Vectors of two models, or of one model at two dimensions, have nothing to do with each other: whoever stores one
//! stores provider, model and dimension with it and never compares across.

mod gemini;
mod openai;

use std::time::Duration;

use secrecy::SecretString;

use super::http::{BodyCut, HttpAnswer, HttpClient};
use super::llm::LlmKind;
use super::{WireError, WireErrorKind};

/// Most texts of one request: what Gemini takes; OpenAI would take more, but the answer must stay within [`ANSWER_MAX`].
const BATCH_TEXTS: usize = 100;

/// Most bytes of texts in one request. A token is a byte at least, so this stays below OpenAI's 300,000 tokens.
const BATCH_BYTES: usize = 256 * 1024;

/// Largest answer that is read, in bytes: a hundred vectors of 3,072 numbers written out.
const ANSWER_MAX: usize = 8 * 1024 * 1024;

/// Where a company's embeddings come from.
#[derive(Clone, Debug)]
pub struct EmbeddingEndpoint {
    /// The protocol.
    pub kind: LlmKind,
    /// Base URL without a trailing slash, as for the language model of that protocol.
    pub base_url: String,
    /// Path version, e.g. `v1beta`; Gemini only.
    pub api_version: String,
    /// The key; empty for a server that wants none (OpenAI's protocol only).
    pub api_key: SecretString,
    /// The model's name, e.g. `gemini-embedding-001`, `text-embedding-3-small`.
    pub model: String,
    /// How many numbers a vector must have. Models that can shorten their vectors are told so; any other length that
    /// comes back is an error, because a vector of another length is a vector of another space.
    pub dimension: usize,
    /// Time allowed for one request; many texts take several.
    pub timeout: Duration,
}

/// What the vectors are for; Gemini makes different ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A question that looks for documents.
    Query,
    /// A document to be found by questions.
    Document,
    /// Texts that are compared with each other.
    Similarity,
}

/// A vector for each text, in their order, of the dimension asked for and of length 1; the zero vector for a text without
/// words, which is like nothing. Long texts are cut at what the model takes (Gemini 6,000 bytes, OpenAI 8,000): split
/// them before.
///
/// Texts go out in batches, one after the other; the first failure ends it, and what was made before is lost.
///
/// # Errors
/// Those of the language model of that protocol, and `wrong_dimension`: the model makes vectors of another length.
pub async fn embed(
    http: &HttpClient,
    endpoint: &EmbeddingEndpoint,
    texts: &[&str],
    purpose: Purpose,
) -> Result<Vec<Vec<f32>>, WireError> {
    let longest = match endpoint.kind {
        LlmKind::Gemini => gemini::INPUT_MAX,
        LlmKind::OpenAi => openai::INPUT_MAX,
    };
    let cut: Vec<&str> = texts.iter().map(|text| cut(text.trim(), longest)).collect();
    let spoken: Vec<&str> = cut.iter().copied().filter(|text| !text.is_empty()).collect();
    let mut made = Vec::with_capacity(spoken.len());
    for batch in batches(&spoken) {
        let vectors = match endpoint.kind {
            LlmKind::Gemini => gemini::embed(http, endpoint, batch, purpose).await?,
            LlmKind::OpenAi => openai::embed(http, endpoint, batch).await?,
        };
        if vectors.len() != batch.len() {
            let detail = format!("{} vectors for {} texts", vectors.len(), batch.len());
            return Err(wrong(WireErrorKind::Unavailable, "garbage", detail));
        }
        for vector in vectors {
            made.push(normalised(vector, endpoint.dimension)?);
        }
    }
    let mut made = made.into_iter();
    let nothing = || vec![0.0; endpoint.dimension];
    Ok(cut.iter().map(|text| if text.is_empty() { nothing() } else { made.next().unwrap_or_else(nothing) }).collect())
}

/// The start of a text, at most so many bytes, ending at a character.
fn cut(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
}

/// Neighbouring texts by the dozen, so many that one request takes them.
fn batches<'a, 't>(texts: &'a [&'t str]) -> impl Iterator<Item = &'a [&'t str]> {
    let mut rest = texts;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fitting = rest.iter().take(BATCH_TEXTS).take_while(|text| {
            bytes += text.len();
            bytes <= BATCH_BYTES
        });
        let (batch, tail) = rest.split_at(fitting.count().max(1).min(rest.len()));
        rest = tail;
        (!batch.is_empty()).then_some(batch)
    })
}

/// The vector at length 1.
fn normalised(mut vector: Vec<f32>, dimension: usize) -> Result<Vec<f32>, WireError> {
    if vector.len() != dimension {
        let detail = format!("the model makes vectors of {} numbers, {dimension} are set", vector.len());
        return Err(wrong(WireErrorKind::Auth, "wrong_dimension", detail));
    }
    // Summed in double precision: thousands of small squares would lose digits otherwise.
    let length = vector.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
    if !length.is_normal() {
        return Err(wrong(WireErrorKind::Unavailable, "garbage", "a vector without direction".to_owned()));
    }
    #[expect(clippy::cast_possible_truncation, reason = "a share of 1, for a vector of f32")]
    vector.iter_mut().for_each(|x| *x = (f64::from(*x) / length) as f32);
    Ok(vector)
}

fn wrong(kind: WireErrorKind, code: &'static str, detail: String) -> WireError {
    WireError { kind, status: None, retry_after: None, code, detail }
}

/// The parsed body of a 200 that came whole.
fn whole_json(answer: &HttpAnswer) -> Result<serde_json::Value, WireError> {
    match answer.cut {
        Some(BodyCut::Timeout) => return Err(answer.error(WireErrorKind::Unknown, "timeout")),
        Some(BodyCut::Reset | BodyCut::Limit) => return Err(answer.error(WireErrorKind::Unknown, "garbage")),
        None => {}
    }
    serde_json::from_slice(&answer.body).map_err(|_| answer.error(WireErrorKind::Unavailable, "garbage"))
}

/// The numbers of a JSON array; `None` when it is none, or holds anything else.
fn numbers(value: &serde_json::Value) -> Option<Vec<f32>> {
    #[expect(clippy::cast_possible_truncation, reason = "embeddings are f32 everywhere")]
    value.as_array()?.iter().map(|number| number.as_f64().map(|number| number as f32)).collect()
}
