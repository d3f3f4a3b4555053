//! Which of the free slots are offered, and in which order.

use std::cmp::Ordering;

use chrono::{DateTime, NaiveDate, Utc};

use super::event::Free;
use super::setting::Setting;
use super::state::{Slot, Wish};

/// The most options of a list.
pub const OPTIONS_MAX: usize = 5;
/// The most of one day while others have some, when no day was named.
const OF_A_DAY: usize = 3;

/// What can be offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Offer {
    /// Nothing is free.
    Nothing,
    /// The very time that was named.
    Exact(Slot),
    /// Times that fit, best first.
    Fitting(Vec<Slot>),
    /// Nothing fits; these are near.
    Near(Vec<Slot>),
}

/// Chooses among free slots.
pub(super) fn choose(free: &[Free], wish: &Wish, setting: &Setting, now: DateTime<Utc>) -> Offer {
    let usable: Vec<&Free> = free.iter().filter(|free| is_usable(&free.slot, wish, setting, now)).collect();
    let fitting: Vec<&Free> = usable.iter().copied().filter(|free| wish.fits(setting.local(free.slot.start))).collect();
    let ranked = ranked(fitting);
    if let (Some(best), Some(_)) = (ranked.first(), wish.exact()) {
        return Offer::Exact(best.slot.clone());
    }
    if !ranked.is_empty() {
        return Offer::Fitting(spread(&ranked, wish.day.is_none(), setting));
    }
    let near = near(usable, wish, setting, now);
    if near.is_empty() { Offer::Nothing } else { Offer::Near(near) }
}

fn is_usable(slot: &Slot, wish: &Wish, setting: &Setting, now: DateTime<Utc>) -> bool {
    let same = |id: &str| slot.professional.as_deref().is_none_or(|who| who == id);
    let moved_nowhere = wish.moving.as_ref().is_some_and(|old| old.start == slot.start);
    slot.start > now
        && slot.end > slot.start
        && wish.professional().is_none_or(same)
        && wish.allows(setting.local(slot.start))
        && !moved_nowhere
}

/// Best first, each time once.
fn ranked(mut free: Vec<&Free>) -> Vec<&Free> {
    let order = |a: &&Free, b: &&Free| {
        b.weight.partial_cmp(&a.weight).unwrap_or(Ordering::Equal).then(a.slot.start.cmp(&b.slot.start))
    };
    free.sort_by(order);
    let mut kept: Vec<&Free> = Vec::with_capacity(free.len());
    for one in free {
        if !kept.iter().any(|other| other.slot.start == one.slot.start) {
            kept.push(one);
        }
    }
    kept
}

/// The best ones, not all of one day while there is a choice.
fn spread(ranked: &[&Free], over_days: bool, setting: &Setting) -> Vec<Slot> {
    let day = |free: &Free| setting.local(free.slot.start).date();
    let mut taken: Vec<&Free> = Vec::new();
    for free in ranked {
        let of_day = |day_: NaiveDate| taken.iter().filter(|other| day(other) == day_).count();
        if taken.len() < OPTIONS_MAX && (!over_days || of_day(day(free)) < OF_A_DAY) {
            taken.push(free);
        }
    }
    for free in ranked {
        if taken.len() < OPTIONS_MAX && !taken.iter().any(|other| other.slot == free.slot) {
            taken.push(free);
        }
    }
    taken.into_iter().map(|free| free.slot.clone()).collect()
}

/// The nearest to what was wanted, in their order of time.
fn near(usable: Vec<&Free>, wish: &Wish, setting: &Setting, now: DateTime<Utc>) -> Vec<Slot> {
    let anchor = wish.anchor(setting.local(now));
    let mut all = ranked(usable);
    all.sort_by_key(|free| (setting.local(free.slot.start) - anchor).abs());
    let mut slots: Vec<Slot> = all.into_iter().take(OPTIONS_MAX).map(|free| free.slot.clone()).collect();
    slots.sort_by_key(|slot| slot.start);
    slots
}
