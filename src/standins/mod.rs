//! Stand-ins of the providers, for the demo, the tests and the benchmark: one small server on loopback that speaks the
//! real wire formats, keeps a ledger of every request it got (the judge of every test) and fails on demand.
//!
//! | Path | What it is |
//! |---|---|
//! | `/whaticket/{company}/api/messages/send`, `/api/messages/send` | Whaticket, community or SaaS ([`StandIns::set_flavor`]) |
//! | `/whaticket/{company}/api/v1/messages`, `/api/v1/messages` | Whaticket.com |
//! | `/gemini/{version}/models/{model}:generateContent`, `…:countTokens`, `…:embedContent`, `…:batchEmbedContents`, `/gemini/{version}/models` | Gemini |
//! | `/openai/v1/…`, `/openai/{company}/v1/…` | OpenAI, and a local server of its protocol that wants no key: `chat/completions`, `embeddings`, `audio/transcriptions`, `models` |
//! | `GET /whaticket/{company}/public/{name}` | media, put there by [`StandIns::put_media`] |
//! | `GET /_ledger[?since=N]` | one JSON line per request after the N-th |
//! | `POST /_faults`, `GET /_faults`, `DELETE /_faults` | scripted trouble, see [`Fault`] |
//! | `POST /_persona` | `{"persona": "honest"}` or `"hostile"`: who answers in place of the model |
//! | `POST /_echo` | our own texts coming back as webhooks |
//!
//! Credentials look like `sim-{company}-{random}`; whoever holds one is that company.

mod control;
mod echo;
mod fault;
mod gemini;
mod hostile;
mod ledger;
mod openai;
mod persona;
mod sound;
mod state;
mod vectors;
mod whaticket;
mod wire;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpServer, web};
use tokio::task::JoinHandle;

pub use echo::CompanyAtStandIn;
pub use fault::{Fault, FaultKind, Provider};
pub use ledger::Entry;
pub use persona::Persona;

use crate::clients::channel::whaticket::Flavor;
use crate::clients::http::HttpClient;
use crate::clock::Clock;
use state::State;

/// Largest request that is read, in bytes.
const REQUEST_LIMIT: usize = 2 * 1024 * 1024;

/// The running stand-ins. Dropping the value does not stop them; [`StandIns::stop`] does.
#[derive(Debug)]
pub struct StandIns {
    addr: SocketAddr,
    state: Arc<State>,
    handle: ServerHandle,
    server: JoinHandle<io::Result<()>>,
}

impl StandIns {
    /// Listens on `addr` (port 0 takes a free one) with one thread of its own. Needs a tokio runtime; errors when the
    /// address is taken or no HTTP client can be built for the echoes.
    pub async fn start(clock: Clock, addr: SocketAddr) -> io::Result<Self> {
        let http = HttpClient::new(Duration::from_secs(3)).map_err(io::Error::other)?;
        let state = Arc::new(State::new(clock, http));
        let data = web::Data::from(Arc::clone(&state));
        let server = HttpServer::new(move || {
            App::new()
                .app_data(data.clone())
                .app_data(web::PayloadConfig::new(REQUEST_LIMIT))
                .configure(control::routes)
                .configure(whaticket::routes)
                .configure(gemini::routes)
                .configure(openai::routes)
        })
        .workers(1)
        .disable_signals()
        .shutdown_timeout(1)
        .on_connect(wire::remember_connection)
        .bind(addr)?;
        let addr = server.addrs().first().copied().unwrap_or(addr);
        let server = server.run();
        let handle = server.handle();
        Ok(Self { addr, state, handle, server: tokio::spawn(server) })
    }

    /// Where they listen, e.g. `http://127.0.0.1:40123`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The base URL of a company's Whaticket, whatever its flavor.
    pub fn whaticket_url(&self, company: i64) -> String {
        format!("{}/whaticket/{company}", self.base_url())
    }

    /// The base URL of Gemini.
    pub fn gemini_url(&self) -> String {
        format!("{}/gemini", self.base_url())
    }

    /// The base URL of OpenAI.
    pub fn openai_url(&self) -> String {
        format!("{}/openai/v1", self.base_url())
    }

    /// The base URL of a company's own server of OpenAI's protocol, which wants no key.
    pub fn local_openai_url(&self, company: i64) -> String {
        format!("{}/openai/{company}/v1", self.base_url())
    }

    /// A voice message (Ogg, Opus) of that length in which `words` are said, as far as the stand-ins can hear.
    pub fn voice(words: &str, seconds: u32) -> Vec<u8> {
        sound::voice(words, seconds)
    }

    /// Puts a file where a company's Whaticket serves media, and returns its URL.
    pub fn put_media(&self, company: i64, name: &str, content_type: &'static str, bytes: Vec<u8>) -> String {
        self.state.put_media(company, name, content_type, bytes);
        format!("{}/public/{name}", self.whaticket_url(company))
    }

    /// A credential that all providers accept as that company's; `random` tells one from another.
    pub fn credential(company: i64, random: &str) -> String {
        format!("sim-{company}-{random}")
    }

    /// Every request after the `n`-th, oldest first. The oldest fall out of a bounded memory.
    pub fn ledger_since(&self, n: u64) -> Vec<Entry> {
        self.state.ledger.since(n)
    }

    /// Adds trouble. The first fault that fits a request is used.
    pub fn add_fault(&self, fault: Fault) {
        self.state.faults.add(fault);
    }

    /// Takes all trouble away.
    pub fn clear_faults(&self) {
        self.state.faults.clear();
    }

    /// How long the model thinks before it answers. Zero at first.
    pub fn set_latency(&self, latency: Duration) {
        self.state.set_latency(latency);
    }

    /// Who answers in place of the model. Honest at first.
    pub fn set_persona(&self, persona: Persona) {
        self.state.set_persona(persona);
    }

    /// Which Whaticket a company runs at `/api/messages/send`. SaaS at first.
    pub fn set_flavor(&self, company: i64, flavor: Flavor) {
        self.state.set_flavor(company, flavor);
    }

    /// Makes a company known, so that echoes find its webhook.
    pub fn register(&self, company: CompanyAtStandIn) {
        self.state.echoes.register(company);
    }

    /// Turns the echo of every accepted text on or off for a registered company.
    pub fn set_echo(&self, company: i64, on: bool) {
        self.state.echoes.set(company, on);
    }

    /// Stops listening and drops all connections.
    pub async fn stop(self) {
        self.handle.stop(false).await;
        // Whatever the server ended with, it is gone.
        let _ = self.server.await;
    }
}
