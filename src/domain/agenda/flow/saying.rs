//! What the flow says.

use chrono::{DateTime, Utc};

use super::super::when::When;
use super::committed::{Committed, Deed};
use super::event::Reason;
use super::setting::Setting;
use super::state::{Appointment, Lead, Patient, Purpose, Slot};
use super::texts::{Text, fill};
use super::{people, wording};
use crate::domain::conversation::bubbles::{BUBBLE_MAX, bubbles};

/// The longest place in a confirmation, in characters.
const PLACE_MAX: usize = 60;

/// Something to say. That something was booked, moved or cancelled can only be said with the proof of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Saying {
    /// Which service?
    AskService {
        /// The names, in the order of their numbers.
        names: Vec<String>,
    },
    /// With whom?
    AskProfessional {
        /// The service's name.
        service: String,
        /// The names, in the order of their numbers.
        names: Vec<String>,
    },
    /// What is their name?
    AskName {
        /// What they are to the customer.
        relation: Option<String>,
    },
    /// Which day or part of it?
    AskDay,
    /// Which of these is meant?
    AskReading {
        /// The readings, in the order of their numbers.
        readings: Vec<When>,
    },
    /// What was named does not exist or is over.
    NoSuchTime,
    /// The clocks skip that hour.
    GapTime {
        /// What was named.
        when: When,
    },
    /// Nothing can be booked so far ahead.
    TooFar {
        /// The last day that can be.
        last: DateTime<Utc>,
    },
    /// Choose one.
    Options {
        /// Why they are shown.
        lead: Lead,
        /// The service's name.
        service: String,
        /// In the order of their numbers.
        options: Vec<Slot>,
        /// The appointment that is moved.
        moving: Option<Appointment>,
        /// Whom it is for.
        patient: Option<Patient>,
    },
    /// Several of the offered times fit.
    WhichOption {
        /// With their numbers in the list.
        options: Vec<(usize, Slot)>,
    },
    /// Is this right?
    Recap {
        /// The service's name.
        service: String,
        /// The slot.
        slot: Slot,
        /// Whom it is for.
        patient: Option<Patient>,
        /// The appointment that is moved.
        moving: Option<Appointment>,
        /// The yes that came was no plain one.
        sure: bool,
    },
    /// Nothing was booked; what then?
    NotBooked {
        /// An appointment would have been moved.
        moving: bool,
    },
    /// It was done.
    Committed {
        /// The proof.
        committed: Committed,
        /// A reminder will follow the day before.
        reminded: bool,
    },
    /// The calendar's answer is still looked for.
    Checking,
    /// Nothing is free; wait for a vacancy?
    NoneFree {
        /// The service's name.
        service: String,
    },
    /// On the list of those who wait.
    WaitlistJoined {
        /// The service's name.
        service: String,
    },
    /// The customer's appointments.
    Appointments(Vec<Appointment>),
    /// There is none; book one?
    NoAppointments,
    /// Which of them?
    Which {
        /// What for.
        purpose: Purpose,
        /// In the order of their numbers.
        among: Vec<Appointment>,
    },
    /// Cancel it?
    ConfirmCancel(Appointment),
    /// It stays as it is.
    Kept(Appointment),
    /// Confirm, move or cancel?
    Plans(Appointment),
    /// The matter is dropped.
    Dropped,
    /// Not now.
    NoRush,
    /// Thanks for an opinion.
    ThanksFeedback,
    /// Book again?
    Invite,
    /// A vacancy.
    Vacancy {
        /// The service's name.
        service: String,
        /// The slot.
        slot: Slot,
    },
    /// A person takes over.
    Human(Reason),
    /// It was not understood, and is asked again.
    Again(Box<Saying>),
}

impl Saying {
    /// The bubbles, at most two of at most 300 characters.
    pub fn bubbles(&self, setting: &Setting, now: DateTime<Utc>) -> Vec<String> {
        bubbles(&self.text(setting, now))
    }

    /// The text, before it is cut into bubbles.
    pub fn text(&self, setting: &Setting, now: DateTime<Utc>) -> String {
        Teller { setting, now }.tell(self)
    }
}

/// Several sayings of one turn as its bubbles.
pub fn bubbles_of(sayings: &[Saying], setting: &Setting, now: DateTime<Utc>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for bubble in sayings.iter().flat_map(|saying| saying.bubbles(setting, now)) {
        match out.last_mut() {
            Some(last) if last.chars().count() + 1 + bubble.chars().count() <= BUBBLE_MAX && sayings.len() > 2 => {
                last.push('\n');
                last.push_str(&bubble);
            }
            _ => out.push(bubble),
        }
    }
    out
}

