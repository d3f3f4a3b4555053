//! Where the benchmark happens: a PostgreSQL, a Redis for each side, companies, and the children that are measured.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use deadpool_redis::redis;
use secrecy::ExposeSecret;
use secretaria::cli::demo::postgres::{PostgresOptions, PostgresServer};
use secretaria::cli::demo::redis::{RedisOptions, RedisServer};
use secretaria::clock::Clock;
use secretaria::config::{Settings, Sources};
use secretaria::services::audit::Actor;
use secretaria::services::provisioning::{NewCompany, Provisioner};
use secretaria::tenant::{AdminDb, MasterKey};
use serde::{Deserialize, Serialize};

use crate::floor::{self, Orders};
use crate::load::{Target, until};
use crate::standin::Standin;
use crate::wire::Wire;
use crate::{proc, standin};

/// A company and what its gateway knows.
#[derive(Clone, Serialize, Deserialize)]
pub struct Company {
    pub id: u32,
    pub domain: String,
    pub secret: String,
    pub token: String,
}

/// Which program is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Floor,
    Product,
}

pub const SIDES: [Side; 2] = [Side::Floor, Side::Product];

/// Limits out of the way and no burst window: what is measured is the path, not the patience.
const SETTINGS: [(&str, &str); 14] = [
    ("profile", "test"),
    ("log.filter", "warn"),
    ("server.linger_ms", "0"),
    ("server.peer_flood_per_second", "100000000"),
    ("redis.durability", "any"),
    ("queue.burst_window_ms", "0"),
    ("queue.drain_ms", "1000"),
    ("limits.company_address_per_second", "10000000"),
    ("limits.number_per_minute", "6000000"),
    ("limits.number_burst", "1000000"),
    ("limits.loop_guard", "false"),
    ("queue.company_concurrency", "8192"),
    ("delivery.timeout_ms", "15000"),
    ("queue.mailbox_cap", "100000"),
];

/// The servers and the settings of everything that runs on them.
pub struct Place {
    pub postgres: PostgresServer,
    redis: RedisServer,
    floor_redis: RedisServer,
    pub standin: Standin,
    pub companies: Arc<Vec<Company>>,
    pub clock: Clock,
    sources: Sources,
    settings: Settings,
    key: MasterKey,
    next_conversation: u32,
    /// Most messages the floor stores with one statement.
    pub floor_rows: usize,
    /// Declared last: removed when the servers are gone.
    dir: tempfile::TempDir,
}

impl Place {
    pub async fn new(companies: usize) -> Self {
        // On a disk, not in memory: flushes have to cost what they cost.
        let dir = tempfile::Builder::new().prefix("secretaria-bench-").tempdir_in("/var/tmp").unwrap();
        open(dir.path());
        let redis = |name: &str| {
            RedisServer::start(&dir.path().join(name), RedisOptions { maxmemory_mb: 4096, ..RedisOptions::default() })
                .unwrap()
        };
        let (redis, floor_redis) = (redis("redis"), redis("floor"));
        let postgres = PostgresServer::start(&dir.path().join("pg"), PostgresOptions::default()).unwrap();
        postgres.psql("postgres", "CREATE DATABASE floor").unwrap();
        postgres.psql("floor", &format!("{}; GRANT INSERT ON answered TO secretaria_app", floor::TABLE)).unwrap();
        let standin = standin::Standin::start();
        let mut sources = Sources::default()
            .with("database.url", postgres.url("secretaria_app", "secretaria"))
            .with("database.admin_url", postgres.url("secretaria_migrator", "secretaria"))
            .with("redis.url", redis.url())
            .with("security.master_key", "ab".repeat(32))
            .with("delivery.base_url", standin.url.clone())
            .with("llm.base_url", standin.url.clone());
        for (key, value) in SETTINGS {
            sources = sources.with(key, value);
        }
        let settings = Settings::load(&sources).unwrap_or_else(|error| panic!("{error}")).0;
        let key = MasterKey::from_hex(&"ab".repeat(32), "the benchmark").unwrap();
        AdminDb::connect(&settings.database).await.unwrap().migrate_control().await.unwrap();
        let mut place = Self {
            postgres,
            redis,
            floor_redis,
            standin,
            companies: Arc::default(),
            clock: Clock::new(),
            sources,
            settings,
            key,
            next_conversation: 0,
            floor_rows: 1,
            dir,
        };
        place.provision(companies).await;
        place
    }

