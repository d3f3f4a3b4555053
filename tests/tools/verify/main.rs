//! `make verify`: the promises of the message path under attack, one table, and `docs/RELIABILITY.md`.
//!
//! `cargo test --test verify -- [--only NAME] [--seed N] [--quick] [--jobs N] [--no-page] [--soak SECONDS]`
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that prints a table")]

mod engine;
mod page;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use engine::scenarios::{ALL, Outcome, Scenario, Size, soak};
use tokio::time::Instant;

struct Options {
    only: Vec<String>,
    seed: u64,
    size: Size,
    jobs: usize,
    page: bool,
    soak: Option<u64>,
}

fn options() -> Result<Options, String> {
    let seed = u64::try_from(secretaria::clock::Clock::new().now_ms()).unwrap_or(1) % 1_000_000;
    let mut options = Options { only: Vec::new(), seed, size: Size::Large, jobs: 2, page: true, soak: None };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut number = || words.next().and_then(|n| n.parse::<u64>().ok()).ok_or(format!("{word} wants a number"));
        match word.as_str() {
            "--seed" => options.seed = number()?,
            "--jobs" => options.jobs = usize::try_from(number()?).unwrap_or(1).max(1),
            "--soak" => options.soak = Some(number()?),
            "--quick" => options.size = Size::Small,
            "--no-page" => options.page = false,
            "--only" => options.only.push(words.next().ok_or("--only wants a name")?),
            other => return Err(format!("unknown: {other}")),
        }
    }
    let names: Vec<&str> = ALL.iter().map(|scenario| scenario.name).collect();
    match options.only.iter().find(|name| !names.contains(&name.as_str())) {
        Some(unknown) => Err(format!("no scenario {unknown}; there are: {}", names.join(", "))),
        None => Ok(options),
    }
}

/// A row of the table.
pub struct Row {
    pub scenario: &'static Scenario,
    pub seed: u64,
    pub took: Duration,
    pub outcome: Outcome,
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(options) => options,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(run(options))
}

async fn run(options: Options) -> ExitCode {
    if let Some(seconds) = options.soak {
        let outcome = soak::soak(seconds, options.seed).await;
        println!("soak {seconds} s, seed {}: {}\n  {}", options.seed, outcome.size, outcome.notes.join("\n  "));
        return end(&outcome.verdict.violations);
    }
    let begun = Instant::now();
    let mut chosen: Vec<&'static Scenario> =
        ALL.iter().filter(|s| options.only.is_empty() || options.only.iter().any(|name| name == s.name)).collect();
    chosen.sort_by_key(|scenario| std::cmp::Reverse(scenario.seconds));
    let permits = Arc::new(tokio::sync::Semaphore::new(options.jobs));
    let tasks: Vec<_> = chosen
        .into_iter()
        .map(|scenario| {
            let (permits, seed, size) = (Arc::clone(&permits), options.seed, options.size);
            tokio::spawn(async move {
                let _permit = permits.acquire_owned().await.unwrap();
                attack(scenario, size, seed).await
            })
        })
        .collect();
    let mut rows = Vec::new();
    for task in tasks {
        rows.push(task.await.unwrap());
    }
    rows.sort_by_key(|row| ALL.iter().position(|scenario| scenario.name == row.scenario.name));
    println!("\n{}", page::table(&rows));
    println!("{} scenarios in {} s, seed {}", rows.len(), begun.elapsed().as_secs(), options.seed);
    if options.page && options.only.is_empty() && options.size == Size::Large {
        page::write(&rows);
    }
    end(&rows.iter().flat_map(|row| row.outcome.verdict.violations.clone()).collect::<Vec<_>>())
}

async fn attack(scenario: &'static Scenario, size: Size, seed: u64) -> Row {
    let begun = Instant::now();
    let outcome = match tokio::spawn((scenario.attack)(size, seed)).await {
        Ok(outcome) => outcome,
        Err(panic) => {
            let mut outcome = Outcome::default();
            outcome.verdict.blame(format!("the attack itself broke: {panic}"));
            outcome
        }
    };
    let row = Row { scenario, seed, took: begun.elapsed(), outcome };
    eprintln!("{}", page::progress(&row));
    row
}

fn end(violations: &[String]) -> ExitCode {
    if violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
