//! `choice`: which option of a list a text picks.

use secretaria::domain::agenda::choice::{Place, place};
use serde_json::{Value, json};

/// The number of the option, counted from the end (-1 is the last) when the text does so.
pub fn predict(row: &Value) -> Value {
    let text = row.get("text").and_then(Value::as_str).unwrap_or_default();
    let number = place(text).and_then(|place| match place {
        Place::FromStart(n) => i64::try_from(n).ok(),
        Place::FromEnd(n) => i64::try_from(n).ok().map(|n| -n),
    });
    json!({ "value": number })
}
