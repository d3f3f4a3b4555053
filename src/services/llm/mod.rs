//! The company's models behind breakers, retries, one time budget and an error budget. Whatever happens, the caller gets
//! a text to say or the reason to say a ready one.
//!
//! The preferred model is asked first. When it fails for any reason but a refused content, the second one, if there is
//! one, is asked inside the same time budget, of which one call's time (at most half) was kept for it.

mod breaker;
mod listen;
mod provider;

pub use breaker::Memory as BreakerMemory;
pub(super) use listen::listen;

use std::time::Duration;

use tokio::time::Instant;

use self::breaker::{Breaker, Pass};
use self::provider::Provider;
use super::Services;
use crate::clients::llm::{self, ChatOutcome, ChatRequest, LlmKind, TokenUsage};
use crate::clients::{WireError, WireErrorKind};
use crate::domain::conversation::bubbles::whole_sentences;
use crate::domain::resilience::backoff;
use crate::telemetry::metrics::{self, FallbackReason, LlmErrorKind, TokenDirection, TokenSource};
use crate::tenant::Tenant;

/// What came of asking.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The model's text.
    pub text: Option<String>,
    /// Why there is none.
    pub failure: Option<FallbackReason>,
    /// Whether a model works and said nothing, twice.
    pub silent: bool,
    /// The model that answered.
    pub model: Option<String>,
    /// The protocol of the model that answered.
    pub kind: Option<LlmKind>,
    /// Tokens of all calls, as counted by the provider or estimated.
    pub usage: TokenUsage,
    /// Whether some of them had to be estimated.
    pub estimated: bool,
    /// Time spent on calls.
    pub took: Duration,
}

/// Asks the company's models in order of preference: at most `llm.tries` calls of each, all inside `llm.budget_ms`.
pub async fn ask(services: &Services, tenant: &Tenant, request: ChatRequest) -> Answer {
    let end = Instant::now() + Duration::from_millis(services.settings.llm.budget_ms);
    let (first, second) = Provider::of(tenant);
    let kept = second.as_ref().map_or(Duration::ZERO, |_| kept_for_another(services));
    let room = request.max_output_tokens;
    let mut asking =
        Asking { services, tenant, provider: &first, request, answer: Answer::default(), model: None, failure: None };
    asking.ask(end.checked_sub(kept).unwrap_or(end)).await;
    let failure = asking.answer.failure;
    if let (Some(second), Some(failure)) = (&second, failure.filter(|failure| *failure != FallbackReason::Blocked)) {
        tracing::warn!(company = tenant.id().get(), failure = failure.as_str(), "The second model is asked");
        (asking.provider, asking.model, asking.failure) = (second, None, None);
        (asking.request.max_output_tokens, asking.answer.failure) = (room, None);
        asking.ask(end).await;
    }
    asking.answer
}

/// How much of the budget the first model must leave: without it a hanging one would eat the second one's chance.
fn kept_for_another(services: &Services) -> Duration {
    let settings = &services.settings.llm;
    Duration::from_millis(settings.call_timeout_ms.min(settings.budget_ms / 2))
}

/// What to do after a call.
enum Next {
    Done,
    Again(Duration),
    AgainAtOnce,
    /// With the provider's other model: not one of the tries, as the first one's name alone was refused.
    OtherModel,
}

struct Asking<'a> {
    services: &'a Services,
    tenant: &'a Tenant,
    provider: &'a Provider<'a>,
    request: ChatRequest,
    answer: Answer,
    /// The provider's other model, once the first one's name was refused.
    model: Option<String>,
    failure: Option<FallbackReason>,
}

