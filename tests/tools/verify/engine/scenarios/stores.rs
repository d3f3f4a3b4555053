//! Attacks on Redis and PostgreSQL.

use std::sync::Arc;
use std::time::Duration;

use super::{Outcome, Size, judged};
use crate::engine::Dice;
use crate::engine::arena::{Arena, Plan};
use crate::engine::deeds::{Deed, Token};
use crate::engine::judge::Verdict;
use crate::engine::load::{ClientLedger, Shape, Speaker, speak};

/// `kill -9` of Redis and of PostgreSQL under load.
pub async fn kills(size: Size, seed: u64) -> Outcome {
    let each = size.pick(1, 30);
    let arena = Arena::start(Plan::new(seed).companies(3).serves(2).workers(2)).await;
    let ledger = Arc::new(ClientLedger::default());
    let shape =
        Shape { burst: (1, 3), pause_ms: (100, 400), repeat_percent: 5, ..Shape::new(size.pick(15, 40), 10_000) };
    let load = {
        let (arena, ledger) = (Arc::clone(&arena), Arc::clone(&ledger));
        tokio::spawn(async move { speak(&arena, &ledger, shape).await })
    };
    let mut dice = Dice::new(seed, 0);
    for n in 0..2 * each {
        tokio::time::sleep(Duration::from_millis(dice.between(400, 1500))).await;
        let down = Duration::from_millis(dice.between(0, 1000));
        if n % 2 == 0 {
            arena.break_redis(down).await;
        } else {
            arena.break_postgres(down).await;
        }
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    ledger.stop();
    load.await.unwrap();
    let verdict = judged(&arena, &ledger).await;
    Outcome::new(format!("{each} + {each} kills / {} messages", ledger.count()), verdict)
}

/// PostgreSQL dies while answers are on the wire, stays away, and comes back: nobody gets a copy.
pub async fn postgres_down_after_send(size: Size, seed: u64) -> Outcome {
    // Two real outages with real times, the rest scaled.
    let (real, scaled) = size.pick((0, 1), (2, 18));
    let mut verdict = Verdict::default();
    if real > 0 {
        let plan = Plan::new(seed)
            .set("queue.lease_ms", 30_000)
            .set("queue.renew_ms", 10_000)
            .set("delivery.deadline_spare_ms", 5_000)
            .set("delivery.timeout_ms", 30_000)
            .set("delivery.ambiguous_wait_ms", 30_000);
        verdict.add(outages(plan, real, 30_000, seed).await);
    }
    verdict.add(outages(Plan::new(seed), scaled, 2_500, seed).await);
    Outcome::new(format!("{real} real outages of 30 s, {scaled} scaled"), verdict)
}

async fn outages(plan: Plan, count: usize, down_ms: u64, seed: u64) -> Verdict {
    let arena = Arena::start(plan).await;
    let ledger = Arc::new(ClientLedger::default());
    let mut dice = Dice::new(seed, down_ms);
    for n in 0..count {
        let before = sent(&arena);
        let shape = Shape { clients: 20, first: n * 10, ..Shape::new(10, 1) };
        speak(&arena, &ledger, shape).await;
        // The first answer has left: the results of some sends are stored, of others not.
        while sent(&arena) == before {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        tokio::time::sleep(Duration::from_millis(dice.below(40))).await;
        arena.break_postgres(Duration::from_millis(down_ms)).await;
    }
    let mut verdict = judged(&arena, &ledger).await;
    // The senders live: they keep their results, so not even a counted copy is allowed.
    if verdict.beyond_one > 0 {
        verdict.blame(format!("{} extra copies after an outage of PostgreSQL", verdict.beyond_one));
    }
    verdict
}

fn sent(arena: &Arena) -> usize {
    arena.deeds.all().iter().filter(|deed| matches!(deed, Deed::Send { accepted: true, .. })).count()
}

/// Makes the log long enough that loading it takes a moment.
const FILL: &str = "for i = 1, 400000 do redis.call('SET', 'fill:' .. i, string.rep('y', 100)) end return 1";

/// Redis full, loading, read-only: 503, nothing half stored.
pub async fn redis_trouble(_size: Size, seed: u64) -> Outcome {
    let arena = Arena::start(Plan::new(seed).set("redis.response_timeout_ms", 5000)).await;
    let ledger = Arc::new(ClientLedger::default());
    let mut verdict = Verdict::default();
    let mut speaker = Speaker::new(&arena, &ledger, 0);
    let trouble: [(&str, &[&str], &[&str]); 3] = [
        ("full", &["CONFIG", "SET", "maxmemory", "1"], &["CONFIG", "SET", "maxmemory", "512mb"]),
        ("read-only", &["REPLICAOF", "127.0.0.1", "1"], &["REPLICAOF", "NO", "ONE"]),
        ("loading", &["EVAL", FILL, "0"], &["PING"]),
    ];
    for (n, (name, begin, end)) in trouble.iter().enumerate() {
        let mut redis = arena.redis().await.unwrap();
        let begun = redis.ask(begin).await.unwrap();
        assert!(!begun.text().starts_with("ERR"), "{begun:?}");
        if *name == "loading" {
            // A large log makes the restart take a while; the product meets a Redis that answers LOADING, or nobody.
            arena.redis_blocking(secretaria::cli::demo::redis::RedisServer::kill9).await;
            let restarting = Arc::clone(&arena);
            let restart = tokio::spawn(async move {
                restarting.redis_blocking(|redis| redis.restart().unwrap()).await;
            });
            refused(&mut speaker, n, name, &mut verdict, true).await;
            restart.await.unwrap();
        } else {
            refused(&mut speaker, n, name, &mut verdict, false).await;
            half_stored(&arena, name, &mut verdict).await;
            redis.ask(end).await.unwrap();
        }
        for conversation in 0..5 {
            speaker.say(Token { company: 0, conversation, n }).await;
        }
    }
    verdict.add(judged(&arena, &ledger).await);
    Outcome::new(format!("{} states / {} messages", trouble.len(), ledger.count()), verdict)
}

/// Messages said in a bad moment: 503 each. `maybe`: the moment may pass while they are said.
async fn refused(speaker: &mut Speaker, n: usize, name: &str, verdict: &mut Verdict, maybe: bool) {
    for conversation in 0..5 {
        let token = Token { company: 0, conversation, n };
        match speaker.post(token, &format!("eco:{token}")).await {
            Ok(reply) if reply.status == 503 => {}
            Ok(reply) if maybe && matches!(reply.status, 200 | 202) => {}
            Ok(reply) => verdict.blame(format!("Redis {name}: answered {} {}", reply.status, reply.body)),
            Err(error) => verdict.blame(format!("Redis {name}: {error}")),
        }
    }
}

/// No id may be marked as seen without its message being stored.
async fn half_stored(arena: &Arc<Arena>, name: &str, verdict: &mut Verdict) {
    let prefix = format!("company:{{{}}}:q:", arena.companies[0].id);
    let mut redis = arena.redis().await.unwrap();
    let seen = redis.ask(&["KEYS", &format!("{prefix}seen:*")]).await.unwrap().list().len();
    let rows =
        arena.sql(format!("SELECT count(*) FROM tenant_{}.message WHERE author = 'customer'", arena.companies[0].id));
    let rows: usize = rows.await.unwrap().trim().parse().unwrap();
    let mut waiting = 0;
    for mailbox in redis.ask(&["KEYS", &format!("{prefix}box:*")]).await.unwrap().list() {
        waiting += redis.ask(&["LLEN", mailbox.text()]).await.unwrap().int();
    }
    if seen > rows + usize::try_from(waiting).unwrap_or(0) {
        verdict.blame(format!("Redis {name}: {seen} ids marked as seen, {rows} decided and {waiting} waiting"));
    }
}
