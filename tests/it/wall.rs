//! The wall: what one company can never reach of another, tried from both sides of it.

use std::future::Future;
use std::sync::Arc;
use std::task::Poll;

use secretaria::clock::Clock;
use secretaria::config::Settings;
use secretaria::domain::company::CompanyId;
use secretaria::models::tenant::{audit_log, person};
use secretaria::services::Services;
use secretaria::services::audit::Actor;
use secretaria::services::provisioning::{NewCompany, Provisioner};
use secretaria::tenant::{MasterKey, Tenant, become_company, schema_of};
use uuid::Uuid;

use crate::harness::pg::{TestDatabase, database};

fn key() -> MasterKey {
    MasterKey::from_hex(&"ab".repeat(32), "the test").unwrap()
}

async fn two(settings: &Settings) -> (CompanyId, CompanyId) {
    let key = key();
    let mut provisioner = Provisioner::new(settings, &key, Clock::new(), Actor::operator("ana"));
    let mut ids = Vec::new();
    for domain in ["a.example", "b.example"] {
        let wanted = NewCompany { name: domain.into(), domain: domain.into(), ..NewCompany::default() };
        ids.push(provisioner.create(wanted, false).await.unwrap().company.unwrap().id);
    }
    (ids[0], ids[1])
}

/// Both companies as the application holds them, over a pool of one connection, so that leftovers would be met.
pub async fn tenants(db: &TestDatabase) -> (Services, Arc<Tenant>, Arc<Tenant>) {
    tenants_with(db, |settings| settings.database.pool_size = 1).await
}

/// Both companies as the application holds them under settings of one's own.
pub async fn tenants_with(db: &TestDatabase, set: impl FnOnce(&mut Settings)) -> (Services, Arc<Tenant>, Arc<Tenant>) {
    let mut settings = db.settings();
    let (a, b) = two(&settings).await;
    set(&mut settings);
    settings.redis.url = "redis://127.0.0.1:1".to_owned().into();
    let services = Services::new(Arc::new(settings), Arc::new(key()), Clock::new()).unwrap();
    services.directory.refresh().await.unwrap();
    let (a, b) = (services.directory.by_id(a).unwrap(), services.directory.by_id(b).unwrap());
    (services, a, b)
}

fn phone(value: &str) -> person::Identity {
    person::Identity { kind: "phone", value: value.to_owned() }
}

