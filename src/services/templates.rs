//! The company's own wordings: read by every turn from memory, changed by its people.
//!
//! A turn never waits for them: a process keeps each company's wordings, and looks for newer ones in the background when
//! they are a minute old or when the directory's version says that something changed. Only the first turn of a company
//! in a process reads them itself. What this process changed it forgets at once.

use std::collections::{BTreeMap, HashMap};
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::json;
use tokio::time::Instant;
use uuid::Uuid;

use super::audit::{self, Actor};
use super::directory::Directory;
use super::experiments;
use super::{ServiceError, Services};
use crate::domain::company::CompanyId;
use crate::domain::conversation::bubbles::bubbles;
use crate::domain::conversation::rendering::lint::{Problem, lint};
use crate::domain::conversation::rendering::{SAMPLE, render};
use crate::domain::conversation::selection::{Place, Running, Slot, UnknownName, Wordings};
use crate::domain::text::MessageText;
use crate::models::tenant::experiment;
use crate::models::tenant::template::{self, TemplateRow};
use crate::tenant::{StoreError, Tenant, TenantDb, TenantTx};

/// How old wordings may be before newer ones are looked for.
const FRESH: Duration = Duration::from_secs(60);
/// A look that takes longer than this is taken for lost.
const LOOK: Duration = Duration::from_secs(30);

/// Why a wording or an experiment could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum WordingError {
    /// A template is not fit to be said.
    #[error("the template has {} problems", .0.len())]
    Unfit(Vec<Problem>),
    /// A field holds what it cannot.
    #[error("{field} must be {must}")]
    Field {
        /// Which.
        field: &'static str,
        /// What it has to be.
        must: &'static str,
    },
    /// There is no such wording or experiment.
    #[error("there is no such one")]
    NotFound,
    /// Another one is at this place.
    #[error("another one is at this place")]
    Taken,
    /// It was changed since it was seen.
    #[error("it was changed meanwhile")]
    Changed,
    /// The experiment's state does not allow it.
    #[error("an experiment that is {state} cannot be {wish}")]
    State {
        /// Its state.
        state: String,
        /// What was wished for.
        wish: &'static str,
    },
    /// A store did not do its part.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for WordingError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict { .. } => Self::Taken,
            other => Self::Store(other),
        }
    }
}

impl From<UnknownName> for WordingError {
    fn from(name: UnknownName) -> Self {
        Self::Field { field: name.field, must: "a known name" }
    }
}

/// What this process remembers of wordings.
#[derive(Default)]
pub struct WordingMemory {
    companies: Mutex<HashMap<CompanyId, Entry>>,
}

#[derive(Default)]
struct Entry {
    known: Option<Known>,
    /// Grows when what is known is forgotten: a look that began before then brings nothing.
    generation: u64,
    looking_since: Option<Instant>,
}

struct Known {
    wordings: Arc<Wordings>,
    version: i64,
    at: Instant,
}

impl WordingMemory {
    fn companies(&self) -> MutexGuard<'_, HashMap<CompanyId, Entry>> {
        self.companies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known, and the generation under which somebody should look for newer, if anybody should.
    fn get(&self, company: CompanyId, version: i64) -> (Option<Arc<Wordings>>, Option<u64>) {
        let mut companies = self.companies();
        let entry = companies.entry(company).or_default();
        let fresh = entry.known.as_ref().is_some_and(|known| known.version == version && known.at.elapsed() < FRESH);
        let looked_for = entry.looking_since.is_some_and(|since| since.elapsed() < LOOK);
        // What was changed is waited for: the owner who changes a text and tries it sees the new one.
        let current = entry.known.as_ref().filter(|known| known.version == version);
        let known = current.map(|known| Arc::clone(&known.wordings));
        let look = !fresh && (known.is_none() || !looked_for);
        if look {
            entry.looking_since = Some(Instant::now());
        }
        (known, look.then_some(entry.generation))
    }

    fn keep(&self, company: CompanyId, generation: u64, version: i64, wordings: &Arc<Wordings>) {
        let mut companies = self.companies();
        let entry = companies.entry(company).or_default();
        if entry.generation == generation {
            entry.known = Some(Known { wordings: Arc::clone(wordings), version, at: Instant::now() });
            entry.looking_since = None;
        }
    }

