//! A claim's time: how long this process may still act on a conversation.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// The end of a claim, moved on by the runner's renewals. Counts on this machine's monotonic clock from before the claim
/// was asked for, so a process that was paused sees that its time is over.
#[derive(Debug)]
pub struct Lease {
    end: Mutex<Option<Instant>>,
    binding: AtomicBool,
}

impl Lease {
    /// A claim that was asked for at `asked` and holds for `length`.
    pub fn new(asked: Instant, length: Duration) -> Self {
        Self { end: Mutex::new(Some(asked + length)), binding: AtomicBool::new(false) }
    }

    /// It was renewed by a request made at `asked`.
    pub fn renewed(&self, asked: Instant, length: Duration) {
        if let Ok(mut end) = self.end.lock()
            && end.is_some()
        {
            *end = Some(asked + length);
        }
    }

    /// It was lost.
    pub fn lost(&self) {
        if let Ok(mut end) = self.end.lock() {
            *end = None;
        }
    }

    /// From here on the turn is committed or sent: a stopping process lets it finish.
    pub fn bind(&self) {
        self.binding.store(true, Ordering::Relaxed);
    }

    /// Whether [`Lease::bind`] was called.
    pub fn is_binding(&self) -> bool {
        self.binding.load(Ordering::Relaxed)
    }

    /// Until when this process may still begin something that takes `spare`; `None` when that is over.
    pub fn until(&self, spare: Duration) -> Option<Instant> {
        let end = self.end.lock().ok().and_then(|end| *end)?.checked_sub(spare)?;
        (Instant::now() < end).then_some(end)
    }
}
