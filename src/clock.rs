//! The one clock: real time plus an offset.
//!
//! Everything that asks "what time is it" asks here (`clippy.toml` bans the alternatives), so tests and the simulator
//! can move time and Lua or SQL get the same offset as a parameter. See ADR 0005.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// Real time plus an offset in milliseconds. Clones share the offset.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    offset_ms: Arc<AtomicI64>,
}

impl Clock {
    /// A clock that shows real time until somebody moves it.
    pub fn new() -> Self {
        Self::default()
    }

    /// The current moment, offset included.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
    pub fn now(&self) -> DateTime<Utc> {
        Utc::now() + TimeDelta::milliseconds(self.offset_ms())
    }

    /// Milliseconds since 1970 of [`Clock::now`].
    pub fn now_ms(&self) -> i64 {
        self.now().timestamp_millis()
    }

    /// The offset in milliseconds: the parameter that scripts and statements add to their own server's time.
    pub fn offset_ms(&self) -> i64 {
        self.offset_ms.load(Ordering::Relaxed)
    }

    /// Moves this clock and all its clones forward.
    pub fn advance(&self, by: Duration) {
        let ms = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.offset_ms.fetch_add(ms, Ordering::Relaxed);
    }
}