    /// The next turn reads anew.
    fn forget(&self, company: CompanyId) {
        let mut companies = self.companies();
        let entry = companies.entry(company).or_default();
        *entry = Entry { generation: entry.generation + 1, ..Entry::default() };
    }
}

/// The wordings of a company. Never fails: while PostgreSQL cannot be read the last known ones count, or the built-in.
pub async fn wordings(services: &Services, tenant: &Tenant) -> Arc<Wordings> {
    // Read first: a change that comes while looking is seen by the next turn.
    let version = services.directory.version() ^ digest(&tenant.settings.texts);
    let company = tenant.id();
    let (known, look) = services.wordings.get(company, version);
    let Some(generation) = look else { return known.unwrap_or_default() };
    let (memory, db, now) = (Arc::clone(&services.wordings), tenant.db.clone(), services.clock.now());
    let settings = tenant.settings.texts.clone();
    let look = async move {
        match load(&db, &settings, now).await {
            Ok(found) => {
                let found = Arc::new(found);
                memory.keep(company, generation, version, &found);
                found
            }
            Err(error) => {
                tracing::warn!(company = company.get(), %error, "A company's wordings cannot be read");
                Arc::new(Wordings::new(from_settings(&settings), Vec::new()))
            }
        }
    };
    match known {
        Some(known) => {
            tokio::spawn(look);
            known
        }
        None => look.await,
    }
}

type Texts = BTreeMap<&'static str, String>;

/// Settings are known before the directory's version says so, in the process that changed them.
fn digest(texts: &Texts) -> i64 {
    let mut hasher = std::hash::DefaultHasher::new();
    texts.hash(&mut hasher);
    if texts.is_empty() { 0 } else { hasher.finish().cast_signed() }
}

async fn load(db: &TenantDb, settings: &Texts, now: DateTime<Utc>) -> Result<Wordings, StoreError> {
    let mut tx = db.begin().await?;
    let rows = template::all(&mut tx).await?;
    let mut running = experiment::running(&mut tx).await?;
    tx.commit().await?;
    experiments::recount_stale(db, &mut running, now).await;
    let own = rows.into_iter().filter(|row| row.active).filter_map(|row| {
        let place = Place::parse(&row.key, &row.intent, &row.mood);
        known_place(row.id, place).map(|place| (place, Arc::from(row.body)))
    });
    let running: Vec<Running> = running.iter().filter_map(experiments::running).collect();
    Ok(Wordings::new(from_settings(settings).into_iter().chain(own), running))
}

/// A place of stored names. One that this version does not know is left out: a newer version may have written it.
pub(super) fn known_place(id: Uuid, place: Result<Place, UnknownName>) -> Option<Place> {
    place.inspect_err(|error| tracing::warn!(%id, %error, "A stored wording is for a place that is not known")).ok()
}

/// Ready texts that are settings: an own wording goes before them.
fn from_settings(settings: &Texts) -> Vec<(Place, Arc<str>)> {
    settings
        .iter()
        .filter_map(|(name, text)| {
            Some((Place { slot: Slot::from_key(name)?, intent: None, mood: None }, Arc::from(text.as_str())))
        })
        .collect()
}

/// What is wrong with a template, and how it looks: the bubbles of an example.
pub fn check(slot: Slot, body: &str) -> (Vec<Problem>, Vec<String>) {
    let preview = render(body, &SAMPLE).map(|text| bubbles(&text)).unwrap_or_default();
    (lint(slot, body), preview)
}

/// A template as it is kept: composed, without invisible characters.
pub(super) fn fit(slot: Slot, body: &str) -> Result<String, WordingError> {
    let clean = MessageText::clean(body).map(|text| text.as_str().to_owned()).unwrap_or_default();
    let problems = lint(slot, &clean);
    if problems.is_empty() { Ok(clean) } else { Err(WordingError::Unfit(problems)) }
}

/// Works inside a transaction, which is given up when the work fails.
pub(super) async fn within<T>(
    tenant: &Tenant,
    work: impl AsyncFnOnce(&mut TenantTx) -> Result<T, WordingError>,
) -> Result<T, WordingError> {
    let mut tx = tenant.db.begin().await?;
    match work(&mut tx).await {
        Ok(value) => {
            tx.commit().await?;
            Ok(value)
        }
        Err(error) => {
            tx.rollback().await;
            Err(error)
        }
    }
}

