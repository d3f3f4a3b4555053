//! A reception with a calendar of its own, which plays everything around the flow.

use std::collections::VecDeque;

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc, Weekday};
use chrono_tz::Tz;
use secretaria::domain::agenda::flow::{
    Appointment, Committed, Deed, Effect, Entry, Event, Free, Hold, Order, Professional, Saying, Service, Setting,
    Slot, SlotQuery, State, bubbles_of, step, wording,
};

/// Something that goes wrong, once, at the next occasion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Somebody else has the slot when it is to be kept.
    TakenAtHold,
    /// Somebody else has the slot when it is to be booked.
    TakenAtBooking,
    /// The calendar cannot be reached for slots.
    DownAtSlots,
    /// The calendar cannot be reached for the booking.
    DownAtBooking,
    /// Nobody knows whether it was booked.
    Unknown,
    /// The calendar refuses.
    Refused,
    /// The calendar's answer to the booking gets lost, and is found by looking it up.
    AnswerLost,
    /// The company has to accept first.
    OnRequest,
}

/// An event that owns what it tells.
pub enum Fact {
    Slots(Vec<Free>),
    Held(Hold),
    CannotHold,
    Taken,
    Committed(Committed),
    Unknown,
    Refused,
    Down,
    Appointments(Vec<Appointment>),
}

impl Fact {
    pub fn event(&self) -> Event<'_> {
        match self {
            Self::Slots(free) => Event::Slots(free),
            Self::Held(hold) => Event::Held(hold.clone()),
            Self::CannotHold => Event::CannotHold,
            Self::Taken => Event::Taken,
            Self::Committed(committed) => Event::Committed(committed.clone()),
            Self::Unknown => Event::Unknown,
            Self::Refused => Event::Refused,
            Self::Down => Event::CalendarDown,
            Self::Appointments(all) => Event::Appointments(all),
        }
    }
}

pub struct Desk {
    pub setting: Setting,
    pub state: State,
    pub now: DateTime<Utc>,
    pub appointments: Vec<Appointment>,
    pub troubles: Vec<Trouble>,
    /// Local days on which nothing is free.
    pub full: Vec<NaiveDate>,
    /// Nothing is free at all.
    pub booked_out: bool,
    pub keeps: bool,
    /// Best first: such hours weigh more.
    pub preferred: Option<u32>,
    pub link: Option<String>,
    pub script: Vec<String>,
    /// What was done, in order.
    pub ledger: Vec<String>,
    /// Sayings of the turn.
    said: Vec<Saying>,
    count: usize,
    lost: Option<Fact>,
}

/// A Wednesday, 10h in São Paulo.
pub const NOW: &str = "2026-10-07T13:00:00Z";

pub fn service(id: &str, name: &str, professionals: &[&str]) -> Service {
    Service {
        id: id.to_owned(),
        name: name.to_owned(),
        aliases: Vec::new(),
        professionals: professionals.iter().map(|id| (*id).to_owned()).collect(),
    }
}

impl Desk {
    pub fn new() -> Self {
        let professional = |id: &str, name: &str| Professional { id: id.to_owned(), name: name.to_owned() };
        let setting = Setting {
            services: vec![
                service("limpeza", "Limpeza", &["lia", "rui"]),
                service("avaliacao", "Avaliação", &["lia"]),
                service("clareamento", "Clareamento", &["rui"]),
            ],
            professionals: vec![professional("lia", "Dra. Lia Prado"), professional("rui", "Dr. Rui Costa")],
            asks_professional: false,
            ..Setting::default()
        };
        Self {
            setting,
            state: State::default(),
            now: NOW.parse().unwrap(),
            appointments: Vec::new(),
            troubles: Vec::new(),
            full: Vec::new(),
            booked_out: false,
            keeps: true,
            preferred: None,
            link: None,
            script: Vec::new(),
            ledger: Vec::new(),
            said: Vec::new(),
            count: 0,
            lost: None,
        }
    }

    /// A company with one service only.
    pub fn simple(&mut self) {
        self.setting.services.truncate(1);
    }

    pub fn in_zone(&mut self, zone: Tz, now: &str) {
        self.setting.zone = zone;
        self.now = now.parse().unwrap();
    }

    /// The moment of a local time such as `2026-10-08T14:00`.
    pub fn at(&self, local: &str) -> DateTime<Utc> {
        self.setting.moment(local.parse::<chrono::NaiveDateTime>().or_else(|_| format!("{local}:00").parse()).unwrap())
    }

