//! What the booking conversation knows of a company, from its catalog and its settings.

use crate::config::company::CalendarKind;
use crate::domain::agenda::flow::{Appointment, Professional, Service, Setting};
use crate::domain::agenda::offer::{self, Offer};
use crate::models::tenant::appointment::AppointmentRow;
use crate::tenant::Tenant;

/// The id of the only thing there is to book at a company that lists no services. It is no service of the catalog: read as
/// an id it is none, which is how a calendar is asked for it.
pub const ANYTHING: &str = "-";
/// What it is called.
const ANYTHING_NAME: &str = "Atendimento";

/// The setting of a company that offers this.
pub fn of(tenant: &Tenant, offer: &Offer) -> Setting {
    let settings = &tenant.settings;
    let choice = &settings.calendar;
    Setting {
        zone: settings.timezone,
        calendar: choice.kind != CalendarKind::None,
        services: services(offer),
        professionals: offer.professionals.iter().map(professional).collect(),
        days_ahead: settings.agenda.horizon.days_ahead,
        days_max: u16::try_from(choice.ahead.num_days()).unwrap_or(u16::MAX),
        reminds: settings.reminders.day,
        ..Setting::default()
    }
}

fn services(offer: &Offer) -> Vec<Service> {
    let who = |service| offer.who_does(service).map(|one| one.id.to_string()).collect();
    if offer.services.is_empty() {
        let name = ANYTHING_NAME.to_owned();
        return vec![Service { id: ANYTHING.to_owned(), name, aliases: Vec::new(), professionals: who(None) }];
    }
    let one = |service: &offer::Service| Service {
        id: service.id.to_string(),
        name: service.name.clone(),
        aliases: Vec::new(),
        professionals: who(Some(service.id)),
    };
    offer.services.iter().map(one).collect()
}

fn professional(one: &offer::Professional) -> Professional {
    Professional { id: one.id.to_string(), name: one.name.clone() }
}

/// The flow's name of an appointment's service.
pub fn service_id(row: &AppointmentRow) -> String {
    row.service_id.map_or_else(|| ANYTHING.to_owned(), |id| id.to_string())
}

/// An appointment as the flow knows it.
pub fn appointment(row: &AppointmentRow) -> Appointment {
    Appointment {
        id: row.id.to_string(),
        service: Some(service_id(row)),
        name: if row.service.is_empty() { ANYTHING_NAME.to_owned() } else { row.service.clone() },
        professional: row.professional_id.map(|id| id.to_string()),
        start: row.starts_at,
        end: row.ends_at,
    }
}
