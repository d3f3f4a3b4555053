//! From the first signal to the end: draining, then stop. A second signal ends the process at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{CliError, output};

/// The two stages of an orderly end. Clones share them.
///
/// - draining: nothing new is taken, `/readyz` says 503, what runs may finish
/// - stop: everything ends now
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    draining: Arc<AtomicBool>,
    drain: CancellationToken,
    stop: CancellationToken,
}

impl Shutdown {
    /// Nothing has been asked to end yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on SIGTERM and SIGINT begin draining, and a second one ends the process with code 130.
    ///
    /// Call it inside the runtime. Fails when the handlers cannot be installed.
    pub fn on_signals(&self) -> Result<(), CliError> {
        let install = |kind| signal(kind).map_err(|error| CliError::failed(format!("signal handlers: {error}")));
        let (mut term, mut int) = (install(SignalKind::terminate())?, install(SignalKind::interrupt())?);
        let shutdown = self.clone();
        #[expect(clippy::disallowed_methods, reason = "a second signal asks for exactly that: no drain")]
        tokio::spawn(async move {
            either(&mut term, &mut int).await;
            shutdown.begin();
            either(&mut term, &mut int).await;
            output::message("secretaria: second signal, ending at once");
            // Private servers of `demo` end as well: the kernel signals them when this process is gone.
            std::process::exit(130);
        });
        Ok(())
    }

    /// Begins draining.
    pub fn begin(&self) {
        self.draining.store(true, Ordering::SeqCst);
        self.drain.cancel();
    }

    /// Ends everything; draining begins too if it has not.
    pub fn stop(&self) {
        self.begin();
        self.stop.cancel();
    }

    /// Whether draining has begun.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }

    /// The flag behind [`Shutdown::is_draining`], for `/readyz`.
    pub fn draining_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.draining)
    }

    /// Waits until draining begins.
    pub async fn draining(&self) {
        self.drain.cancelled().await;
    }

    /// Waits until everything must end.
    pub async fn stopped(&self) {
        self.stop.cancelled().await;
    }

    /// Cancelled when draining begins.
    pub fn drain_token(&self) -> CancellationToken {
        self.drain.clone()
    }

    /// Cancelled when everything must end.
    pub fn stop_token(&self) -> CancellationToken {
        self.stop.clone()
    }
}

async fn either(term: &mut Signal, int: &mut Signal) {
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
}
