//! What many tests share.

pub mod pg;
