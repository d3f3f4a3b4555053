//! New webhook credentials, with the old ones valid until the gateway has changed over.

use serde_json::json;

use super::create::{WebhookKeys, new_secret, new_token};
use super::settings::stored;
use super::{CompanyName, ProvisionError, Provisioner};
use crate::domain::company::{Company, CompanyId};
use crate::models::control::company;
use crate::services::audit;

const PREVIOUS: [&str; 2] = ["webhook.secret_previous", "webhook.token_previous"];

/// What a rotation came to.
#[derive(Clone, Debug)]
pub struct Rotated {
    /// Whose.
    pub company: Company,
    /// The new credentials; `None` for a dry run and at the end of the overlap.
    pub webhook: Option<WebhookKeys>,
    /// Keys that changed, or would change.
    pub changed: Vec<&'static str>,
}

impl Provisioner<'_> {
    /// Makes a new webhook secret and token. The previous ones stay valid until [`Provisioner::finish_rotation`]; a second
    /// rotation before that is refused, because it would cut off gateways that still use the first.
    pub async fn rotate(&mut self, who: &CompanyName, dry_run: bool) -> Result<Rotated, ProvisionError> {
        self.rotation(who, dry_run, false).await
    }

    /// Ends the overlap: the previous credentials are forgotten.
    pub async fn finish_rotation(&mut self, who: &CompanyName, dry_run: bool) -> Result<Rotated, ProvisionError> {
        self.rotation(who, dry_run, true).await
    }

    async fn rotation(&mut self, who: &CompanyName, dry_run: bool, finish: bool) -> Result<Rotated, ProvisionError> {
        let company = self.find(who).await?;
        self.claim_master_key(!dry_run).await?;
        let done = match finish {
            true => self.forget_previous(company.id, dry_run).await,
            false => self.exchange(company.id, dry_run).await,
        };
        if done.is_err() {
            self.admin = None;
        }
        let changed = done?;
        if dry_run {
            return Ok(Rotated { company, webhook: None, changed });
        }
        if !changed.is_empty() {
            self.announce().await;
        }
        let webhook = if finish { None } else { Some(self.webhook_keys(company.id).await?) };
        Ok(Rotated { company, webhook, changed })
    }

    async fn exchange(&mut self, id: CompanyId, dry_run: bool) -> Result<Vec<&'static str>, ProvisionError> {
        let (now, key) = (self.clock.now(), self.key);
        let mut changed = vec!["webhook.secret", "webhook.token"];
        let entry = self.actor.entry("company.rotate", format!("company/{id}"), json!({ "keys": changed }));
        let admin = self.begin(id).await?;
        let stored = stored(admin, id).await?;
        if PREVIOUS.iter().any(|field| stored.sealed.contains_key(*field)) {
            return Err(ProvisionError::Invalid(format!(
                "the last rotation of company {id} is not finished: its previous secret and token are still accepted.\n  to \
                 mend: when every gateway uses the new ones, run `secretaria provision rotate {id} --finish`"
            )));
        }
        let fresh = [new_secret(), new_token()];
        for ((field, previous), value) in changed.clone().into_iter().zip(PREVIOUS).zip(fresh) {
            if let Some(old) = stored.open(key, id, field)? {
                // Sealed anew: ciphertext is bound to the name of its field.
                let sealed = key.seal(id, previous, &old);
                company::put_secret(admin, id, previous, (&sealed, key.id()), now).await?;
                changed.push(previous);
            }
            let sealed = key.seal(id, field, &value);
            company::put_secret(admin, id, field, (&sealed, key.id()), now).await?;
        }
        audit::record_control(admin, id, &entry, now).await?;
        match dry_run {
            true => admin.rollback().await,
            false => admin.commit().await?,
        }
        Ok(changed)
    }

    async fn forget_previous(&mut self, id: CompanyId, dry_run: bool) -> Result<Vec<&'static str>, ProvisionError> {
        let (now, actor) = (self.clock.now(), self.actor.clone());
        let admin = self.begin(id).await?;
        let stored = stored(admin, id).await?;
        let there: Vec<_> = PREVIOUS.into_iter().filter(|field| stored.sealed.contains_key(*field)).collect();
        for field in &there {
            company::unset(admin, id, field).await?;
        }
        if !there.is_empty() {
            let entry = actor.entry("company.rotate_finish", format!("company/{id}"), json!({ "keys": there }));
            audit::record_control(admin, id, &entry, now).await?;
        }
        match dry_run {
            true => admin.rollback().await,
            false => admin.commit().await?,
        }
        Ok(there)
    }
}
