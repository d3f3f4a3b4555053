//! What is counted and measured of what is due at a time.

use std::time::Duration;

use ::metrics::{counter, histogram};

use super::super::catalogue::names;
use super::super::labels::{TimerKind, TimerSkip};
use super::each;
use crate::domain::company::CompanyId;

/// Something that was due went out, so long after it was planned to.
pub fn timer_sent(company: CompanyId, kind: TimerKind, late: Duration) {
    match kind {
        TimerKind::FollowUp => {
            counter!(names::APPOINTMENT_FOLLOWUPS_SENT, "company" => each(company)).increment(1);
        }
        TimerKind::Day | TimerKind::Hour | TimerKind::Custom | TimerKind::Manual => {
            counter!(names::APPOINTMENT_REMINDERS_SENT, "company" => each(company), "type" => kind.as_str())
                .increment(1);
        }
        TimerKind::NoShow | TimerKind::Vacancy | TimerKind::Move | TimerKind::Outcome => {}
    }
    histogram!(names::TIMER_LAG, "kind" => kind.as_str()).record(late);
}

/// Something that was due is not sent.
pub fn timer_skipped(company: CompanyId, kind: TimerKind, reason: TimerSkip) {
    counter!(
        names::TIMERS_SKIPPED,
        "company" => each(company), "kind" => kind.as_str(), "reason" => reason.as_str()
    )
    .increment(1);
}

/// Somebody answered the question after a visit.
pub fn follow_up_answered(company: CompanyId, positive: bool) {
    match positive {
        true => counter!(names::APPOINTMENT_FOLLOWUPS_POSITIVE, "company" => each(company)).increment(1),
        false => counter!(names::APPOINTMENT_FOLLOWUPS_NEGATIVE, "company" => each(company)).increment(1),
    }
}
