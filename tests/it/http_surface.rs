//! What every route owes its caller, whatever the route: walked from the route table, over real connections.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{HttpRequest, HttpResponse, web};
use futures::future::BoxFuture;
use proptest::prelude::*;
use secretaria::config::{CompanySeries, LogFormat, LogSettings, MetricsSettings, ServerSettings};
use secretaria::routes::client_ip::{ClientIp, TrustedProxies};
use secretaria::routes::correlation::{self, CorrelationId};
use secretaria::routes::flood::Flood;
use secretaria::routes::ops::{self, Check, Checks, OpsState};
use secretaria::routes::{Access, ApiError, BodyError, ROUTES, Role, read_body, routes_of, server};
use secretaria::telemetry::{logging, metrics};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const ROLES: [Role; 4] = [Role::Serve, Role::Work, Role::Schedule, Role::Demo];
const TOKEN: &str = "metrics-token-0123456789abcdef";

/// Dependencies that are as the test says.
struct Scripted(Vec<Check>);

impl Checks for Scripted {
    fn run(&self) -> BoxFuture<'_, Vec<Check>> {
        Box::pin(async { self.0.clone() })
    }
}

fn check(component: &'static str, ok: bool, required: bool) -> Check {
    Check { component, ok, required, latency_ms: 3, detail: "always".into() }
}

struct Site {
    address: SocketAddr,
    draining: Arc<AtomicBool>,
    handle: ServerHandle,
}

/// A server of that role with routes of the test's own beside the table's: `/test/body`, `/test/fail`, `/test/who`.
async fn site(role: Role, checks: Vec<Check>) -> Site {
    let series = CompanySeries::Active;
    let settings = MetricsSettings { bind: String::new(), company_series: series, idle_minutes: 15, token: "".into() };
    let draining = Arc::new(AtomicBool::new(false));
    let state = OpsState {
        role,
        metrics: metrics::install(&settings).unwrap(),
        checks: Arc::new(Scripted(checks)),
        draining: Arc::clone(&draining),
        metrics_token: TOKEN.into(),
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let running = server(listener, &server_settings(), move |cfg| {
        ops::configure(cfg, state.clone());
        cfg.route("/test/body", web::post().to(body)).route("/test/fail", web::get().to(fail));
        cfg.route("/test/who", web::get().to(who));
    })
    .unwrap();
    let handle = running.handle();
    tokio::spawn(running);
    Site { address, draining, handle }
}

fn server_settings() -> ServerSettings {
    ServerSettings {
        bind: String::new(),
        threads: 1,
        trusted_proxies: vec!["127.0.0.0/8".into(), "10.0.0.7".into()],
        body_limit_bytes: 1024,
        header_limit_bytes: 16 * 1024,
        body_timeout_ms: 300,
        header_timeout_ms: 2_000,
        keep_alive_ms: 2_000,
        max_connections: 64,
        peer_flood_per_second: 5_000,
        linger_ms: 0,
    }
}

async fn body(req: HttpRequest, payload: web::Payload) -> Result<HttpResponse, ApiError> {
    let settings = server_settings();
    let timeout = Duration::from_millis(settings.body_timeout_ms);
    match read_body(&req, payload, settings.body_limit_bytes, timeout).await {
        Ok(bytes) => Ok(HttpResponse::Ok().body(bytes.len().to_string())),
        Err(error) => {
            let (status, code) = match error {
                BodyError::TooLarge => (413, "too_large"),
                BodyError::Timeout => (408, "timeout"),
                BodyError::Broken => (400, "broken"),
            };
            Err(ApiError::webhook(status.try_into().unwrap(), code).closing())
        }
    }
}

async fn fail() -> Result<HttpResponse, ApiError> {
    Err(ApiError::internal("the-cause-of-the-failure"))
}

async fn who(client: ClientIp, id: CorrelationId) -> HttpResponse {
    HttpResponse::Ok().body(format!("{} {}", client.0, id.0))
}

struct Answer {
    status: u16,
    headers: BTreeMap<String, Vec<String>>,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |values| &values[0])
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Asserts what every answer must have.
    fn assert_dressed(&self, what: &str) {
        let expected = [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
        ];
        for (name, value) in expected {
            assert_eq!(self.header(name), value, "{what}: {name}");
        }
        assert!(self.header("content-security-policy").starts_with("default-src 'none'; script-src 'self'"), "{what}");
        assert!(self.header("content-security-policy").contains("frame-ancestors 'none'"), "{what}");
        assert!(self.header("strict-transport-security").starts_with("max-age="), "{what}");
        assert!(!self.header("permissions-policy").is_empty(), "{what}");
        assert!(correlation::well_formed(self.header("x-correlation-id")), "{what}: no correlation id");
        assert!(self.headers.values().all(|values| values.len() == 1), "{what}: a header twice: {:?}", self.headers);
    }
}

