//! Several workers in several processes: order, bursts, deaths, drain.

use std::collections::HashMap;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use futures::StreamExt;
use secretaria::queue::Registry;
use secretaria::standins::{Fault, FaultKind, Provider};
use secretaria::workers::runner::Scope;
use secretaria::workers::sweep::{Found, Sweeper};
use tokio::time::Instant;

use crate::harness::{World, eventually};

/// Times of a world whose workers are killed.
const SHORT: [(&str, &str); 6] = [
    ("queue.lease_ms", "1500"),
    ("queue.renew_ms", "300"),
    ("delivery.deadline_spare_ms", "200"),
    ("delivery.ambiguous_wait_ms", "500"),
    ("limits.company_address_per_second", "100000"),
    ("log.filter", "error"),
];

async fn world(more: &[(&str, &str)]) -> World {
    let mut builder = World::builder().workers(0);
    for (key, value) in SHORT.iter().chain(more) {
        builder = builder.set(key, value);
    }
    builder.start().await
}

/// A worker process of the real binary. Dropped, it is killed.
struct Worker(Child);

impl Worker {
    fn start(world: &World, args: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_secretaria"));
        command.args(["work", "--all"]).args(args).envs(world.child_env());
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    /// Started, and heard by the register.
    async fn ready(world: &World, args: &[&str]) -> Self {
        let before = alive(world).await;
        let worker = Self::start(world, args);
        eventually("a worker's heartbeat", async || alive(world).await > before).await;
        worker
    }

    fn kill9(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    fn terminate(&self) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.0), rustix::process::Signal::TERM)
            .unwrap();
    }

    async fn ended(&mut self) -> ExitStatus {
        let mut status = None;
        eventually("the worker's end", async || {
            status = self.0.try_wait().unwrap();
            status.is_some()
        })
        .await;
        status.unwrap()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn alive(world: &World) -> i64 {
    let control = world.process.services.redis.control();
    Registry::new(control, world.clock.clone(), String::new()).alive().await.unwrap()
}

async fn found(world: &World) -> Found {
    let services = &world.process.services;
    Sweeper::default().sweep(services, &services.directory.all()).await
}

/// Nothing is undecided, in work or due: no text is on its way either.
async fn settled(world: &World) {
    eventually("everything settled", async || {
        let found = found(world).await;
        found.complete && found.size == 0 && found.leased == 0 && found.waiting == 0
    })
    .await;
}

fn number(n: usize) -> String {
    format!("55119870{n:05}")
}

/// Each of these customers writes so many messages, one right after the other.
async fn burst(world: &World, round: usize, customers: usize, size: impl Fn(usize) -> usize) {
    futures::stream::iter(0..customers)
        .for_each_concurrent(8, |n| {
            let size = size(n);
            async move {
                let number = number(n);
                let customer = world.customer(&world.clinic, &number);
                for m in 1..=size {
                    customer.says(&format!("eco: {n}-{round}-{m}")).await.expect_status(202);
                }
            }
        })
        .await;
}

/// `n-round-message (seen)` as round, message, seen.
fn parsed(text: &str) -> (usize, usize, usize) {
    let parts: Vec<usize> = text.split(['-', ' ', '(', ')']).filter_map(|part| part.parse().ok()).collect();
    (parts[1], parts[2], parts[3])
}

#[tokio::test(flavor = "multi_thread")]
async fn bursts_over_four_workers_in_two_processes_get_one_answer_each_in_order() {
    let mut world =
        world(&[("queue.burst_window_ms", "400"), ("queue.burst_max_ms", "10000"), ("queue.lease_ms", "10000")]).await;
    for _ in 0..2 {
        world.start_worker(Scope::All);
    }
    let mut children = [Worker::ready(&world, &[]).await, Worker::ready(&world, &[]).await];
    let size = |n: usize| 2 + n % 7;
    for round in 0..2 {
        burst(&world, round, 200, size).await;
        settled(&world).await;
    }
    let mut heard: HashMap<String, Vec<String>> = HashMap::new();
    for entry in world.ledger() {
        if let (true, Some(to), Some(text)) =
            (entry.accepted, entry.body["number"].as_str(), entry.body["body"].as_str())
        {
            heard.entry(to.to_owned()).or_default().push(text.to_owned());
        }
    }
    for n in 0..200 {
        let answers: Vec<(usize, usize, usize)> = heard[&number(n)].iter().map(|text| parsed(text)).collect();
        assert!(answers.is_sorted_by(|a, b| a < b), "customer {n}: {answers:?}");
        assert_eq!(answers.iter().map(|(.., seen)| seen).sum::<usize>(), 2 * size(n), "customer {n}: {answers:?}");
        for round in 0..2 {
            let last = answers.iter().rfind(|(of, ..)| *of == round).map(|(_, message, _)| *message);
            assert_eq!(last, Some(size(n)), "customer {n}: the newest message was answered last: {answers:?}");
        }
    }
    // On a busy machine a customer may seem to pause. Where none did, a burst is one turn, unless the turn before had
    // been prepared anew so often that it no longer looked for more.
    let torn = "SELECT count(*) FROM (
            SELECT turn_id <> lag(turn_id) OVER w AND message.at - lag(message.at) OVER w < '400 ms'
                   AND lag(preparations) OVER w <= 3 AS torn
            FROM message JOIN turn ON turn.id = turn_id WHERE author = 'customer'
            WINDOW w AS (PARTITION BY message.conversation_id ORDER BY seq)) x WHERE torn";
    assert_eq!(world.sql(&world.clinic, torn), "0");
    for child in &children {
        child.terminate();
    }
    for child in &mut children {
        assert!(child.ended().await.success());
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_killed_workers_lose_nothing_and_send_nothing_twice_unseen() {
    let mut world = world(&[]).await;
    world.standins.set_latency(Duration::from_millis(40));
    world.start_worker(Scope::All);
    for round in 0..5 {
        let victim = Worker::ready(&world, &[]).await;
        let before = world.ledger().len();
        let busy = async {
            eventually("work in flight", async || world.ledger().len() >= before + 12).await;
            victim.kill9();
        };
        tokio::join!(burst(&world, round, 24, |_| 2), busy);
    }
    settled(&world).await;
    let count = |sql: &str| world.sql(&world.clinic, sql);
    assert_eq!(count("SELECT count(*) FROM message WHERE author = 'customer'"), "240");
    assert_eq!(count("SELECT sum(messages_seen) FROM turn"), "240");
    assert_eq!(count("SELECT string_agg(DISTINCT state, ' ') FROM delivery"), "sent");
    let mut sends: HashMap<(String, String), usize> = HashMap::new();
    for entry in world.ledger() {
        if let (true, Some(to), Some(text)) =
            (entry.accepted, entry.body["number"].as_str(), entry.body["body"].as_str())
        {
            *sends.entry((to.to_owned(), text.to_owned())).or_default() += 1;
        }
    }
    let rows = count("SELECT recipient || '|' || body || '|' || (1 + resends) FROM delivery");
    assert_eq!(rows.lines().count(), sends.len(), "every text left, and no other");
    for row in rows.lines() {
        let (text, allowed) = row.rsplit_once('|').unwrap();
        let (to, text) = text.split_once('|').unwrap();
        let sent = sends.get(&(to.to_owned(), text.to_owned())).copied().unwrap_or(0);
        let allowed: usize = allowed.parse().unwrap();
        assert!((1..=allowed).contains(&sent), "{row}: sent {sent} times");
    }
    // In the order of arrival: what a later text answers came after what an earlier one answered.
    let disorder = "SELECT count(*) FROM (SELECT seq < lag(seq) OVER (PARTITION BY m.conversation_id
        ORDER BY t.decided_at, m.seq) AS back FROM message m JOIN turn t ON t.id = m.turn_id
        WHERE author = 'customer') x WHERE back";
    assert_eq!(count(disorder), "0");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn until_empty_ends_by_itself_once_all_is_answered_also_what_a_dead_worker_left() {
    let world = world(&[]).await;
    burst(&world, 0, 10, |_| 1).await;
    // A worker died with a claim: the command waits for it to come back.
    let queue = secretaria::queue::Queue::new(world.tenant(&world.clinic).redis.clone(), world.clock.clone());
    let limits = secretaria::queue::ClaimLimits { lease_ms: 1500, max: 1, cap: 10, quantum: 8 };
    assert_eq!(queue.claim(limits).await.unwrap().claimed.len(), 1);
    let mut worker = Worker::start(&world, &["--until-empty"]);
    assert!(worker.ended().await.success());
    for n in 0..10 {
        assert_eq!(world.texts_to(&number(n)), [format!("{n}-0-1 (1)")]);
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_that_has_decided_nothing_is_given_back_at_once_on_sigterm() {
    let world = world(&[("queue.lease_ms", "20000"), ("queue.drain_ms", "15000")]).await;
    let thinking = Fault { delay_ms: Some(4000), ..Fault::new(Provider::Gemini, FaultKind::Delay) };
    world.standins.add_fault(thinking);
    let mut worker = Worker::ready(&world, &[]).await;
    burst(&world, 0, 1, |_| 1).await;
    eventually("a model call", async || world.model_calls().len() == 1).await;
    let begun = Instant::now();
    worker.terminate();
    assert!(worker.ended().await.success());
    assert!(begun.elapsed() < Duration::from_millis(3500), "{:?}", begun.elapsed());
    let left = found(&world).await;
    assert_eq!((left.size, left.leased, left.waiting), (1, 0, 1), "the message is there for the next worker");
    assert_eq!(alive(&world).await, 0);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_send_in_flight_is_finished_on_sigterm() {
    let world = world(&[("queue.lease_ms", "20000")]).await;
    let slow = Fault { delay_ms: Some(1200), ..Fault::new(Provider::Whaticket, FaultKind::Delay) };
    world.standins.add_fault(slow);
    let mut worker = Worker::ready(&world, &[]).await;
    burst(&world, 0, 1, |_| 1).await;
    eventually("the text on the wire", async || {
        world.sql(&world.clinic, "SELECT count(*) FROM delivery WHERE state = 'sending'") == "1"
    })
    .await;
    worker.terminate();
    assert!(worker.ended().await.success());
    assert_eq!(world.sql(&world.clinic, "SELECT state FROM delivery"), "sent");
    let left = found(&world).await;
    assert_eq!((left.size, left.leased, left.waiting), (0, 0, 0));
    assert_eq!(world.texts_to(&number(0)).len(), 1);
    world.end().await;
}
