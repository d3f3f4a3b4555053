//! Conversation: what is decided about a message, purely.
