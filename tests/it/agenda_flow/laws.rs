//! Dialogues nobody would have: random texts, random answers of the calendar, random waits. Whatever happens, every claim
//! is proven, every offered time is real, nothing is booked before a yes, and there is always a way out.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use secretaria::domain::agenda::flow::{
    Appointment, Committed, Deed, Effect, Entry, Event, Free, Hold, Order, Reason, Saying, Slot, SlotQuery, Stage,
    State, bubbles_of, step,
};
use secretaria::domain::conversation::intent::Intent;

use super::desk::{Desk, Fact};

const TEXTS: &[&str] = &[
    "quero marcar uma limpeza",
    "oi, queria um horário",
    "marcar avaliação amanhã às 14h",
    "tem horário sexta à tarde?",
    "limpeza",
    "2",
    "1",
    "3",
    "5",
    "0",
    "9",
    "a primeira",
    "a última",
    "qualquer uma",
    "quinta às duas",
    "10h",
    "depois das 18h",
    "de manhã",
    "nenhuma serve",
    "outro dia",
    "tem mais cedo?",
    "semana que vem",
    "dia 29/02",
    "ontem",
    "sim",
    "sim",
    "sim",
    "pode marcar",
    "isso",
    "ok",
    "👍",
    "não",
    "não, às 15h30",
    "não, a 2",
    "acho que sim",
    "sim?",
    "deixa pra lá",
    "desisto",
    "cancela",
    "quero cancelar minha consulta",
    "preciso remarcar minha consulta",
    "quais são os meus horários?",
    "remarcar para sexta às 9h",
    "quanto custa?",
    "tem estacionamento?",
    "obrigada",
    "bom dia",
    "xyz",
    "azul",
    "é pra minha mãe",
    "pra mim e pro meu filho",
    "Maria Souza",
    "pra mim mesmo",
    "com o dr. rui",
    "tanto faz",
    "na verdade clareamento",
    "vou sim",
    "não vou poder ir",
    "confirmado",
    "agora não",
    "quero sim",
    "nota 10",
    "às 7",
    "segunda",
    "a segunda",
    "",
    "?",
    "quero marcar para dia 31/02 às 25h",
    "sexta ou sábado",
    "sem ser segunda",
    "pode ser",
    "errei, era terça",
    "não quero mais",
    "marcar para 10/07/2027",
];

/// One turn: what is written or happens, how long nothing happened before, and how the calendar answers.
#[derive(Clone, Debug)]
struct Turn {
    act: Act,
    wait: i64,
    luck: Vec<u8>,
}

#[derive(Clone, Debug)]
enum Act {
    Says(usize),
    Reminded,
    FollowedUp,
    Vacancy(u8),
    Expired,
    /// An answer nobody waits for.
    Stray(u8),
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let act = prop_oneof![
        20 => (0..TEXTS.len()).prop_map(Act::Says),
        1 => Just(Act::Reminded),
        1 => Just(Act::FollowedUp),
        1 => any::<u8>().prop_map(Act::Vacancy),
        1 => Just(Act::Expired),
        1 => any::<u8>().prop_map(Act::Stray),
    ];
    let wait = prop_oneof![12 => Just(1_i64), 2 => Just(7), 1 => Just(500), 1 => Just(1500)];
    let turn =
        (act, wait, prop::collection::vec(any::<u8>(), 6)).prop_map(|(act, wait, luck)| Turn { act, wait, luck });
    prop::collection::vec(turn, 4..14)
}

/// Everything that was seen of a dialogue.
struct Witness {
    desk: Desk,
    state: State,
    now: DateTime<Utc>,
    luck: VecDeque<u8>,
    /// What the calendar ever named.
    named: Vec<Slot>,
    /// The times that were last shown or told back.
    shown: Vec<Slot>,
    wanted: Vec<Slot>,
    /// What the customer said yes to.
    agreed: Option<Slot>,
    /// The last booking, when its answer is outstanding.
    outstanding: Option<Order>,
    appointments: Vec<Appointment>,
    trail: Vec<String>,
    count: usize,
}

