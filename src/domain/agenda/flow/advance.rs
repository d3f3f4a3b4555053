//! The next thing to ask or to do, from what is known of the wish.

use chrono::TimeDelta;

use super::event::{Effect, Reason};
use super::saying::Saying;
use super::state::{Attendee, Lead, Slot, Stage};
use super::turn::Turn;

/// More than this many lines of a list of services are not shown; any of them can be named.
const LISTED_MAX: usize = 9;

/// Goes on: asks what is still missing, or looks slots up.
pub(super) fn advance(turn: &mut Turn<'_>, lead: Lead) {
    turn.release();
    if !turn.setting.calendar || turn.setting.services.is_empty() {
        return turn.fetch(Reason::NoCalendar);
    }
    if missing_service(turn) || missing_professional(turn) || missing_name(turn) || open_time(turn) {
        return;
    }
    ask_slots(turn, lead, 0);
}

fn missing_service(turn: &mut Turn<'_>) -> bool {
    let setting = turn.setting;
    let known = turn.state.wish.service.as_deref().is_some_and(|id| setting.service(id).is_some());
    if known {
        return false;
    }
    if let [only] = setting.services.as_slice() {
        turn.state.wish.service = Some(only.id.clone());
        return false;
    }
    let among = setting.services.iter().take(LISTED_MAX).map(|service| service.id.clone()).collect();
    ask_service(turn, among);
    true
}

/// Asks which of some services is meant.
pub(super) fn ask_service(turn: &mut Turn<'_>, among: Vec<String>) {
    turn.go(Stage::Service { among });
    ask_again(turn);
}

/// Asks the stage's question.
fn ask_again(turn: &mut Turn<'_>) {
    if let Some(question) = turn.question() {
        turn.say(question);
    }
}

fn missing_professional(turn: &mut Turn<'_>) -> bool {
    let service = turn.state.wish.service.clone().unwrap_or_default();
    let able: Vec<String> = turn.setting.professionals_of(&service).iter().map(|one| one.id.clone()).collect();
    let unable = turn.state.wish.professional().is_some_and(|id| !able.is_empty() && !able.iter().any(|one| one == id));
    if unable {
        turn.state.wish.attendee = Attendee::Open;
    }
    let open = turn.state.wish.attendee == Attendee::Open;
    if !open || able.len() < 2 || !(turn.setting.asks_professional || unable) {
        return false;
    }
    ask_professional(turn, able.into_iter().take(LISTED_MAX).collect());
    true
}

/// Asks which of some professionals is meant.
pub(super) fn ask_professional(turn: &mut Turn<'_>, among: Vec<String>) {
    turn.go(Stage::Professional { among });
    ask_again(turn);
}

/// Whether the name of whom it is for had to be asked.
fn missing_name(turn: &mut Turn<'_>) -> bool {
    let missing = turn.state.wish.patient.as_ref().is_some_and(|who| who.name.is_none());
    if missing && turn.state.wish.moving.is_none() {
        turn.go(Stage::Name);
        ask_again(turn);
        return true;
    }
    false
}

/// Whether it had to be asked which time is meant.
fn open_time(turn: &mut Turn<'_>) -> bool {
    let wish = &mut turn.state.wish;
    if wish.impossible {
        wish.impossible = false;
        turn.ask(Stage::Day, Saying::NoSuchTime);
        return true;
    }
    if !wish.open.is_empty() {
        turn.go(Stage::Readings);
        ask_again(turn);
        return true;
    }
    if let Some(when) = wish.gap(turn.setting) {
        wish.hour = None;
        wish.day = super::super::when::When::Day(super::wish::bounds(&when).0.unwrap_or_default().date()).into();
        turn.ask(Stage::Day, Saying::GapTime { when });
        return true;
    }
    false
}

/// Looks slots up for the wish; `widened`: how many times that was done before for want of any.
pub(super) fn ask_slots(turn: &mut Turn<'_>, lead: Lead, widened: u8) {
    let Some(query) = turn.query() else {
        let last = turn.now + TimeDelta::days(turn.setting.days_max.into());
        let over = turn.state.wish.service.is_none();
        turn.state.wish.forget_time();
        return if over { turn.fetch(Reason::NoCalendar) } else { turn.ask(Stage::Day, Saying::TooFar { last }) };
    };
    turn.go(Stage::Slots { lead, from: query.from, until: query.until, widened });
    turn.push(Effect::AskSlots(query));
}

/// Keeps a slot for the customer; asks first for a name that is missing.
pub(super) fn hold(turn: &mut Turn<'_>, slot: Slot, options: Vec<Slot>, agreed: bool) {
    // An hour of today may be over by the time it is chosen.
    if slot.start <= turn.now {
        turn.state.wish.forget_time();
        return advance(turn, Lead::Expired);
    }
    let kept = turn.state.hold.as_ref().is_some_and(|hold| hold.slot == slot && hold.until > turn.now);
    if kept {
        return turn.ask_recap(slot, options, true);
    }
    turn.release();
    turn.state.fruitless = 0;
    let order = turn.order(&slot);
    turn.go(Stage::Holding { slot, options, agreed });
    turn.push(Effect::Hold(order));
}

impl Turn<'_> {
    /// Asks for a yes to the details.
    pub fn ask_recap(&mut self, slot: Slot, options: Vec<Slot>, keeps: bool) {
        let question = self.recap(&slot, false);
        self.ask(Stage::Recap { slot, options, keeps }, question);
    }
}
