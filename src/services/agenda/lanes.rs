//! Which resources a wish can be met on, and by which rules.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

use super::calendar::{CalendarError, OpenSlot};
use crate::config::company::{CalendarChoice, CompanySettings};
use crate::domain::agenda::offer::{Offer, Professional, Service};
use crate::domain::agenda::slots::{Busy, Rules};
use crate::domain::hours::BusinessHours;
use crate::models::tenant::appointment::AppointmentRow;

/// The resource of companies that name no professionals.
const HOUSE: &str = "house";

/// A resource, with what is to be done on it.
#[derive(Clone, Debug)]
pub(super) struct Lane<'a> {
    /// Its name in rows.
    pub resource: String,
    pub service: Option<&'a Service>,
    pub professional: Option<&'a Professional>,
    /// Cal.com's kind of booking.
    pub event_type: Option<i64>,
    zone: Tz,
    hours: Vec<BusinessHours>,
    duration: TimeDelta,
    before: TimeDelta,
    after: TimeDelta,
    step: TimeDelta,
    seats: i16,
    shared: bool,
}

impl<'a> Lane<'a> {
    fn local(settings: &CompanySettings, service: Option<&'a Service>, professional: Option<&'a Professional>) -> Self {
        let choice = &settings.calendar;
        let duration = service.and_then(|service| service.duration).unwrap_or(choice.duration);
        let group = service.map_or(1, |service| service.group);
        let works = professional.map(|one| one.works(&settings.hours.business));
        let mut hours = vec![works.unwrap_or_else(|| settings.hours.business.clone())];
        // The service's hours know no holidays: those are in the others already.
        hours.extend(service.and_then(|service| service.hours.clone()).map(|opening| BusinessHours {
            opening,
            own: Vec::new(),
            national: false,
        }));
        Self {
            resource: professional.map_or_else(|| HOUSE.to_owned(), |one| format!("professional/{}", one.id)),
            service,
            professional,
            event_type: None,
            zone: settings.timezone,
            hours,
            duration,
            before: service.and_then(|service| service.before).unwrap_or(choice.buffer_before),
            after: service.and_then(|service| service.after).unwrap_or(choice.buffer_after),
            step: choice.step.unwrap_or(duration),
            seats: if group > 1 { group } else { professional.map_or(choice.capacity, |one| one.seats) },
            shared: group > 1,
        }
    }

    fn outside(
        settings: &CompanySettings,
        service: Option<&'a Service>,
        professional: Option<&'a Professional>,
    ) -> Option<Self> {
        let of_service = service.and_then(|service| professional?.event_types.get(&service.id).copied());
        let event_type = of_service
            .or_else(|| service.and_then(|service| service.event_type))
            .or_else(|| professional.and_then(|one| one.event_type))
            .or(settings.calendar.event_type)?;
        Some(Self {
            resource: resource(event_type),
            event_type: Some(event_type),
            // The calendar outside keeps its own.
            before: TimeDelta::zero(),
            after: TimeDelta::zero(),
            shared: false,
            ..Self::local(settings, service, professional)
        })
    }

    /// How times are made on it.
    pub fn rules(&self) -> Rules<'_> {
        Rules {
            zone: self.zone,
            hours: &self.hours,
            duration: self.duration,
            before: self.before,
            after: self.after,
            step: self.step,
            seats: self.seats,
            shared: self.shared,
        }
    }

    /// What keeps it busy.
    pub fn busy(&self, rows: &[AppointmentRow], but: &[Uuid]) -> Vec<Busy> {
        let service = self.service.map(|service| service.id);
        let here = rows.iter().filter(|row| row.resource == self.resource && !but.contains(&row.id));
        here.map(|row| Busy {
            from: row.busy_from,
            to: row.busy_to,
            starts: row.starts_at,
            seat: row.seat,
            shared: row.shared,
            same_service: row.service_id == service,
        })
        .collect()
    }

    /// The moments around a time of which it has to be known what is there.
    pub fn around(&self, (from, until): (DateTime<Utc>, DateTime<Utc>)) -> (DateTime<Utc>, DateTime<Utc>) {
        (from - self.before, until + self.duration + self.after)
    }

    /// From when until when nobody else may have the seat.
    pub fn taken_by(&self, starts: DateTime<Utc>, ends: DateTime<Utc>) -> (DateTime<Utc>, DateTime<Utc>) {
        (starts - self.before, ends + self.after)
    }

    /// Whether several share a time.
    pub fn is_shared(&self) -> bool {
        self.shared
    }

    /// A time on it, as it is offered.
    pub fn slot(&self, starts: DateTime<Utc>, ends: Option<DateTime<Utc>>) -> OpenSlot {
        OpenSlot {
            starts,
            ends: ends.unwrap_or(starts + self.duration),
            service: self.service.map(|service| service.id),
            service_name: self.service.map(|service| service.name.clone()).unwrap_or_default(),
            professional: self.professional.map(|one| one.id),
            professional_name: self.professional.map(|one| one.name.clone()).unwrap_or_default(),
        }
    }
}

