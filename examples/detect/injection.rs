//! The injection verdict of a row.

use secretaria::domain::conversation::injection::judge;
use serde_json::{Value, json};

/// `{"id", "score", "label", "reasons"}` of a row's `text`.
pub fn predict(row: &Value) -> Value {
    let verdict = judge(row["text"].as_str().unwrap_or_default());
    let reasons: Vec<&str> = verdict.reasons().map(|reason| reason.name()).collect();
    let label = if verdict.blocks() { "injection" } else { "benign" };
    json!({ "id": row["id"], "score": verdict.score, "label": label, "reasons": reasons })
}
