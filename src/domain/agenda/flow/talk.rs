//! What the customer says, by what was asked last.

use super::advance::{advance, ask_professional, ask_service, hold};
use super::event::{Effect, Reason};
use super::heard::Heard;
use super::naming::{self, Named};
use super::saying::Saying;
use super::state::{Attendee, Lead, Patient, Purpose, Stage, Wish};
use super::turn::Turn;
use super::{choosing, own, people};
use crate::domain::conversation::handoff;
use crate::domain::conversation::intent::Intent;
use crate::domain::conversation::intent::cues::Cue;

/// A text of the customer.
pub(super) fn said(turn: &mut Turn<'_>, text: &str, intent: Intent) {
    let heard = Heard::of(text, intent, &turn.state, turn.setting, turn.local_now());
    // A lone number reads like a wish for a telephone number where nothing is known of the list it is from.
    if intent == Intent::HumanHandoff && handoff::of(&heard.cues) {
        return turn.fetch(Reason::Asked);
    }
    // Somebody who wants no messages is answered by others, and nothing is kept for them.
    if intent == Intent::OptOut {
        turn.clear();
        return turn.push(Effect::LeaveToModel { repeat: None });
    }
    if matches!(turn.state.stage, Stage::Committing { .. } | Stage::Withdrawing { .. }) {
        // Whatever was said, the answer that is outstanding comes first.
        turn.say(Saying::Checking);
        return turn.push(Effect::LookUp);
    }
    let books = is_booking(&turn.state.stage);
    if books && heard.gives_up() {
        let kept = turn.state.wish.moving.clone();
        return turn.close(kept.map_or(Saying::Dropped, Saying::Kept));
    }
    if let Some(purpose) = heard.turns_to(&turn.state).filter(|_| books) {
        return own::look(turn, purpose, &heard);
    }
    by_stage(turn, &heard);
}

/// Whether a booking or a move is under way.
fn is_booking(stage: &Stage) -> bool {
    matches!(
        stage,
        Stage::Service { .. }
            | Stage::Professional { .. }
            | Stage::Name
            | Stage::Day
            | Stage::Readings
            | Stage::Slots { .. }
            | Stage::Options { .. }
            | Stage::Holding { .. }
            | Stage::Recap { .. }
            | Stage::Waitlist
    )
}

fn by_stage(turn: &mut Turn<'_>, heard: &Heard<'_>) {
    match turn.state.stage.clone() {
        Stage::Idle => idle(turn, heard),
        Stage::Service { among } => service(turn, heard, &among),
        Stage::Professional { among } => professional(turn, heard, &among),
        Stage::Name => name(turn, heard),
        Stage::Day => day(turn, heard),
        Stage::Readings => readings(turn, heard),
        Stage::Options { options } => choosing::options(turn, heard, &options),
        Stage::Recap { slot, options, keeps } => choosing::recap(turn, heard, &slot, &options, keeps),
        // The answer that was waited for got lost: it is asked for again, with what is new.
        Stage::Slots { lead, .. } => {
            absorb(turn, heard);
            advance(turn, lead);
        }
        Stage::Holding { slot, options, .. } => {
            if absorb(turn, heard) {
                advance(turn, Lead::Fresh)
            } else {
                hold(turn, slot, options, false)
            }
        }
        Stage::Looking { purpose, .. } => own::look(turn, purpose, heard),
        Stage::Confirming { appointment } => turn.push(Effect::Confirm(appointment)),
        Stage::Waitlist => waitlist(turn, heard),
        Stage::Invited => invited(turn, heard),
        Stage::Which { purpose, among } => own::which(turn, heard, purpose, &among),
        Stage::Cancelling { appointment } => own::cancelling(turn, heard, appointment),
        Stage::Reminded { appointment } => own::reminded(turn, heard, appointment),
        Stage::Plans { appointment } => own::plans(turn, heard, appointment),
        Stage::Committing { .. } | Stage::Withdrawing { .. } => {}
    }
}

/// Nothing is going on.
pub(super) fn idle(turn: &mut Turn<'_>, heard: &Heard<'_>) {
    // Praise of the assistant counts as positive, too.
    let again = heard.intent == Intent::FollowUpPositive && heard.cues.any(&[Cue::Book, Cue::Slot]);
    match heard.intent {
        Intent::AppointmentRequest => begin(turn, heard),
        Intent::AppointmentReschedule => own::look(turn, Purpose::Move, heard),
        Intent::AppointmentCancel => own::look(turn, Purpose::Cancel, heard),
        Intent::AppointmentQuery => own::look(turn, Purpose::Tell, heard),
        _ if again => begin(turn, heard),
        _ => turn.push(Effect::LeaveToModel { repeat: None }),
    }
}