    pub fn has(&mut self, id: &str, service: &str, local: &str) {
        let start = self.at(local);
        self.appointments.push(Appointment {
            id: id.to_owned(),
            service: Some(service.to_owned()),
            name: self.setting.service_name(service).to_owned(),
            professional: Some("lia".to_owned()),
            start,
            end: start + TimeDelta::minutes(30),
        });
        self.appointments.sort_by_key(|one| one.start);
    }

    pub fn when(&self, at: DateTime<Utc>) -> String {
        wording::moment(self.setting.local(at), self.setting.local(self.now).date())
    }

    /// What the customer writes, and everything that follows.
    pub fn says(&mut self, text: &str) {
        self.script.push(format!("Cliente: {text}"));
        let state = self.state.clone();
        self.happens(&Event::said(text, &state));
        self.answers();
    }

    pub fn happens(&mut self, event: &Event<'_>) {
        let mut facts: VecDeque<Fact> = VecDeque::new();
        self.take_step(event, &mut facts);
        while let Some(fact) = facts.pop_front() {
            self.take_step(&fact.event(), &mut facts);
        }
    }

    fn take_step(&mut self, event: &Event<'_>, facts: &mut VecDeque<Fact>) {
        let made = step(&self.state, event.clone(), self.now, &self.setting);
        // What is stored between messages is all that is remembered.
        self.state = State::read(&made.state.stored());
        assert_eq!(self.state, made.state);
        for effect in made.effects {
            facts.extend(self.carry_out(effect));
        }
    }

    /// What the assistant said in the turn.
    pub fn answers(&mut self) {
        let said = std::mem::take(&mut self.said);
        let bubbles = bubbles_of(&said, &self.setting, self.now);
        for bubble in &bubbles {
            assert!(bubble.chars().count() <= 300, "{} characters: {bubble}", bubble.chars().count());
            self.script.push(format!("Assistente: {}", bubble.replace('\n', "\n    ")));
        }
        assert!(bubbles.len() <= 2, "{bubbles:#?}");
    }

    fn trouble(&mut self, trouble: Trouble) -> bool {
        match self.troubles.iter().position(|one| *one == trouble) {
            Some(at) => {
                self.troubles.remove(at);
                true
            }
            None => false,
        }
    }

    fn note(&mut self, what: String) {
        self.script.push(format!("    [{what}]"));
        self.ledger.push(what);
    }

    fn carry_out(&mut self, effect: Effect) -> Option<Fact> {
        match effect {
            Effect::AskSlots(query) => Some(match self.trouble(Trouble::DownAtSlots) {
                true => Fact::Down,
                false => Fact::Slots(self.free(&query)),
            }),
            Effect::Hold(order) => Some(self.hold(&order)),
            Effect::Release(_) => None,
            Effect::Book(order) | Effect::Reschedule(order) => self.book(&order),
            Effect::Cancel(one) => {
                self.appointments.retain(|other| other.id != one.id);
                self.note(format!("cancela {}", self.when(one.start)));
                Some(Fact::Committed(self.committed(Deed::Cancelled, &one, None)))
            }
            Effect::Confirm(one) => {
                self.note(format!("confirma {}", self.when(one.start)));
                Some(Fact::Committed(self.committed(Deed::Confirmed, &one, None)))
            }
            Effect::LookUp => self.lost.take(),
            Effect::ListAppointments => Some(Fact::Appointments(self.appointments.clone())),
            Effect::JoinWaitlist(query) => {
                self.note(format!("fila de espera: {}", query.service));
                None
            }
            Effect::Feedback => {
                self.note("guarda a opinião".to_owned());
                None
            }
            Effect::Say(saying) => {
                self.said.push(saying);
                None
            }
            Effect::LeaveToModel { repeat } => {
                self.note("o modelo responde".to_owned());
                self.said.extend(repeat);
                None
            }
            Effect::HandOff(reason) => {
                self.note(format!("pessoa: {}", reason.as_str()));
                None
            }
            Effect::Done => None,
        }
    }

