//! Where a message's cost goes: commands of Redis, statements, commits and WAL of PostgreSQL, a message. On request only,
//! because counting statements costs something itself.

use std::time::Duration;

use crate::arms::{Bench, CONCURRENCY, Cpu, preload, rest};
use crate::place::{SIDES, Side};

pub async fn run(bench: &mut Bench) {
    let counted = "ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'";
    bench.place.postgres.psql("postgres", counted).unwrap();
    bench.place.postgres.restart().unwrap();
    bench.place.postgres.psql("postgres", "CREATE EXTENSION IF NOT EXISTS pg_stat_statements").unwrap();
    for side in SIDES {
        let messages = bench.size(10_000, 2_000);
        bench.place.clean("always").await;
        bench.place.standin.reset(Duration::ZERO);
        let serve = bench.place.serve(side).await;
        bench.place.redis(side, &["CONFIG", "RESETSTAT"]).await;
        let loaded = preload(bench, side, &serve, messages, 20).await;
        told_redis(bench, side, "intake", messages).await;
        told(bench, side, serve, loaded.accepted, "first message").await;
    }
    again(bench).await;
}

/// Second and later messages of known conversations: the everyday case.
async fn again(bench: &mut Bench) {
    bench.place.clean("always").await;
    bench.place.standin.reset(Duration::ZERO);
    let serve = bench.place.serve(Side::Product).await;
    let work = bench.place.work(Side::Product, CONCURRENCY).await;
    bench.place.redis(Side::Product, &["CONFIG", "RESETSTAT"]).await;
    let (wal, before) = (reset(bench), Cpu::now(&bench.place, Side::Product, Some(&serve), Some(&work)));
    let target = bench.place.target(&serve.address, 20);
    let standin = bench.place.standin.clone();
    let done = target.converse(&standin, 200, bench.seconds(10, 4)).await;
    rest(&bench.place, Side::Product, &work).await;
    let cpu = Cpu::now(&bench.place, Side::Product, Some(&serve), Some(&work)).since(before).per(done.accepted.len());
    let messages = done.accepted.len() as u64;
    bench.settle("profile, conversations", Side::Product, &done.accepted).await;
    bench.report.raw(
        "profile, Product, 200 conversations, model 0 ms",
        format!("{:.0}/s; CPU {}", done.per_second(&standin), cpu.words()),
    );
    told_redis(bench, Side::Product, "200 conversations", messages).await;
    told_postgres(bench, "Product, 200 conversations", messages, &wal);
    work.stop().await;
}

async fn told(
    bench: &mut Bench,
    side: Side,
    serve: crate::place::Running,
    promised: Vec<crate::mark::Mark>,
    what: &str,
) {
    bench.place.redis(side, &["CONFIG", "RESETSTAT"]).await;
    let wal = reset(bench);
    let before = Cpu::now(&bench.place, side, Some(&serve), None);
    let work = bench.place.work(side, CONCURRENCY).await;
    let messages = promised.len() as u64;
    let begun = tokio::time::Instant::now();
    bench.settle(&format!("profile, {side:?}"), side, &promised).await;
    let rate = messages as f64 / begun.elapsed().as_secs_f64();
    rest(&bench.place, side, &work).await;
    let cpu = Cpu::now(&bench.place, side, Some(&serve), Some(&work)).since(before).per(promised.len());
    let calls = bench.place.standin.model_calls() as f64 / messages as f64;
    let words = format!("{rate:.0}/s; {calls:.3} model calls a message; CPU {}", cpu.words());
    bench.report.raw(format!("profile, {side:?}, {what}"), words);
    told_redis(bench, side, what, messages).await;
    told_postgres(bench, &format!("{side:?}, {what}"), messages, &wal);
    work.stop().await;
}

fn reset(bench: &Bench) -> String {
    bench.place.postgres.psql("postgres", "SELECT pg_stat_statements_reset() IS NULL; CHECKPOINT").unwrap();
    bench.place.postgres.psql("postgres", "SELECT pg_current_wal_lsn()").unwrap()
}

/// Calls, microseconds inside of Redis and share of scripts a message.
async fn told_redis(bench: &mut Bench, side: Side, what: &str, messages: u64) {
    let info = bench.place.redis(side, &["INFO", "commandstats"]).await;
    let mut lines: Vec<(f64, String)> = info
        .lines()
        .filter_map(|line| {
            let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(':')?;
            let field = |key: &str| rest.split(',').find_map(|pair| pair.strip_prefix(key)?.parse::<f64>().ok());
            let (calls, usec) = (field("calls=")? / messages as f64, field("usec=")? / messages as f64);
            Some((usec, format!("{name} {calls:.2}× {usec:.1} µs")))
        })
        .collect();
    lines.sort_by(|a, b| b.0.total_cmp(&a.0));
    let words: Vec<String> = lines.into_iter().take(14).map(|(_, words)| words).collect();
    bench.report.raw(format!("Redis a message, {side:?}, {what}"), words.join("; "));
}

fn told_postgres(bench: &mut Bench, what: &str, messages: u64, wal: &str) {
    let ask = |sql: &str| bench.place.postgres.psql("postgres", sql).unwrap_or_else(|error| error);
    let bytes = ask(&format!("SELECT round((pg_current_wal_lsn() - '{wal}') / {messages}.0)"));
    // Each company's role and schema make the same statement another one, so the text decides what is one.
    let statements = ask(&format!(
        "SELECT round(sum(calls) / {messages}.0, 2) || '× ' || round((sum(total_exec_time) * 1000 / {messages})::numeric, 1)
             || ' µs exec, ' || round(sum(wal_bytes) / {messages}) || ' B WAL: '
             || left(regexp_replace(regexp_replace(query, 'tenant_[0-9]+', 'tenant_N', 'g'), '\\s+', ' ', 'g'), 110)
         FROM pg_stat_statements WHERE query NOT LIKE '%pg_stat_statements%'
         GROUP BY left(regexp_replace(regexp_replace(query, 'tenant_[0-9]+', 'tenant_N', 'g'), '\\s+', ' ', 'g'), 110)
         ORDER BY sum(total_exec_time) DESC LIMIT 22"
    ));
    bench.report.raw(format!("PostgreSQL a message, {what}: WAL bytes, all together"), bytes);
    for line in statements.lines() {
        bench.report.raw(format!("PostgreSQL a message, {what}"), line.replace('|', "\\|"));
    }
}
