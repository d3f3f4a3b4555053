//! Connections of threads that serve HTTP. A command from another thread's runtime costs two wake-ups of the thread that
//! holds the connection, about as much as the rest of a webhook; so each of these few threads holds one itself.

use std::cell::RefCell;
use std::sync::Arc;

use deadpool_redis::redis::aio::{ConnectionManager, ConnectionManagerConfig};
use deadpool_redis::redis::{Client, RedisResult};

thread_local! {
    /// This thread's connections: whose they are, and they.
    static OWN: RefCell<Vec<(usize, ConnectionManager)>> = const { RefCell::new(Vec::new()) };
}

/// A server's connections: one for all, and one for each thread that asked for its own.
#[derive(Clone)]
pub(super) struct Connections {
    shared: ConnectionManager,
    client: Client,
    config: Arc<ConnectionManagerConfig>,
}

impl Connections {
    /// Connects when first used.
    pub(super) fn new(client: Client, config: ConnectionManagerConfig) -> RedisResult<Self> {
        let shared = ConnectionManager::new_lazy_with_config(client.clone(), config.clone())?;
        Ok(Self { shared, client, config: Arc::new(config) })
    }

    fn id(&self) -> usize {
        Arc::as_ptr(&self.config).addr()
    }

    /// Gives the current thread a connection of its own. Whatever runs on the thread then lives on its runtime, so the
    /// thread must not be one of a runtime that moves tasks about.
    pub(super) fn own_for_this_thread(&self) -> RedisResult<()> {
        let conn = ConnectionManager::new_lazy_with_config(self.client.clone(), (*self.config).clone())?;
        OWN.with_borrow_mut(|own| {
            own.retain(|(id, _)| *id != self.id());
            own.push((self.id(), conn));
        });
        Ok(())
    }

    /// The connection to use here.
    pub(super) fn get(&self) -> ConnectionManager {
        let id = self.id();
        OWN.with_borrow(|own| own.iter().find(|(whose, _)| *whose == id).map(|(_, conn)| conn.clone()))
            .unwrap_or_else(|| self.shared.clone())
    }
}
