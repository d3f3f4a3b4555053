//! The one outgoing HTTP client.

/// The one outgoing HTTP client: pooled connections, no redirects, bounded bodies. Clones share the pool.
#[derive(Clone, Debug)]
pub struct HttpClient {}
