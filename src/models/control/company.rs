//! Companies with their settings and sealed secrets.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::domain::company::{Company, CompanyId, CompanyState};
use crate::models::schema::control::{company, company_secret, company_setting};
use crate::tenant::{AdminDb, ControlTx, StoreError};

/// A setting of a company as stored.
#[derive(Clone, Debug, Queryable)]
pub struct SettingRow {
    /// Whose.
    pub company_id: i64,
    /// The setting's key.
    pub key: String,
    /// Its value, as text.
    pub value: String,
}

/// A sealed secret of a company.
#[derive(Clone, Debug, Queryable)]
pub struct SecretRow {
    /// Whose.
    pub company_id: i64,
    /// The setting's key.
    pub key: String,
    /// Ciphertext.
    pub sealed: Vec<u8>,
}

type CompanyRow = (i64, String, String, String);

fn parse((id, name, domain, state): CompanyRow) -> Result<Company, StoreError> {
    let bad = || StoreError::pg_data(format!("company {id} has the unknown state {state:?}"));
    Ok(Company {
        id: CompanyId::new(id).ok_or_else(bad)?,
        state: CompanyState::parse(&state).ok_or_else(bad)?,
        name,
        domain,
    })
}

const COLUMNS: (company::id, company::name, company::domain, company::state) =
    (company::id, company::name, company::domain, company::state);

/// Everything the directory needs, in three statements.
pub async fn snapshot(tx: &mut ControlTx) -> Result<(Vec<Company>, Vec<SettingRow>, Vec<SecretRow>), StoreError> {
    let conn = tx.conn();
    let companies: Vec<CompanyRow> = company::table.select(COLUMNS).order(company::id).load(conn).await?;
    let settings = company_setting::table
        .select((company_setting::company_id, company_setting::key, company_setting::value))
        .load(conn)
        .await?;
    let secrets = company_secret::table
        .select((company_secret::company_id, company_secret::key, company_secret::sealed))
        .load(conn)
        .await?;
    let companies = companies.into_iter().map(parse).collect::<Result<_, _>>()?;
    Ok((companies, settings, secrets))
}

/// All companies, by number.
pub async fn all(admin: &mut AdminDb) -> Result<Vec<Company>, StoreError> {
    let rows: Vec<CompanyRow> = company::table.select(COLUMNS).order(company::id).load(admin.control().await?).await?;
    rows.into_iter().map(parse).collect()
}

/// The company of a domain.
pub async fn by_domain(conn: &mut AsyncPgConnection, domain: &str) -> Result<Option<Company>, StoreError> {
    let row: Option<CompanyRow> =
        company::table.select(COLUMNS).filter(company::domain.eq(domain)).first(conn).await.optional()?;
    row.map(parse).transpose()
}

/// The company of a domain, by the migrator.
pub async fn find(admin: &mut AdminDb, domain: &str) -> Result<Option<Company>, StoreError> {
    by_domain(admin.control().await?, domain).await
}

/// The company of this number, by the migrator.
pub async fn find_by_id(admin: &mut AdminDb, id: CompanyId) -> Result<Option<Company>, StoreError> {
    let conn = admin.control().await?;
    let row: Option<CompanyRow> =
        company::table.select(COLUMNS).filter(company::id.eq(id.get())).first(conn).await.optional()?;
    row.map(parse).transpose()
}

/// Locks a company's row until the migrator's transaction ends: one change of its settings at a time.
pub async fn lock(admin: &mut AdminDb, id: CompanyId) -> Result<(), StoreError> {
    let row = company::table.select(company::id).filter(company::id.eq(id.get())).for_update();
    row.first::<i64>(admin.conn()).await?;
    Ok(())
}

/// Inserts a company in state `provisioning`, inside the migrator's transaction.
pub async fn insert(
    admin: &mut AdminDb,
    name: &str,
    domain: &str,
    now: DateTime<Utc>,
) -> Result<CompanyId, StoreError> {
    let id: i64 = diesel::insert_into(company::table)
        .values((
            company::name.eq(name),
            company::domain.eq(domain),
            company::state.eq(CompanyState::Provisioning.as_str()),
            company::created_at.eq(now),
            company::updated_at.eq(now),
        ))
        .returning(company::id)
        .get_result(admin.conn())
        .await?;
    CompanyId::new(id).ok_or_else(|| StoreError::pg_data("the company sequence gave a number that is not positive"))
}

/// Changes a company's name or state.
pub async fn update(
    admin: &mut AdminDb,
    id: CompanyId,
    name: Option<&str>,
    state: Option<CompanyState>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let row = company::table.filter(company::id.eq(id.get()));
    if let Some(name) = name {
        diesel::update(row).set((company::name.eq(name), company::updated_at.eq(now))).execute(admin.conn()).await?;
    }
    if let Some(state) = state {
        diesel::update(row)
            .set((company::state.eq(state.as_str()), company::updated_at.eq(now)))
            .execute(admin.conn())
            .await?;
    }
    Ok(())
}

/// Writes a plain setting.
pub async fn put_setting(
    admin: &mut AdminDb,
    id: CompanyId,
    key: &str,
    value: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    diesel::insert_into(company_setting::table)
        .values((
            company_setting::company_id.eq(id.get()),
            company_setting::key.eq(key),
            company_setting::value.eq(value),
            company_setting::updated_at.eq(now),
        ))
        .on_conflict((company_setting::company_id, company_setting::key))
        .do_update()
        .set((company_setting::value.eq(value), company_setting::updated_at.eq(now)))
        .execute(admin.conn())
        .await?;
    Ok(())
}

/// Writes a sealed secret.
pub async fn put_secret(
    admin: &mut AdminDb,
    id: CompanyId,
    key: &str,
    (sealed, master_key_id): (&[u8], &str),
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    diesel::insert_into(company_secret::table)
        .values((
            company_secret::company_id.eq(id.get()),
            company_secret::key.eq(key),
            company_secret::sealed.eq(sealed),
            company_secret::master_key_id.eq(master_key_id),
            company_secret::updated_at.eq(now),
        ))
        .on_conflict((company_secret::company_id, company_secret::key))
        .do_update()
        .set((
            company_secret::sealed.eq(sealed),
            company_secret::master_key_id.eq(master_key_id),
            company_secret::updated_at.eq(now),
        ))
        .execute(admin.conn())
        .await?;
    Ok(())
}

/// Removes a setting or secret, so that its default holds again.
pub async fn unset(admin: &mut AdminDb, id: CompanyId, key: &str) -> Result<(), StoreError> {
    let conn = admin.conn();
    diesel::delete(
        company_setting::table.filter(company_setting::company_id.eq(id.get()).and(company_setting::key.eq(key))),
    )
    .execute(conn)
    .await?;
    diesel::delete(
        company_secret::table.filter(company_secret::company_id.eq(id.get()).and(company_secret::key.eq(key))),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A company's stored settings and secrets.
pub async fn stored(admin: &mut AdminDb, id: CompanyId) -> Result<(Vec<SettingRow>, Vec<SecretRow>), StoreError> {
    let conn = admin.control().await?;
    let settings = company_setting::table
        .select((company_setting::company_id, company_setting::key, company_setting::value))
        .filter(company_setting::company_id.eq(id.get()))
        .order(company_setting::key)
        .load(conn)
        .await?;
    let secrets = company_secret::table
        .select((company_secret::company_id, company_secret::key, company_secret::sealed))
        .filter(company_secret::company_id.eq(id.get()))
        .order(company_secret::key)
        .load(conn)
        .await?;
    Ok((settings, secrets))
}
