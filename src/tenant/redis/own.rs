//! Connections of threads that serve HTTP. A command from another thread's runtime wakes the thread that holds the
//! connection, and is woken by it; so each of these few threads holds one itself.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use deadpool_redis::redis::aio::{ConnectionManager, ConnectionManagerConfig};
use deadpool_redis::redis::{Client, RedisResult};

thread_local! {
    /// This thread's connections: whose they are, and they.
    static OWN: RefCell<Vec<(u64, ConnectionManager)>> = const { RefCell::new(Vec::new()) };
}

/// Numbers of servers, never used twice.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// A server's connections: one for all, and one for each thread that asked for its own.
#[derive(Clone)]
pub(super) struct Connections {
    id: u64,
    shared: ConnectionManager,
    client: Client,
    config: Arc<ConnectionManagerConfig>,
}

impl Connections {
    /// Connects when first used.
    pub(super) fn new(client: Client, config: ConnectionManagerConfig) -> RedisResult<Self> {
        let shared = ConnectionManager::new_lazy_with_config(client.clone(), config.clone())?;
        Ok(Self { id: NEXT.fetch_add(1, Ordering::Relaxed), shared, client, config: Arc::new(config) })
    }

    /// Gives the current thread a connection of its own. Whatever runs on the thread then lives on its runtime, so the
    /// thread must not be one of a runtime that moves tasks about.
    pub(super) fn own_for_this_thread(&self) -> RedisResult<()> {
        let conn = ConnectionManager::new_lazy_with_config(self.client.clone(), (*self.config).clone())?;
        OWN.with_borrow_mut(|own| {
            own.retain(|(id, _)| *id != self.id);
            own.push((self.id, conn));
        });
        Ok(())
    }

    /// The connection to use here.
    pub(super) fn get(&self) -> ConnectionManager {
        OWN.with_borrow(|own| own.iter().find(|(whose, _)| *whose == self.id).map(|(_, conn)| conn.clone()))
            .unwrap_or_else(|| self.shared.clone())
    }
}
