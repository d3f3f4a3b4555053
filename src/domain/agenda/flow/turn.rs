//! One step in the making: the state as it changes, and what is to be done.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

use super::event::{Effect, Order, Reason, SlotQuery, Step};
use super::saying::Saying;
use super::setting::Setting;
use super::state::{Lead, Slot, Stage, State};

pub(super) struct Turn<'a> {
    pub state: State,
    pub now: DateTime<Utc>,
    pub setting: &'a Setting,
    effects: Vec<Effect>,
}

impl<'a> Turn<'a> {
    pub fn new(state: &State, now: DateTime<Utc>, setting: &'a Setting) -> Self {
        Self { state: state.clone(), now, setting, effects: Vec::new() }
    }

    pub fn finish(self) -> Step {
        Step { effects: self.effects, state: self.state }
    }

    /// The local "now".
    pub fn local_now(&self) -> NaiveDateTime {
        self.setting.local(self.now)
    }

    pub fn push(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    pub fn say(&mut self, saying: Saying) {
        self.push(Effect::Say(saying));
    }

    pub fn go(&mut self, stage: Stage) {
        self.state.stage = stage;
        self.state.since = self.now;
    }

    /// Waits for an answer to a question.
    pub fn ask(&mut self, stage: Stage, question: Saying) {
        self.go(stage);
        self.say(question);
    }

    /// Whether what was offered is too old to count: long ago, or one of the times has come meanwhile.
    pub fn is_stale(&self) -> bool {
        let over = match &self.state.stage {
            Stage::Options { options } => options.iter().any(|slot| slot.start <= self.now),
            _ => false,
        };
        over || self.now - self.state.since > TimeDelta::minutes(self.setting.offer_minutes.into())
    }

    pub fn release(&mut self) {
        if let Some(hold) = self.state.hold.take() {
            self.push(Effect::Release(hold));
        }
    }

    /// Begins anew, with nothing kept.
    pub fn clear(&mut self) {
        self.release();
        self.state = State { since: self.now, ..State::default() };
    }

    /// Says a last word and closes the matter.
    pub fn close(&mut self, saying: Saying) {
        self.clear();
        self.say(saying);
        self.push(Effect::Done);
    }

    /// Fetches a person.
    pub fn fetch(&mut self, reason: Reason) {
        self.clear();
        self.say(Saying::Human(reason));
        self.push(Effect::HandOff(reason));
    }

    /// A round without progress: whether it was one too many, in which case a person was fetched.
    pub fn fruitless(&mut self) -> bool {
        self.state.fruitless = self.state.fruitless.saturating_add(1);
        let over = self.state.fruitless >= self.setting.fruitless_max;
        if over {
            self.fetch(Reason::Fruitless);
        }
        over
    }

    /// The message was not understood: the question once more.
    pub fn miss(&mut self) {
        if !self.fruitless() {
            let question = self.question().unwrap_or(Saying::AskDay);
            self.say(Saying::Again(Box::new(question)));
        }
    }

    /// The model answers; then the question once more.
    pub fn leave(&mut self) {
        let repeat = self.question();
        self.push(Effect::LeaveToModel { repeat });
    }

    pub fn service(&self) -> String {
        let id = self.state.wish.service.as_deref().unwrap_or_default();
        self.setting.service_name(id).to_owned()
    }

    pub fn order(&self, slot: &Slot) -> Order {
        let wish = &self.state.wish;
        Order {
            service: wish.service.clone().unwrap_or_default(),
            slot: slot.clone(),
            patient: wish.patient.clone(),
            moving: wish.moving.as_ref().map(|old| old.id.clone()),
        }
    }

    /// The slots that are wanted; `None` where nothing can be booked any more.
    pub fn query(&self) -> Option<SlotQuery> {
        let wish = &self.state.wish;
        let (from, until) = wish.range(self.setting, self.now)?;
        Some(SlotQuery {
            service: wish.service.clone()?,
            professional: wish.professional().map(str::to_owned),
            from,
            until,
            moving: wish.moving.as_ref().map(|old| old.id.clone()),
        })
    }

    pub fn options(&self, lead: Lead, options: &[Slot]) -> Saying {
        let wish = &self.state.wish;
        Saying::Options {
            lead,
            service: self.service(),
            options: options.to_vec(),
            moving: wish.moving.clone(),
            patient: wish.patient.clone(),
        }
    }

    pub fn recap(&self, slot: &Slot, sure: bool) -> Saying {
        let wish = &self.state.wish;
        Saying::Recap {
            service: self.service(),
            slot: slot.clone(),
            patient: wish.patient.clone(),
            moving: wish.moving.clone(),
            sure,
        }
    }

    /// The question that waits for an answer.
    pub fn question(&self) -> Option<Saying> {
        let services = |ids: &[String]| ids.iter().map(|id| self.setting.service_name(id).to_owned()).collect();
        let people = |ids: &[String]| ids.iter().map(|id| self.setting.professional_name(id).to_owned()).collect();
        Some(match &self.state.stage {
            Stage::Service { among } => Saying::AskService { names: services(among) },
            Stage::Professional { among } => Saying::AskProfessional { service: self.service(), names: people(among) },
            Stage::Name => {
                let relation = self.state.wish.patient.as_ref().and_then(|who| who.relation.clone());
                Saying::AskName { relation }
            }
            Stage::Day => Saying::AskDay,
            Stage::Readings => Saying::AskReading { readings: self.state.wish.open.clone() },
            Stage::Options { options } => self.options(Lead::Fresh, options),
            Stage::Recap { slot, .. } => self.recap(slot, false),
            Stage::Which { purpose, among } => Saying::Which { purpose: *purpose, among: among.clone() },
            Stage::Cancelling { appointment } => Saying::ConfirmCancel(appointment.clone()),
            Stage::Reminded { appointment } | Stage::Plans { appointment } => Saying::Plans(appointment.clone()),
            Stage::Invited => Saying::Invite,
            Stage::Waitlist => Saying::NoneFree { service: self.service() },
            _ => return None,
        })
    }
}
