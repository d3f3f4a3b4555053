//! Appointments seen together: what became of them, how many, and whom they concern.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use diesel::dsl::{count_star, sql};
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Double, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use super::appointment::Filter;
use super::timer::TimerRow;
use crate::models::schema::tenant::{appointment, conversation, person, person_identity, timer};
use crate::tenant::{StoreError, TenantTx};

/// What counts of an appointment when many are looked at.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable)]
#[diesel(table_name = appointment)]
pub struct Seen {
    /// Its id.
    pub id: Uuid,
    /// Whose it is.
    pub person_id: Option<Uuid>,
    /// Where they are spoken with.
    pub conversation_id: Option<Uuid>,
    /// When it begins.
    pub starts_at: DateTime<Utc>,
    /// Its state.
    pub state: String,
    /// Whatever else is kept with it.
    pub metadata: Value,
    /// Grows with every change of time or state.
    pub version: i32,
    /// The chance that nobody comes, as last thought.
    pub risk: Option<f32>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

fn was_booked() -> SqlLiteral<Bool> {
    sql::<Bool>("appointment.state NOT IN ('held', 'booking', 'lapsed', 'failed')")
}

/// What was ever booked and begins at or after a moment, the newest `limit` of them, by their beginning.
pub async fn since(tx: &mut TenantTx, from: DateTime<Utc>, limit: i64) -> Result<Vec<Seen>, StoreError> {
    let mut rows: Vec<Seen> = appointment::table
        .select(Seen::as_select())
        .filter(was_booked().and(appointment::starts_at.ge(from)))
        .order((appointment::starts_at.desc(), appointment::id.desc()))
        .limit(limit)
        .load(tx.conn())
        .await?;
    rows.reverse();
    Ok(rows)
}

/// Appointments since a moment for which a reminder went out (`true`) or will (`false`).
pub async fn reminded(tx: &mut TenantTx, from: DateTime<Utc>) -> Result<BTreeMap<Uuid, bool>, StoreError> {
    let rows: Vec<(Option<Uuid>, String)> = timer::table
        .inner_join(appointment::table.on(timer::appointment_id.eq(appointment::id.nullable())))
        .select((timer::appointment_id, timer::state))
        .filter(timer::kind.eq("reminder").and(timer::state.eq_any(["due", "done"])))
        .filter(appointment::starts_at.ge(from))
        .load(tx.conn())
        .await?;
    let mut found = BTreeMap::new();
    for (id, state) in rows.into_iter().filter_map(|(id, state)| Some((id?, state))) {
        *found.entry(id).or_insert(false) |= state == "done";
    }
    Ok(found)
}

/// Writes the chances down, and nothing else of the rows.
pub async fn set_risks(tx: &mut TenantTx, risks: &[(Uuid, f64)]) -> Result<usize, StoreError> {
    let (ids, chances): (Vec<Uuid>, Vec<f64>) = risks.iter().copied().unzip();
    Ok(diesel::sql_query(
        "UPDATE appointment SET risk = told.chance
         FROM (SELECT unnest($1) AS id, unnest($2)::real AS chance) told
         WHERE appointment.id = told.id AND appointment.risk IS DISTINCT FROM told.chance",
    )
    .bind::<diesel::sql_types::Array<SqlUuid>, _>(ids)
    .bind::<diesel::sql_types::Array<Double>, _>(chances)
    .execute(tx.conn())
    .await?)
}

/// Those of these people who may be written to.
pub async fn reachable(tx: &mut TenantTx, people: &[Uuid]) -> Result<BTreeSet<Uuid>, StoreError> {
    let ids: Vec<Uuid> = person::table
        .select(person::id)
        .filter(person::id.eq_any(people).and(person::opted_out_at.is_null()))
        .load(tx.conn())
        .await?;
    Ok(ids.into_iter().collect())
}

/// Those of these appointments that ever had a timer of a kind.
pub async fn timed(tx: &mut TenantTx, kind: &str, appointments: &[Uuid]) -> Result<BTreeSet<Uuid>, StoreError> {
    let ids: Vec<Option<Uuid>> = timer::table
        .select(timer::appointment_id)
        .filter(timer::kind.eq(kind).and(timer::appointment_id.eq_any(appointments)))
        .load(tx.conn())
        .await?;
    Ok(ids.into_iter().flatten().collect())
}

/// How many appointments of a filter are in each state.
pub async fn counts(tx: &mut TenantTx, filter: &Filter) -> Result<BTreeMap<String, i64>, StoreError> {
    let mut query = appointment::table
        .group_by(appointment::state)
        .select((appointment::state, count_star()))
        .filter(was_booked())
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
    let rows: Vec<(String, i64)> = query.load(tx.conn()).await?;
    Ok(rows.into_iter().collect())
}

/// A person, and where they are spoken with.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct Known {
    /// Who.
    pub person: Uuid,
    /// Their name.
    pub name: Option<String>,
    /// The conversation they wrote in last.
    pub conversation: Uuid,
}

/// Whoever has a telephone number and wrote to us.
pub async fn by_phone(tx: &mut TenantTx, person_key: &str) -> Result<Option<Known>, StoreError> {
    Ok(person_identity::table
        .inner_join(person::table.on(person_identity::person_id.eq(person::id)))
        .inner_join(conversation::table.on(conversation::person_id.eq(person::id)))
        .select((person::id, person::name, conversation::id))
        .filter(person_identity::kind.eq("phone").and(person_identity::value.eq(person_key)))
        .order(conversation::last_message_at.desc())
        .first(tx.conn())
        .await
        .optional()?)
}

/// Whoever has this id and wrote to us.
pub async fn by_id(tx: &mut TenantTx, id: Uuid) -> Result<Option<Known>, StoreError> {
    Ok(person::table
        .inner_join(conversation::table.on(conversation::person_id.eq(person::id)))
        .select((person::id, person::name, conversation::id))
        .filter(person::id.eq(id))
        .order(conversation::last_message_at.desc())
        .first(tx.conn())
        .await
        .optional()?)
}

/// The kind of rows that stand for times that became free.
pub const FREED: &str = "freed";

/// Times that became free, are still to come, and that somebody who waits may be asked about; the next first.
pub async fn freed(tx: &mut TenantTx, now: DateTime<Utc>) -> Result<Vec<TimerRow>, StoreError> {
    Ok(timer::table
        .select(TimerRow::as_select())
        .filter(sql::<Bool>("timer.kind = 'freed' AND timer.state = 'skipped'").and(timer::due_at.gt(now)))
        .order((timer::due_at, timer::id))
        .load(tx.conn())
        .await?)
}

/// A person's name and telephone number, as far as they are known.
pub async fn who(tx: &mut TenantTx, id: Uuid) -> Result<(String, Option<String>), StoreError> {
    let name: Option<Option<String>> =
        person::table.select(person::name).filter(person::id.eq(id)).first(tx.conn()).await.optional()?;
    let phone = person_identity::table
        .select(person_identity::value)
        .filter(person_identity::person_id.eq(id).and(person_identity::kind.eq("phone")))
        .first(tx.conn())
        .await
        .optional()?;
    Ok((name.flatten().unwrap_or_default(), phone))
}
