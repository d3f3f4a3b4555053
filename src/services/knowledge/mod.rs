//! The knowledge base: what a company told us, found again when a customer asks.
//!
//! Each process holds a company's knowledge in memory, ready to be searched, so that a turn asks no store for it. What is
//! held is looked at again after [`FRESH`]: the turn that notices is answered from what is there, and a task of its own
//! asks PostgreSQL for the version and loads only what changed. What has not been looked at for [`OLD`] is loaded first. Without
//! PostgreSQL the last state serves on.

mod change;
mod shelf;

use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

pub use self::change::{ChangeError, Saved, embed_pending, put_entries, put_facts, remove_entries, remove_facts};
pub use self::shelf::{Shelf, Snapshot};

use super::embedding::{self, Purpose};
use super::{ServiceError, Services};
use crate::domain::embedding::Embedding;
use crate::domain::knowledge::index::{Budget, Question};
use crate::models::tenant::catalog::{self, Item};
use crate::models::tenant::knowledge::{self, Entry};
use crate::tenant::Tenant;

/// How long what is held counts as fresh: a change made by another process is used by the second turn after it.
pub const FRESH: Duration = Duration::from_secs(5);
/// From when on a turn waits for what is held to be looked at.
pub const OLD: Duration = Duration::from_secs(60);
/// How long a turn waits for a provider's numbers of its question. Without them the search goes by words and hashing.
const QUESTION_TIMEOUT: Duration = Duration::from_secs(2);
/// Longer questions are cut, in characters.
const QUESTION_CHARS: usize = 1_000;

/// What is known about a question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recall {
    /// What the company wrote about it, `title: text`, best first, as much as the prompt takes.
    pub entries: Vec<String>,
    /// Typed facts as lines (`Limpeza: R$ 180,00; 40 min`): those asked for first, then others as far as they fit.
    pub services: Vec<String>,
    /// Whether an entry or a fact is about what was asked. If not, it is not in the knowledge base.
    pub found: bool,
}

/// Looks up what the company knows about a question. Costs no round trip unless the company was not asked for lately.
///
/// # Errors
/// When PostgreSQL does not answer and nothing is held yet.
pub async fn recall(
    services: &Services,
    tenant: &Tenant,
    question: &str,
    now: DateTime<Utc>,
) -> Result<Recall, ServiceError> {
    let snapshot = services.knowledge.snapshot(tenant).await?;
    if snapshot.index.is_empty() {
        return Ok(Recall::default());
    }
    let text: String = question.chars().take(QUESTION_CHARS).collect();
    let numbers = if snapshot.index.has_embeddings() { numbers(services, tenant, &text).await } else { None };
    let today = now.with_timezone(&tenant.settings.timezone).date_naive();
    let asked = Question { text: &text, embedding: numbers.as_ref(), today };
    let found = snapshot.index.search(asked, Budget::default());
    Ok(Recall { entries: found.entries, services: found.facts, found: found.found })
}

async fn numbers(services: &Services, tenant: &Tenant, text: &str) -> Option<Embedding> {
    let embedder = embedding::of(services, tenant);
    let texts = [text.to_owned()];
    match tokio::time::timeout(QUESTION_TIMEOUT, embedder.embed(&texts, Purpose::Question)).await {
        Ok(Ok(mut numbers)) => numbers.pop().flatten(),
        Ok(Err(error)) => {
            tracing::warn!(company = tenant.id().get(), %error, "A question is looked up by words alone");
            None
        }
        Err(_) => {
            tracing::warn!(company = tenant.id().get(), "A question is looked up by words alone: no answer in time");
            None
        }
    }
}

/// All entries, by title.
pub async fn entries(tenant: &Tenant) -> Result<Vec<Entry>, ServiceError> {
    let mut tx = tenant.db.begin().await?;
    let entries = knowledge::all(&mut tx).await?;
    tx.commit().await?;
    Ok(entries)
}

/// All typed facts, by kind and name.
pub async fn facts(tenant: &Tenant) -> Result<Vec<Item>, ServiceError> {
    let mut tx = tenant.db.begin().await?;
    let items = catalog::all(&mut tx).await?;
    tx.commit().await?;
    Ok(items)
}

/// One entry.
pub async fn entry(tenant: &Tenant, id: Uuid) -> Result<Option<Entry>, ServiceError> {
    let mut tx = tenant.db.begin().await?;
    let entry = knowledge::find(&mut tx, id).await?;
    tx.commit().await?;
    Ok(entry)
}

/// One typed fact.
pub async fn fact(tenant: &Tenant, id: Uuid) -> Result<Option<Item>, ServiceError> {
    let mut tx = tenant.db.begin().await?;
    let item = catalog::find(&mut tx, id).await?;
    tx.commit().await?;
    Ok(item)
}
