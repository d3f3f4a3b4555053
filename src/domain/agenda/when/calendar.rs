//! Arithmetic of days, weeks and months, and the days that have names.

use chrono::{Datelike, Days, Months, NaiveDate, Weekday};

/// A day some days away; the calendar's ends are its limits.
pub(in crate::domain) fn plus_days(day: NaiveDate, days: i64) -> NaiveDate {
    let distance = Days::new(days.unsigned_abs());
    let moved = if days < 0 { day.checked_sub_days(distance) } else { day.checked_add_days(distance) };
    moved.unwrap_or(day)
}

/// The same day some months away, or the last of a shorter month.
pub(super) fn plus_months(day: NaiveDate, months: i64) -> NaiveDate {
    let distance = Months::new(u32::try_from(months.unsigned_abs()).unwrap_or(0));
    let moved = if months < 0 { day.checked_sub_months(distance) } else { day.checked_add_months(distance) };
    moved.unwrap_or(day)
}

/// The Monday of a day's week.
pub(super) fn monday(day: NaiveDate) -> NaiveDate {
    plus_days(day, -i64::from(day.weekday().num_days_from_monday()))
}

/// The first day of a day's month.
pub(super) fn month_start(day: NaiveDate) -> NaiveDate {
    day.with_day(1).unwrap_or(day)
}

/// The first day of a day's year.
pub(super) fn year_start(day: NaiveDate) -> NaiveDate {
    NaiveDate::from_ymd_opt(day.year(), 1, 1).unwrap_or(day)
}

/// The next such weekday after a day.
pub(super) fn next_weekday(after: NaiveDate, weekday: Weekday) -> NaiveDate {
    let distance = (7 + weekday.num_days_from_monday() - after.weekday().num_days_from_monday() - 1) % 7 + 1;
    plus_days(after, distance.into())
}

/// Such a weekday in the week that begins on a Monday.
pub(super) fn weekday_of_week(monday: NaiveDate, weekday: Weekday) -> NaiveDate {
    plus_days(monday, weekday.num_days_from_monday().into())
}

/// The n-th such weekday of a month, from 1; 0 for the last.
pub(super) fn nth_weekday(month: NaiveDate, weekday: Weekday, n: u32) -> Option<NaiveDate> {
    let start = month_start(month);
    if n == 0 {
        let after = plus_months(start, 1);
        return Some(plus_days(next_weekday(plus_days(after, -1), weekday), -7));
    }
    let day = plus_days(next_weekday(plus_days(start, -1), weekday), 7 * (i64::from(n) - 1));
    (day.month() == start.month()).then_some(day)
}

/// The n-th day from Monday to Friday of a month, from 1; 0 for the last. Holidays are not known here.
pub(super) fn nth_workday(month: NaiveDate, n: u32) -> Option<NaiveDate> {
    let start = month_start(month);
    let is_workday = |day: &NaiveDate| day.weekday().num_days_from_monday() < 5;
    let mut workdays = (0..31).map(|d| plus_days(start, d)).filter(|d| d.month() == start.month()).filter(is_workday);
    if n == 0 { workdays.next_back() } else { workdays.nth(usize::try_from(n).ok()?.checked_sub(1)?) }
}

/// A two-digit year of this or the last century, or a year of four digits.
pub(super) fn full_year(year: u32, digits: usize) -> Option<i32> {
    let year = i32::try_from(year).ok()?;
    match digits {
        2 if year < 50 => Some(2000 + year),
        2 => Some(1900 + year),
        4 if (1900..=2199).contains(&year) => Some(year),
        _ => None,
    }
}

/// Easter Sunday of the Gregorian calendar (Meeus, Jones and Butcher).
pub(in crate::domain) fn easter(year: i32) -> Option<NaiveDate> {
    let (a, b, c) = (year % 19, year / 100, year % 100);
    let h = (19 * a + b - b / 4 - (b - (b + 8) / 25 + 1) / 3 + 15) % 30;
    let l = (32 + 2 * (b % 4) + 2 * (c / 4) - h - c % 4) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let sum = u32::try_from(h + l - 7 * m + 114).ok()?;
    NaiveDate::from_ymd_opt(year, sum / 31, sum % 31 + 1)
}

/// Days with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NamedDay {
    /// The same day every year: month, day.
    Fixed(u32, u32),
    /// Days after Easter.
    FromEaster(i64),
    /// The n-th weekday of a month: month, weekday, n.
    Nth(u32, Weekday, u32),
}

impl NamedDay {
    /// The next one, today included.
    pub(super) fn next(self, today: NaiveDate) -> Option<NaiveDate> {
        (0..=8).filter_map(|years| self.of_year(today.year() + years)).find(|day| *day >= today)
    }

    fn of_year(self, year: i32) -> Option<NaiveDate> {
        match self {
            Self::Fixed(month, day) => NaiveDate::from_ymd_opt(year, month, day),
            Self::FromEaster(days) => easter(year).map(|day| plus_days(day, days)),
            Self::Nth(month, weekday, n) => nth_weekday(NaiveDate::from_ymd_opt(year, month, 1)?, weekday, n),
        }
    }
}