impl Asking<'_> {
    async fn ask(&mut self, end: Instant) {
        let company = self.tenant.id();
        if self.provider.lacks_key() {
            let setting = self.provider.key_setting;
            tracing::error!(
                company = company.get(),
                "No model key is configured: set it with `secretaria provision set --set-file {setting}=FILE`"
            );
            self.answer.failure = Some(FallbackReason::Misconfigured);
            return;
        }
        let breaker = Breaker::new(self.services, self.tenant, self.provider);
        match breaker.ask().await {
            Pass::Open => {
                metrics::llm_error(company, self.provider.label, LlmErrorKind::Open);
                self.answer.failure = Some(FallbackReason::CircuitOpen);
            }
            pass => self.run(&breaker, pass == Pass::Probe, end).await,
        }
    }

    async fn run(&mut self, breaker: &Breaker<'_>, probe: bool, end: Instant) {
        let settings = &self.services.settings.llm;
        // A probe asks once: it shows whether the provider lives.
        let tries = if probe { 1 } else { settings.tries.max(1) };
        let mut attempt = 0;
        while attempt < tries {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            self.request.timeout = left.min(Duration::from_millis(settings.call_timeout_ms));
            match self.call(breaker, attempt).await {
                Next::Done => return,
                Next::OtherModel => continue,
                Next::AgainAtOnce => {}
                Next::Again(wait) => {
                    if attempt + 1 == tries || wait >= end.saturating_duration_since(Instant::now()) {
                        break;
                    }
                    tokio::time::sleep(wait).await;
                }
            }
            attempt += 1;
        }
        self.answer.failure = Some(self.failure.unwrap_or(FallbackReason::LlmFailed));
    }

    async fn call(&mut self, breaker: &Breaker<'_>, attempt: u32) -> Next {
        let endpoint = self.provider.endpoint(self.model.as_deref());
        let begun = Instant::now();
        let outcome = llm::generate(&self.services.http, &endpoint, &self.request).await;
        let took = begun.elapsed();
        self.answer.took += took;
        metrics::llm_latency(self.tenant.id(), self.provider.label, took);
        match outcome {
            Ok(outcome) => {
                breaker.good().await;
                self.heard(outcome, endpoint.model)
            }
            Err(error) => self.failed(breaker, &error, attempt).await,
        }
    }

    fn heard(&mut self, outcome: ChatOutcome, model: String) -> Next {
        match outcome {
            ChatOutcome::Reply { text, truncated, usage, model_version } => {
                self.count(usage, &text);
                let whole = if truncated { whole_sentences(&text).unwrap_or(&text) } else { &text };
                self.answer.text = Some(whole.to_owned());
                self.answer.model = Some(model_version.unwrap_or(model));
                self.answer.kind = Some(self.provider.kind());
                Next::Done
            }
            ChatOutcome::Empty { budget_eaten, usage } => {
                self.count(usage, "");
                metrics::llm_error(self.tenant.id(), self.provider.label, LlmErrorKind::Empty);
                // One more try, with more room when thinking ate it; the second empty answer is final.
                let second = self.failure.replace(FallbackReason::LlmFailed).is_some();
                if budget_eaten {
                    self.request.max_output_tokens = self.request.max_output_tokens.saturating_mul(2);
                }
                if second {
                    self.answer.silent = true;
                    self.answer.failure = Some(FallbackReason::LlmFailed);
                    return Next::Done;
                }
                Next::AgainAtOnce
            }
            ChatOutcome::Blocked { reason, usage } => {
                self.count(usage, "");
                metrics::llm_error(self.tenant.id(), self.provider.label, LlmErrorKind::Blocked);
                tracing::warn!(company = self.tenant.id().get(), %reason, "The model refused to answer");
                self.answer.failure = Some(FallbackReason::Blocked);
                Next::Done
            }
        }
    }

    async fn failed(&mut self, breaker: &Breaker<'_>, error: &WireError, attempt: u32) -> Next {
        let company = self.tenant.id();
        let kind = if error.code == "timeout" { LlmErrorKind::Timeout } else { LlmErrorKind::Http };
        metrics::llm_error(company, self.provider.label, kind);
        let settings = &self.services.settings.llm;
        match error.kind {
            WireErrorKind::Auth => {
                let fallback = &settings.fallback_model;
                let fits = self.provider.kind() == LlmKind::Gemini && !fallback.is_empty();
                if error.code == "model_not_found" && fits && self.model.is_none() {
                    tracing::error!(company = company.get(), %error, model = %fallback, "CONFIGURATION: the model does not exist; llm.fallback_model is asked");
                    self.model = Some(fallback.clone());
                    return Next::OtherModel;
                }
                tracing::error!(company = company.get(), %error, "CONFIGURATION: the provider refuses the company's model key or model; until it is mended customers get the second model's answer or a ready text");
                self.answer.failure = Some(FallbackReason::Misconfigured);
                Next::Done
            }
            WireErrorKind::Invalid => {
                tracing::error!(company = company.get(), %error, "The provider refuses the request");
                self.answer.failure = Some(FallbackReason::LlmFailed);
                Next::Done
            }
            WireErrorKind::RateLimited if error.code == "daily_quota" => {
                tracing::error!(company = company.get(), %error, "The company's daily quota of its model is spent");
                self.answer.failure = Some(FallbackReason::LlmFailed);
                Next::Done
            }
            WireErrorKind::RateLimited | WireErrorKind::Unavailable | WireErrorKind::Unknown => {
                if error.kind != WireErrorKind::RateLimited {
                    breaker.bad().await;
                }
                tracing::warn!(company = company.get(), %error, attempt, "A model call failed");
                let base = Duration::from_millis(settings.backoff_base_ms);
                let wait = backoff(base, Duration::from_secs(8), attempt, rand::random());
                Next::Again(error.retry_after.unwrap_or(wait))
            }
        }
    }

    /// The provider's count, or an estimate of four characters a token.
    fn count(&mut self, usage: Option<TokenUsage>, answer: &str) {
        let source = if usage.is_some() { TokenSource::Reported } else { TokenSource::Estimated };
        let usage = usage.unwrap_or_else(|| {
            self.answer.estimated = true;
            let asked =
                self.request.system.len() + self.request.turns.iter().map(|turn| turn.text.len()).sum::<usize>();
            TokenUsage { input: estimate(asked), output: estimate(answer.len()) }
        });
        self.answer.usage.input = self.answer.usage.input.saturating_add(usage.input);
        self.answer.usage.output = self.answer.usage.output.saturating_add(usage.output);
        let company = self.tenant.id();
        metrics::token_usage(company, TokenDirection::Inbound, source, u64::from(usage.input));
        metrics::token_usage(company, TokenDirection::Outbound, source, u64::from(usage.output));
    }
}

fn estimate(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(4)).unwrap_or(u32::MAX)
}
