//! When reminders, follow-ups and no-show checks are due.
//!
//! A reminder goes out so long before the appointment, in elapsed time, and never in quiet hours, which are the company's
//! local ones: it is moved to their end; when that would not be before the appointment, to the evening before; and where
//! no allowed time is left, it is skipped and counted.

use chrono::{DateTime, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::flow::zoned;

/// What is moved to the evening goes out so long before quiet hours begin, so that a slow delivery does not reach them.
const EVENING_MARGIN_MINUTES: i64 = 30;
/// A reminder may be late while a quarter of its lead remains, and by this many minutes in any case.
const LATE_LEAST_MINUTES: i64 = 10;
/// A zone's clocks skip or repeat at most a day or two of evenings and mornings.
const DAYS_TRIED: i64 = 3;

/// Local hours in which nothing is sent: from one time to another, through midnight when the first is the later one.
/// Equal times mean none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quiet {
    /// The first quiet time.
    pub from: NaiveTime,
    /// The first time that is not quiet any more.
    pub until: NaiveTime,
}

impl Default for Quiet {
    /// From 21h to 8h.
    fn default() -> Self {
        Self { from: hour(21), until: hour(8) }
    }
}

fn hour(hour: u32) -> NaiveTime {
    NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default()
}

impl Quiet {
    /// Whether a local time is quiet.
    pub fn covers(&self, time: NaiveTime) -> bool {
        match self.from <= self.until {
            true => self.from <= time && time < self.until,
            false => time >= self.from || time < self.until,
        }
    }
}

/// What is due before or after an appointment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A reminder 24 hours before.
    Day,
    /// A reminder an hour before.
    Hour,
    /// A reminder so many minutes before.
    Custom(u32),
    /// The question how it was, after the visit.
    FollowUp,
    /// Whether somebody came. Sends nothing by itself, so that it knows no quiet hours.
    NoShow,
}

impl Kind {
    /// The stable name, as it is stored and counted.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Day => "reminder_24h",
            Self::Hour => "reminder_1h",
            Self::Custom(_) => "reminder_custom",
            Self::FollowUp => "follow_up",
            Self::NoShow => "no_show",
        }
    }

    /// How long before the appointment; `None` for what comes after it.
    fn lead(self) -> Option<TimeDelta> {
        match self {
            Self::Day => Some(TimeDelta::hours(24)),
            Self::Hour => Some(TimeDelta::hours(1)),
            Self::Custom(minutes) => Some(TimeDelta::minutes(minutes.into())),
            Self::FollowUp | Self::NoShow => None,
        }
    }
}

/// A company's rules.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Its zone.
    pub zone: Tz,
    /// When nothing is sent.
    pub quiet: Quiet,
    /// How long after the end the follow-up is due, minutes.
    pub follow_up_minutes: u32,
    /// How late a follow-up may be, minutes.
    pub follow_up_late_minutes: u32,
    /// How long after the end somebody counts as not having come, minutes.
    pub grace_minutes: u32,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            zone: Tz::America__Sao_Paulo,
            quiet: Quiet::default(),
            follow_up_minutes: 60,
            follow_up_late_minutes: 2 * 24 * 60,
            grace_minutes: 30,
        }
    }
}

/// When an appointment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visit {
    /// When it begins.
    pub start: DateTime<Utc>,
    /// When it ends.
    pub end: DateTime<Utc>,
}

/// Why something is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Skip {
    /// Quiet hours leave no time for it.
    QuietHours,
    /// Its time was over before it could go out.
    Late,
    /// The appointment has begun.
    Begun,
}

impl Skip {
    /// The stable name, as it is stored and counted.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::QuietHours => "quiet_hours",
            Self::Late => "late",
            Self::Begun => "begun",
        }
    }
}

/// When something is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Then.
    At(DateTime<Utc>),
    /// Never.
    Skipped(Skip),
}

/// What to do about something that was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// Send it now.
    Send,
    /// Not yet.
    Wait(DateTime<Utc>),
    /// Not any more.
    Skip(Skip),
}

/// When something is due for an appointment that is made or moved now.
pub fn plan(kind: Kind, visit: &Visit, rules: &Rules, now: DateTime<Utc>) -> Due {
    let Some(lead) = kind.lead() else {
        let after = if kind == Kind::NoShow { rules.grace_minutes } else { rules.follow_up_minutes };
        let due = visit.end + TimeDelta::minutes(after.into());
        return Due::At(if kind == Kind::NoShow { due } else { rules.loud_from(due) });
    };
    let due = visit.start - lead;
    if visit.start <= now {
        return Due::Skipped(Skip::Begun);
    }
    // Whoever booked so late knows.
    if due < now {
        return Due::Skipped(Skip::Late);
    }
    let later = rules.loud_from(due);
    if later < visit.start {
        return Due::At(later);
    }
    match rules.evening_before(due).filter(|earlier| *earlier >= now) {
        Some(earlier) => Due::At(earlier),
        None => Due::Skipped(Skip::QuietHours),
    }
}

/// What to do now about something that was due at `due`, as [`plan`] gave it: asked at each attempt to send.
pub fn attempt(kind: Kind, visit: &Visit, due: DateTime<Utc>, rules: &Rules, now: DateTime<Utc>) -> Attempt {
    if now < due {
        return Attempt::Wait(due);
    }
    if kind == Kind::NoShow {
        return Attempt::Send;
    }
    if kind.lead().is_some() && visit.start <= now {
        return Attempt::Skip(Skip::Begun);
    }
    if now - due > late_max(kind, rules) {
        return Attempt::Skip(Skip::Late);
    }
    let loud = rules.loud_from(now);
    match kind.lead() {
        _ if loud == now => Attempt::Send,
        Some(_) if loud >= visit.start => Attempt::Skip(Skip::QuietHours),
        _ => Attempt::Wait(loud),
    }
}

/// How late something may be.
fn late_max(kind: Kind, rules: &Rules) -> TimeDelta {
    match kind.lead() {
        Some(lead) => (lead * 3 / 4).max(TimeDelta::minutes(LATE_LEAST_MINUTES)),
        None => TimeDelta::minutes(rules.follow_up_late_minutes.into()),
    }
}

impl Rules {
    /// Whether a moment lies in quiet hours.
    pub fn is_quiet(&self, at: DateTime<Utc>) -> bool {
        self.quiet.covers(self.local(at).time())
    }

    fn local(&self, at: DateTime<Utc>) -> NaiveDateTime {
        at.with_timezone(&self.zone).naive_local()
    }

    /// The first moment from then on that is not quiet.
    pub fn loud_from(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        if !self.is_quiet(at) {
            return at;
        }
        let today = self.local(at).date();
        (0..=DAYS_TRIED)
            .map(|days| zoned::moment(self.zone, (today + TimeDelta::days(days)).and_time(self.quiet.until)))
            .find(|end| *end > at && !self.is_quiet(*end))
            .unwrap_or(at)
    }

    /// The evening before the quiet hours a moment lies in.
    fn evening_before(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let today = self.local(at).date();
        let margin = TimeDelta::minutes(EVENING_MARGIN_MINUTES);
        (0..=DAYS_TRIED)
            .map(|days| zoned::moment(self.zone, (today - TimeDelta::days(days)).and_time(self.quiet.from) - margin))
            .find(|evening| *evening < at && !self.is_quiet(*evening))
    }
}
