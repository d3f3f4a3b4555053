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

/// The promises, word for word as they are published.
const PROMISES: &str = "\
- **G1** No accepted message is lost by any crash of our processes, of Redis or of PostgreSQL, or by power loss, while the disk that holds it survives.
- **G2** Every accepted message gets exactly one decision (an answer that saw it, a fallback, a hand-off, an opt-out, or a dead letter), never two.
- **G3** A text is put on the wire twice only if the process died or froze, or the provider fell silent, between sending the request and committing the result; each such case is counted, reconciled and visible.
- **G4** Answers of one conversation leave in the order of arrival; a burst is answered once by an answer that saw all of it.
- **G5** No two of our bookings overlap on one resource; no retry leaves two behind; no text says \"marcado\" without one.
- **G6** A reminder goes out once per (appointment version, kind), never after cancellation, never in quiet hours.
- **G7** After a `kill -9` work resumes within 35 s.
- **G8** One company's flood or outage delays no other company beyond a stated bound.
- **G9** No request, job, key, row or log line of one company can reach another's.
";

const NOT_PROMISED: &str = "\
- *Exactly once on the wire.* Gateways take no idempotency key: when one falls silent, or our process dies between the request
  and the second commit, nobody can know whether the customer got the text. It is then sent once more, counted, or held, as the
  company chooses. The column \"sends beyond one\" shows how often a second copy arrived, \"ambiguous\" how often one was allowed.
- *A disk that dies, or lies about a flush.* G1 ends where the disk does. Redis must run with `appendfsync always`.
- *Bookings and reminders* (G5, G6) are promised by the parts that make them; no row below attacks them yet.
- *Order against the provider.* We hand texts over in order; what a gateway does with them is its own affair.
- *A burst wider than its window.* Messages further apart than the window may get answers of their own.
";

/// Writes `docs/RELIABILITY.md`.
pub fn write(rows: &[Row]) {
    let now = secretaria::clock::Clock::new().now().format("%Y-%m-%d");
    let mut out = String::from("# Reliability\n\nWritten by `make verify`; do not edit. ");
    out.push_str("*Accepted* means that our server answered 2xx.\n\n## What is promised\n\n");
    out.push_str(PROMISES);
    out.push_str("\n## What is not promised\n\n");
    out.push_str(NOT_PROMISED);
    out.push_str(
        "\n## How it was attacked\n\nReal processes, a PostgreSQL and a Redis of their own on a real disk, stand-ins ",
    );
    out.push_str(
        "of the providers with a ledger of every request, a client's ledger of every 2xx. After each attack the four ",
    );
    out.push_str(
        "are compared: accepted ⊆ decided, each once; sends of a text ≤ 1 + its counted resends; order of each ",
    );
    out.push_str(
        "conversation; each answer saw all messages of its turn; credentials and prompts of one company only.\n",
    );
    out.push_str("Times are scaled: lease 2 s instead of 30 s, the wait for an echo 1 s instead of 30 s.\n\n");
    out.push_str("| attack | promises | what is done |\n| --- | --- | --- |\n");
    for row in rows {
        let _ = writeln!(out, "| {} | {} | {} |", row.scenario.name, row.scenario.promises, row.scenario.what);
    }
    let _ = writeln!(out, "\n## Results of {now}\n\n{}", table(rows));
    for row in rows {
        for note in &row.outcome.notes {
            let _ = writeln!(out, "- {}: {note}", row.scenario.name);
        }
    }
    out.push_str("\nThe power cut takes from the logs of Redis and PostgreSQL what was written and no successful `fdatasync` covered ");
    out.push_str("(a shim in front of the calls writes it down): at the same moment both are killed with `kill -9`, ");
    out.push_str(
        "Redis' log is cut back, the end of PostgreSQL's write-ahead log is zeroed, and both start on the rest. ",
    );
    out.push_str("Data pages of PostgreSQL that were written stay: their log was flushed before. ");
    out.push_str("Not simulated: disks that lie about flushes, torn sectors before the flushed length, lost directory entries.\n");
    let seed = rows.first().map_or(0, |row| row.seed);
    let _ = writeln!(
        out,
        "\nAgain: `make verify ARGS=\"--seed {seed}\"`, one attack: `make verify ARGS=\"--only NAME --seed {seed}\"`."
    );
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/RELIABILITY.md");
    std::fs::write(path, out).unwrap();
    println!("wrote docs/RELIABILITY.md");
}
