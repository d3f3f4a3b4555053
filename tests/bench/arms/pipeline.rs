//! From the webhook to the answer.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::arms::{Bench, CONCURRENCY, Cpu, median, preload, rest};
use crate::load::histogram;
use crate::mark::{Mark, phone};
use crate::place::{SIDES, Side};
use crate::report::Goal;

/// Messages wait already; then somebody begins to answer. The rate counts from the first answer until all is stored.
pub async fn drained(bench: &mut Bench) {
    let messages = bench.size(20_000, 3_000);
    let (mut rates, mut cpus) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
    // Round 0, told only: a floor that stores the messages of all companies together.
    let rounds = std::iter::once((0, Side::Floor, 256))
        .chain((1..=bench.size(2, 1)).flat_map(|round| SIDES.map(|side| (round, side, 1))));
    for (round, side, rows) in rounds.collect::<Vec<_>>() {
        bench.place.floor_rows = rows;
        bench.place.clean("always").await;
        bench.place.standin.reset(Duration::ZERO);
        let serve = bench.place.serve(side).await;
        let loaded = preload(bench, side, &serve, messages, 20).await;
        let before = Cpu::now(&bench.place, side, Some(&serve), None);
        let work = bench.place.work(side, CONCURRENCY).await;
        let together = if round == 0 { ", 256 messages a statement" } else { "" };
        let run = format!("pipeline, model 0 ms, {messages} messages, {side:?} {round}{together}");
        bench.settle(&run, side, &loaded.accepted).await;
        let answered = Instant::now();
        rest(&bench.place, side, &work).await;
        let stored = answered.elapsed().saturating_sub(Duration::from_millis(250)).as_secs_f64();
        let cpu = Cpu::now(&bench.place, side, Some(&serve), Some(&work)).since(before).per(loaded.accepted.len());
        let sent = bench.place.standin.sent();
        let rate = match (sent.first(), sent.last()) {
            (Some(first), Some(last)) if last.at > first.at => {
                sent.len() as f64 / ((last.at - first.at).as_secs_f64() + stored)
            }
            _ => 0.0,
        };
        bench.report.raw(run, format!("{rate:.0}/s; busy {stored:.1} s after the last answer; CPU {}", cpu.words()));
        if round > 0 {
            rates[side as usize].push(rate);
            cpus[side as usize].push(cpu.sum());
        }
        work.stop().await;
    }
    let [f, p] = rates.map(median);
    let name = format!("pipeline, model 0 ms, {messages} messages, 20 companies");
    bench.report.ratio(&name, f, p, "/s", Goal::AtLeast(0.45, 0.8));
    let [f, p] = cpus.map(median);
    bench.report.ratio("pipeline CPU a message (app, Redis, PostgreSQL)", f, p, "ms", Goal::Told);
}

/// Customers who write again as soon as they are answered, a model that thinks for half a second.
pub async fn conversations(bench: &mut Bench, conversations: u32) {
    let time = bench.seconds(if conversations > 1000 { 15 } else { 12 }, 5);
    let mut rates = [Vec::new(), Vec::new()];
    for round in 1..=bench.size(2, 1) {
        for side in SIDES {
            bench.place.clean("always").await;
            bench.place.standin.reset(Duration::from_millis(500));
            let serve = bench.place.serve(side).await;
            let work = bench.place.work(side, CONCURRENCY).await;
            let before = Cpu::now(&bench.place, side, Some(&serve), Some(&work));
            let target = bench.place.target(&serve.address, 20);
            let standin = bench.place.standin.clone();
            let done = target.converse(&standin, conversations, time).await;
            rest(&bench.place, side, &work).await;
            let cpu = Cpu::now(&bench.place, side, Some(&serve), Some(&work)).since(before).per(done.accepted.len());
            let rate = done.per_second(&standin);
            let run = format!("model 500 ms, {conversations} conversations, {side:?} {round}");
            bench.note_refused(&run, side, done.refused);
            bench.settle(&run, side, &done.accepted).await;
            let ms = |q| done.waits.value_at_quantile(q) as f64 / 1000.0;
            let words =
                format!("{rate:.0}/s; answer after p50 {:.0} p99 {:.0} ms; CPU {}", ms(0.5), ms(0.99), cpu.words());
            bench.report.raw(run, words);
            rates[side as usize].push(rate);
            work.stop().await;
        }
    }
    let [f, p] = rates.map(median);
    if conversations == 200 {
        let name = "model 500 ms, 200 conversations, share of 400/s";
        bench.report.share(name, f, p, 400.0, Goal::AtLeast(0.93, 0.96));
    } else {
        let name = format!("model 500 ms, {conversations} conversations, 20 companies");
        bench.report.ratio(&name, f, p, "/s", Goal::AtLeast(0.45, 0.9));
    }
}

