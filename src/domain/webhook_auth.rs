//! Who may post to a company's webhook: token and signature, over the exact bytes, before anything is parsed.
//!
//! Four ways of signing are accepted, and the first one present decides; there is no falling through to a weaker one:
//!
//! | name | headers | signed bytes |
//! |---|---|---|
//! | v1 | `X-Webhook-Timestamp`, one of [`SIGNATURE_HEADERS`] | `timestamp.body` |
//! | v0 | one of [`SIGNATURE_HEADERS`], no timestamp; only where the company allows it | `body` |
//! | v2.4 pair | `X-Timestamp`, `X-Signature` | `timestamp.body` |
//! | Standard Webhooks | `webhook-id`, `webhook-timestamp`, `webhook-signature` | `id.timestamp.body` |

pub mod calcom;
mod signature;

pub use signature::sign;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// How far a signed timestamp may be from now, either way, in seconds.
pub const TIMESTAMP_WINDOW_SECONDS: i64 = 300;

/// Headers a v1 or v0 signature may arrive in: `sha256=<64 hex>`, the prefix optional.
pub const SIGNATURE_HEADERS: [&str; 3] = ["x-signature-256", "x-hub-signature-256", "x-webhook-signature"];

/// What a company asks of whoever posts to its webhook.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum AuthMode {
    /// Signature and token, both.
    #[default]
    #[serde(rename = "hmac+token")]
    HmacToken,
    /// The signature alone.
    #[serde(rename = "hmac")]
    Hmac,
    /// The token alone, for senders that cannot sign. The only mode in which `?token=` counts.
    #[serde(rename = "token")]
    Token,
}

impl AuthMode {
    /// The word of the setting.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HmacToken => "hmac+token",
            Self::Hmac => "hmac",
            Self::Token => "token",
        }
    }
}

impl FromStr for AuthMode {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        [Self::HmacToken, Self::Hmac, Self::Token]
            .into_iter()
            .find(|mode| mode.as_str() == word)
            .ok_or_else(|| "auth_mode is one of hmac+token, hmac, token".to_owned())
    }
}

/// A company's webhook credentials, as they are stored. `Debug` shows how many there are, never what they are.
#[derive(Clone)]
pub struct WebhookCredentials {
    /// What has to be proved.
    pub mode: AuthMode,
    /// Signing secrets, the current one first, then the previous one while a rotation lasts. Empty ones never match.
    pub secrets: Vec<String>,
    /// Tokens, the current one first. Empty ones never match.
    pub tokens: Vec<String>,
    /// Whether a signature without a timestamp (v0) counts. It can be replayed for ever.
    pub allow_untimestamped: bool,
}

impl WebhookCredentials {
    /// Makes them ready for [`WebhookKeys::verify`]: once when they are loaded, not once a request.
    pub fn prepare(&self) -> WebhookKeys {
        let known = self.tokens.iter().filter(|token| !token.is_empty());
        WebhookKeys {
            mode: self.mode,
            signing: signature::Keys::of(&self.secrets),
            tokens: known.map(|token| Sha256::digest(token.as_bytes()).into()).collect(),
            allow_untimestamped: self.allow_untimestamped,
        }
    }
}

/// A company's webhook credentials, ready to be compared with: tokens as digests, secrets as keyed states of the MAC.
/// `Debug` shows none of it.
#[derive(Clone)]
pub struct WebhookKeys {
    mode: AuthMode,
    signing: signature::Keys,
    tokens: Vec<[u8; 32]>,
    allow_untimestamped: bool,
}

impl fmt::Debug for WebhookKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookKeys").field("mode", &self.mode).finish_non_exhaustive()
    }
}

impl fmt::Debug for WebhookCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookCredentials")
            .field("mode", &self.mode)
            .field("secrets", &format_args!("{} hidden", self.secrets.len()))
            .field("tokens", &format_args!("{} hidden", self.tokens.len()))
            .field("allow_untimestamped", &self.allow_untimestamped)
            .finish()
    }
}

/// The headers of a request, repeated ones included, whatever web framework they come from.
#[derive(Clone, Default)]
pub struct PresentedHeaders<'a>(Vec<(Cow<'a, str>, &'a [u8])>);

