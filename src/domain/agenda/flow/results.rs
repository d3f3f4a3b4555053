//! What the calendar and the database answered.

use chrono::{DateTime, TimeDelta, Utc};

use super::super::when::When;
use super::advance::advance;
use super::choosing::commit;
use super::committed::{Committed, Deed};
use super::event::{Effect, Event, Free, Reason};
use super::offer::{Offer, choose};
use super::own;
use super::saying::Saying;
use super::state::{Appointment, Attendee, Hold, Lead, Slot, Stage, Wish};
use super::turn::Turn;

/// How many times the search goes further when nothing is free.
const WIDENED_MAX: u8 = 3;
/// A reminder goes out the day before when the appointment is farther away than this.
const REMINDED_FROM_HOURS: i64 = 24;

/// Anything but a text.
pub(super) fn happened(turn: &mut Turn<'_>, event: Event<'_>) {
    match event {
        Event::Said { .. } => {}
        Event::Slots(free) => slots(turn, free),
        Event::Held(hold) => held(turn, hold),
        Event::CannotHold => cannot_hold(turn),
        Event::Taken => taken(turn),
        Event::Committed(committed) => done(turn, committed),
        Event::Unknown => failed(turn, Reason::Unknown),
        Event::Refused => failed(turn, Reason::Refused),
        Event::CalendarDown => failed(turn, Reason::CalendarDown),
        Event::Appointments(all) => appointments(turn, all),
        // Nothing is said of it: a later yes keeps the slot anew.
        Event::Expired => turn.state.hold = turn.state.hold.take().filter(|hold| hold.until > turn.now),
        Event::Reminded(one) => reminded(turn, one),
        Event::FollowedUp { service } => followed_up(turn, service),
        Event::Vacancy { service, hold } => vacancy(turn, service, hold),
    }
}

fn slots(turn: &mut Turn<'_>, free: &[Free]) {
    let Stage::Slots { lead, until, widened, .. } = turn.state.stage.clone() else { return };
    match choose(free, &turn.state.wish, turn.setting, turn.now) {
        Offer::Exact(slot) => super::advance::hold(turn, slot, Vec::new(), false),
        Offer::Fitting(options) => offer(turn, options, lead),
        Offer::Near(options) => {
            let hours_only = turn.state.wish.day.is_none() && turn.state.wish.hour.is_some();
            // Hours of any day: there may be some farther on.
            if hours_only && widened < WIDENED_MAX && further(turn, lead, until, widened) {
                return;
            }
            let lead = if matches!(lead, Lead::Taken | Lead::Expired) { lead } else { Lead::Near };
            offer(turn, options, lead);
        }
        Offer::Nothing => {
            if widened < WIDENED_MAX && further(turn, lead, until, widened) {
                return;
            }
            if !turn.fruitless() {
                let service = turn.service();
                turn.ask(Stage::Waitlist, Saying::NoneFree { service });
            }
        }
    }
}

fn offer(turn: &mut Turn<'_>, options: Vec<Slot>, lead: Lead) {
    let question = turn.options(lead, &options);
    turn.ask(Stage::Options { options }, question);
}

/// Looks from where the last search ended; `false` where nothing can be booked any more.
fn further(turn: &mut Turn<'_>, lead: Lead, until: DateTime<Utc>, widened: u8) -> bool {
    let last = turn.now + TimeDelta::days(turn.setting.days_max.into());
    let Some(mut query) = turn.query().filter(|_| until < last) else { return false };
    query.from = until;
    query.until = (until + TimeDelta::days(turn.setting.days_ahead.max(1).into())).min(last);
    turn.go(Stage::Slots { lead, from: query.from, until: query.until, widened: widened + 1 });
    turn.push(Effect::AskSlots(query));
    true
}

fn held(turn: &mut Turn<'_>, hold: Hold) {
    match turn.state.stage.clone() {
        Stage::Holding { slot, options, agreed } if slot == hold.slot => {
            turn.state.hold = Some(hold);
            if agreed { commit(turn, slot) } else { turn.ask_recap(slot, options, true) }
        }
        // Nobody waits for it any more.
        _ => turn.push(Effect::Release(hold)),
    }
}

