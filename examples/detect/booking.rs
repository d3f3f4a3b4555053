//! `booking`: what a message about an appointment wants, and of which time it speaks.

use chrono::NaiveDateTime;
use secretaria::domain::agenda::choice::Choice;
use secretaria::domain::agenda::request::{Request, Situation, read};
use secretaria::domain::conversation::intent::{self, Context};
use serde_json::{Value, json};

/// Label, time, option and whether to ask back.
pub fn predict(row: &Value) -> Value {
    let field = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default();
    let context = Context::from_name(field("context")).unwrap_or_default();
    let intent = intent::read(field("text"), context);
    let label = intent.label();
    let Some(now) = moment(field("reference_time")) else { return json!({ "label": label }) };
    let options: Vec<NaiveDateTime> = row
        .get("options")
        .and_then(Value::as_array)
        .map(|all| all.iter().filter_map(|option| moment(option.as_str()?)).collect())
        .unwrap_or_default();
    let request = read(field("text"), intent, &Situation { now, context, options: &options });
    let when = request.when.as_ref().and_then(|when| when.notation());
    json!({ "label": label, "when": when, "option": option(&request, options.len()), "ask": request.ask })
}

/// The option as the rows write it; any of them is the first.
fn option(request: &Request, count: usize) -> Value {
    match request.choice {
        Some(Choice::Option(number)) => json!(number),
        Some(Choice::Any) if count > 0 => json!(1),
        Some(Choice::OtherDay) => json!(0),
        Some(Choice::NoneFits) => json!("none"),
        _ => Value::Null,
    }
}

/// A local time with or without its seconds.
fn moment(text: &str) -> Option<NaiveDateTime> {
    ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"].iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
}
