//! A comparison with the calendar outside: callbacks can be lost, and then nobody else would tell.
//!
//! All bookings that changed since the last comparison are read and taken over like callbacks. Where it ended stands in
//! Redis; lost, the next comparison reads more than it needs, and changes nothing twice.

use std::collections::HashMap;
use std::sync::LazyLock;

use chrono::{DateTime, TimeDelta, Utc};

use super::calendar::{Calendar, CalendarError, Settled, of};
use super::news::{self, Effect, News};
use super::outside::Outside;
use crate::clients::calendar::Booking;
use crate::config::company::CalendarKind;
use crate::domain::audit::ActorType;
use crate::models::tenant::appointment;
use crate::services::Services;
use crate::services::audit::Actor;
use crate::telemetry::metrics::{self, CalendarDrift};
use crate::tenant::{Lua, Tenant};

/// Where the last comparison ended. ARGV: a moment in milliseconds, or '' to ask.
static CURSOR: LazyLock<Lua> = LazyLock::new(|| {
    Lua::new(
        "local key = KEYS[1] .. 'calendar:compared'\nif ARGV[1] ~= '' then redis.call('SET', key, ARGV[1]) end\nreturn redis.call('GET', key)",
    )
});

/// How far back the first comparison reads.
const FIRST: TimeDelta = TimeDelta::days(90);
/// How much is read again: the calendar's clock and its list may lag.
const AGAIN: TimeDelta = TimeDelta::minutes(10);
/// So many bookings at once may be not all there were.
const FULL: usize = 5_000;
/// Open ends that are settled in one go.
const SETTLED_MAX: i64 = 200;
/// A chain of moves that is followed.
const MOVES_MAX: usize = 20;

/// What a comparison found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Bookings read.
    pub read: usize,
    /// Appointments nobody here knew.
    pub adopted: usize,
    /// Bookings that stand after all.
    pub confirmed: usize,
    /// Appointments with another time.
    pub moved: usize,
    /// Appointments that are off.
    pub cancelled: usize,
    /// Appointments of which it is known now who came.
    pub attendance: usize,
    /// Smaller things.
    pub noted: usize,
    /// Bookings that could not be taken over.
    pub failed: usize,
    /// What became of that which had been left open.
    pub settled: Settled,
}

/// Compares a company's appointments with its calendar, and settles what was left open. Nothing to do where the calendar
/// is our own or there is none.
///
/// # Errors
/// What the calendar says; [`CalendarError::Store`] when our own store fails. Then the next run reads the same again.
pub async fn run(services: &Services, tenant: &Tenant) -> Result<Report, CalendarError> {
    let mut report = Report::default();
    if tenant.settings.calendar.kind == CalendarKind::None {
        return Ok(report);
    }
    let correlation_id = uuid::Uuid::now_v7().to_string();
    let actor = Actor { name: "reconcile".to_owned(), kind: ActorType::System, correlation_id };
    let calendar = of(services, tenant, &actor)?;
    report.settled = calendar.settle(SETTLED_MAX).await?;
    if let Calendar::Calcom(outside) = &calendar {
        compare(outside, &mut report).await?;
    }
    Ok(report)
}

async fn compare(outside: &Outside<'_>, report: &mut Report) -> Result<(), CalendarError> {
    let begun = outside.desk.now();
    let since = cursor(outside, None).await?.map_or(begun - FIRST, |last| last - AGAIN);
    let bookings = outside.calcom().updated_after(since).await?;
    report.read = bookings.len();
    let came_from: HashMap<&str, &str> =
        bookings.iter().filter_map(|one| Some((one.uid.as_str(), one.moved_from.as_deref()?))).collect();
    // Those that were moved say it by where they went; they are looked at last, for what went where nobody told.
    let (gone, here): (Vec<&Booking>, Vec<&Booking>) = bookings.iter().partition(|one| one.moved_to.is_some());
    for booking in here {
        take(outside, booking, chain(&came_from, &booking.uid), begun, report).await?;
    }
    for booking in gone {
        let known = within!(outside.desk, |tx| { Ok(appointment::find_external(tx, &booking.uid).await?) })?;
        if known.is_some_and(|row| row.external_uid.as_deref() == Some(&booking.uid))
            && let Some(now) = outside.successor(&booking.uid).await?
        {
            take(outside, &now, vec![booking.uid.as_str()], begun, report).await?;
        }
    }
    let end = match bookings.last().and_then(|last| last.updated_at) {
        Some(last) if bookings.len() >= FULL => last.min(begun),
        _ => begun,
    };
    cursor(outside, Some(end)).await?;
    Ok(())
}

/// Where a booking came from, the last place first.
fn chain<'b>(came_from: &HashMap<&'b str, &'b str>, uid: &str) -> Vec<&'b str> {
    let mut places = Vec::new();
    let mut at = uid;
    while let Some(from) = came_from.get(at).filter(|_| places.len() < MOVES_MAX) {
        places.push(*from);
        at = from;
    }
    places
}

async fn take(
    outside: &Outside<'_>,
    booking: &Booking,
    moved_from: Vec<&str>,
    begun: DateTime<Utc>,
    report: &mut Report,
) -> Result<(), CalendarError> {
    let absent = booking.attendees.first().map(|first| first.absent);
    let at = booking.updated_at.unwrap_or(begun);
    let news = News { uid: &booking.uid, moved_from, booking: Some(booking), at, absent, hint: false };
    let (count, drift) = match news::apply(&outside.desk, &news).await {
        Ok(Effect::Unchanged | Effect::Unknown) => return Ok(()),
        Ok(Effect::Adopted) => (&mut report.adopted, CalendarDrift::Adopted),
        Ok(Effect::Confirmed) => (&mut report.confirmed, CalendarDrift::Confirmed),
        Ok(Effect::Moved) => (&mut report.moved, CalendarDrift::Moved),
        Ok(Effect::Cancelled) => (&mut report.cancelled, CalendarDrift::Cancelled),
        Ok(Effect::Attendance) => (&mut report.attendance, CalendarDrift::NoShow),
        Ok(Effect::Noted) => (&mut report.noted, CalendarDrift::Noted),
        Err(CalendarError::Store(error)) if error.is_outage() => return Err(CalendarError::Store(error)),
        Err(error) => {
            // One that cannot be taken over must not keep all others from it, now and for ever.
            tracing::warn!(company = outside.desk.tenant.id().get(), %error, "A booking could not be taken over");
            (&mut report.failed, CalendarDrift::Failed)
        }
    };
    *count += 1;
    metrics::calendar_drift(outside.desk.tenant.id(), drift);
    Ok(())
}

async fn cursor(outside: &Outside<'_>, set: Option<DateTime<Utc>>) -> Result<Option<DateTime<Utc>>, CalendarError> {
    let moment = set.map(|moment| moment.timestamp_millis().to_string()).unwrap_or_default();
    let answer = outside.desk.tenant.redis.run(&CURSOR, &[moment.as_str().into()]).await?;
    Ok(answer.int().and_then(DateTime::from_timestamp_millis))
}
