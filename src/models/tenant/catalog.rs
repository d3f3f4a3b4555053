//! Typed facts of a company: services, people, hours, addresses.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::domain::knowledge::facts::{Fact, FactKind};
use crate::models::schema::tenant::catalog;
use crate::tenant::{StoreError, TenantTx};

/// A fact as it is stored.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its id.
    pub id: Uuid,
    /// The fact.
    pub fact: Fact,
    /// What other parts of the program know of it.
    pub data: serde_json::Value,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = catalog)]
struct Row {
    id: Uuid,
    kind: String,
    name: String,
    text: String,
    price_cents: Option<i64>,
    price_from: bool,
    currency: String,
    duration_min: Option<i32>,
    capacity: i32,
    active: bool,
    data: serde_json::Value,
    updated_at: DateTime<Utc>,
}

impl From<Row> for Item {
    fn from(row: Row) -> Self {
        let fact = Fact {
            // A kind of a later version is still a fact.
            kind: FactKind::parse(&row.kind).unwrap_or(FactKind::Other),
            name: row.name,
            text: row.text,
            price_cents: row.price_cents,
            price_from: row.price_from,
            currency: row.currency,
            duration_min: row.duration_min,
            capacity: row.capacity,
            active: row.active,
        };
        Self { id: row.id, fact, data: row.data, updated_at: row.updated_at }
    }
}

/// All facts, offered or not, by kind and name.
pub async fn all(tx: &mut TenantTx) -> Result<Vec<Item>, StoreError> {
    let rows: Vec<Row> = catalog::table.select(Row::as_select()).order(catalog::name).load(tx.conn()).await?;
    let mut items: Vec<Item> = rows.into_iter().map(Item::from).collect();
    items.sort_by_key(|item| item.fact.kind);
    Ok(items)
}

/// One fact.
pub async fn find(tx: &mut TenantTx, id: Uuid) -> Result<Option<Item>, StoreError> {
    let row: Option<Row> =
        catalog::table.select(Row::as_select()).filter(catalog::id.eq(id)).first(tx.conn()).await.optional()?;
    Ok(row.map(Item::from))
}

/// Adds a fact, or replaces the one with this id; `data` stays. A `Conflict` says that another one has this kind and name.
pub async fn put(tx: &mut TenantTx, id: Uuid, fact: &Fact, now: DateTime<Utc>) -> Result<(), StoreError> {
    let values = (
        catalog::kind.eq(fact.kind.as_str()),
        catalog::name.eq(&fact.name),
        catalog::text.eq(&fact.text),
        catalog::price_cents.eq(fact.price_cents),
        catalog::price_from.eq(fact.price_from),
        catalog::currency.eq(&fact.currency),
        catalog::duration_min.eq(fact.duration_min),
        catalog::capacity.eq(fact.capacity),
        catalog::active.eq(fact.active),
        catalog::updated_at.eq(now),
    );
    let data = serde_json::Value::Object(serde_json::Map::new());
    diesel::insert_into(catalog::table)
        .values((catalog::id.eq(id), catalog::data.eq(data), catalog::created_at.eq(now), values))
        .on_conflict(catalog::id)
        .do_update()
        .set(values)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Keeps what other parts of the program know of a fact; `false` when there is no such fact.
pub async fn set_data(
    tx: &mut TenantTx,
    id: Uuid,
    data: &serde_json::Value,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let changed = diesel::update(catalog::table.filter(catalog::id.eq(id)))
        .set((catalog::data.eq(data), catalog::updated_at.eq(now)))
        .execute(tx.conn())
        .await?;
    Ok(changed == 1)
}

/// Removes facts. Returns how many there were.
pub async fn remove(tx: &mut TenantTx, ids: &[Uuid]) -> Result<usize, StoreError> {
    Ok(diesel::delete(catalog::table.filter(catalog::id.eq_any(ids))).execute(tx.conn()).await?)
}
