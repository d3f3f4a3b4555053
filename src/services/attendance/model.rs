//! The model's part of an answer: what it is told, what it says, and whether that may leave.

use std::time::Duration;

use super::answer::{Prepared, Said};
use super::mailbox::Mailbox;
use crate::clients::llm::{ChatRequest, ChatRole, ChatTurn};
use crate::domain::conversation::history::{Author, Line, spoken, window};
use crate::domain::conversation::injection::judge;
use crate::domain::conversation::prompt::{Briefing, NO_ANSWER, system_instruction};
use crate::domain::conversation::template::Template;
use crate::services::context::Conversation;
use crate::services::{Services, llm};
use crate::telemetry::metrics::FallbackReason;
use crate::tenant::Tenant;

/// Asks the model. `None` where a ready text is said instead.
pub(super) async fn answer(
    services: &Services,
    tenant: &Tenant,
    conversation: &Conversation,
    mailbox: &Mailbox,
    prepared: &mut Prepared,
) -> Option<String> {
    let answer = llm::ask(services, tenant, request(services, tenant, conversation, mailbox)).await;
    prepared.model = answer.model;
    prepared.usage = answer.usage;
    prepared.estimated = answer.estimated;
    prepared.model_time = answer.took;
    let text = answer.text.unwrap_or_default();
    if text.contains(NO_ANSWER) {
        prepared.said = Said::Ready(Template::NotKnown, None);
        return None;
    }
    if !text.trim().is_empty() {
        return Some(text);
    }
    let reason = answer.failure.unwrap_or(FallbackReason::LlmFailed);
    // A model that works and has nothing to say is no technical trouble.
    let silent = answer.silent || answer.failure.is_none();
    let template = if silent { Template::Fallback } else { template_for(reason) };
    prepared.said = Said::Ready(template, Some(reason));
    None
}

/// Puts a voice message into words and answers those.
pub(super) async fn listen(
    _services: &Services,
    _tenant: &Tenant,
    _conversation: &Conversation,
    _mailbox: &Mailbox,
    prepared: &mut Prepared,
) -> Option<String> {
    prepared.said = Said::Ready(Template::MediaUnheard, Some(FallbackReason::MediaOnly));
    None
}

fn template_for(reason: FallbackReason) -> Template {
    match reason {
        FallbackReason::Blocked | FallbackReason::OutputRejected => Template::Fallback,
        _ => Template::TechnicalIssue,
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