impl Witness {
    fn new() -> Self {
        let mut desk = Desk::new();
        desk.has("A", "limpeza", "2026-10-08T10:00");
        let (now, appointments) = (desk.now, desk.appointments.clone());
        Self {
            desk,
            state: State::default(),
            now,
            luck: VecDeque::new(),
            named: Vec::new(),
            shown: Vec::new(),
            wanted: Vec::new(),
            agreed: None,
            outstanding: None,
            appointments,
            trail: Vec::new(),
            count: 0,
        }
    }

    fn drawn(&mut self) -> u8 {
        self.luck.pop_front().unwrap_or(255)
    }

    fn plays(&mut self, turn: &Turn) {
        self.now += TimeDelta::minutes(turn.wait);
        self.desk.now = self.now;
        self.luck = turn.luck.iter().copied().collect();
        match &turn.act {
            Act::Says(text) => self.says(TEXTS[*text]),
            Act::Reminded => {
                let one = self.appointments.first().cloned();
                one.into_iter().for_each(|one| self.happens(&Event::Reminded(one)));
            }
            Act::FollowedUp => self.happens(&Event::FollowedUp { service: Some("avaliacao".to_owned()) }),
            Act::Vacancy(minutes) => {
                let start = self.now + TimeDelta::minutes(i64::from(*minutes) * 30 - 60);
                let slot = Slot { start, end: start + TimeDelta::minutes(30), professional: None };
                self.named.push(slot.clone());
                let until = self.now + TimeDelta::minutes(10);
                let hold = Hold { id: "V".to_owned(), slot, until };
                self.happens(&Event::Vacancy { service: "limpeza".to_owned(), hold });
            }
            Act::Expired => self.happens(&Event::Expired),
            Act::Stray(kind) => {
                let stray = match kind % 7 {
                    0 => Fact::Slots(Vec::new()),
                    1 => Fact::Taken,
                    2 => Fact::CannotHold,
                    3 => Fact::Appointments(Vec::new()),
                    4 => Fact::Unknown,
                    5 => Fact::Refused,
                    _ => Fact::Down,
                };
                // An answer that is waited for comes by way of the calendar only.
                if !self.state.waits() {
                    self.happens(&stray.event());
                }
            }
        }
    }

    fn says(&mut self, text: &str) {
        let state = self.state.clone();
        let event = Event::said(text, &state);
        let Event::Said { intent, .. } = event else { unreachable!() };
        self.agreed = match &state.stage {
            Stage::Recap { slot, .. } if intent == Intent::Affirm => Some(slot.clone()),
            _ => None,
        };
        self.trail.push(format!("{text:?} in {:?}", state.stage));
        let effects = self.takes(&event);
        assert!(!effects.is_empty(), "silence: {}", self.trail());
        self.carries_out(effects);
    }

    fn happens(&mut self, event: &Event<'_>) {
        self.trail.push(format!("{event:?}"));
        let effects = self.takes(event);
        self.carries_out(effects);
    }

    fn trail(&self) -> String {
        self.trail.join("\n")
    }

    fn takes(&mut self, event: &Event<'_>) -> Vec<Effect> {
        let made = step(&self.state, event.clone(), self.now, &self.desk.setting);
        assert_eq!(State::read(&made.state.stored()), made.state);
        assert!(made.state.stored().len() < 4_000, "a state is small: {}", made.state.stored().len());
        self.state = made.state;
        let mut said = Vec::new();
        for effect in &made.effects {
            self.judges(effect, event);
            match effect {
                Effect::Say(saying) => said.push(saying.clone()),
                Effect::LeaveToModel { repeat } => said.extend(repeat.clone()),
                _ => {}
            }
        }
        for bubble in bubbles_of(&said, &self.desk.setting, self.now) {
            assert!(bubble.chars().count() <= 300, "{bubble}");
        }
        assert!(bubbles_of(&said, &self.desk.setting, self.now).len() <= 3, "{said:?}");
        let ends = made.effects.iter().any(|effect| matches!(effect, Effect::HandOff(_) | Effect::Done));
        assert!(!ends || self.state.is_idle(), "ended, and goes on: {}", self.trail());
        assert!(!self.state.is_idle() || self.state.hold.is_none(), "a slot is kept for nobody: {}", self.trail());
        made.effects
    }