/// The resources on which a wish can be met in the company's own calendar: the professional's, those of all who do the
/// service, or the house.
pub(super) fn local<'a>(
    settings: &CompanySettings,
    offer: &'a Offer,
    (service, professional): (Option<Uuid>, Option<Uuid>),
) -> Result<Vec<Lane<'a>>, CalendarError> {
    let (service, professionals) = wanted(offer, service, professional)?;
    if professionals.is_empty() {
        return Ok(vec![Lane::local(settings, service, None)]);
    }
    Ok(professionals.into_iter().map(|one| Lane::local(settings, service, Some(one))).collect())
}

/// The same at Cal.com: event types. Professionals without one of their own share that of the service; then it is Cal.com
/// that finds somebody.
pub(super) fn outside<'a>(
    settings: &CompanySettings,
    offer: &'a Offer,
    (service, professional): (Option<Uuid>, Option<Uuid>),
) -> Result<Vec<Lane<'a>>, CalendarError> {
    let (found, professionals) = wanted(offer, service, professional)?;
    let mut lanes: Vec<Lane<'a>> = Vec::new();
    for one in professionals {
        let Some(mut lane) = Lane::outside(settings, found, Some(one)) else { continue };
        let same = lanes.iter_mut().find(|known| known.event_type == lane.event_type);
        match same {
            Some(known) => known.professional = None,
            None => {
                let own = one.event_type == lane.event_type
                    || found.is_some_and(|service| one.event_types.get(&service.id).copied() == lane.event_type);
                lane.professional = lane.professional.filter(|_| own || professional.is_some());
                lanes.push(lane);
            }
        }
    }
    if lanes.is_empty() {
        lanes.extend(Lane::outside(settings, found, None));
    }
    if lanes.is_empty() { Err(CalendarError::NotConfigured("no_event_type")) } else { Ok(lanes) }
}

/// What a kind of booking at Cal.com occupies.
pub(super) fn resource(event_type: i64) -> String {
    format!("event_type/{event_type}")
}

/// The service and the professional that a kind of booking at Cal.com means, as far as it means one.
pub(super) fn meant_by(offer: &Offer, event_type: i64) -> (Option<&Service>, Option<&Professional>) {
    for one in &offer.professionals {
        let service = one.event_types.iter().find(|(_, number)| **number == event_type);
        if let Some((service, _)) = service {
            return (offer.service(*service), Some(one));
        }
    }
    let mut services = offer.services.iter().filter(|one| one.event_type == Some(event_type));
    let mut people = offer.professionals.iter().filter(|one| one.event_type == Some(event_type));
    let service = services.next().filter(|_| services.next().is_none());
    (service, people.next().filter(|_| people.next().is_none()))
}

fn wanted(
    offer: &Offer,
    service: Option<Uuid>,
    professional: Option<Uuid>,
) -> Result<(Option<&Service>, Vec<&Professional>), CalendarError> {
    let service = match service {
        Some(id) => Some(offer.service(id).ok_or(CalendarError::NotOffered)?),
        None => None,
    };
    let who: Vec<&Professional> = offer.who_does(service.map(|service| service.id)).collect();
    let Some(id) = professional else { return Ok((service, who)) };
    let one: Vec<&Professional> = who.into_iter().filter(|one| one.id == id).collect();
    if one.is_empty() { Err(CalendarError::NotOffered) } else { Ok((service, one)) }
}

/// The first and last moment at which an appointment may begin now.
pub(super) fn bounds(choice: &CalendarChoice, now: DateTime<Utc>) -> (DateTime<Utc>, DateTime<Utc>) {
    (now + choice.notice, now + choice.ahead)
}
