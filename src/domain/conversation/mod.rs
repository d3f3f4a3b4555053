//! Conversation: what is decided about a message, purely.

pub mod bubbles;
pub mod decide;
pub mod feedback;
pub mod handoff;
pub mod history;
pub mod injection;
pub mod intent;
pub mod opt_out;
pub mod prompt;
pub mod sentiment;
pub mod template;
pub mod truth;
pub mod urgency;
