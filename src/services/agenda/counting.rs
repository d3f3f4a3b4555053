//! Every use of a calendar is timed, and counted when it fails.

use tokio::time::Instant;

use super::calendar::{Calendar, CalendarError};
use super::rows::Desk;
use crate::domain::agenda::appointment::AppointmentState;
use crate::models::tenant::appointment::AppointmentRow;
use crate::telemetry::metrics::{self, AgendaOperation, BookingOutcome, CalendarTrouble};

/// The kind of trouble, as it is counted.
fn trouble(error: &CalendarError) -> CalendarTrouble {
    match error {
        CalendarError::NotConfigured(_) => CalendarTrouble::NotConfigured,
        CalendarError::Taken => CalendarTrouble::Taken,
        CalendarError::NotOffered => CalendarTrouble::NotOffered,
        CalendarError::Gone => CalendarTrouble::Gone,
        CalendarError::Refused(_) => CalendarTrouble::Refused,
        CalendarError::Down { .. } => CalendarTrouble::Down,
        CalendarError::Unclear => CalendarTrouble::Unclear,
        CalendarError::Store(_) => CalendarTrouble::Store,
    }
}

/// How a wish to book ended.
pub(super) fn how_it_ended(booked: &Result<AppointmentRow, CalendarError>) -> BookingOutcome {
    match booked {
        Ok(row) if row.state() == AppointmentState::Pending => BookingOutcome::Pending,
        Ok(_) => BookingOutcome::Booked,
        Err(CalendarError::Taken) => BookingOutcome::Taken,
        Err(CalendarError::Unclear) => BookingOutcome::Unclear,
        Err(_) => BookingOutcome::Failed,
    }
}

impl<'a> Calendar<'a> {
    /// Whose calendar it is, and who acts.
    pub(super) fn desk(&self) -> &Desk<'a> {
        match self {
            Self::Local(local) => &local.desk,
            Self::Calcom(outside) => &outside.desk,
        }
    }

    /// Times a use of the calendar, and counts how it failed.
    pub(super) async fn timed<T>(
        &self,
        operation: AgendaOperation,
        work: impl Future<Output = Result<T, CalendarError>>,
    ) -> Result<T, CalendarError> {
        let begun = Instant::now();
        let done = work.await;
        let company = self.desk().tenant.id();
        metrics::appointments_latency(company, operation, begun.elapsed());
        if let Err(error) = &done {
            metrics::calendar_error(company, trouble(error));
            if matches!(error, CalendarError::Taken) {
                metrics::appointment_conflict(company);
            }
        }
        done
    }
}
