//! `phone`: the telephone number in a text.

use secretaria::domain::phone::Phone;
use serde_json::{Value, json};

/// The number's digits with country code.
pub fn predict(row: &Value) -> Value {
    let text = row.get("text").and_then(Value::as_str).unwrap_or_default();
    json!({ "value": Phone::find(text).map(|phone| phone.digits().to_owned()) })
}
