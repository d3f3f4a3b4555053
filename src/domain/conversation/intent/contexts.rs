//! Which sign wins, context by context.

use super::cues::{Cue, Cues};
use super::{Context, Intent};

/// A bare topic ("prazo de entrega") has at most so many words.
const TOPIC_WORDS_MAX: usize = 7;
/// What is not told from its signs in a few words asks for nothing.
const ANSWER_WORDS_MAX: usize = 6;
/// A question shows at its first words; later ones may stand in a subordinate clause.
const QUESTION_STARTS_BY: usize = 2;
/// A wish for a telephone number is told in so many words.
const CONTACT_WORDS_MAX: usize = 12;

/// What means the same in every context: no more messages, a person.
pub(super) fn always(cues: &Cues, context: Context) -> Option<Intent> {
    if cues.has(Cue::OptOut) {
        return Some(Intent::OptOut);
    }
    if cues.has(Cue::WrongNumber) {
        return Some(Intent::Other);
    }
    if cues.has(Cue::Handoff) && !(context == Context::None && cues.has(Cue::Own)) {
        return Some(Intent::HumanHandoff);
    }
    None
}

/// Nothing was said before that bears on the message.
pub(super) fn unprompted(cues: &Cues) -> Intent {
    if cues.substance() == 0 || cues.only(&[Cue::Greeting, Cue::Farewell, Cue::Thanks]) {
        return courtesy(cues);
    }
    if cues.has(Cue::AboutBot) && !cues.has(Cue::Praise) {
        return Intent::Other;
    }
    appointment(cues).unwrap_or_else(|| talk(cues))
}

/// What is said about an appointment, when anything is.
fn appointment(cues: &Cues) -> Option<Intent> {
    if cues.has(Cue::Move) {
        return Some(Intent::AppointmentReschedule);
    }
    if cues.has(Cue::Cancel) || (cues.has(Cue::IfCancel) && !cues.asks()) {
        return Some(Intent::AppointmentCancel);
    }
    let has_one = cues.any(&[Cue::Own, Cue::Appointment, Cue::Cant, Cue::Away]);
    if cues.has(Cue::Shift) && !cues.has(Cue::Complaint) && (has_one || !cues.has(Cue::Book)) {
        return Some(Intent::AppointmentReschedule);
    }
    let other_time = cues.has(Cue::Slot) || (cues.asks() && cues.any(&[Cue::Own, Cue::Appointment]));
    if cues.has(Cue::Cant) && other_time {
        return Some(Intent::AppointmentReschedule);
    }
    let absent = (cues.has(Cue::Cant) && cues.any(&[Cue::Time, Cue::Drop, Cue::Appointment]))
        || (cues.has(Cue::Away) && cues.has(Cue::Appointment));
    if absent && !cues.any(&[Cue::Book, Cue::Slot]) {
        return Some(Intent::AppointmentCancel);
    }
    if cues.has(Cue::Own) && cues.asks() {
        return Some(Intent::AppointmentQuery);
    }
    if cues.has(Cue::Complaint) && !cues.any(&[Cue::Book, Cue::Slot]) {
        return None;
    }
    if cues.has(Cue::Book) {
        return Some(Intent::AppointmentRequest);
    }
    if cues.has(Cue::Own) {
        return Some(Intent::AppointmentQuery);
    }
    (cues.has(Cue::Slot) && (cues.asks() || !cues.has(Cue::Statement))).then_some(Intent::AppointmentRequest)
}

/// Whether the message is unhappy or tells of a fault; asking how to mend something is neither.
fn complains(cues: &Cues) -> bool {
    cues.has(Cue::Complaint) || (cues.has(Cue::Fault) && !asks_plainly(cues))
}

/// Whether the message is a question from its first words on, or ends as one.
fn asks_plainly(cues: &Cues) -> bool {
    cues.asks() || cues.first(Cue::Question).is_some_and(|hit| hit.start <= QUESTION_STARTS_BY)
}

/// What is said when it is not about an appointment.
fn talk(cues: &Cues) -> Intent {
    let short = cues.substance() <= ANSWER_WORDS_MAX;
    if cues.has(Cue::Closing) && short && !cues.asks() && !cues.has(Cue::Complaint) {
        return Intent::Deny;
    }
    if complains(cues) {
        return Intent::Complaint;
    }
    if cues.has(Cue::Contact) && cues.substance() <= CONTACT_WORDS_MAX {
        return Intent::HumanHandoff;
    }
    if cues.has(Cue::Praise) && !cues.asks() && (short || !cues.has(Cue::Statement)) {
        return if cues.has(Cue::Thanks) { Intent::Thanks } else { Intent::FollowUpPositive };
    }
    if cues.has(Cue::Farewell) && short {
        return Intent::Farewell;
    }
    if cues.has(Cue::Greeting) && cues.substance() <= 2 {
        return Intent::Greeting;
    }
    if cues.has(Cue::Thanks) && !cues.asks() && !cues.has(Cue::Question) {
        return Intent::Thanks;
    }
    plain(cues)
}

