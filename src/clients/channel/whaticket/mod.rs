//! Whaticket in its three dialects.

pub mod inbound;

use serde::{Deserialize, Serialize};

use super::{ChannelEndpoint, OutgoingText, Receipt};
use crate::clients::http::HttpClient;
use crate::clients::{WireError, WireErrorKind};

/// Which Whaticket a company runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flavor {
    /// The open-source community project.
    Community,
    /// A Brazilian SaaS fork.
    Saas,
    /// Whaticket.com.
    Hosted,
}

/// Sends one text.
pub async fn send(
    _http: &HttpClient,
    _endpoint: &ChannelEndpoint,
    _text: &OutgoingText<'_>,
) -> Result<Receipt, WireError> {
    Err(WireError {
        kind: WireErrorKind::Unavailable,
        status: None,
        retry_after: None,
        code: "connect",
        detail: String::new(),
    })
}
