//! PostgreSQL behind the wall: transactions that begin by becoming the company.

use std::time::Duration;

use std::sync::Arc;

use deadpool::managed::{Object, Pool, PoolError};
use diesel_async::{AnsiTransactionManager, AsyncPgConnection, RunQueryDsl, TransactionManager};

use super::error::{Store, StoreError};
use super::group::Groups;
use super::session::Sessions;
use super::statement::GroupedWrite;
use crate::config::DatabaseSettings;
use crate::domain::company::CompanyId;

/// The pool of the application's login role. That role can read no company's table by itself.
#[derive(Clone)]
pub struct Database {
    pub(super) pool: Pool<Sessions>,
}

impl Database {
    /// A pool that connects when first used: a process starts while PostgreSQL is down.
    pub fn new(settings: &DatabaseSettings) -> Result<Self, StoreError> {
        let manager = Sessions::new(settings.url.clone(), settings.statement_timeout_ms);
        let timeout = Duration::from_millis(settings.acquire_timeout_ms);
        let pool = Pool::builder(manager)
            .max_size(settings.pool_size)
            .wait_timeout(Some(timeout))
            .create_timeout(Some(timeout))
            .runtime(deadpool::Runtime::Tokio1)
            .build()
            .map_err(|error| unavailable(&error))?;
        Ok(Self { pool })
    }

    /// The handle of one company.
    pub(crate) fn tenant(&self, company: CompanyId) -> TenantDb {
        TenantDb { database: self.clone(), company, groups: Arc::default() }
    }

    /// The handle of what belongs to no company.
    pub fn control(&self) -> ControlDb {
        ControlDb { database: self.clone() }
    }

    async fn begin(&self, head: &str) -> Result<Tx, StoreError> {
        let mut conn = self.pool.get().await.map_err(|error| pool_error(&error))?;
        let sql = format!("BEGIN; {head}");
        let begun = AnsiTransactionManager::begin_transaction_sql(&mut conn.conn, &sql).await;
        if let Err(error) = begun {
            // A connection that may be half inside a transaction never goes back to the pool.
            drop(Object::take(conn));
            return Err(error.into());
        }
        Ok(Tx { conn })
    }
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Database(…)")
    }
}

/// A transaction. Dropped without `commit`, its connection is closed and so rolled back.
struct Tx {
    conn: Object<Sessions>,
}

impl Tx {
    async fn commit(mut self) -> Result<(), StoreError> {
        AnsiTransactionManager::commit_transaction(&mut self.conn.conn).await.map_err(StoreError::from)
    }

    async fn rollback(mut self) {
        // A failed rollback leaves the connection marked broken; the pool then replaces it.
        let _ = AnsiTransactionManager::rollback_transaction(&mut self.conn.conn).await;
    }
}

/// What a transaction begins with to become a company, until it ends and no longer.
pub fn become_company(company: CompanyId) -> String {
    // Built from an integer, never from text: `SET` takes no parameters.
    let schema = schema_of(company);
    format!("SET LOCAL search_path TO {schema}; SET LOCAL ROLE {schema}")
}

/// The schema of a company, and the role that may use it.
pub fn schema_of(company: CompanyId) -> String {
    format!("tenant_{}", company.get())
}

/// Who PostgreSQL takes a transaction for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TxIdentity {
    /// The role whose rights count.
    pub role: String,
    /// Where names are looked up.
    pub search_path: String,
}

async fn identity(conn: &mut AsyncPgConnection) -> Result<TxIdentity, StoreError> {
    let (role, search_path) = diesel::select((
        diesel::dsl::sql::<diesel::sql_types::Text>("current_user::text"),
        diesel::dsl::sql::<diesel::sql_types::Text>("current_setting('search_path')"),
    ))
    .get_result(conn)
    .await?;
    Ok(TxIdentity { role, search_path })
}

/// A company's part of PostgreSQL.
#[derive(Clone)]
pub struct TenantDb {
    pub(super) database: Database,
    pub(super) company: CompanyId,
    groups: Arc<Groups>,
}

/// A transaction as one company: role and search path are that company's until it ends.
pub struct TenantTx(Tx);

impl TenantDb {
    /// Begins a transaction as this company, in one round trip.
    pub async fn begin(&self) -> Result<TenantTx, StoreError> {
        Ok(TenantTx(self.database.begin(&become_company(self.company)).await?))
    }

    /// Writes as this company, together with whatever other conversations of it write at the same moment. Returns how
    /// many rows of this conversation were touched.
    ///
    /// # Errors
    /// After an `Unavailable` error it is unknown whether the write happened.
    pub(crate) async fn write(&self, write: GroupedWrite) -> Result<usize, StoreError> {
        self.groups.write(self, write).await
    }

    pub(super) fn groups(&self) -> &Groups {
        &self.groups
    }
}

impl TenantTx {
    /// The connection, for `models`.
    pub(crate) fn conn(&mut self) -> &mut AsyncPgConnection {
        &mut self.0.conn.conn
    }

    /// Who PostgreSQL takes this transaction for.
    pub async fn identity(&mut self) -> Result<TxIdentity, StoreError> {
        identity(self.conn()).await
    }

    /// Commits. After an `Unavailable` error it is unknown whether the commit happened.
    pub async fn commit(self) -> Result<(), StoreError> {
        self.0.commit().await
    }

    /// Gives up what was done and returns the connection in good order.
    pub async fn rollback(self) {
        self.0.rollback().await;
    }
}

/// The control schema: companies, domains, settings. No table of a company can be reached from here.
#[derive(Clone)]
pub struct ControlDb {
    database: Database,
}

/// A transaction on the control schema.
pub struct ControlTx(Tx);

impl ControlDb {
    /// Begins a transaction on the control schema.
    pub async fn begin(&self) -> Result<ControlTx, StoreError> {
        Ok(ControlTx(self.database.begin("SET LOCAL search_path TO control").await?))
    }

    /// Asks PostgreSQL whether it answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.begin().await?.commit().await
    }
}

impl ControlTx {
    /// The connection, for `models`.
    pub(crate) fn conn(&mut self) -> &mut AsyncPgConnection {
        &mut self.0.conn.conn
    }

    /// Who PostgreSQL takes this transaction for.
    pub async fn identity(&mut self) -> Result<TxIdentity, StoreError> {
        identity(self.conn()).await
    }

    /// Commits. After an `Unavailable` error it is unknown whether the commit happened.
    pub async fn commit(self) -> Result<(), StoreError> {
        self.0.commit().await
    }

    /// Gives up what was done and returns the connection in good order.
    pub async fn rollback(self) {
        self.0.rollback().await;
    }
}

pub(super) fn unavailable(error: &dyn std::fmt::Display) -> StoreError {
    StoreError::Unavailable { store: Store::Postgres, detail: error.to_string() }
}

pub(super) fn pool_error(error: &PoolError<diesel::ConnectionError>) -> StoreError {
    unavailable(error)
}
