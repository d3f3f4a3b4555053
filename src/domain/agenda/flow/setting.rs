//! What the flow knows of a company.

use chrono::{DateTime, NaiveDateTime, Utc};
use chrono_tz::Tz;

use super::zoned;

/// Something that can be booked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// Its id, as the calendar knows it.
    pub id: String,
    /// Its name, as customers know it.
    pub name: String,
    /// Other names customers use.
    pub aliases: Vec<String>,
    /// The ids of those who do it; empty when nobody in particular does.
    pub professionals: Vec<String>,
}

/// Somebody who attends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Professional {
    /// The id, as the calendar knows it.
    pub id: String,
    /// The name with its title, as customers know it ("Dra. Lia").
    pub name: String,
}

/// A company, as far as its agenda is concerned.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The zone all times are said in.
    pub zone: Tz,
    /// Whether there is a calendar to book in.
    pub calendar: bool,
    /// What can be booked.
    pub services: Vec<Service>,
    /// Those who attend.
    pub professionals: Vec<Professional>,
    /// How many days are looked through at once.
    pub days_ahead: u16,
    /// How many days ahead one can book at all.
    pub days_max: u16,
    /// For how many minutes offered times count; after that they are looked up anew.
    pub offer_minutes: u16,
    /// After how many rounds without progress a person is fetched.
    pub fruitless_max: u8,
    /// Whether a customer of a service with several professionals is asked whom they prefer.
    pub asks_professional: bool,
    /// Whether a reminder goes out the day before.
    pub reminds: bool,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            zone: Tz::America__Sao_Paulo,
            calendar: true,
            services: Vec::new(),
            professionals: Vec::new(),
            days_ahead: 7,
            days_max: 180,
            offer_minutes: 360,
            fruitless_max: 3,
            asks_professional: true,
            reminds: true,
        }
    }
}

impl Setting {
    /// The service with an id.
    pub fn service(&self, id: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.id == id)
    }

    /// The name of a service; the id when it is not known any more.
    pub fn service_name<'a>(&'a self, id: &'a str) -> &'a str {
        self.service(id).map_or(id, |service| service.name.as_str())
    }

    /// The name of a professional; the id when it is not known any more.
    pub fn professional_name<'a>(&'a self, id: &'a str) -> &'a str {
        self.professionals.iter().find(|one| one.id == id).map_or(id, |one| one.name.as_str())
    }

    /// Those who do a service.
    pub fn professionals_of(&self, service: &str) -> Vec<&Professional> {
        let ids = self.service(service).map_or(&[][..], |service| service.professionals.as_slice());
        ids.iter().filter_map(|id| self.professionals.iter().find(|one| one.id == *id)).collect()
    }

    /// The local time of a moment.
    pub fn local(&self, at: DateTime<Utc>) -> NaiveDateTime {
        at.with_timezone(&self.zone).naive_local()
    }

    /// The moment of a local time: the earlier of two, and the end of a gap for a time inside one.
    pub fn moment(&self, local: NaiveDateTime) -> DateTime<Utc> {
        zoned::moment(self.zone, local)
    }
}