/// Twenty messages a second, whatever happens: what the product adds to the wait.
pub async fn latency(bench: &mut Bench) {
    let count = bench.size(400, 100);
    let mut waits = [histogram(), histogram()];
    for round in 1..=bench.size(2, 1) {
        for side in SIDES {
            bench.place.clean("always").await;
            bench.place.standin.reset(Duration::ZERO);
            let serve = bench.place.serve(side).await;
            let work = bench.place.work(side, CONCURRENCY).await;
            let standin = bench.place.standin.clone();
            // Twenty customers once each, so that pools and caches are warm.
            let warm = bench.place.target(&serve.address, 20).open(&standin, 20.0, 20, 1).await;
            let target = bench.place.target(&serve.address, 20);
            let done = target.open(&standin, 20.0, count, 5).await;
            let run = format!("20 messages/s, model 0 ms, {side:?} {round}");
            bench.note_refused(&run, side, done.refused);
            bench.settle(&run, side, &[warm.accepted, done.accepted].concat()).await;
            let ms = |q| done.waits.value_at_quantile(q) as f64 / 1000.0;
            bench
                .report
                .raw(run, format!("p50 {:.2} p90 {:.2} p99 {:.2} max {:.2} ms", ms(0.5), ms(0.9), ms(0.99), ms(1.0)));
            waits[side as usize].add(done.waits).unwrap();
            work.stop().await;
        }
    }
    for (name, q) in [("p50", 0.5), ("p99", 0.99)] {
        let [f, p] = [0, 1].map(|side: usize| waits[side].value_at_quantile(q) as f64 / 1000.0);
        bench.report.ratio(&format!("latency at 20 messages/s, {name}"), f, p, "ms", Goal::AtMost(3.0, 1.5));
    }
}

/// Conversations of 10 and of 10,000 turns; the short context is taken away before each message, so that every turn
/// reads its history from PostgreSQL.
pub async fn history(bench: &mut Bench) {
    let long = bench.size(10_000, 2_000);
    let conversations = 10;
    bench.place.clean("no").await;
    let serve = bench.place.serve(Side::Product).await;
    let work = bench.place.work(Side::Product, CONCURRENCY).await;
    let mut costs = [Vec::new(), Vec::new()];
    let firsts: Vec<u32> = [10, long].map(|turns| write_history(bench, conversations, turns)).to_vec();
    // Which ids the rounds begin with: each conversation goes on where the round before ended.
    let mut n = 1;
    let messages = bench.size(60, 15);
    for _ in 0..=bench.size(3, 1) {
        for (which, first) in firsts.iter().enumerate() {
            bench.place.standin.reset(Duration::ZERO);
            let before = Cpu::now(&bench.place, Side::Product, Some(&serve), Some(&work));
            let promised = talk(bench, &serve.address, (*first, conversations), n..n + messages).await;
            rest(&bench.place, Side::Product, &work).await;
            let cpu = Cpu::now(&bench.place, Side::Product, Some(&serve), Some(&work)).since(before);
            let run = if which == 0 { "history of 10 turns".to_owned() } else { format!("history of {long} turns") };
            bench.settle(&run, Side::Product, &promised).await;
            // The first round warms the caches and does not count.
            if n > 1 {
                let cpu = cpu.per(promised.len());
                bench.report.raw(format!("CPU a message, {run}"), cpu.words());
                costs[which].push(cpu.sum());
            }
        }
        n += messages;
    }
    let [short, long_cost] = costs.map(median);
    let name = format!("CPU a message at {long} turns of history / at 10 (left as floor)");
    bench.report.ratio(&name, short, long_cost, "ms", Goal::AtMost(1.1, 1.0));
    work.stop().await;
}

