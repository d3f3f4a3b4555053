//! Requests byte for byte, and trouble with the stores.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::Mutex;

use base64::Engine;
use deadpool_redis::redis;
use hmac::{Hmac, KeyInit, Mac};
use secretaria::cli::lifecycle::Shutdown;
use secretaria::cli::process::Process;
use secretaria::config::{LogFormat, LogSettings, Settings};
use secretaria::domain::webhook_auth::sign;
use secretaria::routes::Role;
use secretaria::telemetry::logging;
use secretaria::tenant::MasterKey;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::world::{Company, World};

/// Who changes the process's panic hook holds this.
pub static PANIC_HOOK: Mutex<()> = Mutex::new(());

/// An answer as it came.
#[derive(Clone, Debug)]
pub struct Wire {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Wire {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    /// The headers that may tell one cause from another.
    pub fn telling_headers(&self) -> BTreeMap<&str, &str> {
        let told = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        told.filter(|(name, _)| !["date", "x-correlation-id"].contains(name)).collect()
    }

    #[track_caller]
    pub fn expect_status(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{:?}", self.body);
        self
    }
}

/// Headers of a request, owned.
pub type Headers = Vec<(&'static str, String)>;

/// Sends exactly these bytes and reads until the server closes.
pub async fn raw(address: SocketAddr, request: &[u8]) -> Wire {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The server may refuse and close before all of a large body is written.
    let _ = stream.write_all(request).await;
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines.filter_map(|line| line.split_once(": ")).map(|(n, v)| (n.to_lowercase(), v.to_owned()));
    Wire { status, headers: headers.collect(), body: body.to_owned() }
}

/// One request on a connection of its own.
pub async fn request(address: SocketAddr, method: &str, path: &str, headers: &Headers, body: &str) -> Wire {
    let mut text = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
    if method != "GET" {
        text.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    raw(address, format!("{text}\r\n{body}").as_bytes()).await
}

/// Headers of a webhook of this company, signed (v1) at `at`, with its token.
pub fn signed_at(company: &Company, at: i64, body: &str) -> Headers {
    vec![
        ("host", company.domain.clone()),
        ("content-type", "application/json".to_owned()),
        ("x-webhook-token", company.token.clone()),
        ("x-webhook-timestamp", at.to_string()),
        ("x-webhook-signature", format!("sha256={}", sign(&company.secret, at, body.as_bytes()))),
    ]
}

/// The signature of Standard Webhooks over `id.at.body`; `secret` begins with `whsec_`.
pub fn standard_signature(secret: &str, id: &str, at: i64, body: &str) -> String {
    let base64 = &base64::engine::general_purpose::STANDARD;
    let key = base64.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("{id}.{at}.{body}").as_bytes());
    format!("v1,{}", base64.encode(mac.finalize().into_bytes()))
}

/// The plain HMAC over the body (v0).
pub fn untimed_signature(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

/// Logs of the whole test process are written as JSON to whoever captures them, and not to the terminal.
pub fn logs_on() {
    logging::silence_stderr(true);
    let settings = LogSettings { format: LogFormat::Json, filter: "info".into() };
    // Another test may have been first, with the same filter.
    let _ = logging::install(&settings, false);
}

/// A second process of the product on given settings, its server on a port of its own.
pub struct Second {
    pub address: SocketAddr,
    shutdown: Shutdown,
}

impl Second {
    pub async fn serve(world: &World, settings: Settings) -> Self {
        let shutdown = Shutdown::new();
        let key = MasterKey::from_hex(&"ab".repeat(32), "the test").unwrap();
        let clock = world.clock.clone();
        let process = Process::with(settings, key.into(), Role::Serve, shutdown.clone(), clock).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { process.serve(listener, |_| {}).await });
        Self { address, shutdown }
    }
}

impl Drop for Second {
    fn drop(&mut self) {
        self.shutdown.stop();
    }
}

impl World {
    /// One request to this world's server on a connection of its own.
    pub async fn request(&self, method: &str, path: &str, headers: &Headers, body: &str) -> Wire {
        request(self.address, method, path, headers, body).await
    }

    /// A webhook body, posted with the company's signature and token.
    pub async fn post_signed(&self, company: &Company, body: &str) -> Wire {
        let headers = signed_at(company, self.clock.now().timestamp(), body);
        self.request("POST", "/webhook/whaticket", &headers, body).await
    }

    /// A command to this world's Redis.
    pub fn redis_answers(&self, words: &[&str]) -> redis::RedisResult<redis::Value> {
        let mut connection = redis::Client::open(self.redis.url())?.get_connection()?;
        let mut command = redis::cmd(words[0]);
        for word in &words[1..] {
            command.arg(*word);
        }
        command.query(&mut connection)
    }

    /// All keys of a company with their values as Redis dumps them.
    pub fn redis_of(&self, company: &Company) -> BTreeMap<String, Vec<u8>> {
        let mut connection = redis::Client::open(self.redis.url()).unwrap().get_connection().unwrap();
        let pattern = format!("company:{{{}}}:*", company.id);
        let keys: Vec<String> = redis::cmd("KEYS").arg(pattern).query(&mut connection).unwrap();
        let mut dump = |key: &String| redis::cmd("DUMP").arg(key).query(&mut connection).unwrap_or_default();
        keys.iter().map(|key| (key.clone(), dump(key))).collect()
    }

    /// From now on PostgreSQL lets nobody of the application in, and sends away who is.
    pub fn cut_postgres(&self) {
        let name = &self.db.name;
        let sql = format!(
            "REVOKE CONNECT ON DATABASE {name} FROM secretaria_app;
             SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
             WHERE datname = '{name}' AND usename = 'secretaria_app';"
        );
        self.db.sql(&sql).unwrap();
    }

    /// PostgreSQL is back.
    pub fn mend_postgres(&self) {
        self.db.sql(&format!("GRANT CONNECT ON DATABASE {} TO secretaria_app;", self.db.name)).unwrap();
    }

    /// A series of this process's metrics; `None` when it is not there.
    pub fn series(&self, series: &str) -> Option<f64> {
        let page = self.process.metrics.render_now();
        page.lines().find_map(|line| line.strip_prefix(series)?.trim().parse().ok())
    }
}
