//! What can be booked of a company: its services and the people who do them, as its catalog tells.
//!
//! The part of a fact's `data` that is read here is the object `agenda`; all of it may be left out:
//!
//! | of a service | |
//! |---|---|
//! | `event_type` | Cal.com's number of it |
//! | `buffer_before_minutes`, `buffer_after_minutes` | in place of the company's |
//! | `hours` | when it is done at all, as opening hours are written |
//!
//! | of a professional | |
//! |---|---|
//! | `event_type`, `event_types` | Cal.com's number for all they do; for each service, by its id |
//! | `services` | the ids of what they do; everything when left out |
//! | `hours`, `days` | their own hours and days, in place of the company's hours, before its days |

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde_json::Value;
use uuid::Uuid;

use crate::domain::hours::{BusinessHours, OpeningHours, OwnDay, parse_own};
use crate::domain::knowledge::facts::{Fact, FactKind};

/// Something done for a customer.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// How long it takes; `None` = as long as the company says of all.
    pub duration: Option<TimeDelta>,
    /// How many may take part at once; more than one makes it a group that begins together.
    pub group: i16,
    /// Cal.com's number of it.
    pub event_type: Option<i64>,
    /// Kept free before.
    pub before: Option<TimeDelta>,
    /// Kept free after.
    pub after: Option<TimeDelta>,
    /// When it is done at all.
    pub hours: Option<OpeningHours>,
}

/// Somebody who does it.
#[derive(Clone, Debug, PartialEq)]
pub struct Professional {
    /// Their id.
    pub id: Uuid,
    /// Their name.
    pub name: String,
    /// How many customers they see at once.
    pub seats: i16,
    /// What they do; `None` = everything.
    pub services: Option<Vec<Uuid>>,
    /// Their own hours.
    pub hours: Option<OpeningHours>,
    /// Their own days.
    pub days: Vec<OwnDay>,
    /// Cal.com's number for all they do.
    pub event_type: Option<i64>,
    /// Cal.com's number for each service.
    pub event_types: BTreeMap<Uuid, i64>,
}

/// All that can be booked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Offer {
    /// Services, in the catalog's order.
    pub services: Vec<Service>,
    /// Professionals, in the catalog's order.
    pub professionals: Vec<Professional>,
}

impl Offer {
    /// Reads the catalog: what is offered now.
    pub fn of<'a>(items: impl IntoIterator<Item = (Uuid, &'a Fact, &'a Value)>) -> Self {
        let mut offer = Self::default();
        for (id, fact, data) in items.into_iter().filter(|(_, fact, _)| fact.active) {
            let agenda = data.get("agenda").unwrap_or(&Value::Null);
            match fact.kind {
                FactKind::Service => offer.services.push(service(id, fact, agenda)),
                FactKind::Professional => offer.professionals.push(professional(id, fact, agenda)),
                _ => {}
            }
        }
        offer
    }

    /// A service.
    pub fn service(&self, id: Uuid) -> Option<&Service> {
        self.services.iter().find(|one| one.id == id)
    }

    /// A professional.
    pub fn professional(&self, id: Uuid) -> Option<&Professional> {
        self.professionals.iter().find(|one| one.id == id)
    }

    /// Who does a service; whoever there is when none is named.
    pub fn who_does(&self, service: Option<Uuid>) -> impl Iterator<Item = &Professional> {
        self.professionals.iter().filter(move |one| service.is_none_or(|service| one.does(service)))
    }
}

impl Professional {
    /// Whether they do a service.
    pub fn does(&self, service: Uuid) -> bool {
        self.services.as_ref().is_none_or(|services| services.contains(&service))
    }

    /// When they work: by their own hours where they have some.
    pub fn works(&self, company: &BusinessHours) -> BusinessHours {
        BusinessHours {
            opening: self.hours.clone().unwrap_or_else(|| company.opening.clone()),
            // Of two days that say as much of a date the first counts.
            own: self.days.iter().chain(&company.own).cloned().collect(),
            national: company.national,
        }
    }
}

fn service(id: Uuid, fact: &Fact, agenda: &Value) -> Service {
    Service {
        id,
        name: fact.name.clone(),
        duration: fact.duration_min.map(|minutes| TimeDelta::minutes(minutes.into())),
        group: seats(fact),
        event_type: agenda.get("event_type").and_then(Value::as_i64),
        before: minutes(agenda, "buffer_before_minutes"),
        after: minutes(agenda, "buffer_after_minutes"),
        hours: hours(agenda),
    }
}

fn professional(id: Uuid, fact: &Fact, agenda: &Value) -> Professional {
    let ids = |list: &Vec<Value>| list.iter().filter_map(|id| id.as_str()?.parse().ok()).collect();
    let event_types = agenda.get("event_types").and_then(Value::as_object).into_iter().flatten();
    Professional {
        id,
        name: fact.name.clone(),
        seats: seats(fact),
        services: agenda.get("services").and_then(Value::as_array).map(ids),
        hours: hours(agenda),
        days: agenda
            .get("days")
            .and_then(Value::as_str)
            .map(|days| parse_own(days).unwrap_or_default())
            .unwrap_or_default(),
        event_type: agenda.get("event_type").and_then(Value::as_i64),
        event_types: event_types.filter_map(|(id, number)| Some((id.parse().ok()?, number.as_i64()?))).collect(),
    }
}

fn seats(fact: &Fact) -> i16 {
    i16::try_from(fact.capacity).unwrap_or(i16::MAX).max(1)
}

fn minutes(agenda: &Value, field: &str) -> Option<TimeDelta> {
    agenda.get(field).and_then(Value::as_i64).filter(|minutes| (0..=1_440).contains(minutes)).map(TimeDelta::minutes)
}

/// Hours that cannot be read are no hours at all: better nothing on offer than a time when nobody is there.
fn hours(agenda: &Value) -> Option<OpeningHours> {
    agenda.get("hours").and_then(Value::as_str).map(|text| OpeningHours::parse(text).unwrap_or_default())
}

/// What is wrong with the `agenda` part of a fact's data, as a sentence; `None` when it can be used as it is.
pub fn complaint(agenda: &Value) -> Option<String> {
    let text = |field: &str| agenda.get(field).and_then(Value::as_str);
    let hours = text("hours").and_then(|hours| OpeningHours::parse(hours).err());
    let days = text("days").and_then(|days| parse_own(days).err());
    hours.or(days).map(|error| error.to_string())
}
