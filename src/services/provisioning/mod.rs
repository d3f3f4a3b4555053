//! The life of a company, seen by its operator: created, shown, changed, its webhook credentials rotated.
//!
//! All of it runs as the migrator. Creating is a list of [`Step`]s that may each be repeated: a run that ends in the
//! middle is finished by the next one with the same domain. Every change writes its audit entry in its own transaction.

mod create;
mod error;
mod rotate;
mod settings;
mod view;

use std::collections::BTreeMap;

pub use create::{Created, NewCompany, Outcome, Step, WebhookKeys};
pub use error::ProvisionError;
pub use rotate::Rotated;
pub use settings::{Change, Changed, split};
pub use view::{CompanyView, SecretView, SettingView, list, show};

use super::ServiceError;
use super::audit::Actor;
use super::directory::Directory;
use crate::clock::Clock;
use crate::config::Settings;
use crate::domain::company::{Company, CompanyId};
use crate::models::control::{company, installation};
use crate::tenant::{AdminDb, MasterKey, RedisServer};

/// A company as an operator names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CompanyName {
    /// By number.
    Number(CompanyId),
    /// By domain, normalised.
    Domain(String),
}

/// Changes companies, as the migrator and in somebody's name.
pub struct Provisioner<'a> {
    settings: &'a Settings,
    key: &'a MasterKey,
    clock: Clock,
    actor: Actor,
    redis: Option<RedisServer>,
    /// `None` after an error: a connection that may be inside a transaction is never used again.
    admin: Option<AdminDb>,
    warnings: Vec<String>,
}

impl<'a> Provisioner<'a> {
    /// Prepares; connects when first used.
    pub fn new(settings: &'a Settings, key: &'a MasterKey, clock: Clock, actor: Actor) -> Self {
        Self { settings, key, clock, actor, redis: None, admin: None, warnings: Vec::new() }
    }

    /// Changes are announced here, so that running processes see them at once and not within a minute.
    #[must_use]
    pub fn announcing(mut self, redis: RedisServer) -> Self {
        self.redis = Some(redis);
        self
    }

    /// Sentences about what did not go as wished and stops nothing.
    pub fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    async fn admin(&mut self) -> Result<&mut AdminDb, ServiceError> {
        let admin = match self.admin.take() {
            Some(admin) => admin,
            None => AdminDb::connect(&self.settings.database).await?,
        };
        Ok(self.admin.insert(admin))
    }

    /// A transaction on the control schema in which nobody else changes this company.
    async fn begin(&mut self, id: CompanyId) -> Result<&mut AdminDb, ServiceError> {
        let admin = self.admin().await?;
        admin.begin().await?;
        company::lock(admin, id).await?;
        Ok(admin)
    }

    async fn find(&mut self, who: &CompanyName) -> Result<Company, ProvisionError> {
        find(self.admin().await?, who).await
    }

    /// Refuses a master key other than the one the installation was made with; the first one used is remembered.
    async fn claim_master_key(&mut self, remember: bool) -> Result<(), ProvisionError> {
        let id = self.key.id().to_owned();
        let admin = self.admin().await?;
        let stored = match remember {
            true => Some(installation::adopt_master_key_id(admin, &id).await?),
            false => installation::stored_master_key_id(admin).await?,
        };
        match stored.filter(|stored| *stored != id) {
            None => Ok(()),
            Some(stored) => Err(ServiceError::Configuration(format!(
                "the stored secrets were sealed with master key {stored}, but the given key is {id}.\n  to mend: give the key \
                 the installation was made with (security.master_key_file)"
            ))
            .into()),
        }
    }

    async fn announce(&mut self) {
        let Some(redis) = &self.redis else { return };
        if let Err(error) = Directory::announce(redis).await {
            self.warnings
                .push(format!("running processes see the change within a minute: it was not announced ({error})"));
        }
    }
}

async fn find(admin: &mut AdminDb, who: &CompanyName) -> Result<Company, ProvisionError> {
    let (found, name) = match who {
        CompanyName::Number(id) => (company::find_by_id(admin, *id).await?, id.to_string()),
        CompanyName::Domain(domain) => (company::find(admin, domain).await?, domain.clone()),
    };
    found.ok_or_else(|| {
        ProvisionError::NotFound(format!("there is no company {name}; `secretaria provision list` shows them"))
    })
}

/// The id of the master key the installation's secrets were sealed with, when there are any.
pub async fn stored_master_key_id(admin: &mut AdminDb) -> Result<Option<String>, ServiceError> {
    Ok(installation::stored_master_key_id(admin).await?)
}

/// The command that answers a company's messages.
pub fn worker_hint(id: CompanyId) -> String {
    format!("secretaria work --company {id}")
}

type Texts = BTreeMap<String, String>;
