//! Connections that wait: for companies with work, for announced changes.

use std::time::Duration;

use deadpool_redis::redis::aio::MultiplexedConnection;
use deadpool_redis::redis::{self, Value};

use super::Reply;
use crate::domain::company::CompanyId;
use crate::tenant::error::StoreError;
use crate::tenant::keys::ControlKey;

/// Waits for companies with work.
pub struct HintListener {
    conn: MultiplexedConnection,
}

impl HintListener {
    /// Takes the connection out of its pool: dropped in the middle of a wait it closes, so that Redis gives no hint to a
    /// process that is not listening any more.
    pub(super) fn new(conn: deadpool_redis::Connection) -> Self {
        Self { conn: deadpool_redis::Connection::take(conn) }
    }

    /// The next company of the round robin, or `None` after `patience`.
    pub async fn next(&mut self, patience: Duration) -> Result<Option<CompanyId>, StoreError> {
        let mut cmd = redis::cmd("BZPOPMIN");
        cmd.arg(ControlKey::Ready.to_string()).arg(patience.as_secs_f64().max(0.01));
        let reply = Reply::from(cmd.query_async::<Value>(&mut self.conn).await?);
        Ok(reply.int_at(1).and_then(CompanyId::new))
    }
}

/// Waits for announcements of changes.
pub struct ChangeListener {
    pubsub: redis::aio::PubSub,
}

impl ChangeListener {
    pub(super) fn new(pubsub: redis::aio::PubSub) -> Self {
        Self { pubsub }
    }

    /// Waits for the next announcement; `false` when the connection is lost.
    pub async fn next(&mut self) -> bool {
        futures::StreamExt::next(&mut self.pubsub.on_message()).await.is_some()
    }
}