impl<'a> PresentedHeaders<'a> {
    /// Takes the headers as name and raw value, in any order; names are compared without case.
    pub fn new(pairs: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        let lower = |name: &'a str| match name.bytes().any(|b| b.is_ascii_uppercase()) {
            true => Cow::Owned(name.to_ascii_lowercase()),
            false => Cow::Borrowed(name),
        };
        Self(pairs.into_iter().map(|(name, value)| (lower(name), value)).collect())
    }

    /// Every value of a header (name in lower case), blanks around it removed.
    fn values(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.trim_ascii())
    }

    /// The header's value; `Err` when it is repeated with different values, `Ok(None)` when absent.
    fn single(&self, name: &str) -> Result<Option<&'a [u8]>, Unauthorized> {
        let mut values = self.values(name);
        let first = values.next();
        if values.any(|value| Some(value) != first) {
            return Err(Unauthorized("repeated_header"));
        }
        Ok(first)
    }
}

impl fmt::Debug for PresentedHeaders<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// What a request that may come in has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof<'a> {
    /// For messages without an id of their own: equal only for a replay. `None` where nothing but the text would be
    /// compared (token alone, or no signed timestamp), since "sim" and "sim" are two messages.
    pub replay_key: Option<ReplayKey<'a>>,
}

/// What tells one signed request from another. Cheap to have; [`ReplayKey::digest`] reads the whole body.
#[derive(Clone, PartialEq, Eq)]
pub struct ReplayKey<'a> {
    timestamp: &'a [u8],
    mac: [u8; 32],
    body: &'a [u8],
}

impl ReplayKey<'_> {
    /// SHA-256 (64 hex digits) over timestamp, signature and body.
    pub fn digest(&self) -> String {
        let digest = Sha256::new()
            .chain_update(self.timestamp)
            .chain_update(b".")
            .chain_update(self.mac)
            .chain_update(b".")
            .chain_update(self.body)
            .finalize();
        hex::encode(digest)
    }
}

impl fmt::Debug for ReplayKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReplayKey(…)")
    }
}

/// The request may not come in. The cause is for our own log and counters; the answer is the same for all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unauthorized(
    /// One of a closed list of words: `not_configured`, `token_missing`, `token_wrong`, `signature_missing`,
    /// `signature_wrong`, `signature_malformed`, `timestamp_window`, `timestamp_malformed`, `untimestamped`,
    /// `repeated_header`.
    pub &'static str,
);

impl WebhookKeys {
    /// Checks a request against the company's credentials.
    ///
    /// `body` is what arrived, byte for byte; `now_unix` is in seconds. Secret bytes are compared in constant time, and
    /// every valid secret and token is tried whether or not an earlier one fitted.
    ///
    /// # Errors
    /// [`Unauthorized`].
    pub fn verify<'a>(
        &self,
        headers: &PresentedHeaders<'a>,
        query_token: Option<&str>,
        body: &'a [u8],
        now_unix: i64,
    ) -> Result<Proof<'a>, Unauthorized> {
        let token = || self.check_token(headers, query_token);
        let signature = || signature::check(self, headers, body, now_unix);
        let replay_key = match self.mode {
            AuthMode::Token => {
                token()?;
                None
            }
            AuthMode::Hmac => signature()?,
            AuthMode::HmacToken => {
                token()?;
                signature()?
            }
        };
        Ok(Proof { replay_key })
    }

    /// The first token present counts: bearer, then `X-Webhook-Token`, then the query.
    fn check_token(&self, headers: &PresentedHeaders<'_>, query_token: Option<&str>) -> Result<(), Unauthorized> {
        let query = query_token.filter(|_| self.mode == AuthMode::Token).map(str::as_bytes);
        let header = match headers.single("authorization")?.and_then(bearer) {
            Some(token) => Some(token),
            None => headers.single("x-webhook-token")?,
        };
        let presented = header.or(query).filter(|token| !token.is_empty()).ok_or(Unauthorized("token_missing"))?;
        if self.tokens.is_empty() {
            return Err(Unauthorized("not_configured"));
        }
        let digest = Sha256::digest(presented);
        let matched =
            self.tokens.iter().fold(Choice::from(0), |any, token| any | token.as_slice().ct_eq(digest.as_slice()));
        if bool::from(matched) { Ok(()) } else { Err(Unauthorized("token_wrong")) }
    }
}

/// The token of a bearer credential; another scheme is none of ours and counts as absent.
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| rest.trim_ascii())
}
