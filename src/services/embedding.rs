//! Who makes numbers out of texts for a company: a provider, or the hashing that needs none.

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};

use super::Services;
use crate::clients::WireError;
use crate::clients::embedding::{self, EmbeddingEndpoint};
use crate::clients::http::HttpClient;
use crate::clients::llm::LlmKind;
use crate::config::company::EmbeddingChoice;
use crate::domain::embedding::{Embedding, Space};
use crate::tenant::Tenant;

/// What the numbers are for; some models make different ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A question that looks for texts.
    Question,
    /// A text to be found.
    Text,
    /// Texts that are compared with each other.
    Likeness,
}

/// No numbers were to be had. The reason holds no text and no credential.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{reason}")]
pub struct EmbedError {
    /// For the log.
    pub reason: String,
    /// How long the provider asked us to wait.
    pub wait: Option<Duration>,
}

/// Numbers for each text, in their order; `None` for a text that says nothing.
pub type Numbers = Result<Vec<Option<Embedding>>, EmbedError>;

/// Makes numbers out of texts.
pub trait Embedder: Send + Sync {
    /// The space of all numbers it makes.
    fn space(&self) -> &Space;

    /// Makes numbers, of all texts or of none.
    fn embed<'a>(&'a self, texts: &'a [String], purpose: Purpose) -> BoxFuture<'a, Numbers>;
}

/// The hashing that needs no provider and never fails.
pub struct Local {
    space: Space,
}

impl Default for Local {
    fn default() -> Self {
        Self { space: Space::local() }
    }
}

impl Embedder for Local {
    fn space(&self) -> &Space {
        &self.space
    }

    fn embed<'a>(&'a self, texts: &'a [String], _purpose: Purpose) -> BoxFuture<'a, Numbers> {
        std::future::ready(Ok(texts.iter().map(|text| Embedding::hashed(text)).collect())).boxed()
    }
}

/// A provider. Whoever asks falls back to [`Local`] on any failure and records which numbers were made where.
struct Provided {
    http: HttpClient,
    endpoint: EmbeddingEndpoint,
    space: Space,
}

impl Embedder for Provided {
    fn space(&self) -> &Space {
        &self.space
    }

    fn embed<'a>(&'a self, texts: &'a [String], purpose: Purpose) -> BoxFuture<'a, Numbers> {
        async move {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let made = embedding::embed(&self.http, &self.endpoint, &texts, purpose.of_wire()).await;
            let vectors = made.map_err(|error| EmbedError { reason: error.to_string(), wait: error.retry_after })?;
            Ok(vectors.into_iter().map(|vector| Embedding::new(self.space.clone(), vector)).collect())
        }
        .boxed()
    }
}

impl Purpose {
    fn of_wire(self) -> embedding::Purpose {
        match self {
            Self::Question => embedding::Purpose::Query,
            Self::Text => embedding::Purpose::Document,
            Self::Likeness => embedding::Purpose::Similarity,
        }
    }
}

/// The company's: the provider it has chosen, else the hashing.
pub fn of(services: &Services, tenant: &Tenant) -> Box<dyn Embedder> {
    let Some(endpoint) = endpoint(services, tenant) else { return Box::new(Local::default()) };
    let provider = match endpoint.kind {
        LlmKind::Gemini => "gemini",
        LlmKind::OpenAi => "openai",
    };
    let space = Space { provider: provider.to_owned(), model: endpoint.model.clone(), dimension: endpoint.dimension };
    Box::new(Provided { http: services.http.clone(), endpoint, space })
}

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
    purpose: embedding::Purpose,
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
