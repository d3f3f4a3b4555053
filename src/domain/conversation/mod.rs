//! Conversation: what is decided about a message, purely.

pub mod bubbles;
pub mod decide;
pub mod history;
pub mod injection;
pub mod intent;
pub mod prompt;
pub mod sentiment;
pub mod template;
