//! Who makes numbers out of texts for a company: a provider, or the hashing that needs none.

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::Services;
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

/// The company's.
pub fn of(_services: &Services, _tenant: &Tenant) -> Box<dyn Embedder> {
    Box::new(Local::default())
}
