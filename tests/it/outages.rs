//! A store that is down, full, loading or read-only: what the sender is told, what is kept, and that it ends by itself.

use std::net::TcpListener;
use std::time::Duration;

use secretaria::config::Settings;
use secretaria::workers::runner::Scope;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::trouble::{Headers, Second, Wire, request, signed_at};
use crate::harness::{World, eventually};

const PATH: &str = "/webhook/whaticket";
const NUMBER: &str = "5511987654321";

fn body(id: &str) -> String {
    json!({"id": id, "number": NUMBER, "text": "qual o horário?"}).to_string()
}

/// 503 as a gateway knows it: try again in five seconds.
#[track_caller]
fn assert_unavailable(answer: &Wire, why: &str) {
    assert_eq!((answer.status, answer.body.as_str()), (503, r#"{"error":"unavailable"}"#), "{why}");
    assert_eq!(answer.header("retry-after"), "5", "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_dies_and_comes_back_and_what_got_202_is_answered_and_what_got_503_is_not() {
    let mut world = World::builder().durable().workers(0).start().await;
    world.post_signed(&world.clinic, &body("R1")).await.expect_status(202);
    world.redis.kill9();
    assert_unavailable(&world.post_signed(&world.clinic, &body("R2")).await, "Redis is dead");
    let nobody: Headers = vec![("host", "nobody.localhost".into()), ("content-type", "application/json".into())];
    world.request("POST", PATH, &nobody, "{}").await.expect_status(404);
    let forged = signed_at(&world.salon, world.clock.now().timestamp(), "{}");
    world.request("POST", PATH, &forged, "{ }").await.expect_status(401);
    assert_eq!(world.request("GET", "/readyz", &nobody, "").await.status, 503);
    assert_eq!(world.request("GET", "/healthz", &nobody, "").await.status, 200);

    world.redis.restart().unwrap();
    world.start_worker(Scope::All);
    eventually("the first is answered", async || world.texts_to(NUMBER).len() == 1).await;
    world.quiet().await;
    assert_eq!(world.sql(&world.clinic, "SELECT dedupe_key FROM message WHERE author = 'customer'"), "whaticket:R1");
    // The gateway's next try.
    eventually("taken again", async || world.post_signed(&world.clinic, &body("R2")).await.status == 202).await;
    world.post_signed(&world.clinic, &body("R1")).await.expect_status(200);
    world.quiet().await;
    assert_eq!(world.texts_to(NUMBER).len(), 2);
    world.end().await;
}

/// Trouble begins, a webhook gets 503 and leaves nothing behind; trouble ends, the same webhook gets 202.
async fn refused_and_whole(begin: &[&[&str]], end: &[&[&str]]) {
    let world = World::builder().workers(0).start().await;
    world.post_signed(&world.clinic, &body("F1")).await.expect_status(202);
    // Quotas forget within milliseconds, by themselves.
    let kept = || {
        let mut keys = world.redis_of(&world.clinic);
        keys.retain(|key, _| !key.contains(":rl:"));
        keys
    };
    let before = kept();
    for words in begin {
        world.redis_answers(words).unwrap();
    }
    let answer = world.post_signed(&world.clinic, &body("F2")).await;
    let echo = json!({"key": {"remoteJid": format!("{NUMBER}@s.whatsapp.net"), "fromMe": true, "id": "F3"},
        "message": {"conversation": "oi"}});
    let echoed = world.post_signed(&world.clinic, &echo.to_string()).await;
    let duplicate = world.post_signed(&world.clinic, &body("F1")).await;
    for words in end {
        world.redis_answers(words).unwrap();
    }
    assert_unavailable(&answer, "a message");
    assert_unavailable(&echoed, "an echo: it settles deliveries, so it must not be lost");
    // Nothing is written for a duplicate, so it may be told.
    assert!([200, 503].contains(&duplicate.status), "{}", duplicate.status);
    assert!(kept() == before, "half stored: {:?}", kept().keys());
    eventually("works again", async || world.post_signed(&world.clinic, &body("F2")).await.status == 202).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_redis_refuses_whole_messages() {
    refused_and_whole(&[&["CONFIG", "SET", "maxmemory", "1"]], &[&["CONFIG", "SET", "maxmemory", "0"]]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_became_a_replica_is_read_only() {
    refused_and_whole(&[&["REPLICAOF", "127.0.0.1", "1"]], &[&["REPLICAOF", "NO", "ONE"]]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_without_its_replicas_takes_nothing() {
    let set = |n| ["CONFIG", "SET", "min-replicas-to-write", n];
    refused_and_whole(&[&set("1")], &[&set("0")]).await;
}

/// Answers every command with `-LOADING`, as a Redis does that reads its file after a start.
fn loading_redis() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut buffer = vec![0; 65_536];
                while let Ok(n @ 1..) = stream.read(&mut buffer).await {
                    let commands = buffer[..n].split(|b| *b == b'\n').filter(|line| line.starts_with(b"*")).count();
                    let answer = "-LOADING Redis is loading the dataset in memory\r\n".repeat(commands);
                    if stream.write_all(answer.as_bytes()).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    format!("redis://{address}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_is_loading_is_waited_for_by_the_gateway() {
    let world = World::builder().workers(0).start().await;
    let mut settings: Settings = world.settings.clone();
    settings.redis.url = loading_redis().into();
    let second = Second::serve(&world, settings).await;
    let headers = signed_at(&world.clinic, world.clock.now().timestamp(), &body("G1"));
    let answer = request(second.address, "POST", PATH, &headers, &body("G1")).await;
    assert_unavailable(&answer, "Redis is loading");
    assert_eq!(request(second.address, "GET", "/readyz", &headers, "").await.status, 503);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_nearly_full_sheds_and_says_when_it_may_take_again() {
    let world = World::builder().workers(0).start().await;
    // The process looks at Redis every now and then and finds it half empty: then it takes one more.
    let mut tried = 0;
    let shed = loop {
        world.process.shed.store(true, std::sync::atomic::Ordering::Relaxed);
        let answer = world.post_signed(&world.clinic, &body(&format!("S{tried}"))).await;
        if answer.status == 503 || tried == 20 {
            break answer;
        }
        tried += 1;
    };
    assert_unavailable(&shed, "shedding");
    world.process.shed.store(false, std::sync::atomic::Ordering::Relaxed);
    world.post_signed(&world.clinic, &body(&format!("S{tried}"))).await.expect_status(202);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_postgresql_intake_goes_on_and_turns_wait() {
    let world = World::builder().set("database.acquire_timeout_ms", 500).start().await;
    let host: Headers = vec![("host", world.clinic.domain.clone())];
    world.cut_postgres();
    for id in ["P1", "P2", "P3"] {
        world.post_signed(&world.clinic, &body(id)).await.expect_status(202);
    }
    world.post_signed(&world.clinic, &body("P1")).await.expect_status(200);
    let ready = world.request("GET", "/readyz", &host, "").await.expect_status(200);
    assert_eq!(ready.json()["status"], "degraded", "{}", ready.body);
    assert!(!ready.body.contains("permission") && !ready.body.contains(&world.db.name), "{}", ready.body);
    // Long enough for the worker to have tried and failed.
    let tried = format!("secretaria_task_retries_total{{company=\"{}\",kind=\"turn\"}}", world.clinic.id);
    eventually("a turn was tried", async || world.series(&tried).is_some_and(|n| n >= 1.0)).await;
    assert!(world.texts_to(NUMBER).is_empty());
    world.mend_postgres();
    world.quiet().await;
    assert_eq!(world.texts_to(NUMBER).len(), 1, "one turn answers all three: {:?}", world.texts_to(NUMBER));
    assert_eq!(world.sql(&world.clinic, "SELECT count(*) FROM message WHERE author = 'customer'"), "3");
    let dead = world.redis_answers(&["EXISTS", &format!("company:{{{}}}:q:dead", world.clinic.id)]).unwrap();
    assert_eq!(format!("{dead:?}"), "int(0)", "an outage counts against nobody");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_got_202_is_in_redis_before_the_answer_leaves() {
    let mut world = World::builder().durable().workers(0).start().await;
    for n in 0..20 {
        world.post_signed(&world.clinic, &body(&format!("D{n}"))).await.expect_status(202);
    }
    // No pause between the last 202 and the end.
    world.redis.kill9();
    world.redis.restart().unwrap();
    world.start_worker(Scope::All);
    eventually("answered", async || !world.texts_to(NUMBER).is_empty()).await;
    world.quiet().await;
    assert_eq!(world.sql(&world.clinic, "SELECT count(*) FROM message WHERE author = 'customer'"), "20");
    tokio::time::timeout(Duration::from_secs(20), world.end()).await.unwrap();
}
