//! Starting in bad weather: what is waited for, what is refused, and the sentence that tells why.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use secretaria::tenant::MasterKey;
use serde_json::json;

use crate::harness::trouble::{Second, request, signed_at};
use crate::harness::{World, eventually, pg};

fn command(args: &[&str], env: &BTreeMap<String, String>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_secretaria"));
    command.args(args).env_clear().env("PATH", "/usr/bin:/bin").envs(env).stdin(Stdio::null());
    command
}

async fn run(args: &'static [&'static str], env: &BTreeMap<String, String>) -> Output {
    let mut command = command(args, env);
    let ended = tokio::task::spawn_blocking(move || command.output().unwrap());
    tokio::time::timeout(Duration::from_secs(20), ended).await.expect("it did not end").unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Settings of this world for a real process, with some changed.
fn env(world: &World, changes: &[(&str, &str)]) -> BTreeMap<String, String> {
    let mut env = world.child_env();
    env.insert("SECRETARIA_SERVER__BIND".to_owned(), "127.0.0.1:0".to_owned());
    for (key, value) in changes {
        env.insert((*key).to_owned(), (*value).to_owned());
    }
    env
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_starts_without_postgresql_says_503_and_takes_webhooks_once_it_is_up() {
    let world = World::start().await;
    world.cut_postgres();
    let mut settings = world.settings.clone();
    settings.database.acquire_timeout_ms = 500;
    let second = Second::serve(&world, settings).await;
    let body = json!({"id": "B1", "number": "5511987654321", "text": "qual o horário?"}).to_string();
    let post = async || {
        let headers = signed_at(&world.clinic, world.clock.now().timestamp(), &body);
        request(second.address, "POST", "/webhook/whaticket", &headers, &body).await
    };
    let refused = post().await;
    assert_eq!((refused.status, refused.body.as_str()), (503, r#"{"error":"unavailable"}"#));
    assert_eq!(refused.header("retry-after"), "5");
    let host = vec![("host", "clinica.localhost".to_owned())];
    let ready = request(second.address, "GET", "/readyz", &host, "").await.expect_status(503);
    assert!(ready.body.contains("not loaded"), "{}", ready.body);
    assert_eq!(request(second.address, "GET", "/healthz", &host, "").await.status, 200);
    // An unknown host is not told apart while nothing is known.
    let unknown = vec![("host", "nobody.localhost".to_owned()), ("content-type", "application/json".to_owned())];
    assert_eq!(request(second.address, "POST", "/webhook/whaticket", &unknown, "{}").await.status, 503);

    world.mend_postgres();
    eventually("taken", async || post().await.status == 202).await;
    assert_eq!(request(second.address, "POST", "/webhook/whaticket", &unknown, "{}").await.status, 404);
    assert_eq!(request(second.address, "GET", "/readyz", &host, "").await.status, 200);
    world.quiet().await;
    assert_eq!(world.texts_to("5511987654321").len(), 1);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn strict_durability_refuses_a_volatile_redis_and_names_the_settings() {
    let world = World::builder().workers(0).start().await;
    let strict = env(
        &world,
        &[
            ("SECRETARIA_PROFILE", "production"),
            ("SECRETARIA_REDIS__DURABILITY", "strict"),
            ("SECRETARIA_REDIS__RESPONSE_TIMEOUT_MS", "5000"),
        ],
    );
    for args in [&["serve"] as &[&str], &["work", "--all"]] {
        let output = run(args, &strict).await;
        let said = said(&output);
        assert_eq!(output.status.code(), Some(3), "{args:?}: {said}");
        for word in ["volatile", "appendonly yes", "appendfsync always", "noeviction", "redis.durability"] {
            assert!(said.contains(word), "{args:?}: {word} is missing in {said}");
        }
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_master_key_is_refused_and_both_are_named() {
    let world = World::builder().workers(0).start().await;
    let id = |hex: &str| MasterKey::from_hex(&hex.repeat(32), "the test").unwrap().id().to_owned();
    let other = env(&world, &[("SECRETARIA_SECURITY__MASTER_KEY", &"cd".repeat(32))]);
    for args in [
        &["serve"] as &[&str],
        &["work", "--all"],
        &["provision", "set", "clinica.localhost", "--set", "ai.enabled=false"],
    ] {
        let output = run(args, &other).await;
        let said = said(&output);
        assert_eq!(output.status.code(), Some(3), "{args:?}: {said}");
        assert!(said.contains(&id("ab")) && said.contains(&id("cd")), "{args:?}: {said}");
        assert!(!said.contains("cdcdcdcd"), "the key itself is told: {said}");
    }
    world.end().await;
}

/// Starts a process that goes on running, and reads what it says until a line holds `word`.
async fn says(
    args: &'static [&'static str],
    env: &BTreeMap<String, String>,
    word: &'static str,
) -> Result<String, String> {
    let mut child = command(args, env).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let stderr = child.stderr.take().unwrap();
    let reading = tokio::task::spawn_blocking(move || {
        let mut all = String::new();
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            if line.contains(word) {
                return Ok(line);
            }
            all.push_str(&line);
            all.push('\n');
        }
        Err(all)
    });
    let found = tokio::time::timeout(Duration::from_secs(20), reading).await;
    child.kill().unwrap();
    child.wait().unwrap();
    found.expect("it said nothing").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_without_tables_is_answered_with_the_command_that_makes_them() {
    let world = World::builder().workers(0).start().await;
    let empty = pg::empty_database().await;
    let env =
        env(&world, &[("SECRETARIA_DATABASE__URL", &empty.url), ("SECRETARIA_DATABASE__ADMIN_URL", &empty.admin_url)]);
    for args in [&["serve"] as &[&str], &["work", "--all"]] {
        let line = says(args, &env, "secretaria migrate up").await;
        assert!(line.is_ok(), "{args:?} said only {}", line.unwrap_err());
    }
    let output = run(&["provision", "list"], &env).await;
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(said(&output).contains("secretaria migrate up"), "{}", said(&output));
    world.end().await;
}
