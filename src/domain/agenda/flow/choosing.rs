//! The answer to offered times, and to the details told back.

use chrono::NaiveDateTime;

use super::super::choice::{Choice, choose, meets};
use super::super::request::{self, Situation};
use super::super::when::{Answer, When};
use super::advance::{advance, hold};
use super::event::Effect;
use super::heard::Heard;
use super::naming::Named;
use super::saying::Saying;
use super::state::{Attendee, Lead, Slot, Stage};
use super::talk::{absorb, is_question};
use super::turn::Turn;
use crate::domain::conversation::intent::cues::Cue;
use crate::domain::conversation::intent::{Context, Intent};

/// Numbered times were shown.
pub(super) fn options(turn: &mut Turn<'_>, heard: &Heard<'_>, options: &[Slot]) {
    if turn.is_stale() {
        return stale(turn, heard);
    }
    if changes(turn, heard) {
        absorb(turn, heard);
        return advance(turn, Lead::Fresh);
    }
    // A list is not shown again when some of it is over.
    let over = options.iter().any(|slot| slot.start <= turn.now);
    if matches!(heard.intent, Intent::Question | Intent::Complaint) && !heard.names_time() {
        return if over { stale(turn, heard) } else { turn.leave() };
    }
    if heard.is_zero() {
        return other_day(turn);
    }
    let local = locals(turn, options);
    let situation = Situation { now: turn.local_now(), context: Context::Options, options: &local };
    let choice = request::read(heard.text, Intent::ChooseOption, &situation).choice.unwrap_or(Choice::Nothing);
    match choice {
        Choice::Option(number) => match number.checked_sub(1).and_then(|at| options.get(at)) {
            Some(slot) => take(turn, heard, slot.clone(), options),
            None => turn.miss(),
        },
        Choice::Any => match options.first() {
            Some(slot) => take(turn, heard, slot.clone(), options),
            None => turn.miss(),
        },
        Choice::Open | Choice::Nothing if over => stale(turn, heard),
        Choice::Open => open(turn, heard, options, &local),
        Choice::OtherDay | Choice::NoneFits if heard.names_time() => {
            absorb(turn, heard);
            advance(turn, Lead::Fresh);
        }
        Choice::OtherDay => other_day(turn),
        Choice::NoneFits => others(turn, options),
        Choice::Nothing if heard.intent == Intent::Deny => others(turn, options),
        Choice::Nothing if is_question(heard) => turn.leave(),
        Choice::Nothing => turn.miss(),
    }
}

fn locals(turn: &Turn<'_>, options: &[Slot]) -> Vec<NaiveDateTime> {
    options.iter().map(|slot| turn.setting.local(slot.start)).collect()
}

/// The times shown are too old to count: what was said of the wish is kept, a number of that list is not.
fn stale(turn: &mut Turn<'_>, heard: &Heard<'_>) {
    if matches!(heard.intent, Intent::Question | Intent::Complaint) && !heard.names_time() {
        turn.push(Effect::LeaveToModel { repeat: None });
        return;
    }
    if turn.state.wish.day.is_some() && turn.state.wish.range(turn.setting, turn.now).is_none() {
        turn.state.wish.forget_time();
    }
    absorb(turn, heard);
    advance(turn, Lead::Expired);
}

/// Another service, professional or person than the one the times are for.
fn changes(turn: &Turn<'_>, heard: &Heard<'_>) -> bool {
    let wish = &turn.state.wish;
    let service =
        matches!(&heard.service, Named::One(id) if wish.service.as_ref() != Some(id)) && wish.moving.is_none();
    let professional = matches!(&heard.professional, Named::One(id) if wish.attendee != Attendee::One(id.clone()));
    service || professional
}

/// An option was taken; for somebody else whose name is not known yet, the name comes first.
fn take(turn: &mut Turn<'_>, heard: &Heard<'_>, slot: Slot, options: &[Slot]) {
    if let Some(other) = heard.people.others.first().filter(|_| !heard.people.me && turn.state.wish.moving.is_none()) {
        turn.state.wish.patient = Some(other.clone());
    }
    if turn.state.wish.patient.as_ref().is_some_and(|who| who.name.is_none()) && turn.state.wish.moving.is_none() {
        let local = turn.setting.local(slot.start);
        turn.state.wish.want(When::Moment(local));
        return advance(turn, Lead::Fresh);
    }
    hold(turn, slot, options.to_vec(), false);
}

/// One of them is meant, and it is open which.
fn open(turn: &mut Turn<'_>, heard: &Heard<'_>, options: &[Slot], local: &[NaiveDateTime]) {
    let readings: Vec<When> = match choose(heard.text, local, turn.local_now()).reading.answer {
        Answer::Ambiguous { sure, readings } => readings.into_iter().chain(sure).collect(),
        Answer::Clear(when) => vec![when],
        Answer::Nothing => Vec::new(),
    };
    let fitting: Vec<(usize, Slot)> = (1..)
        .zip(options)
        .filter(|(_, slot)| readings.iter().any(|when| meets(when, turn.setting.local(slot.start))))
        .map(|(number, slot)| (number, slot.clone()))
        .collect();
    // None of the readings is on offer: it is a new wish that has to be made clear.
    if fitting.is_empty() && !readings.is_empty() && absorb(turn, heard) {
        return advance(turn, Lead::Fresh);
    }
    if turn.fruitless() {
        return;
    }
    let all = || (1..).zip(options.iter().cloned()).collect();
    turn.say(Saying::WhichOption { options: if fitting.is_empty() { all() } else { fitting } });
}

