//! Prepares an answer: the decision, the model's words or a ready text, and how the conversation stands after it.

use std::time::Duration;

use uuid::Uuid;

use super::mailbox::Mailbox;
use super::{agenda, known, labels, model, wording};
use crate::clients::llm::TokenUsage;
use crate::domain::conversation::decide::{Booking, Decision, Silence, Situation, Step, decide, upset};
use crate::domain::conversation::introduction::name_given;
use crate::domain::conversation::opt_out::OptChange;
use crate::domain::conversation::standing::{HandOff, Standing};
use crate::domain::conversation::template::Template;
use crate::domain::conversation::urgency::Urgency;
use crate::domain::inbound::InboundMessage;
use crate::domain::text::MessageText;
use crate::services::agenda::talk::Talked;
use crate::services::context::Conversation;
use crate::services::{ServiceError, Services, hearing};
use crate::telemetry::metrics::{self, FallbackReason};
use crate::tenant::Tenant;

/// What is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// The model's words.
    Model,
    /// The booking conversation's words.
    Agenda,
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
            Self::Agenda => "agenda",
            Self::Ready(..) => "template",
            Self::Nothing(_) => "silence",
        }
    }

    /// Why, where it is not the model's answer.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Model | Self::Agenda => "",
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
    /// What voice messages say, by envelope.
    pub heard: Vec<(Uuid, MessageText)>,
    /// A voice message could not be put into words.
    pub unheard: bool,
    /// The name the customer gave in words.
    pub given_name: Option<String>,
    /// What the booking conversation came to, where it heard the messages.
    pub talked: Option<Talked>,
}

