//! The ledger: every request the stand-ins got, with credentials hidden. Tests and benchmarks judge by it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

use super::fault::Provider;
use super::state::lock;

/// Most requests remembered.
const ENTRIES_MAX: usize = 200_000;

/// Most bytes of bodies remembered, so that long prompts cannot fill the machine.
const BYTES_MAX: usize = 128 * 1024 * 1024;

/// Headers whose value is a credential.
const SECRET_HEADERS: [&str; 7] =
    ["authorization", "proxy-authorization", "x-goog-api-key", "apikey", "x-api-key", "x-webhook-token", "cookie"];

/// One request.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// Its number, from 1, without gaps.
    pub n: u64,
    /// When it was decided.
    pub at: DateTime<Utc>,
    /// Whose stand-in got it.
    pub provider: Provider,
    /// The HTTP method.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The company of the credential, else of the path.
    pub company: Option<i64>,
    /// The headers by lower-case name, credentials hidden.
    pub headers: BTreeMap<String, String>,
    /// The body: JSON where it is JSON, else text.
    pub body: Value,
    /// Whether the stand-in did what was asked: sent the text, made the answer.
    pub accepted: bool,
    /// The status it answered with; absent where no answer was given.
    pub status: Option<u16>,
    /// The id it gave the message, told to the client or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
}

/// A request as the handlers note it.
#[derive(Debug)]
pub(super) struct Note {
    pub at: DateTime<Utc>,
    pub provider: Provider,
    pub method: String,
    pub path: String,
    pub company: Option<i64>,
    pub headers: BTreeMap<String, String>,
    pub body: String,
    pub accepted: bool,
    pub status: Option<u16>,
    pub external_id: Option<String>,
}

/// A bounded memory of requests.
#[derive(Debug, Default)]
pub(super) struct Ledger(Mutex<Ring>);

#[derive(Debug, Default)]
struct Ring {
    notes: VecDeque<Note>,
    /// The number of the first note that is still there, minus one.
    fallen_out: u64,
    bytes: usize,
}

impl Ledger {
    pub fn write(&self, note: Note) {
        let mut ring = lock(&self.0);
        ring.bytes += note.body.len();
        ring.notes.push_back(note);
        while ring.notes.len() > ENTRIES_MAX || ring.bytes > BYTES_MAX {
            let Some(oldest) = ring.notes.pop_front() else { break };
            ring.bytes -= oldest.body.len();
            ring.fallen_out += 1;
        }
    }

    pub fn since(&self, n: u64) -> Vec<Entry> {
        let ring = lock(&self.0);
        let skip = usize::try_from(n.saturating_sub(ring.fallen_out)).unwrap_or(usize::MAX);
        let first = ring.fallen_out.max(n) + 1;
        ring.notes.iter().skip(skip).zip(first..).map(|(note, n)| entry(note, n)).collect()
    }
}

fn entry(note: &Note, n: u64) -> Entry {
    Entry {
        n,
        at: note.at,
        provider: note.provider,
        method: note.method.clone(),
        path: note.path.clone(),
        company: note.company,
        headers: note.headers.clone(),
        body: serde_json::from_str(&note.body).unwrap_or_else(|_| Value::String(note.body.clone())),
        accepted: note.accepted,
        status: note.status,
        external_id: note.external_id.clone(),
    }
}

/// Headers fit for the ledger.
pub(super) fn shown_headers<'a>(headers: impl Iterator<Item = (&'a str, &'a [u8])>) -> BTreeMap<String, String> {
    let shown = headers.map(|(name, value)| {
        let name = name.to_ascii_lowercase();
        let hidden = SECRET_HEADERS.contains(&name.as_str());
        let value = if hidden { "[hidden]".to_owned() } else { String::from_utf8_lossy(value).into_owned() };
        (name, value)
    });
    shown.collect()
}
