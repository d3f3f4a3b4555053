//! The directory of companies: a full snapshot in memory, so that no webhook asks PostgreSQL who it is for.
//!
//! Loaded at start and whenever the version in Redis grows (announced by PUBLISH, polled each five seconds). When loading
//! fails the last snapshot stays in use. A company whose settings cannot be read keeps its last good state.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio_util::sync::CancellationToken;

use super::ServiceError;
use crate::config::Settings;
use crate::config::company::CompanySettings;
use crate::domain::api_auth::ApiTokens;
use crate::domain::company::{Company, CompanyId, CompanyState};
use crate::domain::webhook_auth::WebhookCredentials;
use crate::models::control::company::{SecretRow, SettingRow, snapshot};
use crate::models::control::installation;
use crate::telemetry::metrics::CompanyLabel;
use crate::tenant::{ControlKey, Database, MasterKey, RedisServer, Tenant, TenantSecrets};

/// How often the version is polled: a lost announcement costs no more than this.
const POLL: Duration = Duration::from_secs(5);

/// All companies, by domain and number. Clones share the snapshot.
#[derive(Clone)]
pub struct Directory {
    inner: Arc<Inner>,
}

struct Inner {
    settings: Arc<Settings>,
    database: Database,
    redis: RedisServer,
    master_key: Arc<MasterKey>,
    snapshot: ArcSwapOption<Snapshot>,
    version: AtomicI64,
}

#[derive(Default)]
struct Snapshot {
    by_domain: HashMap<String, Arc<Tenant>>,
    by_id: BTreeMap<CompanyId, Arc<Tenant>>,
}

/// The answer to "whose is this host?".
#[derive(Clone, Debug)]
pub enum Lookup {
    /// This company's.
    Found(Arc<Tenant>),
    /// Nobody's.
    Unknown,
    /// It is not known yet: the directory has not been loaded.
    NotLoaded,
}

impl Directory {
    pub(super) fn new(
        settings: Arc<Settings>,
        database: Database,
        redis: RedisServer,
        master_key: Arc<MasterKey>,
    ) -> Self {
        let inner = Inner {
            settings,
            database,
            redis,
            master_key,
            snapshot: ArcSwapOption::empty(),
            version: AtomicI64::new(-1),
        };
        Self { inner: Arc::new(inner) }
    }

    /// A token of a company for one purpose: the same as long as the master key is, and of no use to another company or
    /// for another purpose.
    pub fn token(&self, company: CompanyId, purpose: &str) -> String {
        let key = self.inner.master_key.derive(purpose);
        match <Hmac<Sha256> as KeyInit>::new_from_slice(&key) {
            Ok(mut mac) => {
                mac.update(company.to_string().as_bytes());
                hex::encode(mac.finalize().into_bytes())
            }
            // An HMAC takes keys of any length.
            Err(_) => String::new(),
        }
    }

    /// What secrets of companies are sealed with.
    pub(super) fn master_key(&self) -> &MasterKey {
        &self.inner.master_key
    }

    /// The company of a host: lower case, no port, no trailing dot.
    pub fn by_domain(&self, domain: &str) -> Lookup {
        match self.inner.snapshot.load().as_ref() {
            None => Lookup::NotLoaded,
            Some(snapshot) => {
                snapshot.by_domain.get(domain).map_or(Lookup::Unknown, |tenant| Lookup::Found(Arc::clone(tenant)))
            }
        }
    }

    /// A company by its number.
    pub fn by_id(&self, id: CompanyId) -> Option<Arc<Tenant>> {
        self.inner.snapshot.load().as_ref()?.by_id.get(&id).map(Arc::clone)
    }

    /// All companies that are served or suspended, by number.
    pub fn all(&self) -> Vec<Arc<Tenant>> {
        self.inner
            .snapshot
            .load()
            .as_ref()
            .map(|snapshot| snapshot.by_id.values().cloned().collect())
            .unwrap_or_default()
    }

    /// Whether it has been loaded.
    pub fn is_loaded(&self) -> bool {
        self.inner.snapshot.load().is_some()
    }

    /// Which state of the companies is loaded; another number means that something changed.
    pub fn version(&self) -> i64 {
        self.inner.version.load(Ordering::Relaxed)
    }

    /// Loads everything. Refuses when the stored secrets were sealed with another master key.
    pub async fn refresh(&self) -> Result<(), ServiceError> {
        let inner = &self.inner;
        // Read first: a change that comes while loading is seen by the next poll.
        let version = self.version_in_redis().await.unwrap_or(-1);
        let mut tx = inner.database.control().begin().await?;
        let key_id = installation::master_key_id(&mut tx).await?;
        let (companies, settings, secrets) = snapshot(&mut tx).await?;
        tx.commit().await?;
        if let Some(stored) = key_id.filter(|stored| stored != inner.master_key.id()) {
            return Err(ServiceError::Configuration(format!(
                "the stored secrets were sealed with master key {stored}, but security.master_key_file holds key {}; \
                 give the key the installation was made with",
                inner.master_key.id()
            )));
        }
        let before = inner.snapshot.load_full().unwrap_or_default();
        let fresh = self.build(companies, settings, secrets, &before);
        inner.snapshot.store(Some(Arc::new(fresh)));
        inner.version.store(version, Ordering::Relaxed);
        Ok(())
    }