/// Another day, without saying which.
fn other_day(turn: &mut Turn<'_>) {
    if !turn.fruitless() {
        turn.state.wish.forget_time();
        turn.ask(Stage::Day, Saying::AskDay);
    }
}

/// None of them: those of later days.
fn others(turn: &mut Turn<'_>, options: &[Slot]) {
    if turn.fruitless() {
        return;
    }
    let last = options.iter().map(|slot| turn.setting.local(slot.start).date()).max();
    // The days that were named are used up; the hours stay.
    turn.state.wish.day = None;
    turn.state.wish.after = last;
    advance(turn, Lead::Others);
}

/// The details were told back.
pub(super) fn recap(turn: &mut Turn<'_>, heard: &Heard<'_>, slot: &Slot, options: &[Slot], keeps: bool) {
    if slot.start <= turn.now {
        turn.state.wish.forget_time();
        return stale(turn, heard);
    }
    // "Acho que sim, não sei": neither a yes nor a no.
    let hesitates = heard.hesitates() && matches!(heard.intent, Intent::Affirm | Intent::Deny) && !heard.names_time();
    if (heard.intent == Intent::Affirm || hesitates) && !changes(turn, heard) {
        return match heard.doubtful || hesitates {
            true => {
                let question = turn.recap(slot, true);
                turn.say(question);
            }
            false => agreed(turn, slot, options, keeps),
        };
    }
    if changes(turn, heard) {
        absorb(turn, heard);
        return advance(turn, Lead::Fresh);
    }
    if heard.people.me && turn.state.wish.patient.is_some() && turn.state.next.is_empty() {
        turn.state.wish.patient = None;
        return turn.ask_recap(slot.clone(), options.to_vec(), keeps);
    }
    if !heard.people.others.is_empty() && turn.state.wish.moving.is_none() {
        return take(turn, heard, slot.clone(), options);
    }
    if let Some(other) = chosen_instead(turn, heard, options).filter(|other| other != slot) {
        return hold(turn, other, options.to_vec(), false);
    }
    corrected(turn, heard, slot);
}

/// Another time is wanted, a question asked, or just no.
fn corrected(turn: &mut Turn<'_>, heard: &Heard<'_>, slot: &Slot) {
    let local = turn.setting.local(slot.start);
    let same = heard.when().is_some_and(|when| meets(when, local)) && heard.reading.excluded.is_empty();
    if heard.names_time() && !(same && heard.intent != Intent::Deny) {
        if matches!(heard.when(), Some(When::Time(_) | When::Times(_))) {
            // "não, às 15h": of the same day.
            turn.state.wish.want(When::Day(local.date()));
        } else {
            turn.state.wish.forget_time();
        }
        absorb(turn, heard);
        return advance(turn, Lead::Fresh);
    }
    match heard.intent {
        Intent::Deny => {
            let moving = turn.state.wish.moving.is_some();
            if !turn.fruitless() {
                turn.release();
                turn.state.wish.forget_time();
                turn.ask(Stage::Day, Saying::NotBooked { moving });
            }
        }
        _ if is_question(heard) => turn.leave(),
        _ => turn.miss(),
    }
}

/// Another one of the times that were shown before.
fn chosen_instead(turn: &Turn<'_>, heard: &Heard<'_>, options: &[Slot]) -> Option<Slot> {
    if options.len() < 2 || heard.cues.asks() && !heard.cues.has(Cue::No) {
        return None;
    }
    let local = locals(turn, options);
    match choose(heard.text, &local, turn.local_now()).choice {
        Choice::Option(number) => options.get(number.checked_sub(1)?).cloned(),
        _ => None,
    }
}

/// A yes to the details.
fn agreed(turn: &mut Turn<'_>, slot: &Slot, options: &[Slot], keeps: bool) {
    let kept = turn.state.hold.as_ref().is_some_and(|hold| hold.slot == *slot && hold.until > turn.now);
    if kept || !keeps {
        return commit(turn, slot.clone());
    }
    // The time it was kept for is over: it is kept again first. A yes of another day is asked for again.
    let agreed = !turn.is_stale();
    turn.state.hold = None;
    hold(turn, slot.clone(), options.to_vec(), agreed);
}

/// Books, or moves.
pub(super) fn commit(turn: &mut Turn<'_>, slot: Slot) {
    let order = turn.order(&slot);
    let effect = if order.moving.is_some() { Effect::Reschedule(order) } else { Effect::Book(order) };
    turn.go(Stage::Committing { slot });
    turn.push(effect);
}
