//! Messaging channels: each reads its own webhook and sends its own texts.

pub mod whaticket;

use std::time::Duration;

use secrecy::SecretString;
use tokio::time::Instant;

use super::WireError;

/// A text on its way to a person.
#[derive(Clone, Debug)]
pub struct OutgoingText<'a> {
    /// Digits in the form received, or a full hidden jid (`Sender::reply_address`).
    pub to: &'a str,
    /// The text.
    pub body: &'a str,
    /// Goes out as `X-Correlation-ID`, so that the provider's log and ours can be laid side by side.
    pub correlation_id: &'a str,
    /// No byte of it may leave after this moment: by then somebody else may be sending it.
    pub not_after: Instant,
}

/// A provider's acceptance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The provider's id of the message, when it tells one.
    pub external_id: Option<String>,
}

/// Where and how a company's texts leave: from its settings and secrets.
#[derive(Clone, Debug)]
pub struct ChannelEndpoint {
    /// Which dialect of the channel.
    pub flavor: whaticket::Flavor,
    /// Base URL without a trailing slash.
    pub base_url: String,
    /// The credential.
    pub token: SecretString,
    /// The connection's number (`community`) or uuid (`hosted`), when the flavor needs one.
    pub connection: Option<String>,
    /// Time allowed for the whole call.
    pub total_timeout: Duration,
}

/// Sends one text. See `whaticket::send` for the classes of failure.
pub async fn send(
    http: &super::http::HttpClient,
    endpoint: &ChannelEndpoint,
    text: &OutgoingText<'_>,
) -> Result<Receipt, WireError> {
    whaticket::send(http, endpoint, text).await
}
