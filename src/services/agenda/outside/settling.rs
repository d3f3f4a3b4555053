//! What was left open, by a crash or by silence, found out and put right.

use chrono::TimeDelta;

use super::booking::Found;
use super::{Outside, Underway};
use crate::domain::agenda::appointment::AppointmentState as State;
use crate::models::tenant::appointment::{self, AppointmentRow};
use crate::services::agenda::calendar::{CalendarError, LookUp, Settled};

/// How long whoever opened something is left to end it.
const LEFT_ALONE: TimeDelta = TimeDelta::seconds(90);

impl Outside<'_> {
    pub(in crate::services::agenda) async fn settle(&self, limit: i64) -> Result<Settled, CalendarError> {
        let now = self.desk.now();
        let open = within!(self.desk, |tx| { Ok(appointment::unsettled(tx, now - LEFT_ALONE, now, limit).await?) })?;
        let mut settled = Settled::default();
        for row in open {
            // One that cannot be found out must not stop the others.
            if let Err(error) = self.settle_one(&row, &mut settled).await {
                settled.open += 1;
                tracing::info!(company = self.desk.tenant.id().get(), %error, appointment = %row.id, "Something stays open at the calendar");
            }
        }
        Ok(settled)
    }

    async fn settle_one(&self, row: &AppointmentRow, settled: &mut Settled) -> Result<(), CalendarError> {
        match (row.state(), Underway::of(row)) {
            (State::Held, _) => {
                self.release(row.id).await?;
                settled.lapsed += 1;
            }
            (State::Booking, _) => match self.look_up(row.id).await? {
                LookUp::Booked(row) => settled.booked.push(*row),
                LookUp::NotBooked => settled.failed.extend(self.desk.find(row.id).await?),
                LookUp::Unclear => settled.open += 1,
            },
            (State::Failed, _) => self.call_back_late(row, settled).await?,
            (_, Some(Underway::Twice { until })) => {
                self.find_intent(row).await?;
                if until < self.desk.now() {
                    self.forget_wish(row.id).await?;
                }
            }
            (_, Some(Underway::Cancel { reason })) => {
                // Asked once more: calling off what is off is harmless.
                settled.cancelled.push(self.cancel(row.id, &reason).await?);
            }
            (_, Some(Underway::Move { hold })) => self.settle_move(row, hold, settled).await?,
            (_, None) => {
                self.forget_wish(row.id).await?;
            }
        }
        Ok(())
    }

    /// A booking that was given up and came through all the same: nobody was told of it, so nobody will come.
    async fn call_back_late(&self, row: &AppointmentRow, settled: &mut Settled) -> Result<(), CalendarError> {
        if let Found::Standing(booking) = self.find_intent(row).await? {
            self.call_back(&booking, "não confirmado a tempo").await?;
            settled.called_back += 1;
        }
        if row.hold_until.is_some_and(|until| until < self.desk.now()) {
            self.desk
                .change(row.id, "agenda.book_failed", |row| {
                    row.hold_until = None;
                    Ok(())
                })
                .await?;
        }
        Ok(())
    }

    async fn settle_move(
        &self,
        row: &AppointmentRow,
        hold: uuid::Uuid,
        settled: &mut Settled,
    ) -> Result<(), CalendarError> {
        let uid = row.external_uid.as_deref().ok_or(CalendarError::Gone)?;
        match self.successor(uid).await? {
            Some(booking) => settled.moved.push(self.moved(row.id, hold, None, &booking).await?),
            None => {
                // It did not go through; the person is asked again by whoever speaks with them.
                self.forget_wish(row.id).await?;
                self.release(hold).await?;
                settled.open += 1;
            }
        }
        Ok(())
    }
}
