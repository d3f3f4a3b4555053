//! The words of the domain as the closed label values of the metrics.

use crate::domain::agenda::flow::Reason;
use crate::domain::conversation::intent::Intent;
use crate::domain::conversation::opt_out;
use crate::domain::conversation::standing::HandOff;
use crate::domain::conversation::truth;
use crate::telemetry::metrics::{ClaimKind, Intention, OptChange, TransferReason};

/// Why a person is fetched.
pub(super) fn transfer(reason: HandOff) -> TransferReason {
    match reason {
        HandOff::Asked => TransferReason::Asked,
        HandOff::Misses => TransferReason::Misses,
        HandOff::Mood => TransferReason::Mood,
        HandOff::ModelDown => TransferReason::ModelDown,
        HandOff::AiDisabled => TransferReason::AiDisabled,
        HandOff::Untrue => TransferReason::Untrue,
        HandOff::Loop => TransferReason::Loop,
        HandOff::Emergency => TransferReason::Emergency,
        HandOff::NoCalendar => TransferReason::NoCalendar,
        HandOff::CalendarDown => TransferReason::CalendarDown,
        HandOff::BookingFruitless => TransferReason::BookingFruitless,
        HandOff::BookingUnknown => TransferReason::BookingUnknown,
        HandOff::BookingRefused => TransferReason::BookingRefused,
    }
}

/// Why the booking conversation fetches a person.
pub(super) fn hand_off(reason: Reason) -> HandOff {
    match reason {
        Reason::NoCalendar => HandOff::NoCalendar,
        Reason::CalendarDown => HandOff::CalendarDown,
        Reason::Fruitless => HandOff::BookingFruitless,
        Reason::Unknown => HandOff::BookingUnknown,
        Reason::Refused => HandOff::BookingRefused,
        Reason::Asked => HandOff::Asked,
    }
}

/// A wish about being written to.
pub(super) fn opted(change: opt_out::OptChange) -> OptChange {
    match change {
        opt_out::OptChange::Out => OptChange::Out,
        opt_out::OptChange::In => OptChange::In,
    }
}

/// What the customer wanted.
pub(super) fn intention(intent: Intent) -> Intention {
    let known = Intention::VALUES.iter().find(|value| value.as_str() == intent.label());
    known.copied().unwrap_or(Intention::Other)
}

/// What was claimed.
pub(super) fn claim(kind: truth::ClaimKind) -> ClaimKind {
    let known = ClaimKind::VALUES.iter().find(|value| value.as_str() == kind.label());
    known.copied().unwrap_or(ClaimKind::Other)
}