impl Site {
    /// Sends exactly these bytes and reads until the server closes.
    async fn raw(&self, request: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer to {request:?}: {text:?}"));
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
            headers.entry(name.to_lowercase()).or_default().push(value.to_owned());
        }
        Answer { status, headers, body: body.to_owned() }
    }

    async fn ask(&self, method: &str, path: &str, headers: &str) -> Answer {
        self.raw(&format!("{method} {path} HTTP/1.1\r\nHost: clinica.test\r\nConnection: close\r\n{headers}\r\n")).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "").await
    }

    async fn stop(self) {
        self.handle.stop(false).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_method_on_every_route_of_every_role_is_answered_with_the_common_headers() {
    for role in ROLES {
        let site = site(role, vec![check("redis", true, true)]).await;
        for route in ROUTES {
            for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
                let path = route.path.replace("{id}", "0190a6f2-7c11-7a52-8f3e-5d1f6a0b9c77");
                let answer = site.ask(method, &path, "").await;
                let what = format!("{role:?} {method} {}", route.path);
                answer.assert_dressed(&what);
                let here = || routes_of(role).filter(|other| other.path == route.path);
                let served = here().any(|r| r.method == *method || (method == "HEAD" && r.method == "GET"));
                match (here().next().is_some(), served) {
                    (false, _) => assert_eq!(answer.status, 404, "{what}"),
                    (true, true) => assert!(![404, 405].contains(&answer.status), "{what}: {}", answer.status),
                    (true, false) => {
                        assert_eq!(answer.status, 405, "{what}");
                        assert!(here().all(|r| answer.header("allow").contains(r.method.as_str())), "{what}");
                        // Senders of webhooks know errors by another field.
                        let field = if route.access == Access::Webhook { "error" } else { "code" };
                        let said = if method == "HEAD" { Value::Null } else { answer.json()[field].clone() };
                        assert!(method == "HEAD" || said == "method_not_allowed", "{what}: {said}");
                    }
                }
            }
        }
        site.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_path_and_a_failure_say_no_more_than_a_code_and_the_correlation_id() {
    let site = site(Role::Serve, vec![]).await;
    for (path, status, code) in [("/nope/5511987654321", 404, "not_found"), ("/test/fail", 500, "internal")] {
        let answer = site.get(path).await;
        answer.assert_dressed(path);
        assert_eq!((answer.status, answer.header("content-type")), (status, "application/problem+json"));
        assert_eq!(answer.json()["code"], code);
        assert_eq!(answer.json()["correlation_id"], answer.header("x-correlation-id"));
        assert!(!answer.body.contains("cause") && !answer.body.contains("5511987654321"), "{}", answer.body);
    }
    let webhook = site.ask("POST", "/webhook/nobody", "Content-Length: 0\r\n").await;
    assert_eq!((webhook.status, webhook.body.as_str()), (404, r#"{"error":"not_found"}"#));
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_missing_doubled_or_contradicted_is_refused() {
    let site = site(Role::Serve, vec![]).await;
    let tail = "Connection: close\r\n\r\n";
    // The HTTP parser already refuses these, before any route and without a body.
    for head in [
        "GET /healthz HTTP/1.1\r\nHost: a.test\r\nHost: b.test\r\n",
        "GET /healthz HTTP/1.1\r\nHost: a.test\r\nHost: a.test\r\n",
        "GET /healthz HTTP/1.1\r\n",
    ] {
        let answer = site.raw(&format!("{head}{tail}")).await;
        assert_eq!((answer.status, answer.body.as_str()), (400, ""), "{head:?}");
    }
    for head in [
        "GET /healthz HTTP/1.0\r\n",
        "GET /healthz HTTP/1.1\r\nHost:\r\n",
        "GET http://b.test/healthz HTTP/1.1\r\nHost: a.test\r\n",
    ] {
        let answer = site.raw(&format!("{head}{tail}")).await;
        answer.assert_dressed(head);
        assert_eq!(answer.status, 400, "{head:?}");
        assert_eq!(answer.json()["code"], "bad_host", "{head:?}");
    }
    assert_eq!(site.raw(&format!("GET http://a.test/healthz HTTP/1.1\r\nHost: a.test\r\n{tail}")).await.status, 200);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_over_the_limit_are_refused_and_below_it_served() {
    let site = site(Role::Serve, vec![]).await;
    let many =
        |bytes: usize| (0..16).map(|n| format!("X-Filler-{n:02}: {}\r\n", "x".repeat(bytes))).collect::<String>();
    let answer = site.ask("GET", "/healthz", &many(1100)).await;
    answer.assert_dressed("431");
    assert_eq!((answer.status, answer.json()["code"].as_str()), (431, Some("headers_too_large")));
    assert_eq!(site.ask("GET", "/healthz", &many(900)).await.status, 200);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_well_formed_correlation_id_is_kept_and_any_other_replaced() {
    let site = site(Role::Serve, vec![]).await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let kept = [
        ("X-Correlation-ID: order-2027.01:a_b\r\n".to_owned(), "order-2027.01:a_b"),
        ("X-Request-ID: req-12345678\r\n".to_owned(), "req-12345678"),
        (format!("traceparent: 00-{trace}-00f067aa0ba902b7-01\r\n"), trace),
        ("X-Correlation-ID: bad id here\r\nX-Request-ID: req-12345678\r\n".to_owned(), "req-12345678"),
    ];
    for (header, id) in &kept {
        let answer = site.ask("GET", "/test/who", header).await;
        assert_eq!(answer.header("x-correlation-id"), *id, "{header:?}");
        assert_eq!(answer.body, format!("127.0.0.1 {id}"), "the handler sees the same");
    }
    let zero = format!("traceparent: 00-{}-00f067aa0ba902b7-01", "0".repeat(32));
    let long = format!("X-Correlation-ID: {}", "a".repeat(129));
    for header in ["X-Correlation-ID: short", "X-Correlation-ID: <script>alert(1)</script>", &zero, &long] {
        let answer = site.ask("GET", "/healthz", &format!("{header}\r\n")).await;
        let id = answer.header("x-correlation-id");
        assert_eq!(uuid::Uuid::parse_str(id).unwrap().get_version_num(), 7, "{header:?} gave {id}");
    }
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_for_loopback_or_the_token() {
    assert!(ROUTES.iter().any(|route| route.path == "/metrics" && route.access == Access::Metrics));
    let site = site(Role::Work, vec![]).await;
    let page = site.get("/metrics").await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").starts_with("text/plain; version=0.0.4"));
    assert!(page.body.contains("secretaria_build_info{version="));

    let outside = "X-Forwarded-For: 203.0.113.9\r\n";
    for (header, status) in [
        (outside.to_owned(), 403),
        ("X-Forwarded-For: 127.0.0.1\r\n".to_owned(), 403),
        ("Forwarded: for=127.0.0.1\r\n".to_owned(), 403),
        (format!("{outside}Authorization: Bearer {TOKEN}x\r\n"), 403),
        (format!("{outside}Authorization: Basic {TOKEN}\r\n"), 403),
        (format!("{outside}Authorization: Bearer \r\n"), 403),
        (format!("{outside}Authorization: Bearer {TOKEN}\r\n"), 200),
    ] {
        let answer = site.ask("GET", "/metrics", &header).await;
        assert_eq!(answer.status, status, "{header:?}");
        assert_eq!(answer.body.contains("secretaria_"), status == 200, "{header:?}");
    }
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_names_every_dependency_and_fails_only_for_required_ones() {
    for (checks, code, status) in [
        (vec![check("redis", true, true), check("llm", true, false)], 200, "ready"),
        (vec![check("redis", true, true), check("llm", false, false)], 200, "degraded"),
        (vec![check("redis", false, true), check("llm", true, false)], 503, "unavailable"),
    ] {
        let site = site(Role::Serve, checks).await;
        let answer = site.get("/readyz").await;
        let json = answer.json();
        assert_eq!((answer.status, json["status"].as_str()), (code, Some(status)));
        assert_eq!(json["checks"][0]["component"], "redis");
        assert_eq!((&json["checks"][0]["latency_ms"], &json["checks"][0]["detail"]), (&3.into(), &"always".into()));
        assert_eq!(site.get("/healthz").await.status, 200, "a living process with a dead dependency is not restarted");
        site.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draining_process_is_alive_and_not_ready() {
    let site = site(Role::Serve, vec![check("redis", true, true)]).await;
    assert_eq!(site.get("/readyz").await.status, 200);
    site.draining.store(true, Ordering::Release);
    let answer = site.get("/readyz").await;
    assert_eq!((answer.status, answer.json()["status"].as_str()), (503, Some("draining")));
    assert_eq!(site.get("/healthz").await.status, 200);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_bounded_in_size_and_time() {
    let site = site(Role::Serve, vec![]).await;
    let post = |head: &str, body: &str| {
        format!("POST /test/body HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n{head}\r\n\r\n{body}")
    };
    let fits = site.raw(&post("Content-Length: 1024", &"x".repeat(1024))).await;
    assert_eq!((fits.status, fits.body.as_str()), (200, "1024"));
    let announced = site.raw(&post("Content-Length: 1025", "")).await;
    assert_eq!((announced.status, announced.body.as_str()), (413, r#"{"error":"too_large"}"#));
    let chunked = format!("800\r\n{}\r\n0\r\n\r\n", "x".repeat(0x800));
    assert_eq!(site.raw(&post("Transfer-Encoding: chunked", &chunked)).await.status, 413);
    let slow = site.raw(&post("Content-Length: 10", "12345")).await;
    assert_eq!((slow.status, slow.body.as_str()), (408, r#"{"error":"timeout"}"#));
    slow.assert_dressed("408");
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_logged_once_with_its_cause_and_correlation_id() {
    logging::silence_stderr(true);
    logging::install(&LogSettings { format: LogFormat::Json, filter: "info".into() }, false).unwrap();
    let capture = logging::capture();
    let site = site(Role::Serve, vec![]).await;
    site.ask("GET", "/test/fail?token=sigilo", "X-Correlation-ID: fail-once-0001\r\n").await;
    site.stop().await;
    let lines: Vec<Value> = capture.lines().iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let own: Vec<&Value> = lines.iter().filter(|line| line["correlation_id"] == "fail-once-0001").collect();
    let failures: Vec<&&Value> = own.iter().filter(|line| line["level"] == "ERROR").collect();
    assert_eq!(failures.len(), 1, "{own:?}");
    assert_eq!(failures[0]["cause"], "the-cause-of-the-failure");
    let ended = own.iter().find(|line| line["message"] == "request ended").unwrap();
    assert_eq!((&ended["status"], &ended["route"]), (&500.into(), &"/test/fail".into()));
    assert!(!capture.text().contains("sigilo"), "a query is never logged");
}

#[test]
fn only_trusted_proxies_speak_for_their_clients() {
    let proxies = TrustedProxies::parse(&["10.0.0.0/8".into(), "2001:db8::/32".into(), "192.0.2.1".into()]).unwrap();
    let client = |peer: &str, forwarded: &str| {
        let mut headers = actix_web::http::header::HeaderMap::new();
        for line in forwarded.split('\n').filter(|line| !line.is_empty()) {
            headers.append("x-forwarded-for".parse().unwrap(), line.parse().unwrap());
        }
        proxies.client(peer.parse().unwrap(), &headers).to_string()
    };
    assert_eq!(client("198.51.100.5", "203.0.113.9"), "198.51.100.5", "a stranger's word");
    assert_eq!(client("10.1.2.3", ""), "10.1.2.3");
    assert_eq!(client("10.1.2.3", "203.0.113.9"), "203.0.113.9");
    assert_eq!(client("10.1.2.3", "1.1.1.1, 203.0.113.9, 10.9.9.9"), "203.0.113.9", "rightmost that is not ours");
    assert_eq!(client("10.1.2.3", "1.1.1.1\n203.0.113.9"), "203.0.113.9", "several lines are one list");
    assert_eq!(client("10.1.2.3", "203.0.113.9, not-an-address"), "10.1.2.3", "what cannot be read ends the walk");
    assert_eq!(client("2001:db8::1", "[2001:4860::8]:443"), "2001:4860::8");
    assert_eq!(client("::ffff:10.1.2.3", "203.0.113.9:1234"), "203.0.113.9", "both spellings of one address");
    for bad in ["10.0.0.0/33", "10.0.0/8", "proxy.test", "::/129", ""] {
        let error = TrustedProxies::parse(&[bad.into()]).unwrap_err();
        assert!(error.contains(&format!("{bad:?}")), "{error}");
    }
}

#[test]
fn a_flood_from_one_address_stops_and_leaves_the_others_alone() {
    let flood = Flood::new(5);
    let ip = |text: &str| text.parse().unwrap();
    assert!((0..5).all(|_| flood.check(ip("203.0.113.9")).is_ok()));
    let wait = flood.check(ip("203.0.113.9")).unwrap_err();
    assert!(wait > Duration::ZERO && wait <= Duration::from_secs(1), "{wait:?}");
    assert!(flood.check(ip("203.0.113.10")).is_ok());
    assert!((0..5).all(|n| flood.check(ip(&format!("2001:db8::{n}"))).is_ok()));
    assert!(flood.check(ip("2001:db8::ffff")).is_err(), "a /64 is one neighbour");
    assert!(flood.check(ip("2001:db8:0:1::1")).is_ok());
    flood.sweep();
    assert!(flood.check(ip("203.0.113.9")).is_err(), "a sweep forgives nobody");
}

proptest! {
    #[test]
    fn no_correlation_id_can_end_a_header_or_a_line(id in ".{0,160}") {
        if correlation::well_formed(&id) {
            prop_assert!(id.is_ascii() && !id.contains(['\r', '\n', '\0', ' ', '"', '<']));
            prop_assert!((8..=128).contains(&id.len()));
        }
    }
}
