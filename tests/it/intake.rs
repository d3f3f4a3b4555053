//! What each webhook gets: taken, done already, ignored, refused; over real connections, against live companies.

use std::time::Duration;

use secrecy::ExposeSecret;
use secretaria::clock::Clock;
use secretaria::domain::conversation::template::Template;
use secretaria::domain::webhook_auth::sign;
use secretaria::services::audit::Actor;
use secretaria::services::provisioning::{CompanyName, Provisioner};
use secretaria::tenant::MasterKey;
use serde_json::{Value, json};

use crate::harness::trouble::{Headers, logs_on, raw, signed_at, standard_signature, untimed_signature};
use crate::harness::{Company, World, eventually};

const PATH: &str = "/webhook/whaticket";
const BODY: &str = r#"{"id":"CAUSE-1","number":"5511987654321","text":"oi"}"#;

/// A canonical body.
fn canonical(id: &str, number: &str, text: &str) -> String {
    json!({"id": id, "number": number, "text": text}).to_string()
}

/// A Baileys body with any jid and content.
fn baileys(id: &str, key: Value, message: Value) -> Value {
    let mut key = key;
    key["id"] = id.into();
    json!({"key": key, "message": message, "pushName": "Ana"})
}

/// The headers with one replaced, added, or (empty) taken away.
fn but(headers: &Headers, name: &'static str, value: &str) -> Headers {
    let mut headers: Headers = headers.iter().filter(|(n, _)| *n != name).cloned().collect();
    if !value.is_empty() {
        headers.push((name, value.to_owned()));
    }
    headers
}

