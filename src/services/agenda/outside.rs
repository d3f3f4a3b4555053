//! A calendar at Cal.com. The row comes first; then the call; then the row says what came of it.

/// Does what surely did nothing again, a few times and not for long.
macro_rules! patiently {
    ($call:expr) => {{
        let mut tried = 0;
        loop {
            tried += 1;
            match $call.await {
                Err(error) => match $crate::services::agenda::outside::wait(&error, tried) {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => break Err(error),
                },
                done => break done,
            }
        }
    }};
}

mod booking;
mod changing;
mod guarded;
mod settling;

use std::time::Duration;

use chrono::TimeDelta;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

pub(super) use self::booking::LATE;
use self::guarded::Guarded;
use super::calendar::{CalendarError, Held, OpenSlot, SlotWish, Wish, offer};
use super::lanes::{self, Lane};
use super::local::first_of_each;
use super::rows::Desk;
use crate::clients::calendar::{CalendarEndpoint, FreeTime, SlotQuery, Versions};
use crate::clients::{WireError, WireErrorKind};
use crate::domain::agenda::appointment::AppointmentState as State;
use crate::domain::agenda::offer::Offer;
use crate::domain::agenda::slots::Stretch;
use crate::models::tenant::appointment::{self, AppointmentRow};

/// Time for one call.
const CALL: Duration = Duration::from_secs(30);
/// Tries of one call that surely did nothing.
const TRIES: u32 = 3;
/// Longest wait for another try within one use; a longer one is for the caller to plan.
const WAIT_MAX: Duration = Duration::from_secs(2);
/// First wait before another try.
const WAIT_FIRST: Duration = Duration::from_millis(200);
/// How far the calendar's clock may lag behind ours.
const CLOCKS_APART: TimeDelta = TimeDelta::minutes(5);

/// The calendar of a company at Cal.com.
pub struct Outside<'a> {
    pub(super) desk: Desk<'a>,
    endpoint: CalendarEndpoint,
}

/// What was on its way to the calendar when its row was last written.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Underway {
    /// A move to the time that `hold` keeps.
    Move { hold: Uuid },
    /// A cancelling.
    Cancel { reason: String },
    /// Nothing; but the booking was tried twice, and the other try may still come through.
    Twice { until: chrono::DateTime<chrono::Utc> },
}

impl Underway {
    pub(super) fn of(row: &AppointmentRow) -> Option<Self> {
        serde_json::from_value(row.wish.clone()?).ok()
    }

    pub(super) fn stored(&self) -> Option<Value> {
        serde_json::to_value(self).ok()
    }
}

impl<'a> Outside<'a> {
    pub(super) fn new(desk: Desk<'a>) -> Result<Self, CalendarError> {
        let (choice, secrets) = (&desk.tenant.settings.calendar, &desk.tenant.secrets);
        if secrets.calendar_api_key.expose_secret().is_empty() {
            return Err(CalendarError::NotConfigured("no_api_key"));
        }
        let endpoint = CalendarEndpoint {
            base_url: choice.base_url.clone(),
            api_key: secrets.calendar_api_key.clone(),
            versions: Versions { bookings: choice.bookings_version.clone(), ..Versions::default() },
            timeout: CALL,
        };
        Ok(Self { desk, endpoint })
    }

