//! What to do about a conversation's waiting messages.

use super::injection::{Verdict, judge};
use super::template::Template;
use crate::domain::inbound::{InboundMessage, MessageKind};

/// A decision, before any model was asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// What to do.
    pub step: Step,
    /// The one injection verdict of the turn.
    pub verdict: Verdict,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Ask the model.
    Ask,
    /// Say a ready text.
    Say(Template),
}

/// Decides about all waiting messages of a customer at once.
pub fn decide(messages: &[&InboundMessage], ai_enabled: bool) -> Decision {
    let words: Vec<&str> = messages.iter().filter_map(|message| Some(message.text.as_ref()?.as_str())).collect();
    let verdict = judge(&words.join("\n"));
    let step = if verdict.blocks() {
        Step::Say(Template::Injection)
    } else if !ai_enabled {
        Step::Say(Template::AiDisabled)
    } else if words.is_empty() && messages.iter().all(|message| message.kind != MessageKind::Text) {
        Step::Say(Template::Media)
    } else {
        Step::Ask
    };
    Decision { step, verdict }
}
