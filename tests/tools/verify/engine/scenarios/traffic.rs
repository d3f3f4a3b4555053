//! Attacks by traffic alone: repeats, bursts, floods.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{Outcome, Size, judged};
use crate::engine::Dice;
use crate::engine::arena::{Arena, Plan};
use crate::engine::deeds::Token;
use crate::engine::evidence::{Decided, Evidence, rest};
use crate::engine::judge::{Rules, conclude};
use crate::engine::load::{ClientLedger, Shape, Speaker, speak};

/// Each message 1 to 10 times, at once, over two servers; and all again after Redis was wiped.
pub async fn duplicates(size: Size, seed: u64) -> Outcome {
    let posts: u64 = size.pick(100, 100_000);
    let arena = Arena::start(Plan::new(seed).serves(2)).await;
    let ledger = Arc::new(ClientLedger::default());
    // Four fifths before the wipe, the rest behind it.
    let clients = size.pick(8, 32);
    let said = repeat_all(&arena, &ledger, clients, posts * 4 / 5).await;
    let rested = rest(&arena, Duration::from_secs(90)).await;
    let before = Evidence::take(&arena).await.turns.len();
    arena.redis().await.unwrap().ask(&["FLUSHALL"]).await.unwrap();
    let mut dice = Dice::new(seed, 77);
    let again: Vec<Token> =
        (0..posts / 5).map(|_| said[usize::try_from(dice.below(said.len() as u64)).unwrap()]).collect();
    repeat(&arena, &ledger, clients, again).await;
    let mut verdict = judged(&arena, &ledger).await;
    verdict.violations.extend(rested.err());
    if verdict.turns != before {
        verdict.blame(format!("{} more turns after Redis was wiped", verdict.turns - before));
    }
    let size = format!("{} sends of {} messages", ledger.posts.load(Ordering::Relaxed), ledger.count());
    Outcome::new(size, verdict)
}

