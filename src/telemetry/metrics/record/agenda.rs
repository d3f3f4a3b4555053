//! What is counted and measured of the agenda.

use std::time::Duration;

use ::metrics::{counter, gauge, histogram};

use super::super::catalogue::names;
use super::super::labels::{
    AgendaOperation, BookingOutcome, CalendarCall, CalendarCallError, CalendarDrift, CalendarTrouble, CallbackResult,
    CallbackTrigger, CircuitState,
};
use super::{circuit, each};
use crate::domain::company::CompanyId;

/// An appointment was made, here or at the calendar outside.
pub fn appointment_made(company: CompanyId) {
    counter!(names::APPOINTMENTS, "company" => each(company)).increment(1);
}

/// The company said yes to a pending appointment.
pub fn appointment_confirmed(company: CompanyId) {
    counter!(names::APPOINTMENTS_CONFIRMED, "company" => each(company)).increment(1);
}

/// An appointment was called off or said no to.
pub fn appointment_cancelled(company: CompanyId) {
    counter!(names::APPOINTMENTS_CANCELLED, "company" => each(company)).increment(1);
}

/// An appointment was moved.
pub fn appointment_rescheduled(company: CompanyId) {
    counter!(names::APPOINTMENT_RESCHEDULES, "company" => each(company)).increment(1);
}

/// Nobody came to an appointment.
pub fn appointment_no_show(company: CompanyId) {
    counter!(names::APPOINTMENT_NO_SHOW, "company" => each(company)).increment(1);
}

/// A customer said that they will come.
pub fn appointment_confirmation(company: CompanyId) {
    counter!(names::APPOINTMENT_CONFIRMATIONS, "company" => each(company)).increment(1);
}

/// A wish to book ended.
pub fn booking_ended(company: CompanyId, outcome: BookingOutcome) {
    counter!(names::APPOINTMENT_BOOKINGS, "company" => each(company), "outcome" => outcome.as_str()).increment(1);
}

/// Somebody else had the time.
pub fn appointment_conflict(company: CompanyId) {
    counter!(names::APPOINTMENT_CONFLICTS, "company" => each(company)).increment(1);
}

/// How long one use of the calendar took, failed or not.
pub fn appointments_latency(company: CompanyId, operation: AgendaOperation, took: Duration) {
    histogram!(names::APPOINTMENTS_LATENCY, "company" => each(company), "operation" => operation.as_str()).record(took);
}

/// Free times were found.
pub fn slots_listed(company: CompanyId, slots: u64) {
    counter!(names::CALENDAR_SLOTS_LISTED, "company" => each(company)).increment(slots);
}

/// The calendar did not do what was asked.
pub fn calendar_error(company: CompanyId, kind: CalendarTrouble) {
    counter!(names::CALENDAR_ERRORS, "company" => each(company), "kind" => kind.as_str()).increment(1);
}

/// How long one call of the calendar outside took, failed or not.
pub fn calendar_call_latency(company: CompanyId, call: CalendarCall, took: Duration) {
    histogram!(names::CALENDAR_CALL_LATENCY, "company" => each(company), "call" => call.as_str()).record(took);
}

/// A call of the calendar outside failed, or was not made.
pub fn calendar_call_error(company: CompanyId, kind: CalendarCallError) {
    counter!(names::CALENDAR_CALL_ERRORS, "company" => each(company), "kind" => kind.as_str()).increment(1);
}

/// Sets the state of the breaker before the calendar outside.
pub fn calendar_circuit_state(company: CompanyId, state: CircuitState) {
    gauge!(names::CALENDAR_CIRCUIT_STATE, "company" => each(company)).set(circuit(state));
}

/// A callback of the calendar outside was answered.
pub fn calendar_callback(company: CompanyId, trigger: CallbackTrigger, result: CallbackResult) {
    counter!(
        names::CALENDAR_CALLBACKS,
        "company" => each(company), "trigger" => trigger.as_str(), "result" => result.as_str()
    )
    .increment(1);
}

/// The calendar outside knew something that no callback had told.
pub fn calendar_drift(company: CompanyId, kind: CalendarDrift) {
    counter!(names::CALENDAR_DRIFT, "company" => each(company), "kind" => kind.as_str()).increment(1);
}
