//! Sets of the days hours are given for: the seven weekdays, and holidays as an eighth.

use chrono::Weekday;

/// A set of days. Bit 0 is Monday, bit 6 Sunday, bit 7 holidays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct DaySet(u8);

impl DaySet {
    /// Monday to Friday.
    pub const WORKDAYS: Self = Self(0b0001_1111);
    /// Saturday and Sunday.
    pub const WEEKEND: Self = Self(0b0110_0000);
    /// The seven days of the week.
    pub const WEEK: Self = Self(0b0111_1111);
    /// Holidays.
    pub const HOLIDAYS: Self = Self(0b1000_0000);

    /// One weekday, counted from Monday.
    pub fn one(day: usize) -> Self {
        Self(1 << (day % 7))
    }

    /// From a weekday to another, both included, around the weekend where need be ("sexta a domingo", "domingo a
    /// quinta"); "domingo a domingo" is the whole week.
    pub fn range(from: usize, to: usize) -> Self {
        if from == to {
            return Self::WEEK;
        }
        let length = (to + 7 - from % 7) % 7;
        (0..=length).fold(Self::default(), |set, step| set.with(Self::one(from + step)))
    }

    /// Both sets together.
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// This set without another.
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The numbers of the days in the set: 0 to 6 from Monday, 7 for holidays.
    pub fn numbers(self) -> impl Iterator<Item = usize> {
        (0..8).filter(move |day| self.0 & (1 << day) != 0)
    }
}

/// The Portuguese name of a day's number; 7 are holidays.
pub(super) fn day_name(number: usize) -> &'static str {
    match number {
        0 => "segunda",
        1 => "terça",
        2 => "quarta",
        3 => "quinta",
        4 => "sexta",
        5 => "sábado",
        6 => "domingo",
        _ => "feriados",
    }
}

/// The full Portuguese name of a weekday.
pub fn weekday_name(day: Weekday) -> &'static str {
    match day {
        Weekday::Mon => "segunda-feira",
        Weekday::Tue => "terça-feira",
        Weekday::Wed => "quarta-feira",
        Weekday::Thu => "quinta-feira",
        Weekday::Fri => "sexta-feira",
        Weekday::Sat => "sábado",
        Weekday::Sun => "domingo",
    }
}
