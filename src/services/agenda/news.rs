//! What a calendar outside tells of a booking, taken over into our rows: the same whether a callback told it or a
//! comparison found it, in any order and as often as it comes.
//!
//! Of one booking what is final stays final: asked for, standing, called off. So what arrives late takes nothing back,
//! whatever the clocks say. A booking that is moved gets another id; the row keeps its own and every id it had, so that
//! news of an old one finds it and changes nothing.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::adopting::adopt;
use super::calendar::CalendarError;
use super::lanes;
use super::outside::{LATE, Underway};
use super::rows::Desk;
use crate::clients::calendar::{Booking, BookingStatus};
use crate::domain::agenda::appointment::AppointmentState as State;
use crate::models::tenant::appointment::{self, AppointmentRow};
use crate::tenant::{StoreError, TenantTx};

/// Tries when somebody else writes at the same moment, or has the seat.
const TRIES: u32 = 4;
/// What news of one company wait for: each other.
const ONE_AT_A_TIME: &str = "calcom";
/// When it was last said who came.
const ABSENT_AT: &str = "absent_at";
/// That a video visit was left by those it was for.
const HINT: &str = "video_no_show";

/// What is told of a booking.
#[derive(Clone, Debug)]
pub(super) struct News<'a> {
    /// Its id.
    pub uid: &'a str,
    /// The ids it was moved from, the last one first.
    pub moved_from: Vec<&'a str>,
    /// The booking as it is told.
    pub booking: Option<&'a Booking>,
    /// When that was so.
    pub at: DateTime<Utc>,
    /// Whether nobody came.
    pub absent: Option<bool>,
    /// Whether there is a hint that nobody came.
    pub hint: bool,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// An appointment nobody here knew.
    Adopted,
    /// A booking stands: on its way before, or without the company's yes.
    Confirmed,
    /// An appointment has another time.
    Moved,
    /// It is off.
    Cancelled,
    /// It is known who came.
    Attendance,
    /// Something smaller.
    Noted,
    /// Nothing new.
    Unchanged,
    /// Nobody here knows the booking, and too little of it is told.
    Unknown,
}

/// Takes it over.
pub(super) async fn apply(desk: &Desk<'_>, news: &News<'_>) -> Result<Effect, CalendarError> {
    let mut exclusive = desk.tenant.settings.calendar.exclusive;
    let mut tried = 1;
    loop {
        let done = once(desk, news, exclusive).await;
        match &done {
            // Our rows say that somebody else has the time: the calendar's word counts, and it knows how many fit.
            Err(CalendarError::Taken) if exclusive => exclusive = false,
            // Somebody wrote the same, or crossed our way.
            Err(CalendarError::Store(StoreError::Conflict { .. })) if tried < TRIES => {}
            Err(CalendarError::Store(StoreError::Unavailable { detail, .. }))
                if tried < TRIES && detail.contains("deadlock") => {}
            _ => return done,
        }
        tried += 1;
    }
}

async fn once(desk: &Desk<'_>, news: &News<'_>, exclusive: bool) -> Result<Effect, CalendarError> {
    within!(desk, |tx| {
        appointment::lock_resource(tx, ONE_AT_A_TIME).await?;
        if let Some(event_type) = news.booking.and_then(|booking| booking.event_type) {
            appointment::lock_resource(tx, &lanes::resource(event_type)).await?;
        }
        let own = appointment::find_external(tx, news.uid).await?;
        let mut before = None;
        for uid in &news.moved_from {
            before = appointment::find_external(tx, uid).await?;
            if before.is_some() {
                break;
            }
        }
        match (own, before) {
            (Some(own), Some(before)) if own.id != before.id => join(desk, tx, news, &own, &before).await,
            (Some(own), _) => follow(desk, tx, news, &own, exclusive).await,
            (None, Some(before)) => moved(desk, tx, news, &before, exclusive).await,
            (None, None) => unknown(desk, tx, news, exclusive).await,
        }
    })
}

