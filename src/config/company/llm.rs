//! Which language models a company uses, in order of preference, and which ones listen and make vectors for it.

use super::super::Settings;
use super::values::Stored;

/// Where OpenAI itself is.
const OPENAI: &str = "https://api.openai.com/v1";

/// The protocol of a language model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LlmKind {
    /// Google Gemini's own.
    Gemini,
    /// OpenAI's, which most local servers and gateways speak too.
    OpenAi,
}

/// How a server of OpenAI's protocol wants the most tokens of an answer named: each of the two names is refused
/// somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CeilingField {
    /// `max_tokens`: what local servers know.
    MaxTokens,
    /// `max_completion_tokens`: what OpenAI's thinking models want.
    MaxCompletionTokens,
}

/// A language model of the company.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LlmChoice {
    /// The protocol.
    pub kind: LlmKind,
    /// Base URL.
    pub base_url: String,
    /// Version in the path, with Gemini.
    pub api_version: String,
    /// The model's name.
    pub model: String,
    /// The name of the token ceiling, with OpenAI.
    pub ceiling: CeilingField,
}

/// How a company's voice messages are treated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioChoice {
    /// Whether they are written down.
    pub transcribe: bool,
    /// The model that listens at the first model's provider; `None` = the provider's usual one.
    pub model: Option<String>,
    /// The longest one, in seconds.
    pub max_seconds: u32,
    /// The largest one, in bytes.
    pub max_bytes: usize,
}

/// A provider that turns texts into vectors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmbeddingChoice {
    /// The protocol.
    pub kind: LlmKind,
    /// Base URL.
    pub base_url: String,
    /// Version in the path, with Gemini.
    pub api_version: String,
    /// The model's name.
    pub model: String,
    /// How many numbers a vector has.
    pub dimension: usize,
}

/// The model asked first. Fails when an OpenAI-compatible server has no model named.
pub(super) fn first(read: &Stored<'_>, process: &Settings) -> Result<LlmChoice, String> {
    let kind = kind(read.text("llm.kind", "gemini"));
    choice(read, process, kind, ["llm.base_url", "llm.model", "llm.ceiling"])
}

/// The model asked when the first fails, if there is one.
pub(super) fn second(read: &Stored<'_>, process: &Settings) -> Result<Option<LlmChoice>, String> {
    let kind = match read.text("llm2.kind", "") {
        "" => return Ok(None),
        word => kind(word),
    };
    choice(read, process, kind, ["llm2.base_url", "llm2.model", "llm2.ceiling"]).map(Some)
}

/// How voice messages are treated.
pub(super) fn audio(read: &Stored<'_>) -> Result<AudioChoice, String> {
    let kib: usize = read.number("audio.max_kib", 4_096)?;
    Ok(AudioChoice {
        transcribe: read.flag("audio.transcribe", false),
        model: Some(read.text("audio.model", "")).filter(|name| !name.is_empty()).map(str::to_owned),
        max_seconds: read.number("audio.max_seconds", 180)?,
        max_bytes: kib.saturating_mul(1_024),
    })
}

/// The provider of vectors, at the place of the language model of its kind unless another is named.
pub(super) fn embedding(
    read: &Stored<'_>,
    first: &LlmChoice,
    second: Option<&LlmChoice>,
    process: &Settings,
) -> Result<Option<EmbeddingChoice>, String> {
    let kind = match read.text("embedding.kind", "local") {
        "local" => return Ok(None),
        word => kind(word),
    };
    let (usual, model, dimension) = match kind {
        LlmKind::Gemini => (process.llm.base_url.as_str(), "gemini-embedding-001", 768),
        LlmKind::OpenAi => (OPENAI, "text-embedding-3-small", 512),
    };
    let of_kind = std::iter::once(first).chain(second).find(|choice| choice.kind == kind);
    let place = of_kind.map_or(usual, |choice| choice.base_url.as_str());
    Ok(Some(EmbeddingChoice {
        kind,
        base_url: read.text("embedding.base_url", place).to_owned(),
        api_version: process.llm.api_version.clone(),
        model: read.text("embedding.model", model).to_owned(),
        dimension: read.number("embedding.dimension", dimension)?,
    }))
}

fn kind(word: &str) -> LlmKind {
    if word == "openai" { LlmKind::OpenAi } else { LlmKind::Gemini }
}

fn choice(
    read: &Stored<'_>,
    process: &Settings,
    kind: LlmKind,
    [base_url, model, ceiling]: [&str; 3],
) -> Result<LlmChoice, String> {
    let (default_url, default_model) = match kind {
        LlmKind::Gemini => (process.llm.base_url.as_str(), process.llm.model.as_str()),
        LlmKind::OpenAi => (OPENAI, ""),
    };
    let name = read.text(model, default_model);
    if name.is_empty() {
        return Err(format!("{model} is missing: an OpenAI-compatible server has no default model, so name one"));
    }
    let base_url = read.text(base_url, default_url).to_owned();
    Ok(LlmChoice {
        kind,
        ceiling: ceiling_field(read.text(ceiling, "auto"), &base_url),
        base_url,
        api_version: process.llm.api_version.clone(),
        model: name.to_owned(),
    })
}

fn ceiling_field(word: &str, base_url: &str) -> CeilingField {
    let at_openai = || url::Url::parse(base_url).is_ok_and(|url| url.host_str() == Some("api.openai.com"));
    match word {
        "max_tokens" => CeilingField::MaxTokens,
        "max_completion_tokens" => CeilingField::MaxCompletionTokens,
        _ if at_openai() => CeilingField::MaxCompletionTokens,
        _ => CeilingField::MaxTokens,
    }
}
