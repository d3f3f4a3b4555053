//! Attacks on our own processes.

use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use secretaria::standins::{Fault, FaultKind, Provider};
use tokio::time::Instant;

use super::{Outcome, Size, judged};
use crate::engine::Dice;
use crate::engine::arena::{Arena, Plan};
use crate::engine::load::{ClientLedger, Shape, speak};

/// G7: after a `kill -9` work resumes within this.
const RESUMES_WITHIN_MS: i64 = 35_000;

/// Random `kill -9` of `serve` and `work` under load.
pub async fn kills(size: Size, seed: u64) -> Outcome {
    let kills = size.pick(5, 200);
    // So few a second that some are refused (429) and come again with the same id: refused must not mean seen.
    let plan = Plan::new(seed).companies(3).serves(2).set("limits.company_address_per_second", 40);
    let arena = Arena::start(plan).await;
    let ledger = Arc::new(ClientLedger::default());
    let shape = Shape {
        burst: (1, 3),
        pause_ms: size.pick((50, 150), (350, 750)),
        repeat_percent: 5,
        ..Shape::new(size.pick(10, 100), size.pick(4, 17))
    };
    let load = {
        let (arena, ledger) = (Arc::clone(&arena), Arc::clone(&ledger));
        tokio::spawn(async move { speak(&arena, &ledger, shape).await })
    };
    let mut dice = Dice::new(seed, 0);
    let mut targets: Vec<(usize, Instant)> = arena
        .serves
        .iter()
        .map(|(n, _)| *n)
        .chain(arena.workers.iter().copied())
        .map(|n| (n, Instant::now()))
        .collect();
    for _ in 0..kills {
        tokio::time::sleep(Duration::from_millis(dice.between(100, 700))).await;
        // Only what has had the time to begin: else nobody ever works, which is no attack on anything.
        targets.sort_by_key(|(_, started)| *started);
        let chosen = usize::try_from(dice.below(targets.len() as u64 / 2)).unwrap();
        let target = targets[chosen].0;
        arena.children.kill9(target);
        tokio::time::sleep(Duration::from_millis(dice.below(200))).await;
        arena.children.start(target);
        targets[chosen].1 = Instant::now();
    }
    load.await.unwrap();
    let mut verdict = judged(&arena, &ledger).await;
    if verdict.longest_ms > RESUMES_WITHIN_MS {
        verdict.blame(format!("a message waited {} ms for its decision", verdict.longest_ms));
        arena.keep();
    }
    let longest = verdict.longest_ms;
    Outcome::new(format!("{kills} kills / {} messages", ledger.count()), verdict)
        .note(format!("longest wait for a decision {longest} ms (lease 2 s)"))
}

/// A worker is frozen past its lease; another finishes its work; then it is thawed.
pub async fn paused(size: Size, seed: u64) -> Outcome {
    let pauses = size.pick(3, 100);
    let plan = Plan::new(seed)
        .set("queue.lease_ms", 600)
        .set("queue.renew_ms", 150)
        .set("queue.sweep_ms", 100)
        .set("delivery.deadline_spare_ms", 200)
        .set("delivery.ambiguous_wait_ms", 400);
    let arena = Arena::start(plan).await;
    // Model and channel take a moment each, so that turns are frozen in every stage.
    arena.standins.set_latency(Duration::from_millis(60));
    let slow = Fault { delay_ms: Some(40), ..Fault::new(Provider::Whaticket, FaultKind::Delay) };
    arena.standins.add_fault(slow);
    let ledger = Arc::new(ClientLedger::default());
    let shape = Shape { pause_ms: (20, 120), ..Shape::new(40, 1000) };
    let load = {
        let (arena, ledger) = (Arc::clone(&arena), Arc::clone(&ledger));
        tokio::spawn(async move { speak(&arena, &ledger, shape).await })
    };
    let mut dice = Dice::new(seed, 0);
    for n in 0..pauses {
        tokio::time::sleep(Duration::from_millis(dice.between(50, 250))).await;
        let target = arena.workers[n % arena.workers.len()];
        arena.children.signal(target, Signal::STOP);
        tokio::time::sleep(Duration::from_millis(dice.between(650, 1100))).await;
        arena.children.signal(target, Signal::CONT);
    }
    ledger.stop();
    load.await.unwrap();
    let verdict = judged(&arena, &ledger).await;
    Outcome::new(format!("{pauses} pauses / {} messages", ledger.count()), verdict)
}
