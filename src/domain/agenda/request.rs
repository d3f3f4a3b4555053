//! A message about an appointment in its context: the time it speaks of, the option it takes, and whether a careful
//! person would ask back before acting on it.

mod doubt;

use chrono::NaiveDateTime;

use super::choice::{Choice, choose_line};
use super::when::lex::Line;
use super::when::{Aim, Answer, Frame, Reading, When, read_line};
use crate::domain::conversation::intent::{Context, Intent};

/// What a message says about an appointment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What is sure of the time: the wanted one, or of a cancellation or a question that of the appointment.
    pub when: Option<When>,
    /// What is ruled out.
    pub excluded: Vec<When>,
    /// What was taken of the offered times; `None` where none were offered or the message is about something else.
    pub choice: Option<Choice>,
    /// Whether to ask what is meant before anything is done.
    pub ask: bool,
}

/// What was known when the message came.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// The local "now".
    pub now: NaiveDateTime,
    /// What the assistant said just before.
    pub context: Context,
    /// The local times on offer, in the order they were shown in; empty elsewhere.
    pub options: &'a [NaiveDateTime],
}

/// Reads a message that means `intent`.
pub fn read(text: &str, intent: Intent, situation: &Situation<'_>) -> Request {
    let line = Line::of(text);
    if intent == Intent::ChooseOption && !situation.options.is_empty() {
        return chosen(&line, situation);
    }
    let aim = match intent {
        Intent::AppointmentReschedule => Aim::Move,
        Intent::AppointmentCancel | Intent::AppointmentQuery | Intent::ConfirmPresence => Aim::Existing,
        Intent::Deny if situation.context == Context::Recap => Aim::Move,
        _ => Aim::Wish,
    };
    let reading = if says_no_time(intent) {
        Reading::default()
    } else {
        read_line(&line, &Frame::booking(situation.now).aiming(aim))
    };
    let open_time = reading.is_ambiguous() && acts_on_time(intent);
    let ask = open_time || doubt::is_doubtful(&line, intent, situation.context, &reading);
    Request { when: reading.sure().cloned(), excluded: reading.excluded, choice: None, ask }
}

fn chosen(line: &Line, situation: &Situation<'_>) -> Request {
    let chosen = choose_line(line, situation.options, situation.now);
    let unclear = matches!(chosen.choice, Choice::Open | Choice::Nothing);
    let vague = doubt::is_vague_hour(line) || doubt::is_hedged(line);
    let when = match &chosen.reading.answer {
        _ if vague => None,
        Answer::Clear(when) => Some(when.clone()),
        Answer::Ambiguous { sure, readings } => match chosen.choice {
            // The option settles what was open.
            Choice::Option(_) => readings
                .iter()
                .find(|when| situation.options.iter().any(|option| super::choice::meets(when, *option)))
                .or(sure.as_ref())
                .cloned(),
            _ => sure.clone(),
        },
        Answer::Nothing => None,
    };
    let choice = if vague { Choice::Open } else { chosen.choice };
    Request { when, excluded: chosen.reading.excluded, choice: Some(choice), ask: unclear || vague }
}

/// Messages that speak of no time one could act on.
fn says_no_time(intent: Intent) -> bool {
    matches!(
        intent,
        Intent::Complaint
            | Intent::OptOut
            | Intent::FeedbackText
            | Intent::HumanHandoff
            | Intent::Greeting
            | Intent::Farewell
            | Intent::Thanks
            | Intent::FollowUpNegative
    )
}

/// Messages on which something is done with their time.
fn acts_on_time(intent: Intent) -> bool {
    matches!(
        intent,
        Intent::AppointmentRequest
            | Intent::AppointmentReschedule
            | Intent::AppointmentCancel
            | Intent::FollowUpPositive
            | Intent::Affirm
            | Intent::Deny
            | Intent::ChooseOption
    )
}
