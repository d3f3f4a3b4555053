//! A company's hours, changed by its own people. They are settings, and settings belong to the migrator: a process that
//! was given no `DATABASE_ADMIN_URL` cannot change them.

use secrecy::ExposeSecret;

use crate::services::Services;
use crate::services::audit::Actor;
use crate::services::provisioning::{Change, CompanyName, ProvisionError, Provisioner};
use crate::tenant::Tenant;

/// Why hours were not changed.
#[derive(Debug, thiserror::Error)]
pub enum HoursError {
    /// This process may not; the command line can.
    #[error("this process was given no DATABASE_ADMIN_URL")]
    NotHere,
    /// What was given cannot be, or the store failed.
    #[error(transparent)]
    Provision(#[from] ProvisionError),
}

/// Changes settings of the company; the keys whose value is another now.
pub async fn set(
    services: &Services,
    tenant: &Tenant,
    values: impl IntoIterator<Item = (&'static str, String)>,
    actor: &Actor,
) -> Result<Vec<String>, HoursError> {
    if services.settings.database.admin_url.expose_secret().is_empty() {
        return Err(HoursError::NotHere);
    }
    let set = values.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    let change = Change { set, ..Change::default() };
    let key = services.directory.master_key();
    let mut provisioner = Provisioner::new(&services.settings, key, services.clock.clone(), actor.clone())
        .announcing(services.redis.clone());
    let changed = provisioner.set(&CompanyName::Number(tenant.id()), &change, false).await?;
    // The next question of the same caller sees it.
    if let Err(error) = services.directory.refresh().await {
        tracing::warn!(company = tenant.id().get(), %error, "Changed hours are seen by this process within a minute");
    }
    Ok(changed.changed)
}
