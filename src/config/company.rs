//! Settings of one company: what `provision set --set KEY=VALUE` accepts.
