//! One battlefield: PostgreSQL and Redis of its own on a real disk, stand-ins in this process, the product as children.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::ExposeSecret;
use secretaria::cli::demo::postgres::{PostgresOptions, PostgresServer};
use secretaria::cli::demo::redis::{RedisOptions, RedisServer};
use secretaria::clock::Clock;
use secretaria::config::{Settings, Sources};
use secretaria::services::audit::Actor;
use secretaria::services::provisioning::{Change, CompanyName, NewCompany, Provisioner};
use secretaria::standins::{CompanyAtStandIn, StandIns};
use secretaria::tenant::{AdminDb, MasterKey};

use super::child::{Children, Job};
use super::deeds::Deeds;
use super::resp::Resp;
use super::wire::Wire;

/// A company of the arena.
#[derive(Clone, Debug)]
pub struct Company {
    pub id: i64,
    pub domain: String,
    pub secret: String,
    pub token: String,
}

/// How an arena is made.
#[derive(Clone, Debug)]
pub struct Plan {
    pub seed: u64,
    pub companies: usize,
    pub serves: usize,
    pub workers: usize,
    pub settings: Vec<(&'static str, String)>,
    pub redis_mb: u32,
    /// Environment of PostgreSQL.
    pub postgres_env: Vec<(String, String)>,
}

impl Plan {
    pub fn new(seed: u64) -> Self {
        let (settings, postgres_env) = (Vec::new(), Vec::new());
        Self { seed, companies: 2, serves: 1, workers: 2, settings, redis_mb: 512, postgres_env }
    }

    pub fn companies(self, companies: usize) -> Self {
        Self { companies, ..self }
    }

    pub fn serves(self, serves: usize) -> Self {
        Self { serves, ..self }
    }

    pub fn workers(self, workers: usize) -> Self {
        Self { workers, ..self }
    }

    pub fn set(mut self, key: &'static str, value: impl ToString) -> Self {
        self.settings.push((key, value.to_string()));
        self
    }
}

/// Times scaled down by about fifteen, so that hundreds of attacks fit into minutes.
const DEFAULTS: [(&str, &str); 29] = [
    ("profile", "test"),
    ("server.linger_ms", "0"),
    ("server.threads", "1"),
    ("server.peer_flood_per_second", "1000000"),
    ("redis.durability", "any"),
    ("queue.burst_window_ms", "100"),
    ("queue.burst_max_ms", "3000"),
    ("queue.lease_ms", "2000"),
    ("queue.renew_ms", "500"),
    ("queue.sweep_ms", "300"),
    ("queue.idle_wait_ms", "100"),
    ("queue.drain_ms", "3000"),
    ("queue.mailbox_cap", "5000"),
    ("limits.number_per_minute", "1000000"),
    ("limits.number_burst", "100000"),
    ("limits.loop_guard", "false"),
    ("limits.company_address_per_second", "1000000"),
    ("llm.backoff_base_ms", "5"),
    ("llm.breaker_open_ms", "300"),
    ("llm.call_timeout_ms", "2000"),
    ("llm.budget_ms", "5000"),
    ("delivery.timeout_ms", "1200"),
    ("delivery.retry_ms", "[100, 200, 400, 800]"),
    ("delivery.ambiguous_wait_ms", "1000"),
    ("delivery.deadline_spare_ms", "500"),
    ("database.pool_size", "4"),
    ("database.acquire_timeout_ms", "2000"),
    ("log.filter", "warn"),
    ("log.format", "json"),
];

/// The battlefield. Dropped, everything ends; `keep` leaves logs and data for a look.
pub struct Arena {
    pub seed: u64,
    pub dir: PathBuf,
    pub postgres: Mutex<PostgresServer>,
    pub redis: Mutex<RedisServer>,
    pub redis_socket: PathBuf,
    pub standins: Arc<StandIns>,
    pub deeds: Arc<Deeds>,
    pub companies: Vec<Company>,
    pub children: Children,
    pub serves: Vec<(usize, SocketAddr)>,
    pub workers: Vec<usize>,
    pub settings: Settings,
    pub clock: Clock,
    keep: Mutex<bool>,
}

impl Arena {
    pub async fn start(plan: Plan) -> Arc<Self> {
        Self::begin(plan, None).await
    }

