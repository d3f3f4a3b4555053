//! What the providers were asked, kept small: the stand-ins' ledger forgets its oldest entries, the judge must not.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use secretaria::standins::{Entry, Provider, StandIns};
use serde_json::Value;

/// A unique word in every message: company, conversation and number within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Token {
    pub company: usize,
    pub conversation: usize,
    pub n: usize,
}

impl std::fmt::Display for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "c{}v{}n{}", self.company, self.conversation, self.n)
    }
}

impl Token {
    /// Reads a token at the start of a text.
    pub fn parse(text: &str) -> Option<Self> {
        let (company, rest) = number(text.strip_prefix('c')?)?;
        let (conversation, rest) = number(rest.strip_prefix('v')?)?;
        let (n, _) = number(rest.strip_prefix('n')?)?;
        Some(Self { company, conversation, n })
    }

    /// All tokens behind the mark `eco:`.
    pub fn all(text: &str) -> Vec<Self> {
        text.split("eco:").skip(1).filter_map(Self::parse).collect()
    }
}

fn number(text: &str) -> Option<(usize, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    Some((digits.parse().ok()?, rest))
}

/// One request to a provider.
#[derive(Clone, Debug)]
pub enum Deed {
    /// To the channel: a text to a number.
    Send { company: Option<i64>, number: String, body: String, accepted: bool, status: Option<u16> },
    /// To the model: the tokens of the last content, and of the whole prompt.
    Think { company: Option<i64>, last: Vec<Token>, all: Vec<Token>, accepted: bool },
}

/// Reads the stand-ins' ledger before it forgets.
pub struct Deeds {
    standins: Arc<StandIns>,
    read: Mutex<(u64, Vec<Deed>)>,
}

impl Deeds {
    pub fn of(standins: Arc<StandIns>) -> Arc<Self> {
        let deeds = Arc::new(Self { standins, read: Mutex::default() });
        let reader = Arc::downgrade(&deeds);
        tokio::spawn(async move {
            while let Some(deeds) = reader.upgrade() {
                deeds.read();
                drop(deeds);
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        });
        deeds
    }

    fn read(&self) {
        let (last, deeds) = &mut *self.read.lock().unwrap();
        for entry in self.standins.ledger_since(*last) {
            assert!(entry.n == *last + 1, "the stand-ins' ledger forgot entries {}..{}", *last + 1, entry.n);
            *last = entry.n;
            deeds.push(deed(&entry));
        }
    }

    /// All requests so far, in order.
    pub fn all(&self) -> Vec<Deed> {
        self.read();
        self.read.lock().unwrap().1.clone()
    }
}

fn deed(entry: &Entry) -> Deed {
    if entry.provider == Provider::Whaticket {
        let text = |name: &str| entry.body[name].as_str().unwrap_or_default().to_owned();
        let (number, body) = (text("number"), text("body"));
        return Deed::Send { company: entry.company, number, body, accepted: entry.accepted, status: entry.status };
    }
    let contents = entry.body["contents"].as_array().map(Vec::as_slice).unwrap_or_default();
    let tokens = |content: &Value| Token::all(&content.to_string());
    Deed::Think {
        company: entry.company,
        last: contents.last().map(tokens).unwrap_or_default(),
        all: contents.iter().flat_map(tokens).collect(),
        accepted: entry.accepted,
    }
}
