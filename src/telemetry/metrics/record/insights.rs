//! What is counted of looks at past appointments.

use ::metrics::counter;

use super::super::catalogue::names;
use super::each;
use crate::domain::company::CompanyId;

/// A look at what past appointments say of those ahead; so many of these were marked as high risk for the first time.
pub fn agenda_optimized(company: CompanyId, newly_marked: u64) {
    counter!(names::AGENDA_OPTIMIZATION_RUNS, "company" => each(company)).increment(1);
    counter!(names::APPOINTMENTS_RISK_HIGH, "company" => each(company)).increment(newly_marked);
}

/// The people of so many appointments are asked whether another time suits them better.
pub fn moves_offered(company: CompanyId, appointments: u64) {
    counter!(names::APPOINTMENTS_AUTO_RESCHEDULED, "company" => each(company)).increment(appointments);
}