    /// With a Redis that somebody else looks after; `redis.url` of the plan says where it is.
    pub async fn start_with_redis(plan: Plan, socket: PathBuf) -> Arc<Self> {
        Self::begin(plan, Some(socket)).await
    }

    async fn begin(plan: Plan, other_redis: Option<PathBuf>) -> Arc<Self> {
        let dir = tempfile::Builder::new().prefix("secretaria-verify-").tempdir().unwrap().keep();
        passable(&dir);
        let (postgres, redis) = servers(dir.clone(), &plan).await;
        let clock = Clock::new();
        let standins = Arc::new(StandIns::start(clock.clone(), (Ipv4Addr::LOCALHOST, 0).into()).await.unwrap());
        let (settings, env) = settings(&plan, &postgres, &redis, &standins);
        let admin = AdminDb::connect(&settings.database).await.unwrap();
        admin.migrate_control().await.unwrap();
        let key = MasterKey::from_hex(&"ab".repeat(32), "the test").unwrap();
        let mut companies = Vec::new();
        for n in 0..plan.companies {
            companies.push(provision(&settings, &key, &clock, n).await);
        }
        let children = Children::new(env, dir.join("logs"));
        let redis_socket = other_redis.unwrap_or_else(|| redis.socket());
        let mut arena = Self {
            seed: plan.seed,
            dir,
            postgres: Mutex::new(postgres),
            redis: Mutex::new(redis),
            redis_socket,
            deeds: Deeds::of(Arc::clone(&standins)),
            standins,
            companies,
            children,
            serves: Vec::new(),
            workers: Vec::new(),
            settings,
            clock,
            keep: Mutex::new(false),
        };
        for _ in 0..plan.serves {
            let address = free_address();
            arena.serves.push((arena.children.add(Job::Serve(address), BTreeMap::new()), address));
        }
        for _ in 0..plan.workers {
            arena.workers.push(arena.children.add(Job::Work, BTreeMap::new()));
        }
        arena.register_echoes();
        for (_, address) in &arena.serves {
            arena.ready(*address).await;
        }
        Arc::new(arena)
    }

    fn register_echoes(&self) {
        let Some((_, address)) = self.serves.first() else { return };
        for company in &self.companies {
            self.standins.register(CompanyAtStandIn {
                id: company.id,
                webhook_url: format!("http://{address}/webhook/whaticket"),
                host: company.domain.clone(),
                webhook_secret: company.secret.clone(),
                webhook_token: company.token.clone(),
            });
        }
    }

    /// Waits until a `serve` is ready.
    pub async fn ready(&self, address: SocketAddr) {
        for _ in 0..600 {
            if Wire::to(address).get("/readyz").await.is_ok_and(|reply| reply.status == 200) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("a server never became ready; logs in {}", self.dir.display());
    }

    pub async fn redis(&self) -> std::io::Result<Resp> {
        Resp::connect(&self.redis_socket).await
    }

    /// Runs SQL as the superuser.
    pub async fn sql(self: &Arc<Self>, sql: String) -> Result<String, String> {
        let arena = Arc::clone(self);
        tokio::task::spawn_blocking(move || arena.postgres.lock().unwrap().psql("secretaria", &sql)).await.unwrap()
    }

    /// `kill -9` of PostgreSQL, a time without it, and its start.
    pub async fn break_postgres(self: &Arc<Self>, down: Duration) {
        self.postgres_blocking(PostgresServer::kill9).await;
        tokio::time::sleep(down).await;
        self.postgres_blocking(|postgres| postgres.restart().unwrap()).await;
    }

    pub async fn postgres_blocking<T: Send + 'static>(
        self: &Arc<Self>,
        act: impl FnOnce(&mut PostgresServer) -> T + Send + 'static,
    ) -> T {
        let arena = Arc::clone(self);
        tokio::task::spawn_blocking(move || act(&mut arena.postgres.lock().unwrap())).await.unwrap()
    }

