//! The knowledge base: entries with a title, a text and a time in which they are true.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::embedded;
use crate::domain::embedding::{Embedding, Space};
use crate::domain::knowledge::{Draft, Validity};
use crate::models::schema::tenant::{catalog, knowledge};
use crate::tenant::{StoreError, TenantTx};

/// An entry as it is stored.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its id.
    pub id: Uuid,
    /// Title, text and when it is true.
    pub draft: Draft,
    /// Where it came from: a file's name, or who wrote it.
    pub source: String,
    /// A provider's numbers of it.
    pub embedding: Option<Embedding>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = knowledge)]
struct Row {
    id: Uuid,
    title: String,
    body: String,
    source: String,
    valid_from: Option<NaiveDate>,
    valid_to: Option<NaiveDate>,
    embedding: Option<Vec<f32>>,
    embed_provider: Option<String>,
    embed_model: Option<String>,
    embed_dim: Option<i32>,
    updated_at: DateTime<Utc>,
}

impl From<Row> for Entry {
    fn from(row: Row) -> Self {
        let validity = Validity { from: row.valid_from, to: row.valid_to };
        Self {
            id: row.id,
            draft: Draft { title: row.title, body: row.body, validity },
            source: row.source,
            embedding: embedded::read((row.embedding, row.embed_provider, row.embed_model, row.embed_dim)),
            updated_at: row.updated_at,
        }
    }
}

/// All entries, by title.
pub async fn all(tx: &mut TenantTx) -> Result<Vec<Entry>, StoreError> {
    let by_title = (knowledge::title, knowledge::valid_from);
    let rows: Vec<Row> = knowledge::table.select(Row::as_select()).order(by_title).load(tx.conn()).await?;
    Ok(rows.into_iter().map(Entry::from).collect())
}

/// One entry.
pub async fn find(tx: &mut TenantTx, id: Uuid) -> Result<Option<Entry>, StoreError> {
    let row: Option<Row> =
        knowledge::table.select(Row::as_select()).filter(knowledge::id.eq(id)).first(tx.conn()).await.optional()?;
    Ok(row.map(Entry::from))
}

/// Adds an entry, or replaces the one with this id. Numbers of the old text are dropped; `pending` says that a provider
/// is to be asked for new ones. A `Conflict` says that another entry has this title.
pub async fn put(
    tx: &mut TenantTx,
    id: Uuid,
    (draft, source): (&Draft, &str),
    pending: bool,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let numbers = embedded::columns(None);
    let values = (
        knowledge::title.eq(&draft.title),
        knowledge::body.eq(&draft.body),
        knowledge::source.eq(source),
        knowledge::valid_from.eq(draft.validity.from),
        knowledge::valid_to.eq(draft.validity.to),
        knowledge::embedding.eq(numbers.0),
        knowledge::embed_provider.eq(numbers.1),
        knowledge::embed_model.eq(numbers.2),
        knowledge::embed_dim.eq(numbers.3),
        knowledge::embed_pending.eq(pending),
        knowledge::updated_at.eq(now),
    );
    diesel::insert_into(knowledge::table)
        .values((knowledge::id.eq(id), knowledge::created_at.eq(now), values.clone()))
        .on_conflict(knowledge::id)
        .do_update()
        .set(values)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Removes entries. Returns how many there were.
pub async fn remove(tx: &mut TenantTx, ids: &[Uuid]) -> Result<usize, StoreError> {
    Ok(diesel::delete(knowledge::table.filter(knowledge::id.eq_any(ids))).execute(tx.conn()).await?)
}

/// Entries without numbers of this space, at most so many: id, title and text, when they were changed.
pub async fn without_numbers(
    tx: &mut TenantTx,
    space: &Space,
    limit: i64,
) -> Result<Vec<(Uuid, String, String, DateTime<Utc>)>, StoreError> {
    let dimension = i32::try_from(space.dimension).unwrap_or(i32::MAX);
    Ok(knowledge::table
        .select((knowledge::id, knowledge::title, knowledge::body, knowledge::updated_at))
        .filter(
            knowledge::embedding
                .is_null()
                .or(knowledge::embed_provider.is_distinct_from(&space.provider))
                .or(knowledge::embed_model.is_distinct_from(&space.model))
                .or(knowledge::embed_dim.is_distinct_from(dimension)),
        )
        .order(knowledge::id)
        .limit(limit)
        .load(tx.conn())
        .await?)
}

/// Keeps a provider's numbers of an entry unless it was changed meanwhile. Returns whether they were kept.
pub async fn set_numbers(
    tx: &mut TenantTx,
    (id, changed): (Uuid, DateTime<Utc>),
    embedding: &Embedding,
) -> Result<bool, StoreError> {
    let numbers = embedded::columns(Some(embedding));
    let row = knowledge::table.filter(knowledge::id.eq(id).and(knowledge::updated_at.eq(changed)));
    let kept = diesel::update(row)
        .set((
            knowledge::embedding.eq(numbers.0),
            knowledge::embed_provider.eq(numbers.1),
            knowledge::embed_model.eq(numbers.2),
            knowledge::embed_dim.eq(numbers.3),
            knowledge::embed_pending.eq(false),
        ))
        .execute(tx.conn())
        .await?;
    Ok(kept == 1)
}

/// Something that is another whenever an entry or a typed fact was added, changed or removed.
pub async fn version(tx: &mut TenantTx) -> Result<String, StoreError> {
    // Exclusive or takes the rows in any order; the count tells two equal changes from none.
    use diesel::dsl::sql;
    use diesel::sql_types::Text;
    let entries = sql::<Text>(
        "count(*) || ':' || coalesce(bit_xor(hashtextextended(concat(id, updated_at, embed_provider, embed_model), 0)), 0)",
    );
    let facts = sql::<Text>("count(*) || ':' || coalesce(bit_xor(hashtextextended(concat(id, updated_at), 0)), 0)");
    let entries: String = knowledge::table.select(entries).get_result(tx.conn()).await?;
    let facts: String = catalog::table.select(facts).get_result(tx.conn()).await?;
    Ok(format!("{entries}/{facts}"))
}
