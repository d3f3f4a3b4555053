//! Settings and secrets of a company change.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::json;

use super::{CompanyName, ProvisionError, Provisioner, Texts};
use crate::config::Settings;
use crate::config::company::{CompanySettings, check, find};
use crate::domain::company::{Company, CompanyId};
use crate::models::control::company;
use crate::services::audit::{self, Actor};
use crate::tenant::{AdminDb, MasterKey, MasterKeyError, StoreError};

/// A wished change.
#[derive(Clone, Default)]
pub struct Change {
    /// Settings to set.
    pub set: Texts,
    /// Secrets to set.
    pub secrets: Texts,
    /// Keys that get their default again.
    pub unset: Vec<String>,
}

/// What a change came to.
#[derive(Clone, Debug)]
pub struct Changed {
    /// Whose.
    pub company: Company,
    /// Keys that have another value now, or would have.
    pub changed: Vec<String>,
}

/// Parts settings from secrets: `(settings, secrets)`. Unknown keys stay among the settings, where the check finds them.
pub fn split(values: Texts) -> (Texts, Texts) {
    values.into_iter().partition(|(key, _)| !find(key).is_ok_and(|setting| setting.is_secret()))
}

/// What is stored of a company.
pub(super) struct Stored {
    /// Settings.
    pub plain: Texts,
    /// Sealed secrets.
    pub sealed: BTreeMap<String, Vec<u8>>,
}

impl Stored {
    /// A secret, decrypted.
    pub fn open(&self, key: &MasterKey, id: CompanyId, field: &str) -> Result<Option<String>, MasterKeyError> {
        self.sealed.get(field).map(|sealed| key.open(id, field, sealed)).transpose()
    }
}

/// Reads what is stored.
pub(super) async fn stored(admin: &mut AdminDb, id: CompanyId) -> Result<Stored, StoreError> {
    let (plain, sealed) = company::stored(admin, id).await?;
    Ok(Stored {
        plain: plain.into_iter().map(|row| (row.key, row.value)).collect(),
        sealed: sealed.into_iter().map(|row| (row.key, row.sealed)).collect(),
    })
}

/// Checks values one by one, and that each is on its side.
pub(super) fn given(plain: &Texts, secrets: &Texts) -> Result<(), ProvisionError> {
    for (secret, (key, value)) in plain.iter().map(|pair| (false, pair)).chain(secrets.iter().map(|pair| (true, pair)))
    {
        check(key, value).map_err(ProvisionError::Invalid)?;
        if find(key).map_err(ProvisionError::Invalid)?.is_secret() != secret {
            let side = if secret { "no secret" } else { "a secret and may not be stored among the settings" };
            return Err(ProvisionError::Invalid(format!("{key} is {side}")));
        }
    }
    Ok(())
}

impl Provisioner<'_> {
    /// Changes settings and secrets of a company, all or none.
    pub async fn set(&mut self, who: &CompanyName, change: &Change, dry_run: bool) -> Result<Changed, ProvisionError> {
        given(&change.set, &change.secrets)?;
        for key in &change.unset {
            find(key).map_err(ProvisionError::Invalid)?;
            if change.set.contains_key(key) || change.secrets.contains_key(key) {
                return Err(ProvisionError::Invalid(format!("{key} is set and unset at once")));
            }
            if matches!(key.as_str(), "webhook.secret" | "webhook.token") {
                let why = format!("{key} has no default; `secretaria provision rotate` makes a new one");
                return Err(ProvisionError::Invalid(why));
            }
        }
        let company = self.find(who).await?;
        self.claim_master_key(!dry_run).await?;
        let changed = self.change(company.id, change, dry_run).await;
        if changed.is_err() {
            self.admin = None;
        }
        let changed = changed?;
        if !dry_run && !changed.is_empty() {
            self.announce().await;
        }
        Ok(Changed { company, changed })
    }

    async fn change(&mut self, id: CompanyId, change: &Change, dry_run: bool) -> Result<Vec<String>, ProvisionError> {
        let (now, key, actor, settings) = (self.clock.now(), self.key, self.actor.clone(), self.settings);
        let admin = self.begin(id).await?;
        let changed = apply(admin, (id, change), (key, settings), &actor, now).await?;
        match dry_run {
            true => admin.rollback().await,
            false => admin.commit().await?,
        }
        Ok(changed)
    }
}

/// Writes a change inside the migrator's transaction, with its audit entry; the keys whose value is another now.
/// The company's settings as a whole must make sense afterwards.
pub(super) async fn apply(
    admin: &mut AdminDb,
    (id, change): (CompanyId, &Change),
    (key, settings): (&MasterKey, &Settings),
    actor: &Actor,
    now: DateTime<Utc>,
) -> Result<Vec<String>, ProvisionError> {
    let stored = stored(admin, id).await?;
    let mut whole = stored.plain.clone();
    whole.extend(change.set.clone());
    whole.retain(|key, _| !change.unset.contains(key));
    CompanySettings::from_values(&whole, settings).map_err(ProvisionError::Invalid)?;

    let mut changed = Vec::new();
    for (field, value) in change.set.iter().filter(|(field, value)| stored.plain.get(*field) != Some(*value)) {
        company::put_setting(admin, id, field, value, now).await?;
        changed.push(field.clone());
    }
    for (field, value) in &change.secrets {
        if stored.open(key, id, field)?.as_ref() != Some(value) {
            let sealed = key.seal(id, field, value);
            company::put_secret(admin, id, field, (&sealed, key.id()), now).await?;
            changed.push(field.clone());
        }
    }
    for field in &change.unset {
        if stored.plain.contains_key(field) || stored.sealed.contains_key(field) {
            company::unset(admin, id, field).await?;
            changed.push(field.clone());
        }
    }
    changed.sort();
    if !changed.is_empty() {
        // Keys only: values may be secrets or texts about people.
        let entry = actor.entry("company.set", format!("company/{id}"), json!({ "keys": changed }));
        audit::record_control(admin, id, &entry, now).await?;
    }
    Ok(changed)
}
