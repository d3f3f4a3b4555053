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

/// Mean and worst time a row takes, in microseconds; the worst is the best of its rounds.
fn timing(rows: &[Value], predict: Predict) -> String {
    let (mut total, mut worst) = (0.0, 0.0_f64);
    for row in rows {
        let mut times = Vec::new();
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            std::hint::black_box(predict(std::hint::black_box(row)));
            times.push(begun.elapsed().as_secs_f64() * 1e6);
        }
        times.sort_by(f64::total_cmp);
        let best = times.first().copied().unwrap_or_default();
        total += best;
        worst = worst.max(best);
    }
    let count = u32::try_from(rows.len().max(1)).map_or(f64::MAX, f64::from);
    format!("{} rows, mean {:.1} us, worst {worst:.1} us", rows.len(), total / count)
}
