//! shim
/// shim
#[derive(Clone)]
pub struct WebhookCredentials {}
