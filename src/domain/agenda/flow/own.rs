//! Appointments the customer has: told, moved, cancelled, confirmed.

use chrono::{DateTime, Utc};

use super::super::choice::meets;
use super::super::when::When;
use super::advance::{advance, ask_slots};
use super::event::Effect;
use super::heard::Heard;
use super::saying::Saying;
use super::state::{Appointment, Attendee, Lead, Purpose, Stage, Wish};
use super::talk::{begin, idle, is_question};
use super::turn::Turn;
use super::wish::bounds;
use crate::domain::conversation::intent::cues::Cue;
use crate::domain::conversation::intent::{self, Context, Intent};

/// More appointments than this are not listed.
const LISTED_MAX: usize = 5;

/// Reads the customer's appointments first.
pub(super) fn look(turn: &mut Turn<'_>, purpose: Purpose, heard: &Heard<'_>) {
    let back = match (&turn.state.stage, purpose) {
        // A look at the agenda interrupts nothing.
        (Stage::Looking { back, .. }, _) => back.clone(),
        // What is too old to count is not shown again.
        (stage, Purpose::Tell) if turn.question().is_some() && !turn.is_stale() => Some(Box::new(stage.clone())),
        _ => None,
    };
    let when = if purpose == Purpose::Move { None } else { heard.when().cloned() };
    if purpose != Purpose::Tell {
        turn.release();
        turn.state.wish = Wish::default();
        turn.state.next.clear();
        turn.state.fruitless = 0;
    }
    if purpose == Purpose::Move {
        let now = turn.local_now();
        turn.state.wish.hear(&heard.reading, now);
    }
    // A look aside makes what was asked before no younger.
    let since = back.as_ref().map(|_| turn.state.since);
    turn.go(Stage::Looking { purpose, when, back });
    turn.state.since = since.unwrap_or(turn.state.since);
    turn.push(Effect::ListAppointments);
}

/// The customer's appointments came.
pub(super) fn found(
    turn: &mut Turn<'_>,
    all: &[Appointment],
    purpose: Purpose,
    when: Option<&When>,
    back: Option<Stage>,
) {
    let coming: Vec<Appointment> = all.iter().filter(|one| one.end > turn.now).take(LISTED_MAX).cloned().collect();
    if let (Some(stage), false) = (&back, coming.is_empty()) {
        turn.state.stage = stage.clone();
        turn.say(Saying::Appointments(coming));
        if let Some(question) = turn.question() {
            turn.say(question);
        }
        return;
    }
    if coming.is_empty() {
        turn.state.wish.moving = None;
        return turn.ask(Stage::Invited, Saying::NoAppointments);
    }
    if purpose == Purpose::Tell {
        return turn.close(Saying::Appointments(coming));
    }
    // One that goes on already can be neither moved nor given up.
    let open: Vec<Appointment> = coming.iter().filter(|one| one.start > turn.now).cloned().collect();
    let meant: Vec<Appointment> = open.iter().filter(|one| is_meant(turn, one, when)).cloned().collect();
    match (meant.as_slice(), open.as_slice()) {
        ([one], _) | ([], [one]) => act(turn, purpose, one.clone()),
        ([], []) => turn.close(Saying::Appointments(coming)),
        ([], _) => turn.ask(Stage::Which { purpose, among: open.clone() }, Saying::Which { purpose, among: open }),
        _ => turn.ask(Stage::Which { purpose, among: meant.clone() }, Saying::Which { purpose, among: meant }),
    }
}

fn is_meant(turn: &Turn<'_>, one: &Appointment, when: Option<&When>) -> bool {
    when.is_none_or(|when| meets(when, turn.setting.local(one.start)))
}

fn act(turn: &mut Turn<'_>, purpose: Purpose, one: Appointment) {
    match purpose {
        Purpose::Move => begin_move(turn, one),
        Purpose::Cancel => {
            let question = Saying::ConfirmCancel(one.clone());
            turn.ask(Stage::Cancelling { appointment: one }, question);
        }
        Purpose::Tell => turn.close(Saying::Appointments(vec![one])),
    }
}

/// Looks for another time for an appointment; what was said of the time is in the wish already.
fn begin_move(turn: &mut Turn<'_>, one: Appointment) {
    let wish = &mut turn.state.wish;
    let by_name = || turn.setting.services.iter().find(|service| service.name == one.name).map(|s| s.id.clone());
    wish.service = one.service.clone().or_else(by_name);
    wish.attendee = one.professional.clone().map_or(Attendee::Any, Attendee::One);
    wish.patient = None;
    wish.moving = Some(one);
    advance(turn, Lead::Fresh);
}

/// Asked which of several appointments is meant.
pub(super) fn which(turn: &mut Turn<'_>, heard: &Heard<'_>, purpose: Purpose, among: &[Appointment]) {
    let by_number = heard.line_of(among.len()).and_then(|number| among.get(number.checked_sub(1)?));
    let by_time: Vec<&Appointment> = match heard.when() {
        Some(when) => among.iter().filter(|one| meets(when, turn.setting.local(one.start))).collect(),
        None => Vec::new(),
    };
    let chosen = match (by_number, by_time.as_slice()) {
        (Some(one), _) => Some(one.clone()),
        (None, [one]) => Some((*one).clone()),
        _ => None,
    };
    match chosen {
        Some(one) => {
            turn.state.fruitless = 0;
            act(turn, purpose, one);
        }
        None if heard.is_zero() || rests(heard) => turn.close(Saying::NoRush),
        None if is_question(heard) => turn.leave(),
        None => turn.miss(),
    }
}

