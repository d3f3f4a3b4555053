//! `secretaria demo`, the real binary as a newcomer starts it: ready line, one answer, simulator, orderly end.

use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use secretaria::cli::demo::process::runs_in;
use secretaria::clients::http::{BODY_LIMIT, HttpAnswer, HttpClient};
use secretaria::clock::Clock;
use secretaria::domain::webhook_auth::sign;
use secretaria::standins::StandIns;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::eventually;

const PATIENCE: Duration = Duration::from_secs(10);

fn data_dir() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    // As root the servers run as somebody else, who must be able to pass through.
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o711)).unwrap();
    dir
}

fn command(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_secretaria"));
    command.arg("demo").arg("--data-dir").arg(dir).args(args);
    command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").stdin(Stdio::null());
    command
}

/// A demo that is ready.
struct Demo {
    child: Child,
    ready: Value,
    servers: Vec<(u32, std::path::PathBuf)>,
    http: HttpClient,
}

impl Demo {
    fn start(dir: &Path, args: &[&str], env: &[(&str, &str)]) -> Self {
        let mut command = command(dir, &[&["--port", "0", "--json"], args].concat());
        let mut child =
            command.envs(env.iter().copied()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let mut stderr = child.stderr.take().unwrap();
        if line.is_empty() {
            let mut why = String::new();
            stderr.read_to_string(&mut why).unwrap();
            panic!("the demo did not start: {why}");
        }
        // Nobody may close the pipe that logs go to.
        std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
        let ready = serde_json::from_str(&line).unwrap();
        let dir = dir.canonicalize().unwrap();
        let pid =
            |file: &str| std::fs::read_to_string(dir.join(file)).unwrap().lines().next().unwrap().parse().unwrap();
        let servers = vec![(pid("pg/postmaster.pid"), dir.join("pg")), (pid("redis/redis.pid"), dir.join("redis"))];
        assert!(servers.iter().all(|(pid, dir)| runs_in(*pid, dir)), "the servers do not run where they should");
        Self { child, ready, servers, http: HttpClient::new(PATIENCE).unwrap() }
    }

    fn url(&self, name: &str) -> String {
        self.ready[name].as_str().unwrap().to_owned()
    }

    /// What the README's curl sends.
    async fn webhook(&self, company: &Value, body: &Value) -> HttpAnswer {
        let (body, now) = (body.to_string(), Clock::new().now().timestamp());
        let secret = company["webhook_secret"].as_str().unwrap();
        let (timestamp, signature) = (now.to_string(), format!("sha256={}", sign(secret, now, body.as_bytes())));
        let headers = [
            ("host", company["domain"].as_str().unwrap()),
            ("x-webhook-token", company["webhook_token"].as_str().unwrap()),
            ("x-webhook-timestamp", timestamp.as_str()),
            ("x-webhook-signature", signature.as_str()),
        ];
        let url = format!("{}/webhook/whaticket", self.url("base_url"));
        self.http.post_json(&url, &headers, body.into_bytes(), PATIENCE, BODY_LIMIT).await.unwrap()
    }

    /// Texts that reached the channel's stand-in: company, number, text.
    async fn delivered(&self) -> Vec<(i64, String, String)> {
        let url = format!("{}/_ledger", self.url("standins_url"));
        let ledger = self.http.get(&url, &[], PATIENCE, 16 * BODY_LIMIT).await.unwrap().text();
        let entries = ledger.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let sends = entries.filter(|entry| entry["provider"] == "whaticket" && entry["accepted"] == true);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        sends.map(|e| (e["company"].as_i64().unwrap(), text(&e["body"]["number"]), text(&e["body"]["body"]))).collect()
    }

    async fn answered(&self, count: usize) -> Vec<(i64, String, String)> {
        eventually("the answer", async || self.delivered().await.len() >= count).await;
        self.delivered().await
    }

    /// Waits for an answer with these words; how many there are by then.
    async fn answered_with(&self, words: &str) -> Vec<(i64, String, String)> {
        let found = async || self.delivered().await.into_iter().filter(|one| one.2.contains(words)).collect::<Vec<_>>();
        eventually(words, async || !found().await.is_empty()).await;
        found().await
    }

    async fn page(&self, path: &str) -> String {
        let url = format!("{}{path}", self.url("base_url"));
        let answer = self.http.get(&url, &[], PATIENCE, 16 * BODY_LIMIT).await.unwrap();
        assert_eq!(answer.status, 200, "{path}");
        answer.text()
    }

    /// A form of the simulator, posted as a browser without JavaScript does.
    async fn form(&self, path: &str, fields: &str) -> String {
        let host = self.url("base_url").replace("http://", "");
        let mut stream = tokio::net::TcpStream::connect(&host).await.unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nSec-Fetch-Site: same-origin\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{fields}",
            fields.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer.lines().next().unwrap_or_default().to_owned()
    }

    /// Sends a signal and waits for the end, which is quick and leaves no server behind.
    async fn end(mut self, signal: Signal) -> Option<i32> {
        kill_process(Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap(), signal).unwrap();
        let mut status = None;
        eventually("the end of the demo", async || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        })
        .await;
        let left = || self.servers.iter().any(|(pid, dir)| runs_in(*pid, dir));
        if signal == Signal::KILL {
            // The kernel tells the orphans, and they end by themselves.
            eventually("the end of the orphans", async || !left()).await;
        }
        assert!(!left(), "a server is left behind");
        status.unwrap().code()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // After a failed assertion; the servers follow by themselves.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn refused(output: &Output, code: i32, words: &[&str]) {
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{message}");
    assert!(output.stdout.is_empty());
    assert!(words.iter().all(|word| message.contains(word)), "{message}");
    assert!(!message.contains("panicked") && message.lines().count() <= 2, "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_webhook_becomes_one_answer_and_the_next_start_remembers_it() {
    let dir = data_dir();
    let demo = Demo::start(dir.path(), &[], &[]);
    for field in ["base_url", "simulator_url", "standins_url", "database_url", "redis_url"] {
        assert!(!demo.url(field).is_empty(), "{field}");
    }
    let companies = demo.ready["companies"].as_array().unwrap().clone();
    assert_eq!(companies.len(), 2);
    for (field, company) in ["name", "domain", "webhook_secret", "webhook_token"]
        .iter()
        .flat_map(|field| companies.iter().map(move |company| (field, company)))
    {
        assert!(!company[*field].as_str().unwrap().is_empty(), "{field}");
    }
    let file = dir.path().join("ready.json");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "secrets are in it");
    assert_eq!(serde_json::from_slice::<Value>(&std::fs::read(&file).unwrap()).unwrap(), demo.ready);

    let clinic = &companies[0];
    let body = json!({ "number": "5511987654321", "text": "oi, qual o horário de vocês?", "id": "hello-1" });
    let accepted = demo.webhook(clinic, &body).await;
    assert_eq!(accepted.status, 202, "{}", accepted.text());
    assert!(accepted.text().contains("\"queued\":true"));
    // Out of hours a notice says so besides.
    let answers = demo.answered_with("das 8h às 18h").await;
    assert_eq!((answers[0].0, answers[0].1.as_str()), (clinic["id"].as_i64().unwrap(), "5511987654321"));
    let again = demo.webhook(clinic, &body).await;
    assert_eq!((again.status, again.text().contains("duplicate")), (200, true));
    // A later question's answer comes after anything the duplicate might have set off.
    demo.webhook(&companies[1], &json!({ "number": "5511987654321", "text": "qual o horário?" })).await;
    let answers = demo.answered_with("terça a sábado").await;
    assert!(answers.len() == 1 && !answers[0].2.contains("18h"), "the salon's own: {answers:?}");
    assert_eq!(demo.answered_with("das 8h às 18h").await.len(), 1, "the duplicate was answered");
    let of = |company: &Value| format!("/simulador?company={}&number=5511987654321", company["id"]);
    assert!(!demo.page(&of(&companies[1])).await.contains("das 8h às 18h"), "one company sees the other's");

    let overview = Command::new(env!("CARGO_BIN_EXE_secretaria"))
        .arg("provision")
        .env_clear()
        .env("DATABASE_URL", demo.url("database_url"))
        .env("DATABASE_ADMIN_URL", demo.url("database_admin_url"))
        .env("REDIS_URL", demo.url("redis_url"))
        .env("SECRETARIA_SECURITY__MASTER_KEY_FILE", demo.url("master_key_file"))
        .output()
        .unwrap();
    let overview = (overview.status.code(), String::from_utf8(overview.stdout).unwrap());
    assert_eq!(overview.0, Some(0));
    assert!(["clinica.localhost", "salao.localhost", "active"].iter().all(|word| overview.1.contains(word)));

    let second = command(dir.path(), &["--port", "0"]).output().unwrap();
    refused(&second, 1, &["another demo runs on", "--data-dir"]);
    assert_eq!(demo.end(Signal::INT).await, Some(0));
    assert!(!file.exists(), "addresses of a demo that has ended");

    let (key, aside) = (dir.path().join("master.key"), dir.path().join("aside.key"));
    std::fs::rename(&key, &aside).unwrap();
    let other_key = command(dir.path(), &["--port", "0"]).output().unwrap();
    refused(&other_key, 3, &["sealed with master key", "to mend"]);
    std::fs::rename(&aside, &key).unwrap();

    let demo = Demo::start(dir.path(), &[], &[]);
    assert_eq!(demo.ready["companies"], json!(companies), "the next start has other companies or secrets");
    assert!(demo.page(&of(clinic)).await.contains("das 8h às 18h"), "the history is gone");
    assert_eq!(demo.webhook(clinic, &body).await.status, 200, "the duplicate is not known any more");
    assert_eq!(demo.end(Signal::TERM).await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_simulator_drives_real_turns_and_shows_them() {
    let dir = data_dir();
    let demo = Demo::start(dir.path(), &[], &[]);
    let person = format!("company={}&number=5511987650101&name=Ana", demo.ready["companies"][0]["id"]);
    let here = format!("/simulador?{person}");
    assert!(demo.page(&here).await.contains("Comece a conversa"));
    let sent = demo.form("/simulador/enviar", &format!("{person}&text=qual+o+hor%C3%A1rio%3F")).await;
    assert!(sent.contains("303"), "{sent}");
    demo.answered(1).await;
    // The bubble and its stage appear with the second commit, a moment after the text reached the channel.
    let told = |page: String| page.contains("das 8h às 18h") && page.contains("entrega") && !page.contains("digitando");
    eventually("the answer on the page", async || told(demo.page(&here).await)).await;
    let page = demo.page(&here).await;
    for shown in ["qual o horário?", "respondeu com o modelo", "rajada e fila", "preparo", "modelo", " ms", "lida"] {
        assert!(page.contains(shown), "{shown} is missing");
    }

    demo.form("/simulador/rajada", &person).await;
    let burst = demo.answered(2).await;
    assert_eq!(burst.len(), 2, "five messages at once get one answer: {burst:?}");

    demo.form("/simulador/modelo", &format!("{person}&down=1")).await;
    demo.form("/simulador/enviar", &format!("{person}&text=quanto+custa%3F")).await;
    let answers = demo.answered(3).await;
    assert!(answers[2].2.contains("problema técnico"), "{answers:?}");
    eventually("the reason", async || demo.page(&here).await.contains("technical_issue")).await;
    assert_eq!(demo.end(Signal::KILL).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_key_the_model_is_the_one_of_the_settings() {
    let model = StandIns::start(Clock::new(), SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
    let dir = data_dir();
    // Without the variable the demo's own stand-in would be asked, whatever the settings say.
    let env = [("GEMINI_API_KEY", "sim-9-real"), ("SECRETARIA_LLM__BASE_URL", &model.gemini_url())];
    let demo = Demo::start(dir.path(), &["--no-seed", "--companies", "3"], &env);
    let companies = demo.ready["companies"].as_array().unwrap();
    assert_eq!(companies.len(), 3);
    demo.webhook(&companies[2], &json!({ "number": "5511987654321", "text": "qual o horário?" })).await;
    demo.answered(1).await;
    let asked: Vec<_> = model.ledger_since(0).into_iter().map(|entry| entry.company).collect();
    assert_eq!(asked, [Some(9)], "the key's owner was not asked, or not once");
    assert_eq!(demo.end(Signal::INT).await, Some(0));
}

#[test]
fn a_taken_port_is_told_before_anything_is_started() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let dir = data_dir();
    let output = command(dir.path(), &["--port", &port]).output().unwrap();
    refused(&output, 3, &["--port", &port, "choose another"]);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "something was started");
}

#[test]
fn a_newcomer_reads_twelve_lines_and_no_log() {
    let dir = data_dir();
    let mut child = command(dir.path(), &["--port", "0"])
        .env("LANG", "pt_BR.UTF-8")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok) {
        lines.push(line);
        if lines.last().is_some_and(|line| line.contains("Ctrl-C")) {
            break;
        }
    }
    kill_process(Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap(), Signal::INT).unwrap();
    let logs = child.wait_with_output().unwrap().stderr;
    assert!(lines.len() <= 12 && lines.iter().any(|line| line.contains("/simulador")), "{lines:#?}");
    assert!(lines.iter().any(|line| line.contains("está pronta")), "{lines:#?}");
    assert!(logs.is_empty(), "{}", String::from_utf8_lossy(&logs));
}
