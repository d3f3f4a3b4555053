//! What this process holds of companies' knowledge.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use super::{FRESH, OLD};
use crate::domain::company::CompanyId;
use crate::domain::knowledge::index::Index;
use crate::models::tenant::{catalog, knowledge};
use crate::tenant::{StoreError, Tenant, TenantDb};

/// The most companies held. Of a process that serves more, those asked for longest ago are loaded again when they are.
const HELD_MAX: usize = 500;

/// A company's knowledge as it was at one moment.
#[derive(Default)]
pub struct Snapshot {
    version: String,
    /// What can be found.
    pub index: Index,
}

struct Held {
    snapshot: Arc<Snapshot>,
    looked: Instant,
    used: Instant,
    looking: bool,
}

/// The companies held. Clones share them.
#[derive(Clone, Default)]
pub struct Shelf {
    held: Arc<Mutex<HashMap<CompanyId, Held>>>,
}

/// What is to be done about what is held.
enum Found {
    Fresh(Arc<Snapshot>),
    /// It serves, and is to be looked at aside.
    Stale(Arc<Snapshot>),
    /// It is to be looked at first.
    Old(Option<Arc<Snapshot>>),
}

impl Shelf {
    /// A company's knowledge; loads it when nothing is held or what is held is old.
    ///
    /// # Errors
    /// When PostgreSQL does not answer and nothing is held.
    pub async fn snapshot(&self, tenant: &Tenant) -> Result<Arc<Snapshot>, StoreError> {
        let id = tenant.id();
        match self.find(id) {
            Found::Fresh(snapshot) => Ok(snapshot),
            Found::Stale(snapshot) => {
                let (shelf, db, before) = (self.clone(), tenant.db.clone(), Arc::clone(&snapshot));
                tokio::spawn(async move { shelf.look(id, &db, Some(before)).await });
                Ok(snapshot)
            }
            Found::Old(before) => self.look(id, &tenant.db, before).await,
        }
    }

    /// Lets the next turn load anew: something was changed by this process.
    pub fn forget(&self, company: CompanyId) {
        self.lock().remove(&company);
    }

    fn find(&self, company: CompanyId) -> Found {
        let mut held = self.lock();
        let Some(one) = held.get_mut(&company) else { return Found::Old(None) };
        one.used = Instant::now();
        let snapshot = Arc::clone(&one.snapshot);
        match one.looked.elapsed() {
            age if age < FRESH => Found::Fresh(snapshot),
            age if age >= OLD => Found::Old(Some(snapshot)),
            _ if one.looking => Found::Fresh(snapshot),
            _ => {
                one.looking = true;
                Found::Stale(snapshot)
            }
        }
    }

    /// Asks for the version, and loads when it is another.
    async fn look(
        &self,
        company: CompanyId,
        db: &TenantDb,
        before: Option<Arc<Snapshot>>,
    ) -> Result<Arc<Snapshot>, StoreError> {
        match load(db, before.as_deref()).await {
            Ok(fresh) => {
                let snapshot = fresh.map(Arc::new).or(before).unwrap_or_default();
                self.put(company, Arc::clone(&snapshot));
                Ok(snapshot)
            }
            Err(error) => {
                if let Some(one) = self.lock().get_mut(&company) {
                    one.looking = false;
                }
                tracing::warn!(company = company.get(), %error, "The knowledge base cannot be read; the last state serves on");
                before.ok_or(error)
            }
        }
    }

    fn put(&self, company: CompanyId, snapshot: Arc<Snapshot>) {
        let mut held = self.lock();
        if held.len() >= HELD_MAX && !held.contains_key(&company) {
            let oldest = held.iter().min_by_key(|(_, one)| one.used).map(|(id, _)| *id);
            oldest.map(|id| held.remove(&id));
        }
        let now = Instant::now();
        held.insert(company, Held { snapshot, looked: now, used: now, looking: false });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<CompanyId, Held>> {
        // A map is whole between any two of its operations.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is stored, when it is another version than the one before.
async fn load(db: &TenantDb, before: Option<&Snapshot>) -> Result<Option<Snapshot>, StoreError> {
    let mut tx = db.begin().await?;
    // Read first: a change that comes while loading is seen the next time.
    let version = knowledge::version(&mut tx).await?;
    if before.is_some_and(|before| before.version == version) {
        tx.commit().await?;
        return Ok(None);
    }
    let entries = knowledge::all(&mut tx).await?;
    let items = catalog::all(&mut tx).await?;
    tx.commit().await?;
    let entries = entries.iter().map(|entry| (&entry.draft, entry.embedding.as_ref()));
    let index = Index::new(entries, items.iter().map(|item| &item.fact));
    Ok(Some(Snapshot { version, index }))
}
