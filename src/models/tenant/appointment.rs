//! Appointments.

mod outside;

pub use outside::find_external;

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use crate::domain::agenda::appointment::AppointmentState;
use crate::models::schema::tenant::appointment;
use crate::tenant::{StoreError, TenantTx};

/// An appointment as stored.
#[derive(Clone, Debug, PartialEq, Insertable, Queryable, Selectable, AsChangeset)]
#[diesel(table_name = appointment, treat_none_as_null = true)]
pub struct AppointmentRow {
    /// Its id, which is the intent's that a calendar outside keeps with the booking.
    pub id: Uuid,
    /// For whom; `None` when nobody we know.
    pub person_id: Option<Uuid>,
    /// In which conversation it was made.
    pub conversation_id: Option<Uuid>,
    /// The service, in the catalog.
    pub service_id: Option<Uuid>,
    /// Its name as booked.
    pub service: String,
    /// The professional, in the catalog.
    pub professional_id: Option<Uuid>,
    /// Their name as booked.
    pub professional: String,
    /// What cannot be in two places.
    pub resource: String,
    /// The place on the resource, from 0; `None` where only the calendar outside knows how many fit.
    pub seat: Option<i16>,
    /// Whether others may come to the same service at the same time.
    pub shared: bool,
    /// When it begins.
    pub starts_at: DateTime<Utc>,
    /// When it ends.
    pub ends_at: DateTime<Utc>,
    /// From when nobody else may have the seat.
    pub busy_from: DateTime<Utc>,
    /// Until when nobody else may have it.
    pub busy_to: DateTime<Utc>,
    /// An [`AppointmentState`].
    pub state: String,
    /// `chat`, `api`, `waitlist`, `calendar`.
    pub source: String,
    /// The calendar's id of the booking.
    pub external_uid: Option<String>,
    /// The calendar's kind of booking; `None` in the company's own calendar.
    pub event_type: Option<i64>,
    /// The calendar's id of the time it keeps for us.
    pub reservation_uid: Option<String>,
    /// Until when a held time is kept; of a failed booking until when it is looked for all the same.
    pub hold_until: Option<DateTime<Utc>>,
    /// A move or cancelling on its way to the calendar outside.
    pub wish: Option<Value>,
    /// `{"name", "phone", "email"}`.
    pub attendee: Value,
    /// `{"place", "url"}`.
    pub meeting: Value,
    /// Whatever else is kept with it.
    pub metadata: Value,
    /// Why it was called off.
    pub reason: Option<String>,
    /// Who says that nobody came, or that somebody did.
    pub outcome_source: Option<String>,
    /// When the newest thing told of it by the calendar outside happened.
    pub event_at: Option<DateTime<Utc>>,
    /// Grows with every change of time or state.
    pub version: i32,
    /// The chance that nobody comes.
    pub risk: Option<f32>,
    /// When the row was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

impl AppointmentRow {
    /// The state, parsed. An unknown spelling (a newer version's) counts as being booked: it is kept free of others, and
    /// nobody is told anything.
    pub fn state(&self) -> AppointmentState {
        AppointmentState::parse(&self.state).unwrap_or(AppointmentState::Booking)
    }

    /// Takes a state; the version grows when it is another one.
    pub fn set_state(&mut self, state: AppointmentState) {
        if self.state != state.as_str() {
            state.as_str().clone_into(&mut self.state);
            self.version = self.version.saturating_add(1);
        }
    }

    /// Takes another time, buffers moved along.
    pub fn set_time(&mut self, starts_at: DateTime<Utc>, ends_at: DateTime<Utc>) {
        if (self.starts_at, self.ends_at) == (starts_at, ends_at) {
            return;
        }
        let (before, after) = (self.starts_at - self.busy_from, self.busy_to - self.ends_at);
        (self.starts_at, self.ends_at) = (starts_at, ends_at);
        (self.busy_from, self.busy_to) = (starts_at - before, ends_at + after);
        self.version = self.version.saturating_add(1);
    }

