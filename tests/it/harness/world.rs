//! A whole Secretaria in the test's process: server on port 0, runner, stand-ins, two companies.
//!
//! ```ignore
//! let world = World::start().await;
//! let ana = world.customer(&world.clinic, "5511987654321");
//! ana.says("qual o horário?").await.expect_status(202);
//! world.quiet().await;
//! assert_eq!(world.texts_to("5511987654321"), ["Olá! …"]);
//! ```

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use secrecy::ExposeSecret;
use secretaria::cli::demo::redis::{RedisOptions, RedisServer};
use secretaria::cli::lifecycle::Shutdown;
use secretaria::cli::process::Process;
use secretaria::clients::http::{BODY_LIMIT, HttpClient};
use secretaria::clock::Clock;
use secretaria::config::{Settings, Sources};
use secretaria::domain::company::CompanyId;
use secretaria::domain::webhook_auth::sign;
use secretaria::routes::Role;
use secretaria::services::audit::Actor;
use secretaria::services::provisioning::{Change, CompanyName, NewCompany, Provisioner};
use secretaria::standins::{CompanyAtStandIn, Entry, StandIns};
use secretaria::tenant::{MasterKey, Tenant};
use secretaria::workers::runner::{Runner, Scope};
use secretaria::workers::sweep::Sweeper;
use serde_json::{Value, json};

use super::pg::{self, TestDatabase};

