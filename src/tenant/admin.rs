//! The migrator's hand: schemas, roles, migrations. Only `provision` and `migrate` hold it.

use diesel::migration::MigrationSource;
use diesel::pg::Pg;
use diesel_async::{AsyncConnection, AsyncMigrationHarness, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use secrecy::ExposeSecret;

use super::error::{Store, StoreError};
use crate::config::DatabaseSettings;
use crate::domain::company::CompanyId;

type Migrations = fn() -> EmbeddedMigrations;

fn control_migrations() -> EmbeddedMigrations {
    const EMBEDDED: EmbeddedMigrations = embed_migrations!("migrations/control");
    EMBEDDED
}

fn tenant_migrations() -> EmbeddedMigrations {
    const EMBEDDED: EmbeddedMigrations = embed_migrations!("migrations/tenant");
    EMBEDDED
}

/// First half of the advisory lock numbers: "SECR".
const LOCK_CLASS: i32 = 0x5345_4352;

/// What a migration run did to one schema.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct MigrationReport {
    /// `control` or `tenant_42`.
    pub schema: String,
    /// Versions that were applied by this run, or would be.
    pub pending: Vec<String>,
    /// Versions that were there before.
    pub applied: Vec<String>,
}

/// A connection of the migrator role. It owns the schemas; nothing that serves customers holds one.
pub struct AdminDb {
    conn: AsyncPgConnection,
    app_role: String,
}

impl AdminDb {
    /// Connects with `database.admin_url`.
    pub async fn connect(settings: &DatabaseSettings) -> Result<Self, StoreError> {
        let url = settings.admin_url.expose_secret();
        if url.is_empty() {
            return Err(StoreError::Unavailable {
                store: Store::Postgres,
                detail: "DATABASE_ADMIN_URL is not set: this command needs the migrator's login".to_owned(),
            });
        }
        let app: Result<tokio_postgres::Config, _> = settings.url.expose_secret().parse();
        let app_role = app.ok().and_then(|config| config.get_user().map(str::to_owned));
        let app_role = app_role.filter(|role| is_plain_name(role)).unwrap_or_else(|| "secretaria_app".to_owned());
        Ok(Self { conn: super::session::connect(url).await?, app_role })
    }

    /// Applies what is missing in the control schema and gives the application role its rights there.
    pub async fn migrate_control(self) -> Result<(Self, MigrationReport), StoreError> {
        let mut this = self.locked(0).await?;
        this.batch("CREATE SCHEMA IF NOT EXISTS control; SET search_path TO control").await?;
        // Companies' calendars keep two people out of one seat by it; one for all of them, in no company's schema.
        this.batch("CREATE EXTENSION IF NOT EXISTS btree_gist WITH SCHEMA control").await?;
        let (mut this, report) = this.run("control", control_migrations, true).await?;
        let app = this.app_role.clone();
        this.batch(&format!(
            "GRANT USAGE ON SCHEMA control TO {app};
             GRANT SELECT ON ALL TABLES IN SCHEMA control TO {app};
             GRANT INSERT ON control.audit_log TO {app};
             GRANT INSERT, UPDATE, DELETE ON control.periodic_run TO {app}"
        ))
        .await?;
        Ok((this.unlocked(0).await?, report))
    }

    /// Makes role and schema of a company if they are missing, applies its migrations, sets its rights.
    /// Every statement may be repeated: an interrupted run is finished by the next.
    pub async fn migrate_tenant(self, company: CompanyId) -> Result<(Self, MigrationReport), StoreError> {
        let mut this = self.locked(company.get()).await?;
        let name = format!("tenant_{}", company.get());
        let app = this.app_role.clone();
        this.batch(&format!(
            "DO $$ BEGIN
               IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') THEN
                 CREATE ROLE {name} NOLOGIN NOINHERIT;
               END IF;
               IF NOT pg_has_role('{app}', '{name}', 'MEMBER') THEN
                 GRANT {name} TO {app};
               END IF;
             END $$;
             CREATE SCHEMA IF NOT EXISTS {name};
             SET search_path TO {name}"
        ))
        .await?;
        let (mut this, report) = this.run(&name, tenant_migrations, true).await?;
        // Rights are set apart from the migrations, so a run may have ended between the two.
        this.batch(&format!(
            "DO $$ BEGIN
               IF EXISTS (SELECT FROM pg_tables WHERE schemaname = '{name}' AND tablename <> '__diesel_schema_migrations'
                          AND NOT has_table_privilege('{name}', format('%I.%I', schemaname, tablename), 'INSERT')) THEN
                 GRANT USAGE ON SCHEMA {name} TO {name};
                 GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {name} TO {name};
                 REVOKE ALL ON {name}.__diesel_schema_migrations FROM {name};
                 REVOKE UPDATE, DELETE ON {name}.audit_log FROM {name};
               END IF;
             END $$"
        ))
        .await?;
        Ok((this.unlocked(company.get()).await?, report))
    }

