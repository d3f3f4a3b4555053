//! Changes of the knowledge base, all or nothing, in the audit trail.

use std::collections::HashMap;

use serde_json::json;
use uuid::Uuid;

use super::{ServiceError, Services};
use crate::domain::embedding::{Embedding, Space};
use crate::domain::knowledge::facts::Fact;
use crate::domain::knowledge::{Draft, ENTRIES_MAX, key};
use crate::models::tenant::{catalog, knowledge};
use crate::services::audit::{self, Actor};
use crate::services::embedding::{self, EmbedError, Embedder, Purpose};
use crate::tenant::{StoreError, Tenant, TenantTx};

/// Texts a provider is asked for at once.
const BATCH: i64 = 50;

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// What was given cannot be kept; the sentence says why.
    #[error("{0}")]
    Refused(String),
    /// There is no such entry or fact.
    #[error("{0}")]
    NotFound(String),
    /// A store or a setting is at fault.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl From<StoreError> for ChangeError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict { constraint } if constraint.starts_with("knowledge") => {
                Self::Refused("another entry has this title and first day".to_owned())
            }
            StoreError::Conflict { constraint } if constraint.starts_with("catalog") => {
                Self::Refused("another fact of this kind has this name".to_owned())
            }
            other => Self::Service(other.into()),
        }
    }
}

/// What a change did, or would do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Saved {
    /// New ones.
    pub added: usize,
    /// Those that said something else before.
    pub replaced: usize,
    /// Those that said the same already.
    pub unchanged: usize,
}

/// What is to become of one thing given.
enum Fate {
    Add,
    Replace(Uuid),
    Keep,
}

impl Fate {
    /// `id` is the one to be replaced by order, `before` the one of this name and whether it says the same.
    fn of(id: Option<Uuid>, before: Option<(Uuid, bool)>) -> Self {
        match (id, before) {
            (Some(id), Some((same, true))) if same == id => Self::Keep,
            (Some(id), _) => Self::Replace(id),
            (None, Some((_, true))) => Self::Keep,
            (None, Some((id, false))) => Self::Replace(id),
            (None, None) => Self::Add,
        }
    }
}

impl Saved {
    fn count(&mut self, fate: &Fate) {
        match fate {
            Fate::Add => self.added += 1,
            Fate::Replace(_) => self.replaced += 1,
            Fate::Keep => self.unchanged += 1,
        }
    }
}

/// Keeps entries: one with the title of another replaces it, unless it begins on another day; with `id` it replaces
/// that one. With `dry_run` nothing is written.
///
/// # Errors
/// When what is given cannot be kept; then nothing was.
pub async fn put_entries(
    services: &Services,
    tenant: &Tenant,
    (drafts, source, id): (&[Draft], &str, Option<Uuid>),
    actor: &Actor,
    dry_run: bool,
) -> Result<Saved, ChangeError> {
    let pending = !embedding::of(services, tenant).space().is_local();
    let mut tx = tenant.db.begin().await?;
    let stored = knowledge::all(&mut tx).await?;
    if id.is_some_and(|id| !stored.iter().any(|entry| entry.id == id)) {
        return Err(missing("entry"));
    }
    let by_key: HashMap<_, _> = stored.iter().map(|one| (key(&one.draft.title, one.draft.validity), one)).collect();
    let mut saved = Saved::default();
    for draft in drafts {
        let before = by_key.get(&key(&draft.title, draft.validity));
        let fate = Fate::of(id, before.map(|one| (one.id, one.draft == *draft)));
        saved.count(&fate);
        let target = match fate {
            Fate::Keep => continue,
            Fate::Replace(id) => id,
            Fate::Add => Uuid::now_v7(),
        };
        knowledge::put(&mut tx, target, (draft, source), pending, services.clock.now()).await?;
    }
    room(stored.len() + saved.added)?;
    finish(services, tenant, tx, (actor, "knowledge.put", saved), dry_run).await?;
    Ok(saved)
}

/// Keeps facts: one with kind and name of another replaces it; with `id` it replaces that one. With `dry_run` nothing is
/// written.
///
/// # Errors
/// When what is given cannot be kept; then nothing was.
pub async fn put_facts(
    services: &Services,
    tenant: &Tenant,
    (facts, id): (&[Fact], Option<Uuid>),
    actor: &Actor,
    dry_run: bool,
) -> Result<Saved, ChangeError> {
    let mut tx = tenant.db.begin().await?;
    let stored = catalog::all(&mut tx).await?;
    if id.is_some_and(|id| !stored.iter().any(|item| item.id == id)) {
        return Err(missing("fact"));
    }
    let by_name: HashMap<_, _> =
        stored.iter().map(|item| ((item.fact.kind, item.fact.name.to_lowercase()), item)).collect();
    let mut saved = Saved::default();
    for fact in facts {
        let before = by_name.get(&(fact.kind, fact.name.to_lowercase()));
        let fate = Fate::of(id, before.map(|one| (one.id, one.fact == *fact)));
        saved.count(&fate);
        let target = match fate {
            Fate::Keep => continue,
            Fate::Replace(id) => id,
            Fate::Add => Uuid::now_v7(),
        };
        catalog::put(&mut tx, target, fact, services.clock.now()).await?;
    }
    room(stored.len() + saved.added)?;
    finish(services, tenant, tx, (actor, "catalog.put", saved), dry_run).await?;
    Ok(saved)
}

