//! `detect KIND < rows.jsonl > predictions.jsonl`: what a detector says of each row, to be scored against labels.
//!
//! One JSON object a line on both sides; a row's `id` is handed on. `detect KIND --time < rows.jsonl` tells how long
//! the detector takes instead.

use std::io::{BufRead, Write};
use std::process::ExitCode;
use std::time::Instant;

use serde_json::Value;

mod booking;
mod choice;
mod datetime;
mod injection;
mod intent;
mod phone;
mod sentiment;

/// What a detector says of a row, as a JSON object.
type Predict = fn(&Value) -> Value;

/// Every kind there is.
const KINDS: [(&str, Predict); 7] = [
    ("intent", intent::predict),
    ("sentiment", sentiment::predict),
    ("injection", injection::predict),
    ("datetime", datetime::predict),
    ("phone", phone::predict),
    ("choice", choice::predict),
    ("booking", booking::predict),
];

/// How often a row is judged when time is measured.
const ROUNDS: u32 = 20;
/// What counts as a message of ordinary length, in characters.
const SHORT: usize = 200;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            let _ = writeln!(std::io::stderr(), "{problem}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let mut arguments = std::env::args().skip(1);
    let wanted = arguments.next().unwrap_or_default();
    let names: Vec<&str> = KINDS.iter().map(|(name, _)| *name).collect();
    let (_, predict) = KINDS
        .iter()
        .find(|(name, _)| *name == wanted)
        .ok_or_else(|| format!("unknown kind {wanted:?}; there are: {}", names.join(", ")))?;
    let rows = rows()?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    match arguments.next().as_deref() {
        None => predictions(&rows, *predict, &mut out),
        Some("--time") => writeln!(out, "{}", timing(&rows, *predict)),
        Some(other) => return Err(format!("unknown argument {other:?}; there is --time")),
    }
    .and_then(|()| out.flush())
    .map_err(|error| format!("standard output: {error}"))
}

fn rows() -> Result<Vec<Value>, String> {
    let mut rows = Vec::new();
    for (index, line) in std::io::stdin().lock().lines().enumerate() {
        let line = line.map_err(|error| format!("standard input: {error}"))?;
        if !line.trim().is_empty() {
            rows.push(serde_json::from_str(&line).map_err(|error| format!("line {}: {error}", index + 1))?);
        }
    }
    Ok(rows)
}

fn predictions(rows: &[Value], predict: Predict, out: &mut impl Write) -> std::io::Result<()> {
    for row in rows {
        let mut prediction = predict(row);
        if let (Some(object), Some(id)) = (prediction.as_object_mut(), row.get("id")) {
            object.insert("id".to_owned(), id.clone());
        }
        writeln!(out, "{prediction}")?;
    }
    Ok(())
}

/// Mean and worst time of rows up to [`SHORT`] characters and of longer ones, in microseconds. What a row takes is the
/// best of its rounds: the rest is the machine.
fn timing(rows: &[Value], predict: Predict) -> String {
    let length = |row: &Value| row.get("text").and_then(Value::as_str).map_or(0, |text| text.chars().count());
    let (short, long): (Vec<&Value>, Vec<&Value>) = rows.iter().partition(|row| length(row) <= SHORT);
    let told = [(format!("up to {SHORT} characters"), short), ("longer".to_owned(), long)]
        .into_iter()
        .filter(|(_, rows)| !rows.is_empty())
        .map(|(name, rows)| format!("{name}: {}", times(&rows, predict)));
    told.collect::<Vec<_>>().join("; ")
}

fn times(rows: &[&Value], predict: Predict) -> String {
    let best_of = |row: &Value| {
        let round = |_| {
            let begun = Instant::now();
            std::hint::black_box(predict(std::hint::black_box(row)));
            begun.elapsed().as_secs_f64() * 1e6
        };
        (0..ROUNDS).map(round).fold(f64::MAX, f64::min)
    };
    let times: Vec<f64> = rows.iter().map(|row| best_of(row)).collect();
    let count = u32::try_from(times.len().max(1)).map_or(f64::MAX, f64::from);
    let (mean, worst) = (times.iter().sum::<f64>() / count, times.iter().copied().fold(0.0, f64::max));
    format!("{} rows, mean {mean:.1} us, worst {worst:.1} us", times.len())
}
