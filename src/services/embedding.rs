//! A company's provider of embeddings, when it has chosen one.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::Services;
use crate::clients::WireError;
use crate::clients::embedding::{self, EmbeddingEndpoint, Purpose};
use crate::config::company::EmbeddingChoice;
use crate::tenant::Tenant;

/// Where the company's embeddings come from; `None` when this program makes them itself.
pub fn endpoint(services: &Services, tenant: &Tenant) -> Option<EmbeddingEndpoint> {
    let choice = tenant.settings.embedding.as_ref()?;
    Some(EmbeddingEndpoint {
        kind: choice.kind,
        base_url: choice.base_url.clone(),
        api_version: choice.api_version.clone(),
        api_key: key(tenant, choice).clone(),
        model: choice.model.clone(),
        dimension: choice.dimension,
        timeout: Duration::from_millis(services.settings.llm.call_timeout_ms),
    })
}

/// Vectors of the company's provider, once: whoever asks falls back to local vectors on any failure and records which
/// ones were made where. `None` when the company has no provider.
pub async fn embed(
    services: &Services,
    tenant: &Tenant,
    texts: &[&str],
    purpose: Purpose,
) -> Option<Result<Vec<Vec<f32>>, WireError>> {
    let endpoint = endpoint(services, tenant)?;
    Some(embedding::embed(&services.http, &endpoint, texts, purpose).await)
}

/// Its own key, else that of the language model at the very same place: a key must not travel to another server.
fn key<'a>(tenant: &'a Tenant, choice: &EmbeddingChoice) -> &'a SecretString {
    let (settings, secrets) = (&tenant.settings, &tenant.secrets);
    let same = |url: &str| url == choice.base_url;
    if !secrets.embedding_api_key.expose_secret().is_empty() {
        return &secrets.embedding_api_key;
    }
    let second = settings.llm2.as_ref();
    if second.is_some_and(|second| second.kind == choice.kind && same(&second.base_url))
        && !same(&settings.llm.base_url)
    {
        return &secrets.llm2_api_key;
    }
    if settings.llm.kind == choice.kind && same(&settings.llm.base_url) {
        return &secrets.llm_api_key;
    }
    // Empty here: the company named another place and no key for it.
    &secrets.embedding_api_key
}
