//! The stand-ins themselves: ledger, faults and echoes are the judges of everything else, so they are judged here.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use hmac::{Hmac, KeyInit as _, Mac as _};
use secretaria::clients::channel::whaticket::{Flavor, send};
use secretaria::clients::channel::{ChannelEndpoint, OutgoingText};
use secretaria::clients::hints;
use secretaria::clients::http::{BODY_LIMIT, HttpAnswer, HttpClient};
use secretaria::clock::Clock;
use secretaria::standins::{CompanyAtStandIn, Fault, FaultKind, Provider, StandIns};
use serde_json::{Value, json};
use tokio::sync::mpsc;

const PATIENCE: Duration = Duration::from_secs(10);

async fn start() -> (StandIns, HttpClient) {
    let standins = StandIns::start(Clock::new(), "127.0.0.1:0".parse().unwrap()).await.unwrap();
    (standins, HttpClient::new(Duration::from_secs(2)).unwrap())
}

async fn post(http: &HttpClient, url: &str, headers: &[(&'static str, &str)], body: &Value) -> HttpAnswer {
    http.post_json(url, headers, body.to_string().into_bytes(), PATIENCE, BODY_LIMIT).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_tells_everything_but_credentials() {
    let (standins, http) = start().await;
    let url = format!("{}/api/messages/send", standins.whaticket_url(7));
    for n in 0..3 {
        let body = json!({"number": "5511987654321", "body": format!("oi {n}")});
        post(&http, &url, &[("authorization", "Bearer sim-42-s3cret")], &body).await;
    }
    post(&http, &url, &[("authorization", "Bearer wrong-s3cret"), ("apikey", "s3cret")], &json!({})).await;

    let answer =
        http.get(&format!("{}/_ledger?since=1", standins.base_url()), &[], PATIENCE, BODY_LIMIT).await.unwrap();
    let text = answer.text();
    assert!(!text.contains("s3cret"), "{text}");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let numbers: Vec<_> = lines.iter().map(|line| line["n"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [2, 3, 4]);
    let first = &lines[0];
    // The company of the credential comes before the one of the path.
    assert_eq!((first["company"].as_i64(), first["accepted"].as_bool()), (Some(42), Some(true)));
    assert_eq!((first["provider"].as_str(), first["method"].as_str()), (Some("whaticket"), Some("POST")));
    assert_eq!((first["path"].as_str(), first["status"].as_u64()), (Some("/whaticket/7/api/messages/send"), Some(200)));
    assert_eq!(first["body"]["body"], "oi 1");
    assert!(first["at"].is_string());
    assert_eq!((lines[2]["company"].as_i64(), lines[2]["accepted"].as_bool()), (Some(7), Some(false)));
    assert_eq!(standins.ledger_since(3).len(), 1);
    standins.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_come_by_http_count_down_and_go() {
    let (standins, http) = start().await;
    let faults = format!("{}/_faults", standins.base_url());
    let url = format!("{}/api/messages/send", standins.base_url());
    let status = async |company: i64| {
        let bearer = format!("Bearer sim-{company}-x");
        let body = json!({"number": "5511987654321", "body": "oi"});
        post(&http, &url, &[("authorization", &bearer)], &body).await.status
    };
    let script = json!([
        {"provider": "whaticket", "company": 42, "kind": "status", "status": 418, "times": 2},
        {"provider": "gemini", "kind": "html"},
    ]);
    assert_eq!(post(&http, &faults, &[], &script).await.status, 200);
    assert_eq!((status(43).await, status(42).await, status(42).await, status(42).await), (200, 418, 418, 200));
    let one = json!({"provider": "whaticket", "kind": "html"});
    assert_eq!(post(&http, &faults, &[], &one).await.status, 200);
    assert_eq!(status(42).await, 502);
    standins.clear_faults();
    assert_eq!(status(42).await, 200);
    for wrong in [json!({"provider": "whaticket", "kind": "nope"}), json!([{"kind": "html"}]), json!(7)] {
        assert_eq!(post(&http, &faults, &[], &wrong).await.status, 400);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_strikes_about_that_share_and_the_same_ones_each_time() {
    let (standins, http) = start().await;
    let url = format!("{}/api/messages/send", standins.base_url());
    let mut runs = Vec::new();
    for _ in 0..2 {
        standins.clear_faults();
        standins.add_fault(Fault { share: Some(0.3), ..Fault::new(Provider::Whaticket, FaultKind::Html) });
        let mut struck = Vec::new();
        for _ in 0..100 {
            let body = json!({"number": "5511987654321", "body": "oi"});
            let answer = post(&http, &url, &[("authorization", "Bearer sim-1-x")], &body).await;
            struck.push(answer.status == 502);
        }
        runs.push(struck);
    }
    let count = runs[0].iter().filter(|struck| **struck).count();
    assert!((15..=45).contains(&count), "{count}");
    assert_eq!(runs[0], runs[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn double_braces_are_rendered_as_the_real_ones_do() {
    let (standins, http) = start().await;
    let (hook, mut echoes) = webhook().await;
    standins.register(company(&hook));
    standins.set_echo(42, true);
    let url = format!("{}/api/messages/send", standins.base_url());
    let bearer = ("authorization", "Bearer sim-42-x");
    let leak = json!({"number": "5511987654321", "body": "Oi {{name}}, {{preco}}!"});
    assert_eq!(post(&http, &url, &[bearer], &leak).await.status, 200);
    assert_eq!(echoes.recv().await.unwrap().body["message"]["conversation"], "Oi Contato, !");
    let broken = json!({"number": "5511987654321", "body": "Oi {{name"});
    assert_eq!(post(&http, &url, &[bearer], &broken).await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_multipart_trap_answers_200_and_sends_nothing() {
    let (standins, _) = start().await;
    standins.set_flavor(42, Flavor::Community);
    let form = "POST /api/messages/send HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sim-42-x\r\nConnection: close\r\n\
        Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 5\r\n\r\n--b--";
    let addr = standins.base_url().replace("http://", "");
    let answer = tokio::task::spawn_blocking(move || {
        use std::io::{Read as _, Write as _};
        let mut stream = std::net::TcpStream::connect(addr).unwrap();
        stream.write_all(form.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    });
    assert!(answer.await.unwrap().starts_with("HTTP/1.1 200"));
    assert!(!standins.ledger_since(0)[0].accepted);
}

struct Hooked {
    headers: Vec<(String, String)>,
    body: Value,
    raw: String,
}

type Inbox = Arc<Mutex<mpsc::UnboundedSender<Hooked>>>;

async fn hooked(inbox: web::Data<Inbox>, request: HttpRequest, body: String) -> HttpResponse {
    let headers = request.headers().iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    let hooked = Hooked { headers: headers.collect(), body: serde_json::from_str(&body).unwrap(), raw: body };
    inbox.lock().unwrap().send(hooked).unwrap();
    HttpResponse::Accepted().finish()
}

/// A webhook in the product's place.
async fn webhook() -> (String, mpsc::UnboundedReceiver<Hooked>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let inbox: Inbox = Arc::new(Mutex::new(sender));
    let app =
        move || App::new().app_data(web::Data::new(inbox.clone())).route("/webhook/whaticket", web::post().to(hooked));
    let server = HttpServer::new(app).workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/webhook/whaticket", server.addrs()[0]);
    tokio::spawn(server.run());
    (url, receiver)
}

fn company(webhook_url: &str) -> CompanyAtStandIn {
    CompanyAtStandIn {
        id: 42,
        webhook_url: webhook_url.to_owned(),
        host: "clinica.localhost".to_owned(),
        webhook_secret: "whk-secret".to_owned(),
        webhook_token: "whk-token".to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_text_comes_back_as_a_signed_echo_with_its_external_id() {
    let (standins, http) = start().await;
    let (hook, mut echoes) = webhook().await;
    standins.register(company(&hook));
    assert!(!format!("{:?}", company(&hook)).contains("whk-"));
    let endpoint = ChannelEndpoint {
        flavor: Flavor::Saas,
        base_url: standins.whaticket_url(42),
        token: StandIns::credential(42, "x").into(),
        connection: None,
        total_timeout: PATIENCE,
    };
    let text = OutgoingText {
        to: "5511987654321",
        body: "Olá!",
        correlation_id: "c",
        not_after: Instant::now() + Duration::from_secs(60),
    };
    send(&http, &endpoint, &text).await.unwrap();
    let on = json!({"company": 42, "on": true});
    assert_eq!(post(&http, &format!("{}/_echo", standins.base_url()), &[], &on).await.status, 200);
    let receipt = send(&http, &endpoint, &text).await.unwrap();

    // The text sent before echoes were on did not come back, so the first echo is the second text's.
    let echo = echoes.recv().await.unwrap();
    assert_eq!(echo.body["key"]["id"].as_str(), receipt.external_id.as_deref());
    assert_eq!(echo.body["key"]["fromMe"], true);
    assert_eq!(echo.body["key"]["remoteJid"], "5511987654321@s.whatsapp.net");
    assert_eq!(echo.body["message"]["conversation"], "Olá!");
    let header = |name: &str| echo.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    assert_eq!(header("host").as_deref(), Some("clinica.localhost"));
    assert_eq!(header("x-webhook-token").as_deref(), Some("whk-token"));
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(b"whk-secret").unwrap();
    mac.update(format!("{}.{}", header("x-webhook-timestamp").unwrap(), echo.raw).as_bytes());
    let signature = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    assert_eq!(header("x-webhook-signature"), Some(signature));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_echo_can_be_sent_by_hand() {
    let (standins, http) = start().await;
    let (hook, mut echoes) = webhook().await;
    let url = format!("{}/_echo", standins.base_url());
    let order = json!({"company": 42, "send": {"to": "5511987654321", "text": "Já te ligo"}});
    assert_eq!(post(&http, &url, &[], &order).await.status, 404);
    standins.register(company(&hook));
    let answer = post(&http, &url, &[], &order).await;
    let told: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(told["webhook_status"], 202);
    let echo = echoes.recv().await.unwrap();
    assert_eq!(echo.body["message"]["conversation"], "Já te ligo");
    assert_eq!(echo.body["key"]["id"], told["id"]);
}

async fn chat(standins: &StandIns, http: &HttpClient, system: &str, contents: Value) -> String {
    let url = format!("{}/v1beta/models/gemini-3.5-flash-lite:generateContent", standins.gemini_url());
    let body = json!({"systemInstruction": {"parts": [{"text": system}]}, "contents": contents});
    let answer = post(http, &url, &[("x-goog-api-key", "sim-42-x")], &body).await;
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    body["candidates"][0]["content"]["parts"][0]["text"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_model_answers_from_the_facts_it_was_given() {
    let (standins, http) = start().await;
    let system = "Você é a secretária da Clínica Sorriso.\n- Horário de funcionamento: seg a sex, 8h às 18h.\n\
        - Endereço: Rua das Flores, 10\n- Serviços e preços: limpeza R$ 150\n- Telefone: (11) 4002-8922\n";
    for (question, fact) in [
        ("oi, qual o horário de vocês?", "seg a sex, 8h às 18h"),
        ("Vocês abrem sábado?", "seg a sex, 8h às 18h"),
        ("ONDE vocês ficam?", "Rua das Flores, 10"),
        ("quanto custa uma limpeza?", "limpeza R$ 150"),
        ("qual o telefone?", "(11) 4002-8922"),
        ("oi", "Olá!"),
        ("asdf", "posso ajudar"),
    ] {
        let reply = chat(&standins, &http, system, json!([{"role": "user", "parts": [{"text": question}]}])).await;
        assert!(reply.contains(fact), "{question}: {reply}");
    }
    let burst = json!([{"role": "user", "parts": [{"text": "um"}, {"text": "dois"}, {"text": "eco: três"}]}]);
    assert_eq!(chat(&standins, &http, system, burst).await, "três (3)");
    let single = json!([{"role": "user", "parts": [{"text": "um\ndois\neco: fim"}]}]);
    assert_eq!(chat(&standins, &http, system, single).await, "fim (3)");
}

#[tokio::test(flavor = "multi_thread")]
async fn gemini_counts_tokens_lists_models_and_refuses_what_the_real_one_refuses() {
    let (standins, http) = start().await;
    let key = ("x-goog-api-key", "sim-42-x");
    let base = format!("{}/v1beta/models", standins.gemini_url());
    let models = http.get(&format!("{base}?pageSize=50"), &[key], PATIENCE, BODY_LIMIT).await.unwrap();
    assert!(models.text().contains("models/gemini-3.5-flash-lite"));
    let contents = json!({"contents": [{"role": "user", "parts": [{"text": "oi"}]}]});
    let count = post(&http, &format!("{base}/gemini-3.5-flash-lite:countTokens"), &[key], &contents).await;
    assert!(serde_json::from_slice::<Value>(&count.body).unwrap()["totalTokens"].as_u64().unwrap() > 0);

    let user = json!({"role": "user", "parts": [{"text": "oi"}]});
    let model = json!({"role": "model", "parts": [{"text": "olá"}]});
    let url = format!("{base}/gemini-3.5-flash-lite:generateContent");
    let both = [key, ("authorization", "Bearer x")];
    for (headers, body, status) in [
        (&both[..1], json!({"contents": [user]}), 200),
        (&both[..1], json!({"contents": [user, model]}), 400),
        (&both[..1], json!({"contents": []}), 400),
        (&both[..1], json!({"contents": [user], "generationConfig": {"temperature": 0.2}}), 400),
        (&both[..], json!({"contents": [user]}), 400),
        (&[], json!({"contents": [user]}), 403),
    ] {
        assert_eq!(post(&http, &url, headers, &body).await.status, status, "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_models_latency_can_be_set() {
    let (standins, http) = start().await;
    standins.set_latency(Duration::from_millis(120));
    let begun = tokio::time::Instant::now();
    chat(&standins, &http, "", json!([{"role": "user", "parts": [{"text": "oi"}]}])).await;
    assert!(begun.elapsed() >= Duration::from_millis(120));
}

#[tokio::test(flavor = "multi_thread")]
async fn they_stop_with_a_request_hanging_and_start_again_at_the_same_address() {
    let (standins, http) = start().await;
    standins.add_fault(Fault::new(Provider::Gemini, FaultKind::SilentAfterAccept));
    let (url, addr) = (standins.gemini_url(), standins.base_url().replace("http://", "").parse().unwrap());
    let hanging = tokio::spawn(async move {
        http.get(&format!("{url}/v1beta/models"), &[("x-goog-api-key", "sim-1-x")], PATIENCE, BODY_LIMIT).await
    });
    while standins.ledger_since(0).is_empty() {
        tokio::task::yield_now().await;
    }
    tokio::time::timeout(Duration::from_secs(5), standins.stop()).await.unwrap();
    assert_eq!(hanging.await.unwrap().unwrap_err().code, "reset");
    let again = StandIns::start(Clock::new(), addr).await.unwrap();
    assert_eq!(again.base_url(), format!("http://{addr}"));
    again.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_connection_that_the_peer_closed_is_simply_replaced() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (closed, mut was_closed) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            // One request per connection, without saying so, as servers with a short keep-alive do.
            let mut request = [0; 4096];
            assert!(stream.read(&mut request).await.unwrap() > 0);
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
            drop(stream);
            closed.send(()).unwrap();
        }
    });
    let http = HttpClient::new(Duration::from_secs(2)).unwrap();
    for _ in 0..20 {
        assert_eq!(http.post_json(&url, &[], b"{}".to_vec(), PATIENCE, BODY_LIMIT).await.unwrap().status, 200);
        was_closed.recv().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_bounded_and_redirects_are_not_followed() {
    let (standins, http) = start().await;
    let url = format!("{}/api/messages/send", standins.base_url());
    standins.add_fault(Fault::status(Provider::Whaticket, 200, "x".repeat(3_000)).times(1));
    let answer = http.post_json(&url, &[], b"{}".to_vec(), PATIENCE, 1_000).await.unwrap();
    assert_eq!((answer.body.len(), answer.cut), (1_000, Some(secretaria::clients::http::BodyCut::Limit)));
    let mut moved = Fault::status(Provider::Whaticket, 307, "");
    moved.headers.insert("location".to_owned(), format!("{}/_ledger", standins.base_url()));
    standins.add_fault(moved);
    assert_eq!(post(&http, &url, &[], &json!({})).await.status, 307);
}

#[test]
fn waits_are_read_in_every_spelling() {
    let now = "2026-11-25T12:00:00Z".parse().unwrap();
    let seconds = |n| Some(Duration::from_secs(n));
    for (value, wait) in [
        ("0", seconds(0)),
        (" 120 ", seconds(120)),
        ("Wed, 25 Nov 2026 12:01:30 GMT", seconds(90)),
        ("Wed, 25 Nov 2026 11:00:00 GMT", seconds(0)),
        ("99999999999999999999", seconds(86_400)),
        ("inf", seconds(86_400)),
        ("-1", None),
        ("NaN", None),
        ("", None),
        ("tomorrow", None),
    ] {
        assert_eq!(hints::retry_after(value, now), wait, "{value}");
    }
    assert_eq!(hints::retry_after_ms("1500"), Some(Duration::from_millis(1_500)));
    assert_eq!(hints::proto_duration("1.5s"), Some(Duration::from_millis(1_500)));
    assert_eq!(hints::proto_duration("38"), None);
}

#[test]
fn words_of_providers_are_made_fit_for_the_log() {
    for (said, shown) in [
        ("number 5511987654321 unknown", "number [number] unknown"),
        ("+55 (11) 98765-4321", "+[number]"),
        ("HTTP 502 at 127.0.0.1", "HTTP 502 at 127.0.0.1"),
        ("key=\"AIzaSyA0123456789abcdefghijklmnop\"", "key=\"***\""),
        ("linha\r\nfalsa\u{0}", "linha falsa"),
        ("model gemini-3.5-flash-lite", "model gemini-3.5-flash-lite"),
    ] {
        assert_eq!(hints::redact(said, &[]), shown);
    }
    assert_eq!(hints::redact("token t0k3n", &["t0k3n"]), "token ***");
}
