//! What a person of the company does with a conversation, from the panel or the API. Orders lie in the conversation's own
//! mailbox, so that they are carried out in its own order, never beside a turn.

use serde::{Deserialize, Serialize};

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// A person takes it (*Aceitar*).
    Accept,
    /// A person says something.
    Reply {
        /// The words.
        text: String,
    },
    /// It is done (*Resolver*).
    Resolve,
    /// The assistant goes on (*Devolver à assistente*).
    GiveBack,
}

impl Act {
    /// The stable name, for the audit trail.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Reply { .. } => "reply",
            Self::Resolve => "resolve",
            Self::GiveBack => "give_back",
        }
    }
}
