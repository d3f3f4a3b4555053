//! A company comes into being, step by step.

use std::fmt;

use base64::Engine;
use secrecy::SecretString;
use serde::Serialize;
use serde_json::json;

use super::settings::{Change, apply, given, stored};
use super::{CompanyName, ProvisionError, Provisioner, Texts};
use crate::config::company::CompanySettings;
use crate::domain::company::{Company, CompanyId, CompanyState, normalise_domain};
use crate::models::control::{company, provisioning_step};
use crate::services::{ServiceError, audit};
use crate::tenant::StoreError;

/// Longest name of a company, characters.
const NAME_MAX: usize = 200;

/// A company to be made.
#[derive(Clone, Default)]
pub struct NewCompany {
    /// The name its customers know it by.
    pub name: String,
    /// The host name its webhooks arrive at, as typed.
    pub domain: String,
    /// Settings to begin with.
    pub values: Texts,
    /// Secrets to begin with; the webhook's are generated when absent.
    pub secrets: Texts,
}

/// The steps of creating, in order. Each may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The company's row, its number.
    Company,
    /// Role, schema, tables.
    Schema,
    /// Webhook secret and token.
    Credentials,
    /// The given settings.
    Settings,
    /// From here on it is served.
    Activate,
}

impl Step {
    /// All, in order.
    pub const ALL: [Self; 5] = [Self::Company, Self::Schema, Self::Credentials, Self::Settings, Self::Activate];

    /// The stored spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Company => "company",
            Self::Schema => "schema",
            Self::Credentials => "credentials",
            Self::Settings => "settings",
            Self::Activate => "activate",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What creating came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is new.
    New,
    /// An earlier run had begun; it is finished now.
    Finished,
    /// It was there already, and nothing was changed.
    Unchanged,
    /// Nothing was done: a dry run.
    Planned,
}

/// What a gateway must be given. `Debug` shows neither.
#[derive(Clone, Debug)]
pub struct WebhookKeys {
    /// Signs webhooks.
    pub secret: SecretString,
    /// The token.
    pub token: SecretString,
}

/// The result of creating.
#[derive(Clone, Debug)]
pub struct Created {
    /// What it came to.
    pub outcome: Outcome,
    /// The company; `None` when a dry run found none.
    pub company: Option<Company>,
    /// Steps done, or to be done after a dry run.
    pub steps: Vec<Step>,
    /// Given values that an existing company has otherwise; they were not changed.
    pub differs: Vec<String>,
    /// The webhook's credentials; absent after a dry run.
    pub webhook: Option<WebhookKeys>,
}

