//! Voice messages: the same models in the same order behind the same breakers, one call each.

use std::time::Duration;

use tokio::time::Instant;

use super::breaker::{Breaker, Pass};
use super::provider::Provider;
use super::{estimate, kept_for_another};
use crate::clients::WireErrorKind;
use crate::clients::llm::{LlmEndpoint, LlmKind, TokenUsage};
use crate::clients::transcription::{Limits, Sound, Transcription, foregone, transcribe};
use crate::services::Services;
use crate::telemetry::metrics::{self, LlmErrorKind, TokenDirection, TokenSource};
use crate::tenant::Tenant;

/// The model that listens at OpenAI and most servers of its protocol.
const USUAL_LISTENER: &str = "whisper-1";

/// What came of it.
#[derive(Clone, Debug, Default)]
pub(in crate::services) struct Listened {
    /// What was heard; `None` when nobody could listen.
    pub heard: Option<Transcription>,
    /// Tokens, as counted by the provider or estimated.
    pub usage: TokenUsage,
    /// Whether they were estimated.
    pub estimated: bool,
}

/// Has a voice message written down: inside `llm.budget_ms`, by the second model where the first fails.
pub(in crate::services) async fn listen(
    services: &Services,
    tenant: &Tenant,
    sound: &Sound,
    correlation_id: &str,
) -> Listened {
    let settings = &services.settings.llm;
    let end = Instant::now() + Duration::from_millis(settings.budget_ms);
    let (first, second) = Provider::of(tenant);
    let kept = second.as_ref().map_or(Duration::ZERO, |_| kept_for_another(services));
    let model = tenant.settings.audio.model.as_deref();
    let order = [(Some(&first), model, end.checked_sub(kept).unwrap_or(end)), (second.as_ref(), None, end)];
    let mut listened = Listened::default();
    for (provider, model, end) in order {
        let Some(provider) = provider else { continue };
        let left = end.saturating_duration_since(Instant::now());
        let limits = Limits {
            bytes: tenant.settings.audio.max_bytes,
            seconds: tenant.settings.audio.max_seconds,
            timeout: left.min(Duration::from_millis(settings.call_timeout_ms)),
        };
        if let Some(heard) = once(services, tenant, (provider, model), (sound, limits), correlation_id).await {
            count(tenant, &heard, &mut listened);
            listened.heard = Some(heard);
            break;
        }
    }
    listened
}

/// Asks one provider; `None` when it cannot be asked or fails.
async fn once(
    services: &Services,
    tenant: &Tenant,
    (provider, model): (&Provider<'_>, Option<&str>),
    (sound, limits): (&Sound, Limits),
    correlation_id: &str,
) -> Option<Transcription> {
    // Before the breaker: its one probe must not be spent on a call that is not made.
    if let Some(known) = foregone(provider.kind(), sound, &limits) {
        return Some(known);
    }
    let breaker = Breaker::new(services, tenant, provider);
    if provider.lacks_key() || limits.timeout.is_zero() || breaker.ask().await == Pass::Open {
        return None;
    }
    let begun = Instant::now();
    let heard = transcribe(&services.http, &endpoint(provider, model), sound, &limits, correlation_id).await;
    metrics::llm_latency(tenant.id(), provider.label, begun.elapsed());
    match heard {
        Ok(heard) => {
            breaker.good().await;
            Some(heard)
        }
        Err(error) => {
            let kind = if error.code == "timeout" { LlmErrorKind::Timeout } else { LlmErrorKind::Http };
            metrics::llm_error(tenant.id(), provider.label, kind);
            let company = tenant.id().get();
            match error.kind {
                WireErrorKind::Auth => {
                    tracing::error!(company, %error, "CONFIGURATION: the provider refuses to listen: look at audio.model, the key and the base URL");
                }
                _ => tracing::warn!(company, %error, "A voice message could not be written down"),
            }
            if matches!(error.kind, WireErrorKind::Unavailable | WireErrorKind::Unknown) {
                breaker.bad().await;
            }
            None
        }
    }
}

fn endpoint(provider: &Provider<'_>, model: Option<&str>) -> LlmEndpoint {
    let usual = (provider.kind() == LlmKind::OpenAi).then_some(USUAL_LISTENER);
    provider.endpoint(model.or(usual))
}

/// The provider's count, or an estimate of the words; what the sound cost is then not known.
fn count(tenant: &Tenant, heard: &Transcription, listened: &mut Listened) {
    let (usage, words) = match heard {
        Transcription::Text { text, usage } => (usage, text.as_str()),
        Transcription::NothingHeard { usage } => (usage, ""),
        Transcription::TooLarge => return,
    };
    let source = if usage.is_some() { TokenSource::Reported } else { TokenSource::Estimated };
    listened.estimated = usage.is_none();
    listened.usage = usage.unwrap_or(TokenUsage { input: 0, output: estimate(words.len()) });
    metrics::token_usage(tenant.id(), TokenDirection::Inbound, source, u64::from(listened.usage.input));
    metrics::token_usage(tenant.id(), TokenDirection::Outbound, source, u64::from(listened.usage.output));
}