/// Says new messages, each 1 to 10 times in a row over random connections at once, until `posts` were sent.
async fn repeat_all(arena: &Arc<Arena>, ledger: &Arc<ClientLedger>, clients: usize, posts: u64) -> Vec<Token> {
    let mut dice = Dice::new(arena.seed, 5);
    let (mut tokens, mut left) = (Vec::new(), i64::try_from(posts).unwrap());
    let mut n = 0;
    while left > 0 {
        let token = Token { company: n % arena.companies.len(), conversation: n / 2 % 400, n: n / 800 };
        let times = dice.between(1, 10);
        left -= i64::try_from(times).unwrap();
        tokens.push((token, times));
        n += 1;
    }
    // Copies go out at the same time on two connections: the script must let one through.
    let tasks: Vec<_> = (0..clients)
        .map(|c| {
            let mine: Vec<_> = tokens.iter().copied().filter(|(token, _)| token.conversation % clients == c).collect();
            let (mut first, mut second) = (Speaker::new(arena, ledger, 2 * c), Speaker::new(arena, ledger, 2 * c + 1));
            tokio::spawn(async move {
                for (token, times) in mine {
                    let copies = async {
                        for _ in 1..times {
                            second.repeat(token).await;
                        }
                    };
                    tokio::join!(first.say(token), copies);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    tokens.into_iter().map(|(token, _)| token).collect()
}

async fn repeat(arena: &Arc<Arena>, ledger: &Arc<ClientLedger>, clients: usize, tokens: Vec<Token>) {
    let tasks: Vec<_> = (0..clients)
        .map(|c| {
            let mine: Vec<Token> = tokens.iter().copied().skip(c).step_by(clients).collect();
            let mut speaker = Speaker::new(arena, ledger, c);
            tokio::spawn(async move {
                for token in mine {
                    speaker.repeat(token).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

/// Bursts of 2 to 20, several workers.
pub async fn bursts(size: Size, seed: u64) -> Outcome {
    const WINDOW_MS: i64 = 400;
    let conversations = size.pick(200, 10_000);
    let plan = Plan::new(seed).companies(4).serves(2).workers(4);
    let plan = plan.set("queue.burst_window_ms", WINDOW_MS).set("queue.burst_max_ms", 20_000);
    let arena = Arena::start(plan).await;
    let ledger = Arc::new(ClientLedger::default());
    let shape = Shape { clients: size.pick(24, 32), burst: (2, 20), ..Shape::new(conversations / 4, 1) };
    speak(&arena, &ledger, shape).await;
    let rules = Rules { burst_window_ms: Some(WINDOW_MS), ..Rules::default() };
    let mut verdict = conclude(&arena, &ledger, rules).await;
    if verdict.turns < conversations {
        verdict.blame(format!("{} answers for {conversations} bursts", verdict.turns));
    }
    let turns = verdict.turns;
    Outcome::new(format!("{conversations} bursts / {} messages", ledger.count()), verdict)
        .note(format!("{turns} answers; more than bursts only where messages came {WINDOW_MS} ms or more apart"))
}

/// Company 0 floods; company 1 writes now and then and must not wait.
pub async fn noisy_neighbour(size: Size, seed: u64) -> Outcome {
    const BOUND_MS: u64 = 2_000;
    let flood = size.pick(5_000, 100_000);
    let arena = Arena::start(Plan::new(seed).serves(2).set("queue.company_concurrency", 64)).await;
    let (noise, quiet) = (Arc::new(ClientLedger::default()), Arc::new(ClientLedger::default()));
    let shape = Shape { clients: 16, company: Some(0), burst: (5, 5), ..Shape::new(500, flood / 2500) };
    let flooding = {
        let (arena, noise) = (Arc::clone(&arena), Arc::clone(&noise));
        tokio::spawn(async move { speak(&arena, &noise, shape).await })
    };
    let shape = Shape { clients: 4, company: Some(1), pause_ms: (50, 150), ..Shape::new(50, 10_000) };
    let calm = {
        let (arena, quiet) = (Arc::clone(&arena), Arc::clone(&quiet));
        tokio::spawn(async move { speak(&arena, &quiet, shape).await })
    };
    flooding.await.unwrap();
    quiet.stop();
    calm.await.unwrap();
    let mut verdict = judged(&arena, &noise).await;
    let other = judged(&arena, &quiet).await;
    verdict.accepted += other.accepted;
    verdict.decided += other.decided;
    verdict.lost += other.lost;
    verdict.violations.extend(other.violations.into_iter().filter(|blame| blame.starts_with("lost")));
    let evidence = Evidence::take(&arena).await;
    let (p99, worst) = waits(&evidence, 1, |turn| turn.wait_ms);
    let (claimed, _) = waits(&evidence, 1, |turn| turn.claim_ms);
    let (_, flood_worst) = waits(&evidence, 0, |turn| turn.wait_ms);
    // Seconds are for the large size, on a machine of its own. In the suite the machine may be slow for both, and what is
    // judged is that the quiet company does not wait as the flooding one does.
    let bound = size.pick(BOUND_MS.max(flood_worst / 2), BOUND_MS);
    if p99 > bound {
        verdict.blame(format!("the quiet company waited {p99} ms (p99), {claimed} ms of it for a claim"));
    }
    Outcome::new(format!("flood of {}, {} quiet messages", noise.count(), quiet.count()), verdict).note(format!(
        "quiet company p99 {p99} ms ({claimed} ms to the claim), worst {worst} ms; flooding company worst {flood_worst} ms"
    ))
}

/// The 99th percentile and the longest of a company's waits.
fn waits(evidence: &Evidence, company: usize, wait: impl Fn(&Decided) -> i64) -> (u64, u64) {
    let of = evidence.turns.iter().filter(|turn| turn.company == company);
    let mut waits: Vec<u64> = of.map(|turn| u64::try_from(wait(turn)).unwrap_or(0)).collect();
    waits.sort_unstable();
    let at = |share: usize| waits.get((waits.len() * share / 100).min(waits.len().saturating_sub(1))).copied();
    (at(99).unwrap_or(0), at(100).unwrap_or(0))
}