/// Removes entries.
///
/// # Errors
/// When one of them is not there; then none was removed.
pub async fn remove_entries(
    services: &Services,
    tenant: &Tenant,
    ids: &[Uuid],
    actor: &Actor,
) -> Result<(), ChangeError> {
    let mut tx = tenant.db.begin().await?;
    if knowledge::remove(&mut tx, ids).await? != ids.len() {
        return Err(missing("entry"));
    }
    removed(services, tenant, tx, ("knowledge", ids), actor).await
}

/// Removes facts.
///
/// # Errors
/// When one of them is not there; then none was removed.
pub async fn remove_facts(
    services: &Services,
    tenant: &Tenant,
    ids: &[Uuid],
    actor: &Actor,
) -> Result<(), ChangeError> {
    let mut tx = tenant.db.begin().await?;
    if catalog::remove(&mut tx, ids).await? != ids.len() {
        return Err(missing("fact"));
    }
    removed(services, tenant, tx, ("catalog", ids), actor).await
}

async fn removed(
    services: &Services,
    tenant: &Tenant,
    mut tx: TenantTx,
    (what, ids): (&'static str, &[Uuid]),
    actor: &Actor,
) -> Result<(), ChangeError> {
    let action = if what == "catalog" { "catalog.remove" } else { "knowledge.remove" };
    for id in ids {
        let entry = actor.entry(action, format!("{what}/{id}"), json!({}));
        audit::record(&mut tx, tenant.id(), &entry, services.clock.now()).await?;
    }
    tx.commit().await?;
    services.knowledge.forget(tenant.id());
    Ok(())
}

/// Records and commits, or gives up what was tried.
async fn finish(
    services: &Services,
    tenant: &Tenant,
    mut tx: TenantTx,
    (actor, action, saved): (&Actor, &'static str, Saved),
    dry_run: bool,
) -> Result<(), ChangeError> {
    if dry_run {
        tx.rollback().await;
        return Ok(());
    }
    if saved.added + saved.replaced > 0 {
        let resource = action.split('.').next().unwrap_or(action);
        let detail = json!({ "added": saved.added, "replaced": saved.replaced });
        audit::record(&mut tx, tenant.id(), &actor.entry(action, resource, detail), services.clock.now()).await?;
    }
    tx.commit().await?;
    services.knowledge.forget(tenant.id());
    Ok(())
}

fn room(count: usize) -> Result<(), ChangeError> {
    if count <= ENTRIES_MAX {
        return Ok(());
    }
    Err(ChangeError::Refused(format!("that would make {count}, at most {ENTRIES_MAX} are kept: remove some first")))
}

fn missing(what: &str) -> ChangeError {
    ChangeError::NotFound(format!("there is no such {what}; `list` shows them"))
}

/// Asks the provider for numbers of the entries that have none of its space. Returns how many got some; nothing is to be
/// done where hashing is enough.
///
/// # Errors
/// A store's failure; the provider's is the second part: what it made before is kept, the rest waits for the next time.
pub async fn embed_pending(
    services: &Services,
    tenant: &Tenant,
    embedder: &dyn Embedder,
) -> Result<(usize, Option<EmbedError>), ServiceError> {
    let space: &Space = embedder.space();
    let mut done = 0;
    while !space.is_local() {
        let mut tx = tenant.db.begin().await?;
        let rows = knowledge::without_numbers(&mut tx, space, BATCH).await?;
        tx.commit().await?;
        if rows.is_empty() {
            break;
        }
        let texts: Vec<String> = rows.iter().map(|(_, title, body, _)| format!("{title}\n{body}")).collect();
        let numbers = match embedder.embed(&texts, Purpose::Text).await {
            Ok(numbers) => numbers,
            Err(error) => return Ok((done, Some(error))),
        };
        let made = keep(tenant, rows.iter().map(|(id, .., changed)| (*id, *changed)).zip(numbers)).await?;
        done += made;
        services.knowledge.forget(tenant.id());
        if made == 0 {
            // Texts that say nothing to the provider, or that change all the time.
            break;
        }
    }
    Ok((done, None))
}

async fn keep(
    tenant: &Tenant,
    numbers: impl Iterator<Item = ((Uuid, chrono::DateTime<chrono::Utc>), Option<Embedding>)>,
) -> Result<usize, ServiceError> {
    let mut tx = tenant.db.begin().await?;
    let mut made = 0;
    for (entry, embedding) in numbers {
        if let Some(embedding) = embedding {
            made += usize::from(knowledge::set_numbers(&mut tx, entry, &embedding).await?);
        }
    }
    tx.commit().await?;
    Ok(made)
}