    pub(super) fn calcom(&self) -> Guarded<'_> {
        Guarded::new(self)
    }

    pub(super) async fn slots(&self, wish: &SlotWish) -> Result<Vec<OpenSlot>, CalendarError> {
        let settings = &self.desk.tenant.settings;
        let now = self.desk.now();
        let (first, last) = lanes::bounds(&settings.calendar, now);
        let (from, until) = (wish.from.max(first), wish.until.min(last));
        if from >= until {
            return Ok(Vec::new());
        }
        let moving = match wish.moving {
            Some(id) => self.desk.find(id).await?.and_then(|row| row.external_uid),
            None => None,
        };
        let offer = offer(self.desk.tenant).await?;
        let lanes = lanes::outside(settings, &offer, (wish.service, wish.professional))?;
        let mut asked = Vec::new();
        for lane in &lanes {
            asked.push(self.ask(lane, (from, until), moving.as_deref()));
        }
        let answers = futures::future::try_join_all(asked).await?;
        let resources: Vec<String> = lanes.iter().map(|lane| lane.resource.clone()).collect();
        let rows = within!(self.desk, |tx| {
            let found = answers.iter().map(Vec::len).sum::<usize>();
            self.desk.looked(tx, json!({ "calendar": "calcom", "found": found })).await?;
            Ok(appointment::busy(tx, &resources, (from - TimeDelta::days(1), until + TimeDelta::days(1)), now).await?)
        })?;
        let mut found: Vec<OpenSlot> = Vec::new();
        for (lane, free) in lanes.iter().zip(answers) {
            let offered = free.into_iter().map(|time| lane.slot(time.starts, time.ends));
            found.extend(offered.filter(|slot| !self.taken_by_us(&rows, lane, slot, wish.moving)));
        }
        Ok(first_of_each(found, wish.limit))
    }

    async fn ask(
        &self,
        lane: &Lane<'_>,
        (from, until): Stretch,
        moving: Option<&str>,
    ) -> Result<Vec<FreeTime>, WireError> {
        let zone = self.desk.tenant.settings.timezone;
        let query = SlotQuery { event_type: lane.event_type.unwrap_or_default(), from, until, zone, moving };
        let calcom = self.calcom();
        patiently!(calcom.slots(&query))
    }

    /// Whether one of our own rows has the time, which the calendar may not know yet.
    fn taken_by_us(&self, rows: &[AppointmentRow], lane: &Lane<'_>, slot: &OpenSlot, moving: Option<Uuid>) -> bool {
        let mut here = rows.iter().filter(|row| row.resource == lane.resource && Some(row.id) != moving);
        here.any(|row| row.seat.is_some() && row.starts_at < slot.ends && slot.starts < row.ends_at)
    }

    fn lane<'o>(&self, offer: &'o Offer, slot: &OpenSlot) -> Result<Lane<'o>, CalendarError> {
        let settings = &self.desk.tenant.settings;
        let lanes = lanes::outside(settings, offer, (slot.service, slot.professional))?;
        lanes.into_iter().next().ok_or(CalendarError::NotOffered)
    }

    /// The seat of rows at this calendar: one where bookings can never overlap, none where only it knows how many fit.
    fn seat(&self) -> Option<i16> {
        self.desk.tenant.settings.calendar.exclusive.then_some(0)
    }

    pub(super) async fn hold(&self, wish: &Wish) -> Result<Held, CalendarError> {
        let offer = offer(self.desk.tenant).await?;
        let lane = self.lane(&offer, &wish.slot)?;
        let row = self.keep(wish, &lane, State::Held).await?;
        let held = Held { id: row.id, until: row.hold_until.unwrap_or(row.updated_at) };
        if row.reservation_uid.is_some() {
            return Ok(held);
        }
        // A little longer than ours, so that nobody slips in between.
        let minutes =
            u32::try_from(self.desk.tenant.settings.calendar.hold.num_minutes()).unwrap_or(10).saturating_add(1);
        let event_type = lane.event_type.unwrap_or_default();
        match self.calcom().reserve(event_type, wish.slot.starts, minutes).await {
            Ok(reservation) => {
                within!(self.desk, |tx| {
                    if let Some(mut row) = appointment::lock(tx, wish.id).await? {
                        row.reservation_uid = Some(reservation.uid);
                        appointment::save(tx, &row).await?;
                    }
                    Ok(())
                })?;
                Ok(held)
            }
            // Keeping it there is a courtesy: our own customers are kept apart already, and booking decides.
            Err(error) if matches!(error.kind, WireErrorKind::Unknown | WireErrorKind::RateLimited) => Ok(held),
            Err(error) => {
                self.desk.release(wish.id).await?;
                Err(error.into())
            }
        }
    }

    /// Brings the row of a wish into a state in which it keeps its seat.
    async fn keep(&self, wish: &Wish, lane: &Lane<'_>, state: State) -> Result<AppointmentRow, CalendarError> {
        let now = self.desk.now();
        if wish.slot.starts <= now {
            return Err(CalendarError::NotOffered);
        }
        within!(self.desk, |tx| {
            appointment::lock_resource(tx, &lane.resource).await?;
            let known = appointment::lock(tx, wish.id).await?;
            appointment::lapse(tx, Some(&lane.resource), now).await?;
            let fresh = self.desk.row(wish, lane, state, self.seat());
            let row = match known {
                None => {
                    appointment::insert(tx, &fresh).await?;
                    fresh
                }
                Some(row) if row.state() == State::Booking || row.state().stands() => {
                    return if state == State::Held { Err(CalendarError::Gone) } else { Ok(row) };
                }
                Some(old) if matches!(old.state(), State::Held | State::Lapsed) => {
                    let same = old.starts_at == fresh.starts_at && old.state() == State::Held;
                    let row = AppointmentRow {
                        version: old.version + 1,
                        created_at: old.created_at,
                        reservation_uid: old.reservation_uid.filter(|_| same),
                        ..fresh
                    };
                    appointment::save(tx, &row).await?;
                    row
                }
                Some(_) => return Err(CalendarError::Gone),
            };
            let action = if state == State::Held { "agenda.hold" } else { "agenda.book_intent" };
            self.desk.record(tx, action, &row).await?;
            Ok(row)
        })
    }

    pub(super) async fn release(&self, intent: Uuid) -> Result<(), CalendarError> {
        let released = self.desk.release(intent).await?;
        self.give_back(released.and_then(|row| row.reservation_uid)).await;
        Ok(())
    }

    /// Gives a time back at the calendar. It runs out by itself if that fails.
    async fn give_back(&self, reservation: Option<String>) {
        let Some(uid) = reservation else { return };
        if let Err(error) = self.calcom().release(&uid).await {
            tracing::debug!(company = self.desk.tenant.id().get(), %error, "A kept time could not be given back");
        }
    }
}

/// How long to wait before another try; `None`: no other try.
fn wait(error: &WireError, tried: u32) -> Option<Duration> {
    if tried >= TRIES || !matches!(error.kind, WireErrorKind::Unavailable | WireErrorKind::RateLimited) {
        return None;
    }
    let backoff = WAIT_FIRST.saturating_mul(1 << tried.min(4)).mul_f64(rand::random::<f64>());
    Some(error.retry_after.unwrap_or(backoff)).filter(|wait| *wait <= WAIT_MAX)
}
