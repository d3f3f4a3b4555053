//! What lies in a mailbox.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::conversation::order::Act;
use crate::domain::inbound::{Echo, InboundMessage};

/// A small, versioned value: everything needed to decide it later, by any process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Envelope {
    /// Version of this format.
    pub v: u8,
    /// The job id.
    pub id: Uuid,
    /// Travels from the webhook to the last log line.
    pub correlation_id: String,
    /// Channel instance and provider message id, or the proof of an identical request; none for commands.
    pub dedupe: Option<String>,
    /// What it is.
    pub body: Body,
}

/// An envelope about to be written: what [`Envelope`] reads, borrowed.
#[derive(Serialize)]
pub(super) struct Writing<'a> {
    pub(super) v: u8,
    pub(super) id: Uuid,
    pub(super) correlation_id: &'a str,
    pub(super) dedupe: Option<&'a str>,
    pub(super) body: &'a Body,
}

/// The version written today. Older ones are read as long as envelopes of theirs may lie in a queue.
pub const VERSION: u8 = 1;

/// What an envelope carries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// A customer's message.
    Message(InboundMessage),
    /// A text that left from our own number.
    Echo(Echo),
    /// An operator's order: try a dead text once more.
    Redeliver {
        /// The delivery row.
        delivery_id: Uuid,
    },
    /// What a person of the company does with the conversation.
    Team(Act),
    /// Something that is due at a time: a reminder, a question after a visit.
    Timer {
        /// The timer's row.
        timer_id: Uuid,
    },
}

impl Body {
    /// One letter in front of the entry, so that scripts need not read JSON.
    pub(super) fn letter(&self) -> &'static str {
        match self {
            Self::Message(_) => "m",
            Self::Echo(_) => "e",
            Self::Redeliver { .. } | Self::Team(_) => "o",
            Self::Timer { .. } => "t",
        }
    }

    /// The word in metrics and logs.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Message(_) => "incoming",
            Self::Echo(_) => "echo",
            Self::Redeliver { .. } => "redeliver",
            Self::Team(_) => "team",
            Self::Timer { .. } => "timer",
        }
    }
}

/// An envelope in its mailbox.
#[derive(Clone, Debug, PartialEq)]
pub struct Waiting {
    /// Its arrival number: order within the conversation.
    pub seq: i64,
    /// When it was accepted, milliseconds since 1970.
    pub accepted_ms: i64,
    /// Itself.
    pub envelope: Envelope,
}

/// Reads an entry `seq|kind|accepted|json`. `Err` carries the number of an entry that cannot be read.
pub(super) fn read_entry(entry: &str) -> Result<Waiting, i64> {
    let mut parts = entry.splitn(4, '|');
    let seq = parts.next().and_then(|seq| seq.parse().ok()).unwrap_or(0);
    let _letter = parts.next();
    let accepted_ms = parts.next().and_then(|ms| ms.parse().ok()).ok_or(seq)?;
    let envelope: Envelope = parts.next().and_then(|json| serde_json::from_str(json).ok()).ok_or(seq)?;
    if envelope.v > VERSION { Err(seq) } else { Ok(Waiting { seq, accepted_ms, envelope }) }
}
