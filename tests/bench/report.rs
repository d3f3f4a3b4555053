//! The goal table: printed, and written as `docs/BENCHMARKS.md`.

use std::fmt::Write;

use crate::proc;
use crate::standin::Verdict;

/// Where a measured number must lie.
#[derive(Clone, Copy)]
pub enum Goal {
    /// At least: must, ambitious.
    AtLeast(f64, f64),
    /// At most: must, ambitious.
    AtMost(f64, f64),
    /// Told only.
    Told,
}

struct Row {
    measure: String,
    floor: String,
    product: String,
    measured: f64,
    unit: &'static str,
    goal: Goal,
}

/// Everything measured so far.
#[derive(Default)]
pub struct Report {
    rows: Vec<Row>,
    raw: Vec<(String, String)>,
    pub verdict: Verdict,
    /// What went wrong beside the ledger: refused webhooks, answers that never came.
    pub faults: Vec<String>,
}

impl Report {
    /// A measure as a ratio of product to floor.
    pub fn ratio(&mut self, measure: &str, floor: f64, product: f64, shown: &'static str, goal: Goal) {
        let measured = if floor > 0.0 { product / floor } else { f64::NAN };
        self.push(
            measure,
            format!("{} {shown}", number(floor)),
            format!("{} {shown}", number(product)),
            measured,
            " ×",
            goal,
        );
    }

    /// A measure of the product alone.
    pub fn alone(&mut self, measure: &str, product: f64, unit: &'static str, goal: Goal) {
        self.push(measure, "—".to_owned(), format!("{}{unit}", number(product)), product, unit, goal);
    }

    /// A measure of both against one given number.
    pub fn share(&mut self, measure: &str, floor: f64, product: f64, of: f64, goal: Goal) {
        self.push(measure, format!("{} /s", number(floor)), format!("{} /s", number(product)), product / of, "", goal);
    }

    fn push(&mut self, measure: &str, floor: String, product: String, measured: f64, unit: &'static str, goal: Goal) {
        let row = Row { measure: measure.to_owned(), floor, product, measured, unit, goal };
        println!("  {}", row.line());
        self.rows.push(row);
    }

    /// A number for the record.
    pub fn raw(&mut self, what: impl Into<String>, value: impl Into<String>) {
        let (what, value) = (what.into(), value.into());
        println!("    {what}: {value}");
        self.raw.push((what, value));
    }

    /// What the ledger says about a run.
    pub fn judge(&mut self, run: &str, verdict: Verdict) {
        if verdict.violations() > 0 {
            self.faults.push(format!("{run}: {verdict:?}"));
        }
        self.verdict.add(verdict);
    }

    pub fn is_clean(&self) -> bool {
        self.faults.is_empty() && self.verdict.violations() == 0
    }

    /// The goal table as Markdown.
    pub fn table(&self) -> String {
        let mut out = String::from(
            "| measure | floor | product | must | ambitious | measured | verdict |\n|---|---|---|---|---|---|---|\n",
        );
        for row in &self.rows {
            let (must, ambitious) = row.goal.words(row.unit);
            let _ = writeln!(
                out,
                "| {} | {} | {} | {must} | {ambitious} | {}{} | {} |",
                row.measure,
                row.floor,
                row.product,
                number(row.measured),
                row.unit,
                row.goal.judge(row.measured)
            );
        }
        let v = &self.verdict;
        let verdict = if self.is_clean() { "ambitious" } else { "**missed**" };
        let _ = writeln!(
            out,
            "| lost, duplicated, out of order, context missing, wrong company, other | — | — | 0 | 0 | {}, {}, {}, {}, {}, {} | {verdict} |",
            v.lost, v.duplicated, v.disordered, v.contextless, v.wrong_company, v.odd
        );
        out
    }

    /// The whole page.
    pub fn page(&self, date: &str, arms: &str, quick: bool) -> String {
        let mut out = String::from(HEAD);
        let kind = if quick { "quick, for development only" } else { "full" };
        let _ = writeln!(
            out,
            "\nMeasured on {date} on a machine with {}, shared by everything below (load average at the end {}). Arms: {arms}. Run: {kind}.\n",
            proc::machine(),
            proc::load_average()
        );
        out.push_str(&self.table());
        if !self.faults.is_empty() {
            out.push_str("\n**Violations**\n\n");
            self.faults.iter().for_each(|fault| _ = writeln!(out, "- {fault}"));
        }
        out.push_str("\n## Raw numbers\n\n| what | value |\n|---|---|\n");
        self.raw.iter().for_each(|(what, value)| _ = writeln!(out, "| {what} | {value} |"));
        out
    }
}

impl Row {
    fn line(&self) -> String {
        let (must, ambitious) = self.goal.words(self.unit);
        format!(
            "{}: floor {}, product {} → {}{} (must {must}, ambitious {ambitious}): {}",
            self.measure,
            self.floor,
            self.product,
            number(self.measured),
            self.unit,
            self.goal.judge(self.measured)
        )
    }
}

impl Goal {
    fn words(self, unit: &str) -> (String, String) {
        match self {
            Self::AtLeast(must, ambitious) => (format!("≥ {must}{unit}"), format!("≥ {ambitious}{unit}")),
            Self::AtMost(must, ambitious) => (format!("≤ {must}{unit}"), format!("≤ {ambitious}{unit}")),
            Self::Told => ("—".to_owned(), "—".to_owned()),
        }
    }

    fn judge(self, measured: f64) -> &'static str {
        let (must, ambitious) = match self {
            Self::AtLeast(must, ambitious) => (measured >= must, measured >= ambitious),
            Self::AtMost(must, ambitious) => (measured <= must, measured <= ambitious),
            Self::Told => return "told",
        };
        match (must, ambitious) {
            (_, true) => "ambitious",
            (true, false) => "must",
            (false, false) => "**missed**",
        }
    }
}

pub fn number(n: f64) -> String {
    match n.abs() {
        a if a >= 1000.0 => format!("{n:.0}"),
        a if a >= 100.0 => format!("{n:.1}"),
        a if a >= 10.0 => format!("{n:.2}"),
        _ => format!("{n:.3}"),
    }
}

const HEAD: &str = "# Benchmarks

<!-- Written by `make bench`; a hand's changes are lost. -->

`make bench` runs two programs one after the other, several times, on the same private PostgreSQL (fsync on) and equal
private Redis, with the same load generator and the same stand-in for the model and the channel:

- the **floor**, the least program that could do the job: an HTTP handler that verifies the HMAC and does one `XADD`; a
  worker that makes one model call and one send and puts many results into one `INSERT`. No limits, no duplicates
  dropped, no context, no order, no retries, no leases, no isolation, no metrics;
- the **product**, `secretaria serve` and `secretaria work --all`, all checks on.

How to read it: on a shared machine only **ratios of one run** mean anything; the absolute numbers are there to see what
the ratio is made of. Repeated rounds are interleaved and their median is taken. The load generator, the stand-in and all
servers share the cores with what is measured. \"CPU\" is processor time of the named processes, from the kernel.
Latencies are HDR histograms; in the open loop a message's wait counts from when it was meant to be sent. Correctness is
judged from the stand-in's ledger against every 202 that intake gave: each answer repeats its question's mark, each
question must come to the model with the exchange before it. One violation fails the run.
";
