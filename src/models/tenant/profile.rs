//! What was learnt of a person, and its numbers.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::embedded;
use crate::domain::embedding::{Embedding, Space};
use crate::domain::learning::Learned;
use crate::models::schema::tenant::person;
use crate::tenant::{StoreError, TenantTx};

/// A person's profile.
#[derive(Clone, Debug)]
pub struct Profile {
    /// What was learnt.
    pub learned: Learned,
    /// Its numbers.
    pub embedding: Option<Embedding>,
    /// When it was last added to.
    pub at: DateTime<Utc>,
}

/// A person's profile; `None` when nothing was learnt yet.
pub async fn find(tx: &mut TenantTx, person_id: Uuid) -> Result<Option<Profile>, StoreError> {
    type Row = (Option<serde_json::Value>, Option<DateTime<Utc>>, embedded::Columns);
    let row: Option<Row> = person::table
        .select((
            person::profile,
            person::profile_at,
            (person::embedding, person::embed_provider, person::embed_model, person::embed_dim),
        ))
        .filter(person::id.eq(person_id))
        .first(tx.conn())
        .await
        .optional()?;
    let Some((Some(learned), Some(at), numbers)) = row else { return Ok(None) };
    Ok(Some(Profile { learned: read(learned)?, embedding: embedded::read(numbers), at }))
}

/// A text of a person, and when they wrote it.
#[derive(QueryableByName)]
struct Written {
    #[diesel(sql_type = Text)]
    body: String,
    #[diesel(sql_type = Timestamptz)]
    at: DateTime<Utc>,
}

/// What a person wrote long ago, newest first: their own texts before `before`, at most 200. Each conversation is read from
/// its end, so that a long one costs no more than a short one.
pub async fn earlier(
    tx: &mut TenantTx,
    person_id: Uuid,
    before: DateTime<Utc>,
) -> Result<Vec<(String, DateTime<Utc>)>, StoreError> {
    let rows: Vec<Written> = diesel::sql_query(
        "SELECT said.body, said.at
         FROM conversation c CROSS JOIN LATERAL (
             SELECT m.body, m.at, m.seq FROM message m
             WHERE m.conversation_id = c.id AND m.author = 'customer' AND m.body <> '' AND m.at < $2
             ORDER BY m.seq DESC LIMIT 200) said
         WHERE c.person_id = $1 ORDER BY said.seq DESC LIMIT 200",
    )
    .bind::<SqlUuid, _>(person_id)
    .bind::<Timestamptz, _>(before)
    .load(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.body, row.at)).collect())
}

/// Reads what is stored.
pub(super) fn read(learned: serde_json::Value) -> Result<Learned, StoreError> {
    serde_json::from_value(learned).map_err(|error| StoreError::pg_data(format!("a person's profile: {error}")))
}

/// People whose numbers are not of this space or could not be asked for, after the one given, at most so many: id, what
/// was learnt, when.
pub async fn without_numbers(
    tx: &mut TenantTx,
    space: &Space,
    after: Uuid,
    limit: i64,
) -> Result<Vec<(Uuid, Learned, DateTime<Utc>)>, StoreError> {
    let dimension = i32::try_from(space.dimension).unwrap_or(i32::MAX);
    let rows: Vec<(Uuid, Option<serde_json::Value>, Option<DateTime<Utc>>)> = person::table
        .select((person::id, person::profile, person::profile_at))
        .filter(person::id.gt(after).and(person::profile.is_not_null()))
        .filter(
            // Of somebody who spoke of nothing there are no numbers, and none to be made.
            person::embed_pending.or(person::embed_provider.is_not_null().and(
                person::embed_provider
                    .is_distinct_from(&space.provider)
                    .or(person::embed_model.is_distinct_from(&space.model))
                    .or(person::embed_dim.is_distinct_from(dimension)),
            )),
        )
        .order(person::id)
        .limit(limit)
        .load(tx.conn())
        .await?;
    let whole = rows.into_iter().filter_map(|(id, learned, at)| Some((id, learned?, at?)));
    whole.map(|(id, learned, at)| Ok((id, read(learned)?, at))).collect()
}

/// Keeps numbers of a profile unless it was added to meanwhile; `pending` says that they are only a makeshift. Returns
/// whether they were kept.
pub async fn set_numbers(
    tx: &mut TenantTx,
    (id, learned_at): (Uuid, DateTime<Utc>),
    embedding: Option<&Embedding>,
    pending: bool,
) -> Result<bool, StoreError> {
    let numbers = embedded::columns(embedding);
    let kept = diesel::update(person::table.filter(person::id.eq(id).and(person::profile_at.eq(learned_at))))
        .set((
            person::embedding.eq(numbers.0),
            person::embed_provider.eq(numbers.1),
            person::embed_model.eq(numbers.2),
            person::embed_dim.eq(numbers.3),
            person::embed_pending.eq(pending),
        ))
        .execute(tx.conn())
        .await?;
    Ok(kept == 1)
}