impl Provisioner<'_> {
    /// Makes a company, or finishes making it. One that is finished stays as it is.
    ///
    /// Fails with [`ProvisionError::Invalid`] before anything is stored, and with [`ProvisionError::Step`] in the middle.
    pub async fn create(&mut self, wanted: NewCompany, dry_run: bool) -> Result<Created, ProvisionError> {
        let wanted = self.checked(wanted)?;
        let existing = company::find(self.admin().await?, &wanted.domain).await?;
        self.claim_master_key(!dry_run).await?;
        let (begun, outcome) = match existing {
            Some(company) if company.state != CompanyState::Provisioning => {
                return self.unchanged(company, &wanted).await;
            }
            Some(company) => (Some(company), Outcome::Finished),
            None => (None, Outcome::New),
        };
        if dry_run {
            let steps = Step::ALL.to_vec();
            return Ok(Created {
                outcome: Outcome::Planned,
                company: begun,
                steps,
                differs: Vec::new(),
                webhook: None,
            });
        }
        let id = match begun {
            Some(company) => company.id,
            None => self.insert(&wanted).await?,
        };
        for step in Step::ALL {
            self.step(id, step, &wanted).await?;
        }
        self.announce().await;
        let company = self.find(&CompanyName::Number(id)).await?;
        let webhook = Some(self.webhook_keys(id).await?);
        Ok(Created { outcome, company: Some(company), steps: Step::ALL.to_vec(), differs: Vec::new(), webhook })
    }

    /// The webhook's credentials in use.
    pub async fn webhook_keys(&mut self, id: CompanyId) -> Result<WebhookKeys, ProvisionError> {
        let key = self.key;
        let stored = stored(self.admin().await?, id).await?;
        let secret = stored.open(key, id, "webhook.secret")?.unwrap_or_default().into();
        let token = stored.open(key, id, "webhook.token")?.unwrap_or_default().into();
        Ok(WebhookKeys { secret, token })
    }

    fn checked(&self, wanted: NewCompany) -> Result<NewCompany, ProvisionError> {
        let domain = normalise_domain(&wanted.domain).map_err(ProvisionError::Invalid)?;
        let name = wanted.name.trim().to_owned();
        if name.is_empty() || name.chars().count() > NAME_MAX || name.chars().any(char::is_control) {
            let why = format!("the name must be one line of 1 to {NAME_MAX} characters");
            return Err(ProvisionError::Invalid(why));
        }
        given(&wanted.values, &wanted.secrets)?;
        CompanySettings::from_values(&wanted.values, self.settings).map_err(ProvisionError::Invalid)?;
        Ok(NewCompany { name, domain, ..wanted })
    }

    async fn unchanged(&mut self, company: Company, wanted: &NewCompany) -> Result<Created, ProvisionError> {
        let (id, key) = (company.id, self.key);
        let now = stored(self.admin().await?, id).await?;
        let mut differs = Vec::new();
        if company.name != wanted.name {
            differs.push("name".to_owned());
        }
        differs.extend(
            wanted.values.iter().filter(|(key, value)| now.plain.get(*key) != Some(*value)).map(|(key, _)| key.clone()),
        );
        for (field, value) in &wanted.secrets {
            if now.open(key, id, field)?.as_ref() != Some(value) {
                differs.push(field.clone());
            }
        }
        let webhook = Some(self.webhook_keys(id).await?);
        Ok(Created { outcome: Outcome::Unchanged, company: Some(company), steps: Vec::new(), differs, webhook })
    }

    async fn insert(&mut self, wanted: &NewCompany) -> Result<CompanyId, ProvisionError> {
        let inserted = self.insert_row(wanted).await;
        if inserted.is_err() {
            self.admin = None;
        }
        match inserted {
            // Somebody else ran the same command at the same moment: both finish the same company.
            Err(ServiceError::Store(StoreError::Conflict { .. })) => {
                Ok(self.find(&CompanyName::Domain(wanted.domain.clone())).await?.id)
            }
            other => Ok(other?),
        }
    }

    async fn insert_row(&mut self, wanted: &NewCompany) -> Result<CompanyId, ServiceError> {
        let now = self.clock.now();
        let entry = self.actor.entry("company.create", "company", json!({ "domain": wanted.domain }));
        let admin = self.admin().await?;
        admin.begin().await?;
        let id = company::insert(admin, &wanted.name, &wanted.domain, now).await?;
        audit::record_control(admin, id, &entry, now).await?;
        provisioning_step::put(admin, id, Step::Company.as_str(), ("done", ""), now).await?;
        admin.commit().await?;
        Ok(id)
    }

    async fn step(&mut self, id: CompanyId, step: Step, wanted: &NewCompany) -> Result<(), ProvisionError> {
        let done = match step {
            Step::Schema => self.schema(id).await,
            Step::Credentials => self.credentials(id, wanted).await,
            Step::Settings => self.first_settings(id, wanted).await,
            Step::Activate => self.activate(id).await,
            // Nothing is left to do once it has a number.
            Step::Company => Ok(()),
        };
        let Err(cause) = done else { return Ok(()) };
        self.admin = None;
        let (now, why) = (self.clock.now(), cause.to_string());
        if let Ok(admin) = self.admin().await {
            // A note for `provision show`; the failure itself is reported anyway.
            let _ = provisioning_step::put(admin, id, step.as_str(), ("failed", &why), now).await;
        }
        Err(ProvisionError::Step { company: id, step, cause: Box::new(cause) })
    }

    async fn schema(&mut self, id: CompanyId) -> Result<(), ProvisionError> {
        self.admin().await?;
        let now = self.clock.now();
        if let Some(admin) = self.admin.take() {
            let (mut admin, _) = admin.migrate_tenant(id).await?;
            provisioning_step::put(&mut admin, id, Step::Schema.as_str(), ("done", ""), now).await?;
            self.admin = Some(admin);
        }
        Ok(())
    }

    /// Generates what is neither there nor given: a rerun never overwrites what a gateway may already use.
    async fn credentials(&mut self, id: CompanyId, wanted: &NewCompany) -> Result<(), ProvisionError> {
        let (now, key, actor) = (self.clock.now(), self.key, self.actor.clone());
        let admin = self.begin(id).await?;
        let there = stored(admin, id).await?;
        let mut made = Vec::new();
        for (field, value) in [("webhook.secret", new_secret()), ("webhook.token", new_token())] {
            if !there.sealed.contains_key(field) && !wanted.secrets.contains_key(field) {
                let sealed = key.seal(id, field, &value);
                company::put_secret(admin, id, field, (&sealed, key.id()), now).await?;
                made.push(field);
            }
        }
        if !made.is_empty() {
            let entry = actor.entry("company.credentials", format!("company/{id}"), json!({ "generated": made }));
            audit::record_control(admin, id, &entry, now).await?;
        }
        provisioning_step::put(admin, id, Step::Credentials.as_str(), ("done", ""), now).await?;
        Ok(admin.commit().await?)
    }

    async fn first_settings(&mut self, id: CompanyId, wanted: &NewCompany) -> Result<(), ProvisionError> {
        let (now, key, actor, settings) = (self.clock.now(), self.key, self.actor.clone(), self.settings);
        let change = Change { set: wanted.values.clone(), secrets: wanted.secrets.clone(), unset: Vec::new() };
        let admin = self.begin(id).await?;
        apply(admin, (id, &change), (key, settings), &actor, now).await?;
        // The name last given wins while the company is not finished.
        company::update(admin, id, Some(&wanted.name), None, now).await?;
        provisioning_step::put(admin, id, Step::Settings.as_str(), ("done", ""), now).await?;
        Ok(admin.commit().await?)
    }

    async fn activate(&mut self, id: CompanyId) -> Result<(), ProvisionError> {
        let now = self.clock.now();
        let entry = self.actor.entry("company.activate", format!("company/{id}"), json!({}));
        let admin = self.begin(id).await?;
        company::update(admin, id, None, Some(CompanyState::Active), now).await?;
        audit::record_control(admin, id, &entry, now).await?;
        provisioning_step::put(admin, id, Step::Activate.as_str(), ("done", ""), now).await?;
        Ok(admin.commit().await?)
    }
}

/// The form of Standard Webhooks: `whsec_` and base64 of 32 random bytes.
pub(super) fn new_secret() -> String {
    let bytes: [u8; 32] = rand::random();
    format!("whsec_{}", base64::engine::general_purpose::STANDARD.encode(bytes))
}

/// 32 random bytes, safe in headers and query strings.
pub(super) fn new_token() -> String {
    let bytes: [u8; 32] = rand::random();
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}
