//! Prepares an answer: the decision, the model's words or a ready text, and how the conversation stands after it.

use std::time::Duration;

use uuid::Uuid;

use super::mailbox::Mailbox;
use super::{model, wording};
use crate::clients::llm::TokenUsage;
use crate::domain::conversation::decide::{Decision, Silence, Situation, Step, decide, upset};
use crate::domain::conversation::intent::Context;
use crate::domain::conversation::standing::{HandOff, Standing};
use crate::domain::conversation::template::Template;
use crate::domain::conversation::urgency::Urgency;
use crate::domain::inbound::InboundMessage;
use crate::services::Services;
use crate::services::context::Conversation;
use crate::telemetry::metrics::{self, FallbackReason, OptChange, TransferReason};
use crate::tenant::Tenant;

/// What is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// The model's words.
    Model,
    /// A ready text.
    Ready(Template, Option<FallbackReason>),
    /// Nothing.
    Nothing(Silence),
}

impl Said {
    /// The word of the turn's row.
    pub(super) fn decision(self) -> &'static str {
        match self {
            Self::Model => "answer",
            Self::Ready(..) => "template",
            Self::Nothing(_) => "silence",
        }
    }

    /// Why, where it is not the model's answer.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Model => "",
            Self::Ready(template, _) => template.name(),
            Self::Nothing(silence) => silence.as_str(),
        }
    }
}

/// An answer that has not been decided yet: nothing of it is stored or sent.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    /// What to say, a text a bubble.
    pub bubbles: Vec<String>,
    /// What that is.
    pub said: Said,
    /// What was decided before the model was asked.
    pub decision: Decision,
    /// How the conversation stands afterwards.
    pub standing: Standing,
    /// Variants of experiments that were used, by experiment.
    pub variants: Vec<(Uuid, String)>,
    /// Why a person is asked for, if one is.
    pub hand_off: Option<HandOff>,
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
        (prepared.usage, prepared.estimated) = (self.usage, self.estimated);
        prepared.model_time = self.model_time;
    }
}

/// Prepares an answer to all undecided messages. Never fails: when the model cannot answer there is a ready text.
pub(super) async fn prepare(
    services: &Services,
    tenant: &Tenant,
    conversation: &Conversation,
    mailbox: &Mailbox,
) -> Prepared {
    let messages: Vec<&InboundMessage> = mailbox.messages.iter().map(|(_, message)| message).collect();
    let now_ms = services.clock.now_ms();
    let decision = decide(&Situation {
        messages: &messages,
        history: &conversation.lines,
        standing: &conversation.standing,
        context: Context::None,
        ai_enabled: tenant.settings.ai_enabled,
        transcribes: tenant.settings.audio.transcribe,
        now_ms,
    });
    let mut prepared = Prepared {
        bubbles: Vec::new(),
        said: Said::Model,
        variants: Vec::new(),
        hand_off: decision.hand_off,
        standing: conversation.standing.clone(),
        decision,
        model: None,
        usage: TokenUsage::default(),
        estimated: false,
        model_time: Duration::ZERO,
    };
    let mut words = None;
    match prepared.decision.step {
        Step::Say(template) => prepared.said = Said::Ready(template, reason(template)),
        Step::Silence(silence) => prepared.said = Said::Nothing(silence),
        Step::Ask => words = model::answer(services, tenant, conversation, mailbox, &mut prepared).await,
        Step::Listen => words = model::listen(services, tenant, conversation, mailbox, &mut prepared).await,
    }
    stand(&mut prepared, now_ms);
    wording::put(services, tenant, conversation, mailbox, &mut prepared, words.as_deref()).await;
    prepared
}

/// How the conversation stands after what was decided. A second answer in a row that is none fetches a person instead.
fn stand(prepared: &mut Prepared, now_ms: i64) {
    let (understanding, standing) = (prepared.decision.understanding, &mut prepared.standing);
    standing.customer_speaks(now_ms);
    if let Some(change) = prepared.decision.consent {
        standing.opt(change);
    }
    let urgent = understanding.urgency != Urgency::None;
    if matches!(prepared.said, Said::Nothing(Silence::NotOurs)) {
        standing.urgent |= urgent;
        return;
    }
    standing.felt(upset(understanding));
    standing.offered_person = false;
    match prepared.said {
        Said::Ready(Template::Fallback | Template::NotKnown | Template::NotUnderstood, why) => {
            if standing.missed() {
                prepared.said = Said::Ready(Template::Handoff, why);
                prepared.hand_off = Some(HandOff::Misses);
            } else {
                standing.offered_person = prepared.said.reason() != Template::Fallback.name();
            }
        }
        Said::Ready(Template::TechnicalIssue, _) => prepared.hand_off = Some(HandOff::ModelDown),
        Said::Ready(Template::Clinical | Template::Legal | Template::Financial, _) => standing.offered_person = true,
        Said::Model => standing.misses = 0,
        _ => {}
    }
    if let Some(reason) = prepared.hand_off {
        standing.hand_off(reason, urgent || reason == HandOff::Emergency, now_ms);
    }
}

/// Why a ready text stands where an answer was expected; `None` for texts that are the answer.
pub(super) fn reason(template: Template) -> Option<FallbackReason> {
    match template {
        Template::AiDisabled => Some(FallbackReason::AiDisabled),
        Template::Media | Template::MediaUnheard => Some(FallbackReason::MediaOnly),
        Template::Injection => Some(FallbackReason::Injection),
        Template::Fallback | Template::TechnicalIssue => Some(FallbackReason::LlmFailed),
        _ => None,
    }
}

/// Counts a decided answer; an answer that was prepared and thrown away is not counted.
pub(super) fn count(tenant: &Tenant, prepared: &Prepared) {
    let company = tenant.id();
    metrics::intention_detected(company, prepared.decision.understanding.intent.label());
    if let Said::Ready(template, Some(reason)) = prepared.said {
        metrics::fallback_reply(company, reason);
        if template == Template::Injection {
            metrics::prompt_injection_blocked(company);
        }
    }
    if let Some(reason) = prepared.hand_off {
        metrics::transferred(company, transfer(reason));
    }
    if let Some(change) = prepared.decision.consent {
        use crate::domain::conversation::opt_out;
        let change = match change {
            opt_out::OptChange::Out => OptChange::Out,
            opt_out::OptChange::In => OptChange::In,
        };
        metrics::opted(company, change);
    }
}

fn transfer(reason: HandOff) -> TransferReason {
    match reason {
        HandOff::Asked => TransferReason::Asked,
        HandOff::Misses => TransferReason::Misses,
        HandOff::Mood => TransferReason::Mood,
        HandOff::ModelDown => TransferReason::ModelDown,
        HandOff::AiDisabled => TransferReason::AiDisabled,
        HandOff::Untrue => TransferReason::Untrue,
        HandOff::Loop => TransferReason::Loop,
        HandOff::Emergency => TransferReason::Emergency,
    }
}