    fn judges(&mut self, effect: &Effect, event: &Event<'_>) {
        match effect {
            Effect::Hold(order) => {
                assert!(self.named.contains(&order.slot), "kept, but never named: {}", self.trail());
                assert!(order.slot.start > self.now, "kept, but over: {}", self.trail());
                // The very time that was named is kept at once, and again when the calendar's answer was lost.
                if matches!(event, Event::Slots(_)) {
                    self.wanted.push(order.slot.clone());
                }
                let meant = self.shown.contains(&order.slot) || self.wanted.contains(&order.slot);
                assert!(meant, "kept, but neither named nor shown: {}", self.trail());
            }
            Effect::Book(order) | Effect::Reschedule(order) => {
                assert_eq!(self.agreed.as_ref(), Some(&order.slot), "booked without a yes: {}", self.trail());
                assert!(self.shown.contains(&order.slot), "booked, but never told back: {}", self.trail());
                assert!(order.slot.start > self.now, "booked, but over: {}", self.trail());
                assert_eq!(order.moving.is_some(), matches!(effect, Effect::Reschedule(_)));
                self.agreed = None;
                self.outstanding = Some(order.clone());
            }
            Effect::Say(Saying::Committed { committed, .. }) => {
                let proven = matches!(event, Event::Committed(proof) if proof == committed);
                assert!(proven, "claimed without a proof: {}", self.trail());
            }
            Effect::Say(Saying::Options { options, .. }) => {
                assert!((1..=5).contains(&options.len()));
                let real = options.iter().all(|slot| self.named.contains(slot) && slot.start > self.now);
                assert!(real, "offered, but not real: {}", self.trail());
                self.shown = options.clone();
            }
            Effect::Say(Saying::Recap { slot, .. } | Saying::Vacancy { slot, .. }) => {
                assert!(self.named.contains(slot) && slot.start > self.now, "{}", self.trail());
                self.shown.push(slot.clone());
            }
            _ => {}
        }
    }