/// Begins a booking.
pub(super) fn begin(turn: &mut Turn<'_>, heard: &Heard<'_>) {
    let service = turn.state.wish.service.take();
    turn.release();
    turn.state.wish = Wish { service, ..Wish::default() };
    (turn.state.fruitless, turn.state.next) = (0, Vec::new());
    absorb(turn, heard);
    let mut others = heard.people.others.clone();
    if heard.people.me {
        turn.state.wish.patient = None;
        turn.state.next = others;
    } else if others.len() > 1 {
        turn.state.wish.patient = Some(others.remove(0));
        turn.state.next = others;
    }
    match (&heard.service, &heard.professional) {
        (Named::Several(among), _) => ask_service(turn, among.clone()),
        (_, Named::Several(among)) => ask_professional(turn, among.clone()),
        _ => advance(turn, Lead::Fresh),
    }
}

/// Takes in whatever a message says of the wish. Whether it changed anything.
pub(super) fn absorb(turn: &mut Turn<'_>, heard: &Heard<'_>) -> bool {
    let now = turn.local_now();
    let before = turn.state.wish.clone();
    let wish = &mut turn.state.wish;
    if let (Named::One(id), true) = (&heard.service, wish.moving.is_none()) {
        if wish.service.as_ref() != Some(id) {
            wish.attendee = Attendee::Open;
        }
        wish.service = Some(id.clone());
    }
    if let Named::One(id) = &heard.professional {
        wish.attendee = Attendee::One(id.clone());
    }
    if let Some(other) = heard.people.others.first().filter(|_| !heard.people.me) {
        wish.patient = Some(other.clone());
    } else if heard.people.me && turn.state.next.is_empty() {
        wish.patient = None;
    }
    wish.hear(&heard.reading, now);
    wish.impossible |= heard.past;
    turn.state.wish != before
}

fn service(turn: &mut Turn<'_>, heard: &Heard<'_>, among: &[String]) {
    let chosen = heard.line_of(among.len()).and_then(|number| among.get(number.checked_sub(1)?)).cloned();
    let named = match naming::service(heard.text, turn.setting, Some(among), false) {
        Named::Nothing => heard.service.clone(),
        named => named,
    };
    let changed = absorb(turn, heard);
    match (named, chosen) {
        (Named::One(id), _) | (Named::Nothing, Some(id)) => turn.state.wish.service = Some(id),
        (Named::Several(ids), _) if ids.len() < among.len() => return ask_service(turn, ids),
        _ if is_question(heard) => return turn.leave(),
        // A time was said instead: it is kept, and the question stands.
        _ if changed => return ask_service(turn, among.to_vec()),
        _ => return turn.miss(),
    }
    turn.state.fruitless = 0;
    advance(turn, Lead::Fresh);
}

fn professional(turn: &mut Turn<'_>, heard: &Heard<'_>, among: &[String]) {
    let chosen = heard.line_of(among.len()).and_then(|number| among.get(number.checked_sub(1)?)).cloned();
    let named = match naming::professional(heard.text, turn.setting, true) {
        Named::Several(ids) => {
            let able: Vec<String> = ids.into_iter().filter(|id| among.contains(id)).collect();
            if let [id] = able.as_slice() { Named::One(id.clone()) } else { Named::Several(able) }
        }
        named => named,
    };
    let changed = absorb(turn, heard);
    let any = heard.is_zero() || heard.takes_any();
    turn.state.wish.attendee = match (named, chosen) {
        (Named::One(id), _) | (Named::Nothing, Some(id)) if among.contains(&id) => Attendee::One(id),
        (Named::Several(ids), _) if ids.len() > 1 && ids.len() < among.len() => return ask_professional(turn, ids),
        _ if any => Attendee::Any,
        _ if is_question(heard) => {
            turn.state.wish.attendee = Attendee::Open;
            return turn.leave();
        }
        // Times instead of a name: whoever is free then.
        _ if changed && heard.names_time() => Attendee::Any,
        _ => {
            turn.state.wish.attendee = Attendee::Open;
            return turn.miss();
        }
    };
    turn.state.fruitless = 0;
    advance(turn, Lead::Fresh);
}

