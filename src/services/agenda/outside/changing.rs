//! Moving and calling off at Cal.com, and the answers of the company.

use uuid::Uuid;

use super::booking::take_over;
use super::{Outside, Underway, wait};
use crate::clients::calendar::{Booking, FINAL_STATE, NOT_FOUND};
use crate::clients::{WireError, WireErrorKind};
use crate::domain::agenda::appointment::AppointmentState as State;
use crate::models::tenant::appointment::{self, AppointmentRow};
use crate::services::agenda::calendar::{CalendarError, Customer, OpenSlot, Wish, offer};

/// What a move is told to be for.
const MOVED: &str = "Remarcado a pedido do cliente";

/// What the calendar made of a change.
enum Outcome {
    /// It was made, and this is the booking now.
    Done(Box<Booking>),
    /// It was not made.
    Not(WireError),
    /// Nobody knows.
    Unclear,
}

impl Outside<'_> {
    pub(in crate::services::agenda) async fn reschedule(
        &self,
        id: Uuid,
        to: &OpenSlot,
        hold: Option<Uuid>,
    ) -> Result<AppointmentRow, CalendarError> {
        let row = self.desk.find(id).await?.filter(|row| row.state().stands()).ok_or(CalendarError::Gone)?;
        let uid = row.external_uid.clone().ok_or(CalendarError::Gone)?;
        let offer = offer(self.desk.tenant).await?;
        let lane = self.lane(&offer, to)?;
        if lane.event_type != row.event_type {
            return self.book_anew(&row, to, hold).await;
        }
        let kept = match hold {
            Some(hold) if self.is_kept(hold).await? => hold,
            _ => self.keep(&moving_wish(&row, to), &lane, State::Held).await?.id,
        };
        self.desk
            .change(id, "agenda.reschedule_intent", |row| {
                if !row.state().stands() {
                    return Err(CalendarError::Gone);
                }
                row.wish = Underway::Move { hold: kept }.stored();
                Ok(())
            })
            .await?;
        match self.move_at_calendar(&uid, to.starts).await {
            Outcome::Done(booking) => self.moved(id, kept, Some(to), &booking).await,
            Outcome::Not(error) => {
                self.forget_wish(id).await?;
                self.release(kept).await?;
                Err(error.into())
            }
            Outcome::Unclear => Err(CalendarError::Unclear),
        }
    }

    async fn is_kept(&self, hold: Uuid) -> Result<bool, CalendarError> {
        let now = self.desk.now();
        let kept = self.desk.find(hold).await?;
        Ok(kept.is_some_and(|row| row.state() == State::Held && row.hold_until.is_some_and(|until| until > now)))
    }

    async fn move_at_calendar(&self, uid: &str, starts: chrono::DateTime<chrono::Utc>) -> Outcome {
        let mut silent = false;
        for tried in 1.. {
            let error = match self.calcom().reschedule(uid, starts, MOVED).await {
                Ok(booking) => return Outcome::Done(Box::new(booking)),
                Err(error) => error,
            };
            // Once moved, the booking refuses to be moved again and says where it went.
            if error.kind == WireErrorKind::Unknown || error.code == FINAL_STATE || silent {
                match self.successor(uid).await {
                    Ok(Some(booking)) if booking.starts == starts => return Outcome::Done(Box::new(booking)),
                    Ok(_) if error.kind == WireErrorKind::Unknown && !silent => {
                        silent = true;
                        continue;
                    }
                    Ok(_) if error.kind != WireErrorKind::Unknown => {}
                    _ => return Outcome::Unclear,
                }
            }
            match wait(&error, tried) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Outcome::Not(error),
            }
        }
        Outcome::Unclear
    }

    /// The booking that another was moved to; the last one, if it was moved more than once.
    pub(in crate::services::agenda) async fn successor(&self, uid: &str) -> Result<Option<Booking>, WireError> {
        let mut current = patiently!(self.calcom().booking(uid))?;
        let mut moved = false;
        for _ in 0..10 {
            let Some(next) = current.moved_to.clone() else { break };
            current = patiently!(self.calcom().booking(&next))?;
            moved = true;
        }
        Ok(moved.then_some(current))
    }

    /// Writes down that an appointment was moved; the kept time makes room for it first.
    pub(super) async fn moved(
        &self,
        id: Uuid,
        kept: Uuid,
        to: Option<&OpenSlot>,
        booking: &Booking,
    ) -> Result<AppointmentRow, CalendarError> {
        let now = self.desk.now();
        let (row, reservation) = within!(self.desk, |tx| {
            let hold = appointment::lock(tx, kept).await?.filter(|row| row.state() == State::Held);
            let reservation = hold.as_ref().and_then(|hold| hold.reservation_uid.clone());
            if let Some(mut hold) = hold {
                hold.set_state(State::Lapsed);
                hold.updated_at = now;
                appointment::save(tx, &hold).await?;
            }
            let mut row = appointment::lock(tx, id).await?.ok_or(CalendarError::Gone)?;
            let was_pending = row.state() == State::Pending;
            take_over(&mut row, booking, now);
            if row.state() == State::Confirmed && !was_pending {
                row.set_state(State::Rescheduled);
            }
            if let Some(to) = to {
                (row.professional_id, row.professional) = (to.professional, to.professional_name.clone());
            }
            row.wish = None;
            appointment::save(tx, &row).await?;
            self.desk.record(tx, "agenda.reschedule", &row).await?;
            Ok((row, reservation))
        })?;
        self.give_back(reservation).await;
        Ok(row)
    }

    /// Another kind of booking cannot be moved to: the new one is made, then the old one called off.
    async fn book_anew(
        &self,
        old: &AppointmentRow,
        to: &OpenSlot,
        hold: Option<Uuid>,
    ) -> Result<AppointmentRow, CalendarError> {
        let mut wish = moving_wish(old, to);
        wish.id = hold.unwrap_or(wish.id);
        let new = self.book(&wish).await?;
        match self.cancel(old.id, MOVED).await {
            // What is open here is settled later; the new appointment stands.
            Ok(_) | Err(CalendarError::Unclear | CalendarError::Gone) => Ok(new),
            Err(CalendarError::Down { .. }) => {
                self.desk
                    .change(old.id, "agenda.cancel_intent", |row| {
                        row.wish = Underway::Cancel { reason: MOVED.to_owned() }.stored();
                        Ok(())
                    })
                    .await?;
                Ok(new)
            }
            Err(error) => Err(error),
        }
    }

    pub(in crate::services::agenda) async fn cancel(
        &self,
        id: Uuid,
        reason: &str,
    ) -> Result<AppointmentRow, CalendarError> {
        let row = self.desk.find(id).await?.ok_or(CalendarError::Gone)?;
        if row.state() == State::Cancelled {
            return Ok(row);
        }
        let uid = row.external_uid.clone().filter(|_| row.state().stands()).ok_or(CalendarError::Gone)?;
        let wish = Underway::Cancel { reason: reason.to_owned() }.stored();
        self.desk
            .change(id, "agenda.cancel_intent", |row| {
                row.wish = wish;
                Ok(())
            })
            .await?;
        match self.cancel_at_calendar(&uid, reason).await {
            Outcome::Done(_) => self.cancelled(id, reason).await,
            Outcome::Not(error) => {
                self.forget_wish(id).await?;
                Err(error.into())
            }
            Outcome::Unclear => Err(CalendarError::Unclear),
        }
    }

    async fn cancel_at_calendar(&self, uid: &str, reason: &str) -> Outcome {
        let mut silent = false;
        for tried in 1.. {
            let error = match self.calcom().cancel(uid, reason).await {
                Ok(booking) => return Outcome::Done(Box::new(booking)),
                Err(error) => error,
            };
            if error.kind == WireErrorKind::Unknown || error.code == FINAL_STATE {
                match patiently!(self.calcom().booking(uid)) {
                    // Moved elsewhere meanwhile: then it is another booking that stands.
                    Ok(booking) if !booking.status.stands() && booking.moved_to.is_none() => {
                        return Outcome::Done(Box::new(booking));
                    }
                    Ok(_) if error.kind == WireErrorKind::Unknown && !silent => {
                        silent = true;
                        continue;
                    }
                    Ok(_) if error.kind != WireErrorKind::Unknown => {}
                    _ => return Outcome::Unclear,
                }
            }
            match wait(&error, tried) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Outcome::Not(error),
            }
        }
        Outcome::Unclear
    }

    pub(super) async fn cancelled(&self, id: Uuid, reason: &str) -> Result<AppointmentRow, CalendarError> {
        self.desk
            .change(id, "agenda.cancel", |row| {
                row.set_state(State::Cancelled);
                row.reason = Some(reason.to_owned());
                row.wish = None;
                Ok(())
            })
            .await
    }

    pub(super) async fn forget_wish(&self, id: Uuid) -> Result<AppointmentRow, CalendarError> {
        self.desk
            .change(id, "agenda.change_failed", |row| {
                row.wish = None;
                Ok(())
            })
            .await
    }

    pub(in crate::services::agenda) async fn answer(
        &self,
        id: Uuid,
        yes: bool,
        reason: &str,
    ) -> Result<AppointmentRow, CalendarError> {
        let row = self.desk.find(id).await?.ok_or(CalendarError::Gone)?;
        let uid = row.external_uid.ok_or(CalendarError::Gone)?;
        let done = match yes {
            true => self.calcom().confirm(&uid).await,
            false => self.calcom().decline(&uid, reason).await,
        };
        // Whatever was answered, the booking says where it stands now.
        match done {
            Ok(_) => {}
            Err(error) if error.kind == WireErrorKind::Unknown || error.kind == WireErrorKind::Invalid => {
                let now = patiently!(self.calcom().booking(&uid))?;
                let pending = matches!(now.status, crate::clients::calendar::BookingStatus::Pending);
                if pending || now.status.stands() != yes {
                    return Err(error.into());
                }
            }
            Err(error) => return Err(error.into()),
        }
        self.desk.answer(id, yes, reason).await
    }

    pub(in crate::services::agenda) async fn mark(
        &self,
        id: Uuid,
        came: bool,
        says: &str,
    ) -> Result<AppointmentRow, CalendarError> {
        let row = self.desk.mark(id, came, says).await?;
        let Some(uid) = row.external_uid.clone().filter(|_| says != "calendar") else { return Ok(row) };
        // Ours is the truth of the visit; the calendar is told as far as it goes.
        let told = async {
            let booking = patiently!(self.calcom().booking(&uid))?;
            match booking.attendees.first() {
                Some(attendee) if attendee.absent == came => {
                    self.calcom().mark_absent(&uid, &attendee.email, !came).await.map(drop)
                }
                _ => Ok(()),
            }
        };
        match told.await {
            Err(error) if error.code != NOT_FOUND => {
                tracing::warn!(company = self.desk.tenant.id().get(), %error, "The calendar could not be told who came");
            }
            _ => {}
        }
        Ok(row)
    }
}

/// A wish under which the new time of an appointment is kept or booked.
fn moving_wish(row: &AppointmentRow, to: &OpenSlot) -> Wish {
    let text = |field: &str| row.attendee.get(field).and_then(serde_json::Value::as_str).map(str::to_owned);
    Wish {
        id: Uuid::now_v7(),
        slot: to.clone(),
        customer: Customer {
            person_id: row.person_id,
            conversation_id: row.conversation_id,
            name: row.attendee_name().to_owned(),
            phone: text("phone"),
            email: text("email"),
        },
        source: "move",
    }
}
