//! Who may use a company's API: a bearer token (RFC 6750), compared as digests in constant time.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// The tokens a company's API accepts, as digests: the current one and, while a rotation lasts, the previous one.
#[derive(Clone, Default)]
pub struct ApiTokens(Vec<[u8; 32]>);

impl ApiTokens {
    /// Keeps the digests of these tokens; empty ones never match.
    pub fn new(tokens: impl IntoIterator<Item = String>) -> Self {
        let digest = |token: String| Sha256::digest(token.as_bytes()).into();
        Self(tokens.into_iter().filter(|token| !token.is_empty()).map(digest).collect())
    }

    /// Whether a presented token is one of them. Every one is compared, so that time tells nothing.
    pub fn accept(&self, presented: &str) -> bool {
        let digest: [u8; 32] = Sha256::digest(presented.as_bytes()).into();
        let any = self.0.iter().fold(Choice::from(0), |any, known| any | known.ct_eq(&digest));
        !presented.is_empty() && bool::from(any)
    }
}

impl fmt::Debug for ApiTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiTokens({} hidden)", self.0.len())
    }
}
