//! PostgreSQL behind the wall: transactions that begin by becoming the company.

use std::time::Duration;

use diesel_async::pooled_connection::deadpool::{Object, Pool, PoolError};
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use diesel_async::{AnsiTransactionManager, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection, TransactionManager};
use futures::FutureExt;
use futures::future::BoxFuture;
use secrecy::ExposeSecret;

use super::error::{Store, StoreError};
use super::statement::Statement;
use crate::config::DatabaseSettings;
use crate::domain::company::CompanyId;

/// The pool of the application's login role. That role can read no company's table by itself.
#[derive(Clone)]
pub struct Database {
    pool: Pool<AsyncPgConnection>,
    statement_timeout_ms: u64,
}

impl Database {
    /// A pool that connects when first used: a process starts while PostgreSQL is down.
    pub fn new(settings: &DatabaseSettings) -> Result<Self, StoreError> {
        let mut config = ManagerConfig::default();
        config.recycling_method = RecyclingMethod::Fast;
        config.custom_setup = Box::new(connect);
        let manager = AsyncDieselConnectionManager::new_with_config(settings.url.expose_secret(), config);
        let timeout = Duration::from_millis(settings.acquire_timeout_ms);
        let pool = Pool::builder(manager)
            .max_size(settings.pool_size)
            .wait_timeout(Some(timeout))
            .create_timeout(Some(timeout))
            .runtime(deadpool_redis::Runtime::Tokio1)
            .build()
            .map_err(|error| unavailable(&error))?;
        Ok(Self { pool, statement_timeout_ms: settings.statement_timeout_ms })
    }

    /// The handle of one company.
    pub(crate) fn tenant(&self, company: CompanyId) -> TenantDb {
        TenantDb { database: self.clone(), company }
    }

    /// The handle of what belongs to no company.
    pub fn control(&self) -> ControlDb {
        ControlDb { database: self.clone() }
    }

    async fn begin(&self, head: &str) -> Result<Tx, StoreError> {
        let mut conn = self.pool.get().await.map_err(|error| pool_error(&error))?;
        let sql = format!("BEGIN; SET LOCAL statement_timeout = {}; {head}", self.statement_timeout_ms);
        let begun = AnsiTransactionManager::begin_transaction_sql(&mut *conn, &sql).await;
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
    conn: Object<AsyncPgConnection>,
}

impl Tx {
    async fn commit(mut self) -> Result<(), StoreError> {
        AnsiTransactionManager::commit_transaction(&mut *self.conn).await.map_err(StoreError::from)
    }

    async fn rollback(mut self) {
        // A failed rollback leaves the connection marked broken; the pool then replaces it.
        let _ = AnsiTransactionManager::rollback_transaction(&mut *self.conn).await;
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
    database: Database,
    company: CompanyId,
}

/// A transaction as one company: role and search path are that company's until it ends.
pub struct TenantTx(Tx);

impl TenantDb {
    /// Begins a transaction as this company, in one round trip.
    pub async fn begin(&self) -> Result<TenantTx, StoreError> {
        Ok(TenantTx(self.database.begin(&become_company(self.company)).await?))
    }

    /// Runs one statement as this company in a transaction of its own: BEGIN and the statement travel together, COMMIT
    /// follows the statement's success. Returns the rows it touched. Should BEGIN fail, the statement meets a role that
    /// can see no table.
    pub(crate) async fn write(&self, statement: Statement) -> Result<usize, StoreError> {
        let database = &self.database;
        let conn = OneShot(Some(database.pool.get().await.map_err(|error| pool_error(&error))?));
        let head = format!(
            "BEGIN; SET LOCAL statement_timeout = {}; {}",
            database.statement_timeout_ms,
            become_company(self.company)
        );
        let touched = {
            let shared = conn.shared()?;
            let (mut first, mut second) = (shared, shared);
            // Polled in this order, so they are written in this order.
            let (begun, done) = futures::join!(first.batch_execute(&head), statement.execute(&mut second));
            begun?;
            let touched = done?;
            first.batch_execute("COMMIT").await?;
            touched
        };
        conn.give_back();
        Ok(touched)
    }
}

/// A connection in the middle of a hand-made transaction. Dropped before its end (an error, a cancelled future) it is
/// closed: what it was in the middle of must not meet the next user of the pool.
struct OneShot(Option<Object<AsyncPgConnection>>);

impl OneShot {
    fn shared(&self) -> Result<&AsyncPgConnection, StoreError> {
        self.0.as_deref().ok_or_else(|| unavailable(&"the connection is gone"))
    }

    fn give_back(mut self) {
        drop(self.0.take());
    }
}

impl Drop for OneShot {
    fn drop(&mut self) {
        if let Some(conn) = self.0.take() {
            drop(Object::take(conn));
        }
    }
}

impl TenantTx {
    /// The connection, for `models`.
    pub(crate) fn conn(&mut self) -> &mut AsyncPgConnection {
        &mut self.0.conn
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
        &mut self.0.conn
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

fn unavailable(error: &dyn std::fmt::Display) -> StoreError {
    StoreError::Unavailable { store: Store::Postgres, detail: error.to_string() }
}

fn pool_error(error: &PoolError) -> StoreError {
    unavailable(error)
}

/// Connects, with TLS when the URL asks for it (`sslmode=require`; certificates are checked against Mozilla's roots).
pub(super) fn connect(url: &str) -> BoxFuture<'_, diesel::ConnectionResult<AsyncPgConnection>> {
    async move {
        let bad = |error: tokio_postgres::Error| diesel::ConnectionError::BadConnection(error_text(&error));
        let config: tokio_postgres::Config = url.parse().map_err(bad)?;
        if config.get_ssl_mode() == tokio_postgres::config::SslMode::Require {
            let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
            let tls = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
            let connector = tokio_postgres_rustls::MakeRustlsConnect::new(tls);
            let (client, connection) = config.connect(connector).await.map_err(bad)?;
            AsyncPgConnection::try_from_client_and_connection(client, connection).await
        } else {
            let (client, connection) = config.connect(tokio_postgres::NoTls).await.map_err(bad)?;
            AsyncPgConnection::try_from_client_and_connection(client, connection).await
        }
    }
    .boxed()
}

fn error_text(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
