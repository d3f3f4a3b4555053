//! What was said before, as the model is shown it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::injection::judge;
use crate::domain::inbound::{InboundMessage, MessageKind};
use crate::domain::text::MessageText;

/// Who said a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// The customer.
    Customer,
    /// The assistant.
    Assistant,
    /// A human of the company.
    Team,
}

impl Author {
    /// The stored spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Assistant => "assistant",
            Self::Team => "team",
        }
    }

    /// Reads the stored spelling; an unknown one counts as the team.
    pub fn parse(text: &str) -> Self {
        match text {
            "customer" => Self::Customer,
            "assistant" => Self::Assistant,
            _ => Self::Team,
        }
    }
}

/// A line of history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Who.
    pub by: Author,
    /// What.
    pub text: String,
    /// When, milliseconds since 1970; 0 = not known.
    #[serde(default, skip_serializing_if = "is_unknown")]
    pub at_ms: i64,
    /// Whether a customer's line is kept from the model, where that was found out when it was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked: Option<bool>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_unknown(at_ms: &i64) -> bool {
    *at_ms == 0
}

impl Line {
    /// A line of a moment that is not known.
    pub fn new(by: Author, text: impl Into<String>) -> Self {
        Self { by, text: text.into(), at_ms: 0, blocked: None }
    }

    /// The same line of a known moment.
    #[must_use]
    pub fn at(self, at: DateTime<Utc>) -> Self {
        Self { at_ms: at.timestamp_millis(), ..self }
    }

    /// The same, judged: for lines that come back without their verdict.
    #[must_use]
    pub fn judged(self) -> Self {
        Self { blocked: (self.by == Author::Customer).then(|| self.is_blocked()), ..self }
    }

    /// Whether the model is not to see it: a customer's words that try to take it over. Judged now unless it was before.
    pub fn is_blocked(&self) -> bool {
        self.by == Author::Customer && self.blocked.unwrap_or_else(|| judge(&self.text).blocks())
    }
}

/// Most lines of a window of `turns` exchanges. A customer may write several lines a turn, so more than two each.
pub fn lines_max(turns: usize) -> usize {
    turns.saturating_mul(6).clamp(8, 120)
}

/// The newest lines that make `turns` exchanges: an exchange begins with the customer's first line after somebody else's.
/// Where there are fewer, what was said before the customer's first line stays too. Lines of the customer that nobody has
/// answered always stay, as far as [`lines_max`] allows.
pub fn window(lines: &[Line], turns: usize) -> &[Line] {
    let begins = |n: usize| {
        let by = |n: usize| lines.get(n).map(|line| line.by);
        by(n) == Some(Author::Customer) && n.checked_sub(1).and_then(by) != Some(Author::Customer)
    };
    let unanswered = lines.iter().rposition(|line| line.by != Author::Customer).map_or(0, |answered| answered + 1);
    let exchanges = match turns.checked_sub(1) {
        None => unanswered,
        Some(before) => (0..lines.len()).rev().filter(|n| begins(*n)).nth(before).unwrap_or(0),
    };
    let start = exchanges.min(unanswered).max(lines.len().saturating_sub(lines_max(turns)));
    lines.get(start..).unwrap_or_default()
}

/// A message as one line for the model: its words, and what else it was.
pub fn spoken(message: &InboundMessage) -> String {
    let text = message.text.as_ref().map(|text| text.as_str());
    match (medium(message.kind), text) {
        (None, Some(text)) => text.to_owned(),
        (Some(medium), Some(text)) => format!("[enviou {medium}] {text}"),
        (Some(medium), None) => format!("[enviou {medium}]"),
        (None, None) => String::new(),
    }
}

/// A voice message that was put into words, as one line for the model.
pub fn spoken_aloud(words: &MessageText) -> String {
    format!("[enviou um áudio] {}", words.as_str())
}

fn medium(kind: MessageKind) -> Option<&'static str> {
    match kind {
        MessageKind::Text => None,
        MessageKind::Image => Some("uma imagem"),
        MessageKind::Video => Some("um vídeo"),
        MessageKind::Audio => Some("um áudio"),
        MessageKind::Document => Some("um documento"),
        MessageKind::Sticker => Some("uma figurinha"),
        MessageKind::Location => Some("uma localização"),
        MessageKind::Contact => Some("um contato"),
        MessageKind::Unsupported => Some("algo que não pode ser lido"),
    }
}