fn name(turn: &mut Turn<'_>, heard: &Heard<'_>) {
    if heard.people.me {
        turn.state.wish.patient = None;
        return advance(turn, Lead::Fresh);
    }
    let told = people::name_told(heard.text);
    let asks = is_question(heard) && told.is_none();
    if asks {
        return turn.leave();
    }
    let known = heard.people.others.first().and_then(|who| who.name.clone());
    let name = known.or(told);
    let relation = turn.state.wish.patient.as_ref().and_then(|who| who.relation.clone());
    if let Some(name) = name {
        turn.state.wish.patient = Some(Patient { relation, name: Some(name) });
    } else if turn.state.fruitless == 0 {
        return turn.miss();
    } else {
        // Asked twice: what they are to the customer has to do.
        let name = relation.as_deref().map_or_else(|| "Acompanhante".to_owned(), capitalised);
        turn.state.wish.patient = Some(Patient { relation, name: Some(name) });
    }
    turn.state.fruitless = 0;
    if heard.names_time() {
        let now = turn.local_now();
        turn.state.wish.hear(&heard.reading, now);
    }
    let lead = if turn.state.wish.day.is_some() && turn.state.wish.open.is_empty() { Lead::Next } else { Lead::Fresh };
    advance(turn, lead);
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Whether the model is to answer first.
pub(super) fn is_question(heard: &Heard<'_>) -> bool {
    let asks = matches!(heard.intent, Intent::Question | Intent::Complaint | Intent::FeedbackText);
    let courteous = matches!(heard.plain, Intent::Thanks | Intent::Greeting);
    let bare_topic = heard.intent == Intent::Question && !heard.cues.asks() && !heard.cues.has(Cue::Question);
    (asks || courteous) && heard.number().is_none() && !bare_topic
}

fn day(turn: &mut Turn<'_>, heard: &Heard<'_>) {
    if absorb(turn, heard) {
        return advance(turn, Lead::Fresh);
    }
    let again = heard.intent == Intent::AppointmentRequest || heard.cues.has(Cue::Slot);
    if heard.takes_any() || again {
        turn.state.wish.forget_time();
        return advance(turn, Lead::Fresh);
    }
    if is_question(heard) { turn.leave() } else { turn.miss() }
}

fn readings(turn: &mut Turn<'_>, heard: &Heard<'_>) {
    let open = turn.state.wish.open.clone();
    let agreed = heard.cues.has(Cue::Yes) && !heard.cues.has(Cue::No) && open.len() == 1;
    let number = heard.line_of(open.len()).or(agreed.then_some(1));
    if let Some(when) = number.and_then(|number| open.get(number.checked_sub(1)?)) {
        turn.state.wish.want(when.clone());
        turn.state.fruitless = 0;
        return advance(turn, Lead::Fresh);
    }
    if heard.names_time() {
        let meant: Vec<_> = open.iter().filter(|when| own::agree(heard.when(), when)).cloned().collect();
        match meant.as_slice() {
            [when] => turn.state.wish.want(when.clone()),
            _ => {
                absorb(turn, heard);
            }
        }
        if turn.state.wish.open == open {
            return turn.miss();
        }
        return advance(turn, Lead::Fresh);
    }
    if heard.cues.has(Cue::No) || heard.is_zero() {
        turn.state.wish.forget_time();
        if !turn.fruitless() {
            turn.ask(Stage::Day, Saying::AskDay);
        }
        return;
    }
    if is_question(heard) { turn.leave() } else { turn.miss() }
}

/// Asked whether to wait for a vacancy.
fn waitlist(turn: &mut Turn<'_>, heard: &Heard<'_>) {
    if heard.agrees() && !heard.names_time() {
        let service = turn.service();
        if let Some(query) = turn.query() {
            turn.push(Effect::JoinWaitlist(query));
            return turn.close(Saying::WaitlistJoined { service });
        }
        return turn.fetch(Reason::Fruitless);
    }
    if absorb(turn, heard) {
        return advance(turn, Lead::Fresh);
    }
    match heard.intent {
        Intent::Deny | Intent::Thanks | Intent::Farewell => turn.close(Saying::NoRush),
        _ if is_question(heard) => turn.leave(),
        _ => turn.miss(),
    }
}

/// Asked whether to book (again).
fn invited(turn: &mut Turn<'_>, heard: &Heard<'_>) {
    match heard.intent {
        Intent::FollowUpPositive if heard.doubtful && !heard.names_time() => turn.close(Saying::NoRush),
        Intent::FollowUpPositive | Intent::AppointmentRequest | Intent::Affirm => begin(turn, heard),
        Intent::FollowUpNegative | Intent::Deny => turn.close(Saying::NoRush),
        Intent::FeedbackText => {
            turn.push(Effect::Feedback);
            turn.close(Saying::ThanksFeedback);
        }
        // Not asked twice: it was but an offer.
        Intent::Question => turn.push(Effect::LeaveToModel { repeat: None }),
        _ => {
            turn.clear();
            idle(turn, heard);
        }
    }
}