impl Prepared {
    /// Whether the calendar was changed: then this is what is said, whatever newer comes.
    pub(super) fn is_bound(&self) -> bool {
        self.talked.as_ref().is_some_and(|talked| !talked.done.is_empty())
    }
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

/// Prepares an answer to all undecided messages. When the model cannot answer there is a ready text.
///
/// # Errors
/// The company's own store is away while an appointment is looked for or made: nothing may be said then.
pub(super) async fn prepare(
    services: &Services,
    tenant: &Tenant,
    conversation: &Conversation,
    mailbox: &Mailbox,
) -> Result<Prepared, ServiceError> {
    let booking = if conversation.standing.agenda.is_idle() { Booking::Idle } else { Booking::UnderWay };
    let transcribes = tenant.settings.audio.transcribe;
    let mut prepared = decided(services, tenant, conversation, mailbox, (booking, transcribes));
    if prepared.decision.step != Step::Listen {
        return finish(services, tenant, conversation, mailbox, prepared).await;
    }
    let heard = listen(services, tenant, mailbox, &mut prepared).await;
    if heard.messages.iter().all(|(_, message)| message.text.is_none()) {
        return finish(services, tenant, conversation, mailbox, prepared).await;
    }
    let spent = prepared;
    let prepared = Prepared {
        usage: spent.usage,
        estimated: spent.estimated,
        model_time: spent.model_time,
        heard: spent.heard,
        unheard: spent.unheard,
        ..decided(services, tenant, conversation, &heard, (booking, false))
    };
    finish(services, tenant, conversation, &heard, prepared).await
}

/// Puts the voice messages of a mailbox into words, those that can be. What listening cost is part of the answer's price.
async fn listen(services: &Services, tenant: &Tenant, mailbox: &Mailbox, prepared: &mut Prepared) -> Mailbox {
    let mut heard = mailbox.clone();
    for (waiting, message) in &mut heard.messages {
        let Some(media) = message.media.as_ref().filter(|_| message.text.is_none()) else { continue };
        let hearing = hearing::hear(services, tenant, media, &waiting.envelope.correlation_id).await;
        prepared.usage.input = prepared.usage.input.saturating_add(hearing.usage.input);
        prepared.usage.output = prepared.usage.output.saturating_add(hearing.usage.output);
        prepared.estimated |= hearing.estimated;
        prepared.model_time += hearing.took;
        match hearing.words {
            Ok(words) => {
                prepared.heard.push((waiting.envelope.id, words.clone()));
                message.text = Some(words);
            }
            Err(_) => prepared.unheard = true,
        }
    }
    heard
}

/// The decision, with nothing said yet.
fn decided(
    services: &Services,
    tenant: &Tenant,
    conversation: &Conversation,
    mailbox: &Mailbox,
    (booking, transcribes): (Booking, bool),
) -> Prepared {
    let messages: Vec<&InboundMessage> = mailbox.messages.iter().map(|(_, message)| message).collect();
    let decision = decide(&Situation {
        messages: &messages,
        history: &conversation.lines,
        standing: &conversation.standing,
        context: conversation.standing.agenda.context(),
        booking,
        ai_enabled: tenant.settings.ai_enabled,
        loop_guard: services.settings.limits.loop_guard,
        transcribes,
        now_ms: services.clock.now_ms(),
    });
    Prepared {
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
        heard: Vec::new(),
        unheard: false,
        given_name: None,
        talked: None,
    }
}

/// Carries a decision out: the words, and how the conversation stands after them.
async fn finish(
    services: &Services,
    tenant: &Tenant,
    conversation: &Conversation,
    mailbox: &Mailbox,
    mut prepared: Prepared,
) -> Result<Prepared, ServiceError> {
    prepared.given_name = given_name(mailbox, &prepared);
    if prepared.decision.step == Step::Agenda {
        let talked = Box::pin(agenda::talk(services, tenant, conversation, mailbox, &prepared)).await?;
        prepared.standing.agenda = talked.state.clone();
        if talked.is_opinion {
            prepared.decision.understanding.feedback = Some(prepared.decision.understanding.mood.mood);
        }
        prepared.said = Said::Agenda;
        prepared.hand_off = talked.hand_off.map(labels::hand_off);
        if talked.asks_model {
            let other = decided(services, tenant, conversation, mailbox, (Booking::LeftToOthers, false));
            prepared.decision.step = other.decision.step;
            prepared.hand_off = prepared.hand_off.or(other.hand_off);
            prepared.said = Said::Model;
        }
        prepared.talked = Some(talked);
    }
    if prepared.decision.consent == Some(OptChange::Out) && !conversation.standing.agenda.is_idle() {
        // Nothing is kept for, or booked by, somebody who wants no more of it.
        prepared.standing.agenda =
            Box::pin(agenda::talk(services, tenant, conversation, mailbox, &prepared)).await?.state;
    }
    let mut known = None;
    let mut words = None;
    match prepared.decision.step {
        Step::Say(template) => prepared.said = Said::Ready(template, reason(template)),
        Step::Silence(silence) => prepared.said = Said::Nothing(silence),
        Step::Agenda => {}
        Step::Listen => prepared.said = Said::Ready(Template::MediaUnheard, reason(Template::MediaUnheard)),
        Step::Ask => {
            let gathered = known::gather(services, tenant, conversation, mailbox, &prepared).await?;
            words = model::answer(services, tenant, (conversation, mailbox), &gathered, &mut prepared).await;
            known = Some(gathered);
        }
    }
    stand(&mut prepared, services.clock.now_ms());
    if !matches!(prepared.said, Said::Nothing(_)) {
        let known = match known {
            Some(known) => known,
            None => known::without_knowledge(services, tenant, conversation, mailbox, prepared.decision.understanding),
        };
        let words = agenda::words(words, &prepared);
        wording::put(services, tenant, (conversation, &mailbox.group), &known, &mut prepared, words.as_deref()).await;
    }
    Ok(prepared)
}

/// The name the customer introduces themselves by.
fn given_name(mailbox: &Mailbox, prepared: &Prepared) -> Option<String> {
    if prepared.decision.verdict.is_suspicious() {
        return None;
    }
    let texts = mailbox.messages.iter().rev().filter_map(|(_, message)| message.text.as_ref());
    texts.filter_map(|text| name_given(text.as_str(), false)).map(|name| name.as_str().to_owned()).next()
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
        // What was asked for can only be done by a person, and must not be said to be done.
        Said::Ready(Template::NotKnown, why @ Some(FallbackReason::OutputRejected))
            if understanding.intent.is_about_appointment() =>
        {
            prepared.said = Said::Ready(Template::Handoff, why);
            prepared.hand_off = Some(HandOff::Untrue);
        }
        Said::Ready(Template::Fallback | Template::NotKnown, why) => {
            if standing.missed() {
                let untrue = why == Some(FallbackReason::OutputRejected);
                prepared.said = Said::Ready(Template::Handoff, why);
                prepared.hand_off = Some(if untrue { HandOff::Untrue } else { HandOff::Misses });
            } else {
                standing.offered_person = prepared.said.reason() != Template::Fallback.name();
            }
        }
        Said::Ready(Template::TechnicalIssue, _) => prepared.hand_off = Some(HandOff::ModelDown),
        Said::Ready(Template::Clinical | Template::Legal | Template::Financial, _) => standing.offered_person = true,
        Said::Model | Said::Agenda => standing.misses = 0,
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
    metrics::intention_detected(company, labels::intention(prepared.decision.understanding.intent));
    if let Said::Ready(template, Some(reason)) = prepared.said {
        metrics::fallback_reply(company, reason);
        if template == Template::Injection {
            metrics::prompt_injection_blocked(company);
        }
    }
    if let Some(reason) = prepared.hand_off {
        metrics::transferred(company, labels::transfer(reason));
    }
    if let Some(change) = prepared.decision.consent {
        metrics::opted(company, labels::opted(change));
    }
    if let Some(comes) = prepared.talked.as_ref().and_then(|talked| talked.comes_again) {
        metrics::follow_up_answered(company, comes);
    }
}
