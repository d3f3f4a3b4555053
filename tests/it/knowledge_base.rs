//! A company's knowledge base through its API, its command line, and as a turn is given it.

use std::process::Output;

use secretaria::services::knowledge::{self, Recall, recall};
use serde_json::{Value, json};

use crate::harness::trouble::{Headers, Wire};
use crate::harness::{Company, World, eventually};

const TOKEN: &str = "api-token-0123456789abcdef0123456789abcdef";

async fn world() -> World {
    let world = World::builder().workers(0).start().await;
    world.configure(&world.clinic, &[("secret:api.token", TOKEN)]).await;
    world
}

/// A call of the clinic's own people.
async fn call(world: &World, method: &str, path: &str, body: Value) -> Wire {
    let headers: Headers = vec![
        ("host", world.clinic.domain.clone()),
        ("content-type", "application/json".to_owned()),
        ("authorization", format!("Bearer {TOKEN}")),
    ];
    let body = if method == "GET" { String::new() } else { body.to_string() };
    world.request(method, path, &headers, &body).await
}

async fn asked(world: &World, company: &Company, question: &str) -> Recall {
    let services = &world.process.services;
    recall(services, &world.tenant(company), question, services.clock.now()).await.unwrap()
}

async fn secretaria(world: &World, args: &[&str]) -> Output {
    let (env, args) = (world.child_env(), args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>());
    tokio::task::spawn_blocking(move || {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_secretaria"));
        command.args(args).env_clear().env("PATH", "/usr/bin:/bin").envs(env).output().unwrap()
    })
    .await
    .unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_company_writes_by_the_api_answers_its_customers_and_nobody_elses() {
    let world = world().await;
    let entries = json!({"entries": [
        {"title": "Estacionamento", "text": "Temos convênio com o estacionamento ao lado."},
        {"title": "Wi-Fi", "text": "A senha está na recepção.", "valid_to": "2199-12-31"},
    ]});
    let kept = call(&world, "PUT", "/api/knowledge", entries.clone()).await.expect_status(200).json();
    assert_eq!((&kept["added"], &kept["replaced"], &kept["unchanged"]), (&json!(2), &json!(0), &json!(0)));
    let again = call(&world, "PUT", "/api/knowledge", entries).await.expect_status(200).json();
    assert_eq!((&again["added"], &again["unchanged"]), (&json!(0), &json!(2)));
    let facts = json!({"facts": [{"kind": "service", "name": "Limpeza", "price_cents": 18000, "duration_min": 40}]});
    call(&world, "PUT", "/api/catalog", facts).await.expect_status(200);

    let recall = asked(&world, &world.clinic, "tem onde estacionar? e quanto custa a limpeza?").await;
    assert!(recall.found);
    assert_eq!(recall.entries, ["Estacionamento: Temos convênio com o estacionamento ao lado."]);
    assert_eq!(recall.services, ["Limpeza: R$ 180,00; 40 min"]);
    let tried = json!({"question": "qual a senha do wifi?"});
    let found = call(&world, "POST", "/api/knowledge/search", tried).await.expect_status(200).json();
    assert_eq!(found["entries"], json!(["Wi-Fi: A senha está na recepção."]));
    assert!(!asked(&world, &world.clinic, "vocês fazem implante?").await.found);
    assert_eq!(asked(&world, &world.salon, "tem onde estacionar?").await, Recall::default());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_and_facts_are_changed_and_removed_one_by_one() {
    let world = world().await;
    let entries = json!({"entries": [{"title": "Um", "text": "a"}, {"title": "Dois", "text": "b"}]});
    call(&world, "PUT", "/api/knowledge", entries).await.expect_status(200);
    let facts = json!({"facts": [{"kind": "service", "name": "Corte"}, {"kind": "hours", "name": "Horário", "text": "8h às 18h"}]});
    call(&world, "PUT", "/api/catalog", facts).await.expect_status(200);
    for (list, field, name, renamed, taken) in [
        (
            "/api/knowledge",
            "entries",
            "title",
            json!({"title": "Três", "text": "c"}),
            json!({"title": "dois", "text": "c"}),
        ),
        (
            "/api/catalog",
            "facts",
            "name",
            json!({"kind": "service", "name": "Três"}),
            json!({"kind": "hours", "name": "horário", "text": "x"}),
        ),
    ] {
        let all = call(&world, "GET", list, json!({})).await.expect_status(200).json();
        let one =
            all[field].as_array().unwrap().iter().find(|one| ["Um", "Corte"].contains(&one[name].as_str().unwrap()));
        let path = format!("{list}/{}", one.unwrap()["id"].as_str().unwrap());
        call(&world, "PUT", &path, renamed).await.expect_status(200);
        assert_eq!(call(&world, "GET", &path, json!({})).await.expect_status(200).json()[name], "Três");
        let refused = call(&world, "PUT", &path, taken).await.expect_status(409).json();
        assert_eq!(refused["code"], "refused", "{refused}");
        call(&world, "DELETE", &path, json!({})).await.expect_status(204);
        for method in ["GET", "PUT", "DELETE"] {
            let body = if list == "/api/catalog" {
                json!({"kind": "other", "name": "y", "text": "z"})
            } else {
                json!({"title": "y", "text": "z"})
            };
            call(&world, method, &path, body).await.expect_status(404);
        }
        assert_eq!(call(&world, "GET", list, json!({})).await.json()[field].as_array().unwrap().len(), 1);
    }
    let trail = world
        .sql(&world.clinic, "SELECT string_agg(action, ' ' ORDER BY seq), max(actor), max(actor_type) FROM audit_log");
    assert_eq!(trail, "knowledge.put catalog.put knowledge.put knowledge.remove catalog.put catalog.remove|api|api");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_kept_is_refused_whole_and_said_why() {
    let world = world().await;
    let long = "x".repeat(8_001);
    for (path, body, field, word) in [
        (
            "/api/knowledge",
            json!({"entries": [{"title": "Um", "text": "a"}, {"title": " ", "text": "b"}]}),
            "entries[1]",
            "empty",
        ),
        ("/api/knowledge", json!({"entries": [{"title": "Um", "text": long}]}), "entries[0]", "8000"),
        (
            "/api/knowledge",
            json!({"entries": [{"title": "Um", "text": "a", "valid_from": "2026-12-02", "valid_to": "2026-12-01"}]}),
            "entries[0]",
            "before",
        ),
        ("/api/knowledge", json!({"entries": [{"title": "Um", "texto": "a"}]}), "", "texto"),
        (
            "/api/catalog",
            json!({"facts": [{"kind": "service", "name": "A", "duration_min": 0}]}),
            "facts[0]",
            "duration",
        ),
        ("/api/catalog", json!({"facts": [{"kind": "thing", "name": "A"}]}), "", "thing"),
    ] {
        let refused = call(&world, "PUT", path, body).await.expect_status(400).json();
        assert_eq!(refused["code"], "invalid_payload");
        assert!(refused["detail"].as_str().unwrap().contains(word), "{refused}");
        assert_eq!(refused["field"].as_str().unwrap_or_default(), field);
    }
    let twice = json!({"entries": [{"title": "Um", "text": "a"}, {"title": "um", "text": "b"}]});
    call(&world, "PUT", "/api/knowledge", twice).await.expect_status(409);
    let many: Vec<Value> = (0..2_001).map(|n| json!({"title": format!("T{n}"), "text": "t"})).collect();
    call(&world, "PUT", "/api/knowledge", json!({ "entries": many })).await.expect_status(409);
    let file = json!({"format": "csv", "content": "titulo;texto\nUm;a\nDois;\nTrês;c;d"});
    let refused = call(&world, "POST", "/api/knowledge/import", file).await.expect_status(400).json();
    assert!(refused["detail"].as_str().unwrap().contains("line 4"), "{refused}");
    assert_eq!(world.sql(&world.clinic, "SELECT count(*) FROM knowledge"), "0");
    let dry = json!({"format": "markdown", "content": "# Um\na", "dry_run": true});
    assert_eq!(call(&world, "POST", "/api/knowledge/import", dry).await.expect_status(200).json()["added"], 1);
    assert_eq!(world.sql(&world.clinic, "SELECT count(*) FROM knowledge"), "0");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_imports_lists_searches_and_removes() {
    let world = world().await;
    let id = world.clinic.id.to_string();
    let (faq, services) = (world.db.dir.path().join("perguntas.md"), world.db.dir.path().join("servicos.csv"));
    std::fs::write(&faq, "# Convênios\nAmil e Unimed.\n# Wi-Fi\nSenha na recepção.\n").unwrap();
    std::fs::write(&services, "nome;preço;duração\nLimpeza;R$ 180,00;40 min\n").unwrap();
    let (faq, services) = (faq.to_str().unwrap().to_owned(), services.to_str().unwrap().to_owned());
    let dry = secretaria(&world, &["knowledge", "import", "--company", &id, &faq, "--dry-run"]).await;
    assert!(said(&dry).contains("2 added, 0 replaced, 0 unchanged (nothing was changed)"), "{}", said(&dry));
    assert_eq!(world.sql(&world.clinic, "SELECT count(*) FROM knowledge"), "0");
    let done = secretaria(&world, &["knowledge", "import", "--company", &id, &faq, "--json"]).await;
    let done: Value = serde_json::from_slice(&done.stdout).unwrap_or_else(|_| panic!("{}", said(&done)));
    assert_eq!(done, json!({"added": 2, "replaced": 0, "unchanged": 0, "dry_run": false}));
    let set = secretaria(&world, &["catalog", "import", "--company", &id, &services]).await;
    assert!(said(&set).contains("1 added"), "{}", said(&set));
    let found = secretaria(&world, &["knowledge", "search", "--company", &id, "vocês aceitam unimed?"]).await;
    assert_eq!(String::from_utf8_lossy(&found.stdout), "Convênios: Amil e Unimed.\nLimpeza: R$ 180,00; 40 min\n");
    assert_eq!(found.status.code(), Some(0));
    let added =
        secretaria(&world, &["knowledge", "add", "--company", &id, "--title", "convênios", "--text", "Só Amil."]).await;
    assert!(said(&added).contains("0 added, 1 replaced"), "{}", said(&added));
    let list = secretaria(&world, &["knowledge", "list", "--company", &id, "--json"]).await;
    let first: Value = serde_json::from_str(said(&list).lines().next().unwrap()).unwrap();
    let removed = secretaria(&world, &["knowledge", "remove", "--company", &id, first["id"].as_str().unwrap()]).await;
    assert_eq!(
        (removed.status.code(), world.sql(&world.clinic, "SELECT count(*) FROM knowledge").as_str()),
        (Some(0), "1")
    );
    let gone = secretaria(&world, &["knowledge", "remove", "--company", &id, first["id"].as_str().unwrap()]).await;
    assert_eq!(gone.status.code(), Some(1));

    std::fs::write(&faq, "# Convênios\n").unwrap();
    let wrong = secretaria(&world, &["knowledge", "import", "--company", &id, &faq]).await;
    assert_eq!(wrong.status.code(), Some(2));
    assert!(
        said(&wrong).contains("perguntas.md, line 1") && said(&wrong).contains("nothing was imported"),
        "{}",
        said(&wrong)
    );
    std::fs::write(&services, b"nome;pre\xe7o\nA;1\n").unwrap();
    let latin = secretaria(&world, &["catalog", "import", "--company", &id, &services]).await;
    assert!(said(&latin).contains("UTF-8"), "{}", said(&latin));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_made_elsewhere_is_known_soon_and_an_outage_forgets_nothing() {
    let world = world().await;
    let entries = json!({"entries": [{"title": "Wi-Fi", "text": "A senha está na recepção."}]});
    call(&world, "PUT", "/api/knowledge", entries).await.expect_status(200);
    let question = "qual a senha do wifi?";
    let second = world.second_process().await;
    let tenant = second.services.directory.by_id(world.clinic.id).unwrap();
    let ask = async || recall(&second.services, &tenant, question, second.services.clock.now()).await.unwrap();
    assert_eq!(ask().await.entries, ["Wi-Fi: A senha está na recepção."]);
    let entries = json!({"entries": [{"title": "Wi-Fi", "text": "A senha é sorriso."}]});
    call(&world, "PUT", "/api/knowledge", entries).await.expect_status(200);
    eventually("the second process knows", async || ask().await.entries == ["Wi-Fi: A senha é sorriso."]).await;
    world.cut_postgres();
    assert!(knowledge::entries(&tenant).await.is_err(), "PostgreSQL is away");
    let until = tokio::time::Instant::now() + knowledge::FRESH + std::time::Duration::from_secs(1);
    eventually("what is held is stale", async || {
        assert_eq!(ask().await.entries, ["Wi-Fi: A senha é sorriso."]);
        tokio::time::Instant::now() > until
    })
    .await;
    world.mend_postgres();
    world.end().await;
}