    fn build(
        &self,
        companies: Vec<Company>,
        settings: Vec<SettingRow>,
        secrets: Vec<SecretRow>,
        before: &Snapshot,
    ) -> Snapshot {
        let mut plain: HashMap<i64, BTreeMap<String, String>> = HashMap::new();
        for row in settings {
            plain.entry(row.company_id).or_default().insert(row.key, row.value);
        }
        let mut sealed: HashMap<i64, Vec<SecretRow>> = HashMap::new();
        for row in secrets {
            sealed.entry(row.company_id).or_default().push(row);
        }
        let mut fresh = Snapshot::default();
        for company in companies.into_iter().filter(|company| company.state != CompanyState::Provisioning) {
            let id = company.id;
            let values = plain.remove(&id.get()).unwrap_or_default();
            let secrets = sealed.remove(&id.get()).unwrap_or_default();
            let tenant = match self.tenant(company, &values, &secrets) {
                Ok(tenant) => Some(Arc::new(tenant)),
                Err(error) => {
                    tracing::error!(company = id.get(), %error, "A company's settings cannot be read; its last good state stays in use");
                    before.by_id.get(&id).cloned()
                }
            };
            if let Some(tenant) = tenant {
                fresh.by_domain.insert(tenant.company.domain.clone(), Arc::clone(&tenant));
                fresh.by_id.insert(id, tenant);
            }
        }
        fresh
    }

    fn tenant(
        &self,
        company: Company,
        values: &BTreeMap<String, String>,
        sealed: &[SecretRow],
    ) -> Result<Tenant, ServiceError> {
        let settings = CompanySettings::from_values(values, &self.inner.settings)
            .map_err(|why| ServiceError::Configuration(format!("company {}: {why}", company.id)))?;
        let mut open = HashMap::new();
        for row in sealed {
            open.insert(row.key.as_str(), self.inner.master_key.open(company.id, &row.key, &row.sealed)?);
        }
        let mut take = |key: &str| open.remove(key).filter(|secret| !secret.is_empty());
        let secrets = TenantSecrets {
            webhook: WebhookCredentials {
                mode: settings.auth,
                secrets: [take("webhook.secret"), take("webhook.secret_previous")].into_iter().flatten().collect(),
                tokens: [take("webhook.token"), take("webhook.token_previous")].into_iter().flatten().collect(),
                allow_untimestamped: settings.allow_untimestamped,
            }
            .prepare(),
            api: ApiTokens::new([take("api.token"), take("api.token_previous")].into_iter().flatten()),
            channel_token: take("channel.token").unwrap_or_default().into(),
            llm_api_key: take("llm.api_key").unwrap_or_default().into(),
            embedding_api_key: take("embedding.api_key").unwrap_or_default().into(),
            llm2_api_key: take("llm2.api_key").unwrap_or_default().into(),
            calendar_api_key: take("calendar.api_key").unwrap_or_default().into(),
            calendar_webhook: ["calendar.webhook_secret", "calendar.webhook_secret_previous"]
                .into_iter()
                .filter_map(|key| take(key).map(Into::into))
                .collect(),
        };
        Ok(Tenant {
            db: self.inner.database.tenant(company.id),
            redis: self.inner.redis.tenant(company.id),
            label: CompanyLabel::of(company.id),
            company,
            settings,
            secrets,
        })
    }

    async fn version_in_redis(&self) -> Option<i64> {
        let reply = self.inner.redis.control().command("GET", ControlKey::DirectoryVersion, &[]).await.ok()?;
        Some(reply.int().unwrap_or(0))
    }

    /// Tells every process that a company, a domain or a setting changed. PostgreSQL holds the truth, so a failure only
    /// makes the change known later.
    pub async fn announce(redis: &RedisServer) -> Result<(), ServiceError> {
        let control = redis.control();
        control.command("INCR", ControlKey::DirectoryVersion, &[]).await?;
        control.command("PUBLISH", ControlKey::DirectoryChanged, &["1".into()]).await?;
        Ok(())
    }

    /// Keeps the snapshot fresh until `stop`; loads it as soon as PostgreSQL answers.
    pub async fn watch(self, stop: CancellationToken) {
        let mut listener = None;
        let mut last_full = tokio::time::Instant::now();
        loop {
            if listener.is_none() {
                listener = self.inner.redis.control().changes().await.ok();
            }
            let pause = if self.is_loaded() { POLL } else { Duration::from_millis(250) };
            tokio::select! {
                () = stop.cancelled() => return,
                heard = heard(&mut listener) => if !heard { listener = None },
                () = tokio::time::sleep(pause) => {}
            }
            let version = self.version_in_redis().await;
            let changed = version.is_some_and(|version| version != self.inner.version.load(Ordering::Relaxed));
            // While Redis is away nothing tells of changes, so PostgreSQL is asked once a minute all the same.
            let overdue = last_full.elapsed() > Duration::from_secs(60);
            if !self.is_loaded() || changed || overdue {
                last_full = tokio::time::Instant::now();
                if let Err(error) = self.refresh().await {
                    tracing::warn!(%error, "The directory of companies could not be refreshed; the last one stays in use");
                }
            }
        }
    }
}

/// The next announcement; waits for ever without a listener.
async fn heard(listener: &mut Option<crate::tenant::ChangeListener>) -> bool {
    match listener {
        Some(listener) => listener.next().await,
        None => std::future::pending().await,
    }
}