/// Every way of having no valid credential, by name.
fn wrong_credentials(world: &World) -> Vec<(&'static str, String, Headers)> {
    let now = world.clock.now().timestamp();
    let (clinic, salon) = (&world.clinic, &world.salon);
    let good = signed_at(clinic, now, BODY);
    let signature = "x-webhook-signature";
    let signed = |secret: &str| format!("sha256={}", sign(secret, now, BODY.as_bytes()));
    let bare = but(&but(&good, signature, ""), "x-webhook-timestamp", "");
    let standard = |secret: &str, at: i64| {
        let mut headers = bare.clone();
        headers.push(("webhook-id", "msg_1".into()));
        headers.push(("webhook-timestamp", at.to_string()));
        headers.push(("webhook-signature", standard_signature(secret, "msg_1", at, BODY)));
        headers
    };
    let pair = |timestamp: i64, hex: String| {
        let mut headers = bare.clone();
        headers.push(("x-timestamp", timestamp.to_string()));
        headers.push(("x-signature", hex));
        headers
    };
    let mut twice = good.clone();
    twice.push((signature, format!("sha256={}", "0".repeat(64))));
    let untimed = but(&good, "x-webhook-timestamp", "");
    let v0 = format!("sha256={}", untimed_signature(&clinic.secret, BODY));
    let plain = PATH.to_owned();
    let cases: Vec<(&'static str, Headers)> = vec![
        ("no credential", but(&bare, "x-webhook-token", "")),
        ("no token", but(&good, "x-webhook-token", "")),
        ("wrong token", but(&good, "x-webhook-token", "nope-nope-nope-nope")),
        ("another company's token", but(&good, "x-webhook-token", &salon.token)),
        ("wrong bearer before a right token", [good.clone(), vec![("authorization", "Bearer x".into())]].concat()),
        ("no signature", bare.clone()),
        ("wrong signature", but(&good, signature, &signed("other"))),
        ("another company's secret", but(&good, signature, &signed(&salon.secret))),
        ("malformed signature", but(&good, signature, "sha256=zz")),
        ("too old", signed_at(clinic, now - 400, BODY)),
        ("too new", signed_at(clinic, now + 400, BODY)),
        ("malformed timestamp", but(&good, "x-webhook-timestamp", "yesterday")),
        ("another timestamp than the signed one", but(&good, "x-webhook-timestamp", &(now - 1).to_string())),
        ("v0 where it is not allowed", but(&untimed, signature, &v0)),
        ("two signatures that differ", twice),
        ("v2.4 pair, wrong", pair(now, "0".repeat(64))),
        ("v2.4 pair, old", pair(now - 400, sign(&clinic.secret, now - 400, BODY.as_bytes()))),
        ("Standard Webhooks, wrong", standard(&salon.secret, now)),
        ("Standard Webhooks, old", standard(&clinic.secret, now - 400)),
    ];
    let mut cases: Vec<_> = cases.into_iter().map(|(name, headers)| (name, plain.clone(), headers)).collect();
    let in_query = format!("{PATH}?token={}", clinic.token);
    cases.push(("token in the query", in_query, but(&good, "x-webhook-token", "")));
    cases
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_wrong_with_the_credentials_the_answer_is_the_same_to_the_byte() {
    let world = World::builder().workers(0).start().await;
    let mut answers = Vec::new();
    for (name, path, headers) in wrong_credentials(&world) {
        let answer = world.request("POST", &path, &headers, BODY).await;
        assert_eq!((answer.status, answer.body.as_str()), (401, r#"{"error":"unauthorized"}"#), "{name}");
        answers.push((name, answer));
    }
    // Bad JSON is not even looked at without credentials.
    let headers: Headers = vec![("host", world.clinic.domain.clone()), ("content-type", "application/json".into())];
    answers.push(("bad JSON", world.request("POST", PATH, &headers, "{not json").await));
    let first = &answers[0].1;
    for (name, answer) in &answers {
        assert_eq!(answer.body, first.body, "{name}");
        assert_eq!(answer.telling_headers(), first.telling_headers(), "{name}");
    }
    assert!(world.redis_of(&world.clinic).is_empty(), "{:?}", world.redis_of(&world.clinic).keys());
    world.post_signed(&world.clinic, BODY).await.expect_status(202);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_domain_is_404_whoever_asks() {
    let world = World::builder().workers(0).start().await;
    let good = signed_at(&world.clinic, world.clock.now().timestamp(), BODY);
    for host in ["nobody.localhost", "127.0.0.1", "clinica.localhost.evil.test", "xn--clnica-xva.localhost"] {
        let answer = world.request("POST", PATH, &but(&good, "host", host), BODY).await;
        assert_eq!((answer.status, answer.body.as_str()), (404, r#"{"error":"unknown_tenant"}"#), "{host}");
    }
    let answer = world.request("POST", PATH, &but(&good, "x-company-domain", "nobody.localhost"), BODY).await;
    assert_eq!(answer.status, 404, "X-Company-Domain is the one that counts");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_payload_names_the_field_and_nothing_of_it_is_kept() {
    let world = World::builder().workers(0).start().await;
    let deep = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
    let long_id = "x".repeat(5000);
    let cases = [
        ("{not json".to_owned(), None),
        ("[1,2]".to_owned(), None),
        (String::new(), None),
        (format!(r#"{{"number":"5511987654321","text":{deep}}}"#), None),
        (r#"{"text":"oi"}"#.to_owned(), Some("number")),
        (r#"{"number":"5511987654321"}"#.to_owned(), Some("text")),
        (r#"{"number":null,"text":"oi"}"#.to_owned(), Some("number")),
        (r#"{"number":{"a":1},"text":"oi"}"#.to_owned(), Some("number")),
        (r#"{"number":"sem número","text":"oi"}"#.to_owned(), Some("number")),
        (r#"{"number":"+ () -","text":"oi"}"#.to_owned(), Some("number")),
        (r#"{"number":"5511987654321","text":7}"#.to_owned(), Some("text")),
        (r#"{"number":"5511987654321","text":["oi"]}"#.to_owned(), Some("text")),
        (r#"{"number":"5511987654321","text":"oi","timestamp":"ontem"}"#.to_owned(), Some("timestamp")),
        (r#"{"number":"5511987654321","text":"oi","name":5}"#.to_owned(), Some("name")),
        (format!(r#"{{"number":"5511987654321","text":"oi","id":"{long_id}"}}"#), Some("id")),
    ];
    for (body, field) in cases {
        let answer = world.post_signed(&world.clinic, &body).await;
        let shown = body.chars().take(60).collect::<String>();
        let mut expected = json!({"error": "invalid_payload"});
        if let Some(field) = field {
            expected["field"] = field.into();
            assert_eq!(answer.json(), expected, "{shown}");
        }
        assert_eq!((answer.status, &answer.json()["error"]), (400, &expected["error"]), "{shown}");
    }
    assert!(world.redis_of(&world.clinic).is_empty());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_over_256_kib_and_other_types_are_refused_unread() {
    let world = World::builder().workers(0).start().await;
    let filler = |bytes: usize| format!(r#"{{"number":"5511987654321","text":"oi","x":"{}"}}"#, "x".repeat(bytes));
    let fits = filler(262_144 - filler(0).len());
    assert_eq!(fits.len(), 262_144);
    world.post_signed(&world.clinic, &fits).await.expect_status(202);
    let over = filler(262_144 - filler(0).len() + 1);
    let answer = world.post_signed(&world.clinic, &over).await;
    assert_eq!((answer.status, answer.body.as_str()), (413, r#"{"error":"payload_too_large"}"#));

    let mut head = format!("POST {PATH} HTTP/1.1\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n");
    for (name, value) in signed_at(&world.clinic, world.clock.now().timestamp(), &over) {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let request = format!("{head}\r\n{:x}\r\n{over}\r\n0\r\n\r\n", over.len());
    assert_eq!(raw(world.address, request.as_bytes()).await.status, 413, "chunked, announced by nobody");

    let good = signed_at(&world.clinic, world.clock.now().timestamp(), BODY);
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""] {
        let answer = world.request("POST", PATH, &but(&good, "content-type", kind), BODY).await;
        assert_eq!((answer.status, answer.body.as_str()), (415, r#"{"error":"unsupported_media_type"}"#), "{kind:?}");
    }
    for (n, kind) in
        ["application/json; charset=utf-8", "Application/JSON", "application/cloudevents+json"].into_iter().enumerate()
    {
        let body = canonical(&format!("KIND-{n}"), "5511987654321", "oi");
        let headers = signed_at(&world.clinic, world.clock.now().timestamp(), &body);
        world.request("POST", PATH, &but(&headers, "content-type", kind), &body).await.expect_status(202);
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_writes_too_much_waits_and_a_duplicate_costs_nothing() {
    let world =
        World::builder().workers(0).set("limits.number_per_minute", 6).set("limits.number_burst", 2).start().await;
    let say = async |id: &str, number: &str| world.post_signed(&world.clinic, &canonical(id, number, "oi")).await;
    say("N1", "5511987654321").await.expect_status(202);
    for _ in 0..4 {
        let again = say("N1", "5511987654321").await.expect_status(200);
        assert_eq!(again.body, r#"{"status":"duplicate"}"#);
    }
    // The same person without the ninth digit: one quota.
    say("N2", "551187654321").await.expect_status(202);
    // The address's quota forgets within milliseconds, by itself.
    let kept = || {
        let mut keys = world.redis_of(&world.clinic);
        keys.retain(|key, _| !key.contains(":rl:a:"));
        keys
    };
    let before = kept();
    let limited = say("N3", "5511987654321").await.expect_status(429);
    assert_eq!(limited.body, r#"{"error":"rate_limited"}"#);
    let wait: u64 = limited.header("retry-after").parse().unwrap();
    assert!((1..=10).contains(&wait), "{wait}");
    assert_eq!(limited.header("ratelimit"), format!("\"number\";r=0;t={wait}"));
    assert_eq!(limited.header("ratelimit-policy"), "\"number\";q=6;w=60");
    assert!(kept() == before, "a refused message leaves nothing behind");
    say("N1", "5511987654321").await.expect_status(200);
    say("N4", "5511911112222").await.expect_status(202);
    world.post_signed(&world.salon, &canonical("N1", "5511987654321", "oi")).await.expect_status(202);
    world.clock.advance(Duration::from_secs(wait));
    say("N3", "5511987654321").await.expect_status(202);
    say("N5", "5511987654321").await.expect_status(429);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_sends_too_much_to_one_company_waits() {
    let world = World::builder().workers(0).set("limits.company_address_per_second", 1).start().await;
    let mut limited = None;
    for n in 0..40 {
        let body = canonical(&format!("A{n}"), &format!("55119876{:05}", 10_000 + n), "oi");
        let answer = world.post_signed(&world.clinic, &body).await;
        if answer.status == 429 {
            limited = Some(answer);
            break;
        }
        assert_eq!(answer.status, 202);
    }
    let limited = limited.expect("one a second is never reached");
    assert_eq!(limited.body, r#"{"error":"rate_limited"}"#);
    assert_eq!(limited.header("retry-after"), "1");
    assert_eq!(limited.header("ratelimit"), "\"address\";r=0;t=1");
    assert_eq!(limited.header("ratelimit-policy"), "\"address\";q=1;w=1");
    world.post_signed(&world.salon, &canonical("A0", "5511987654321", "oi")).await.expect_status(202);
    let echo = baileys(
        "E1",
        json!({"remoteJid": "5511987654321@s.whatsapp.net", "fromMe": true}),
        json!({"conversation": "oi"}),
    );
    world.webhook(&world.clinic, &echo).await.expect_status(200);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_stopped_before_anybody_reads_it() {
    let world = World::builder().workers(0).set("server.peer_flood_per_second", 2).start().await;
    let headers: Headers = vec![("host", world.clinic.domain.clone()), ("content-type", "application/json".into())];
    let mut statuses = Vec::new();
    let mut stopped = None;
    for _ in 0..60 {
        let answer = world.request("POST", PATH, &headers, "no json, no credentials").await;
        statuses.push(answer.status);
        if answer.status == 429 {
            stopped = Some(answer);
            break;
        }
    }
    let stopped = stopped.unwrap_or_else(|| panic!("never stopped: {statuses:?}"));
    assert_eq!((statuses[0], stopped.body.as_str()), (401, r#"{"error":"rate_limited"}"#));
    assert_eq!(stopped.header("retry-after"), "1");
    assert_eq!(stopped.header("ratelimit"), "\"peer\";r=0;t=1");
    assert_eq!(stopped.header("ratelimit-policy"), "\"peer\";q=2;w=1");
    assert_eq!(world.request("GET", "/healthz", &headers, "").await.status, 200);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_customers_message_is_ignored_with_the_reason() {
    let world = World::start().await;
    let text = || json!({"conversation": "oi"});
    let jid = |jid: &str| json!({"remoteJid": jid, "fromMe": false});
    let person = "5511987654321@s.whatsapp.net";
    let cases = [
        (baileys("I1", jid("120363041234567890@g.us"), text()), "group"),
        (baileys("I2", jid("status@broadcast"), text()), "status"),
        (baileys("I3", jid("120363041234567890@newsletter"), text()), "newsletter"),
        (baileys("I4", json!({"remoteJid": person, "fromMe": true}), text()), "own_message"),
        (baileys("I5", jid(person), json!({"reactionMessage": {"text": "👍"}})), "not_a_message"),
        (json!({"id": "I6", "number": "5511987654321", "text": "  "}), "empty"),
        (json!({"event": "connection.update", "data": {"state": "open"}}), "event"),
    ];
    for (body, reason) in cases {
        let answer = world.webhook(&world.clinic, &body).await.expect_status(200);
        assert_eq!(answer.json, json!({"status": "ignored", "reason": reason}), "{body}");
    }
    world.quiet().await;
    assert!(world.ledger().is_empty(), "nobody is answered: {:?}", world.ledger());
    assert_eq!(world.sql(&world.clinic, "SELECT author || ' ' || body FROM message"), "team oi", "the team is heard");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_company_is_polite_and_deaf_and_its_credentials_still_count() {
    let world = World::builder().workers(0).start().await;
    let set = async |state: &str| {
        world.sql(
            &world.clinic,
            &format!("UPDATE control.company SET state = '{state}' WHERE id = {}", world.clinic.id),
        );
        world.process.services.directory.refresh().await.unwrap();
    };
    set("suspended").await;
    let answer = world.post_signed(&world.clinic, BODY).await.expect_status(200);
    assert_eq!(answer.body, r#"{"status":"ignored","reason":"suspended"}"#);
    let wrong = but(&signed_at(&world.clinic, world.clock.now().timestamp(), BODY), "x-webhook-token", "wrong");
    world.request("POST", PATH, &wrong, BODY).await.expect_status(401);
    world.post_signed(&world.salon, BODY).await.expect_status(202);
    assert!(world.redis_of(&world.clinic).is_empty());
    set("active").await;
    world.post_signed(&world.clinic, BODY).await.expect_status(202);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_id_without_phone_stays_a_hidden_id() {
    let world = World::start().await;
    let key = json!({"remoteJid": "123456789012345@lid", "fromMe": false});
    world
        .webhook(&world.clinic, &baileys("L1", key, json!({"conversation": "qual o horário?"})))
        .await
        .expect_status(202);
    world.quiet().await;
    assert_eq!(world.texts_to("123456789012345@lid").len(), 1);
    assert_eq!(
        world.sql(&world.clinic, "SELECT key, reply_address FROM conversation"),
        "lid:123456789012345|123456789012345@lid"
    );
    assert_eq!(world.sql(&world.clinic, "SELECT kind, value FROM person_identity"), "lid|123456789012345");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_id_whose_phone_is_known_joins_the_phones_conversation() {
    let world = World::start().await;
    let both = json!({"remoteJid": "123456789012345@lid", "senderPn": "5511987654321@s.whatsapp.net", "fromMe": false});
    world
        .webhook(&world.clinic, &baileys("L1", both, json!({"conversation": "qual o horário?"})))
        .await
        .expect_status(202);
    world.quiet().await;
    let hidden = json!({"remoteJid": "123456789012345@lid", "fromMe": false});
    world
        .webhook(&world.clinic, &baileys("L2", hidden.clone(), json!({"conversation": "e o endereço?"})))
        .await
        .expect_status(202);
    world.quiet().await;
    assert_eq!(world.sql(&world.clinic, "SELECT key FROM conversation"), "5511987654321");
    assert_eq!(world.sql(&world.clinic, "SELECT count(*) FROM message WHERE author = 'customer'"), "2");
    let identities = world.sql(&world.clinic, "SELECT kind, value FROM person_identity ORDER BY kind DESC");
    assert_eq!(identities, "phone|5511987654321\nlid|123456789012345");
    // Another company has not learned it.
    world.webhook(&world.salon, &baileys("L3", hidden, json!({"conversation": "oi"}))).await.expect_status(202);
    world.quiet().await;
    assert_eq!(world.sql(&world.salon, "SELECT key FROM conversation"), "lid:123456789012345");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn media_without_words_gets_an_honest_sentence_and_no_model() {
    let world = World::start().await;
    for (n, content) in [json!({"audioMessage": {"seconds": 3}}), json!({"imageMessage": {"mimetype": "image/jpeg"}})]
        .iter()
        .enumerate()
    {
        let number = format!("551198765432{n}");
        let key = json!({"remoteJid": format!("{number}@s.whatsapp.net"), "fromMe": false});
        world.webhook(&world.clinic, &baileys(&format!("MEDIA{n}"), key, content.clone())).await.expect_status(202);
        world.quiet().await;
        assert_eq!(world.texts_to(&number), [Template::Media.default_text()]);
    }
    assert!(world.model_calls().is_empty());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_202_says_queued_twice_and_names_the_job() {
    let world = World::builder().workers(0).start().await;
    let answer = world.post_signed(&world.clinic, BODY).await.expect_status(202);
    let json = answer.json();
    assert_eq!((&json["status"], &json["queued"]), (&"queued".into(), &true.into()));
    let job = json["job_id"].as_str().unwrap();
    assert_eq!(uuid::Uuid::parse_str(job).unwrap().get_version_num(), 7);
    let mailbox = world
        .redis_answers(&["LRANGE", &format!("company:{{{}}}:q:box:5511987654321", world.clinic.id), "0", "-1"])
        .unwrap();
    assert!(format!("{mailbox:?}").contains(job), "the job is the envelope: {mailbox:?}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_host_is_compared_without_case_port_and_dot_and_the_company_header_wins() {
    let world = World::builder().workers(0).start().await;
    let (clinic, salon) = (&world.clinic, &world.salon);
    let post = async |id: &str, host: &str, company: &str, whose: &Company| {
        let body = canonical(id, "5511987654321", "oi");
        let headers = but(&signed_at(whose, world.clock.now().timestamp(), &body), "host", host);
        world.request("POST", PATH, &but(&headers, "x-company-domain", company), &body).await.status
    };
    for (n, host) in ["CLINICA.localhost", "clinica.localhost:8080", "clinica.localhost.", "Clinica.Localhost.:443"]
        .iter()
        .enumerate()
    {
        assert_eq!(post(&format!("H{n}"), host, "", clinic).await, 202, "{host}");
    }
    assert!(world.redis_of(salon).is_empty());
    assert_eq!(post("H5", "clinica.localhost..", "", clinic).await, 404, "one dot, not two");
    assert_eq!(post("H6", "nobody.localhost", "Clinica.localhost:443", clinic).await, 202, "the header wins");
    assert_eq!(post("H7", &salon.domain, &clinic.domain, clinic).await, 202);
    assert_eq!(
        post("H8", &clinic.domain, &salon.domain, clinic).await,
        401,
        "it only selects whose secret must verify"
    );
    assert_eq!(post("H9", &salon.domain, "", clinic).await, 401);
    assert!(world.redis_of(salon).is_empty());

    let body = canonical("H10", "5511987654321", "oi");
    let mut two = signed_at(clinic, world.clock.now().timestamp(), &body);
    two.push(("Host", salon.domain.clone()));
    assert_eq!(world.request("POST", PATH, &two, &body).await.status, 400);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_correlation_id_travels_from_its_header_to_the_provider_and_the_turn() {
    let world = World::start().await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let traceparent = format!("00-{trace}-00f067aa0ba902b7-01");
    let cases = [
        ("5511911110001", "x-correlation-id", "order-2027.01:a_b", "order-2027.01:a_b"),
        ("5511911110002", "x-request-id", "req-12345678", "req-12345678"),
        ("5511911110003", "traceparent", traceparent.as_str(), trace),
    ];
    for (number, header, value, id) in cases {
        let body = serde_json::from_str(&canonical(number, number, "qual o horário?")).unwrap();
        let answer = world.webhook_with(&world.clinic, &body, &[(header, value)]).await.expect_status(202);
        assert_eq!(answer.headers["x-correlation-id"], id);
    }
    let own = world
        .webhook_with(
            &world.clinic,
            &json!({"id": "C4", "number": "5511911110004", "text": "oi"}),
            &[("x-correlation-id", "<bad>")],
        )
        .await;
    let made = own.headers["x-correlation-id"].clone();
    world.quiet().await;
    let expected = cases.iter().map(|(number, _, _, id)| (*number, *id)).chain([("5511911110004", made.as_str())]);
    for (number, id) in expected {
        let ledger = world.ledger();
        let sent = ledger.iter().find(|entry| entry.body["number"] == number).unwrap();
        assert_eq!(sent.headers["x-correlation-id"], id, "{number}");
        let turns = world.sql(&world.clinic, &format!("SELECT count(*) FROM turn WHERE correlation_id = '{id}'"));
        assert_eq!(turns, "1", "{number}");
        assert!(world.model_calls().iter().any(|call| call.headers["x-correlation-id"] == id), "{number}");
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_in_the_query_counts_in_token_mode_only_and_is_never_logged() {
    logs_on();
    let capture = secretaria::telemetry::logging::capture();
    let world = World::builder().workers(0).start().await;
    world.configure(&world.clinic, &[("auth_mode", "token")]).await;
    let post = async |company: &Company, token: &str, id: &str| {
        let headers: Headers = vec![
            ("host", company.domain.clone()),
            ("content-type", "application/json".into()),
            ("x-correlation-id", "query-token-0001".into()),
        ];
        let body = canonical(id, "5511987654321", "oi");
        world.request("POST", &format!("{PATH}?a=b&token={token}"), &headers, &body).await.status
    };
    assert_eq!(post(&world.clinic, &world.clinic.token, "Q1").await, 202);
    assert_eq!(post(&world.clinic, &world.salon.token, "Q2").await, 401);
    assert_eq!(post(&world.clinic, "", "Q3").await, 401);
    assert_eq!(post(&world.salon, &world.salon.token, "Q4").await, 401);
    // A failure is logged with its route; the query must not be in it.
    world.redis_answers(&["CONFIG", "SET", "maxmemory", "1"]).unwrap();
    assert_eq!(post(&world.clinic, &world.clinic.token, "Q5").await, 503);
    let text = capture.text();
    assert!(text.contains("query-token-0001"), "nothing was logged at all");
    assert!(!text.contains(&world.clinic.token) && !text.contains(&world.salon.token));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_four_families_of_signatures_open_the_door_of_a_live_company() {
    let world = World::builder().workers(0).start().await;
    world.configure(&world.salon, &[("webhook.allow_untimestamped", "true")]).await;
    let now = world.clock.now().timestamp();
    let base = |company: &Company| -> Headers {
        vec![
            ("host", company.domain.clone()),
            ("content-type", "application/json".into()),
            ("authorization", format!("Bearer {}", company.token)),
        ]
    };
    let post = async |company: &Company, body: &str, more: Headers| {
        world.request("POST", PATH, &[base(company), more].concat(), body).await.status
    };
    for (n, header) in ["x-signature-256", "x-hub-signature-256", "x-webhook-signature"].into_iter().enumerate() {
        let body = canonical(&format!("V1-{n}"), "5511987654321", "oi");
        let hex = sign(&world.clinic.secret, now, body.as_bytes());
        let hex = if n == 0 { hex.to_uppercase() } else { format!("sha256={hex}") };
        let headers = vec![("x-webhook-timestamp", now.to_string()), (header, hex)];
        assert_eq!(post(&world.clinic, &body, headers).await, 202, "{header}");
    }
    let body = canonical("V24", "5511987654321", "oi");
    let pair =
        vec![("x-timestamp", now.to_string()), ("x-signature", sign(&world.clinic.secret, now, body.as_bytes()))];
    assert_eq!(post(&world.clinic, &body, pair).await, 202);
    let body = canonical("SW", "5511987654321", "oi");
    assert!(world.clinic.secret.starts_with("whsec_"));
    let good = standard_signature(&world.clinic.secret, "msg_2", now, &body);
    let several = vec![
        ("webhook-id", "msg_2".into()),
        ("webhook-timestamp", now.to_string()),
        ("webhook-signature", format!("v1a,AAAA v1,AAAA {good}")),
    ];
    assert_eq!(post(&world.clinic, &body, several).await, 202);
    let body = canonical("V0", "5511987654321", "oi");
    let v0 = |company: &Company| vec![("x-hub-signature-256", untimed_signature(&company.secret, &body))];
    assert_eq!(post(&world.salon, &body, v0(&world.salon)).await, 202);
    assert_eq!(post(&world.clinic, &body, v0(&world.clinic)).await, 401);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_id_only_the_same_request_is_a_replay_never_the_same_text() {
    let world = World::builder().workers(0).start().await;
    let body = r#"{"number":"5511987654321","text":"sim"}"#;
    let now = world.clock.now().timestamp();
    let first = signed_at(&world.clinic, now, body);
    world.request("POST", PATH, &first, body).await.expect_status(202);
    let again = world.request("POST", PATH, &first, body).await.expect_status(200);
    assert_eq!(again.body, r#"{"status":"duplicate"}"#);
    world.request("POST", PATH, &signed_at(&world.clinic, now + 1, body), body).await.expect_status(202);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_opens_the_door_to_the_new_and_later_shuts_out_the_old_without_a_restart() {
    let world = World::builder().workers(0).start().await;
    let key = MasterKey::from_hex(&"ab".repeat(32), "the test").unwrap();
    let whose = CompanyName::Number(world.clinic.id);
    let mut provisioner = Provisioner::new(&world.settings, &key, Clock::new(), Actor::operator("test"))
        .announcing(world.process.services.redis.clone());
    let keys = provisioner.rotate(&whose, false).await.unwrap().webhook.unwrap();
    let fresh = Company {
        secret: keys.secret.expose_secret().to_owned(),
        token: keys.token.expose_secret().to_owned(),
        ..world.clinic.clone()
    };
    assert!(fresh.secret != world.clinic.secret && fresh.token != world.clinic.token);
    let post = async |company: &Company| world.post_signed(company, BODY).await.status;
    eventually("the new credentials are accepted", async || post(&fresh).await != 401).await;
    assert_eq!(post(&world.clinic).await, 200, "the old ones still are");
    let mixed = Company { token: world.clinic.token.clone(), ..fresh.clone() };
    assert_eq!(post(&mixed).await, 200, "gateways change one after the other");
    provisioner.finish_rotation(&whose, false).await.unwrap();
    eventually("the old credentials are refused", async || post(&world.clinic).await == 401).await;
    assert_eq!(post(&mixed).await, 401);
    assert_eq!(post(&fresh).await, 200);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_mailbox_makes_a_dead_letter_that_is_counted() {
    let world = World::builder().workers(0).set("queue.mailbox_cap", 2).start().await;
    let say = async |id: &str, number: &str| world.post_signed(&world.clinic, &canonical(id, number, "oi")).await;
    for id in ["B1", "B2"] {
        say(id, "5511987654321").await.expect_status(202);
    }
    let dead = say("B3", "5511987654321").await.expect_status(202);
    assert_eq!(dead.body, r#"{"status":"dead_lettered"}"#);
    say("B3", "5511987654321").await.expect_status(200);
    let other = say("B4", "5511911112222").await.expect_status(202);
    assert_eq!(other.json()["status"], "queued");
    let letters =
        world.redis_answers(&["XRANGE", &format!("company:{{{}}}:q:dead", world.clinic.id), "-", "+"]).unwrap();
    let letters = format!("{letters:?}");
    assert!(letters.matches("mailbox_full").count() == 1 && letters.contains("B3"), "{letters}");
    let series = format!("secretaria_dead_letters_total{{company=\"{}\",reason=\"mailbox_full\"}}", world.clinic.id);
    assert_eq!(world.series(&series), Some(1.0));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_messages_in_one_array_are_all_taken_once() {
    let world = World::start().await;
    let message = |id: &str, jid: &str| {
        baileys(id, json!({"remoteJid": jid, "fromMe": false}), json!({"conversation": "qual o horário?"}))
    };
    let body = json!({"messages": [
        message("S1", "5511911110001@s.whatsapp.net"),
        message("S2", "120363041234567890@g.us"),
        message("S3", "5511911110002@s.whatsapp.net"),
    ]});
    let answer = world.webhook(&world.clinic, &body).await.expect_status(202);
    assert_eq!(answer.json["status"], "queued");
    world.webhook(&world.clinic, &body).await.expect_status(200);
    world.quiet().await;
    assert_eq!((world.texts_to("5511911110001").len(), world.texts_to("5511911110002").len()), (1, 1));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_in_the_middle_of_an_array_loses_nothing_and_doubles_nothing() {
    let world =
        World::builder().workers(0).set("limits.number_per_minute", 6).set("limits.number_burst", 1).start().await;
    let message = |id: &str, number: &str| {
        baileys(
            id,
            json!({"remoteJid": format!("{number}@s.whatsapp.net"), "fromMe": false}),
            json!({"conversation": id}),
        )
    };
    let body = json!({"messages": [
        message("T1", "5511911110001"), message("T2", "5511911110001"), message("T3", "5511911110002"),
    ]});
    world.webhook(&world.clinic, &body).await.expect_status(429);
    world.clock.advance(Duration::from_secs(10));
    world.webhook(&world.clinic, &body).await.expect_status(202);
    let waiting = |number: &str| {
        let key = format!("company:{{{}}}:q:box:{number}", world.clinic.id);
        format!("{:?}", world.redis_answers(&["LLEN", &key]).unwrap())
    };
    assert_eq!((waiting("5511911110001"), waiting("5511911110002")), ("int(2)".to_owned(), "int(1)".to_owned()));
    world.webhook(&world.clinic, &body).await.expect_status(200);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_posts_the_same_ten_times_at_once_gets_one_answer() {
    let world = World::start().await;
    let posts = (0..10).map(|_| world.post_signed(&world.clinic, BODY));
    let mut statuses: Vec<u16> = futures::future::join_all(posts).await.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 200, 200, 200, 200, 200, 200, 200, 202]);
    world.quiet().await;
    assert_eq!(world.texts_to("5511987654321").len(), 1);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_outcome_is_counted_by_its_status() {
    let world =
        World::builder().workers(0).set("limits.number_burst", 1).set("limits.number_per_minute", 1).start().await;
    let group = baileys("K9", json!({"remoteJid": "120363041234567890@g.us"}), json!({"conversation": "oi"}));
    for (body, status) in [
        (canonical("K1", "5511987654321", "oi"), 202),
        (canonical("K1", "5511987654321", "oi"), 200),
        (canonical("K2", "5511987654321", "oi"), 429),
        (group.to_string(), 200),
        ("{".to_owned(), 400),
        (format!("{{\"x\":\"{}\"}}", "x".repeat(300_000)), 413),
    ] {
        world.post_signed(&world.clinic, &body).await.expect_status(status);
    }
    let good = signed_at(&world.clinic, world.clock.now().timestamp(), BODY);
    world.request("POST", PATH, &but(&good, "x-webhook-token", "wrong"), BODY).await.expect_status(401);
    world.request("POST", PATH, &but(&good, "content-type", "text/plain"), BODY).await.expect_status(415);
    world.process.shed.store(true, std::sync::atomic::Ordering::Relaxed);
    world.request("POST", PATH, &good, BODY).await.expect_status(503);
    for status in [
        "accepted",
        "duplicate",
        "rate_limited_number",
        "ignored",
        "bad_request",
        "too_large",
        "unauthorized",
        "unsupported",
        "unavailable",
    ] {
        let series =
            format!("secretaria_webhook_received_total{{company=\"{}\",status=\"{status}\"}}", world.clinic.id);
        assert_eq!(world.series(&series), Some(1.0), "{series}");
    }
    world.end().await;
}