/// A yes, a no, a question, or something told.
fn plain(cues: &Cues) -> Intent {
    let asks = asks_plainly(cues);
    if !asks && cues.has(Cue::No) && cues.substance() <= ANSWER_WORDS_MAX {
        return Intent::Deny;
    }
    if !cues.asks() && cues.has(Cue::Yes) && (cues.substance() <= 2 || cues.only(&[Cue::Yes, Cue::Thanks])) {
        return Intent::Affirm;
    }
    let tells = cues.has(Cue::Statement) || cues.is_finished();
    if asks || (cues.has(Cue::Question) && !tells) {
        return Intent::Question;
    }
    if tells || cues.has(Cue::Time) || cues.substance() > TOPIC_WORDS_MAX {
        return Intent::Other;
    }
    Intent::Question
}

/// Greeting, leave or thanks, when the message is nothing else.
fn courtesy(cues: &Cues) -> Intent {
    if cues.has(Cue::Farewell) && !(cues.has(Cue::Thanks) && cues.reading().words().len() < 2) {
        return Intent::Farewell;
    }
    if cues.has(Cue::Thanks) {
        return Intent::Thanks;
    }
    if cues.has(Cue::Greeting) {
        return Intent::Greeting;
    }
    if cues.any(&[Cue::Yes]) {
        return Intent::Affirm;
    }
    if cues.has(Cue::No) { Intent::Deny } else { Intent::Other }
}

/// Numbered times were offered: nearly everything answers them.
pub(super) fn after_options(cues: &Cues) -> Intent {
    if cues.has(Cue::Drop) {
        return Intent::Deny;
    }
    if cues.has(Cue::Complaint) {
        return Intent::Complaint;
    }
    if cues.asks() && !cues.any(&[Cue::Slot, Cue::Move, Cue::Shift, Cue::Time, Cue::Yes]) {
        return Intent::Question;
    }
    if cues.has(Cue::Cancel) {
        return Intent::Deny;
    }
    Intent::ChooseOption
}

/// The details of a booking were told back: a yes that takes nothing back is a yes.
pub(super) fn after_recap(cues: &Cues) -> Intent {
    let yes = cues.has(Cue::Yes);
    if yes && !cues.any(&[Cue::Correction, Cue::Drop, Cue::Cancel]) {
        return Intent::Affirm;
    }
    if cues.any(&[Cue::No, Cue::Correction, Cue::Drop, Cue::Cancel, Cue::Move, Cue::Shift, Cue::Cant]) {
        return Intent::Deny;
    }
    if cues.asks() || cues.has(Cue::Question) {
        return Intent::Question;
    }
    match cues.has(Cue::Time) {
        true => Intent::Deny,
        false => unprompted(cues),
    }
}

/// An appointment was recalled.
pub(super) fn after_reminder(cues: &Cues) -> Intent {
    let cant = cues.any(&[Cue::Cant, Cue::Cancel, Cue::Away]);
    let gives_up = cues.has(Cue::Cancel);
    let comes = cues.has(Cue::Come) && !cant && !cues.asks();
    if cues.has(Cue::Move) || (!gives_up && !comes && cues.has(Cue::Shift)) {
        return Intent::AppointmentReschedule;
    }
    if !gives_up && cues.any(&[Cue::Slot, Cue::Book]) && (cant || cues.asks()) {
        return Intent::AppointmentReschedule;
    }
    if comes {
        return Intent::ConfirmPresence;
    }
    if cant || cues.has(Cue::IfCancel) || cues.has(Cue::Drop) {
        return Intent::AppointmentCancel;
    }
    if cues.has(Cue::Complaint) {
        return Intent::Complaint;
    }
    if cues.has(Cue::Own) {
        return Intent::AppointmentQuery;
    }
    if cues.asks() || cues.has(Cue::Question) {
        return Intent::Question;
    }
    if cues.has(Cue::No) {
        return Intent::Deny;
    }
    if cues.any(&[Cue::Yes, Cue::Time]) {
        return Intent::ConfirmPresence;
    }
    unprompted(cues)
}

/// After a visit it was asked whether to book again.
pub(super) fn after_followup(cues: &Cues) -> Intent {
    let agrees = cues.first(Cue::Yes).is_some_and(|yes| {
        yes.start == 0 && !cues.hits(Cue::Praise).any(|praise| praise.start == 0 && praise.end > yes.end)
    });
    if (cues.has(Cue::Complaint) || cues.has(Cue::Fault)) && !agrees && !cues.has(Cue::Book) {
        return if cues.has(Cue::Praise) && (!cues.has(Cue::Complaint) || ends_well(cues)) {
            Intent::FeedbackText
        } else {
            Intent::Complaint
        };
    }
    if cues.first(Cue::Rating).is_some_and(|hit| !agrees || hit.start == 0) {
        return Intent::FeedbackText;
    }
    if cues.any(&[Cue::Later, Cue::No, Cue::Drop]) && !cues.has(Cue::Book) {
        return Intent::FollowUpNegative;
    }
    if cues.has(Cue::Praise) && !agrees && !cues.any(&[Cue::Book, Cue::Time]) {
        return Intent::FeedbackText;
    }
    if cues.any(&[Cue::Yes, Cue::Book, Cue::Slot, Cue::Time, Cue::Maybe]) {
        return Intent::FollowUpPositive;
    }
    unprompted(cues)
}

/// Whether praise stands after what is complained of ("demorou, mas ficou ótimo").
fn ends_well(cues: &Cues) -> bool {
    let bad = cues.last(Cue::Complaint).or(cues.last(Cue::Fault)).map(|hit| hit.start);
    let good = cues.last(Cue::Praise).map(|hit| hit.start);
    good.is_some_and(|good| bad.is_none_or(|bad| good > bad))
}
