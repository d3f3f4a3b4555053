//! Loosely typed values: numbers as strings, strings as numbers, 64-bit integers as objects.

use std::borrow::Cow;

use chrono::DateTime;
use serde_json::Value;

use super::{BadPayload, Object};
use crate::domain::inbound::PROVIDER_ID_MAX;

/// How deep a body may be nested; the deepest real one (Baileys inside an event) needs about a dozen levels.
const DEPTH_MAX: usize = 32;

/// The last second that a date of four-digit years can hold.
const LAST_UNIX_SECOND: i64 = 253_402_300_799;

/// Parses strict UTF-8, limited in depth before any memory is spent on it.
pub(super) fn parse_object(body: &[u8]) -> Option<Object> {
    let text = std::str::from_utf8(body).ok()?;
    if depth(text.as_bytes()) > DEPTH_MAX {
        return None;
    }
    match serde_json::from_str(text).ok()? {
        Value::Object(object) => Some(object),
        _ => None,
    }
}

fn depth(json: &[u8]) -> usize {
    let (mut now, mut deepest, mut in_string, mut escaped) = (0_usize, 0_usize, false, false);
    for byte in json {
        match (in_string, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_string = !in_string,
            (false, b'{' | b'[') => {
                now += 1;
                deepest = deepest.max(now);
            }
            (false, b'}' | b']') => now = now.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// The object, when it is one.
pub(super) fn object(value: Option<&Value>) -> Option<&Object> {
    value.and_then(Value::as_object)
}

/// The object found by going through the given fields.
pub(super) fn object_at<'a>(root: &'a Object, path: &[&str]) -> Option<&'a Object> {
    path.iter().try_fold(root, |at, field| object(at.get(*field)))
}

/// A string with something but blanks in it.
pub(super) fn string(value: Option<&Value>) -> Option<&str> {
    value.and_then(Value::as_str).filter(|s| !s.trim().is_empty())
}

/// The first of the fields that holds a non-blank string.
pub(super) fn first_string<'a>(object: &'a Object, fields: &[&str]) -> Option<&'a str> {
    fields.iter().find_map(|field| string(object.get(*field)))
}

/// A string or a whole number, as text.
pub(super) fn scalar(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(s) => Some(Cow::Borrowed(s)),
        Value::Number(n) if n.is_f64() => {
            // Some runtimes write telephone numbers as 5511987654321.0.
            let float = n.as_f64().filter(|f| f.fract() == 0.0 && (0.0..9e15).contains(f))?;
            Some(Cow::Owned(format!("{float:.0}")))
        }
        Value::Number(n) => Some(Cow::Owned(n.to_string())),
        _ => None,
    }
}

/// Whether a flag is set, as `true`, `"true"` or `1`.
pub(super) fn flag(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Bool(set)) => *set,
        Some(Value::String(s)) => s.eq_ignore_ascii_case("true") || s == "1",
        Some(Value::Number(n)) => n.as_u64() == Some(1),
        _ => false,
    }
}

/// A provider's message id: trimmed, `None` when absent, blank or of another type. Control characters and excessive
/// length are refused, since the id becomes part of keys and log lines.
pub(super) fn provider_id(value: Option<&Value>) -> Result<Option<String>, BadPayload> {
    let Some(id) = value.and_then(scalar) else { return Ok(None) };
    let id = id.trim();
    if id.chars().any(char::is_control) || id.len() > PROVIDER_ID_MAX {
        return Err(BadPayload::at("id"));
    }
    Ok((!id.is_empty()).then(|| id.to_owned()))
}

/// A point in time as Unix seconds: seconds, milliseconds or microseconds as number or string, JavaScript's `Long`
/// object (two 32-bit halves), or an RFC 3339 date.
pub(super) fn unix_seconds(value: Option<&Value>) -> Option<i64> {
    let raw = match value? {
        Value::Number(n) => n.as_i64().or_else(|| whole(n.as_f64()?))?,
        Value::String(s) => {
            let s = s.trim();
            match s.parse::<i64>() {
                Ok(number) => number,
                Err(_) => DateTime::parse_from_rfc3339(s).ok()?.timestamp(),
            }
        }
        Value::Object(long) => {
            let half = |field: &str| long.get(field).and_then(Value::as_i64);
            // The lower half may be printed as a negative 32-bit integer.
            (half("high").unwrap_or(0) << 32) | (half("low")? & 0xFFFF_FFFF)
        }
        _ => return None,
    };
    let seconds = match raw {
        r if r >= 100_000_000_000_000 => r / 1_000_000,
        r if r >= 100_000_000_000 => r / 1_000,
        r => r,
    };
    (1..=LAST_UNIX_SECOND).contains(&seconds).then_some(seconds)
}

#[allow(clippy::cast_possible_truncation)] // the range check before makes the cast exact
fn whole(float: f64) -> Option<i64> {
    (0.0..9e15).contains(&float).then_some(float as i64)
}
