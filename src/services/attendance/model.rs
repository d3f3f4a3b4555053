//! The model's part of an answer: what it is told, what it says, and whether that may leave.

use std::time::Duration;

use super::answer::{Prepared, Said};
use super::known::Known;
use super::mailbox::Mailbox;
use crate::clients::llm::{ChatRequest, ChatRole, ChatTurn};
use crate::domain::conversation::decide::Understanding;
use crate::domain::conversation::history::{Author, Line, spoken, window};
use crate::domain::conversation::intent::Intent;
use crate::domain::conversation::prompt::NO_ANSWER;
use crate::domain::conversation::sentiment::Mood;
use crate::domain::conversation::template::Template;
use crate::domain::conversation::truth::{self, Blocked};
use crate::services::context::Conversation;
use crate::services::{Services, llm};
use crate::telemetry::metrics::{self, FallbackReason};
use crate::tenant::Tenant;

/// Asks the model. `None` where a ready text is said instead: no answer came, it has none, or twice said what nothing
/// bears out.
pub(super) async fn answer(
    services: &Services,
    tenant: &Tenant,
    (conversation, mailbox): (&Conversation, &Mailbox),
    known: &Known,
    prepared: &mut Prepared,
) -> Option<String> {
    let first = request(services, tenant, (conversation, mailbox), known);
    let system = first.system.clone();
    let mut asked = first;
    for second in [false, true] {
        let text = ask(services, tenant, asked, prepared).await?;
        let blocked = known.doubts(services, tenant, conversation, &system, &text);
        if blocked.is_empty() {
            return Some(text);
        }
        count(tenant, &blocked, second);
        asked = request(services, tenant, (conversation, mailbox), known);
        asked.system = format!("{system}\n\n{}", truth::reason(&blocked));
    }
    prepared.said = Said::Ready(Template::NotKnown, Some(FallbackReason::OutputRejected));
    None
}

/// One answer of the model; what it cost is added up.
async fn ask(services: &Services, tenant: &Tenant, request: ChatRequest, prepared: &mut Prepared) -> Option<String> {
    let answer = llm::ask(services, tenant, request).await;
    prepared.model = answer.model.or(prepared.model.take());
    prepared.usage.input = prepared.usage.input.saturating_add(answer.usage.input);
    prepared.usage.output = prepared.usage.output.saturating_add(answer.usage.output);
    prepared.estimated |= answer.estimated;
    prepared.model_time += answer.took;
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
    let template = if silent { Template::Fallback } else { template_for(reason, prepared.decision.understanding) };
    prepared.said = Said::Ready(template, Some(reason));
    None
}

/// The kinds only: the words may hold personal data.
fn count(tenant: &Tenant, blocked: &[Blocked], second: bool) {
    let mut kinds: Vec<_> = blocked.iter().map(|one| one.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    for kind in &kinds {
        metrics::claim_blocked(tenant.id(), super::labels::claim(*kind));
    }
    let names: Vec<&str> = kinds.iter().map(|kind| kind.label()).collect();
    tracing::warn!(
        company = tenant.id().get(),
        kinds = names.join(" "),
        second,
        "An answer said what nothing bears out and was held back"
    );
}

/// What is said instead of the model. A courtesy is returned without it: it needs no person either.
fn template_for(reason: FallbackReason, understanding: Understanding) -> Template {
    match (reason, understanding.intent) {
        (FallbackReason::Blocked | FallbackReason::OutputRejected, _) => Template::Fallback,
        _ if understanding.mood.mood == Mood::Negative => Template::TechnicalIssue,
        (_, Intent::Greeting) => Template::Greeting,
        (_, Intent::Thanks) => Template::Thanks,
        (_, Intent::Farewell) => Template::Farewell,
        _ => Template::TechnicalIssue,
    }
}

fn request(
    services: &Services,
    tenant: &Tenant,
    (conversation, mailbox): (&Conversation, &Mailbox),
    known: &Known,
) -> ChatRequest {
    let before = window(&conversation.lines, tenant.settings.context_turns);
    let now = mailbox.messages.iter().map(|(_, message)| Line::new(Author::Customer, spoken(message)));
    let earlier = known.earlier.iter().map(|text| Line::new(Author::Customer, text.as_str()));
    let llm = &services.settings.llm;
    ChatRequest {
        system: known.instruction(services, tenant, conversation, before).text,
        turns: earlier.map(turn).chain(before.iter().map(harmless)).chain(now.map(turn)).collect(),
        max_output_tokens: llm.max_output_tokens,
        timeout: Duration::from_millis(llm.call_timeout_ms),
        correlation_id: mailbox.messages.last().map(|(one, _)| one.envelope.correlation_id.clone()).unwrap_or_default(),
    }
}

/// What was kept from the model in its own turn is kept from it later too.
fn harmless(line: &Line) -> ChatTurn {
    let text = if line.is_blocked() { "[mensagem não mostrada]" } else { &line.text };
    ChatTurn { role: role(line.by), text: text.to_owned() }
}

fn turn(line: Line) -> ChatTurn {
    ChatTurn { role: role(line.by), text: line.text }
}

fn role(by: Author) -> ChatRole {
    if by == Author::Customer { ChatRole::User } else { ChatRole::Model }
}
