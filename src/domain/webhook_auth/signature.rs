//! The four ways of signing a webhook.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

use super::{PresentedHeaders, ReplayKey, SIGNATURE_HEADERS, TIMESTAMP_WINDOW_SECONDS, Unauthorized, WebhookKeys};

const STANDARD_SECRET_PREFIX: &str = "whsec_";
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

type Sha256Mac = Hmac<Sha256>;

/// Secrets as MACs that have taken their key in and nothing else. A request clones them.
#[derive(Clone)]
pub(super) struct Keys {
    /// The secret string's own bytes are the key here, a `whsec_` in front included.
    raw: Vec<Sha256Mac>,
    /// Standard Webhooks: what is written in Base64 behind `whsec_`.
    standard: Vec<Sha256Mac>,
}

impl Keys {
    /// Takes the secrets; empty ones never match.
    pub(super) fn of(secrets: &[String]) -> Self {
        let keyed = |key: &[u8]| if key.is_empty() { None } else { Sha256Mac::new_from_slice(key).ok() };
        let decoded = |secret: &String| BASE64.decode(secret.strip_prefix(STANDARD_SECRET_PREFIX)?).ok();
        Self {
            raw: secrets.iter().filter_map(|secret| keyed(secret.as_bytes())).collect(),
            standard: secrets.iter().filter_map(decoded).filter_map(|key| keyed(&key)).collect(),
        }
    }
}

/// Checks whichever signature is present and returns the replay key, if the signature covers a time.
pub(super) fn check<'a>(
    keys: &WebhookKeys,
    headers: &PresentedHeaders<'a>,
    body: &'a [u8],
    now: i64,
) -> Result<Option<ReplayKey<'a>>, Unauthorized> {
    let raw = &keys.signing.raw;
    if raw.is_empty() {
        return Err(Unauthorized("not_configured"));
    }
    if let Some(signature) = hex_signature(headers)? {
        return match headers.single("x-webhook-timestamp")? {
            Some(timestamp) => check_timed(raw, &signature, timestamp, body, now).map(Some),
            None if !keys.allow_untimestamped => Err(Unauthorized("untimestamped")),
            None => match_mac(raw, &[signature], &[body]).map(|_| None),
        };
    }
    if let (Some(timestamp), Some(signature)) = (headers.single("x-timestamp")?, headers.single("x-signature")?) {
        let signature = decode_hex(signature)?;
        return check_timed(raw, &signature, timestamp, body, now).map(Some);
    }
    check_standard(&keys.signing.standard, headers, body, now).map(Some)
}

fn check_timed<'a>(
    keys: &[Sha256Mac],
    signature: &[u8; 32],
    timestamp: &'a [u8],
    body: &'a [u8],
    now: i64,
) -> Result<ReplayKey<'a>, Unauthorized> {
    within_window(timestamp, now)?;
    let mac = match_mac(keys, std::slice::from_ref(signature), &[timestamp, b".", body])?;
    Ok(ReplayKey { timestamp, mac, body })
}

fn check_standard<'a>(
    keys: &[Sha256Mac],
    headers: &PresentedHeaders<'a>,
    body: &'a [u8],
    now: i64,
) -> Result<ReplayKey<'a>, Unauthorized> {
    let present = (headers.single("webhook-id")?, headers.single("webhook-timestamp")?);
    let signatures = headers.single("webhook-signature")?.ok_or(Unauthorized("signature_missing"))?;
    let (Some(id), Some(timestamp)) = present else { return Err(Unauthorized("signature_malformed")) };
    within_window(timestamp, now)?;
    // Versions other than v1 are other algorithms, which a sender may add beside it.
    let candidates: Vec<Vec<u8>> = signatures
        .split(|b| *b == b' ')
        .filter_map(|one| one.strip_prefix(b"v1,"))
        .filter_map(|encoded| BASE64.decode(encoded).ok())
        .collect();
    if candidates.is_empty() {
        return Err(Unauthorized("signature_malformed"));
    }
    let mac = match_mac(keys, &candidates, &[id, b".", timestamp, b".", body])?;
    Ok(ReplayKey { timestamp, mac, body })
}

/// The one v1 or v0 signature, whichever header carries it; several must agree.
fn hex_signature(headers: &PresentedHeaders<'_>) -> Result<Option<[u8; 32]>, Unauthorized> {
    let mut found: Option<[u8; 32]> = None;
    for value in SIGNATURE_HEADERS.iter().flat_map(|name| headers.values(name)) {
        let signature = decode_hex(value.strip_prefix(b"sha256=").unwrap_or(value))?;
        if found.is_some_and(|earlier| earlier != signature) {
            return Err(Unauthorized("repeated_header"));
        }
        found = Some(signature);
    }
    Ok(found)
}

fn decode_hex(value: &[u8]) -> Result<[u8; 32], Unauthorized> {
    let mut signature = [0; 32];
    hex::decode_to_slice(value, &mut signature).map_err(|_| Unauthorized("signature_malformed"))?;
    Ok(signature)
}

fn within_window(timestamp: &[u8], now: i64) -> Result<(), Unauthorized> {
    let digits = std::str::from_utf8(timestamp).ok().filter(|t| t.bytes().all(|b| b.is_ascii_digit()));
    let seconds: i64 = digits.and_then(|t| t.parse().ok()).ok_or(Unauthorized("timestamp_malformed"))?;
    if now.abs_diff(seconds) <= TIMESTAMP_WINDOW_SECONDS.unsigned_abs() {
        Ok(())
    } else {
        Err(Unauthorized("timestamp_window"))
    }
}

/// The MAC that one of the keys gives for the parts and that one of the candidates equals. The MAC itself is returned,
/// not the candidate as written: the same signature in capitals or beside others must not look like a new one.
fn match_mac(keys: &[Sha256Mac], candidates: &[impl AsRef<[u8]>], parts: &[&[u8]]) -> Result<[u8; 32], Unauthorized> {
    let mut found = None;
    for key in keys {
        let mac = mac(key.clone(), parts);
        let fits = candidates.iter().fold(Choice::from(0), |any, c| any | c.as_ref().ct_eq(mac.as_slice()));
        if bool::from(fits) && found.is_none() {
            found = Some(mac);
        }
    }
    found.ok_or(Unauthorized("signature_wrong"))
}

fn mac(mut keyed: Sha256Mac, parts: &[&[u8]]) -> [u8; 32] {
    for part in parts {
        keyed.update(part);
    }
    keyed.finalize().into_bytes().into()
}

/// The v1 signature of a body, as senders write it after `sha256=`: 64 hex digits over `timestamp.body`.
pub fn sign(secret: &str, timestamp: i64, body: &[u8]) -> String {
    let timestamp = timestamp.to_string();
    // HMAC takes keys of any length, so there always is a MAC.
    let keyed = Sha256Mac::new_from_slice(secret.as_bytes()).ok();
    keyed.map(|keyed| hex::encode(mac(keyed, &[timestamp.as_bytes(), b".", body]))).unwrap_or_default()
}
