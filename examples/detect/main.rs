//! What the detectors make of texts: `cargo run --release --example detect -- KIND < rows.jsonl > predictions.jsonl`.
//! A row is an object with `id` and `text`, and what its kind needs besides; a prediction carries the same `id`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a filter")]

mod injection;

use std::io::{BufRead, Write, stdin, stdout};
use std::process::ExitCode;

use serde_json::Value;

type Predict = fn(&Value) -> Value;

const KINDS: [(&str, Predict); 1] = [("injection", injection::predict)];

fn main() -> ExitCode {
    let kind = std::env::args().nth(1).unwrap_or_default();
    let Some((_, predict)) = KINDS.iter().find(|(name, _)| *name == kind) else {
        let known: Vec<&str> = KINDS.iter().map(|(name, _)| *name).collect();
        eprintln!("detect: no kind {kind:?}; there are: {}. Rows come on standard input.", known.join(", "));
        return ExitCode::from(2);
    };
    let mut out = std::io::BufWriter::new(stdout().lock());
    for (n, line) in stdin().lock().lines().enumerate() {
        let row = line.map_err(|error| error.to_string()).and_then(|line| {
            serde_json::from_str::<Value>(&line).map_err(|error| error.to_string())
        });
        let written = match row {
            Ok(row) => writeln!(out, "{}", predict(&row)),
            Err(error) => {
                eprintln!("detect: line {}: {error}", n + 1);
                return ExitCode::FAILURE;
            }
        };
        if written.is_err() {
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