    /// What [`AdminDb::migrate_control`] and [`AdminDb::migrate_tenant`] would do; changes nothing.
    pub async fn plan(self, company: Option<CompanyId>) -> Result<(Self, MigrationReport), StoreError> {
        let mut this = self;
        let schema = company.map_or_else(|| "control".to_owned(), |id| format!("tenant_{}", id.get()));
        let source: Migrations = if company.is_some() { tenant_migrations } else { control_migrations };
        let count: i64 =
            diesel::dsl::sql::<diesel::sql_types::BigInt>("SELECT count(*) FROM pg_tables WHERE schemaname = ")
                .bind::<diesel::sql_types::Text, _>(schema.clone())
                .sql(" AND tablename = '__diesel_schema_migrations'")
                .get_result(&mut this.conn)
                .await?;
        if count == 0 {
            let pending = versions(source)?;
            return Ok((this, MigrationReport { schema, pending, applied: Vec::new() }));
        }
        this.batch(&format!("SET search_path TO {schema}")).await?;
        this.run(&schema, source, false).await
    }

    /// Takes back the newest migration of a schema. For tests of the down scripts.
    pub async fn revert_last(self, company: Option<CompanyId>) -> Result<Self, StoreError> {
        let mut this = self;
        let schema = company.map_or_else(|| "control".to_owned(), |id| format!("tenant_{}", id.get()));
        this.batch(&format!("SET search_path TO {schema}")).await?;
        let mut harness = AsyncMigrationHarness::new(this.conn);
        let source = if company.is_some() { tenant_migrations() } else { control_migrations() };
        let outcome = harness.revert_last_migration(source).map(|_| ()).map_err(|e| StoreError::pg_data(e.to_string()));
        this.conn = harness.into_inner();
        outcome.map(|()| this)
    }

    /// The connection, for `models` of the control schema.
    pub(crate) async fn control(&mut self) -> Result<&mut AsyncPgConnection, StoreError> {
        self.batch("SET search_path TO control").await?;
        Ok(&mut self.conn)
    }

    /// Begins a transaction on the control schema.
    pub async fn begin(&mut self) -> Result<(), StoreError> {
        self.batch("BEGIN; SET LOCAL search_path TO control").await
    }

    /// Ends it.
    pub async fn commit(&mut self) -> Result<(), StoreError> {
        self.batch("COMMIT").await
    }

    /// Gives it up.
    pub async fn rollback(&mut self) {
        // Nothing is left to do when this fails: the connection's end rolls back as well.
        let _ = self.batch("ROLLBACK").await;
    }

    /// The connection inside a transaction, for `models`.
    pub(crate) fn conn(&mut self) -> &mut AsyncPgConnection {
        &mut self.conn
    }

    async fn run(self, schema: &str, source: Migrations, apply: bool) -> Result<(Self, MigrationReport), StoreError> {
        let Self { conn, app_role } = self;
        let mut harness = AsyncMigrationHarness::new(conn);
        let outcome = migrate(&mut harness, source, apply);
        let this = Self { conn: harness.into_inner(), app_role };
        let (applied, pending) = outcome.map_err(|error| StoreError::pg_data(format!("{schema}: {error}")))?;
        Ok((this, MigrationReport { schema: schema.to_owned(), pending, applied }))
    }

    async fn locked(mut self, company: i64) -> Result<Self, StoreError> {
        let number = lock_number(company);
        self.batch(&format!("SELECT pg_advisory_lock({LOCK_CLASS}, {number})")).await?;
        Ok(self)
    }

    async fn unlocked(mut self, company: i64) -> Result<Self, StoreError> {
        let number = lock_number(company);
        self.batch(&format!("SELECT pg_advisory_unlock({LOCK_CLASS}, {number})")).await?;
        Ok(self)
    }

    async fn batch(&mut self, sql: &str) -> Result<(), StoreError> {
        self.conn.batch_execute(sql).await.map_err(StoreError::from)
    }

    /// Whether the connection still answers.
    pub async fn ping(&mut self) -> Result<(), StoreError> {
        self.conn.begin_test_transaction().await.map_err(StoreError::from)?;
        self.batch("ROLLBACK").await
    }
}

/// Advisory locks take two 32-bit numbers; company numbers beyond that share a lock, which only slows them.
fn lock_number(company: i64) -> i32 {
    i32::try_from(company % i64::from(i32::MAX)).unwrap_or(0)
}

fn is_plain_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn versions(source: Migrations) -> Result<Vec<String>, StoreError> {
    let migrations =
        MigrationSource::<Pg>::migrations(&source()).map_err(|error| StoreError::pg_data(error.to_string()))?;
    Ok(migrations.iter().map(|migration| migration.name().to_string()).collect())
}

type Versions = (Vec<String>, Vec<String>);

fn migrate(
    harness: &mut AsyncMigrationHarness<AsyncPgConnection>,
    source: Migrations,
    apply: bool,
) -> diesel::migration::Result<Versions> {
    let applied = harness.applied_migrations()?.iter().map(ToString::to_string).collect();
    let pending: Vec<String> = harness.pending_migrations(source())?.iter().map(|m| m.name().to_string()).collect();
    if apply {
        harness.run_pending_migrations(source())?;
    }
    Ok((applied, pending))
}
