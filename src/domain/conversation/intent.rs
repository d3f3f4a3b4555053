//! What a message wants, read in the context of what was said just before.
//!
//! The signs are phrases of a lexicon; which sign wins is decided by rules, one function a context. Beside them stands
//! what was learned from our own sentences: it decides when it is sure enough, and where a mistake is dear (no more
//! messages, cancelling, confirming) it must be a good deal surer than elsewhere.

mod contexts;
pub mod cues;
pub mod likelihood;

use cues::Cues;

/// What the assistant said just before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Context {
    /// Nothing that bears on the message.
    #[default]
    None,
    /// Numbered times to choose from.
    Options,
    /// The details of a booking, to be answered with yes or no.
    Recap,
    /// A reminder of an appointment, to be confirmed or moved.
    Reminder,
    /// After a visit: whether to book again.
    Followup,
}

impl Context {
    /// The context of a name such as `recap`; `None` for an unknown one.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "none" => Self::None,
            "options" => Self::Options,
            "recap" => Self::Recap,
            "reminder" => Self::Reminder,
            "followup" => Self::Followup,
            _ => return None,
        })
    }
}

macro_rules! intents {
    ($($intent:ident = $label:literal: $meaning:literal,)*) => {
        /// What a message wants.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Intent {
            $(#[doc = $meaning] $intent,)*
        }

        impl Intent {
            /// Every intent.
            pub const ALL: &'static [Self] = &[$(Self::$intent,)*];

            /// The stable name, as it is stored and counted.
            pub fn label(self) -> &'static str {
                match self {
                    $(Self::$intent => $label,)*
                }
            }
        }
    };
}

intents! {
    AppointmentRequest = "appointment_request": "Wants an appointment.",
    AppointmentReschedule = "appointment_reschedule": "Wants an appointment they have at another time.",
    AppointmentCancel = "appointment_cancel": "Gives up an appointment they have.",
    AppointmentQuery = "appointment_query": "Asks about an appointment they have.",
    ChooseOption = "choose_option": "Answers the offered times, also by refusing them.",
    ConfirmPresence = "confirm_presence": "Says they will come.",
    FollowUpPositive = "follow_up_positive": "Wants to come again; praises the assistant.",
    FollowUpNegative = "follow_up_negative": "Does not want to come again now.",
    FeedbackText = "feedback_text": "An opinion on a visit that neither books nor complains.",
    Greeting = "greeting": "Greets.",
    Farewell = "farewell": "Takes leave.",
    Thanks = "thanks": "Thanks.",
    Question = "question": "Asks for information.",
    Complaint = "complaint": "Complains, or reports a fault.",
    HumanHandoff = "human_handoff": "Wants a person, or a way to reach one.",
    Affirm = "affirm": "Yes.",
    Deny = "deny": "No, a correction, or nothing more is needed.",
    OptOut = "opt_out": "Wants no more messages.",
    Other = "other": "Anything else.",
}

/// What a message wants.
pub fn read(text: &str, context: Context) -> Intent {
    decide(&Cues::of(text), context)
}

/// What a message wants, from signs that were read already.
pub fn decide(cues: &Cues, context: Context) -> Intent {
    let ruled = by_rules(cues, context);
    // A plain word of farewell to our messages is obeyed, whatever is likely.
    if ruled == Intent::OptOut {
        return ruled;
    }
    let likely = likelihood::all(cues, context, ruled);
    let best = likely.into_iter().max_by(|a, b| a.probability.total_cmp(&b.probability));
    match best {
        Some(best) if best.probability >= sure_from(best.intent, ruled) => best.intent,
        _ => ruled,
    }
}

/// How likely an intent must be to be believed against the rules.
fn sure_from(intent: Intent, ruled: Intent) -> f32 {
    match intent {
        Intent::OptOut => 0.8,
        Intent::AppointmentCancel => 0.7,
        Intent::ConfirmPresence | Intent::Affirm => 0.6,
        // Where the rules see no appointment at all, a booking that nobody wants is worse than a question too many.
        _ if intent.is_about_appointment() && !ruled.is_about_appointment() => 0.6,
        _ => 0.4,
    }
}

impl Intent {
    /// Whether it is about an appointment: wants, moves, cancels or asks about one.
    pub fn is_about_appointment(self) -> bool {
        matches!(
            self,
            Self::AppointmentRequest | Self::AppointmentReschedule | Self::AppointmentCancel | Self::AppointmentQuery
        )
    }
}

/// What the rules alone say.
pub fn by_rules(cues: &Cues, context: Context) -> Intent {
    contexts::always(cues, context).unwrap_or_else(|| match context {
        Context::None => contexts::unprompted(cues),
        Context::Options => contexts::after_options(cues),
        Context::Recap => contexts::after_recap(cues),
        Context::Reminder => contexts::after_reminder(cues),
        Context::Followup => contexts::after_followup(cues),
    })
}
