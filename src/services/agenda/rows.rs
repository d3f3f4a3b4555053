//! What both calendars do with rows.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::calendar::{CalendarError, LookUp, Wish};
use super::lanes::Lane;
use super::timers::{self, Planned, due};
use crate::domain::agenda::appointment::AppointmentState as State;
use crate::domain::company::CompanyId;
use crate::models::tenant::appointment::{self, AppointmentRow};
use crate::services::Services;
use crate::services::audit::{self, Actor};
use crate::telemetry::metrics;
use crate::tenant::{Tenant, TenantTx};

/// A company's rows, and who touches them.
pub struct Desk<'a> {
    pub(super) services: &'a Services,
    pub(super) tenant: &'a Tenant,
    pub(super) actor: &'a Actor,
    /// What transactions that are not ended yet planned.
    planned: Mutex<Planned>,
}

impl<'a> Desk<'a> {
    /// The rows of a company, touched by somebody.
    pub(super) fn new(services: &'a Services, tenant: &'a Tenant, actor: &'a Actor) -> Self {
        Self { services, tenant, actor, planned: Mutex::default() }
    }

    fn planned(&self) -> MutexGuard<'_, Planned> {
        self.planned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Desk<'_> {
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.services.clock.now()
    }

    /// Begins what [`within`] ends.
    pub(super) async fn begin(&self) -> Result<TenantTx, CalendarError> {
        Ok(self.tenant.db.begin().await?)
    }

    /// Commits what went well, and nothing else.
    pub(super) async fn end<T>(&self, tx: TenantTx, done: Result<T, CalendarError>) -> Result<T, CalendarError> {
        match done {
            Ok(value) => {
                tx.commit().await?;
                let planned = std::mem::take(&mut *self.planned());
                planned.count(self.tenant);
                due::tell_after_commit(self.services, self.tenant.id(), planned.next).await;
                Ok(value)
            }
            Err(error) => {
                tx.rollback().await;
                *self.planned() = Planned::default();
                Err(error)
            }
        }
    }

    /// Records an act on an appointment that was just stored, and plans what is due of it, in its transaction. Neither
    /// names nor numbers go along.
    pub(super) async fn record(
        &self,
        tx: &mut TenantTx,
        action: &'static str,
        row: &AppointmentRow,
    ) -> Result<(), CalendarError> {
        let detail =
            json!({ "state": row.state, "starts_at": row.starts_at, "version": row.version, "source": row.source });
        let entry = self.actor.entry(action, format!("appointment/{}", row.id), detail);
        audit::record(tx, self.tenant.id(), &entry, self.now()).await?;
        count(self.tenant.id(), action);
        let planned = timers::plan_for(tx, self.tenant, row, self.now()).await?;
        self.planned().add(planned);
        Ok(())
    }

    /// Writes what a calendar outside told of an appointment, and records it: `before` is the row as it was, `None` of
    /// one that is new.
    pub(super) async fn put(
        &self,
        tx: &mut TenantTx,
        before: Option<&AppointmentRow>,
        mut row: AppointmentRow,
        action: Option<&'static str>,
    ) -> Result<AppointmentRow, CalendarError> {
        match before {
            Some(before) if *before == row => return Ok(row),
            Some(_) => {
                row.updated_at = self.now();
                appointment::save(tx, &row).await?;
            }
            None => appointment::insert(tx, &row).await?,
        }
        if let Some(action) = action {
            self.record(tx, action, &row).await?;
        }
        Ok(row)
    }

    /// Records that the calendar was looked into.
    pub(super) async fn looked(&self, tx: &mut TenantTx, what: Value) -> Result<(), CalendarError> {
        let entry = self.actor.entry("agenda.access", "calendar", what);
        Ok(audit::record(tx, self.tenant.id(), &entry, self.now()).await?)
    }

    /// The row of a wish on a lane.
    pub(super) fn row(&self, wish: &Wish, lane: &Lane<'_>, state: State, seat: Option<i16>) -> AppointmentRow {
        let now = self.now();
        let (busy_from, busy_to) = lane.taken_by(wish.slot.starts, wish.slot.ends);
        let customer = &wish.customer;
        AppointmentRow {
            id: wish.id,
            person_id: customer.person_id,
            conversation_id: customer.conversation_id,
            service_id: wish.slot.service,
            service: wish.slot.service_name.clone(),
            professional_id: wish.slot.professional,
            professional: wish.slot.professional_name.clone(),
            resource: lane.resource.clone(),
            seat,
            shared: lane.is_shared(),
            starts_at: wish.slot.starts,
            ends_at: wish.slot.ends,
            busy_from,
            busy_to,
            state: state.as_str().to_owned(),
            source: wish.source.to_owned(),
            external_uid: None,
            event_type: lane.event_type,
            reservation_uid: None,
            hold_until: (state == State::Held).then(|| now + self.tenant.settings.calendar.hold),
            wish: None,
            attendee: json!({ "name": customer.name, "phone": customer.phone, "email": customer.email }),
            meeting: json!({}),
            metadata: json!({}),
            reason: None,
            outcome_source: None,
            event_at: None,
            version: 1,
            risk: None,
            created_at: now,
            updated_at: now,
        }
    }

    /// A row as it is.
    pub(super) async fn find(&self, id: Uuid) -> Result<Option<AppointmentRow>, CalendarError> {
        within!(self, |tx| { Ok(appointment::find(tx, id).await?) })
    }

    /// Gives a kept time back; the row, if it was kept.
    pub(super) async fn release(&self, intent: Uuid) -> Result<Option<AppointmentRow>, CalendarError> {
        within!(self, |tx| {
            let Some(mut row) = appointment::lock(tx, intent).await?.filter(|row| row.state() == State::Held) else {
                return Ok(None);
            };
            row.set_state(State::Lapsed);
            row.updated_at = self.now();
            appointment::save(tx, &row).await?;
            Ok(Some(row))
        })
    }

    /// Gives up times that are kept no longer.
    pub(super) async fn lapse(&self) -> Result<usize, CalendarError> {
        within!(self, |tx| { Ok(appointment::lapse(tx, None, self.now()).await?) })
    }

    /// Changes a locked row, and records it.
    pub(super) async fn change(
        &self,
        id: Uuid,
        action: &'static str,
        change: impl FnOnce(&mut AppointmentRow) -> Result<(), CalendarError>,
    ) -> Result<AppointmentRow, CalendarError> {
        within!(self, |tx| {
            let mut row = appointment::lock(tx, id).await?.ok_or(CalendarError::Gone)?;
            let before = row.clone();
            change(&mut row)?;
            if row != before {
                row.updated_at = self.now();
                appointment::save(tx, &row).await?;
                self.record(tx, action, &row).await?;
            }
            Ok(row)
        })
    }

    /// The company's yes or no to a pending appointment. The same answer again changes nothing.
    pub(super) async fn answer(&self, id: Uuid, yes: bool, reason: &str) -> Result<AppointmentRow, CalendarError> {
        let (state, action) =
            if yes { (State::Confirmed, "agenda.confirm") } else { (State::Rejected, "agenda.decline") };
        self.change(id, action, |row| {
            if row.state() != State::Pending && row.state() != state {
                return Err(CalendarError::Gone);
            }
            if !yes && !reason.is_empty() {
                row.reason = Some(reason.to_owned());
            }
            row.set_state(state);
            Ok(())
        })
        .await
    }

    /// Whether somebody came, and who says so.
    pub(super) async fn mark(&self, id: Uuid, came: bool, says: &str) -> Result<AppointmentRow, CalendarError> {
        let (state, action) =
            if came { (State::Attended, "agenda.attended") } else { (State::NoShow, "agenda.no_show") };
        let now = self.now();
        self.change(id, action, |row| {
            if row.starts_at > now {
                return Err(CalendarError::NotOffered);
            }
            if !row.state().stands() && !matches!(row.state(), State::NoShow | State::Attended) {
                return Err(CalendarError::Gone);
            }
            row.set_state(state);
            row.outcome_source = Some(says.to_owned());
            Ok(())
        })
        .await
    }
}

/// Counts an act with its record, so that no way of doing it is forgotten.
fn count(company: CompanyId, action: &str) {
    match action {
        "agenda.book" => metrics::appointment_made(company),
        "agenda.confirm" => metrics::appointment_confirmed(company),
        "agenda.cancel" | "agenda.decline" => metrics::appointment_cancelled(company),
        "agenda.reschedule" => metrics::appointment_rescheduled(company),
        "agenda.no_show" => metrics::appointment_no_show(company),
        _ => {}
    }
}

/// What a row says of its intent; `None` while it is on its way.
pub(super) fn known(row: Option<AppointmentRow>) -> Option<LookUp> {
    match row {
        None => Some(LookUp::NotBooked),
        Some(row) if row.state() == State::Booking => None,
        Some(row) if row.state().stands() || matches!(row.state(), State::NoShow | State::Attended) => {
            Some(LookUp::Booked(Box::new(row)))
        }
        Some(_) => Some(LookUp::NotBooked),
    }
}
