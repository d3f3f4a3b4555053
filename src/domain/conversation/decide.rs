//! What to do about a conversation's waiting messages.
//!
//! The order is the order of what would hurt most: a wish to be left alone comes before everything, then a person's turn,
//! then attacks, then a wish for a person, then all else.

use chrono::DateTime;

use super::advice::Field;
use super::history::{Author, Line};
use super::injection::{Verdict, judge};
use super::intent::cues::Cues;
use super::intent::{self, Context, Intent};
use super::loop_guard::Said;
use super::opt_out::{self, OptChange};
use super::sentiment::{self, Mood, Sentiment};
use super::standing::{HandOff, Standing};
use super::template::Template;
use super::urgency::{self, Urgency};
use super::{advice, feedback, handoff, loop_guard};
use crate::domain::inbound::{InboundMessage, MessageKind};
use crate::domain::text::reading::Script;

/// What is known when a decision is taken.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// All waiting messages of the customer, oldest first.
    pub messages: &'a [&'a InboundMessage],
    /// What was said before, oldest first.
    pub history: &'a [Line],
    /// How the conversation stands.
    pub standing: &'a Standing,
    /// What the assistant said just before.
    pub context: Context,
    /// Where the booking conversation stands.
    pub booking: Booking,
    /// Whether the model answers.
    pub ai_enabled: bool,
    /// Whether conversations between machines are cut.
    pub loop_guard: bool,
    /// Whether sound is still to be put into words.
    pub transcribes: bool,
    /// Milliseconds since 1970.
    pub now_ms: i64,
}

/// Where the booking conversation stands, as far as a decision needs to know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Booking {
    /// None is under way; a message may begin one.
    #[default]
    Idle,
    /// It waits for an answer.
    UnderWay,
    /// It has heard the messages and leaves them to others.
    LeftToOthers,
}

/// What the customer's words say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Understanding {
    /// What is wanted.
    pub intent: Intent,
    /// In what mood.
    pub mood: Sentiment,
    /// How much of a hurry.
    pub urgency: Urgency,
    /// What is thought of us, when the words say so.
    pub feedback: Option<Mood>,
}

/// A decision, before any model was asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// What to do.
    pub step: Step,
    /// The one injection verdict of the turn.
    pub verdict: Verdict,
    /// What the words say.
    pub understanding: Understanding,
    /// A person is asked for.
    pub hand_off: Option<HandOff>,
    /// A change of mind about being written to.
    pub consent: Option<OptChange>,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Ask the model.
    Ask,
    /// Go on with the booking conversation, or begin one.
    Agenda,
    /// Put the sound into words first, then decide again.
    Listen,
    /// Say a ready text.
    Say(Template),
    /// Say nothing.
    Silence(Silence),
}

/// Why nothing is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// A person attends, or is waited for.
    NotOurs,
    /// Two machines seem to be talking to each other.
    Loop,
}

impl Silence {
    /// The stable name, as it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotOurs => "not_ours",
            Self::Loop => "loop",
        }
    }
}

/// Below this a complaint alone fetches a person.
const FURIOUS: f32 = -0.75;

/// Decides about all waiting messages of a customer at once.
pub fn decide(situation: &Situation<'_>) -> Decision {
    let words: Vec<&str> =
        situation.messages.iter().filter_map(|message| Some(message.text.as_ref()?.as_str())).collect();
    let text = words.join("\n");
    let script = Script::of(&text);
    let cues = Cues::of_script(&script);
    let mood = sentiment::read_in(&script);
    let understanding = Understanding {
        intent: intent::decide(&cues, situation.context),
        mood,
        urgency: urgency::read_in(&script),
        feedback: feedback_in(&script, mood, situation.context),
    };
    let mut decision =
        Decision { step: Step::Ask, verdict: judge(&text), understanding, hand_off: None, consent: None };
    settle(situation, (&words, &script), &cues, &mut decision);
    decision
}

