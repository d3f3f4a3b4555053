//! The booking conversation as a part of a turn: what it hears, and how what it says joins the model's words.

use uuid::Uuid;

use super::answer::{Prepared, Said};
use super::mailbox::Mailbox;
use crate::domain::agenda::flow::Event;
use crate::domain::audit::ActorType;
use crate::domain::conversation::bubbles::{BUBBLE_MAX, BUBBLES_MAX, bubbles};
use crate::domain::conversation::injection::judge;
use crate::domain::conversation::intent::Intent;
use crate::domain::conversation::intent::cues::{Cue, Cues};
use crate::domain::conversation::opt_out::OptChange;
use crate::domain::inbound::Sender;
use crate::services::agenda::talk::{Talked, Talker};
use crate::services::agenda::{self, Customer};
use crate::services::audit::Actor;
use crate::services::context::Conversation;
use crate::services::{ServiceError, Services};
use crate::tenant::Tenant;

/// What to call somebody in the calendar of whom nobody knows the name.
const NAMELESS: &str = "Cliente";

/// Lets the booking conversation hear the customer's messages, and does what it wants done.
pub(super) async fn talk(
    services: &Services,
    tenant: &Tenant,
    conversation: &Conversation,
    mailbox: &Mailbox,
    prepared: &Prepared,
) -> Result<Talked, ServiceError> {
    let state = &conversation.standing.agenda;
    let talker = talker(services, tenant, conversation, mailbox, prepared.given_name.as_deref()).await?;
    let texts: Vec<&str> =
        mailbox.messages.iter().filter_map(|(_, message)| Some(message.text.as_ref()?.as_str())).collect();
    let text = texts.join("\n");
    if !talker.setting.calendar && state.is_idle() {
        // A date by itself may be about anything; the model asks.
        let sure = Cues::of(&text).any(&[Cue::Book, Cue::Slot, Cue::Move, Cue::Shift, Cue::Cancel, Cue::Own]);
        return Ok(if sure { talker.without_calendar() } else { Talked { asks_model: true, ..Talked::default() } });
    }
    let intent = match prepared.decision.consent {
        Some(OptChange::Out) => Intent::OptOut,
        _ => prepared.decision.understanding.intent,
    };
    let event = Event::Said { text: &text, intent };
    talker.talk(state, event).await
}

async fn talker<'a>(
    services: &'a Services,
    tenant: &'a Tenant,
    conversation: &Conversation,
    mailbox: &Mailbox,
    given_name: Option<&str>,
) -> Result<Talker<'a>, ServiceError> {
    let oldest = mailbox.messages.first().map(|(waiting, _)| &waiting.envelope);
    let actor = Actor {
        name: "assistant".to_owned(),
        kind: ActorType::System,
        correlation_id: oldest.map(|envelope| envelope.correlation_id.clone()).unwrap_or_default(),
    };
    let seed = oldest.map_or_else(Uuid::nil, |envelope| envelope.id);
    let customer = customer(conversation, mailbox, given_name);
    Ok(Talker::new(services, tenant, actor, customer, seed).await?)
}

fn customer(conversation: &Conversation, mailbox: &Mailbox, given_name: Option<&str>) -> Customer {
    let newest = mailbox.messages.iter().rev();
    let shown = newest.clone().find_map(|(_, message)| message.name.as_ref()).map(|name| name.as_str());
    let called = given_name.or_else(|| conversation.called(shown)).filter(|name| !judge(name).blocks());
    let phone = newest.clone().find_map(|(_, message)| match &message.from {
        Sender::Phone { phone, .. } => Some(format!("+{}", phone.digits())),
        Sender::Lid(_) => None,
    });
    Customer {
        // Nobody knows them yet: what is kept for them is theirs by the state of the conversation.
        person_id: (!conversation.is_new).then_some(conversation.person_id),
        conversation_id: (!conversation.is_new).then_some(conversation.id),
        name: called.unwrap_or(NAMELESS).to_owned(),
        phone,
        email: None,
    }
}

/// The words of a reply: the model's, then the booking conversation's, which are not to be cut off.
pub(super) fn words(model: Option<String>, prepared: &Prepared) -> Option<String> {
    let own = matches!(prepared.said, Said::Model | Said::Agenda);
    let Some(talked) = prepared.talked.as_ref().filter(|talked| own && !talked.words.is_empty()) else {
        return model;
    };
    let Some(model) = model else { return Some(talked.words.clone()) };
    let room = BUBBLE_MAX * BUBBLES_MAX;
    let fits = model.chars().count() + 2 + talked.words.chars().count() <= room;
    let model = if fits { Some(model) } else { bubbles(&model).into_iter().next() };
    Some(model.into_iter().chain([talked.words.clone()]).collect::<Vec<_>>().join("\n\n"))
}

/// Gives back what was kept for an answer that is thrown away. What cannot be given back runs out.
pub(super) async fn give_back(services: &Services, tenant: &Tenant, prepared: &Prepared) {
    let Some(talked) = prepared.talked.as_ref().filter(|talked| !talked.held.is_empty()) else { return };
    let actor = Actor { name: "assistant".to_owned(), kind: ActorType::System, correlation_id: String::new() };
    let Ok(calendar) = agenda::of(services, tenant, &actor) else { return };
    for intent in &talked.held {
        if let Err(error) = calendar.release(*intent).await {
            tracing::debug!(company = tenant.id().get(), %error, "A kept time could not be given back");
        }
    }
}
