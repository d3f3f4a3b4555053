//! Weekday × hour: how full, and how many come.

use chrono::{NaiveDateTime, Weekday};

use super::{Hour, Outcome, Visit};

const HOURS: usize = 7 * 24;
const WEEK: [Weekday; 7] =
    [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];
/// An hour with few outcomes counts as if so many more had gone as everywhere in the company.
const ATTENDANCE_WEIGHT: f64 = 8.0;
/// The same for how often it is taken, in offered times.
const OCCUPANCY_WEIGHT: f64 = 4.0;
/// Attendance of a company without outcomes.
const ATTENDANCE_PRIOR: f64 = 0.8;

/// One hour of the week.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// Times that could be booked, where that is known.
    pub offered: u32,
    /// Appointments made, also those given up later.
    pub booked: u32,
    /// Those that people came to.
    pub attended: u32,
    /// Those that people stayed away from.
    pub missed: u32,
    /// Those given up before.
    pub cancelled: u32,
}

impl Cell {
    /// Appointments whose outcome is known.
    pub fn outcomes(&self) -> u32 {
        self.attended.saturating_add(self.missed)
    }

    fn add(&mut self, other: &Self) {
        self.offered = self.offered.saturating_add(other.offered);
        self.booked = self.booked.saturating_add(other.booked);
        self.attended = self.attended.saturating_add(other.attended);
        self.missed = self.missed.saturating_add(other.missed);
        self.cancelled = self.cancelled.saturating_add(other.cancelled);
    }
}

/// The heat map of a company.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeatMap {
    cells: Vec<Cell>,
}

impl HeatMap {
    /// Counts visits; `offered` are the beginnings of all times that could be booked in the same past days, with those
    /// taken. Where that is not known it is empty, and demand stands in for occupancy.
    pub fn of(visits: &[Visit], offered: &[NaiveDateTime]) -> Self {
        let mut cells = vec![Cell::default(); HOURS];
        for starts in offered {
            if let Some(cell) = cells.get_mut(Hour::of(*starts).place()) {
                cell.offered = cell.offered.saturating_add(1);
            }
        }
        for visit in visits {
            let Some(cell) = cells.get_mut(Hour::of(visit.starts).place()) else { continue };
            let mut one = Cell { booked: 1, ..Cell::default() };
            match visit.outcome {
                Outcome::Attended => one.attended = 1,
                Outcome::Missed => one.missed = 1,
                Outcome::Cancelled => one.cancelled = 1,
                Outcome::Open => {}
            }
            cell.add(&one);
        }
        Self { cells }
    }

    /// What is known of an hour.
    pub fn cell(&self, hour: Hour) -> Cell {
        self.cells.get(hour.place()).copied().unwrap_or_default()
    }

    /// The hours with anything in them, Monday first.
    pub fn hours(&self) -> impl Iterator<Item = (Hour, Cell)> {
        WEEK.into_iter()
            .flat_map(|weekday| (0..24).map(move |hour| Hour { weekday, hour }))
            .map(|hour| (hour, self.cell(hour)))
            .filter(|(_, cell)| cell.booked > 0 || cell.offered > 0)
    }

    /// Everything together.
    pub fn total(&self) -> Cell {
        let mut total = Cell::default();
        for cell in &self.cells {
            total.add(cell);
        }
        total
    }

    /// Share of people who came, over all hours, 0 to 1; `None` without outcomes.
    pub fn attendance_rate(&self) -> Option<f64> {
        let total = self.total();
        (total.outcomes() > 0).then(|| f64::from(total.attended) / f64::from(total.outcomes()))
    }

    /// The same of one hour, shrunk towards that of the company: one person who came makes no good hour.
    pub fn attendance(&self, hour: Hour) -> f64 {
        let cell = self.cell(hour);
        let rate = self.attendance_rate().unwrap_or(ATTENDANCE_PRIOR);
        (f64::from(cell.attended) + ATTENDANCE_WEIGHT * rate) / (f64::from(cell.outcomes()) + ATTENDANCE_WEIGHT)
    }

    /// How full an hour is, from 0 to 1, shrunk towards the company's. Without knowledge of what was offered: against
    /// its fullest hour.
    pub fn occupancy(&self, hour: Hour) -> f64 {
        let total = self.total();
        let kept = |cell: &Cell| f64::from(cell.booked.saturating_sub(cell.cancelled));
        let cell = self.cell(hour);
        if total.offered > 0 {
            let rate = (kept(&total) / f64::from(total.offered)).min(1.0);
            return ((kept(&cell) + OCCUPANCY_WEIGHT * rate) / (f64::from(cell.offered) + OCCUPANCY_WEIGHT)).min(1.0);
        }
        let fullest = self.cells.iter().map(kept).fold(0.0, f64::max);
        if fullest > 0.0 { kept(&cell) / fullest } else { 0.0 }
    }

    /// How good an hour is to offer, 0 to 1: that it will be taken, times that whoever takes it will come.
    pub fn worth(&self, hour: Hour) -> f64 {
        self.occupancy(hour) * self.attendance(hour)
    }

    /// Free times, best first; equal ones by the clock. At most `limit`.
    pub fn best(&self, free: &[NaiveDateTime], limit: usize) -> Vec<NaiveDateTime> {
        let mut ranked: Vec<(f64, NaiveDateTime)> =
            free.iter().map(|starts| (self.worth(Hour::of(*starts)), *starts)).collect();
        ranked.sort_by(|left, right| right.0.total_cmp(&left.0).then(left.1.cmp(&right.1)));
        ranked.truncate(limit);
        ranked.into_iter().map(|(_, starts)| starts).collect()
    }
}
