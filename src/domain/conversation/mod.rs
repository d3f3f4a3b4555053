//! Conversation: what is decided about a message, purely.

pub mod advice;
pub mod bubbles;
pub mod decide;
pub mod experiment;
pub mod feedback;
pub mod handoff;
pub mod history;
pub mod injection;
pub mod intent;
pub mod introduction;
pub mod loop_guard;
pub mod opt_out;
pub mod order;
pub mod profile;
pub mod prompt;
pub mod rendering;
pub mod selection;
pub mod sentiment;
pub mod standing;
pub mod synthesis;
pub mod template;
pub mod tone;
pub mod truth;
pub mod urgency;
