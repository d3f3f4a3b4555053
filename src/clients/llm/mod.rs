//! Language models: one question in, one text out.

pub mod gemini;
pub(super) mod gemini_errors;
pub mod openai_compatible;
pub(super) mod openai_errors;

use std::time::Duration;

use secrecy::SecretString;

use super::WireError;
pub use crate::config::company::{CeilingField, LlmKind};

/// Where a company's model is: from its settings and secrets.
#[derive(Clone, Debug)]
pub struct LlmEndpoint {
    /// The protocol.
    pub kind: LlmKind,
    /// Base URL without a trailing slash: `https://generativelanguage.googleapis.com`, `https://api.openai.com/v1`.
    pub base_url: String,
    /// Path version, e.g. `v1beta`; Gemini only.
    pub api_version: String,
    /// The key; empty for a server that wants none (OpenAI's protocol only).
    pub api_key: SecretString,
    /// The model's name, with Gemini without `models/`.
    pub model: String,
    /// The name of the token ceiling; OpenAI's protocol only.
    pub ceiling: CeilingField,
}

/// Whose turn a line of the conversation was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChatRole {
    /// The customer.
    User,
    /// The assistant, or a human of the team.
    Model,
}

/// One line of the conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatTurn {
    /// Whose.
    pub role: ChatRole,
    /// What was said.
    pub text: String,
}

/// A question to a model: roles as structured parts, never one flat text.
#[derive(Clone, Debug)]
pub struct ChatRequest {
    /// The system instruction.
    pub system: String,
    /// The conversation; the last turn is the customer's.
    pub turns: Vec<ChatTurn>,
    /// Ceiling of output tokens, thinking included. At least 1024 is sensible.
    pub max_output_tokens: u32,
    /// Time allowed for this call.
    pub timeout: Duration,
    /// Goes out as `X-Correlation-ID`.
    pub correlation_id: String,
}

/// Tokens as the provider counted them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct TokenUsage {
    /// Prompt tokens.
    pub input: u32,
    /// Answer tokens, thinking included (billed alike).
    pub output: u32,
}

/// What a model answered with HTTP 200.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChatOutcome {
    /// A text. `truncated` when the token ceiling cut it.
    Reply {
        /// The text, thoughts left out.
        text: String,
        /// Whether the ceiling cut it.
        truncated: bool,
        /// The provider's count, when given.
        usage: Option<TokenUsage>,
        /// The model that really answered.
        model_version: Option<String>,
    },
    /// No text although nothing was refused: worth one more try (with more room when thinking ate the budget).
    Empty {
        /// Whether thinking ate the whole token budget.
        budget_eaten: bool,
        /// The provider's count, when given.
        usage: Option<TokenUsage>,
    },
    /// The prompt or the answer was blocked; never retried.
    Blocked {
        /// The provider's word for it.
        reason: String,
        /// The provider's count, when given.
        usage: Option<TokenUsage>,
    },
}

/// The conversation as models want it: empty texts left out, and answers after the customer's last words fallen off,
/// because a conversation that ends with the model is refused or continued.
pub(super) fn spoken(turns: &[ChatTurn]) -> impl Iterator<Item = &ChatTurn> {
    let end = turns.iter().rposition(|turn| turn.role == ChatRole::User && !turn.text.trim().is_empty());
    turns.iter().take(end.map_or(0, |last| last + 1)).filter(|turn| !turn.text.trim().is_empty())
}

/// Asks the model once.
pub async fn generate(
    http: &super::http::HttpClient,
    endpoint: &LlmEndpoint,
    request: &ChatRequest,
) -> Result<ChatOutcome, WireError> {
    match endpoint.kind {
        LlmKind::Gemini => gemini::generate(http, endpoint, request).await,
        LlmKind::OpenAi => openai_compatible::generate(http, endpoint, request).await,
    }
}
