//! Prepares an answer: the decision, and the model's words or a ready text.

use std::time::Duration;

use super::mailbox::Mailbox;
use crate::clients::llm::{ChatRequest, ChatRole, ChatTurn, TokenUsage};
use crate::domain::conversation::bubbles::bubbles;
use crate::domain::conversation::decide::{Step, decide};
use crate::domain::conversation::history::{Author, Line, spoken, window};
use crate::domain::conversation::injection::judge;
use crate::domain::conversation::prompt::{Briefing, system_instruction};
use crate::domain::conversation::template::Template;
use crate::domain::inbound::InboundMessage;
use crate::services::context::Conversation;
use crate::services::{Services, llm};
use crate::telemetry::metrics::{self, FallbackReason};
use crate::tenant::Tenant;

/// An answer that has not been decided yet: nothing of it is stored or sent.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    /// What to say, a text a bubble.
    pub bubbles: Vec<String>,
    /// Why a ready text, if it is one.
    pub fallback: Option<(Template, FallbackReason)>,
    /// The injection verdict's score.
    pub injection_score: f32,
    /// The model that answered.
    pub model: Option<String>,
    /// Tokens of the calls.
    pub usage: TokenUsage,
    /// Whether the provider gave no count.
    pub estimated: bool,
    /// Time spent on calls.
    pub model_time: Duration,
}

/// What all preparations of a turn cost, those thrown away included: they are paid for too.
#[derive(Debug, Default)]
pub(super) struct Spent {
    usage: TokenUsage,
    estimated: bool,
    model_time: Duration,
}

impl Spent {
    /// Adds a preparation, which from now on shows the cost of all so far.
    pub(super) fn add(&mut self, prepared: &mut Prepared) {
        self.usage.input = self.usage.input.saturating_add(prepared.usage.input);
        self.usage.output = self.usage.output.saturating_add(prepared.usage.output);
        self.estimated |= prepared.estimated;
        self.model_time += prepared.model_time;
        (prepared.usage, prepared.estimated, prepared.model_time) = (self.usage, self.estimated, self.model_time);
    }
}

pub(super) async fn prepare(
    services: &Services,
    tenant: &Tenant,
    conversation: &Conversation,
    mailbox: &Mailbox,
) -> Prepared {
    let messages: Vec<&InboundMessage> = mailbox.messages.iter().map(|(_, message)| message).collect();
    let decision = decide(&messages, tenant.settings.ai_enabled);
    let mut prepared = Prepared {
        bubbles: Vec::new(),
        fallback: None,
        injection_score: decision.verdict.score,
        model: None,
        usage: TokenUsage::default(),
        estimated: false,
        model_time: Duration::ZERO,
    };
    match decision.step {
        Step::Say(template) => prepared.fallback = Some((template, reason(template))),
        Step::Ask => {
            let answer = llm::ask(services, tenant, request(services, tenant, conversation, mailbox)).await;
            prepared.model = answer.model;
            prepared.usage = answer.usage;
            prepared.estimated = answer.estimated;
            prepared.model_time = answer.took;
            prepared.bubbles = bubbles(answer.text.as_deref().unwrap_or_default());
            if prepared.bubbles.is_empty() {
                let reason = answer.failure.unwrap_or(FallbackReason::LlmFailed);
                // A model that works and has nothing to say is no technical trouble.
                let silent = answer.silent || answer.failure.is_none();
                let template = if silent { Template::Fallback } else { template_for(reason) };
                prepared.fallback = Some((template, reason));
            }
        }
    }
    if let Some((template, _)) = prepared.fallback {
        prepared.bubbles = bubbles(own_text(tenant, template));
    }
    prepared
}

/// The company's own wording, else the default one.
fn own_text(tenant: &Tenant, template: Template) -> &str {
    tenant.settings.texts.get(template.name()).map_or(template.default_text(), String::as_str)
}

fn template_for(reason: FallbackReason) -> Template {
    match reason {
        FallbackReason::Blocked | FallbackReason::OutputRejected => Template::Fallback,
        _ => Template::TechnicalIssue,
    }
}

fn reason(template: Template) -> FallbackReason {
    match template {
        Template::AiDisabled => FallbackReason::AiDisabled,
        Template::Media => FallbackReason::MediaOnly,
        Template::Injection => FallbackReason::Injection,
        _ => FallbackReason::LlmFailed,
    }
}

/// Counts a decided answer; an answer that was prepared and thrown away is not counted.
pub(super) fn count(tenant: &Tenant, prepared: &Prepared) {
    if let Some((template, reason)) = prepared.fallback {
        metrics::fallback_reply(tenant.id(), reason);
        if template == Template::Injection {
            metrics::prompt_injection_blocked(tenant.id());
        }
    }
}

fn request(services: &Services, tenant: &Tenant, conversation: &Conversation, mailbox: &Mailbox) -> ChatRequest {
    let shown = mailbox.messages.iter().rev().find_map(|(_, message)| message.name.as_ref());
    let briefing = Briefing {
        company: &tenant.company.name,
        facts: &tenant.settings.facts,
        // A profile's name is the customer's text like any other.
        customer: conversation.called(shown.map(|name| name.as_str())).filter(|name| !judge(name).blocks()),
        zone: tenant.settings.timezone,
    };
    let before = window(&conversation.lines, tenant.settings.context_turns);
    let now = mailbox.messages.iter().map(|(_, message)| Line { by: Author::Customer, text: spoken(message) });
    let llm = &services.settings.llm;
    ChatRequest {
        system: system_instruction(&briefing, services.clock.now()),
        turns: before.iter().cloned().map(harmless).chain(now).map(turn).collect(),
        max_output_tokens: llm.max_output_tokens,
        timeout: Duration::from_millis(llm.call_timeout_ms),
        correlation_id: mailbox.messages.last().map(|(one, _)| one.envelope.correlation_id.clone()).unwrap_or_default(),
    }
}

/// What was kept from the model in its own turn is kept from it later too.
fn harmless(line: Line) -> Line {
    if line.by == Author::Customer && judge(&line.text).blocks() {
        return Line { text: "[mensagem não mostrada]".to_owned(), ..line };
    }
    line
}

fn turn(line: Line) -> ChatTurn {
    let role = if line.by == Author::Customer { ChatRole::User } else { ChatRole::Model };
    ChatTurn { role, text: line.text }
}