/// News of a booking by the id that a row has, or had.
async fn follow(
    desk: &Desk<'_>,
    tx: &mut TenantTx,
    news: &News<'_>,
    found: &AppointmentRow,
    exclusive: bool,
) -> Result<Effect, CalendarError> {
    let old = appointment::lock(tx, found.id).await?.ok_or(CalendarError::Gone)?;
    let mut row = old.clone();
    news.moved_from.iter().for_each(|uid| row.add_former(uid));
    let told = if row.external_uid.as_deref() == Some(news.uid) { take(&mut row, news, desk.now()) } else { None };
    let effect = told.map_or(Effect::Unchanged, |(effect, _)| effect);
    row.seat = row.seat.filter(|_| exclusive || effect != Effect::Moved);
    desk.put(tx, Some(&old), row, told.and_then(|(_, action)| action)).await?;
    Ok(effect)
}

type Told = Option<(Effect, Option<&'static str>)>;

/// Takes over what is told of a row's own booking.
fn take(row: &mut AppointmentRow, news: &News<'_>, now: DateTime<Utc>) -> Told {
    let mut told = news.booking.and_then(|booking| standing(row, booking, news.at));
    row.event_at = Some(news.at).max(row.event_at);
    if news.hint && row.metadata.get(HINT).is_none() {
        row.note(HINT, true.into());
        told = told.or(Some((Effect::Noted, None)));
    }
    attendance(row, news, now).or(told)
}

fn standing(row: &mut AppointmentRow, booking: &Booking, at: DateTime<Utc>) -> Told {
    let newer = row.event_at.is_none_or(|known| known <= at);
    let state = state_of(booking, row.former().next().is_some());
    let mut told = None;
    if rank(state) > rank(row.state()) {
        row.set_state(state);
        if booking.cancellation_reason.is_some() {
            row.reason.clone_from(&booking.cancellation_reason);
        }
        if !state.stands() && matches!(Underway::of(row), Some(Underway::Cancel { .. })) {
            row.wish = None;
        }
        told = Some(match state {
            State::Cancelled => (Effect::Cancelled, Some("agenda.cancel")),
            State::Rejected => (Effect::Cancelled, Some("agenda.decline")),
            _ => (Effect::Confirmed, Some("agenda.confirm")),
        });
    }
    if newer && row.state().stands() && (row.starts_at, row.ends_at) != (booking.starts, booking.ends) {
        row.set_time(booking.starts, booking.ends);
        told = told.or(Some((Effect::Moved, Some("agenda.reschedule"))));
    }
    if newer && meet(row, booking) {
        told = told.or(Some((Effect::Noted, None)));
    }
    told
}

/// Who came, by the calendar's word: not against the team's or the customer's, not before the beginning, and the newest
/// word counts.
fn attendance(row: &mut AppointmentRow, news: &News<'_>, now: DateTime<Utc>) -> Told {
    let absent = news.absent?;
    let said = row.metadata.get(ABSENT_AT).and_then(serde_json::Value::as_str);
    let said = said.and_then(|at| at.parse::<DateTime<Utc>>().ok());
    let others = row.outcome_source.as_deref().is_some_and(|source| source != "calendar");
    if others || row.starts_at > now || said.is_some_and(|said| said > news.at) {
        return None;
    }
    let came = row.state() == State::Attended || row.state().stands();
    let state = match absent {
        true if came => State::NoShow,
        false if row.state() == State::NoShow => State::Attended,
        // Nothing changes; but a word that is older than this one must not count later.
        _ if said.is_some() || !row.state().stands() => return None,
        _ => {
            row.note(ABSENT_AT, news.at.to_rfc3339().into());
            return None;
        }
    };
    row.note(ABSENT_AT, news.at.to_rfc3339().into());
    row.set_state(state);
    row.outcome_source = Some("calendar".to_owned());
    Some((Effect::Attendance, Some(if absent { "agenda.no_show" } else { "agenda.attended" })))
}

/// The same for a row that is new, whose record says the rest.
pub(super) fn note_attendance(row: &mut AppointmentRow, news: &News<'_>, now: DateTime<Utc>) {
    let _ = attendance(row, news, now);
}

/// News of a booking that a row's booking was moved to.
async fn moved(
    desk: &Desk<'_>,
    tx: &mut TenantTx,
    news: &News<'_>,
    found: &AppointmentRow,
    exclusive: bool,
) -> Result<Effect, CalendarError> {
    // The time that was kept for the move makes room for it first.
    if let Some(Underway::Move { hold }) = Underway::of(found) {
        lapse(desk, tx, hold).await?;
    }
    let old = appointment::lock(tx, found.id).await?.ok_or(CalendarError::Gone)?;
    let mut row = old.clone();
    let gone_on = old.external_uid.as_deref().is_none_or(|uid| !news.moved_from.contains(&uid));
    let out_of_order = news.booking.and_then(Booking::intent) == Some(old.id.to_string().as_str());
    if gone_on && (!out_of_order || row.former().any(|uid| news.moved_from.contains(&uid))) {
        // It was moved on since: this is a place where it was for a while.
        row.add_former(news.uid);
        desk.put(tx, Some(&old), row, None).await?;
        return Ok(Effect::Unchanged);
    }
    let Some(booking) = news.booking else { return Ok(Effect::Unknown) };
    if !exclusive {
        row.seat = None;
    }
    row.set_external(news.uid);
    news.moved_from.iter().for_each(|uid| row.add_former(uid));
    row.set_time(booking.starts, booking.ends);
    row.set_state(state_of(booking, true));
    row.reason.clone_from(&booking.cancellation_reason);
    if matches!(Underway::of(&row), Some(Underway::Move { .. })) {
        row.wish = None;
    }
    meet(&mut row, booking);
    row.event_at = Some(news.at).max(row.event_at);
    attendance(&mut row, news, desk.now());
    let action = if row.state().stands() { "agenda.reschedule" } else { "agenda.cancel" };
    desk.put(tx, Some(&old), row, Some(action)).await?;
    Ok(Effect::Moved)
}

/// Two rows turn out to be one appointment: news of what it was moved to came first, and made a row. The older one stays.
async fn join(
    desk: &Desk<'_>,
    tx: &mut TenantTx,
    news: &News<'_>,
    later: &AppointmentRow,
    first: &AppointmentRow,
) -> Result<Effect, CalendarError> {
    let (Some(later), Some(first)) = (appointment::lock(tx, later.id).await?, appointment::lock(tx, first.id).await?)
    else {
        return Err(CalendarError::Gone);
    };
    let mut given_up = later.clone();
    (given_up.external_uid, given_up.seat, given_up.wish) = (None, None, None);
    given_up.note("former", serde_json::json!([]));
    given_up.set_state(State::Lapsed);
    desk.put(tx, Some(&later), given_up, Some("agenda.join")).await?;
    let mut row = first.clone();
    let leads = first.external_uid.as_deref().is_some_and(|uid| news.moved_from.contains(&uid));
    let uids = later.former().chain(later.external_uid.as_deref()).chain(news.moved_from.iter().copied());
    if leads {
        later.external_uid.iter().for_each(|uid| row.set_external(uid));
        uids.for_each(|uid| row.add_former(uid));
        row.set_time(later.starts_at, later.ends_at);
        row.set_state(if later.state() == State::Confirmed { State::Rescheduled } else { later.state() });
        (row.meeting, row.reason) = (later.meeting.clone(), later.reason.clone());
        (row.outcome_source, row.seat) = (later.outcome_source.clone(), later.seat);
        later.metadata.get(ABSENT_AT).into_iter().for_each(|at| row.note(ABSENT_AT, at.clone()));
        row.event_at = later.event_at.max(row.event_at);
    } else {
        uids.for_each(|uid| row.add_former(uid));
    }
    let current = row.external_uid.as_deref() == Some(news.uid);
    if current {
        take(&mut row, news, desk.now());
    }
    desk.put(tx, Some(&first), row, leads.then_some("agenda.reschedule")).await?;
    Ok(Effect::Moved)
}

/// News of a booking that no row has by its id.
async fn unknown(
    desk: &Desk<'_>,
    tx: &mut TenantTx,
    news: &News<'_>,
    exclusive: bool,
) -> Result<Effect, CalendarError> {
    let Some(booking) = news.booking else { return Ok(Effect::Unknown) };
    let intent = booking.intent().and_then(|intent| intent.parse::<Uuid>().ok());
    let known = match intent {
        Some(id) => appointment::find(tx, id).await?,
        None => None,
    };
    let Some(known) = known else {
        let row = adopt(desk, tx, news, booking, exclusive).await?;
        let action = match row.state() {
            State::Cancelled => "agenda.cancel",
            State::Rejected => "agenda.decline",
            _ => "agenda.book",
        };
        desk.put(tx, None, row, Some(action)).await?;
        return Ok(Effect::Adopted);
    };
    if known.external_uid.is_some() && !news.moved_from.is_empty() {
        return moved(desk, tx, news, &known, exclusive).await;
    }
    settle_intent(desk, tx, news, booking, known.id).await
}

/// News of a booking that was made for one of our intents.
async fn settle_intent(
    desk: &Desk<'_>,
    tx: &mut TenantTx,
    news: &News<'_>,
    booking: &Booking,
    id: Uuid,
) -> Result<Effect, CalendarError> {
    let now = desk.now();
    let old = appointment::lock(tx, id).await?.ok_or(CalendarError::Gone)?;
    let mut row = old.clone();
    // What was made and called off again is looked into by whoever settles the intent.
    if !booking.status.stands() {
        return Ok(Effect::Unchanged);
    }
    if row.external_uid.is_some() {
        // Made twice. Which one stays is decided, and the other called off, where that is settled.
        if row.wish.is_none() {
            row.wish = Underway::Twice { until: now + LATE }.stored();
        }
        desk.put(tx, Some(&old), row, None).await?;
        return Ok(Effect::Noted);
    }
    if row.state() == State::Failed {
        // Given up, and the person told so: it is called off where that is settled.
        row.hold_until = row.hold_until.max(Some(now + LATE));
        desk.put(tx, Some(&old), row, None).await?;
        return Ok(Effect::Noted);
    }
    row.set_external(news.uid);
    row.set_time(booking.starts, booking.ends);
    row.set_state(state_of(booking, false));
    meet(&mut row, booking);
    (row.hold_until, row.reservation_uid) = (None, None);
    row.event_at = Some(news.at).max(row.event_at);
    desk.put(tx, Some(&old), row, Some("agenda.book")).await?;
    Ok(Effect::Confirmed)
}

async fn lapse(desk: &Desk<'_>, tx: &mut TenantTx, hold: Uuid) -> Result<(), CalendarError> {
    let Some(old) = appointment::lock(tx, hold).await?.filter(|row| row.state() == State::Held) else { return Ok(()) };
    let mut row = old.clone();
    row.set_state(State::Lapsed);
    desk.put(tx, Some(&old), row, None).await?;
    Ok(())
}

/// How a booking stands, as rows say it.
pub(super) fn state_of(booking: &Booking, moved: bool) -> State {
    match booking.status {
        BookingStatus::Pending => State::Pending,
        BookingStatus::Cancelled => State::Cancelled,
        BookingStatus::Rejected => State::Rejected,
        BookingStatus::Accepted | BookingStatus::Other(_) if moved => State::Rescheduled,
        BookingStatus::Accepted | BookingStatus::Other(_) => State::Confirmed,
    }
}

/// How far a booking has come; it never goes back.
fn rank(state: State) -> u8 {
    match state {
        State::Pending => 1,
        State::Confirmed | State::Rescheduled => 2,
        State::Cancelled | State::Rejected | State::NoShow | State::Attended => 3,
        // Not a booking at all: its intent decides.
        State::Held | State::Booking | State::Lapsed | State::Failed => 3,
    }
}

/// Where to meet, as far as it is told. Whether that is news.
fn meet(row: &mut AppointmentRow, booking: &Booking) -> bool {
    let before = row.meeting.clone();
    for (field, told) in [("url", &booking.meeting_url), ("place", &booking.location)] {
        if let (Some(told), Some(fields)) = (told, row.meeting.as_object_mut()) {
            fields.insert(field.to_owned(), told.as_str().into());
        }
    }
    row.meeting != before
}