fn cannot_hold(turn: &mut Turn<'_>) {
    if let Stage::Holding { slot, options, agreed } = turn.state.stage.clone() {
        if agreed { commit(turn, slot) } else { turn.ask_recap(slot, options, false) }
    }
}

fn taken(turn: &mut Turn<'_>) {
    if let Stage::Holding { slot, .. } | Stage::Committing { slot } = turn.state.stage.clone() {
        turn.release();
        own::again(turn, slot.start, Lead::Taken);
    }
}

fn done(turn: &mut Turn<'_>, committed: Committed) {
    let booked = matches!(committed.deed(), Deed::Booked | Deed::Requested);
    let settles = match turn.state.stage {
        Stage::Committing { .. } => booked || matches!(committed.deed(), Deed::Moved { .. }),
        Stage::Withdrawing { .. } => committed.deed() == Deed::Cancelled,
        Stage::Confirming { .. } => committed.deed() == Deed::Confirmed,
        _ => false,
    };
    let local = turn.setting.local(committed.entry().start);
    let far = committed.entry().start - turn.now > TimeDelta::hours(REMINDED_FROM_HOURS);
    let lasting = matches!(committed.deed(), Deed::Booked | Deed::Moved { .. });
    let reminded = turn.setting.reminds && far && lasting;
    turn.say(Saying::Committed { committed, reminded });
    if !settles {
        return;
    }
    // What was kept became the appointment.
    turn.state.hold = None;
    if booked && !turn.state.next.is_empty() {
        let next = turn.state.next.remove(0);
        let wish = &mut turn.state.wish;
        let keep =
            Wish { service: wish.service.take(), attendee: std::mem::take(&mut wish.attendee), ..Wish::default() };
        *wish = Wish { patient: Some(next), day: Some(When::Day(local.date())), ..keep };
        turn.state.fruitless = 0;
        return advance(turn, Lead::Next);
    }
    turn.clear();
    turn.push(Effect::Done);
}

fn failed(turn: &mut Turn<'_>, reason: Reason) {
    if let Stage::Confirming { .. } = turn.state.stage {
        // The customer will come all the same: a person notes it.
        return turn.fetch(reason);
    }
    if turn.state.waits() {
        turn.fetch(reason);
    }
}

fn appointments(turn: &mut Turn<'_>, all: &[Appointment]) {
    if let Stage::Looking { purpose, when, back } = turn.state.stage.clone() {
        own::found(turn, all, purpose, when.as_ref(), back.map(|stage| *stage));
    }
}

/// A reminder interrupts nothing that is under way.
fn reminded(turn: &mut Turn<'_>, appointment: Appointment) {
    let free = matches!(turn.state.stage, Stage::Idle | Stage::Invited | Stage::Reminded { .. } | Stage::Plans { .. });
    if free {
        turn.state.fruitless = 0;
        turn.go(Stage::Reminded { appointment });
    }
}

fn followed_up(turn: &mut Turn<'_>, service: Option<String>) {
    if turn.state.is_idle() {
        turn.state.wish = Wish { service, ..Wish::default() };
        turn.state.fruitless = 0;
        turn.go(Stage::Invited);
    }
}

fn vacancy(turn: &mut Turn<'_>, service: String, hold: Hold) {
    if !turn.state.is_idle() || hold.slot.start <= turn.now {
        return turn.push(Effect::Release(hold));
    }
    let slot = hold.slot.clone();
    let attendee = slot.professional.clone().map_or(Attendee::Any, Attendee::One);
    turn.state.wish = Wish { service: Some(service), attendee, ..Wish::default() };
    turn.state.fruitless = 0;
    turn.state.hold = Some(hold);
    let saying = Saying::Vacancy { service: turn.service(), slot: slot.clone() };
    turn.ask(Stage::Recap { slot, options: Vec::new(), keeps: true }, saying);
}
