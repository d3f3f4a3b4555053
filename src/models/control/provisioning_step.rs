//! How far the provisioning of a company has come.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::domain::company::CompanyId;
use crate::models::schema::control::provisioning_step as table;
use crate::tenant::{AdminDb, StoreError};

/// One step.
#[derive(Clone, Debug, Queryable, serde::Serialize)]
pub struct StepRow {
    /// Its name.
    pub step: String,
    /// `done` or `failed`.
    pub state: String,
    /// Why it failed.
    pub detail: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// Notes a step's outcome.
pub async fn put(
    admin: &mut AdminDb,
    id: CompanyId,
    step: &str,
    (state, detail): (&str, &str),
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let values = (table::state.eq(state), table::detail.eq(detail), table::at.eq(now));
    diesel::insert_into(table::table)
        .values((table::company_id.eq(id.get()), table::step.eq(step), values))
        .on_conflict((table::company_id, table::step))
        .do_update()
        .set(values)
        .execute(admin.control().await?)
        .await?;
    Ok(())
}

/// A company's steps, oldest first.
pub async fn of(admin: &mut AdminDb, id: CompanyId) -> Result<Vec<StepRow>, StoreError> {
    Ok(table::table
        .select((table::step, table::state, table::detail, table::at))
        .filter(table::company_id.eq(id.get()))
        .order(table::at)
        .load(admin.control().await?)
        .await?)
}
