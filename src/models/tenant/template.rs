//! The company's own wordings.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::models::schema::tenant::template;
use crate::tenant::{StoreError, TenantTx};

/// A wording as stored.
#[derive(Clone, Debug, PartialEq, Eq, Insertable, Queryable, Selectable)]
#[diesel(table_name = template)]
pub struct TemplateRow {
    /// Its id.
    pub id: Uuid,
    /// What for: `reply`, or a ready text's name.
    pub key: String,
    /// For which intent; empty for any.
    pub intent: String,
    /// For which mood; empty for any.
    pub mood: String,
    /// The template.
    pub body: String,
    /// Whether it is used.
    pub active: bool,
    /// Grows with every change, from 1.
    pub version: i32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// All of them, by place.
pub async fn all(tx: &mut TenantTx) -> Result<Vec<TemplateRow>, StoreError> {
    Ok(template::table
        .select(TemplateRow::as_select())
        .order((template::key, template::intent, template::mood))
        .load(tx.conn())
        .await?)
}

/// One of them.
pub async fn find(tx: &mut TenantTx, id: Uuid) -> Result<Option<TemplateRow>, StoreError> {
    Ok(template::table.select(TemplateRow::as_select()).find(id).first(tx.conn()).await.optional()?)
}

/// Adds one. A `Conflict` says that the place has one already.
pub async fn insert(tx: &mut TenantTx, row: &TemplateRow) -> Result<(), StoreError> {
    diesel::insert_into(template::table).values(row).execute(tx.conn()).await?;
    Ok(())
}

/// Changes text and use of the version that was seen; `false`, and nothing changed, when there is a newer one or none.
pub async fn change(
    tx: &mut TenantTx,
    (id, version): (Uuid, i32),
    (body, active): (&str, bool),
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let seen = template::table.filter(template::id.eq(id).and(template::version.eq(version)));
    let changed = diesel::update(seen)
        .set((
            template::body.eq(body),
            template::active.eq(active),
            template::version.eq(template::version + 1),
            template::updated_at.eq(now),
        ))
        .execute(tx.conn())
        .await?;
    Ok(changed == 1)
}

/// Makes this the wording in use at its place, whether or not there is one; the row's id and version count only for a new
/// one.
pub async fn put(tx: &mut TenantTx, row: &TemplateRow) -> Result<(), StoreError> {
    diesel::insert_into(template::table)
        .values(row)
        .on_conflict((template::key, template::intent, template::mood))
        .do_update()
        .set((
            template::body.eq(&row.body),
            template::active.eq(true),
            template::version.eq(template::version + 1),
            template::updated_at.eq(row.updated_at),
        ))
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Takes one away; `false` when there was none.
pub async fn delete(tx: &mut TenantTx, id: Uuid) -> Result<bool, StoreError> {
    Ok(diesel::delete(template::table.filter(template::id.eq(id))).execute(tx.conn()).await? == 1)
}