    /// Makes companies until there are so many; seconds each took.
    pub async fn provision(&mut self, companies: usize) -> Vec<f64> {
        let mut made = self.companies.to_vec();
        let mut times = Vec::new();
        let mut provisioner = Provisioner::new(&self.settings, &self.key, self.clock.clone(), Actor::operator("bench"));
        for n in made.len() + 1..=companies {
            let values = [
                ("facts.hours", "segunda a sexta, das 8h às 18h"),
                ("facts.address", "Rua das Acácias, 120"),
                ("contact.notice", "false"),
            ];
            // The number is the next one: nobody else makes companies here.
            let credential = format!("sim-{n}-bench");
            let secrets = [("channel.token", &credential), ("llm.api_key", &credential)];
            let new = NewCompany {
                name: format!("Empresa {n}"),
                domain: format!("c{n}.localhost"),
                values: values.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
                secrets: secrets.iter().map(|(k, v)| ((*k).to_owned(), (*v).clone())).collect(),
            };
            let begun = tokio::time::Instant::now();
            let created = provisioner.create(new, false).await.unwrap();
            times.push(begun.elapsed().as_secs_f64());
            let (company, keys) = (created.company.unwrap(), created.webhook.unwrap());
            assert_eq!(company.id.get(), i64::try_from(n).unwrap(), "companies are numbered from 1 here");
            made.push(Company {
                id: u32::try_from(company.id.get()).unwrap(),
                domain: company.domain,
                secret: keys.secret.expose_secret().to_owned(),
                token: keys.token.expose_secret().to_owned(),
            });
        }
        self.companies = Arc::new(made);
        times
    }

    /// A target whose customers nobody has met, with at most `companies` of the companies.
    pub fn target(&mut self, address: &str, companies: usize) -> Target {
        let first = self.next_conversation;
        self.next_conversation += 100_000;
        let companies = self.companies.iter().take(companies).cloned().collect();
        Target { address: address.to_owned(), companies: Arc::new(companies), first, clock: self.clock.clone() }
    }

    /// The program that takes webhooks, ready.
    pub async fn serve(&self, side: Side) -> Running {
        self.start(side, "serve", &[]).await
    }

    /// The program that answers, ready.
    pub async fn work(&self, side: Side, concurrency: usize) -> Running {
        self.start(side, "work", &[("queue.concurrency", concurrency.to_string())]).await
    }

