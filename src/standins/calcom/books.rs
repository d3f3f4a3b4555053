//! What the calendar knows, and what it lets happen.

use std::collections::BTreeMap;
use std::sync::Mutex;

use chrono::{DateTime, Datelike, Days, NaiveTime, TimeDelta, TimeZone, Utc};

use super::kinds::{BookingAtStandIn, EventTypeAtStandIn, NewBooking, Refusal, Reserved};
use crate::standins::state::lock;

/// From a moment to another.
type Stretch = (DateTime<Utc>, DateTime<Utc>);

/// All calendars.
#[derive(Debug, Default)]
pub(in crate::standins) struct Books(Mutex<Inner>);

#[derive(Debug, Default)]
pub(super) struct Inner {
    types: BTreeMap<i64, EventTypeAtStandIn>,
    bookings: Vec<BookingAtStandIn>,
    reserved: Vec<Reserved>,
    next: i64,
}

impl Books {
    /// Does something with all of them, nobody else beside it.
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Inner) -> T) -> T {
        work(&mut lock(&self.0))
    }

    pub(in crate::standins) fn add_type(&self, event_type: EventTypeAtStandIn) {
        lock(&self.0).types.insert(event_type.id, event_type);
    }

    pub(in crate::standins) fn of_company(&self, company: i64) -> Vec<BookingAtStandIn> {
        lock(&self.0).bookings_of(company)
    }

    pub(in crate::standins) fn make(
        &self,
        wanted: NewBooking,
        now: DateTime<Utc>,
    ) -> Result<BookingAtStandIn, Refusal> {
        lock(&self.0).book(None, wanted, now)
    }
}

impl Inner {
    pub fn types_of(&self, company: i64) -> Vec<EventTypeAtStandIn> {
        self.types.values().filter(|one| one.company == company).cloned().collect()
    }

    pub fn event_type(&self, id: i64) -> Option<EventTypeAtStandIn> {
        self.types.get(&id).cloned()
    }

    fn known_type(&self, id: i64) -> Result<EventTypeAtStandIn, Refusal> {
        let missing = || Refusal::new(404, "NotFoundException", format!("Event type with id {id} not found"));
        self.event_type(id).ok_or_else(missing)
    }

    pub fn bookings_of(&self, company: i64) -> Vec<BookingAtStandIn> {
        self.bookings.iter().filter(|one| one.company == company).cloned().collect()
    }

    pub fn find(&self, company: i64, uid: &str) -> Result<BookingAtStandIn, Refusal> {
        let found = self.bookings.iter().find(|one| one.company == company && one.uid == uid);
        let missing = || Refusal::new(404, "NotFoundException", format!("Booking with uid={uid} was not found"));
        found.cloned().ok_or_else(missing)
    }

    fn put(&mut self, booking: BookingAtStandIn) -> BookingAtStandIn {
        match self.bookings.iter_mut().find(|one| one.uid == booking.uid) {
            Some(old) => *old = booking.clone(),
            None => self.bookings.push(booking.clone()),
        }
        booking
    }

