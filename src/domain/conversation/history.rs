//! What was said before, as the model is shown it.

use serde::{Deserialize, Serialize};

use crate::domain::inbound::{InboundMessage, MessageKind};

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
}

/// The newest lines that make `turns` exchanges: an exchange begins with the customer's first line after somebody else's.
pub fn window(lines: &[Line], turns: usize) -> &[Line] {
    let mut exchanges = 0;
    let mut start = lines.len();
    for (n, line) in lines.iter().enumerate().rev() {
        let begins = line.by == Author::Customer
            && n.checked_sub(1).and_then(|before| lines.get(before)).is_none_or(|before| before.by != Author::Customer);
        if begins {
            exchanges += 1;
            start = n;
            if exchanges == turns {
                break;
            }
        }
    }
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
