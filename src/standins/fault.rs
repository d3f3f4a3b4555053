//! Scripted trouble.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::state::lock;

/// Which provider is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// Whaticket, any flavor.
    Whaticket,
    /// Gemini.
    Gemini,
    /// OpenAI, or a server of its protocol.
    #[serde(rename = "openai")]
    OpenAi,
    /// Cal.com.
    #[serde(rename = "calcom")]
    CalCom,
}

/// What goes wrong. "Accepting" means that a text was sent, or an answer was thought of and counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Answers with `status` (500), `body` and `retry_after`; accepts only a 2xx unless `accept` says otherwise.
    Status,
    /// Accepts, then answers `delay_ms` later.
    Delay,
    /// Accepts, then answers byte by byte, `delay_ms` (50) apart.
    Drip,
    /// Drops the connection, accepting nothing.
    ResetBefore,
    /// Accepts, then drops the connection without a byte.
    ResetAfterAccept,
    /// Accepts, then says nothing until the client leaves.
    SilentAfterAccept,
    /// Accepts, then answers 200 with bytes that mean nothing.
    Garbage,
    /// Accepts, then answers 200 without a body (Whaticket) or without a text (models).
    Empty,
    /// Accepts nothing and answers a proxy's HTML page with `status` (502).
    Html,
    /// Accepts, then drops the connection in the middle of the body.
    Truncated,
    /// Models: the prompt was blocked.
    Blocked,
    /// Models: the answer was blocked.
    BlockedAnswer,
    /// Models: thinking ate the whole token budget.
    MaxTokens,
    /// Models: a text that the token ceiling cut.
    Cut,
}

/// One scripted fault, as `POST /_faults` takes it (alone or in an array).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Whose requests.
    pub provider: Provider,
    /// Only this company's requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<i64>,
    /// Only requests whose method and path hold this, such as `POST /calcom/v2/bookings`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<String>,
    /// What goes wrong.
    pub kind: FaultKind,
    /// The HTTP status, for the kinds that have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The body: a string goes out as it is, anything else as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// `Retry-After`: seconds or a date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<Value>,
    /// More headers of a `status` fault.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Milliseconds of `delay` and `drip`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// How many requests it strikes; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// The share of fitting requests it strikes, 0 to 1; all when absent. The draw is the same in every run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// Whether a `status` fault accepts all the same (an error told after the deed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accept: Option<bool>,
}

impl Fault {
    /// A fault that strikes every request of a provider.
    pub fn new(provider: Provider, kind: FaultKind) -> Self {
        Self {
            provider,
            company: None,
            on: None,
            kind,
            status: None,
            body: None,
            retry_after: None,
            headers: BTreeMap::new(),
            delay_ms: None,
            times: None,
            share: None,
            accept: None,
        }
    }

    /// An answer with a status and a body.
    pub fn status(provider: Provider, status: u16, body: impl Into<Value>) -> Self {
        Self { status: Some(status), body: Some(body.into()), ..Self::new(provider, FaultKind::Status) }
    }

    /// The same fault striking only requests whose method and path hold this.
    pub fn on(self, words: &str) -> Self {
        Self { on: Some(words.to_owned()), ..self }
    }

    /// The same fault striking only the next `times` requests.
    pub fn times(self, times: u32) -> Self {
        Self { times: Some(times), ..self }
    }
}

/// The faults in force, in the order they were added.
#[derive(Debug, Default)]
pub(super) struct Faults(Mutex<Script>);

#[derive(Debug, Default)]
struct Script {
    faults: Vec<Fault>,
    draws: u64,
}

impl Faults {
    pub fn add(&self, fault: Fault) {
        lock(&self.0).faults.push(fault);
    }

    pub fn clear(&self) {
        let mut script = lock(&self.0);
        script.faults.clear();
        script.draws = 0;
    }

    pub fn list(&self) -> Vec<Fault> {
        lock(&self.0).faults.clone()
    }

    /// The fault that strikes this request, if any; one use of it is spent.
    pub fn strike(&self, provider: Provider, company: Option<i64>, call: &str) -> Option<Fault> {
        let script = &mut *lock(&self.0);
        let draws = &mut script.draws;
        let struck = script.faults.iter_mut().find(|fault| {
            let fits = fault.provider == provider
                && (fault.company.is_none() || fault.company == company)
                && fault.on.as_ref().is_none_or(|words| call.contains(words.as_str()));
            fits && fault.times != Some(0) && fault.share.is_none_or(|share| draw(draws) < share)
        })?;
        if let Some(times) = &mut struck.times {
            *times -= 1;
        }
        Some(struck.clone())
    }
}

/// The next of a fixed row of evenly spread numbers in 0..1 (SplitMix64 over a counter).
fn draw(count: &mut u64) -> f64 {
    *count = count.wrapping_add(1);
    let mut x = count.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    // The upper 32 bits are enough and convert without loss.
    f64::from(u32::try_from((x ^ (x >> 31)) >> 32).unwrap_or(0)) / f64::from(u32::MAX)
}