/// Patience of every wait: generous, because the machine may be busy; no test waits this long unless it fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until a condition holds; panics with `what` when it does not.
pub async fn eventually<F: AsyncFnMut() -> bool>(what: &str, mut holds: F) {
    let end = tokio::time::Instant::now() + PATIENCE;
    while !holds().await {
        assert!(tokio::time::Instant::now() < end, "never came: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A company with what its gateway knows.
#[derive(Clone, Debug)]
pub struct Company {
    pub id: CompanyId,
    pub domain: String,
    pub secret: String,
    pub token: String,
}

/// A Secretaria of the test's own.
pub struct World {
    pub db: TestDatabase,
    pub redis: RedisServer,
    pub standins: Arc<StandIns>,
    pub settings: Settings,
    pub sources: Sources,
    pub clock: Clock,
    pub process: Process,
    pub base_url: String,
    pub address: SocketAddr,
    pub http: HttpClient,
    pub clinic: Company,
    pub salon: Company,
    pub shutdown: Shutdown,
    workers: Vec<tokio::task::JoinHandle<()>>,
    server: Option<tokio::task::JoinHandle<()>>,
}

/// How a world is made.
#[derive(Default)]
pub struct Builder {
    settings: Vec<(String, String)>,
    workers: usize,
    durable: bool,
}

impl Builder {
    /// A setting of the process.
    pub fn set(mut self, key: &str, value: impl ToString) -> Self {
        self.settings.push((key.to_owned(), value.to_string()));
        self
    }

    /// So many runners in this process; 0 = webhooks are taken and nobody answers.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers;
        self
    }

    /// Redis writes every acknowledged change to disk, so that it may be killed and started again.
    pub fn durable(mut self) -> Self {
        self.durable = true;
        self
    }

    pub async fn start(self) -> World {
        World::with(self).await
    }
}

/// Times short enough for tests, long enough for a busy machine; tests of expiry move the clock instead of waiting.
const DEFAULTS: [(&str, &str); 23] = [
    ("profile", "test"),
    ("server.linger_ms", "0"),
    ("server.threads", "1"),
    ("redis.durability", "any"),
    ("queue.burst_window_ms", "0"),
    ("queue.burst_max_ms", "5000"),
    ("queue.lease_ms", "10000"),
    ("queue.renew_ms", "2000"),
    ("queue.sweep_ms", "100"),
    ("queue.idle_wait_ms", "100"),
    ("queue.drain_ms", "5000"),
    ("limits.number_per_minute", "6000"),
    ("limits.number_burst", "1000"),
    ("limits.loop_guard", "false"),
    ("llm.backoff_base_ms", "5"),
    ("llm.breaker_open_ms", "60000"),
    ("llm.call_timeout_ms", "5000"),
    ("llm.budget_ms", "10000"),
    ("delivery.timeout_ms", "2000"),
    ("delivery.retry_ms", "[60000, 120000]"),
    ("delivery.ambiguous_wait_ms", "30000"),
    ("delivery.deadline_spare_ms", "1000"),
    ("database.pool_size", "4"),
];

impl World {
    /// Two companies, one runner, everything at once.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    pub fn builder() -> Builder {
        Builder { settings: Vec::new(), workers: 1, durable: false }
    }

    async fn with(builder: Builder) -> Self {
        let db = pg::database().await;
        let redis_dir = db.dir.path().join("redis");
        open_dir(db.dir.path());
        let durable = builder.durable;
        let redis = tokio::task::spawn_blocking(move || {
            RedisServer::start(&redis_dir, RedisOptions { durable, ..RedisOptions::default() }).unwrap()
        })
        .await
        .unwrap();
        let clock = Clock::new();
        let standins = StandIns::start(clock.clone(), (Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
        let mut sources = Sources::default()
            .with("database.url", db.url.clone())
            .with("database.admin_url", db.admin_url.clone())
            .with("redis.url", redis.url())
            .with("security.master_key", "ab".repeat(32))
            .with("delivery.base_url", standins.base_url())
            .with("llm.base_url", standins.gemini_url());
        for (key, value) in DEFAULTS {
            sources = sources.with(key, value);
        }
        for (key, value) in &builder.settings {
            sources = sources.with(key, value.clone());
        }
        let settings = Settings::load(&sources).unwrap_or_else(|error| panic!("{error}")).0;
        let key = Arc::new(MasterKey::from_hex(&"ab".repeat(32), "the test").unwrap());
        let clinic = provision(&settings, &key, &clock, "Clínica Sorriso", "clinica.localhost").await;
        let salon = provision(&settings, &key, &clock, "Salão Bela Vista", "salao.localhost").await;
        let shutdown = Shutdown::new();
        let process = Process::with(settings.clone(), key, Role::Serve, shutdown.clone(), clock.clone()).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let base_url = format!("http://{address}");
        let server = {
            let process = process.clone();
            tokio::spawn(async move { process.serve(listener, |_| {}).await.unwrap() })
        };
        let http = HttpClient::new(Duration::from_secs(5)).unwrap();
        for company in [&clinic, &salon] {
            standins.register(CompanyAtStandIn {
                id: company.id.get(),
                webhook_url: format!("{base_url}/webhook/whaticket"),
                host: company.domain.clone(),
                webhook_secret: company.secret.clone(),
                webhook_token: company.token.clone(),
            });
        }
        let mut world = Self {
            db,
            redis,
            standins: Arc::new(standins),
            settings,
            sources,
            clock,
            process,
            base_url,
            address,
            http,
            clinic,
            salon,
            shutdown,
            workers: Vec::new(),
            server: Some(server),
        };
        for _ in 0..builder.workers {
            world.start_worker(Scope::All);
        }
        world
    }

    /// One more runner in this process.
    pub fn start_worker(&mut self, scope: Scope) {
        let runner = Runner::new(self.process.services.clone(), scope, secretaria::cli::process::name());
        self.workers.push(tokio::spawn(runner.run(self.shutdown.drain_token())));
    }

    /// A company as the product sees it.
    pub fn tenant(&self, company: &Company) -> Arc<Tenant> {
        self.process.services.directory.by_id(company.id).unwrap()
    }

    pub fn customer<'w>(&'w self, company: &'w Company, number: &str) -> Customer<'w> {
        Customer { world: self, company: company.clone(), number: number.to_owned(), name: "Ana".to_owned() }
    }

    /// Gives settings or secrets of a company their defaults again.
    pub async fn unset(&self, company: &Company, keys: &[&str]) {
        let unset = keys.iter().map(|key| (*key).to_owned()).collect();
        self.change(company, Change { unset, ..Change::default() }).await.unwrap();
    }

    /// Changes settings of a company; `secret:` in front of a key seals it. Waits until the process knows.
    pub async fn configure(&self, company: &Company, values: &[(&str, &str)]) {
        self.try_configure(company, values).await.unwrap();
    }

    /// The same, where the change may be refused.
    pub async fn try_configure(&self, company: &Company, values: &[(&str, &str)]) -> Result<(), String> {
        let mut change = Change::default();
        for (key, value) in values {
            match key.strip_prefix("secret:") {
                Some(key) => change.secrets.insert(key.to_owned(), (*value).to_owned()),
                None => change.set.insert((*key).to_owned(), (*value).to_owned()),
            };
        }
        self.change(company, change).await
    }

    async fn change(&self, company: &Company, change: Change) -> Result<(), String> {
        let key = MasterKey::from_hex(&"ab".repeat(32), "the test").unwrap();
        let mut provisioner = Provisioner::new(&self.settings, &key, self.clock.clone(), Actor::operator("test"));
        let changed = provisioner.set(&CompanyName::Number(company.id), &change, false).await;
        changed.map_err(|error| error.to_string())?;
        self.process.services.directory.refresh().await.unwrap();
        Ok(())
    }

    /// Waits until nothing is undecided, nothing is in work, and no text is on its way.
    pub async fn quiet(&self) {
        eventually("quiet", async || self.is_quiet().await).await;
    }

    async fn is_quiet(&self) -> bool {
        let services = &self.process.services;
        let found = Sweeper::default().sweep(services, &services.directory.all()).await;
        found.complete && found.size == 0 && found.leased == 0
    }

    /// Everything the stand-ins were asked, oldest first.
    pub fn ledger(&self) -> Vec<Entry> {
        self.standins.ledger_since(0)
    }

    /// Texts that the channel accepted for a number, oldest first.
    pub fn texts_to(&self, number: &str) -> Vec<String> {
        self.ledger()
            .iter()
            .filter(|entry| entry.accepted && is_whaticket(entry) && entry.body["number"] == number)
            .map(|entry| entry.body["body"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// How often the model was asked, whatever it answered.
    pub fn model_calls(&self) -> Vec<Entry> {
        self.ledger().into_iter().filter(|entry| serde_json::json!(entry.provider) == "gemini").collect()
    }

    /// Runs SQL in a company's schema as the superuser; rows as psql prints them, unaligned.
    pub fn sql(&self, company: &Company, sql: &str) -> String {
        self.db.sql(&format!("SET search_path TO tenant_{}; {sql}", company.id)).unwrap().trim().to_owned()
    }

    /// A raw request; `headers` may name any header.
    pub async fn post(&self, path: &str, headers: &[(&'static str, &str)], body: &[u8]) -> Answer {
        let url = format!("{}{path}", self.base_url);
        let answer = self.http.post_json(&url, headers, body.to_vec(), PATIENCE, BODY_LIMIT).await.unwrap();
        let json = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
        let names = ["retry-after", "ratelimit", "ratelimit-policy", "x-correlation-id", "allow"];
        let headers = names.iter().filter_map(|n| Some(((*n).to_owned(), answer.header(n)?.to_owned()))).collect();
        Answer { status: answer.status, json, headers }
    }

    /// A signed and tokened webhook of a company, as its gateway sends it.
    pub async fn webhook(&self, company: &Company, body: &Value) -> Answer {
        self.webhook_with(company, body, &[]).await
    }

    /// The same, with more headers.
    pub async fn webhook_with(&self, company: &Company, body: &Value, more: &[(&'static str, &str)]) -> Answer {
        let body = body.to_string();
        let now = self.clock.now().timestamp();
        let (timestamp, signature) =
            (now.to_string(), format!("sha256={}", sign(&company.secret, now, body.as_bytes())));
        let mut headers: Vec<(&'static str, &str)> = vec![
            ("host", &company.domain),
            ("x-webhook-token", &company.token),
            ("x-webhook-timestamp", &timestamp),
            ("x-webhook-signature", &signature),
        ];
        headers.extend_from_slice(more);
        self.post("/webhook/whaticket", &headers, body.as_bytes()).await
    }

    /// A call of a company's own API; its token is made on first use.
    pub async fn api(&self, company: &Company, method: &str, path: &str, body: &Value) -> super::trouble::Wire {
        self.api_with(company, method, path, body, &[]).await
    }

    /// The same, with more headers.
    pub async fn api_with(
        &self,
        company: &Company,
        method: &str,
        path: &str,
        body: &Value,
        more: &[(&'static str, &str)],
    ) -> super::trouble::Wire {
        let token = format!("api-token-of-company-{:0>20}", company.id);
        if !self.tenant(company).secrets.api.accept(&token) {
            self.configure(company, &[("secret:api.token", &token)]).await;
        }
        let mut headers: super::trouble::Headers = vec![
            ("host", company.domain.clone()),
            ("content-type", "application/json".to_owned()),
            ("authorization", format!("Bearer {token}")),
        ];
        headers.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let body = if method == "GET" { String::new() } else { body.to_string() };
        self.request(method, path, &headers, &body).await
    }

    /// Settings for a child process of the real binary that works in this world.
    pub fn child_env(&self) -> BTreeMap<String, String> {
        let mut env = BTreeMap::new();
        for (key, value) in &self.sources.overrides {
            env.insert(format!("SECRETARIA_{}", key.replace('.', "__").to_uppercase()), value.clone());
        }
        env
    }

    /// Empties Redis, as a lost disk would.
    pub fn flush_redis(&self) {
        assert_eq!(self.redis_says(&["FLUSHALL"]), "+OK");
    }

    /// One raw command; the first line of the answer, and for a bulk string its text.
    pub fn redis_says(&self, words: &[&str]) -> String {
        use std::io::{BufRead, BufReader, Write};
        let mut stream = std::os::unix::net::UnixStream::connect(self.redis.socket()).unwrap();
        let parts: String = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len())).collect();
        stream.write_all(format!("*{}\r\n{parts}", words.len()).as_bytes()).unwrap();
        let mut lines = BufReader::new(stream).lines();
        let first = lines.next().unwrap().unwrap();
        if first.starts_with('$') && first != "$-1" { lines.next().unwrap().unwrap() } else { first }
    }

    /// The sum of a company's series of a family, named without `secretaria_`; `labels` as written in `/metrics`.
    pub fn metric(&self, company: &Company, name: &str, labels: &str) -> f64 {
        self.process.metrics.upkeep();
        let (id, text) = (format!("company=\"{}\"", company.id), self.process.metrics.render_now());
        let fits = |line: &&str| {
            line.starts_with(&format!("secretaria_{name}{{")) && line.contains(&id) && line.contains(labels)
        };
        text.lines().filter(fits).filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }

    /// Waits for the answer of an SQL query in a company's schema.
    pub async fn until_sql(&self, company: &Company, sql: &str, answer: &str) {
        eventually(&format!("{sql} = {answer}"), async || self.sql(company, sql) == answer).await;
    }

    /// Dead letters of a company.
    pub async fn dead_letters(&self, company: &Company) -> Vec<secretaria::queue::DeadLetter> {
        secretaria::services::dead_letters::list(&self.tenant(company), None).await.unwrap()
    }

    /// Our own text, or the owner's, told by the channel. An id may be given.
    pub async fn echo(&self, company: &Company, to: &str, text: &str, id: &str) -> Answer {
        let body = json!({
            "key": {"remoteJid": format!("{to}@s.whatsapp.net"), "fromMe": true, "id": id},
            "messageTimestamp": self.clock.now().timestamp(),
            "message": {"conversation": text},
        });
        self.webhook(company, &body).await
    }

    /// One more process of ours on the same stores.
    pub async fn second_process(&self) -> Process {
        let key = Arc::new(MasterKey::from_hex(&"ab".repeat(32), "the test").unwrap());
        Process::with(self.settings.clone(), key, Role::Work, Shutdown::new(), self.clock.clone()).await.unwrap()
    }

    /// Ends everything in order.
    pub async fn end(mut self) {
        self.shutdown.begin();
        for worker in self.workers.drain(..) {
            worker.await.unwrap();
        }
        if let Some(server) = self.server.take() {
            server.await.unwrap();
        }
        self.shutdown.stop();
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.shutdown.stop();
    }
}

fn is_whaticket(entry: &Entry) -> bool {
    serde_json::json!(entry.provider) == "whaticket"
}

/// The servers' user passes through to its own directory.
fn open_dir(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o711)).unwrap();
}

async fn provision(settings: &Settings, key: &MasterKey, clock: &Clock, name: &str, domain: &str) -> Company {
    let mut provisioner = Provisioner::new(settings, key, clock.clone(), Actor::operator("test"));
    // Most tests ask for exact answers; those of the first contact turn its notice on.
    let values = [
        ("facts.hours", "segunda a sexta, das 8h às 18h"),
        ("facts.address", "Rua das Acácias, 120"),
        ("contact.notice", "false"),
    ];
    let values = values.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let new = NewCompany { name: name.to_owned(), domain: domain.to_owned(), values, secrets: BTreeMap::new() };
    let created = provisioner.create(new, false).await.unwrap();
    let (company, keys) = (created.company.unwrap(), created.webhook.unwrap());
    let credential = StandIns::credential(company.id.get(), "test");
    let secrets = [("channel.token".to_owned(), credential.clone()), ("llm.api_key".to_owned(), credential)].into();
    let change = Change { secrets, ..Change::default() };
    provisioner.set(&CompanyName::Number(company.id), &change, false).await.unwrap();
    Company {
        id: company.id,
        domain: company.domain,
        secret: keys.secret.expose_secret().to_owned(),
        token: keys.token.expose_secret().to_owned(),
    }
}

/// An answer of our own server.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub json: Value,
    pub headers: BTreeMap<String, String>,
}

impl Answer {
    #[track_caller]
    pub fn expect_status(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{:?}", self.json);
        self
    }
}

/// Somebody with a phone.
#[derive(Clone)]
pub struct Customer<'w> {
    world: &'w World,
    company: Company,
    pub number: String,
    pub name: String,
}

impl Customer<'_> {
    /// Writes a text; the gateway posts it as a raw Baileys message with an id of its own.
    pub async fn says(&self, text: &str) -> Answer {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        self.says_as(text, &format!("MSG{}", NEXT.fetch_add(1, Ordering::Relaxed))).await
    }

    /// Writes a text under a given message id.
    pub async fn says_as(&self, text: &str, id: &str) -> Answer {
        self.world.webhook(&self.company, &self.message(text, id)).await
    }

    /// The webhook's body.
    pub fn message(&self, text: &str, id: &str) -> Value {
        json!({
            "key": {"remoteJid": format!("{}@s.whatsapp.net", self.number), "fromMe": false, "id": id},
            "messageTimestamp": self.world.clock.now().timestamp(),
            "pushName": self.name,
            "message": {"conversation": text},
        })
    }

    /// What was sent to this person, oldest first.
    pub fn heard(&self) -> Vec<String> {
        self.world.texts_to(&self.number)
    }
}
