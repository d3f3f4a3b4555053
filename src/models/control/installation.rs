//! Facts about this installation.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::models::schema::control::installation;
use crate::tenant::{AdminDb, ControlTx, StoreError};

const MASTER_KEY_ID: &str = "master_key_id";

/// The id of the master key that sealed the secrets, when one did.
pub async fn master_key_id(tx: &mut ControlTx) -> Result<Option<String>, StoreError> {
    Ok(installation::table
        .select(installation::value)
        .filter(installation::key.eq(MASTER_KEY_ID))
        .first(tx.conn())
        .await
        .optional()?)
}

/// The same, by the migrator.
pub async fn stored_master_key_id(admin: &mut AdminDb) -> Result<Option<String>, StoreError> {
    Ok(installation::table
        .select(installation::value)
        .filter(installation::key.eq(MASTER_KEY_ID))
        .first(admin.control().await?)
        .await
        .optional()?)
}

/// Stores the id unless one is stored; returns the stored one.
pub async fn adopt_master_key_id(admin: &mut AdminDb, id: &str) -> Result<String, StoreError> {
    let conn = admin.control().await?;
    diesel::insert_into(installation::table)
        .values((installation::key.eq(MASTER_KEY_ID), installation::value.eq(id)))
        .on_conflict_do_nothing()
        .execute(conn)
        .await?;
    Ok(installation::table.select(installation::value).filter(installation::key.eq(MASTER_KEY_ID)).first(conn).await?)
}