    pub fn free(
        &self,
        id: i64,
        (from, until): (DateTime<Utc>, DateTime<Utc>),
        moving: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Stretch>, Refusal> {
        let event_type = self.known_type(id)?;
        let open = beginnings(&event_type, from, until).into_iter().filter(|starts| *starts > now);
        let length = TimeDelta::minutes(event_type.minutes);
        let free = open.filter(|starts| {
            let kept = self.reserved.iter().any(|one| one.event_type == id && one.until > now && one.starts == *starts);
            !kept && self.has_room(&event_type, *starts, moving)
        });
        Ok(free.map(|starts| (starts, starts + length)).collect())
    }

    fn has_room(&self, event_type: &EventTypeAtStandIn, starts: DateTime<Utc>, moving: Option<&str>) -> bool {
        let ends = starts + TimeDelta::minutes(event_type.minutes);
        let there = self.bookings.iter().filter(|one| {
            one.company == event_type.company
                && one.host == event_type.host
                && one.stands()
                && one.starts < ends
                && starts < one.ends
                && moving != Some(one.uid.as_str())
        });
        let (same, other): (Vec<_>, Vec<_>) =
            there.partition(|one| one.event_type == event_type.id && one.starts == starts);
        other.is_empty() && same.len() < event_type.seats
    }

    fn check(&self, event_type: &EventTypeAtStandIn, starts: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), Refusal> {
        if starts <= now {
            return Err(Refusal::bad("Attempting to book a meeting in the past."));
        }
        if !beginnings(event_type, starts, starts + TimeDelta::seconds(1)).contains(&starts) {
            return Err(Refusal::bad("The event type can't be booked at the \"start\" time provided."));
        }
        Ok(())
    }

    pub fn reserve(
        &mut self,
        id: i64,
        starts: DateTime<Utc>,
        minutes: i64,
        now: DateTime<Utc>,
    ) -> Result<Reserved, Refusal> {
        let event_type = self.known_type(id)?;
        self.reserved.retain(|one| one.until > now);
        let taken = |message| Refusal::new(422, "UnprocessableEntityException", message);
        if !self.has_room(&event_type, starts, None) {
            return Err(taken("Can't reserve a slot if the event is already booked."));
        }
        if self.reserved.iter().any(|one| one.event_type == id && one.starts == starts) {
            return Err(taken("This time slot is already reserved by another user. Please choose a different time."));
        }
        self.next += 1;
        let kept = Reserved {
            uid: format!("reservation-{}", self.next),
            event_type: id,
            starts,
            ends: starts + TimeDelta::minutes(event_type.minutes),
            minutes,
            until: now + TimeDelta::minutes(minutes),
        };
        self.reserved.push(kept.clone());
        Ok(kept)
    }

    pub fn reserved(&self, uid: &str, now: DateTime<Utc>) -> Option<Reserved> {
        self.reserved.iter().find(|one| one.uid == uid && one.until > now).cloned()
    }

    pub fn release(&mut self, uid: &str) {
        self.reserved.retain(|one| one.uid != uid);
    }

    /// Books. `company` is that of the key; `None` = somebody at the public page.
    pub fn book(
        &mut self,
        company: Option<i64>,
        wanted: NewBooking,
        now: DateTime<Utc>,
    ) -> Result<BookingAtStandIn, Refusal> {
        let event_type = self.known_type(wanted.event_type)?;
        if company.is_some_and(|company| company != event_type.company) {
            return Err(Refusal::new(
                404,
                "NotFoundException",
                format!("Event type with id {} not found", event_type.id),
            ));
        }
        self.check(&event_type, wanted.starts, now)?;
        if !self.has_room(&event_type, wanted.starts, None) {
            return Err(Refusal::taken());
        }
        let made = self.new_booking(&event_type, wanted, now);
        Ok(self.put(made))
    }

    fn new_booking(
        &mut self,
        event_type: &EventTypeAtStandIn,
        wanted: NewBooking,
        now: DateTime<Utc>,
    ) -> BookingAtStandIn {
        self.next += 1;
        BookingAtStandIn {
            company: event_type.company,
            id: self.next,
            uid: format!("bk{}x{}", event_type.company, self.next),
            status: if event_type.needs_confirmation { "pending" } else { "accepted" },
            event_type: event_type.id,
            title: format!("{} entre {} e {}", event_type.title, event_type.host, wanted.name),
            host: event_type.host.clone(),
            starts: wanted.starts,
            ends: wanted.starts + TimeDelta::minutes(event_type.minutes),
            name: wanted.name,
            email: wanted.email,
            phone: wanted.phone,
            zone: wanted.zone,
            absent: false,
            metadata: wanted.metadata,
            reason: String::new(),
            moved_from: None,
            moved_to: None,
            created_at: now,
            updated_at: now,
        }
    }

    pub fn reschedule(
        &mut self,
        (company, uid): (i64, &str),
        starts: DateTime<Utc>,
        reason: &str,
        now: DateTime<Utc>,
    ) -> Result<(BookingAtStandIn, BookingAtStandIn), Refusal> {
        let mut old = self.find(company, uid)?;
        if !old.stands() {
            let at = old.moved_to.as_ref().map(|uid| format!(" and rescheduled to {uid}")).unwrap_or_default();
            return Err(Refusal::bad(format!(
                "Can't reschedule booking with uid={uid} because it has been {}{at}",
                old.status
            )));
        }
        let event_type = self.known_type(old.event_type)?;
        self.check(&event_type, starts, now)?;
        if !self.has_room(&event_type, starts, Some(uid)) {
            return Err(Refusal::taken());
        }
        let wanted = NewBooking {
            event_type: old.event_type,
            starts,
            name: old.name.clone(),
            email: old.email.clone(),
            phone: old.phone.clone(),
            zone: old.zone.clone(),
            metadata: old.metadata.clone(),
        };
        let mut new = self.new_booking(&event_type, wanted, now);
        new.moved_from = Some(old.uid.clone());
        reason.clone_into(&mut new.reason);
        (old.status, old.moved_to, old.updated_at) = ("cancelled", Some(new.uid.clone()), now);
        Ok((self.put(old), self.put(new)))
    }

    pub fn cancel(
        &mut self,
        (company, uid): (i64, &str),
        reason: &str,
        now: DateTime<Utc>,
    ) -> Result<BookingAtStandIn, Refusal> {
        let booking = self.find(company, uid)?;
        if !booking.stands() {
            return Err(Refusal::bad(format!(
                "Can't cancel booking with uid={uid} because it has been cancelled already"
            )));
        }
        Ok(self.put(BookingAtStandIn { status: "cancelled", reason: reason.to_owned(), updated_at: now, ..booking }))
    }

    pub fn settle(
        &mut self,
        (company, uid): (i64, &str),
        status: &'static str,
        reason: &str,
        now: DateTime<Utc>,
    ) -> Result<BookingAtStandIn, Refusal> {
        let booking = self.find(company, uid)?;
        if booking.status != "pending" {
            return Err(Refusal::bad(format!("Can't be confirmed: booking with uid={uid} is {}", booking.status)));
        }
        Ok(self.put(BookingAtStandIn { status, reason: reason.to_owned(), updated_at: now, ..booking }))
    }

    pub fn mark_absent(
        &mut self,
        (company, uid): (i64, &str),
        absent: bool,
        now: DateTime<Utc>,
    ) -> Result<BookingAtStandIn, Refusal> {
        let booking = self.find(company, uid)?;
        if booking.starts > now {
            return Err(Refusal::bad("Bookings can only be marked as absent after their start time has passed."));
        }
        Ok(self.put(BookingAtStandIn { absent, updated_at: now, ..booking }))
    }
}

/// When bookings may begin between two moments.
fn beginnings(event_type: &EventTypeAtStandIn, from: DateTime<Utc>, until: DateTime<Utc>) -> Vec<DateTime<Utc>> {
    let first = from.with_timezone(&event_type.zone).date_naive();
    let last = until.with_timezone(&event_type.zone).date_naive();
    let mut found = Vec::new();
    let mut date = first;
    while date <= last {
        if event_type.days.contains(&date.weekday()) {
            let minutes = i64::from(event_type.opens) * 60..i64::from(event_type.closes) * 60;
            let step = usize::try_from(event_type.minutes.max(1)).unwrap_or(30);
            for minute in minutes.step_by(step).filter(|m| m + event_type.minutes <= i64::from(event_type.closes) * 60)
            {
                let local = date.and_time(NaiveTime::MIN) + TimeDelta::minutes(minute);
                let moment = event_type.zone.from_local_datetime(&local).earliest().map(|moment| moment.to_utc());
                found.extend(moment.filter(|moment| from <= *moment && *moment < until));
            }
        }
        let Some(next) = date.checked_add_days(Days::new(1)) else { break };
        date = next;
    }
    found
}
