//! A company's life under `secretaria provision`: created once, finished after any interruption, changed, rotated.

use std::collections::BTreeMap;
use std::future::Future;
use std::process::{Command, Output, Stdio};
use std::task::Poll;

use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;
use secretaria::clock::Clock;
use secretaria::config::Settings;
use secretaria::domain::audit::{ActorType, AuditEntry, link};
use secretaria::domain::company::{CompanyId, CompanyState, normalise_domain};
use secretaria::services::audit::Actor;
use secretaria::services::provisioning::{
    Change, CompanyName, NewCompany, Outcome, ProvisionError, Provisioner, Step, list, show,
};
use secretaria::tenant::{AdminDb, MasterKey};
use serde_json::Value;

use crate::harness::pg::{TestDatabase, database, empty_database};

fn key() -> MasterKey {
    MasterKey::from_hex(&"ab".repeat(32), "the test").unwrap()
}

fn provisioner<'a>(settings: &'a Settings, key: &'a MasterKey) -> Provisioner<'a> {
    Provisioner::new(settings, key, Clock::new(), Actor::operator("ana"))
}

fn clinic(domain: &str) -> NewCompany {
    NewCompany { name: "Clínica Sorriso".into(), domain: domain.into(), ..NewCompany::default() }
}

fn texts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn domains_are_normalised_and_nonsense_is_refused_with_a_sentence() {
    for (typed, domain) in
        [("Clinica.Example.COM.", "clinica.example.com"), ("a.example:8443", "a.example"), (" localhost ", "localhost")]
    {
        assert_eq!(normalise_domain(typed).unwrap(), domain);
    }
    let long = format!("{}.com", "a".repeat(64));
    for typed in ["", ".", "https://a.com", "a b.com", "-a.com", "a..com", "clínica.com", "a.com:x", "x@a.com", &long]
    {
        let why = normalise_domain(typed).unwrap_err();
        assert!(why.contains("host name"), "{typed:?}: {why}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_is_made_once_and_the_same_command_again_changes_nothing() {
    let (db, key) = (database().await, key());
    let settings = db.settings();
    let mut wanted = clinic("Clinica.example.com.");
    wanted.values = texts(&[("timezone", "America/Manaus")]);
    wanted.secrets = texts(&[("llm.api_key", "model-key-1234")]);
    let planned = provisioner(&settings, &key).create(wanted.clone(), true).await.unwrap();
    assert_eq!((planned.outcome, planned.company.is_none()), (Outcome::Planned, true));
    assert_eq!(db.sql("SELECT count(*) FROM control.company, control.installation").unwrap(), "0");

    let made = provisioner(&settings, &key).create(wanted.clone(), false).await.unwrap();
    let company = made.company.unwrap();
    assert_eq!((made.outcome, company.domain.as_str()), (Outcome::New, "clinica.example.com"));
    assert_eq!(company.state, CompanyState::Active);
    let webhook = made.webhook.unwrap();
    assert!(webhook.secret.expose_secret().starts_with("whsec_") && webhook.token.expose_secret().len() == 43);

    let again = provisioner(&settings, &key).create(wanted, false).await.unwrap();
    assert_eq!((again.outcome, again.differs.len(), again.company.unwrap().id), (Outcome::Unchanged, 0, company.id));
    assert_eq!(again.webhook.unwrap().secret.expose_secret(), webhook.secret.expose_secret());
    let mut other = clinic("clinica.example.com");
    other.values = texts(&[("timezone", "America/Recife")]);
    let other = provisioner(&settings, &key).create(NewCompany { name: "Outra".into(), ..other }, false).await.unwrap();
    assert_eq!(other.differs, ["name", "timezone"]);
    assert_eq!(
        db.sql("SELECT name, value FROM control.company, control.company_setting").unwrap(),
        "Clínica Sorriso|America/Manaus"
    );
    assert_eq!(db.sql("SELECT count(*) FROM control.audit_log WHERE action LIKE 'company.%'").unwrap(), "4");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_stored_of_a_company_that_cannot_be() {
    let (db, key) = (database().await, key());
    let settings = db.settings();
    let bad = [
        NewCompany { name: " ".into(), ..clinic("a.example") },
        clinic("no host"),
        NewCompany { values: texts(&[("timezone", "Mars/Olympus")]), ..clinic("a.example") },
        NewCompany { values: texts(&[("llm.api_key", "a-key-in-clear")]), ..clinic("a.example") },
        NewCompany { secrets: texts(&[("timezone", "America/Manaus")]), ..clinic("a.example") },
        NewCompany { values: texts(&[("burst.window_ms", "60000")]), ..clinic("a.example") },
    ];
    for wanted in bad {
        let error = provisioner(&settings, &key).create(wanted, false).await.unwrap_err();
        assert!(matches!(error, ProvisionError::Invalid(_)), "{error}");
        assert!(!error.to_string().contains("a-key-in-clear"));
    }
    assert_eq!(db.sql("SELECT count(*) FROM control.company").unwrap(), "0");
}

/// Makes the database refuse to note one step, which is where a crash would leave that step undone.
fn trap(db: &TestDatabase, step: Step) {
    db.sql(&format!(
        "CREATE FUNCTION control.trap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           IF NEW.step = '{step}' AND NEW.state = 'done' THEN RAISE EXCEPTION 'trapped'; END IF; RETURN NEW; END $$;
         CREATE TRIGGER trap BEFORE INSERT OR UPDATE ON control.provisioning_step FOR EACH ROW EXECUTE FUNCTION control.trap()"
    ))
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_fails_at_any_step_is_finished_by_the_next() {
    let (db, key) = (database().await, key());
    let settings = db.settings();
    for step in [Step::Schema, Step::Credentials, Step::Settings, Step::Activate] {
        let domain = format!("{step}.example");
        let wanted = NewCompany { values: texts(&[("facts.about", "Dentes")]), ..clinic(&domain) };
        trap(&db, step);
        let error = provisioner(&settings, &key).create(wanted.clone(), false).await.unwrap_err();
        let ProvisionError::Step { step: failed, company, .. } = error else { panic!("{error}") };
        assert_eq!(failed, step);
        let noted = format!(
            "SELECT state, detail ~ 'trapped' FROM control.provisioning_step WHERE step = '{step}' AND company_id = {company}"
        );
        assert_eq!(db.sql(&noted).unwrap(), "failed|t");
        let sealed = format!("SELECT key, sealed FROM control.company_secret WHERE company_id = {company} ORDER BY 1");
        let before = db.sql(&sealed).unwrap();
        db.sql("DROP FUNCTION control.trap CASCADE").unwrap();

        let finished = provisioner(&settings, &key).create(wanted, false).await.unwrap();
        assert_eq!((finished.outcome, finished.company.unwrap().id), (Outcome::Finished, company));
        assert!(!finished.webhook.unwrap().token.expose_secret().is_empty());
        assert!(before.is_empty() || db.sql(&sealed).unwrap() == before, "credentials of {step} were made anew");
        assert!(db.sql(&format!("{noted} AND state = 'failed'")).unwrap().is_empty());
        assert_whole(&db, company);
    }
}

fn assert_whole(db: &TestDatabase, id: CompanyId) {
    let state = db.sql(&format!("SELECT state FROM control.company WHERE id = {id}")).unwrap();
    let steps =
        db.sql(&format!("SELECT count(*) FROM control.provisioning_step WHERE state = 'done' AND company_id = {id}"));
    let secrets = db.sql(&format!("SELECT count(*) FROM control.company_secret WHERE company_id = {id}")).unwrap();
    assert_eq!((state.as_str(), steps.unwrap().as_str(), secrets.as_str()), ("active", "5", "2"));
    let become_it = format!("BEGIN; {};", secretaria::tenant::become_company(id));
    let used =
        db.sql_as_app(&format!("{become_it} SELECT count(*) FROM person; SELECT count(*) FROM audit_log")).unwrap();
    assert_eq!(used, "0\n0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_dropped_at_any_await_is_finished_by_the_next() {
    let (db, key) = (database().await, key());
    let settings = db.settings();
    let mut polls = 1;
    loop {
        let domain = format!("cut{polls}.example");
        let ended = {
            let mut provisioner = provisioner(&settings, &key);
            let mut run = Box::pin(provisioner.create(clinic(&domain), false));
            let mut left = polls;
            std::future::poll_fn(|context| {
                left -= 1;
                match run.as_mut().poll(context) {
                    Poll::Ready(result) => Poll::Ready(Some(result)),
                    Poll::Pending if left == 0 => Poll::Ready(None),
                    Poll::Pending => Poll::Pending,
                }
            })
            .await
        };
        let created = provisioner(&settings, &key).create(clinic(&domain), false).await.unwrap();
        assert_whole(&db, created.company.unwrap().id);
        if let Some(result) = ended {
            result.unwrap();
            break;
        }
        polls += 3;
    }
    assert!(polls > 20, "only {polls} awaits were cut");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runs_at_once_make_one_company() {
    let (db, key) = (database().await, key());
    let settings = db.settings();
    let (mut one, mut two) = (provisioner(&settings, &key), provisioner(&settings, &key));
    let (one, two) = tokio::join!(one.create(clinic("a.example"), false), two.create(clinic("a.example"), false));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.company.unwrap().id, two.company.unwrap().id);
    assert_eq!(one.webhook.unwrap().token.expose_secret(), two.webhook.unwrap().token.expose_secret());
    assert_eq!(db.sql("SELECT count(*) FROM control.company").unwrap(), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_master_key_is_refused_and_both_are_named() {
    let (db, key) = (database().await, key());
    let settings = db.settings();
    provisioner(&settings, &key).create(clinic("a.example"), false).await.unwrap();
    let other = MasterKey::from_hex(&"cd".repeat(32), "the test").unwrap();
    let mut stranger = provisioner(&settings, &other);
    let who = CompanyName::Domain("a.example".into());
    let errors = [
        stranger.create(clinic("b.example"), false).await.unwrap_err(),
        stranger.rotate(&who, true).await.unwrap_err(),
        stranger
            .set(&who, &Change { set: texts(&[("ai.enabled", "false")]), ..Change::default() }, false)
            .await
            .unwrap_err(),
    ];
    for error in errors {
        let text = error.to_string();
        assert!(text.contains(key.id()) && text.contains(other.id()), "{text}");
    }
    assert_eq!(db.sql("SELECT count(*) FROM control.company").unwrap(), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_change_all_or_none_and_the_trail_names_keys_only() {
    let (db, key) = (database().await, key());
    let settings = db.settings();
    let id = provisioner(&settings, &key).create(clinic("a.example"), false).await.unwrap().company.unwrap().id;
    let who = CompanyName::Number(id);
    let mut change = Change {
        set: texts(&[("facts.about", "Canário amarelo"), ("ai.enabled", "false")]),
        secrets: texts(&[("channel.token", "canary-token-77")]),
        unset: Vec::new(),
    };
    let mut ana = provisioner(&settings, &key);
    let would = ana.set(&who, &change, true).await.unwrap();
    assert_eq!(would.changed, ["ai.enabled", "channel.token", "facts.about"]);
    assert_eq!(db.sql("SELECT count(*) FROM control.company_setting").unwrap(), "0");
    assert_eq!(ana.set(&who, &change, false).await.unwrap().changed, would.changed);
    assert!(ana.set(&who, &change, false).await.unwrap().changed.is_empty(), "the same again is no change");

    let view = show(&mut AdminDb::connect(&settings.database).await.unwrap(), &who, &settings, &|_| Some("P".into()))
        .await
        .unwrap();
    let shown =
        |key: &str| view.settings.iter().find(|s| s.key == key).map(|s| (s.value.as_str(), s.origin.as_str())).unwrap();
    assert_eq!(shown("ai.enabled"), ("false", "company"));
    assert_eq!(shown("timezone"), ("America/Sao_Paulo", "default"));
    assert_eq!(shown("llm.model"), ("P", "process setting llm.model; with `openai` none: it must be set"));
    let set = |key: &str| view.secrets.iter().find(|s| s.key == key).unwrap().set;
    assert!(set("channel.token") && set("webhook.secret") && !set("llm.api_key"));
    assert!(!serde_json::to_string(&view).unwrap().contains("canary-token"));
    assert_eq!(view.redis_prefix, format!("company:{{{id}}}:"));

    change =
        Change { set: texts(&[("burst.window_ms", "59000"), ("timezone", "America/Recife")]), ..Change::default() };
    assert!(matches!(ana.set(&who, &change, false).await.unwrap_err(), ProvisionError::Invalid(_)));
    change =
        Change { unset: vec!["ai.enabled".into(), "channel.token".into(), "llm.model".into()], ..Change::default() };
    assert_eq!(ana.set(&who, &change, false).await.unwrap().changed, ["ai.enabled", "channel.token"]);
    change = Change { unset: vec!["webhook.secret".into()], ..Change::default() };
    assert!(ana.set(&who, &change, false).await.unwrap_err().to_string().contains("rotate"));
    assert_eq!(db.sql("SELECT key FROM control.company_setting").unwrap(), "facts.about");

    let trail = db.sql("SELECT actor, action, detail FROM control.audit_log ORDER BY seq").unwrap();
    assert!(trail.contains(r#"ana|company.set|{"keys": ["ai.enabled", "channel.token", "facts.about"]}"#), "{trail}");
    assert!(!trail.contains("anary") && !trail.contains("Canário"), "{trail}");
    assert_eq!(list(&mut AdminDb::connect(&settings.database).await.unwrap()).await.unwrap().len(), 1);
    let nobody = ana.set(&CompanyName::Domain("b.example".into()), &Change::default(), false).await.unwrap_err();
    assert!(matches!(nobody, ProvisionError::NotFound(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn rotation_keeps_the_previous_credentials_until_it_is_finished() {
    let (db, key) = (database().await, key());
    let settings = db.settings();
    let mut ana = provisioner(&settings, &key);
    let made = ana.create(clinic("a.example"), false).await.unwrap();
    let (id, old) = (made.company.unwrap().id, made.webhook.unwrap());
    let who = CompanyName::Number(id);
    assert!(ana.rotate(&who, true).await.unwrap().webhook.is_none());
    assert_eq!(ana.webhook_keys(id).await.unwrap().token.expose_secret(), old.token.expose_secret());
    let new = ana.rotate(&who, false).await.unwrap().webhook.unwrap();
    assert_ne!(new.secret.expose_secret(), old.secret.expose_secret());
    let sealed = |field: &str| {
        hex::decode(
            db.sql(&format!("SELECT encode(sealed, 'hex') FROM control.company_secret WHERE key = '{field}'")).unwrap(),
        )
        .unwrap()
    };
    assert_eq!(
        key.open(id, "webhook.secret_previous", &sealed("webhook.secret_previous")).unwrap(),
        old.secret.expose_secret()
    );
    assert_eq!(
        key.open(id, "webhook.token_previous", &sealed("webhook.token_previous")).unwrap(),
        old.token.expose_secret()
    );
    assert!(
        ana.rotate(&who, false).await.unwrap_err().to_string().contains("--finish"),
        "a third one would cut off the first"
    );
    assert_eq!(ana.finish_rotation(&who, false).await.unwrap().changed.len(), 2);
    assert!(ana.finish_rotation(&who, false).await.unwrap().changed.is_empty());
    assert_eq!(db.sql("SELECT count(*) FROM control.company_secret").unwrap(), "2");
    assert_eq!(ana.webhook_keys(id).await.unwrap().token.expose_secret(), new.token.expose_secret());
    assert_chain_holds(
        &db,
        id,
        &["company.create", "company.credentials", "company.activate", "company.rotate", "company.rotate_finish"],
    );
}

/// Recomputes every link of a company's chain.
fn assert_chain_holds(db: &TestDatabase, id: CompanyId, actions: &[&str]) {
    let rows = db
        .sql(&format!(
            "SELECT json_build_object('seq', seq, 'at', at, 'actor', actor, 'action', action, 'resource', resource,
               'correlation', correlation_id, 'detail', detail, 'prev', encode(prev_hash, 'hex'), 'hash', encode(hash, 'hex'))
             FROM control.audit_log WHERE company_id = {id} ORDER BY seq"
        ))
        .unwrap();
    let mut prev: Vec<u8> = Vec::new();
    let mut seen = Vec::new();
    for line in rows.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| row[key].as_str().unwrap().to_owned();
        let entry = AuditEntry {
            actor: text("actor"),
            actor_type: ActorType::Operator,
            action: text("action").leak(),
            resource: text("resource"),
            ip: None,
            correlation_id: text("correlation"),
            detail: row["detail"].clone(),
        };
        let at: DateTime<Utc> = text("at").parse().unwrap();
        assert_eq!(hex::decode(text("prev")).unwrap(), prev);
        prev = link(&prev, id, row["seq"].as_i64().unwrap(), at, &entry);
        assert_eq!(text("hash"), hex::encode(&prev), "{line}");
        let mut forged = entry.clone();
        forged.actor.push('x');
        assert_ne!(link(&[], id, 1, at, &forged), link(&[], id, 1, at, &entry));
        seen.push(text("action"));
    }
    assert_eq!(seen, actions);
}

/// Runs the real binary.
fn secretaria(db: &TestDatabase, args: &[&str], stdin: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_secretaria"))
        .args(args)
        .env_clear()
        .env("USER", "bia")
        .env("DATABASE_URL", &db.url)
        .env("REDIS_URL", "redis://127.0.0.1:1")
        .env("DATABASE_ADMIN_URL", &db.admin_url)
        .env("SECRETARIA_SECURITY__MASTER_KEY_FILE", db.dir.path().join("master.key"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    use std::io::Write;
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn ran(db: &TestDatabase, args: &[&str], stdin: &str) -> (i32, String, String) {
    let output = secretaria(db, args, stdin);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_from_an_empty_database_to_a_rotated_company() {
    let db = empty_database().await;
    let (code, _, said) = ran(&db, &["provision"], "");
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("secretaria migrate up"), "{said}");
    assert_eq!(ran(&db, &["migrate", "status"], "").0, 0);
    let (code, out, said) = ran(&db, &["migrate", "up"], "");
    assert_eq!((code, out.contains("control: applied")), (0, true), "{said}");
    assert!(said.contains("made the master key"), "{said}");
    let (code, out, said) = ran(&db, &["provision"], "");
    assert_eq!((code, out.as_str()), (0, ""));
    assert!(said.contains("no companies") && said.contains("--domain clinica.example.com"), "{said}");

    // Company roles belong to the whole server; this database did not come from the template.
    db.sql("ALTER TABLE control.company ALTER COLUMN id RESTART WITH 900000").unwrap();
    let create = ["provision", "--name", "Clínica", "--domain", "A.example", "--set-file", "llm.api_key=-", "--json"];
    let dry: Vec<&str> = create.iter().copied().chain(["--dry-run"]).collect();
    let (code, out, said) = ran(&db, &dry, "model-key-99");
    assert_eq!(code, 0, "{said}");
    assert_eq!(serde_json::from_str::<Value>(&out).unwrap()["outcome"], "planned");
    let (code, out, said) = ran(&db, &create, "model-key-99");
    assert_eq!(code, 0, "{said}");
    let made: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (&made["id"], &made["domain"], &made["worker"]),
        (&900_000.into(), &"a.example".into(), &"secretaria work --company 900000".into())
    );
    assert!(made["webhook_secret"].as_str().unwrap().starts_with("whsec_"));
    let again: Value = serde_json::from_str(&ran(&db, &create, "model-key-99").1).unwrap();
    assert_eq!((&again["outcome"], again.get("webhook_secret")), (&"unchanged".into(), None));
    let (_, out, _) = ran(&db, &["provision", "--name", "Clínica", "--domain", "a.example"], "");
    assert!(out.contains("already set (`secretaria provision rotate 900000` makes new ones)"), "{out}");

    // Redis is away: the change is made all the same, and says so.
    let (code, _, said) = ran(&db, &["provision", "set", "900000", "--set", "ai.enabled=false"], "");
    assert_eq!((code, said.contains("was not announced")), (0, true), "{said}");
    assert_eq!(ran(&db, &["provision", "set", "900000"], "").0, 2);
    assert_eq!(ran(&db, &["provision", "set", "900000", "--set", "ai.enable=false"], "").0, 2);
    assert_eq!(ran(&db, &["provision", "set", "77", "--set", "ai.enabled=false"], "").0, 1);
    assert_eq!(ran(&db, &["provision", "create", "--name", "B", "--domain", "b c"], "").0, 2);
    let (code, shown, _) = ran(&db, &["provision", "show", "a.example"], "");
    assert_eq!(code, 0);
    assert!(shown.contains("ai.enabled = false") && !shown.contains("model-key-99"), "{shown}");
    let listed = ran(&db, &["provision", "list"], "").1;
    assert!(listed.contains("900000  a.example  active"), "{listed}");
    let rotated = ran(&db, &["provision", "rotate", "900000", "--json"], "").1;
    let rotated: Value = serde_json::from_str(&rotated).unwrap();
    assert_ne!(rotated["webhook_secret"], made["webhook_secret"]);
    assert_eq!(ran(&db, &["provision", "rotate", "900000"], "").0, 2);
    assert_eq!(ran(&db, &["provision", "rotate", "900000", "--finish"], "").0, 0);
    assert_eq!(db.sql("SELECT DISTINCT actor FROM control.audit_log").unwrap(), "bia");
    // Without the key nothing new is made in its place.
    std::fs::remove_file(db.dir.path().join("master.key")).unwrap();
    let (code, _, said) = ran(&db, &["provision", "set", "900000", "--set", "ai.enabled=true"], "");
    assert_eq!((code, said.contains("there is no master key")), (3, true), "{said}");
    assert!(!db.dir.path().join("master.key").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn exit_codes_tell_an_absent_database_from_absent_configuration() {
    let mut db = empty_database().await;
    db.admin_url = "postgres://nobody@127.0.0.1:1/none".into();
    for args in [&["provision"][..], &["migrate", "up"], &["provision", "--name", "A", "--domain", "a.example"]] {
        assert_eq!(ran(&db, args, "").0, 4, "{args:?}");
    }
    db.admin_url = String::new();
    for args in [&["provision"][..], &["migrate", "plan"]] {
        let (code, _, said) = ran(&db, args, "");
        assert_eq!((code, said.contains("DATABASE_ADMIN_URL")), (3, true), "{said}");
    }
}
