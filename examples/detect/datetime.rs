//! `datetime`: which time a text speaks of.

use chrono::NaiveDateTime;
use secretaria::domain::agenda::when::{Frame, Reading, read};
use serde_json::{Value, json};

/// The value a row's text names, seen from its reference time.
pub fn predict(row: &Value) -> Value {
    let field = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default();
    let Ok(now) = field("reference_time").parse::<NaiveDateTime>() else { return json!({ "value": null }) };
    json!({ "value": notation(&read(field("text"), &Frame::plain(now))) })
}

/// What is sure, in the notation of the rows.
pub fn notation(reading: &Reading) -> Option<String> {
    reading.sure().and_then(|when| when.notation())
}