/// All wordings of a company.
pub async fn list(tenant: &Tenant) -> Result<Vec<TemplateRow>, WordingError> {
    within(tenant, async |tx| Ok(template::all(tx).await?)).await
}

/// One of them.
pub async fn find(tenant: &Tenant, id: Uuid) -> Result<TemplateRow, WordingError> {
    within(tenant, async |tx| template::find(tx, id).await?.ok_or(WordingError::NotFound)).await
}

/// Adds a wording.
///
/// # Errors
/// `Unfit` with what is wrong; `Taken` when the place has one.
pub async fn create(
    services: &Services,
    tenant: &Tenant,
    actor: &Actor,
    (place, body, active): (Place, &str, bool),
) -> Result<TemplateRow, WordingError> {
    let now = services.clock.now();
    let row = TemplateRow { active, ..row(place, fit(place.slot, body)?, now) };
    within(tenant, async |tx| {
        template::insert(tx, &row).await?;
        record(tx, tenant, actor, ("template.create", &row), now).await
    })
    .await?;
    changed(services, tenant).await;
    Ok(row)
}

/// Changes a wording that was seen in this version.
///
/// # Errors
/// `Unfit` with what is wrong; `Changed` when there is a newer version; `NotFound`.
pub async fn change(
    services: &Services,
    tenant: &Tenant,
    actor: &Actor,
    (id, version): (Uuid, i32),
    (body, active): (&str, bool),
) -> Result<TemplateRow, WordingError> {
    let now = services.clock.now();
    let row = within(tenant, async |tx| {
        let seen = template::find(tx, id).await?.ok_or(WordingError::NotFound)?;
        let slot = Slot::from_key(&seen.key).ok_or(UnknownName { field: "key" })?;
        let body = fit(slot, body)?;
        if !template::change(tx, (id, version), (&body, active), now).await? {
            return Err(WordingError::Changed);
        }
        let row = TemplateRow { body, active, version: version.saturating_add(1), updated_at: now, ..seen };
        record(tx, tenant, actor, ("template.change", &row), now).await?;
        Ok(row)
    })
    .await?;
    changed(services, tenant).await;
    Ok(row)
}

/// Takes a wording away: the next wider one counts again, in the end the built-in one.
pub async fn delete(services: &Services, tenant: &Tenant, actor: &Actor, id: Uuid) -> Result<(), WordingError> {
    within(tenant, async |tx| {
        let row = template::find(tx, id).await?.ok_or(WordingError::NotFound)?;
        template::delete(tx, id).await?;
        record(tx, tenant, actor, ("template.delete", &row), services.clock.now()).await
    })
    .await?;
    changed(services, tenant).await;
    Ok(())
}

/// A new row of a place.
pub(super) fn row(place: Place, body: String, now: DateTime<Utc>) -> TemplateRow {
    let (key, intent, mood) = place.names();
    TemplateRow {
        id: Uuid::now_v7(),
        key: key.to_owned(),
        intent: intent.to_owned(),
        mood: mood.to_owned(),
        body,
        active: true,
        version: 1,
        created_at: now,
        updated_at: now,
    }
}

async fn record(
    tx: &mut TenantTx,
    tenant: &Tenant,
    actor: &Actor,
    (action, row): (&'static str, &TemplateRow),
    now: DateTime<Utc>,
) -> Result<(), WordingError> {
    let detail = json!({
        "key": row.key, "intent": row.intent, "mood": row.mood, "version": row.version, "active": row.active,
    });
    let entry = actor.entry(action, format!("template/{}", row.id), detail);
    Ok(audit::record(tx, tenant.id(), &entry, now).await?)
}

/// Lets this process read anew at once and tells the others.
pub(super) async fn changed(services: &Services, tenant: &Tenant) {
    services.wordings.forget(tenant.id());
    let told: Result<(), ServiceError> = Directory::announce(&services.redis).await;
    if let Err(error) = told {
        tracing::warn!(company = tenant.id().get(), %error, "Other processes learn of changed wordings a minute late");
    }
}
