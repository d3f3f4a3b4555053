//! The signature of Cal.com's callbacks: HMAC-SHA256 of the raw body in lowercase hexadecimal digits, without a prefix
//! and without a timestamp. What is replayed is told by its content alone.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The signature of a body.
pub fn sign(secret: &str, body: &[u8]) -> String {
    mac(secret, body).map(|mac| hex::encode(mac.finalize().into_bytes())).unwrap_or_default()
}

/// Whether a header is the signature of the body by any of the secrets. Without a secret set in Cal.com it says
/// `no-secret-provided`, which is no signature.
pub fn verify<'a>(secrets: impl IntoIterator<Item = &'a str>, header: &str, body: &[u8]) -> bool {
    let Ok(given) = hex::decode(header.trim()) else { return false };
    let mut known = secrets.into_iter().filter(|secret| !secret.is_empty());
    known.any(|secret| mac(secret, body).is_some_and(|mac| mac.verify_slice(&given).is_ok()))
}

fn mac(secret: &str, body: &[u8]) -> Option<Hmac<Sha256>> {
    // Fails for no length of key.
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(body);
    Some(mac)
}
