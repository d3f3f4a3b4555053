//! A claimed mailbox, sorted by what its envelopes are.

use std::collections::HashSet;

use uuid::Uuid;

use crate::domain::conversation::order::Act;
use crate::domain::inbound::{Echo, InboundMessage};
use crate::queue::{Body, Claimed, Waiting};

/// What waits, in order of arrival.
#[derive(Clone)]
pub(super) struct Mailbox {
    /// The message group.
    pub group: String,
    /// Customers' messages that are undecided.
    pub messages: Vec<(Waiting, InboundMessage)>,
    /// Texts from our own number.
    pub echoes: Vec<(Waiting, Echo)>,
    /// Dead texts to be tried once more.
    pub orders: Vec<Uuid>,
    /// What people of the company do with the conversation.
    pub team: Vec<(Waiting, Act)>,
    /// What is due at a time.
    pub timers: Vec<(Waiting, Uuid)>,
    /// Numbers of envelopes that need nothing more.
    pub settled: Vec<i64>,
    /// The highest number seen.
    pub last_seq: i64,
    /// The number of what was said beside the turn; 0 = nothing.
    pub said_seq: i64,
}

impl Mailbox {
    pub(super) fn sort(claim: &Claimed) -> Self {
        let mut mailbox = Self {
            group: claim.conversation.clone(),
            messages: Vec::new(),
            echoes: Vec::new(),
            orders: Vec::new(),
            team: Vec::new(),
            timers: Vec::new(),
            settled: Vec::new(),
            last_seq: 0,
            said_seq: 0,
        };
        for waiting in &claim.waiting {
            mailbox.last_seq = mailbox.last_seq.max(waiting.seq);
            match &waiting.envelope.body {
                Body::Message(message) => mailbox.messages.push((waiting.clone(), message.clone())),
                Body::Echo(echo) => mailbox.echoes.push((waiting.clone(), echo.clone())),
                Body::Redeliver { delivery_id } => {
                    mailbox.orders.push(*delivery_id);
                    mailbox.settled.push(waiting.seq);
                }
                Body::Team(act) => mailbox.team.push((waiting.clone(), act.clone())),
                Body::Timer { timer_id } => mailbox.timers.push((waiting.clone(), *timer_id)),
            }
        }
        mailbox
    }

    /// Adds what came since. Returns whether a customer's message was among it.
    pub(super) fn add(&mut self, newer: Vec<Waiting>) -> bool {
        let before = self.messages.len();
        for waiting in newer {
            self.last_seq = self.last_seq.max(waiting.seq);
            match &waiting.envelope.body {
                Body::Message(message) => self.messages.push((waiting.clone(), message.clone())),
                Body::Echo(echo) => self.echoes.push((waiting.clone(), echo.clone())),
                Body::Team(act) => self.team.push((waiting.clone(), act.clone())),
                // Waits for the next claim: what it puts back is finished before anything else is decided.
                Body::Redeliver { .. } | Body::Timer { .. } => {}
            }
        }
        self.messages.len() > before
    }

    /// Whether a person of the company did something since it was last looked at.
    pub(super) fn is_interrupted(&self) -> bool {
        !self.echoes.is_empty() || !self.team.is_empty()
    }

    /// What the messages and echoes may be known by: their envelopes' ids, and their dedupe keys where they have one.
    pub(super) fn identities(&self) -> (Vec<Uuid>, Vec<&str>) {
        let messages = self.messages.iter().map(|(waiting, _)| &waiting.envelope);
        let (mut ids, mut keys) = (Vec::new(), Vec::new());
        let echoes = self.echoes.iter().map(|(waiting, _)| &waiting.envelope);
        for envelope in messages.chain(echoes).chain(self.team.iter().map(|(waiting, _)| &waiting.envelope)) {
            ids.push(envelope.id);
            keys.extend(envelope.dedupe.as_deref());
        }
        (ids, keys)
    }

    pub(super) fn drop_decided(&mut self, (ids, keys): &(HashSet<Uuid>, HashSet<String>)) {
        let known = |waiting: &Waiting| {
            ids.contains(&waiting.envelope.id) || waiting.envelope.dedupe.as_ref().is_some_and(|key| keys.contains(key))
        };
        for (waiting, _) in self.messages.extract_if(.., |(waiting, _)| known(waiting)) {
            self.settled.push(waiting.seq);
        }
        for (waiting, _) in self.echoes.extract_if(.., |(waiting, _)| known(waiting)) {
            self.settled.push(waiting.seq);
        }
        for (waiting, _) in self.team.extract_if(.., |(waiting, _)| known(waiting)) {
            self.settled.push(waiting.seq);
        }
    }
}
