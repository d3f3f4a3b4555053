//! Conversation: what is decided about a message, purely.

pub mod bubbles;
pub mod decide;
pub mod experiment;
pub mod feedback;
pub mod handoff;
pub mod history;
pub mod injection;
pub mod intent;
pub mod opt_out;
pub mod order;
pub mod prompt;
pub mod rendering;
pub mod selection;
pub mod sentiment;
pub mod standing;
pub mod template;
pub mod urgency;