    /// `kill -9` of Redis, a time without it, and its start.
    pub async fn break_redis(self: &Arc<Self>, down: Duration) {
        self.redis_blocking(RedisServer::kill9).await;
        tokio::time::sleep(down).await;
        self.redis_blocking(|redis| redis.restart().unwrap()).await;
    }

    pub async fn redis_blocking(self: &Arc<Self>, act: impl FnOnce(&mut RedisServer) + Send + 'static) {
        let arena = Arc::clone(self);
        tokio::task::spawn_blocking(move || act(&mut arena.redis.lock().unwrap())).await.unwrap();
    }

    /// Leaves logs and data where they are.
    pub fn keep(&self) {
        *self.keep.lock().unwrap() = true;
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        self.children.kill_all();
        self.postgres.lock().map(|mut server| server.kill9()).ok();
        self.redis.lock().map(|mut server| server.kill9()).ok();
        let (standins, keep) = (Arc::clone(&self.standins), *self.keep.lock().unwrap());
        drop(standins);
        if !keep {
            let _ = std::fs::remove_dir_all(&self.dir);
        }
    }
}

/// The servers' user passes through.
pub fn passable(dir: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o711)).unwrap();
}

/// A port that was free a moment ago; each child binds it again after every kill.
pub fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

async fn servers(dir: PathBuf, plan: &Plan) -> (PostgresServer, RedisServer) {
    let (redis_mb, env) = (plan.redis_mb, plan.postgres_env.clone());
    let start = move || {
        let postgres =
            PostgresServer::start(&dir.join("pg"), PostgresOptions { env, ..PostgresOptions::default() }).unwrap();
        let options = RedisOptions { durable: true, maxmemory_mb: redis_mb, socket_dir: None };
        (postgres, RedisServer::start(&dir.join("redis"), options).unwrap())
    };
    tokio::task::spawn_blocking(start).await.unwrap()
}

fn settings(
    plan: &Plan,
    postgres: &PostgresServer,
    redis: &RedisServer,
    standins: &StandIns,
) -> (Settings, BTreeMap<String, String>) {
    let mut values: BTreeMap<&str, String> = DEFAULTS.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
    values.insert("database.url", postgres.url("secretaria_app", "secretaria"));
    values.insert("database.admin_url", postgres.url("secretaria_migrator", "secretaria"));
    values.insert("redis.url", redis.url());
    values.insert("security.master_key", "ab".repeat(32));
    values.insert("delivery.base_url", standins.base_url());
    values.insert("llm.base_url", standins.gemini_url());
    values.extend(plan.settings.iter().cloned());
    let mut sources = Sources::default();
    for (key, value) in &values {
        sources = sources.with(key, value.clone());
    }
    let env = values.iter().map(|(key, value)| (env_name(key), value.clone())).collect();
    (Settings::load(&sources).unwrap_or_else(|error| panic!("{error}")).0, env)
}

/// The environment variable of a setting.
pub fn env_name(key: &str) -> String {
    format!("SECRETARIA_{}", key.replace('.', "__").to_uppercase())
}

async fn provision(settings: &Settings, key: &MasterKey, clock: &Clock, n: usize) -> Company {
    let mut provisioner = Provisioner::new(settings, key, clock.clone(), Actor::operator("verify"));
    // Answers are compared word for word: nothing is said around them.
    let values = [("facts.hours", "segunda a sexta, das 8h às 18h"), ("contact.notice", "false")];
    let values = values.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let (name, domain) = (format!("Empresa {n}"), format!("empresa{n}.localhost"));
    let created =
        provisioner.create(NewCompany { name, domain, values, secrets: BTreeMap::new() }, false).await.unwrap();
    let (company, keys) = (created.company.unwrap(), created.webhook.unwrap());
    let credential = StandIns::credential(company.id.get(), "verify");
    let secrets = [("channel.token".to_owned(), credential.clone()), ("llm.api_key".to_owned(), credential)].into();
    let change = Change { secrets, ..Change::default() };
    provisioner.set(&CompanyName::Number(company.id), &change, false).await.unwrap();
    Company {
        id: company.id.get(),
        domain: company.domain,
        secret: keys.secret.expose_secret().to_owned(),
        token: keys.token.expose_secret().to_owned(),
    }
}
