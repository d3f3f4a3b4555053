//! Migrations over control and every company: up, down, up again; one failure stops nobody else.

use secretaria::clock::Clock;
use secretaria::services::audit::Actor;
use secretaria::services::migration::{Mode, SchemaState, run};
use secretaria::services::provisioning::{NewCompany, Provisioner};
use secretaria::tenant::{AdminDb, MasterKey, StoreError};

use secretaria::config::Settings;
use secretaria::domain::company::CompanyId;

use crate::harness::pg::{TestDatabase, database, empty_database};

async fn company(settings: &Settings, domain: &str) -> CompanyId {
    let key = MasterKey::from_hex(&"ab".repeat(32), "the test").unwrap();
    let mut provisioner = Provisioner::new(settings, &key, Clock::new(), Actor::operator("ana"));
    let wanted = NewCompany { name: "A".into(), domain: domain.into(), ..NewCompany::default() };
    provisioner.create(wanted, false).await.unwrap().company.unwrap().id
}

async fn states(settings: &Settings, mode: Mode) -> Vec<SchemaState> {
    run(&settings.database, mode, &mut |_| {}).await.unwrap().into_iter().map(|report| report.state).collect()
}

fn shape(db: &TestDatabase) -> String {
    db.sql(
        "SELECT table_schema, table_name, column_name, data_type, is_nullable FROM information_schema.columns
         WHERE table_schema = 'control' OR table_schema LIKE 'tenant_%' ORDER BY 1, 2, 3;
         SELECT oid::regclass, relacl FROM pg_class
         WHERE relnamespace::regnamespace::text ~ '^(control|tenant_)' AND relkind = 'r' ORDER BY oid::regclass::text;
         SELECT indexdef FROM pg_indexes WHERE schemaname ~ '^(control|tenant_)' ORDER BY 1",
    )
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_database_can_be_looked_at_and_looking_changes_nothing() {
    let db = empty_database().await;
    let settings = db.settings();
    assert_eq!(states(&settings, Mode::Look).await, [SchemaState::Pending]);
    assert_eq!(db.sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'control'").unwrap(), "0");
    assert_eq!(states(&settings, Mode::Apply).await, [SchemaState::Migrated]);
    assert_eq!(states(&settings, Mode::Apply).await, [SchemaState::UpToDate]);
    assert_eq!(states(&settings, Mode::Look).await, [SchemaState::UpToDate]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_migration_can_be_taken_back_and_applied_again() {
    let db = database().await;
    let settings = db.settings();
    let id = company(&settings, "a.example").await;
    let before = shape(&db);
    for (schema, which) in [("control".to_owned(), None), (format!("tenant_{id}"), Some(id))] {
        let versions: usize =
            db.sql(&format!("SELECT count(*) FROM {schema}.__diesel_schema_migrations")).unwrap().parse().unwrap();
        let mut admin = AdminDb::connect(&settings.database).await.unwrap();
        for _ in 0..versions {
            admin = admin.revert_last(which).await.unwrap();
        }
        let left = db.sql(&format!(
            "SELECT relname FROM pg_class WHERE relnamespace = '{schema}'::regnamespace AND relkind = 'r'"
        ));
        assert_eq!(left.unwrap(), "__diesel_schema_migrations", "down scripts of {schema} leave something behind");
        match which {
            None => drop(admin.migrate_control().await.unwrap()),
            Some(id) => drop(admin.migrate_tenant(id).await.unwrap()),
        }
    }
    assert_eq!(shape(&db), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_failing_company_does_not_stop_the_others_and_the_next_run_finishes() {
    let db = database().await;
    let settings = db.settings();
    let (one, two) = (company(&settings, "a.example").await, company(&settings, "b.example").await);
    for id in [one, two] {
        revert_until_without_audit(&db, &settings, id).await;
    }
    assert_eq!(
        states(&settings, Mode::Look).await,
        [SchemaState::UpToDate, SchemaState::Pending, SchemaState::Pending]
    );
    // Something stands where the migration wants its table.
    db.sql(&format!("CREATE TABLE tenant_{one}.audit_log (n int)")).unwrap();
    assert_eq!(
        states(&settings, Mode::Apply).await,
        [SchemaState::UpToDate, SchemaState::Failed, SchemaState::Migrated]
    );
    assert_eq!(exit_code(&db, "up"), 5);
    db.sql(&format!("CREATE TABLE tenant_{two}.audit_log2 (n int); DROP TABLE tenant_{two}.audit_log2")).unwrap();
    revert_until_without_audit(&db, &settings, two).await;
    db.sql(&format!("CREATE TABLE tenant_{two}.audit_log (n int)")).unwrap();
    assert_eq!(exit_code(&db, "up"), 1, "nothing was done");
    for id in [one, two] {
        db.sql(&format!("DROP TABLE tenant_{id}.audit_log")).unwrap();
    }
    assert_eq!(exit_code(&db, "up"), 0);
    assert_eq!(states(&settings, Mode::Look).await, [SchemaState::UpToDate; 3]);
}

/// Takes back the migration that made `audit_log`, and all that came after it.
async fn revert_until_without_audit(db: &TestDatabase, settings: &Settings, id: CompanyId) {
    let mut admin = AdminDb::connect(&settings.database).await.unwrap();
    while db.sql(&format!("SELECT to_regclass('tenant_{id}.audit_log')")).unwrap() != "" {
        admin = admin.revert_last(Some(id)).await.unwrap();
    }
}

fn exit_code(db: &TestDatabase, what: &str) -> i32 {
    let status = std::process::Command::new(env!("CARGO_BIN_EXE_secretaria"))
        .args(["migrate", what, "--json"])
        .env_clear()
        .env("DATABASE_ADMIN_URL", &db.admin_url)
        .env("DATABASE_URL", &db.url)
        .output()
        .unwrap();
    for line in String::from_utf8(status.stdout).unwrap().lines() {
        let report: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(report["error"].is_string(), report["state"] == "failed");
    }
    status.status.code().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_are_given_even_when_the_run_ended_right_before() {
    let db = database().await;
    let settings = db.settings();
    let id = company(&settings, "a.example").await;
    db.sql(&format!("REVOKE ALL ON ALL TABLES IN SCHEMA tenant_{id} FROM tenant_{id}; REVOKE USAGE ON SCHEMA tenant_{id} FROM tenant_{id}")).unwrap();
    states(&settings, Mode::Apply).await;
    let rights =
        db.sql_as_app(&format!("BEGIN; {}; SELECT count(*) FROM message", secretaria::tenant::become_company(id)));
    assert_eq!(rights.unwrap(), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runs_at_once_wait_for_each_other() {
    let db = empty_database().await;
    let settings = db.settings();
    let (one, two) = tokio::join!(states(&settings, Mode::Apply), states(&settings, Mode::Apply));
    let mut both = [one[0], two[0]];
    both.sort_by_key(|state| *state == SchemaState::UpToDate);
    assert_eq!(both, [SchemaState::Migrated, SchemaState::UpToDate]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_migrators_login_nothing_is_tried() {
    let db = database().await;
    let mut settings = db.settings();
    settings.database.admin_url = String::new().into();
    assert!(matches!(AdminDb::connect(&settings.database).await.err().unwrap(), StoreError::Unavailable { .. }));
}
