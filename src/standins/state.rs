//! What all handlers of the stand-ins share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::calcom::{Books, Hooks};
use super::echo::Echoes;
use super::fault::Faults;
use super::ledger::Ledger;
use super::persona::Persona;
use crate::clients::channel::whaticket::Flavor;
use crate::clients::http::HttpClient;
use crate::clock::Clock;

/// A file's type and bytes.
type File = (&'static str, Vec<u8>);

/// What all handlers share.
#[derive(Debug)]
pub(super) struct State {
    pub clock: Clock,
    pub ledger: Ledger,
    pub faults: Faults,
    pub echoes: Echoes,
    pub http: HttpClient,
    pub calendars: Books,
    pub hooks: Hooks,
    latency_ms: AtomicU64,
    persona: Mutex<Persona>,
    flavors: Mutex<HashMap<i64, Flavor>>,
    media: Mutex<HashMap<(i64, String), File>>,
    ids: AtomicU64,
}

impl State {
    pub fn new(clock: Clock, http: HttpClient) -> Self {
        Self {
            ledger: Ledger::default(),
            faults: Faults::default(),
            echoes: Echoes::new(clock.clone(), http.clone()),
            http,
            calendars: Books::default(),
            hooks: Hooks::default(),
            latency_ms: AtomicU64::new(0),
            persona: Mutex::default(),
            flavors: Mutex::default(),
            media: Mutex::default(),
            // Ids must not repeat after a restart on the same data, or echoes would find old messages.
            ids: AtomicU64::new(u64::try_from(clock.now_ms()).unwrap_or_default().wrapping_mul(1_000)),
            clock,
        }
    }

    pub fn latency(&self) -> Duration {
        Duration::from_millis(self.latency_ms.load(Ordering::Relaxed))
    }

    pub fn set_latency(&self, latency: Duration) {
        self.latency_ms.store(u64::try_from(latency.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub fn persona(&self) -> Persona {
        *lock(&self.persona)
    }

    pub fn set_persona(&self, persona: Persona) {
        *lock(&self.persona) = persona;
    }

    pub fn flavor(&self, company: Option<i64>) -> Flavor {
        company.and_then(|company| lock(&self.flavors).get(&company).copied()).unwrap_or(Flavor::Saas)
    }

    pub fn set_flavor(&self, company: i64, flavor: Flavor) {
        lock(&self.flavors).insert(company, flavor);
    }

    /// A file's type and bytes.
    pub fn media(&self, company: i64, name: &str) -> Option<File> {
        lock(&self.media).get(&(company, name.to_owned())).cloned()
    }

    pub fn put_media(&self, company: i64, name: &str, content_type: &'static str, bytes: Vec<u8>) {
        lock(&self.media).insert((company, name.to_owned()), (content_type, bytes));
    }

    /// A message id as Baileys makes them.
    pub fn message_id(&self) -> String {
        format!("3EB0{:018X}", self.ids.fetch_add(1, Ordering::Relaxed))
    }
}

/// Locks; a panic elsewhere leaves these plain collections usable.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The company inside a credential `sim-42-…`.
pub(super) fn company_of(credential: &str) -> Option<i64> {
    let (company, random) = credential.strip_prefix("sim-")?.split_once('-')?;
    if random.is_empty() { None } else { company.parse().ok().filter(|id| *id > 0) }
}
