//! `intent`: what a message wants.

use secretaria::domain::conversation::intent::{Context, read};
use serde_json::{Value, json};

/// The label of a row's text, in its context when it has one.
pub fn predict(row: &Value) -> Value {
    let field = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default();
    let context = Context::from_name(field("context")).unwrap_or_default();
    json!({ "label": read(field("text"), context).label() })
}
