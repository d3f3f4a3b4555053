//! `sentiment`: the mood of a message.

use secretaria::domain::conversation::sentiment::read;
use serde_json::{Value, json};

/// The mood of a row's text and its score.
pub fn predict(row: &Value) -> Value {
    let sentiment = read(row.get("text").and_then(Value::as_str).unwrap_or_default());
    json!({ "label": sentiment.mood.label(), "score": sentiment.score })
}
