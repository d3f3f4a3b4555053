//! What every provider's answer may carry: how long to wait, and words that must be made safe before they are logged.

use std::time::Duration;

use chrono::{DateTime, Utc};

/// Longest wait that is believed: a provider's clock or unit mistake must not park a conversation for weeks.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// Longest text kept of what a provider said, in characters.
pub const DETAIL_MAX: usize = 512;

/// Digits in a row, separators of telephone numbers between them included, from which on a number is hidden.
const DIGITS_HIDDEN_FROM: usize = 6;

/// Length from which on a word of mixed letters and digits is taken for a credential.
const CREDENTIAL_LENGTH: usize = 28;

/// Reads `Retry-After` (RFC 9110 §10.2.3: whole seconds or a date, counted from `now`). A date that has passed is zero.
pub fn retry_after(value: &str, now: DateTime<Utc>) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        return seconds_of(seconds);
    }
    let date = DateTime::parse_from_rfc2822(value).ok()?;
    let wait = date.with_timezone(&Utc).signed_duration_since(now);
    Some(wait.to_std().unwrap_or(Duration::ZERO).min(LONGEST_WAIT))
}

/// Reads `retry-after-ms`, the finer header some gateways send.
pub fn retry_after_ms(value: &str) -> Option<Duration> {
    seconds_of(value.trim().parse::<f64>().ok()? / 1000.0)
}

/// Reads the JSON form of a protobuf `Duration`: `"38s"`, `"1.5s"`.
pub fn proto_duration(value: &str) -> Option<Duration> {
    seconds_of(value.trim().strip_suffix('s')?.parse::<f64>().ok()?)
}

/// Reads a duration as Go writes it: `6m0s`, `1.5s`, `20ms`.
pub fn go_duration(value: &str) -> Option<Duration> {
    let mut rest = value.trim();
    let mut seconds = 0.0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (number, tail) = rest.split_at(rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?);
        let end = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(end);
        let worth = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        seconds += number.parse::<f64>().ok()? * worth;
        rest = tail;
    }
    seconds_of(seconds)
}

/// Seconds to a wait, bounded; negative and not-a-number are no hint at all.
fn seconds_of(seconds: f64) -> Option<Duration> {
    if seconds.is_nan() || seconds < 0.0 {
        return None;
    }
    Some(Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT))
}

/// Makes a provider's words fit for a log line: the given secrets, anything that looks like a credential and runs of
/// six or more digits are hidden, control characters become spaces, at most [`DETAIL_MAX`] characters stay.
pub fn redact(text: &str, secrets: &[&str]) -> String {
    let mut text = text.to_owned();
    for secret in secrets.iter().filter(|secret| secret.len() >= 4) {
        text = text.replace(secret, "***");
    }
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let line = words.map(hide_credentials).collect::<Vec<_>>().join(" ");
    hide_numbers(&line).chars().take(DETAIL_MAX).collect()
}

/// Names of errors that providers write in their bodies, beside those that begin with `ERR_`.
const ERROR_NAMES: [&str; 12] = [
    "INVALID_ARGUMENT",
    "FAILED_PRECONDITION",
    "OUT_OF_RANGE",
    "UNAUTHENTICATED",
    "PERMISSION_DENIED",
    "NOT_FOUND",
    "RESOURCE_EXHAUSTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DEADLINE_EXCEEDED",
    "API_KEY_INVALID",
    "INVALID_CONTACT",
];

/// What a log may show of a provider's error body: the names of errors in it and its length. The rest is free text,
/// which may repeat whatever the provider was told: a customer's name, words, number, or our credential.
pub fn error_names(body: &str) -> String {
    let words = body.split(|c: char| !(c.is_ascii_uppercase() || c == '_'));
    let mut names: Vec<&str> = Vec::new();
    for word in words.filter(|word| word.len() <= 40 && (word.starts_with("ERR_") || ERROR_NAMES.contains(word))) {
        if names.len() < 4 && !names.contains(&word) {
            names.push(word);
        }
    }
    let separator = if names.is_empty() { "" } else { " " };
    format!("{}{separator}[body: {} bytes]", names.join(" "), body.len())
}

/// Hides each long token of mixed letters and digits inside one word (keys, JWTs), leaving plain words alone.
fn hide_credentials(word: &str) -> String {
    let in_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '~' | '+');
    let mut shown = String::with_capacity(word.len());
    let mut rest = word;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c| in_token(c) != in_token(first)).unwrap_or(rest.len());
        let (part, tail) = rest.split_at(end);
        let mixed = part.bytes().any(|b| b.is_ascii_digit()) && part.bytes().any(|b| b.is_ascii_alphabetic());
        shown.push_str(if in_token(first) && mixed && part.len() >= CREDENTIAL_LENGTH { "***" } else { part });
        rest = tail;
    }
    shown
}

/// Hides telephone numbers however they are grouped: `5511987654321`, `+55 (11) 98765-4321`.
fn hide_numbers(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, run) = rest.split_at(start);
        shown.push_str(before);
        let end = number_end(run);
        let (number, tail) = run.split_at(end);
        let digits = number.bytes().filter(u8::is_ascii_digit).count();
        shown.push_str(if digits >= DIGITS_HIDDEN_FROM { "[number]" } else { number });
        rest = tail;
    }
    shown.push_str(rest);
    shown
}

/// Where the number at the start of `run` ends: after the last digit reached over at most two separators at a time.
fn number_end(run: &str) -> usize {
    let mut end = 0;
    let mut gap = 0;
    for (at, c) in run.char_indices() {
        match c {
            '0'..='9' => {
                end = at + 1;
                gap = 0;
            }
            ' ' | '-' | '(' | ')' if gap < 2 => gap += 1,
            _ => break,
        }
    }
    end
}
