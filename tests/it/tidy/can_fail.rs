//! Each law is shown a small breach and a small innocent: a rule that cannot fail protects nobody.

use std::collections::BTreeMap;

use super::{house, laws, source};

fn says(file: &str, code: &str) -> String {
    laws::check(file, code).iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn complains(file: &str, code: &str, about: &str) {
    let said = says(file, code);
    assert!(said.contains(about), "expected a complaint about {about:?} on {file}:\n{code}\ngot: {said:?}");
}

#[track_caller]
fn content(file: &str, code: &str) {
    assert_eq!(says(file, code), "", "{file}:\n{code}");
}

fn map(files: &[(&str, &str)]) -> BTreeMap<String, String> {
    files.iter().map(|(f, t)| ((*f).to_owned(), (*t).to_owned())).collect()
}

#[test]
fn layers() {
    complains("domain/agenda.rs", "use crate::services::llm;", "`domain` must not import `services`");
    complains("routes/webhooks.rs", "fn f() { crate::workers::runner::go() }", "neighbours do not know each other");
    complains(
        "workers/jobs/incoming.rs",
        "use crate::{clock::Clock, routes::ops};",
        "`workers` must not import `routes`",
    );
    complains(
        "queue/producer.rs",
        "use crate::{domain::{company::CompanyId, inbound}, clients::http};",
        "`queue` must not import `clients`",
    );
    complains("models/tenant/message.rs", "use crate::clients::WireError;", "a row knows no wire");
    complains("clients/llm/gemini.rs", "use crate::tenant::Tenant;", "`clients` must not import `tenant`");
    complains("tenant/mod.rs", "use super::services::directory;", "`tenant` must not import `services`");
    complains(
        "clients/llm/gemini.rs",
        "use super::super::super::tenant::Tenant;",
        "`clients` must not import `tenant`",
    );
    complains("services/llm.rs", "use crate::standins::gemini;", "only cli/ starts stand-ins");
    complains("standins/whaticket.rs", "type Q = crate::queue::Envelope;", "plays the outside world");
    content("main.rs", "use secretaria::{cli, telemetry};");
    complains("helpers/mod.rs", "pub fn x() {}", "is no layer");
    content(
        "services/attendance.rs",
        "use crate::{clients::llm, clock::Clock, models::tenant, queue::consumer, domain::text};",
    );
    content("clients/llm/gemini.rs", "use super::{Model, Reply};\nuse super::super::http;");
    content("telemetry/logging.rs", "use crate::config::LogSettings;");
    content("standins/mod.rs", "use crate::{clients::channel, clock::Clock};");
    content("cli/demo.rs", "use crate::{standins, routes, workers};");
    content(
        "domain/text.rs",
        "/// See [`crate::services::intake`].\n// crate::tenant::Key\nconst X: &str = \"crate::tenant::Key\";",
    );
    content(
        "domain/text.rs",
        "#[cfg(test)]\nmod tests {\n    use crate::clock::Clock;\n    fn f() { x.unwrap() }\n}\n",
    );
}

#[test]
fn fences() {
    complains("services/context.rs", "use diesel::prelude::*;", "crate fence: `diesel`");
    complains("services/context.rs", "fn f(e: diesel::result::Error) {}", "crate fence: `diesel`");
    complains("services/context.rs", "fn f(e: ::diesel::result::Error) {}", "crate fence: `diesel`");
    complains("routes/panel/mod.rs", "#[derive(diesel::Queryable)]\nstruct X;", "crate fence: `diesel`");
    complains("queue/claim.rs", "use deadpool_redis::redis::Script;", "only tenant/ speaks to Redis");
    complains("services/llm.rs", "let c = reqwest::Client::builder();", "wire calls live in clients/");
    complains("cli/work.rs", "use actix_web::App;", "crate fence: `actix_web`");
    complains("workers/runner.rs", "metrics::counter!(\"x\").increment(1);", "telemetry/metrics.rs");
    complains("workers/runner.rs", "use metrics as m;", "telemetry/metrics.rs");
    complains("services/mod.rs", "use tokio_cron_scheduler::Job;", "workers/schedule.rs");
    content("workers/runner.rs", "use crate::telemetry::metrics;\nfn f() { metrics::turn_done() }");
    content(
        "workers/runner.rs",
        "use crate::telemetry::{metrics, logging};\nfn f() { metrics::turn_done(); crate::telemetry::metrics::x() }",
    );
    content("telemetry/mod.rs", "pub mod metrics;\npub fn f() { metrics::init() }");
    content("cli/serve.rs", "use actix_web::App;");
    content("models/control/company.rs", "use diesel::prelude::*;\nuse diesel_async::RunQueryDsl;");
}

#[test]
fn words() {
    complains("domain/x.rs", "unsafe fn f() {}", "`unsafe` is forbidden");
    complains("queue/x.rs", "let a = b.unwrap();", "return the error");
    complains("queue/x.rs", "let a = b\n    .expect (\"why\");", "return the error");
    complains("queue/x.rs", "panic!(\"no\")", "must not need its panic net");
    complains("cli/x.rs", "println!(\"hi\");", "log with tracing");
    complains("services/x.rs", "let now = chrono::Utc::now();", "only clock.rs reads the wall clock");
    complains("tenant/x.rs", "let now = SystemTime::now();", "only clock.rs reads the wall clock");
    complains("services/x.rs", "let v = std::env::var(\"X\");", "only config/ and cli/ read the environment");
    complains("domain/x.rs", "pub async fn f() {}", "async code belongs in services/");
    complains("domain/x.rs", "let n = rand::random::<u8>();", "chance is an argument");
    complains("domain/x.rs", "let id = Uuid::now_v7();", "chance is an argument");
    complains("domain/x.rs", "use tokio::sync::Notify;", "runtimes belong in services/");
    complains("domain/x.rs", "use std::sync::Mutex;", "state is a value");
    content("clock.rs", "fn now() { Utc::now() }");
    content("cli/x.rs", "let v = std::env::var(\"X\");");
    content("domain/x.rs", "fn f<'a>(x: &'a str) -> char { let _ = x.unwrap_or_default(); '\"' }\n// unsafe");
    content(
        "domain/x.rs",
        "const A: &str = r#\"unsafe \"panic!()\" \"#; const B: &[u8] = b\"dbg!()\"; const C: char = '\\'';",
    );
}

#[test]
fn lengths() {
    complains("domain/x.rs", &"// line\n".repeat(laws::MAX_LINES + 1), "file length");
    content("domain/x.rs", &"// line\n".repeat(laws::MAX_LINES));
    content("models/schema.rs", &"// line\n".repeat(laws::MAX_LINES + 1));
}

#[test]
fn orphans() {
    let files = map(&[
        ("src/lib.rs", "pub mod a;\n// pub mod lost;\n"),
        ("src/a/mod.rs", "mod b;\n#[cfg(test)]\nmod tests;\n"),
        ("src/a/b.rs", "mod c;"),
        ("src/a/b/c.rs", ""),
        ("src/a/tests.rs", ""),
        ("src/lost.rs", ""),
    ]);
    let found = house::orphans("src/", &["lib.rs", "main.rs"], &files);
    assert_eq!(found.iter().map(|b| b.file.as_str()).collect::<Vec<_>>(), ["src/lost.rs"]);
    let tests = house::test_only("src/", &["lib.rs", "main.rs"], &files);
    assert!(tests.contains("src/a/tests.rs") && !tests.contains("src/a/b.rs"));
}

#[test]
fn repository() {
    let names = ["src/lib.rs", "scripts/x.sh", ".ci/run", "Makefile"].map(str::to_owned);
    assert_eq!(house::top_level(&names).iter().map(|b| b.file.as_str()).collect::<Vec<_>>(), ["scripts"]);
    assert_eq!(house::lock_file("name = \"pq-sys\"\nname = \"pq-sys-not\"\n").len(), 1);

    let files = map(&[
        ("migrations/control/2026_a/up.sql", "CREATE TABLE a ();"),
        ("migrations/control/2026_a/down.sql", "DROP TABLE a;"),
        ("migrations/tenant/2026_b/up.sql", "CREATE TABLE b ();"),
        ("migrations/tenant/2026_c/up.sql", "CREATE TABLE c ();"),
        ("migrations/tenant/2026_c/down.sql", "-- nothing\n"),
        ("migrations/other/2026_d/up.sql", "SELECT 1;"),
    ]);
    let bad: Vec<String> = house::migrations(&files).into_iter().map(|b| b.file).collect();
    assert_eq!(
        bad,
        ["migrations/other/2026_d", "migrations/tenant/2026_b/down.sql", "migrations/tenant/2026_c/down.sql"]
    );
}

#[test]
fn documents() {
    let toml = "# How it is called.\nname = 1\n\n[server]\n# Where.\nbind = \"x\"\nthreads = 0\n";
    assert_eq!(house::settings_documented(toml, Some("`name`, `server.bind`, `server.threads`")).len(), 1);
    assert_eq!(house::settings_documented(toml, Some("`name`, `server.bind_v6`")).len(), 3);
    assert!(house::settings_documented(toml, None)[0].message.contains("docs/config.md does not exist yet"));

    let code = "/// QUEUE = \"no\"\nQUEUE_SIZE = gauge(\"queue_size\", &[],\npub const A_TOTAL: &str = \"secretaria_a_total\";\nAccepted = \"accepted\",\n";
    let names: Vec<_> = house::metrics(code).into_iter().map(|(_, name)| name).collect();
    assert_eq!(names, ["secretaria_queue_size", "secretaria_a_total"]);
    let table = "    // \"/old\"\n    (\"/webhook/whaticket\", POST),\n";
    assert_eq!(house::literals(table, "/[a-z/]*"), [(2, "/webhook/whaticket".to_owned())]);
    let told = |docs| house::documented("f", 1, "route", "/webhook", "docs/api.md", Some(docs)).is_none();
    assert!(told("`POST /webhook`") && !told("/webhook/whaticket") && !told("/old/webhook"));

    let files = ["docs/adr/README.md", "docs/adr/0001-a.md", "docs/adr/0001-b.md", "docs/adr/c.md"].map(str::to_owned);
    let list = "[A](0001-a.md) [B](0001-b.md)";
    let bad: Vec<String> = house::decisions(&files, list).into_iter().map(|b| b.file).collect();
    assert_eq!(bad, ["docs/adr/0001-b.md", "docs/adr/c.md", "docs/adr/c.md"]);
}

#[test]
fn machines() {
    let (work, out, host) = (["see /wo", "rk/x"].concat(), ["../sha", "red/x"].concat(), ["cra", "tes.io"].concat());
    assert_eq!(house::machine("README.md", &work).len(), 1);
    assert_eq!(
        house::machine("README.md", concat!("src/cli/", "work", "/mod.rs and /", "workers/ and a/", "root/b")).len(),
        0
    );
    assert_eq!(house::machine("docs/a.md", &out).len(), 1);
    assert_eq!(house::machine("Makefile", &out).len(), 0);
    assert_eq!(house::machine("deny.toml", &host).len(), 1);
    assert_eq!(house::machine("Cargo.lock", &host).len(), 0);
}

#[test]
fn reading() {
    let stripped = source::strip("a /* x /* y */ z */ b \"q\\\"r\" 'c' 'life c\"s\" // end\nd");
    assert_eq!(stripped.split_whitespace().collect::<Vec<_>>(), ["a", "b", "'life", "d"]);
    let tokens = source::tokens("use a::{b::{self, c as d}, e};\nx::y::<T>(z)");
    let paths: Vec<String> = source::paths(&tokens).iter().map(|p| p.segments.join("::")).collect();
    assert_eq!(paths, ["a::b::self", "a::b::c", "a::e", "x::y"]);
}
