//! Ordinary trouble for a while: a steady load, one request of a hundred failing at the providers, a kill a minute.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use secretaria::standins::{Fault, FaultKind, Provider};
use serde_json::json;
use tokio::time::Instant;

use super::{Outcome, judged};
use crate::engine::Dice;
use crate::engine::arena::{Arena, Plan};
use crate::engine::load::{ClientLedger, Shape, speak};

/// Messages a second.
const RATE: u64 = 50;
/// Connections that speak.
const CLIENTS: usize = 25;
/// Growth of a process that lives from one kill to the next, beyond which it leaks: KiB a minute.
const GROWTH_KIB: f64 = 6_144.0;

/// Runs for so many seconds at 50 messages a second.
pub async fn soak(seconds: u64, seed: u64) -> Outcome {
    let arena = Arena::start(Plan::new(seed).companies(4).serves(2).workers(2)).await;
    trouble(&arena);
    let ledger = Arc::new(ClientLedger::default());
    let pause = CLIENTS as u64 * 1000 / RATE;
    let shape =
        Shape { clients: CLIENTS, pause_ms: (pause / 2, pause * 3 / 2), repeat_percent: 2, ..Shape::new(100, 100_000) };
    let load = {
        let (arena, ledger) = (Arc::clone(&arena), Arc::clone(&ledger));
        tokio::spawn(async move { speak(&arena, &ledger, shape).await })
    };
    let mut dice = Dice::new(seed, 0);
    let all: Vec<usize> = arena.serves.iter().map(|(n, _)| *n).chain(arena.workers.iter().copied()).collect();
    let (begun, mut killed, mut samples) = (Instant::now(), 0, Vec::new());
    while begun.elapsed() < Duration::from_secs(seconds) {
        tokio::time::sleep(Duration::from_secs(5)).await;
        for number in &all {
            samples.extend(sample(&arena, *number, begun.elapsed()));
        }
        // The first server and the first worker live through all of it: their memory is the one that is judged.
        if begun.elapsed().as_secs() / 60 > killed {
            killed += 1;
            let target = if dice.percent(50) { arena.serves[1].0 } else { arena.workers[1] };
            arena.children.kill9(target);
            arena.children.start(target);
        }
    }
    ledger.stop();
    load.await.unwrap();
    let mut verdict = judged(&arena, &ledger).await;
    let mut outcome = Outcome::default();
    for number in [arena.serves[0].0, arena.workers[0]] {
        let own: Vec<&Sample> = samples.iter().filter(|sample| sample.child == number).collect();
        // The first fifth is warming up: pools, caches, allocator.
        let warm = &own[own.len() / 5..];
        let (rss, fds) = (slope(warm, |s| s.rss_kib), slope(warm, |s| s.fds));
        let last = own.last().map(|sample| (sample.rss_kib, sample.fds)).unwrap_or_default();
        outcome.notes.push(format!(
            "child {number}: RSS {:.0} KiB, {rss:+.0} KiB a minute; {:.0} descriptors, {fds:+.2} a minute",
            last.0, last.1
        ));
        // Over less than five minutes a slope shows pools that fill, not leaks: it is told, and not judged.
        if seconds >= 300 && (rss > GROWTH_KIB || fds > 2.0) {
            verdict.blame(format!("child {number} grows: {rss:.0} KiB and {fds:.2} descriptors a minute"));
        }
    }
    let rate = ledger.count() as f64 / seconds as f64;
    outcome.size = format!("{} messages, {rate:.1} a second, {killed} kills", ledger.count());
    outcome.notes.push(format!(
        "accepted {}, decided {}, lost {}, disorder {}, sends beyond one {}, ambiguous {}, longest wait {} ms",
        verdict.accepted,
        verdict.decided,
        verdict.lost,
        verdict.disorder,
        verdict.beyond_one,
        verdict.ambiguous,
        verdict.longest_ms
    ));
    outcome.notes.extend(verdict.violations.iter().take(20).map(|blame| format!("VIOLATION {blame}")));
    outcome.verdict = verdict;
    outcome
}

/// One request of a hundred fails, in four ways.
fn trouble(arena: &Arena) {
    let faults = [
        Fault::status(Provider::Whaticket, 503, json!({"error": "no"})),
        Fault::new(Provider::Whaticket, FaultKind::ResetAfterAccept),
        Fault::status(Provider::Gemini, 500, json!({"error": {"code": 500}})),
        Fault::new(Provider::Gemini, FaultKind::Truncated),
    ];
    for fault in faults {
        arena.standins.add_fault(Fault { share: Some(0.005), ..fault });
    }
}

struct Sample {
    child: usize,
    minutes: f64,
    rss_kib: f64,
    fds: f64,
}

fn sample(arena: &Arena, child: usize, at: Duration) -> Option<Sample> {
    let pid = arena.children.pid(child)?;
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let fields: HashMap<&str, &str> = status.lines().filter_map(|line| line.split_once(':')).collect();
    let rss_kib = fields.get("VmRSS")?.trim().split(' ').next()?.parse().ok()?;
    let fds = std::fs::read_dir(format!("/proc/{pid}/fd")).ok()?.count() as f64;
    Some(Sample { child, minutes: at.as_secs_f64() / 60.0, rss_kib, fds })
}

/// Least squares: growth a minute.
fn slope(samples: &[&Sample], value: impl Fn(&Sample) -> f64) -> f64 {
    let n = samples.len() as f64;
    let mean = |f: &dyn Fn(&Sample) -> f64| samples.iter().map(|sample| f(sample)).sum::<f64>() / n.max(1.0);
    let (x, y) = (mean(&|sample| sample.minutes), mean(&|sample| value(sample)));
    let above: f64 = samples.iter().map(|sample| (sample.minutes - x) * (value(sample) - y)).sum();
    let below: f64 = samples.iter().map(|sample| (sample.minutes - x).powi(2)).sum();
    if below > 0.0 { above / below } else { 0.0 }
}