struct Teller<'a> {
    setting: &'a Setting,
    now: DateTime<Utc>,
}

impl Teller<'_> {
    fn tell(&self, saying: &Saying) -> String {
        match saying {
            Saying::AskService { names } => fill(Text::AskService, &[("lista", names_list(names))]),
            Saying::AskProfessional { service, names } => {
                fill(Text::AskProfessional, &[("servico", wording::clip(service)), ("lista", names_list(names))])
            }
            Saying::AskName { relation } => {
                let of = relation.as_deref().map(people::of_possessed).unwrap_or_default();
                fill(Text::AskName, &[("relacao", of)])
            }
            Saying::AskReading { readings } => fill(Text::AskReading, &[("lista", self.readings(readings))]),
            Saying::GapTime { when } => fill(Text::GapTime, &[("quando", wording::when(when, self.today()))]),
            Saying::TooFar { last } => {
                fill(Text::TooFar, &[("data", wording::day(self.setting.local(*last).date(), self.today()))])
            }
            Saying::Options { .. } | Saying::WhichOption { .. } | Saying::Recap { .. } | Saying::Vacancy { .. } => {
                self.offer(saying)
            }
            Saying::Committed { committed, reminded } => self.committed(committed, *reminded),
            Saying::NoneFree { service } => fill(Text::NoneFree, &[("servico", wording::clip(service))]),
            Saying::WaitlistJoined { service } => fill(Text::WaitlistJoined, &[("servico", wording::clip(service))]),
            Saying::Appointments(all) => {
                let several = if all.len() > 1 { "sim" } else { "" };
                fill(Text::Appointments, &[("lista", self.appointments(all)), ("varios", several.to_owned())])
            }
            Saying::Which { purpose, among } => {
                let text = if *purpose == Purpose::Cancel { Text::WhichCancel } else { Text::WhichMove };
                fill(text, &[("lista", self.appointments(among))])
            }
            Saying::ConfirmCancel(one) => self.about(Text::ConfirmCancel, one),
            Saying::Kept(one) => self.about(Text::Kept, one),
            Saying::Plans(one) => self.about(Text::Plans, one),
            Saying::Again(question) => fill(Text::Again, &[("pergunta", self.tell(question))]),
            plain => fill(plain_text(plain), &[]),
        }
    }

    fn today(&self) -> chrono::NaiveDate {
        self.setting.local(self.now).date()
    }

    fn at(&self, moment: DateTime<Utc>) -> String {
        wording::moment(self.setting.local(moment), self.today())
    }

    fn readings(&self, readings: &[When]) -> String {
        let lines: Vec<String> = readings.iter().map(|when| wording::when(when, self.today())).collect();
        wording::list((1..).zip(lines.iter().map(String::as_str)))
    }

    fn appointments(&self, all: &[Appointment]) -> String {
        wording::appointments(all, self.setting, self.now)
    }

    fn about(&self, text: Text, one: &Appointment) -> String {
        fill(text, &[("servico", wording::clip(&one.name)), ("quando", self.at(one.start))])
    }

    fn professional(&self, slot: &Slot) -> String {
        slot.professional.as_deref().map(|id| wording::clip(self.setting.professional_name(id))).unwrap_or_default()
    }

    fn offer(&self, saying: &Saying) -> String {
        match saying {
            Saying::Options { options, .. } => {
                let numbered: Vec<(usize, &Slot)> = (1..).zip(options).collect();
                let list = wording::slots(&numbered, self.setting, self.now);
                fill(Text::Options, &[("abertura", self.opening(saying)), ("lista", list)])
            }
            Saying::WhichOption { options } => {
                let numbered: Vec<(usize, &Slot)> = options.iter().map(|(number, slot)| (*number, slot)).collect();
                fill(Text::WhichOption, &[("lista", wording::slots(&numbered, self.setting, self.now))])
            }
            Saying::Recap { service, slot, patient, moving, sure } => {
                let text = if moving.is_some() { Text::RecapMove } else { Text::Recap };
                let before = moving.as_ref().map(|old| self.at(old.start)).unwrap_or_default();
                let values = [
                    ("servico", wording::clip(service)),
                    ("quando", self.at(slot.start)),
                    ("profissional", self.professional(slot)),
                    ("paciente", patient.as_ref().map(wording::patient).unwrap_or_default()),
                    ("antes", before),
                    ("certeza", if *sure { "sim".to_owned() } else { String::new() }),
                ];
                fill(text, &values)
            }
            Saying::Vacancy { service, slot } => {
                let values = [
                    ("servico", wording::clip(service)),
                    ("quando", self.at(slot.start)),
                    ("profissional", self.professional(slot)),
                ];
                fill(Text::Vacancy, &values)
            }
            _ => String::new(),
        }
    }

    /// What a list of times begins with.
    fn opening(&self, saying: &Saying) -> String {
        let Saying::Options { lead, service, moving, patient, .. } = saying else { return String::new() };
        let service = wording::clip(service);
        let whom = patient.as_ref().map(|who| format!(", para {}", wording::patient(who))).unwrap_or_default();
        let what = match moving {
            Some(old) => format!("remarcar {service} de {}", self.at(old.start)),
            None => format!("{service}{whom}"),
        };
        match lead {
            Lead::Fresh if moving.is_some() || patient.is_some() => format!("Para {what}, tenho:"),
            Lead::Fresh => format!("Para {what} tenho:"),
            Lead::Near => format!("Nesse horário não tenho vaga. Os mais próximos para {what}:"),
            Lead::Taken => "Desculpe, esse horário acabou de ser ocupado. Ainda tenho:".to_owned(),
            Lead::Expired => format!("Aqueles horários já podem ter mudado. Agora, para {what}, tenho:"),
            Lead::Others => format!("Outros horários para {what}:"),
            Lead::Next => format!("Agora {what}:"),
        }
    }

    fn committed(&self, committed: &Committed, reminded: bool) -> String {
        let entry = committed.entry();
        let (text, before) = match committed.deed() {
            Deed::Booked => (Text::Booked, String::new()),
            Deed::Requested => (Text::Requested, String::new()),
            Deed::Moved { from } => (Text::Moved, self.at(from)),
            Deed::Cancelled => (Text::Cancelled, String::new()),
            Deed::Confirmed => (Text::Confirmed, String::new()),
        };
        let place: String = entry.place.iter().flat_map(|place| place.chars().take(PLACE_MAX)).collect();
        let values = [
            ("servico", wording::clip(&entry.service)),
            ("quando", self.at(entry.start)),
            ("profissional", entry.professional.as_deref().map(wording::clip).unwrap_or_default()),
            ("paciente", entry.patient.as_deref().map(wording::clip).unwrap_or_default()),
            ("antes", before),
            ("local", place.trim().trim_end_matches('.').to_owned()),
            ("lembrete", if reminded { "sim".to_owned() } else { String::new() }),
        ];
        let told = fill(text, &values);
        match entry.link.as_deref().map(str::trim).filter(|link| !link.is_empty()) {
            Some(link) if committed.deed() != Deed::Cancelled => {
                // An address is never cut: a bubble of its own holds it.
                let link = fill(Text::Link, &[("link", link.to_owned())]);
                let is_short = told.chars().count() + 1 + link.chars().count() <= BUBBLE_MAX;
                format!("{told}{}{link}", if is_short { "\n" } else { "\n\n" })
            }
            _ => told,
        }
    }
}

fn names_list(names: &[String]) -> String {
    let clipped: Vec<String> = names.iter().map(|name| wording::clip(name)).collect();
    wording::list((1..).zip(clipped.iter().map(String::as_str)))
}

/// The texts without values.
fn plain_text(saying: &Saying) -> Text {
    match saying {
        Saying::NoSuchTime => Text::NoSuchTime,
        Saying::NotBooked { moving: true } => Text::NotMoved,
        Saying::NotBooked { moving: false } => Text::NotBooked,
        Saying::Checking => Text::Checking,
        Saying::NoAppointments => Text::NoAppointments,
        Saying::Dropped => Text::Dropped,
        Saying::NoRush => Text::NoRush,
        Saying::ThanksFeedback => Text::ThanksFeedback,
        Saying::Invite => Text::Invite,
        Saying::Human(reason) => match reason {
            Reason::NoCalendar => Text::HumanNoCalendar,
            Reason::CalendarDown => Text::HumanCalendarDown,
            Reason::Fruitless => Text::HumanFruitless,
            Reason::Unknown => Text::HumanUnknown,
            Reason::Refused => Text::HumanRefused,
            Reason::Asked => Text::HumanAsked,
        },
        _ => Text::AskDay,
    }
}
