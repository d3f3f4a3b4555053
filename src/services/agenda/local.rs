//! The company's own calendar. Everything is decided in one transaction, with the resource locked.

use serde_json::json;
use uuid::Uuid;

use super::calendar::{CalendarError, Held, LookUp, OpenSlot, SlotWish, Wish, offer};
use super::lanes::{self, Lane};
use super::rows::{Desk, known};
use crate::domain::agenda::appointment::AppointmentState as State;
use crate::domain::agenda::offer::Offer;
use crate::domain::agenda::slots;
use crate::models::tenant::appointment::{self, AppointmentRow};
use crate::models::tenant::catalog;
use crate::tenant::TenantTx;

/// The calendar in the company's tables.
pub struct Local<'a> {
    pub(super) desk: Desk<'a>,
}

impl Local<'_> {
    pub(super) async fn slots(&self, wish: &SlotWish) -> Result<Vec<OpenSlot>, CalendarError> {
        let settings = &self.desk.tenant.settings;
        let now = self.desk.now();
        let (first, last) = lanes::bounds(&settings.calendar, now);
        let (from, until) = (wish.from.max(first), wish.until.min(last));
        if from >= until {
            return Ok(Vec::new());
        }
        within!(self.desk, |tx| {
            let items = catalog::all(tx).await?;
            let offer = Offer::of(items.iter().map(|item| (item.id, &item.fact, &item.data)));
            let lanes = lanes::local(settings, &offer, (wish.service, wish.professional))?;
            let resources: Vec<String> = lanes.iter().map(|lane| lane.resource.clone()).collect();
            let around = lanes.iter().map(|lane| lane.around((from, until)));
            let around = around.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))).unwrap_or((from, until));
            let rows = appointment::busy(tx, &resources, around, now).await?;
            let but: Vec<Uuid> = wish.moving.into_iter().collect();
            let mut found: Vec<OpenSlot> = Vec::new();
            for lane in &lanes {
                let free = slots::free(&lane.rules(), &lane.busy(&rows, &but), (from, until));
                found.extend(free.into_iter().map(|slot| lane.slot(slot.starts, Some(slot.ends))));
            }
            self.desk.looked(tx, json!({ "calendar": "local", "found": found.len() })).await?;
            Ok(first_of_each(found, wish.limit))
        })
    }

    pub(super) async fn hold(&self, wish: &Wish) -> Result<Held, CalendarError> {
        let row = self.put(wish, State::Held).await?;
        Ok(Held { id: row.id, until: row.hold_until.unwrap_or(row.updated_at) })
    }

    pub(super) async fn book(&self, wish: &Wish) -> Result<AppointmentRow, CalendarError> {
        let pending = self.desk.tenant.settings.calendar.needs_confirmation;
        self.put(wish, if pending { State::Pending } else { State::Confirmed }).await
    }

    /// Brings a wish into a state: its row as it was kept, or a new one.
    async fn put(&self, wish: &Wish, state: State) -> Result<AppointmentRow, CalendarError> {
        let offer = offer(self.desk.tenant).await?;
        let lane = self.lane(&offer, &wish.slot)?;
        within!(self.desk, |tx| {
            appointment::lock_resource(tx, &lane.resource).await?;
            let known = appointment::lock(tx, wish.id).await?;
            if let Some(row) = &known {
                if row.state().stands() {
                    return if state == State::Held { Err(CalendarError::Gone) } else { Ok(row.clone()) };
                }
                if !matches!(row.state(), State::Held | State::Lapsed) {
                    return Err(CalendarError::Gone);
                }
            }
            let seat = self.seat(tx, &lane, &wish.slot, &[wish.id]).await?;
            let fresh = self.desk.row(wish, &lane, state, Some(seat));
            let row = match known {
                None => {
                    appointment::insert(tx, &fresh).await?;
                    fresh
                }
                Some(old) => {
                    let row = AppointmentRow { version: old.version + 1, created_at: old.created_at, ..fresh };
                    appointment::save(tx, &row).await?;
                    row
                }
            };
            self.desk.record(tx, if state == State::Held { "agenda.hold" } else { "agenda.book" }, &row).await?;
            Ok(row)
        })
    }

    /// A seat for a time, its resource being locked.
    async fn seat(
        &self,
        tx: &mut TenantTx,
        lane: &Lane<'_>,
        slot: &OpenSlot,
        but: &[Uuid],
    ) -> Result<i16, CalendarError> {
        let now = self.desk.now();
        if slot.starts <= now || slots::exactly(&lane.rules(), &[], slot.starts).is_none() {
            return Err(CalendarError::NotOffered);
        }
        appointment::lapse(tx, Some(&lane.resource), now).await?;
        let resource = [lane.resource.clone()];
        let rows = appointment::busy(tx, &resource, lane.around((slot.starts, slot.starts)), now).await?;
        slots::free_seat(&lane.rules(), &lane.busy(&rows, but), slot.starts).ok_or(CalendarError::Taken)
    }

    fn lane<'o>(&self, offer: &'o Offer, slot: &OpenSlot) -> Result<Lane<'o>, CalendarError> {
        let lanes = lanes::local(&self.desk.tenant.settings, offer, (slot.service, slot.professional))?;
        lanes.into_iter().next().ok_or(CalendarError::NotOffered)
    }

    pub(super) async fn look_up(&self, intent: Uuid) -> Result<LookUp, CalendarError> {
        Ok(known(self.desk.find(intent).await?).unwrap_or(LookUp::NotBooked))
    }

    pub(super) async fn reschedule(
        &self,
        id: Uuid,
        to: &OpenSlot,
        hold: Option<Uuid>,
    ) -> Result<AppointmentRow, CalendarError> {
        let offer = offer(self.desk.tenant).await?;
        let lane = self.lane(&offer, to)?;
        let now = self.desk.now();
        within!(self.desk, |tx| {
            appointment::lock_resource(tx, &lane.resource).await?;
            let row = appointment::lock(tx, id).await?.filter(|row| row.state().stands());
            let mut row = row.ok_or(CalendarError::Gone)?;
            let but: Vec<Uuid> = [Some(id), hold].into_iter().flatten().collect();
            let seat = self.seat(tx, &lane, to, &but).await?;
            // The kept time makes room first: the database counts seats with every statement.
            if let Some(mut kept) = match hold {
                Some(hold) => appointment::lock(tx, hold).await?.filter(|kept| kept.state() == State::Held),
                None => None,
            } {
                kept.set_state(State::Lapsed);
                kept.updated_at = now;
                appointment::save(tx, &kept).await?;
            }
            (row.busy_from, row.busy_to) = lane.taken_by(to.starts, to.ends);
            (row.starts_at, row.ends_at) = (to.starts, to.ends);
            (row.resource, row.seat, row.shared) = (lane.resource.clone(), Some(seat), lane.is_shared());
            (row.service_id, row.service) = (to.service, to.service_name.clone());
            (row.professional_id, row.professional) = (to.professional, to.professional_name.clone());
            if row.state() != State::Pending {
                State::Rescheduled.as_str().clone_into(&mut row.state);
            }
            row.version += 1;
            row.updated_at = now;
            appointment::save(tx, &row).await?;
            self.desk.record(tx, "agenda.reschedule", &row).await?;
            Ok(row)
        })
    }

    pub(super) async fn cancel(&self, id: Uuid, reason: &str) -> Result<AppointmentRow, CalendarError> {
        self.desk
            .change(id, "agenda.cancel", |row| {
                if row.state() == State::Cancelled {
                    return Ok(());
                }
                if !row.state().stands() {
                    return Err(CalendarError::Gone);
                }
                row.set_state(State::Cancelled);
                row.reason = Some(reason.to_owned());
                Ok(())
            })
            .await
    }
}

/// In order, and of several at one time the first: whoever wants anybody gets one of them.
pub(super) fn first_of_each(mut found: Vec<OpenSlot>, limit: usize) -> Vec<OpenSlot> {
    // Stable, so that professionals keep the catalog's order.
    found.sort_by_key(|slot| slot.starts);
    found.dedup_by_key(|slot| slot.starts);
    found.truncate(limit);
    found
}