    async fn start(&self, side: Side, what: &str, more: &[(&str, String)]) -> Running {
        let address = free_address();
        let mut command = match side {
            Side::Floor => self.floor_command(what, &address, more),
            Side::Product => self.product_command(what, &address, more),
        };
        let log =
            std::fs::File::options().create(true).append(true).open(self.dir.path().join("children.log")).unwrap();
        let second = log.try_clone().unwrap();
        let child = command.stdin(Stdio::null()).stdout(log).stderr(second).spawn().unwrap();
        let running = Running { child, address };
        if (side, what) == (Side::Floor, "work") {
            return running;
        }
        let ready = async {
            while !is_ready(&running.address).await {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if tokio::time::timeout(Duration::from_secs(60), ready).await.is_err() {
            panic!("{side:?} {what} does not get ready:\n{}", self.children_log());
        }
        running
    }

    fn floor_command(&self, what: &str, address: &str, more: &[(&str, String)]) -> Command {
        let orders = Orders {
            bind: address.to_owned(),
            redis: self.floor_redis.url(),
            database: self.postgres.url("secretaria_app", "floor"),
            standin: self.standin.url.clone(),
            concurrency: more.first().map_or(1, |(_, n)| n.parse().unwrap()),
            rows: self.floor_rows,
            companies: self.companies.to_vec(),
        };
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg(format!("floor-{what}")).env(floor::ORDERS, serde_json::to_string(&orders).unwrap());
        command
    }

    fn product_command(&self, what: &str, address: &str, more: &[(&str, String)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_secretaria"));
        command.env_clear().envs(self.env(more)).arg(what);
        match what {
            "serve" => command.args(["--bind", address]),
            _ => command.args(["--all", "--metrics-bind", address]),
        };
        command
    }

    /// Runs a command of the product to its end; how long it took.
    pub async fn run(&self, args: &[&str]) -> Result<Duration, String> {
        let begun = tokio::time::Instant::now();
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_secretaria"));
        let output = command.env_clear().envs(self.env(&[])).args(args).output().await.map_err(|e| e.to_string())?;
        match output.status.success() {
            true => Ok(begun.elapsed()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }

    fn env(&self, more: &[(&str, String)]) -> BTreeMap<String, String> {
        let set = self.sources.overrides.iter().map(|(key, value)| (key.as_str(), value.clone()));
        set.chain(more.iter().cloned())
            .map(|(key, value)| (format!("SECRETARIA_{}", key.replace('.', "__").to_uppercase()), value))
            .collect()
    }

    /// What the children wrote: warnings and errors only.
    pub fn children_log(&self) -> String {
        let text = std::fs::read_to_string(self.dir.path().join("children.log")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    fn redis_of(&self, side: Side) -> &RedisServer {
        match side {
            Side::Floor => &self.floor_redis,
            Side::Product => &self.redis,
        }
    }

    /// One command to a side's Redis; its answer as text.
    pub async fn redis(&self, side: Side, words: &[&str]) -> String {
        let client = redis::Client::open(self.redis_of(side).url()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        let reply: redis::Value = command.query_async(&mut connection).await.unwrap();
        match reply {
            redis::Value::BulkString(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            redis::Value::VerbatimString { text, .. } => text,
            other => format!("{other:?}"),
        }
    }

    /// Empties both queues; how often Redis flushes from now on: `always` or `no`.
    pub async fn clean(&self, appendfsync: &str) {
        for side in SIDES {
            self.redis(side, &["FLUSHALL"]).await;
            self.redis(side, &["CONFIG", "SET", "appendfsync", appendfsync]).await;
        }
        self.postgres.psql("postgres", "CHECKPOINT").unwrap();
    }

    pub fn redis_cpu(&self, side: Side) -> Duration {
        self.redis_of(side).pid().map_or(Duration::ZERO, proc::cpu)
    }

    pub fn postgres_cpu(&self) -> Duration {
        self.postgres.pid().map_or(Duration::ZERO, proc::cpu_with_children)
    }
}

/// A child; it is killed when dropped.
pub struct Running {
    child: Child,
    /// Where it listens; of a worker, where it shows its metrics.
    pub address: String,
}

impl Running {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn cpu(&self) -> Duration {
        proc::cpu(self.pid())
    }

    /// Ends it in order, so that what it holds is given back.
    pub async fn stop(mut self) {
        let pid = i32::try_from(self.pid()).ok().and_then(rustix::process::Pid::from_raw).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        until(Duration::from_secs(10), || !matches!(self.child.try_wait(), Ok(None))).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn is_ready(address: &str) -> bool {
    let Ok(mut wire) = Wire::connect(address).await else { return false };
    let asked = wire.write(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    asked.is_ok() && wire.read().await.ok().flatten().is_some_and(|answer| answer.status() == 200)
}

fn free_address() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// The servers' user passes through to its own directory.
fn open(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(PathBuf::from(path), std::fs::Permissions::from_mode(0o711)).unwrap();
}
