//! Where a company's appointments are kept, and how they are made.

use chrono::TimeDelta;

use super::values::Stored;

/// Where Cal.com itself is.
const CALCOM: &str = "https://api.cal.com";

/// Where appointments are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CalendarKind {
    /// Nowhere: people make them.
    None,
    /// In the company's own tables.
    Local,
    /// At Cal.com.
    Calcom,
}

/// A company's calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarChoice {
    /// Where it is kept.
    pub kind: CalendarKind,
    /// Cal.com: everything before `/v2`.
    pub base_url: String,
    /// Cal.com: the event type of services that name none.
    pub event_type: Option<i64>,
    /// Cal.com: the form of calls about bookings.
    pub bookings_version: String,
    /// Cal.com: whether two bookings of one event type can never overlap.
    pub exclusive: bool,
    /// How long a service without a duration takes.
    pub duration: TimeDelta,
    /// From one beginning to the next; `None` = the service's duration.
    pub step: Option<TimeDelta>,
    /// Kept free before each appointment.
    pub buffer_before: TimeDelta,
    /// Kept free after it.
    pub buffer_after: TimeDelta,
    /// How many at once where no professional is named.
    pub capacity: i16,
    /// How long before its beginning one can still be made or moved.
    pub notice: TimeDelta,
    /// How far ahead one can be made.
    pub ahead: TimeDelta,
    /// How long a time is kept while a customer decides.
    pub hold: TimeDelta,
    /// Whether the company says yes to each.
    pub needs_confirmation: bool,
}

/// Reads it.
pub(super) fn choice(read: &Stored<'_>) -> Result<CalendarChoice, String> {
    let minutes = |key: &str, default: i64| read.number(key, default).map(TimeDelta::minutes);
    let event_type: i64 = read.number("calendar.event_type", 0)?;
    let step: i64 = read.number("calendar.step_minutes", 0)?;
    Ok(CalendarChoice {
        kind: match read.text("calendar.kind", "none") {
            "local" => CalendarKind::Local,
            "calcom" => CalendarKind::Calcom,
            _ => CalendarKind::None,
        },
        base_url: read.text("calendar.base_url", CALCOM).to_owned(),
        event_type: (event_type > 0).then_some(event_type),
        bookings_version: read.text("calendar.bookings_version", "2024-08-13").to_owned(),
        exclusive: read.flag("calendar.exclusive", true),
        duration: minutes("calendar.duration_minutes", 30)?,
        step: (step > 0).then(|| TimeDelta::minutes(step)),
        buffer_before: minutes("calendar.buffer_before_minutes", 0)?,
        buffer_after: minutes("calendar.buffer_after_minutes", 0)?,
        capacity: read.number("calendar.capacity", 1)?,
        notice: minutes("calendar.notice_minutes", 60)?,
        ahead: TimeDelta::days(read.number("calendar.days_ahead", 60)?),
        hold: minutes("calendar.hold_minutes", 10)?,
        needs_confirmation: read.flag("calendar.needs_confirmation", false),
    })
}
