//! Where the file of a voice message is.
//!
//! A raw Baileys message points at WhatsApp's own servers, which hold the file encrypted, and brings the key. Forks that
//! fetched the file themselves name its address on their server, where it lies in clear.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use super::Object;
use super::content::unwrap;
use super::json::{first_string, object, scalar};
use crate::domain::inbound::{MEDIA_URL_MAX, Media};

/// Fields in which forks put the address of a file on their own server.
const ADDRESSES: [&str; 5] = ["mediaUrl", "media_url", "fileUrl", "audioUrl", "mediaURL"];

/// Bytes of WhatsApp's keys.
const KEY_LENGTH: usize = 32;

/// The file of a voice message; `outer` is what stands around the message. `None` when nobody says where it is.
pub(super) fn of(envelope: &Object, outer: &Object) -> Option<Box<Media>> {
    let message = object(envelope.get("message")).map(unwrap);
    let sound = message.and_then(|message| object(message.get("audioMessage")).or(object(message.get("audio"))));
    let mime = sound.and_then(|sound| first_string(sound, &["mimetype", "mime_type"])).unwrap_or_default();
    let mime: String = mime.chars().take(100).collect();
    let seconds = sound.and_then(|sound| scalar(sound.get("seconds")?)?.parse().ok());
    let places = [Some(envelope), message, sound, Some(outer)];
    let clear = places.into_iter().flatten().find_map(|place| address(place, &ADDRESSES));
    if let Some(url) = clear {
        return Some(Box::new(Media { url, mime, seconds, key: None }));
    }
    let sound = sound?;
    let key = sound.get("mediaKey").and_then(key);
    let url = address(sound, &["url", "link"])?;
    // WhatsApp's servers give ciphertext only: without its key the file is noise.
    if key.is_none() && url.contains(".whatsapp.net/") {
        return None;
    }
    Some(Box::new(Media { url, mime, seconds, key }))
}

fn address(place: &Object, fields: &[&str]) -> Option<String> {
    let url = first_string(place, fields)?.trim();
    let fits = url.len() <= MEDIA_URL_MAX && (url.starts_with("https://") || url.starts_with("http://"));
    fits.then(|| url.to_owned())
}

/// A key as base64, whatever JSON a runtime made of its bytes: base64 itself, `{"type":"Buffer","data":[…]}`, an array,
/// or an object of numbered fields.
fn key(value: &Value) -> Option<String> {
    let bytes = match value {
        Value::String(text) => BASE64_STANDARD.decode(text.trim()).ok()?,
        Value::Array(list) => bytes(list.iter())?,
        Value::Object(buffer) => match buffer.get("data") {
            Some(Value::Array(list)) => bytes(list.iter())?,
            Some(Value::String(text)) => BASE64_STANDARD.decode(text.trim()).ok()?,
            _ => bytes((0..KEY_LENGTH).map_while(|n| buffer.get(&n.to_string())))?,
        },
        _ => return None,
    };
    (bytes.len() == KEY_LENGTH).then(|| BASE64_STANDARD.encode(bytes))
}

fn bytes<'a>(list: impl Iterator<Item = &'a Value>) -> Option<Vec<u8>> {
    list.take(KEY_LENGTH + 1).map(|byte| u8::try_from(byte.as_u64()?).ok()).collect()
}
