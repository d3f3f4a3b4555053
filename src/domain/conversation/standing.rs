//! Who attends to a conversation, and since when: the assistant, nobody yet (*Aguardando*), a person of the company
//! (*Atendendo*), or it is done (*Resolvido*). While it is not the assistant's, the assistant says nothing.
//!
//! Times are milliseconds since 1970, given by the caller.

use serde::{Deserialize, Serialize};

use super::opt_out::OptChange;
use crate::domain::agenda::flow;

/// Who attends to a conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attendant {
    /// The assistant (*assistente*).
    #[default]
    Assistant,
    /// A person was asked for and none has come yet (*Aguardando*).
    Waiting,
    /// A person of the company (*Atendendo*).
    Team,
    /// Nobody: it is done (*Resolvido*). The customer's next message is the assistant's again.
    Resolved,
}

impl Attendant {
    /// The stored spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Assistant => "assistant",
            Self::Waiting => "waiting",
            Self::Team => "team",
            Self::Resolved => "resolved",
        }
    }

    /// Reads the stored spelling.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Assistant, Self::Waiting, Self::Team, Self::Resolved].into_iter().find(|one| one.as_str() == text)
    }
}

/// Why a person is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandOff {
    /// The customer asked for one.
    Asked,
    /// The assistant had no answer, twice in a row.
    Misses,
    /// The customer is upset.
    Mood,
    /// The model cannot be reached. The assistant goes on as soon as it can.
    ModelDown,
    /// The company switched the assistant off.
    AiDisabled,
    /// What the model said could not be shown to be true, twice.
    Untrue,
    /// Two machines seem to be talking to each other.
    Loop,
    /// Somebody's life or health may be in danger.
    Emergency,
    /// An appointment is wanted, and there is no calendar to book in.
    NoCalendar,
    /// The calendar cannot be reached.
    CalendarDown,
    /// A booking conversation led nowhere, round after round.
    BookingFruitless,
    /// Nobody knows whether it is booked.
    BookingUnknown,
    /// The calendar refused.
    BookingRefused,
}

impl HandOff {
    /// The stable name, as it is stored and counted.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Misses => "misses",
            Self::Mood => "mood",
            Self::ModelDown => "model_down",
            Self::AiDisabled => "ai_disabled",
            Self::Untrue => "untrue",
            Self::Loop => "loop",
            Self::Emergency => "emergency",
            Self::NoCalendar => "no_calendar",
            Self::CalendarDown => "calendar_down",
            Self::BookingFruitless => "booking_fruitless",
            Self::BookingUnknown => "booking_unknown",
            Self::BookingRefused => "booking_refused",
        }
    }
}

/// Answers without a real answer, one after the other, after which a person is fetched.
const MISSES_MAX: u8 = 2;
/// Upset messages, one after the other, after which a person is fetched.
const SOUR_MAX: u8 = 2;

/// How a conversation stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Standing {
    /// Who attends.
    pub attendant: Attendant,
    /// Why a person is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<HandOff>,
    /// Since when it stands so.
    pub since_ms: i64,
    /// When the person's turn ends by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<i64>,
    /// Whether it goes before others in *Aguardando*.
    pub urgent: bool,
    /// Answers without a real answer, in a row.
    pub misses: u8,
    /// Upset messages, in a row.
    pub sour: u8,
    /// Whether a person was offered with the last answer.
    pub offered_person: bool,
    /// Whether the person was told that this is a virtual assistant.
    pub noticed: bool,
    /// Whether the person wants no messages we begin.
    pub opted_out: bool,
    /// Until when it was told that the company is closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub away_until_ms: Option<i64>,
    /// Where the booking conversation stands. It is stored with all else, so that it is never further than what was said.
    #[serde(skip_serializing_if = "flow::State::is_idle", deserialize_with = "flow::State::leniently")]
    pub agenda: flow::State,
}

impl Standing {
    /// Who attends now: a person's turn that is over is the assistant's again, and so is a conversation that only waits
    /// because the model was away.
    pub fn attendant_at(&self, now_ms: i64) -> Attendant {
        match (self.attendant, self.until_ms) {
            (Attendant::Team, Some(until)) if until <= now_ms => Attendant::Assistant,
            (Attendant::Waiting, _) if self.reason == Some(HandOff::ModelDown) => Attendant::Assistant,
            (attendant, _) => attendant,
        }
    }

    /// Whether the assistant says nothing to what the customer writes.
    pub fn is_silent(&self, now_ms: i64) -> bool {
        matches!(self.attendant_at(now_ms), Attendant::Waiting | Attendant::Team)
    }

    fn becomes(&mut self, attendant: Attendant, reason: Option<HandOff>, now_ms: i64) {
        if (self.attendant, self.reason) != (attendant, reason) {
            self.since_ms = now_ms;
        }
        (self.attendant, self.reason, self.until_ms) = (attendant, reason, None);
        (self.misses, self.sour) = (0, 0);
    }

    /// A person is asked for.
    pub fn hand_off(&mut self, reason: HandOff, urgent: bool, now_ms: i64) {
        self.becomes(Attendant::Waiting, Some(reason), now_ms);
        self.urgent |= urgent;
    }

    /// A person of the company speaks, or has taken it: theirs until so long after their last word.
    pub fn team_speaks(&mut self, pause_ms: i64, now_ms: i64) {
        if self.attendant != Attendant::Team {
            self.becomes(Attendant::Team, None, now_ms);
        }
        self.until_ms = Some(now_ms.saturating_add(pause_ms));
        self.urgent = false;
    }

    /// It is done.
    pub fn resolve(&mut self, now_ms: i64) {
        self.becomes(Attendant::Resolved, None, now_ms);
        self.urgent = false;
    }

    /// The assistant's again.
    pub fn give_back(&mut self, now_ms: i64) {
        self.becomes(Attendant::Assistant, None, now_ms);
        self.urgent = false;
    }

    /// What the customer's message changes by itself: a person's turn that is over ends, and what was resolved begins anew.
    pub fn customer_speaks(&mut self, now_ms: i64) {
        let now_attends = self.attendant_at(now_ms);
        let ended = self.attendant != Attendant::Assistant && now_attends == Attendant::Assistant;
        if ended || self.attendant == Attendant::Resolved {
            self.give_back(now_ms);
        }
    }

    /// An answer without a real answer: whether it is one too many.
    pub fn missed(&mut self) -> bool {
        self.misses = self.misses.saturating_add(1);
        self.misses >= MISSES_MAX
    }

    /// An upset message, or one that is not: whether it is one too many.
    pub fn felt(&mut self, upset: bool) -> bool {
        self.sour = if upset { self.sour.saturating_add(1) } else { 0 };
        self.sour >= SOUR_MAX
    }

    /// No more messages that we begin, or again.
    pub fn opt(&mut self, change: OptChange) {
        self.opted_out = change == OptChange::Out;
    }

    /// Whether it is as every conversation begins: nothing needs to be stored.
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}