/// "deixa pra lá", or a plain no.
fn rests(heard: &Heard<'_>) -> bool {
    (heard.cues.any(&[Cue::Drop, Cue::No]) || heard.intent == Intent::Deny) && !heard.names_time()
}

/// Asked whether to cancel.
pub(super) fn cancelling(turn: &mut Turn<'_>, heard: &Heard<'_>, one: Appointment) {
    let denies = heard.cues.any(&[Cue::No, Cue::Correction]) || heard.cues.has(Cue::Drop);
    let repeats = heard.cues.has(Cue::Cancel) && !denies && !heard.cues.asks();
    if heard.cues.any(&[Cue::Move, Cue::Shift]) && heard.intent != Intent::Affirm {
        return move_it(turn, heard, one);
    }
    if one.start <= turn.now {
        return turn.close(Saying::NoRush);
    }
    let plain = heard.agrees() || repeats && !heard.doubtful;
    match heard.intent {
        // A yes of another day is asked for again: this cannot be taken back.
        _ if plain && turn.is_stale() => {
            let question = Saying::ConfirmCancel(one.clone());
            turn.ask(Stage::Cancelling { appointment: one }, question);
        }
        _ if plain => {
            turn.go(Stage::Withdrawing { appointment: one.clone() });
            turn.push(Effect::Cancel(one));
        }
        Intent::Affirm => turn.say(Saying::ConfirmCancel(one)),
        Intent::Deny => turn.close(Saying::Kept(one)),
        _ if is_question(heard) => turn.leave(),
        _ => turn.miss(),
    }
}

/// Another time instead.
fn move_it(turn: &mut Turn<'_>, heard: &Heard<'_>, one: Appointment) {
    let now = turn.local_now();
    turn.state.wish = Wish::default();
    turn.state.wish.hear(&heard.reading, now);
    begin_move(turn, one);
}

/// Reminded of an appointment.
pub(super) fn reminded(turn: &mut Turn<'_>, heard: &Heard<'_>, one: Appointment) {
    if one.start <= turn.now {
        turn.clear();
        return idle(turn, heard);
    }
    match heard.intent {
        Intent::ConfirmPresence if !heard.doubtful => confirm(turn, one),
        Intent::AppointmentReschedule => move_it(turn, heard, one),
        Intent::AppointmentCancel if !heard.doubtful => act(turn, Purpose::Cancel, one),
        Intent::ConfirmPresence | Intent::AppointmentCancel | Intent::Deny => {
            let question = Saying::Plans(one.clone());
            turn.ask(Stage::Plans { appointment: one }, question);
        }
        Intent::AppointmentQuery => look(turn, Purpose::Tell, heard),
        Intent::AppointmentRequest => begin(turn, heard),
        // The model answers; that a reminder stands open is not forgotten.
        Intent::Question => turn.leave(),
        _ => turn.push(Effect::LeaveToModel { repeat: None }),
    }
}

fn confirm(turn: &mut Turn<'_>, one: Appointment) {
    turn.go(Stage::Confirming { appointment: one.clone() });
    turn.push(Effect::Confirm(one));
}

/// Asked whether to confirm, move or cancel.
pub(super) fn plans(turn: &mut Turn<'_>, heard: &Heard<'_>, one: Appointment) {
    if one.start <= turn.now {
        turn.clear();
        return idle(turn, heard);
    }
    match heard.line_of(3) {
        Some(1) => confirm(turn, one),
        Some(2) => move_it(turn, heard, one),
        Some(3) => act(turn, Purpose::Cancel, one),
        _ if rests(heard) => turn.miss(),
        // Said in words, it is an answer to the reminder.
        _ => {
            let intent = intent::decide(&heard.cues, Context::Reminder);
            let heard =
                Heard::within(heard.text, intent, Context::Reminder, &turn.state, turn.setting, turn.local_now());
            match heard.intent {
                _ if heard.doubtful => turn.miss(),
                Intent::Deny | Intent::Other => turn.miss(),
                _ => reminded(turn, &heard, one),
            }
        }
    }
}

/// Whether what is said now is the reading that was meant.
pub(super) fn agree(said: Option<&When>, reading: &When) -> bool {
    match (said, reading) {
        (Some(said), reading) if said == reading => true,
        (Some(When::Time(time)), When::Moment(at)) => super::super::when::ClockTime::of(*at) == *time,
        (Some(When::Times(_)), When::Moment(at)) => said.is_some_and(|said| meets(said, *at)),
        (Some(When::Times(span)), When::Time(time)) => {
            span.from.is_none_or(|from| from <= *time) && span.until.is_none_or(|until| *time < until)
        }
        (Some(When::Day(day)), other) => bounds(other).0.is_some_and(|from| from.date() == *day),
        _ => false,
    }
}

/// Slots again after somebody else took this one. What was wanted stays, so that the nearest times are shown; the one
/// that is gone is not offered again, whatever the calendar still says.
pub(super) fn again(turn: &mut Turn<'_>, gone: DateTime<Utc>, lead: Lead) {
    let gone = When::Moment(turn.setting.local(gone));
    turn.state.wish.excluded.push(gone);
    ask_slots(turn, lead, 0);
}
