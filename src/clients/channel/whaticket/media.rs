//! Files on WhatsApp's own servers, which hold them encrypted: a message brings the key, as Baileys reads them.
//!
//! A file is AES-256-CBC ciphertext with ten bytes of HMAC-SHA256 behind it; initial vector, cipher key and MAC key come
//! out of the message's key by HKDF-SHA256 (RFC 5869) with a word for the kind of file.

use aes::Aes256;
use aes::cipher::{BlockCipherDecrypt, KeyInit};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// The word for voice messages.
const SOUND: &[u8] = b"WhatsApp Audio Keys";

/// Bytes of the MAC that are kept.
const MAC_LENGTH: usize = 10;

/// Bytes of a cipher block.
const BLOCK: usize = 16;

/// The clear bytes of a voice message. `None` when the key is none, or the file is not what the key's owner put there.
pub fn decrypt_sound(file: &[u8], key: &str) -> Option<Vec<u8>> {
    let key = BASE64_STANDARD.decode(key).ok()?;
    let keys = expanded(&key, SOUND)?;
    let (first, cipher_key, mac_key) = (keys.get(..16)?, keys.get(16..48)?, keys.get(48..80)?);
    let (ciphertext, mac) = file.split_at_checked(file.len().checked_sub(MAC_LENGTH)?)?;
    let made = keyed(mac_key, &[first, ciphertext])?;
    if !bool::from(made.get(..MAC_LENGTH)?.ct_eq(mac)) {
        return None;
    }
    unpadded(decrypted(ciphertext, cipher_key, first)?)
}

fn keyed(key: &[u8], parts: &[&[u8]]) -> Option<Vec<u8>> {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).ok()?;
    parts.iter().for_each(|part| mac.update(part));
    Some(mac.finalize().into_bytes().to_vec())
}

/// HKDF with no salt, 112 bytes, of which the last 32 are for something else.
fn expanded(key: &[u8], word: &[u8]) -> Option<Vec<u8>> {
    let secret = keyed(&[0; 32], &[key])?;
    let mut keys = Vec::with_capacity(128);
    let mut last = Vec::new();
    for round in 1..=4_u8 {
        last = keyed(&secret, &[&last, word, &[round]])?;
        keys.extend_from_slice(&last);
    }
    Some(keys)
}

fn decrypted(ciphertext: &[u8], key: &[u8], first: &[u8]) -> Option<Vec<u8>> {
    if ciphertext.is_empty() || !ciphertext.len().is_multiple_of(BLOCK) {
        return None;
    }
    let cipher = Aes256::new_from_slice(key).ok()?;
    let mut clear = Vec::with_capacity(ciphertext.len());
    let mut before = first;
    for block in ciphertext.chunks_exact(BLOCK) {
        let mut work = aes::Block::try_from(block).ok()?;
        cipher.decrypt_block(&mut work);
        clear.extend(work.iter().zip(before).map(|(byte, mask)| byte ^ mask));
        before = block;
    }
    Some(clear)
}

/// Without its padding (PKCS #7): as many bytes as the last one says, all alike.
fn unpadded(mut clear: Vec<u8>) -> Option<Vec<u8>> {
    let padding = usize::from(*clear.last()?);
    let end = clear.len().checked_sub(padding)?;
    let sound = (1..=BLOCK).contains(&padding) && clear.iter().skip(end).all(|byte| usize::from(*byte) == padding);
    clear.truncate(end);
    sound.then_some(clear)
}