    /// Nine, ten, two and half past three with Lia; eleven, five and half past six with Rui; Saturdays at nine and ten.
    pub fn free(&self, query: &SlotQuery) -> Vec<Free> {
        let mut out = Vec::new();
        if self.booked_out {
            return out;
        }
        let able = self.setting.service(&query.service).map(|one| one.professionals.clone()).unwrap_or_default();
        let (first, last) = (self.setting.local(query.from).date(), self.setting.local(query.until).date());
        for day in first.iter_days().take_while(|day| *day <= last).filter(|day| !self.full.contains(day)) {
            let times: &[(&str, u32, u32)] = match day.weekday() {
                Weekday::Sun => &[],
                Weekday::Sat => &[("lia", 9, 0), ("lia", 10, 0)],
                _ => &[
                    ("lia", 9, 0),
                    ("lia", 10, 0),
                    ("rui", 11, 0),
                    ("lia", 14, 0),
                    ("lia", 15, 30),
                    ("rui", 17, 0),
                    ("rui", 18, 30),
                ],
            };
            for (who, hour, minute) in times {
                let start = self.setting.moment(day.and_hms_opt(*hour, *minute, 0).unwrap());
                let wanted = query.professional.as_deref().is_none_or(|id| id == *who);
                let does = able.is_empty() || able.iter().any(|id| id == who);
                let busy = self
                    .appointments
                    .iter()
                    .any(|one| one.start == start && query.moving.as_deref().is_none_or(|moving| moving != one.id));
                if wanted && does && !busy && start >= query.from && start < query.until {
                    let slot = Slot {
                        start,
                        end: start + TimeDelta::minutes(30),
                        professional: (!able.is_empty()).then(|| (*who).to_owned()),
                    };
                    let weight = if self.preferred == Some(*hour) { 1.0 } else { 0.0 };
                    out.push(Free { slot, weight });
                }
            }
        }
        out
    }

    fn hold(&mut self, order: &Order) -> Fact {
        if self.trouble(Trouble::TakenAtHold) {
            self.take_by_others(&order.slot);
            return Fact::Taken;
        }
        if !self.keeps {
            return Fact::CannotHold;
        }
        self.count += 1;
        self.script.push(format!("    [segura {}]", self.when(order.slot.start)));
        Fact::Held(Hold {
            id: format!("H{}", self.count),
            slot: order.slot.clone(),
            until: self.now + TimeDelta::minutes(5),
        })
    }

    fn take_by_others(&mut self, slot: &Slot) {
        self.appointments.push(Appointment {
            id: "alheio".to_owned(),
            service: None,
            name: "Outra pessoa".to_owned(),
            professional: None,
            start: slot.start,
            end: slot.end,
        });
    }

    fn book(&mut self, order: &Order) -> Option<Fact> {
        if self.trouble(Trouble::TakenAtBooking) {
            self.take_by_others(&order.slot);
            return Some(Fact::Taken);
        }
        for (trouble, fact) in
            [(Trouble::DownAtBooking, Fact::Down), (Trouble::Unknown, Fact::Unknown), (Trouble::Refused, Fact::Refused)]
        {
            if self.trouble(trouble) {
                return Some(fact);
            }
        }
        self.count += 1;
        let one = Appointment {
            id: order.moving.clone().unwrap_or_else(|| format!("A{}", self.count)),
            service: Some(order.service.clone()),
            name: self.setting.service_name(&order.service).to_owned(),
            professional: order.slot.professional.clone(),
            start: order.slot.start,
            end: order.slot.end,
        };
        let old = self.appointments.iter().find(|other| other.id == one.id).map(|old| old.start);
        self.appointments.retain(|other| other.id != one.id);
        self.appointments.push(one.clone());
        self.appointments.sort_by_key(|one| one.start);
        let name = order.patient.as_ref().and_then(|who| who.name.clone());
        let whom = name.as_ref().map(|name| format!(" para {name}")).unwrap_or_default();
        let deed = match old {
            Some(from) => Deed::Moved { from },
            None if self.trouble(Trouble::OnRequest) => Deed::Requested,
            None => Deed::Booked,
        };
        let verb = if old.is_some() { "remarca" } else { "marca" };
        self.note(format!("{verb} {} {}{whom}", order.service, self.when(one.start)));
        let fact = Fact::Committed(self.committed(deed, &one, name));
        if self.trouble(Trouble::AnswerLost) {
            self.lost = Some(fact);
            return None;
        }
        Some(fact)
    }

    fn committed(&self, deed: Deed, one: &Appointment, patient: Option<String>) -> Committed {
        let professional = one.professional.as_deref().map(|id| self.setting.professional_name(id).to_owned());
        Committed::recorded(
            deed,
            Entry {
                appointment: one.id.clone(),
                start: one.start,
                end: one.end,
                service: one.name.clone(),
                professional,
                patient,
                place: Some("Rua das Flores, 120, sala 4".to_owned()),
                link: self.link.clone(),
            },
        )
    }

    /// What came of it all.
    pub fn outcome(&self) -> String {
        let mut out: Vec<String> = self.ledger.clone();
        if !self.state.is_idle() {
            out.push("espera".to_owned());
        }
        if out.is_empty() { "nada".to_owned() } else { out.join("; ") }
    }
}
