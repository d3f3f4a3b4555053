//! `make bench`: the least possible program and the product, side by side in one run.
//!
//! `ARMS=intake,pipeline` chooses arms, `QUICK=1` makes all of it short, `COMPANIES=2500` sets the size of the last arm.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    missing_docs
)]

mod arms;
mod floor;
mod load;
mod mark;
mod place;
mod proc;
mod report;
mod standin;
mod wire;

use std::process::ExitCode;

use arms::Bench;

/// As the product has it: the allocator is no part of what is compared.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("floor-serve") => actix_web::rt::System::new().block_on(floor::serve()),
        Some("floor-work") => runtime().block_on(floor::work()),
        _ => return runtime().block_on(bench()),
    }
    ExitCode::SUCCESS
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap()
}

async fn bench() -> ExitCode {
    let quick = std::env::var("QUICK").is_ok_and(|quick| !matches!(quick.as_str(), "" | "0"));
    let chosen = std::env::var("ARMS").unwrap_or_default();
    let chosen: Vec<&str> = match chosen.trim() {
        "" => arms::ALL.to_vec(),
        list => list.split(',').map(str::trim).collect(),
    };
    if let Some(unknown) = chosen.iter().find(|arm| !arms::ALL.contains(arm) && !arms::MORE.contains(arm)) {
        eprintln!(
            "there is no arm {unknown}; there are {} and, on request, {}",
            arms::ALL.join(", "),
            arms::MORE.join(", ")
        );
        return ExitCode::FAILURE;
    }
    let begun = tokio::time::Instant::now();
    let mut bench = Bench::new(quick).await;
    for arm in &chosen {
        println!("{arm} (after {:.0} s)", begun.elapsed().as_secs_f64());
        arms::run(&mut bench, arm).await;
    }
    let date = bench.place.clock.now().format("%Y-%m-%d %H:%M UTC").to_string();
    let page = bench.report.page(&date, &chosen.join(", "), quick);
    println!("\n{}", bench.report.table());
    println!("{:.0} s in all", begun.elapsed().as_secs_f64());
    // A part of the arms, or a quick look, must not replace the page of a full run.
    if !quick && chosen == arms::ALL {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/BENCHMARKS.md"), page).unwrap();
        println!("written: docs/BENCHMARKS.md");
    }
    if bench.report.is_clean() {
        return ExitCode::SUCCESS;
    }
    bench.report.faults.iter().for_each(|fault| eprintln!("VIOLATION {fault}"));
    eprintln!("{}", bench.place.children_log());
    ExitCode::FAILURE
}