/// Rows of conversations of company 1, as turns would have left them; the number of the first.
fn write_history(bench: &mut Bench, conversations: u32, turns: u32) -> u32 {
    let first = bench.place.target("", 1).first;
    for conversation in first..first + conversations {
        let key = phone(conversation);
        let mark = Mark { company: 1, conversation, n: 0 };
        let sql = format!(
            "SET search_path TO tenant_1;
             WITH p AS (INSERT INTO person VALUES (gen_random_uuid(), 'Ana', 'channel', now(), now()) RETURNING id),
                  i AS (INSERT INTO person_identity SELECT 'phone', '{key}', id, now() FROM p)
             INSERT INTO conversation (id, key, person_id, reply_address, fence, created_at, last_message_at)
                 SELECT gen_random_uuid(), '{key}', id, '{key}', 1, now(), now() FROM p;
             INSERT INTO turn (id, conversation_id, correlation_id, decision, fence, messages_seen, accepted_at, claimed_at, decided_at)
                 SELECT gen_random_uuid(), c.id, 'h' || n, 'answer', 1, 1, now(), now(), now()
                 FROM conversation c, generate_series(1, {turns}) n WHERE c.key = '{key}';
             INSERT INTO message (id, conversation_id, author, seq, kind, body, correlation_id, at)
                 SELECT gen_random_uuid(), c.id, CASE n % 2 WHEN 1 THEN 'customer' ELSE 'assistant' END, n, 'text',
                        'Oi, {mark}, qual o horário de atendimento de vocês esta semana?', 'h' || n, now()
                 FROM conversation c, generate_series(1, 2 * {turns}) n WHERE c.key = '{key}';
             INSERT INTO delivery (id, message_id, conversation_id, turn_id, position, recipient, body, correlation_id, state, created_at)
                 SELECT gen_random_uuid(), m.id, m.conversation_id, t.id, 0, '{key}', m.body, m.correlation_id, 'sent', now()
                 FROM message m JOIN conversation c ON c.id = m.conversation_id AND c.key = '{key}'
                 CROSS JOIN LATERAL (SELECT id FROM turn WHERE conversation_id = c.id LIMIT 1) t WHERE m.author = 'assistant';"
        );
        bench.place.postgres.psql("secretaria", &sql).unwrap();
    }
    bench.place.postgres.psql("secretaria", "ANALYZE; CHECKPOINT").unwrap();
    first
}

/// Each conversation says its messages one after the other, its short context gone before each.
async fn talk(
    bench: &mut Bench,
    address: &str,
    (first, count): (u32, u32),
    numbers: std::ops::Range<u32>,
) -> Vec<Mark> {
    let mut target = bench.place.target(address, 1);
    target.first = first;
    let (ear, mut heard) = mpsc::unbounded_channel();
    (first..first + count).for_each(|conversation| bench.place.standin.hear(1, conversation, ear.clone()));
    let mut promised = Vec::new();
    for n in numbers {
        let keys: Vec<String> = (first..first + count).map(|c| format!("company:{{1}}:ctx:{}", phone(c))).collect();
        let words: Vec<&str> = std::iter::once("DEL").chain(keys.iter().map(String::as_str)).collect();
        bench.place.redis(Side::Product, &words).await;
        let marks: Vec<Mark> =
            (first..first + count).map(|conversation| Mark { company: 1, conversation, n }).collect();
        let refused = target.say(&marks).await;
        bench.note_refused("history", Side::Product, refused);
        let end = Instant::now() + Duration::from_secs(20);
        for _ in 0..count {
            if tokio::time::timeout_at(end, heard.recv()).await.is_err() {
                bench.note_refused("history", Side::Product, 1);
                return promised;
            }
        }
        promised.extend(marks);
    }
    promised
}
