//! Booking at Cal.com, which knows no idempotency: what fell silent is looked for by its intent before anything else.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use uuid::Uuid;

use super::{CLOCKS_APART, Outside, Underway, wait};
use crate::clients::calendar::calcom;
use crate::clients::calendar::{Booking, BookingStatus, NewBooking, SLOT_TAKEN};
use crate::clients::{WireError, WireErrorKind};
use crate::domain::agenda::appointment::AppointmentState as State;
use crate::models::tenant::appointment::{self, AppointmentRow};
use crate::services::agenda::calendar::{CalendarError, LookUp, Wish, offer};
use crate::services::agenda::rows::known;

/// How long after a try it may still come through: a request may lie in a queue in front of the calendar.
pub(in crate::services::agenda) const LATE: TimeDelta = TimeDelta::minutes(15);

/// What looking for an intent found.
pub(super) enum Found {
    /// It stands.
    Standing(Box<Booking>),
    /// It was made, and called off or said no to since.
    Ended(Box<Booking>),
    /// There is none.
    Nothing,
}

impl Outside<'_> {
    pub(in crate::services::agenda) async fn book(&self, wish: &Wish) -> Result<AppointmentRow, CalendarError> {
        let offer = offer(self.desk.tenant).await?;
        let lane = self.lane(&offer, &wish.slot)?;
        let before = self.desk.find(wish.id).await?;
        let row = self.keep(wish, &lane, State::Booking).await?;
        if row.state().stands() {
            return Ok(row);
        }
        // Another use of this intent began to book and did not end.
        let begun = before.is_some_and(|row| row.state() == State::Booking);
        if begun && let Found::Standing(booking) = self.find_intent(&row).await? {
            return self.adopt(row.id, &booking, false).await;
        }
        let reservation = row.reservation_uid.clone();
        let booked = self.try_to_book(&row, begun).await;
        if !matches!(booked, Err(CalendarError::Unclear)) {
            self.give_back(reservation).await;
        }
        booked
    }

    async fn try_to_book(&self, row: &AppointmentRow, begun: bool) -> Result<AppointmentRow, CalendarError> {
        let mut unknown = u32::from(begun);
        let mut tried = 0;
        loop {
            tried += 1;
            let error = match self.post(row).await {
                Ok(booking) => return self.adopt(row.id, &booking, unknown > 0).await,
                Err(error) => error,
            };
            tracing::info!(company = self.desk.tenant.id().get(), %error, tried, "A booking did not go through at once");
            if error.kind == WireErrorKind::Unknown {
                unknown += 1;
            }
            if unknown > 0 {
                // The time may be taken by the very try that fell silent.
                match self.find_intent(row).await {
                    Ok(Found::Standing(booking)) => return self.adopt(row.id, &booking, unknown > 1).await,
                    Ok(Found::Ended(booking)) => {
                        self.adopt(row.id, &booking, false).await?;
                        return Err(CalendarError::Gone);
                    }
                    // Once more, and no more: a third might make the third.
                    Ok(Found::Nothing) if error.kind == WireErrorKind::Unknown && unknown <= 1 => continue,
                    Ok(Found::Nothing) if error.kind != WireErrorKind::Unknown => {}
                    Ok(Found::Nothing) | Err(_) => return Err(CalendarError::Unclear),
                }
            }
            match wait(&error, tried) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(self.fail(row.id, &error, unknown > 0).await?),
            }
        }
    }

    async fn post(&self, row: &AppointmentRow) -> Result<Booking, WireError> {
        let metadata = calcom::metadata(&row.id.to_string(), self.desk.tenant.id().get());
        let text = |field: &str| row.attendee.get(field).and_then(serde_json::Value::as_str);
        let booking = NewBooking {
            event_type: row.event_type.unwrap_or_default(),
            starts: row.starts_at,
            name: row.attendee_name(),
            phone: text("phone"),
            email: text("email"),
            zone: self.desk.tenant.settings.timezone,
            metadata: &metadata,
        };
        self.calcom().book(&booking).await
    }

    /// Looks for the bookings of an intent. Of two that stand the first counts, and the others are called off.
    pub(super) async fn find_intent(&self, row: &AppointmentRow) -> Result<Found, CalendarError> {
        let event_type = row.event_type.unwrap_or_default();
        let since = row.created_at - CLOCKS_APART;
        let intent = row.id.to_string();
        let found = patiently!(self.calcom().find_by_intent(&intent, event_type, since))?;
        let mut standing = found.iter().filter(|booking| booking.status.stands());
        let kept = standing.clone().find(|booking| row.external_uid.as_deref() == Some(&booking.uid));
        let Some(kept) = kept.or_else(|| standing.next()).cloned() else {
            return Ok(found.into_iter().next_back().map_or(Found::Nothing, |booking| Found::Ended(Box::new(booking))));
        };
        for extra in found.iter().filter(|booking| booking.status.stands() && booking.uid != kept.uid) {
            self.call_back(extra, "duplicado").await?;
        }
        Ok(Found::Standing(Box::new(kept)))
    }

    /// Calls off at the calendar what nobody wants there.
    pub(super) async fn call_back(&self, booking: &Booking, reason: &str) -> Result<(), CalendarError> {
        match self.calcom().cancel(&booking.uid, reason).await {
            Ok(_) => {}
            Err(error) if matches!(CalendarError::from(error.clone()), CalendarError::Gone) => {}
            Err(error) => return Err(error.into()),
        }
        tracing::warn!(company = self.desk.tenant.id().get(), reason, "A booking was called off at the calendar");
        Ok(())
    }

    /// Takes over what the calendar says of a booking. `twice`: another try may still come through.
    pub(super) async fn adopt(
        &self,
        id: Uuid,
        booking: &Booking,
        twice: bool,
    ) -> Result<AppointmentRow, CalendarError> {
        let now = self.desk.now();
        let row = within!(self.desk, |tx| {
            let mut row = appointment::lock(tx, id).await?.ok_or(CalendarError::Gone)?;
            if row.external_uid.as_deref() == Some(&booking.uid) && row.state() != State::Booking {
                return Ok(row);
            }
            take_over(&mut row, booking, now);
            row.wish = if twice { Underway::Twice { until: now + LATE }.stored() } else { None };
            appointment::save(tx, &row).await?;
            self.desk.record(tx, "agenda.book", &row).await?;
            Ok(row)
        })?;
        Ok(row)
    }

    /// Gives an intent up. `unclear`: a try fell silent, so it is looked for a while longer.
    pub(super) async fn fail(
        &self,
        id: Uuid,
        error: &WireError,
        unclear: bool,
    ) -> Result<CalendarError, CalendarError> {
        let until = unclear.then(|| self.desk.now() + LATE);
        self.give_up(id, error.code, until).await?;
        tracing::warn!(company = self.desk.tenant.id().get(), %error, "A booking failed");
        Ok(if error.code == SLOT_TAKEN { CalendarError::Taken } else { error.clone().into() })
    }

    pub(super) async fn give_up(
        &self,
        id: Uuid,
        why: &str,
        until: Option<DateTime<Utc>>,
    ) -> Result<AppointmentRow, CalendarError> {
        self.desk
            .change(id, "agenda.book_failed", |row| {
                if row.state() != State::Booking {
                    return Err(CalendarError::Gone);
                }
                row.set_state(State::Failed);
                row.hold_until = until;
                row.reason = Some(why.to_owned());
                Ok(())
            })
            .await
    }

    pub(in crate::services::agenda) async fn look_up(&self, intent: Uuid) -> Result<LookUp, CalendarError> {
        let row = self.desk.find(intent).await?;
        if let Some(known) = known(row.clone()) {
            return Ok(known);
        }
        let Some(row) = row else { return Ok(LookUp::NotBooked) };
        match self.find_intent(&row).await {
            Ok(Found::Standing(booking)) => Ok(LookUp::Booked(Box::new(self.adopt(row.id, &booking, true).await?))),
            Ok(Found::Ended(booking)) => {
                self.adopt(row.id, &booking, false).await?;
                Ok(LookUp::NotBooked)
            }
            Ok(Found::Nothing) if row.updated_at + LATE < self.desk.now() => {
                self.give_up(row.id, "never_came", None).await?;
                Ok(LookUp::NotBooked)
            }
            Ok(Found::Nothing) | Err(CalendarError::Down { .. } | CalendarError::Unclear) => Ok(LookUp::Unclear),
            Err(error) => Err(error),
        }
    }
}

/// Writes what the calendar says of a booking into its row.
pub(super) fn take_over(row: &mut AppointmentRow, booking: &Booking, now: DateTime<Utc>) {
    row.set_external(&booking.uid);
    row.set_time(booking.starts, booking.ends);
    let state = match booking.status {
        BookingStatus::Pending => State::Pending,
        BookingStatus::Cancelled => State::Cancelled,
        BookingStatus::Rejected => State::Rejected,
        BookingStatus::Accepted | BookingStatus::Other(_) if booking.moved_from.is_some() => State::Rescheduled,
        BookingStatus::Accepted | BookingStatus::Other(_) => State::Confirmed,
    };
    row.set_state(state);
    if row.event_type.is_none() {
        row.event_type = booking.event_type;
    }
    if row.professional.is_empty() {
        booking.host.clone_into(&mut row.professional);
    }
    if booking.cancellation_reason.is_some() {
        row.reason.clone_from(&booking.cancellation_reason);
    }
    row.meeting = json!({ "url": booking.meeting_url, "place": booking.location });
    row.event_at = booking.updated_at.max(row.event_at);
    row.hold_until = None;
    row.reservation_uid = None;
    row.updated_at = now;
}
