//! `no_show < no_show.csv > predictions.csv`: the chance of a miss of each appointment, as it was before its day.
//!
//! Reads `appointment_id,patient,booked_at,appointment_date,age,sms_received,no_show` with a heading, in any order, and
//! writes `appointment_id,probability`. One company that starts with the prior and learns from each of its days.
//! `no_show --table` prints how good the chances were instead.

use std::io::{BufRead, Write};
use std::process::ExitCode;

use chrono::{NaiveDate, NaiveDateTime};
use secretaria::domain::agenda::no_show::calibration::quality;
use secretaria::domain::agenda::no_show::{Record, Reply, replay};

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
    let table = match std::env::args().nth(1).as_deref() {
        None => false,
        Some("--table") => true,
        Some(other) => return Err(format!("unknown argument {other:?}; there is --table")),
    };
    let mut rows = rows()?;
    // The same whatever the order of the file.
    rows.sort_by(|left, right| (left.1.date, left.1.booked, &left.0).cmp(&(right.1.date, right.1.booked, &right.0)));
    let (ids, records): (Vec<String>, Vec<Record<String>>) = rows.into_iter().unzip();
    let replayed = replay(&records);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let written = if table {
        let outcomes = records.iter().zip(&replayed.probabilities);
        let outcomes: Vec<(f64, bool)> =
            outcomes.filter_map(|(record, chance)| record.missed.map(|missed| (*chance, missed))).collect();
        write_table(&mut out, &outcomes)
    } else {
        writeln!(out, "appointment_id,probability").and_then(|()| {
            ids.iter().zip(&replayed.probabilities).try_for_each(|(id, chance)| writeln!(out, "{id},{chance:.6}"))
        })
    };
    written.and_then(|()| out.flush()).map_err(|error| error.to_string())
}

fn write_table(out: &mut impl Write, outcomes: &[(f64, bool)]) -> std::io::Result<()> {
    let Some(quality) = quality(outcomes) else { return writeln!(out, "no outcomes") };
    let ratio = quality.brier / quality.brier_constant;
    writeln!(out, "AUC {:.4}", quality.auc.unwrap_or(0.5))?;
    writeln!(out, "Brier {:.4}, of a constant {:.4}, ratio {ratio:.4}", quality.brier, quality.brier_constant)?;
    writeln!(out, "chance      count  expected  observed")?;
    for (tenth, bucket) in quality.table.iter().enumerate().filter(|(_, bucket)| bucket.count > 0) {
        let count = f64::from(bucket.count);
        let (expected, observed) = (bucket.expected / count, f64::from(bucket.missed) / count);
        let (from, to) = (tenth * 10, tenth * 10 + 10);
        writeln!(out, "{from:>2}-{to:>3} %  {:>6}  {expected:>8.3}  {observed:>8.3}", bucket.count)?;
    }
    Ok(())
}

fn rows() -> Result<Vec<(String, Record<String>)>, String> {
    let mut rows = Vec::new();
    for (number, line) in std::io::stdin().lock().lines().enumerate() {
        let line = line.map_err(|error| error.to_string())?;
        if number == 0 || line.trim().is_empty() {
            continue;
        }
        rows.push(row(line.trim()).ok_or_else(|| format!("line {}: not a record: {line}", number + 1))?);
    }
    Ok(rows)
}

fn row(line: &str) -> Option<(String, Record<String>)> {
    let mut fields = line.split(',');
    let mut field = || fields.next();
    let id = field()?.to_owned();
    let person = field()?.to_owned();
    let booked = NaiveDateTime::parse_from_str(field()?, "%Y-%m-%d %H:%M:%S").ok()?;
    let date: NaiveDate = field()?.parse().ok()?;
    let age = field()?.parse().ok();
    let reminded = field()? == "1";
    let missed = match field()? {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    };
    Some((id, Record { person, booked, date, time: None, age, reminded, reply: Reply::NotAsked, missed }))
}
