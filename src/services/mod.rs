//! Use cases: what the product does, in terms of the layers below.

pub mod agenda;
pub mod attendance;
pub mod audit;
pub mod context;
pub mod dead_letters;
pub mod delivery;
pub mod directory;
pub mod embedding;
mod error;
pub mod experiments;
pub mod health;
pub mod hearing;
pub mod intake;
pub mod knowledge;
pub mod lease;
pub mod llm;
pub mod migration;
pub mod orders;
pub mod provisioning;
pub mod rebuild;
pub mod templates;
pub mod trace;
pub mod training;

use std::sync::Arc;
use std::time::Duration;

pub use error::{Disposition, ServiceError};

use crate::clients::http::HttpClient;
use crate::clock::Clock;
use crate::config::Settings;
use crate::queue::Hints;
use crate::tenant::{Database, MasterKey, RedisServer};

/// What every use case may need. Cheap to clone.
#[derive(Clone)]
pub struct Services {
    /// Settings of the process.
    pub settings: Arc<Settings>,
    /// The clock.
    pub clock: Clock,
    /// PostgreSQL, as the application.
    pub database: Database,
    /// Redis.
    pub redis: RedisServer,
    /// Companies.
    pub directory: directory::Directory,
    /// Outgoing HTTP.
    pub http: HttpClient,
    /// Outgoing HTTP to places that strangers name.
    pub guarded: HttpClient,
    /// What this process remembers of the models' breakers.
    pub breakers: Arc<llm::BreakerMemory>,
    /// What this process remembers of the companies' wordings.
    pub wordings: Arc<templates::WordingMemory>,
    /// What this process holds of companies' knowledge.
    pub knowledge: knowledge::Shelf,
    /// What this process remembers of which hours companies prefer.
    pub preferences: Arc<agenda::insights::Preferences>,
    /// What facts of companies were found to say.
    pub read_facts: Arc<crate::domain::conversation::truth::ReadFacts>,
    /// Salt of the hashes that stand for numbers in logs.
    pub log_salt: Arc<[u8; 32]>,
}

impl Services {
    /// Prepares everything; connects to nothing yet.
    pub fn new(settings: Arc<Settings>, master_key: Arc<MasterKey>, clock: Clock) -> Result<Self, ServiceError> {
        let database = Database::new(&settings.database)?;
        let redis = RedisServer::new(&settings.redis)?;
        let http = HttpClient::new(Duration::from_secs(5)).map_err(ServiceError::Configuration)?;
        let guarded = HttpClient::guarded(Duration::from_secs(5)).map_err(ServiceError::Configuration)?;
        let log_salt = Arc::new(master_key.derive("log"));
        let directory = directory::Directory::new(Arc::clone(&settings), database.clone(), redis.clone(), master_key);
        Ok(Self {
            settings,
            clock,
            database,
            redis,
            directory,
            http,
            guarded,
            breakers: Arc::default(),
            wordings: Arc::default(),
            knowledge: knowledge::Shelf::default(),
            preferences: Arc::default(),
            read_facts: Arc::default(),
            log_salt,
        })
    }

    /// The round robin over companies.
    pub fn hints(&self) -> Hints {
        Hints::new(self.redis.control(), self.clock.clone())
    }
}
