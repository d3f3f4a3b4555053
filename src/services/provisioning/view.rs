//! Companies as their operator sees them. No secret is ever among it.

use serde::Serialize;

use super::settings::stored;
use super::{CompanyName, ProvisionError, find, worker_hint};
use crate::config::Settings;
use crate::config::company::{COMPANY_SETTINGS, CompanySetting, CompanySettings};
use crate::domain::company::{Company, CompanyId, CompanyState};
use crate::models::control::company;
use crate::models::control::provisioning_step::{self, StepRow};
use crate::tenant::{AdminDb, prefix, schema_of};

/// One setting in use.
#[derive(Clone, Debug, Serialize)]
pub struct SettingView {
    /// Its key.
    pub key: &'static str,
    /// The value in use; empty when there is none.
    pub value: String,
    /// `company`, `default`, or the process' setting it comes from.
    pub origin: String,
    /// Its meaning.
    pub doc: &'static str,
}

/// One secret: only whether there is one.
#[derive(Clone, Debug, Serialize)]
pub struct SecretView {
    /// Its key.
    pub key: &'static str,
    /// Whether one is stored.
    pub set: bool,
}

/// Everything of one company that may be shown.
#[derive(Clone, Debug, Serialize)]
pub struct CompanyView {
    /// Its number.
    pub id: CompanyId,
    /// Its name.
    pub name: String,
    /// Its domain.
    pub domain: String,
    /// Whether it is served.
    pub state: CompanyState,
    /// Its schema and role in PostgreSQL.
    pub schema: String,
    /// What its keys in Redis begin with.
    pub redis_prefix: String,
    /// The command that answers its messages.
    pub worker: String,
    /// Why its settings cannot be used, when they cannot.
    pub problem: Option<String>,
    /// Its settings.
    pub settings: Vec<SettingView>,
    /// Its secrets.
    pub secrets: Vec<SecretView>,
    /// How far creating it has come.
    pub steps: Vec<StepRow>,
}

/// All companies, by number.
pub async fn list(admin: &mut AdminDb) -> Result<Vec<Company>, ProvisionError> {
    Ok(company::all(admin).await?)
}

/// One company. `process_value` gives the shown value of a setting of the process, for defaults that come from there.
pub async fn show(
    admin: &mut AdminDb,
    who: &CompanyName,
    process: &Settings,
    process_value: &dyn Fn(&str) -> Option<String>,
) -> Result<CompanyView, ProvisionError> {
    let company = find(admin, who).await?;
    let stored = stored(admin, company.id).await?;
    let view = |setting: &CompanySetting| match stored.plain.get(setting.key) {
        Some(value) => {
            SettingView { key: setting.key, value: value.clone(), origin: "company".to_owned(), doc: setting.doc }
        }
        None => defaulted(setting, process_value),
    };
    let (secrets, settings): (Vec<_>, Vec<_>) = COMPANY_SETTINGS.iter().partition(|setting| setting.is_secret());
    Ok(CompanyView {
        id: company.id,
        schema: schema_of(company.id),
        redis_prefix: prefix(company.id),
        worker: worker_hint(company.id),
        problem: CompanySettings::from_values(&stored.plain, process).err(),
        settings: settings.into_iter().map(view).collect(),
        secrets: secrets
            .into_iter()
            .map(|secret| SecretView { key: secret.key, set: stored.sealed.contains_key(secret.key) })
            .collect(),
        steps: provisioning_step::of(admin, company.id).await?,
        name: company.name,
        domain: company.domain,
        state: company.state,
    })
}

fn defaulted(setting: &CompanySetting, process_value: &dyn Fn(&str) -> Option<String>) -> SettingView {
    let (value, origin) = match setting.default.strip_prefix("as ") {
        Some(key) => (process_value(key).unwrap_or_default(), format!("process setting {key}")),
        None => (setting.default.to_owned(), "default".to_owned()),
    };
    SettingView { key: setting.key, value, origin, doc: setting.doc }
}
