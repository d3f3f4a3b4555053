//! What is to be done now about something that is due.

use chrono::{DateTime, Utc};

use super::{AUTO_RESCHEDULE, FOLLOW_UP, NO_SHOW, OUTCOME, REMINDER, VACANCY, kind_of, planned_at};
use crate::domain::agenda::appointment::AppointmentState as State;
use crate::domain::agenda::reminders::{Attempt, Rules, Skip, Visit, attempt};
use crate::models::tenant::appointment::AppointmentRow;
use crate::models::tenant::timer::TimerRow;
use crate::telemetry::metrics::TimerSkip;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::services) enum Verdict {
    /// It goes out now.
    Send,
    /// Not yet.
    Wait(DateTime<Utc>),
    /// Not any more.
    Skip(TimerSkip),
    /// What it is for is gone, or is another one now.
    Gone,
}

/// What is to be done now about a timer of an appointment.
pub(in crate::services) fn judge(timer: &TimerRow, row: &AppointmentRow, rules: &Rules, now: DateTime<Utc>) -> Verdict {
    if !is_of(timer, row, now) {
        return Verdict::Gone;
    }
    let visit = Visit { start: row.starts_at, end: row.ends_at };
    if let Some(kind) = kind_of(timer)
        && !is_ordered(timer)
    {
        // Put off since: what was planned says whether it is late.
        return match attempt(kind, &visit, planned_at(timer).min(now), rules, now) {
            Attempt::Send => Verdict::Send,
            Attempt::Wait(at) => Verdict::Wait(at),
            Attempt::Skip(why) => Verdict::Skip(skip(why)),
        };
    }
    // The answer to what somebody asked minutes ago.
    if timer.kind == OUTCOME {
        return Verdict::Send;
    }
    let before = timer.kind != FOLLOW_UP;
    if before && visit.start <= now {
        return Verdict::Skip(TimerSkip::Begun);
    }
    match rules.loud_from(now) {
        loud if loud == now => Verdict::Send,
        loud if before && loud >= visit.start => Verdict::Skip(TimerSkip::QuietHours),
        loud => Verdict::Wait(loud),
    }
}

/// Whether a person of the company ordered it.
fn is_ordered(timer: &TimerRow) -> bool {
    timer.name.starts_with(super::MANUAL)
}

/// Whether a timer is of the appointment as it is now.
fn is_of(timer: &TimerRow, row: &AppointmentRow, now: DateTime<Utc>) -> bool {
    let (state, same) = (row.state(), row.version == timer.version);
    let booked = matches!(state, State::Confirmed | State::Rescheduled);
    match timer.kind.as_str() {
        REMINDER | NO_SHOW | AUTO_RESCHEDULE => same && booked,
        FOLLOW_UP => (same || is_ordered(timer)) && (booked || state == State::Attended),
        VACANCY => state == State::Held && row.hold_until.is_some_and(|until| until > now),
        // Of a later version of this program: left to it.
        _ => same,
    }
}

pub(super) fn skip(why: Skip) -> TimerSkip {
    match why {
        Skip::QuietHours => TimerSkip::QuietHours,
        Skip::Late => TimerSkip::Late,
        Skip::Begun => TimerSkip::Begun,
    }
}