    /// What to call whoever comes.
    pub fn attendee_name(&self) -> &str {
        self.attendee.get("name").and_then(Value::as_str).unwrap_or_default()
    }

    /// Where to meet online; empty when nowhere.
    pub fn meeting_url(&self) -> &str {
        self.meeting.get("url").and_then(Value::as_str).unwrap_or_default()
    }

    /// Where to go; empty when it is not told.
    pub fn place(&self) -> &str {
        self.meeting.get("place").and_then(Value::as_str).unwrap_or_default()
    }
}

/// Written out: a bound list would not be seen to fit the partial indexes.
fn occupies() -> SqlLiteral<Bool> {
    sql::<Bool>("appointment.state IN ('held', 'booking', 'pending', 'confirmed', 'rescheduled')")
}

fn was_booked() -> SqlLiteral<Bool> {
    sql::<Bool>("appointment.state NOT IN ('held', 'booking', 'lapsed', 'failed')")
}

fn stands() -> SqlLiteral<Bool> {
    sql::<Bool>("appointment.state IN ('pending', 'confirmed', 'rescheduled')")
}

/// Lets nobody else decide about a resource until the transaction ends. The constraint on seats alone would keep people
/// apart, too; but it knows nothing of groups, and its refusal costs a transaction.
pub async fn lock_resource(tx: &mut TenantTx, resource: &str) -> Result<(), StoreError> {
    diesel::sql_query("SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '/' || $1, 0))")
        .bind::<Text, _>(resource)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Adds one. A `Conflict` says that the seat is taken, or that the id is known.
pub async fn insert(tx: &mut TenantTx, row: &AppointmentRow) -> Result<(), StoreError> {
    diesel::insert_into(appointment::table).values(row).execute(tx.conn()).await?;
    Ok(())
}

/// Writes one anew. A `Conflict` says that its new seat is taken.
pub async fn save(tx: &mut TenantTx, row: &AppointmentRow) -> Result<(), StoreError> {
    diesel::update(appointment::table.filter(appointment::id.eq(row.id))).set(row).execute(tx.conn()).await?;
    Ok(())
}

/// One of them.
pub async fn find(tx: &mut TenantTx, id: Uuid) -> Result<Option<AppointmentRow>, StoreError> {
    Ok(appointment::table.select(AppointmentRow::as_select()).find(id).first(tx.conn()).await.optional()?)
}

/// One of them, held until the transaction ends.
/// Its resource is held first: of two transactions that write rows of one seat and time, each would wait for the other to
/// end before the exclusion constraint could tell.
pub async fn lock(tx: &mut TenantTx, id: Uuid) -> Result<Option<AppointmentRow>, StoreError> {
    let resource: Option<String> =
        appointment::table.select(appointment::resource).find(id).first(tx.conn()).await.optional()?;
    let Some(resource) = resource else { return Ok(None) };
    lock_resource(tx, &resource).await?;
    Ok(appointment::table
        .select(AppointmentRow::as_select())
        .find(id)
        .for_update()
        .first(tx.conn())
        .await
        .optional()?)
}

/// Gives up held times that ran out, of one resource or of all that no calendar outside keeps. Returns how many.
pub async fn lapse(tx: &mut TenantTx, resource: Option<&str>, now: DateTime<Utc>) -> Result<usize, StoreError> {
    let over = sql::<Bool>("appointment.state = 'held' AND appointment.hold_until <= ")
        .bind::<diesel::sql_types::Timestamptz, _>(now);
    let given_up = (
        appointment::state.eq("lapsed"),
        appointment::version.eq(appointment::version + 1),
        appointment::updated_at.eq(now),
    );
    let rows = diesel::update(appointment::table.filter(over));
    let lapsed = match resource {
        Some(resource) => rows.filter(appointment::resource.eq(resource)).set(given_up).execute(tx.conn()).await?,
        None => rows.filter(appointment::event_type.is_null()).set(given_up).execute(tx.conn()).await?,
    };
    Ok(lapsed)
}

/// All that keeps one of these resources busy at some time between two moments, held times that ran out left aside.
pub async fn busy(
    tx: &mut TenantTx,
    resources: &[String],
    (from, until): (DateTime<Utc>, DateTime<Utc>),
    now: DateTime<Utc>,
) -> Result<Vec<AppointmentRow>, StoreError> {
    let kept = sql::<Bool>("(appointment.state <> 'held' OR appointment.hold_until > ")
        .bind::<diesel::sql_types::Timestamptz, _>(now)
        .sql(")");
    Ok(appointment::table
        .select(AppointmentRow::as_select())
        .filter(appointment::resource.eq_any(resources).and(occupies()).and(kept))
        .filter(appointment::busy_from.lt(until).and(appointment::busy_to.gt(from)))
        .order(appointment::starts_at)
        .load(tx.conn())
        .await?)
}

/// A person's appointments that end after a moment and stand, the next one first.
pub async fn standing_of(
    tx: &mut TenantTx,
    person_id: Uuid,
    after: DateTime<Utc>,
) -> Result<Vec<AppointmentRow>, StoreError> {
    Ok(appointment::table
        .select(AppointmentRow::as_select())
        .filter(appointment::person_id.eq(person_id).and(appointment::ends_at.gt(after)).and(stands()))
        .order((appointment::starts_at, appointment::id))
        .load(tx.conn())
        .await?)
}

/// What a list of appointments is to hold.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Beginning at or after.
    pub from: Option<DateTime<Utc>>,
    /// Beginning before.
    pub until: Option<DateTime<Utc>>,
    /// A state's spelling.
    pub state: Option<String>,
    /// Of one person.
    pub person_id: Option<Uuid>,
    /// Of one service.
    pub service_id: Option<Uuid>,
    /// Of one professional.
    pub professional_id: Option<Uuid>,
}

/// Appointments that were ever booked, by their beginning.
pub async fn list(tx: &mut TenantTx, filter: &Filter, limit: i64) -> Result<Vec<AppointmentRow>, StoreError> {
    let mut query = appointment::table
        .select(AppointmentRow::as_select())
        .filter(was_booked())
        .order((appointment::starts_at, appointment::id))
        .limit(limit)
        .into_boxed();
    if let Some(from) = filter.from {
        query = query.filter(appointment::starts_at.ge(from));
    }
    if let Some(until) = filter.until {
        query = query.filter(appointment::starts_at.lt(until));
    }
    if let Some(state) = &filter.state {
        query = query.filter(appointment::state.eq(state.clone()));
    }
    if let Some(person) = filter.person_id {
        query = query.filter(appointment::person_id.eq(person));
    }
    if let Some(service) = filter.service_id {
        query = query.filter(appointment::service_id.eq(service));
    }
    if let Some(professional) = filter.professional_id {
        query = query.filter(appointment::professional_id.eq(professional));
    }
    Ok(query.load(tx.conn()).await?)
}

/// Rows that are not settled with the calendar outside and were last touched before a moment: bookings, moves and
/// cancellings under way, held times that ran out with a time still kept outside, failed bookings still looked for.
pub async fn unsettled(
    tx: &mut TenantTx,
    before: DateTime<Utc>,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<AppointmentRow>, StoreError> {
    let open = sql::<Bool>(
        "(appointment.state = 'booking' OR appointment.wish IS NOT NULL
          OR (appointment.state = 'failed' AND appointment.hold_until IS NOT NULL)
          OR (appointment.state = 'held' AND appointment.hold_until <= ",
    )
    .bind::<diesel::sql_types::Timestamptz, _>(now)
    .sql("))");
    Ok(appointment::table
        .select(AppointmentRow::as_select())
        .filter(open.and(appointment::updated_at.lt(before)))
        .order(appointment::updated_at)
        .limit(limit)
        .load(tx.conn())
        .await?)
}

/// Some of them.
pub async fn of_ids(tx: &mut TenantTx, ids: &[Uuid]) -> Result<Vec<AppointmentRow>, StoreError> {
    Ok(appointment::table
        .select(AppointmentRow::as_select())
        .filter(appointment::id.eq_any(ids))
        .load(tx.conn())
        .await?)
}