#[tokio::test(flavor = "multi_thread")]
async fn inside_a_companys_transaction_the_others_tables_do_not_open() {
    let db = database().await;
    let (a, b) = two(&db.settings()).await;
    let as_a = format!("BEGIN; {};", become_company(a));
    assert_eq!(db.sql_as_app(&format!("{as_a} SELECT count(*) FROM person")).unwrap(), "0");
    let tables = db.sql(&format!("SELECT tablename FROM pg_tables WHERE schemaname = '{}'", schema_of(b))).unwrap();
    assert!(tables.lines().count() > 6);
    let other = schema_of(b);
    for table in tables.lines() {
        for statement in [
            format!("SELECT * FROM {other}.{table}"),
            format!("DELETE FROM {other}.{table}"),
            format!("SET LOCAL search_path TO {other}; SELECT * FROM {table}"),
        ] {
            let error = db.sql_as_app(&format!("{as_a} {statement}")).unwrap_err();
            assert!(error.contains("permission denied") || error.contains("does not exist"), "{statement}: {error}");
        }
    }
    for statement in [
        "SELECT * FROM control.company",
        "SELECT * FROM control.company_secret",
        "CREATE TABLE mine (n int)",
        "DROP TABLE person",
        "TRUNCATE person",
        "SELECT * FROM __diesel_schema_migrations",
        "UPDATE audit_log SET actor = 'x'",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log",
    ] {
        let error = db.sql_as_app(&format!("{as_a} {statement}")).unwrap_err();
        assert!(error.contains("permission denied") || error.contains("must be owner"), "{statement}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn outside_of_a_companys_transaction_nothing_resolves() {
    let db = database().await;
    let (a, _) = two(&db.settings()).await;
    let schema = schema_of(a);
    for statement in [
        "SELECT * FROM person".to_owned(),
        format!("SELECT * FROM {schema}.person"),
        format!("INSERT INTO {schema}.audit_log DEFAULT VALUES"),
    ] {
        let error = db.sql_as_app(&statement).unwrap_err();
        assert!(error.contains("permission denied") || error.contains("does not exist"), "{statement}: {error}");
    }
    // `SET LOCAL` ends with its transaction.
    let after = format!("BEGIN; {}; COMMIT; SELECT * FROM person", become_company(a));
    assert!(db.sql_as_app(&after).unwrap_err().contains("does not exist"));
    assert_eq!(
        db.sql_as_app(&format!("BEGIN; {}; COMMIT; SELECT current_user", become_company(a))).unwrap(),
        "secretaria_app"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_application_reads_control_and_writes_only_its_trail() {
    let db = database().await;
    let (a, _) = two(&db.settings()).await;
    assert_eq!(db.sql_as_app("SELECT count(*) FROM control.company").unwrap(), "2");
    for statement in [
        "UPDATE control.company SET name = 'x'",
        "INSERT INTO control.company (name, domain, state, created_at, updated_at) VALUES ('x', 'x', 'active', now(), now())",
        "DELETE FROM control.company",
        "UPDATE control.company_setting SET value = 'x'",
        "DELETE FROM control.company_secret",
        "UPDATE control.audit_log SET actor = 'x'",
        "DELETE FROM control.audit_log",
        "TRUNCATE control.audit_log",
        "UPDATE control.installation SET value = 'x'",
        "CREATE TABLE control.mine (n int)",
        "CREATE SCHEMA mine",
        "CREATE ROLE mine",
    ] {
        assert!(db.sql_as_app(statement).unwrap_err().contains("permission denied"), "{statement}");
    }
    assert!(
        db.sql(&format!("SELECT count(*) FROM control.audit_log WHERE company_id = {a}"))
            .unwrap()
            .parse::<i64>()
            .unwrap()
            >= 3
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_two_companies_stay_apart() {
    let db = database().await;
    let (services, a, b) = tenants(&db).await;
    let now = services.clock.now();
    let mut ids = Vec::new();
    for tenant in [&a, &b] {
        let mut tx = tenant.db.begin().await.unwrap();
        let fresh = Uuid::now_v7();
        // The same number in both: two people.
        let id = person::find_or_create(&mut tx, &[phone("5511987654321")], fresh, now).await.unwrap();
        assert_eq!(id, fresh, "one company found the other's person");
        tx.commit().await.unwrap();
        ids.push(id);
    }
    let mut tx = a.db.begin().await.unwrap();
    let again = person::find_or_create(&mut tx, &[phone("5511987654321")], Uuid::now_v7(), now).await.unwrap();
    assert_eq!(again, ids[0]);
    tx.commit().await.unwrap();
    for (tenant, id) in [(&a, ids[0]), (&b, ids[1])] {
        assert_eq!(db.sql(&format!("SELECT id FROM {}.person", schema_of(tenant.id()))).unwrap(), id.to_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn role_and_search_path_end_with_the_transaction_however_it_ends() {
    let db = database().await;
    let (services, a, b) = tenants(&db).await;
    let own = |tenant: &Tenant| (schema_of(tenant.id()), schema_of(tenant.id()));
    let clean = ("secretaria_app".to_owned(), "control".to_owned());
    let control = async || {
        let mut tx = services.database.control().begin().await.unwrap();
        let identity = tx.identity().await.unwrap();
        tx.commit().await.unwrap();
        (identity.role, identity.search_path)
    };
    let inside = async |tenant: &Tenant| {
        let mut tx = tenant.db.begin().await.unwrap();
        let identity = tx.identity().await.unwrap();
        tx.rollback().await;
        (identity.role, identity.search_path)
    };
    // After a commit.
    let mut tx = a.db.begin().await.unwrap();
    tx.identity().await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(control().await, clean);
    assert_eq!(inside(&b).await, own(&b));
    // After an error inside, with and without an orderly end: the number of the chain's first entry is taken twice.
    for orderly in [true, false] {
        let mut tx = a.db.begin().await.unwrap();
        let long = format!("9{}", "\0");
        assert!(person::find_or_create(&mut tx, &[phone(&long)], Uuid::now_v7(), services.clock.now()).await.is_err());
        if orderly {
            tx.rollback().await;
        } else {
            drop(tx);
        }
        assert_eq!(control().await, clean);
        assert_eq!(inside(&b).await, own(&b));
    }
    // After a future that was cancelled at each of its awaits.
    for polls in 1..40 {
        let work = async {
            let mut tx = a.db.begin().await.unwrap();
            let entry = Actor::operator("ana").entry("person.read", "person", serde_json::json!({}));
            audit_log::append(&mut tx, a.id(), &entry, services.clock.now()).await.unwrap();
            audit_log::count(&mut tx).await.unwrap();
            tx.commit().await.unwrap();
        };
        let (mut work, mut left) = (Box::pin(work), polls);
        let ended = std::future::poll_fn(|context| {
            left -= 1;
            match work.as_mut().poll(context) {
                Poll::Ready(()) => Poll::Ready(true),
                Poll::Pending => {
                    if left == 0 {
                        Poll::Ready(false)
                    } else {
                        Poll::Pending
                    }
                }
            }
        })
        .await;
        drop(work);
        assert_eq!(control().await, clean, "after {polls} polls");
        assert_eq!(inside(&b).await, own(&b), "after {polls} polls");
        if ended {
            assert!(polls > 3, "nothing was cut");
            return;
        }
    }
    panic!("the work never ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_rest_as_ciphertext_bound_to_company_and_field() {
    let db = database().await;
    let settings = db.settings();
    let key = key();
    let mut ana = Provisioner::new(&settings, &key, Clock::new(), Actor::operator("ana"));
    let secrets = [("llm.api_key".to_owned(), "canary-key-4711".to_owned())].into();
    let wanted = NewCompany { name: "A".into(), domain: "a.example".into(), secrets, ..NewCompany::default() };
    let a = ana.create(wanted, false).await.unwrap().company.unwrap().id;
    let (_, b) = (
        a,
        ana.create(NewCompany { name: "B".into(), domain: "b.example".into(), ..NewCompany::default() }, false)
            .await
            .unwrap()
            .company
            .unwrap()
            .id,
    );
    let hexed = db
        .sql(&format!(
            "SELECT encode(sealed, 'hex') FROM control.company_secret WHERE key = 'llm.api_key' AND company_id = {a}"
        ))
        .unwrap();
    let sealed = hex::decode(hexed).unwrap();
    assert!(!sealed.windows(6).any(|part| b"canary-key-4711".windows(6).any(|plain| plain == part)));
    assert_eq!(key.open(a, "llm.api_key", &sealed).unwrap(), "canary-key-4711");
    for (company, field) in [(b, "llm.api_key"), (a, "channel.token")] {
        let error = key.open(company, field, &sealed).unwrap_err().to_string();
        assert!(error.contains(field) && !error.contains("canary"), "{error}");
    }
    let mut bent = sealed.clone();
    *bent.last_mut().unwrap() ^= 1;
    assert!(key.open(a, "llm.api_key", &bent).is_err());
    // Moved in the database, it opens for nobody: the company keeps out of the directory, the other one is served.
    db.sql(&format!("UPDATE control.company_secret SET company_id = {b} WHERE key = 'llm.api_key'")).unwrap();
    let mut process = settings.clone();
    process.redis.url = "redis://127.0.0.1:1".to_owned().into();
    let services = Services::new(Arc::new(process), Arc::new(key), Clock::new()).unwrap();
    services.directory.refresh().await.unwrap();
    assert!(services.directory.by_id(b).is_none() && services.directory.by_id(a).is_some());
    let dumped = db.sql("SELECT string_agg(t::text, '') FROM (SELECT * FROM control.audit_log) t").unwrap();
    assert!(!dumped.contains("canary"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_has_at_most_twenty_tables() {
    let db = database().await;
    let (a, _) = two(&db.settings()).await;
    let tables = db.sql(&format!("SELECT count(*) FROM pg_tables WHERE schemaname = '{}'", schema_of(a))).unwrap();
    assert!((6..=20).contains(&tables.parse::<i64>().unwrap()), "{tables}");
}
