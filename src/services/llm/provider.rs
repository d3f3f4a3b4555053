//! A company's models in order of preference.

use secrecy::{ExposeSecret, SecretString};

use crate::clients::llm::{LlmEndpoint, LlmKind};
use crate::config::company::LlmChoice;
use crate::telemetry::metrics;
use crate::tenant::Tenant;

/// A model of the company and what its calls need.
pub(super) struct Provider<'a> {
    choice: &'a LlmChoice,
    key: &'a SecretString,
    /// Its name on metrics.
    pub label: metrics::Provider,
    /// The setting that holds its key, for those who must mend it.
    pub key_setting: &'static str,
    /// Where it is, as a number: a breaker belongs to a server, so one that has moved begins with a fresh breaker.
    pub place: u64,
}

impl<'a> Provider<'a> {
    /// The preferred model, and the one to ask when it fails.
    pub(super) fn of(tenant: &'a Tenant) -> (Self, Option<Self>) {
        let first = Self::new(&tenant.settings.llm, &tenant.secrets.llm_api_key, "llm.api_key");
        let second = tenant.settings.llm2.as_ref();
        (first, second.map(|choice| Self::new(choice, &tenant.secrets.llm2_api_key, "llm2.api_key")))
    }

    fn new(choice: &'a LlmChoice, key: &'a SecretString, key_setting: &'static str) -> Self {
        let label = match choice.kind {
            LlmKind::Gemini => metrics::Provider::Gemini,
            LlmKind::OpenAi => metrics::Provider::OpenAi,
        };
        Self { choice, key, label, key_setting, place: fnv1a(&choice.base_url) }
    }

    /// Whether it cannot even be asked: Gemini without a key. A server of OpenAI's protocol may want none.
    pub(super) fn lacks_key(&self) -> bool {
        self.choice.kind == LlmKind::Gemini && self.key.expose_secret().is_empty()
    }

    /// The protocol.
    pub(super) fn kind(&self) -> LlmKind {
        self.choice.kind
    }

    /// Where to ask; `model` replaces the configured one.
    pub(super) fn endpoint(&self, model: Option<&str>) -> LlmEndpoint {
        LlmEndpoint {
            kind: self.choice.kind,
            base_url: self.choice.base_url.clone(),
            api_version: self.choice.api_version.clone(),
            api_key: self.key.clone(),
            model: model.unwrap_or(&self.choice.model).to_owned(),
            ceiling: self.choice.ceiling,
        }
    }
}

/// FNV-1a, 64 bit: all processes must come to the same number, whatever version they are.
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
