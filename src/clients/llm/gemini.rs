//! Google Gemini, `generateContent`.

use super::{ChatOutcome, ChatRequest, LlmEndpoint};
use crate::clients::http::HttpClient;
use crate::clients::{WireError, WireErrorKind};

/// Asks Gemini once.
pub async fn generate(
    _http: &HttpClient,
    _endpoint: &LlmEndpoint,
    _request: &ChatRequest,
) -> Result<ChatOutcome, WireError> {
    Err(WireError {
        kind: WireErrorKind::Unavailable,
        status: None,
        retry_after: None,
        code: "connect",
        detail: String::new(),
    })
}
