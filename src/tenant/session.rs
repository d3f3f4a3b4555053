//! A connection to PostgreSQL, as the pool keeps it.

use std::collections::HashSet;

use deadpool::managed::{Manager, Metrics, RecycleError, RecycleResult};
use diesel_async::{AnsiTransactionManager, AsyncPgConnection, SimpleAsyncConnection, TransactionManager};
use futures::FutureExt;
use futures::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};

use crate::domain::company::CompanyId;
use crate::telemetry::logging::error_chain;

/// Most statements of companies that one connection keeps prepared. PostgreSQL holds 130 KiB (T2) to 400 KiB (T1) for each,
/// as `pg_log_backend_memory_contexts` tells, so this is some 40 MiB a connection; three statements are one busy company.
const PREPARED_MAX: usize = 128;

/// Makes connections and looks at them before they are used again.
pub(super) struct Sessions {
    url: SecretString,
    statement_timeout_ms: u64,
}

/// One connection and the statements of companies it has prepared.
pub(super) struct Session {
    pub(super) conn: AsyncPgConnection,
    prepared: HashSet<(CompanyId, &'static str)>,
}

impl Session {
    /// Whether it has run this text for this company before.
    pub(super) fn knows(&self, company: CompanyId, sql: &'static str) -> bool {
        self.prepared.contains(&(company, sql))
    }

    /// Notes that it has.
    pub(super) fn learned(&mut self, company: CompanyId, sql: &'static str) {
        self.prepared.insert((company, sql));
    }
}

impl Sessions {
    pub(super) fn new(url: SecretString, statement_timeout_ms: u64) -> Self {
        Self { url, statement_timeout_ms }
    }
}

impl Manager for Sessions {
    type Type = Session;
    type Error = diesel::ConnectionError;

    async fn create(&self) -> Result<Session, diesel::ConnectionError> {
        let mut conn = connect(self.url.expose_secret()).await?;
        // Plans made for all values at once: the texts are constant and looked up by key, so a plan for one is one for all.
        // A machine that vanishes says no goodbye: the transaction it was in would hold its locks until TCP gives up.
        let ms = self.statement_timeout_ms;
        let settings = format!(
            "SET statement_timeout = {ms}; SET idle_in_transaction_session_timeout = {ms}; \
             SET plan_cache_mode = force_generic_plan"
        );
        conn.batch_execute(&settings).await.map_err(|e| diesel::ConnectionError::BadConnection(e.to_string()))?;
        Ok(Session { conn, prepared: HashSet::new() })
    }

    async fn recycle(&self, session: &mut Session, _: &Metrics) -> RecycleResult<diesel::ConnectionError> {
        if AnsiTransactionManager::is_broken_transaction_manager(&mut session.conn) {
            return Err(RecycleError::message("broken"));
        }
        if session.prepared.len() > PREPARED_MAX {
            return Err(RecycleError::message("holds too many plans"));
        }
        Ok(())
    }
}

/// Connects, with TLS when the URL asks for it (`sslmode=require`; certificates are checked against Mozilla's roots).
pub(super) fn connect(url: &str) -> BoxFuture<'_, diesel::ConnectionResult<AsyncPgConnection>> {
    async move {
        let bad = |error: tokio_postgres::Error| diesel::ConnectionError::BadConnection(error_chain(&error));
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