    fn carries_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            let Some(fact) = self.answers(effect) else { continue };
            self.happens(&fact.event());
        }
    }

    fn answers(&mut self, effect: Effect) -> Option<Fact> {
        let luck = self.drawn();
        match effect {
            Effect::AskSlots(query) => match luck {
                0..20 => Some(Fact::Down),
                20..30 => None,
                30..60 => Some(Fact::Slots(Vec::new())),
                _ => Some(Fact::Slots(self.slots(&query, luck))),
            },
            Effect::Hold(order) => match luck {
                0..30 => Some(Fact::Taken),
                30..40 => Some(Fact::Down),
                40..50 => None,
                50..70 => Some(Fact::CannotHold),
                _ => {
                    self.count += 1;
                    let until = self.now + TimeDelta::minutes(5);
                    Some(Fact::Held(Hold { id: self.count.to_string(), slot: order.slot, until }))
                }
            },
            Effect::Book(order) | Effect::Reschedule(order) => self.books(&order, luck),
            Effect::LookUp => {
                let order = self.outstanding.clone()?;
                self.books(&order, luck)
            }
            Effect::Cancel(one) => match luck {
                0..20 => Some(Fact::Down),
                20..30 => Some(Fact::Unknown),
                30..60 => None,
                _ => Some(Fact::Committed(self.proof(Deed::Cancelled, one.start))),
            },
            Effect::Confirm(one) => Some(Fact::Committed(self.proof(Deed::Confirmed, one.start))),
            Effect::ListAppointments => match luck {
                0..20 => Some(Fact::Down),
                20..30 => None,
                30..60 => Some(Fact::Appointments(Vec::new())),
                _ => Some(Fact::Appointments(self.appointments.clone())),
            },
            _ => None,
        }
    }

    /// Slots of the query, and some that must not be offered: over already, and of somebody else.
    fn slots(&mut self, query: &SlotQuery, luck: u8) -> Vec<Free> {
        let mut free = self.desk.free(query);
        free.retain(|one| one.slot.start.timestamp() / 1800 % i64::from(luck % 5 + 1) == 0 || luck.is_multiple_of(3));
        let over = self.now - TimeDelta::minutes(30);
        let stale = Slot { start: over, end: self.now, professional: None };
        free.push(Free { slot: stale, weight: f32::from(luck) });
        self.named.extend(free.iter().map(|one| one.slot.clone()));
        free
    }

    fn books(&mut self, order: &Order, luck: u8) -> Option<Fact> {
        let fact = match luck {
            0..30 => Fact::Taken,
            30..45 => Fact::Unknown,
            45..60 => Fact::Refused,
            60..75 => Fact::Down,
            75..95 => return None,
            95..110 => Fact::Committed(self.proof(Deed::Requested, order.slot.start)),
            _ => {
                let old = self.appointments.iter().find(|one| Some(&one.id) == order.moving.as_ref());
                let deed = old.map_or(Deed::Booked, |old| Deed::Moved { from: old.start });
                Fact::Committed(self.proof(deed, order.slot.start))
            }
        };
        self.outstanding = None;
        Some(fact)
    }

    fn proof(&self, deed: Deed, start: DateTime<Utc>) -> Committed {
        let entry = Entry {
            appointment: "A".to_owned(),
            start,
            end: start + TimeDelta::minutes(30),
            service: "Limpeza".to_owned(),
            professional: Some("Dra. Lia Prado".to_owned()),
            patient: None,
            place: Some("Rua das Flores, 120".to_owned()),
            link: None,
        };
        Committed::recorded(deed, entry)
    }

    /// Whatever the state is, it can be left.
    fn leaves(self) {
        let setting = &self.desk.setting;
        let asks = Event::said("quero falar com um atendente", &self.state);
        let out = step(&self.state, asks, self.now, setting);
        assert!(out.effects.contains(&Effect::HandOff(Reason::Asked)) && out.state.is_idle(), "{}", self.trail());
        if self.state.waits() {
            let out = step(&self.state, Event::CalendarDown, self.now, setting);
            assert!(out.state.is_idle(), "{}", self.trail());
            return;
        }
        if !matches!(self.state.stage, Stage::Reminded { .. } | Stage::Plans { .. }) {
            let out = step(&self.state, Event::said("deixa pra lá", &self.state), self.now, setting);
            assert!(out.state.is_idle(), "\"deixa pra lá\" changed nothing: {}", self.trail());
        }
        // Nobody is asked the same thing for ever.
        let (mut state, mut said) = (self.state.clone(), Vec::new());
        for _ in 0..ROUNDS_MAX {
            let out = step(&state, Event::said("trinta e dois bois azuis", &state), self.now, setting);
            state = out.state;
            said.push(out.effects);
            if state.waits() {
                state = step(&state, Event::CalendarDown, self.now, setting).state;
            }
        }
        let open = matches!(state.stage, Stage::Reminded { .. } | Stage::Plans { .. } | Stage::Invited);
        // What is too old to be asked again is not: the model answers, and that is all.
        let silent = said.last().is_some_and(|last| *last == [Effect::LeaveToModel { repeat: None }]);
        assert!(
            state.is_idle() || open || silent,
            "still asks in {:?}, having said {said:?}: {}",
            state.stage,
            self.trail()
        );
    }
}

/// Three rounds about the name, which is then done without, and three about the day.
const ROUNDS_MAX: usize = 6;

/// `DIALOGUES=100000` plays more of them.
#[expect(clippy::disallowed_methods, reason = "a switch of the test run, no setting")]
fn cases() -> u32 {
    std::env::var("DIALOGUES").ok().and_then(|count| count.parse().ok()).unwrap_or(5_000)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_said_and_answered_every_claim_is_true(turns in turns()) {
        let mut witness = Witness::new();
        for turn in &turns {
            witness.plays(turn);
        }
        witness.leaves();
    }
}