fn settle(situation: &Situation<'_>, (words, script): (&[&str], &Script<'_>), cues: &Cues, decision: &mut Decision) {
    let standing = situation.standing;
    if let Some(change) = consent(situation, words, cues) {
        decision.consent = Some(change);
        decision.step = Step::Say(match change {
            OptChange::Out => Template::OptOut,
            OptChange::In => Template::OptIn,
        });
    } else if standing.is_silent(situation.now_ms) {
        decision.step = Step::Silence(Silence::NotOurs);
    } else if situation.loop_guard && loops(situation, words) {
        decision.step = Step::Silence(Silence::Loop);
        decision.hand_off = Some(HandOff::Loop);
    } else if decision.verdict.blocks() {
        decision.step = Step::Say(Template::Injection);
    } else if decision.understanding.urgency == Urgency::Emergency {
        (decision.step, decision.hand_off) = (Step::Say(Template::Emergency), Some(HandOff::Emergency));
    } else if wants_person(situation, cues, decision.understanding.intent) {
        (decision.step, decision.hand_off) = (Step::Say(Template::Handoff), Some(HandOff::Asked));
    } else if !words.is_empty() && is_about_agenda(situation, decision) {
        decision.step = Step::Agenda;
    } else if !situation.ai_enabled {
        (decision.step, decision.hand_off) = (Step::Say(Template::AiDisabled), Some(HandOff::AiDisabled));
    } else if situation.transcribes && situation.messages.iter().any(|message| is_unheard(message)) {
        decision.step = Step::Listen;
    } else if words.is_empty() && situation.messages.iter().all(|message| message.kind != MessageKind::Text) {
        decision.step = Step::Say(Template::Media);
    } else if upset(decision.understanding) && standing.clone().felt(true) || furious(decision.understanding) {
        (decision.step, decision.hand_off) = (Step::Say(Template::Complaint), Some(HandOff::Mood));
    } else if let Some(field) = advice::asked_in(script) {
        decision.step = Step::Say(match field {
            Field::Clinical => Template::Clinical,
            Field::Legal => Template::Legal,
            Field::Financial => Template::Financial,
        });
    }
}

/// Whether two machines seem to be talking to each other.
fn loops(situation: &Situation<'_>, words: &[&str]) -> bool {
    let moment = |ms| DateTime::from_timestamp_millis(ms).unwrap_or_default();
    let before = situation.history.iter().map(|line| Said { by: line.by, text: &line.text, at: moment(line.at_ms) });
    let now = words.iter().map(|text| Said { by: Author::Customer, text, at: moment(situation.now_ms) });
    let said: Vec<Said<'_>> = before.chain(now).collect();
    matches!(loop_guard::judge(&said, &loop_guard::Limits::default()), loop_guard::Verdict::Loop(_))
}

/// Whether the booking conversation is to hear it. Somebody who is upset is not asked for a day; and where sound is still
/// to be put into words, that comes first.
fn is_about_agenda(situation: &Situation<'_>, decision: &Decision) -> bool {
    let understanding = decision.understanding;
    let unheard = situation.transcribes && situation.messages.iter().any(|message| is_unheard(message));
    let sour = upset(understanding) && situation.standing.clone().felt(true) || furious(understanding);
    let concerned = match situation.booking {
        Booking::Idle => understanding.intent.is_about_appointment(),
        Booking::UnderWay => true,
        Booking::LeftToOthers => false,
    };
    concerned && !unheard && !sour
}

/// A person is asked for, or accepted after one was offered. In the middle of a booking a lone number or a yes is an
/// answer to what was asked there.
fn wants_person(situation: &Situation<'_>, cues: &Cues, intent: Intent) -> bool {
    match situation.booking {
        Booking::Idle => handoff::of(cues) || situation.standing.offered_person && intent == Intent::Affirm,
        _ => intent == Intent::HumanHandoff && handoff::of(cues),
    }
}

/// Praise or blame: a grade, or a few plain words. In long texts such words are about something else.
fn feedback_in(script: &Script<'_>, mood: Sentiment, context: Context) -> Option<Mood> {
    const WORDS_MAX: usize = 12;
    let brief = script.text().split_whitespace().take(WORDS_MAX + 1).count() <= WORDS_MAX;
    let mood = if brief || context == Context::Followup { feedback::read_in(script, || mood) } else { Mood::Neutral };
    (mood != Mood::Neutral).then_some(mood)
}

/// The last words about being written to; "voltar" means nothing to somebody who never left.
fn consent(situation: &Situation<'_>, words: &[&str], cues: &Cues) -> Option<OptChange> {
    let change = match words {
        [_] | [] => opt_out::of(cues),
        many => many.iter().rev().find_map(|text| opt_out::read(text)),
    };
    change.filter(|change| *change == OptChange::Out || situation.standing.opted_out)
}

/// Whether a message is sound that could still be put into words.
fn is_unheard(message: &InboundMessage) -> bool {
    message.kind == MessageKind::Audio && message.text.is_none() && message.media.is_some()
}

/// Whether a message counts as upset: a complaint, or a mood that shows.
pub fn upset(understanding: Understanding) -> bool {
    understanding.mood.mood == Mood::Negative && understanding.mood.score <= -0.3
        || understanding.intent == Intent::Complaint && understanding.mood.mood != Mood::Positive
}

fn furious(understanding: Understanding) -> bool {
    understanding.intent == Intent::Complaint && understanding.mood.score <= FURIOUS
}
