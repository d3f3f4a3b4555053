//! One value: its expected type, taken from the default, and how text from the environment becomes it.

use toml::Value;

use super::error::ConfigError;

/// Words for the type a key expects, read off its default.
pub(super) fn expected(default: &Value) -> &'static str {
    match default {
        Value::String(_) => "text",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Array(items) if items.first().is_some_and(Value::is_integer) => "a list of whole numbers",
        Value::Array(_) => "a list of texts",
        Value::Datetime(_) | Value::Table(_) => "a table",
    }
}

/// A value from a file, checked against the default's type. Whole numbers are numbers, too.
pub(super) fn conform(key: &str, value: Value, default: &Value, origin: &str) -> Result<Value, ConfigError> {
    match (&value, default) {
        (Value::Integer(whole), Value::Float(_)) => Ok(Value::Float(*whole as f64)),
        (Value::Array(items), Value::Array(model)) => {
            let wants_numbers = model.first().is_some_and(Value::is_integer);
            let fits = items.iter().all(|item| if wants_numbers { item.is_integer() } else { item.is_str() });
            if fits { Ok(value) } else { Err(wrong_type(key, default, origin)) }
        }
        _ if value.same_type(default) => Ok(value),
        _ => Err(wrong_type(key, default, origin)),
    }
}

/// Text from the environment or a flag as the default's type. Lists are separated by commas.
pub(super) fn parse(key: &str, text: &str, default: &Value, origin: &str) -> Result<Value, ConfigError> {
    let wrong = || wrong_type(key, default, origin);
    let trimmed = text.trim();
    match default {
        Value::Integer(_) => trimmed.parse().map(Value::Integer).map_err(|_| wrong()),
        Value::Float(_) => trimmed.parse().map(Value::Float).map_err(|_| wrong()),
        Value::Boolean(_) => trimmed.parse().map(Value::Boolean).map_err(|_| wrong()),
        Value::Array(model) => {
            let wants_numbers = model.first().is_some_and(Value::is_integer);
            let inner = trimmed.trim_start_matches('[').trim_end_matches(']');
            let parts = inner.split(',').map(|part| part.trim().trim_matches('"')).filter(|part| !part.is_empty());
            let items: Result<Vec<Value>, ConfigError> = parts
                .map(|part| match wants_numbers {
                    true => part.parse().map(Value::Integer).map_err(|_| wrong()),
                    false => Ok(Value::String(part.to_owned())),
                })
                .collect();
            items.map(Value::Array)
        }
        _ => Ok(Value::String(text.to_owned())),
    }
}

fn wrong_type(key: &str, default: &Value, origin: &str) -> ConfigError {
    let example = match default {
        Value::Array(items) if items.is_empty() => "[\"a\", \"b\"]".to_owned(),
        other => other.to_string(),
    };
    ConfigError::new(
        format!("{key} has the wrong type: expected {}", expected(default)),
        origin,
        format!("write it like {key} = {example}."),
    )
}

/// Hides the password of a URL or of `key=value` connection words; what is neither is hidden as a whole.
///
/// It rather hides too much: everything between the scheme's user and the last `@` may belong to a password.
pub(super) fn hide_password(url: &str) -> String {
    if url.is_empty() {
        return String::new();
    }
    let shown = match url.split_once("://") {
        Some((scheme, rest)) => match rest.rsplit_once('@') {
            Some((user, place)) => match user.split_once(':') {
                Some((name, _)) => format!("{scheme}://{name}:***@{place}"),
                None => url.to_owned(),
            },
            None => url.to_owned(),
        },
        None if url.contains('=') => url.to_owned(),
        None => return HIDDEN.to_owned(),
    };
    hide_word(&shown)
}

/// What stands for a secret that is set.
pub(super) const HIDDEN: &str = "(hidden)";

fn hide_word(text: &str) -> String {
    let Some((before, after)) = text.split_once("password=") else { return text.to_owned() };
    // A quoted word may hold separators: everything behind it is hidden as well.
    let rest = match after.starts_with('\'') {
        true => "",
        false => after.find(['&', ' ']).and_then(|at| after.get(at..)).unwrap_or(""),
    };
    format!("{before}password=***{}", hide_word(rest))
}
