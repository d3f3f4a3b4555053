//! Sending through Whaticket: every row of its error tables, and what is certain after which trouble.

use std::time::Duration;

use tokio::time::Instant;

use proptest::prelude::*;
use secretaria::clients::channel::whaticket::outbound::defuse_mustache;
use secretaria::clients::channel::whaticket::{self, Flavor};
use secretaria::clients::channel::{ChannelEndpoint, OutgoingText, Receipt};
use secretaria::clients::http::HttpClient;
use secretaria::clients::{WireError, WireErrorKind};
use secretaria::clock::Clock;
use secretaria::standins::{Fault, FaultKind, Provider, StandIns};
use serde_json::{Value, json};

const FLAVORS: [Flavor; 3] = [Flavor::Community, Flavor::Saas, Flavor::Hosted];
const NUMBER: &str = "5511987654321";

struct Shop {
    standins: StandIns,
    http: HttpClient,
    endpoint: ChannelEndpoint,
}

impl Shop {
    async fn open(flavor: Flavor) -> Self {
        let standins = StandIns::start(Clock::new(), "127.0.0.1:0".parse().unwrap()).await.unwrap();
        standins.set_flavor(42, flavor);
        let endpoint = ChannelEndpoint {
            flavor,
            base_url: standins.whaticket_url(42),
            token: StandIns::credential(42, "k3y").into(),
            connection: match flavor {
                Flavor::Community => Some("7".to_owned()),
                Flavor::Saas => None,
                Flavor::Hosted => Some("2f1c8a4e-0000-4000-8000-000000000001".to_owned()),
            },
            total_timeout: Duration::from_secs(10),
        };
        Self { standins, http: HttpClient::new(Duration::from_secs(2)).unwrap(), endpoint }
    }

    async fn send(&self, to: &str, body: &str) -> Result<Receipt, WireError> {
        self.send_until(to, body, Instant::now() + Duration::from_secs(60)).await
    }

    async fn send_until(&self, to: &str, body: &str, not_after: Instant) -> Result<Receipt, WireError> {
        let text = OutgoingText { to, body, correlation_id: "corr-1", not_after };
        whaticket::send(&self.http, &self.endpoint, &text).await
    }

    async fn refused(&self) -> WireError {
        self.send(NUMBER, "Olá!").await.unwrap_err()
    }

    fn answers(&self, status: u16, body: impl Into<Value>) {
        self.standins.clear_faults();
        self.standins.add_fault(Fault::status(Provider::Whaticket, status, body));
    }

    fn suffers(&self, kind: FaultKind) {
        self.standins.clear_faults();
        self.standins.add_fault(Fault::new(Provider::Whaticket, kind));
    }

    /// Asserts what each status and body means.
    async fn check(&self, rows: &[(u16, Value, WireErrorKind, &str)]) {
        for (status, body, kind, code) in rows {
            self.answers(*status, body.clone());
            let error = self.refused().await;
            assert_eq!((error.kind, error.code, error.status), (*kind, *code, Some(*status)), "{status} {body}");
            assert_eq!(error.surely_not_sent(), *kind != WireErrorKind::Unknown);
        }
    }
}

fn error(text: &str) -> Value {
    json!({"error": text})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_leaves_in_the_words_of_each_flavor() {
    let sent = [
        json!({"number": NUMBER, "body": "Olá!", "whatsappId": 7}),
        json!({"number": NUMBER, "body": "Olá!"}),
        json!({"whatsappId": "2f1c8a4e-0000-4000-8000-000000000001", "messages": [{"number": NUMBER, "body": "Olá!"}]}),
    ];
    for (flavor, sent) in FLAVORS.into_iter().zip(sent) {
        let shop = Shop::open(flavor).await;
        let receipt = shop.send("+55 (11) 98765-4321", "Olá!").await.unwrap();
        let ledger = shop.standins.ledger_since(0);
        assert_eq!(ledger.len(), 1);
        let entry = &ledger[0];
        assert_eq!((entry.accepted, entry.status, entry.company), (true, Some(200), Some(42)));
        assert_eq!(entry.body, sent);
        assert_eq!(entry.headers["content-type"], "application/json");
        assert_eq!(entry.headers["x-correlation-id"], "corr-1");
        assert_eq!(entry.headers["authorization"], "[hidden]");
        assert!(entry.headers["user-agent"].starts_with("secretaria/"));
        // A stock community install tells no id.
        assert_eq!(receipt.external_id.is_some(), flavor != Flavor::Community);
        assert!(receipt.external_id.is_none() || receipt.external_id == entry.external_id);
        shop.standins.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn any_2xx_is_an_acceptance_and_the_id_is_found_where_forks_put_it() {
    let shop = Shop::open(Flavor::Saas).await;
    let rows = [
        (200, json!({"mensagem": "Mensagem enviada"}), None),
        (200, json!({"mensagem": "Message added to queue"}), None),
        (200, json!({"status": "SUCCESS"}), None),
        (202, json!("<html>ok</html>"), None),
        (204, json!(""), None),
        (200, json!({"id": "A", "messageId": "B"}), Some("A")),
        (201, json!({"id": 7, "messageId": "B"}), Some("B")),
        (200, json!({"message": {"id": "C"}}), Some("C")),
        (200, json!({"key": {"id": "D"}}), Some("D")),
        (200, json!({"data": {"key": {"id": "E"}}}), Some("E")),
    ];
    for (status, body, id) in rows {
        shop.answers(status, body.clone());
        assert_eq!(shop.send(NUMBER, "Olá!").await.unwrap().external_id.as_deref(), id, "{body}");
    }
    for kind in [FaultKind::Garbage, FaultKind::Empty, FaultKind::Truncated] {
        shop.suffers(kind);
        assert_eq!(shop.send(NUMBER, "Olá!").await.unwrap().external_id, None, "{kind:?}");
    }
    assert!(shop.standins.ledger_since(0).iter().all(|entry| entry.accepted));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_community_project_refuses() {
    use WireErrorKind::*;
    let shop = Shop::open(Flavor::Community).await;
    let token = "Invalid token. We'll try to assign a new one on next request";
    shop.check(&[
        (401, error("ERR_SESSION_EXPIRED"), Auth, "bad_token"),
        (403, error(token), Auth, "bad_token"),
        (400, error("Invalid number format. Only numbers is allowed."), Invalid, "bad_number"),
        (400, error("ERR_WAPP_INVALID_CONTACT"), Invalid, "no_whatsapp"),
        (400, error("ERR_WAPP_CHECK_CONTACT"), Unavailable, "phone_disconnected"),
        (400, error("ERR_NO_DEF_WAPP_FOUND"), Unavailable, "phone_disconnected"),
        (400, error("ERR_WAPP_NOT_INITIALIZED"), Unavailable, "phone_disconnected"),
        (400, error("ERR_SENDING_WAPP_MSG"), Unknown, "send_failed"),
        (400, error("ERR_CREATING_MESSAGE"), Unknown, "send_failed"),
        (404, error("ERR_NO_TICKET_FOUND"), Unavailable, "no_ticket"),
        (404, json!("<pre>Cannot POST</pre>"), Auth, "wrong_url"),
        (500, error("Internal server error"), Unknown, "server_error"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_saas_forks_refuse() {
    use WireErrorKind::*;
    let shop = Shop::open(Flavor::Saas).await;
    shop.check(&[
        (401, error("Acesso não permitido"), Auth, "bad_token"),
        (401, error("ERR_UNAUTHORIZED"), Auth, "bad_token"),
        (403, error("Forbidden"), Auth, "bad_token"),
        (402, error("ERR_SUBSCRIPTION_EXPIRED"), Auth, "subscription"),
        (404, error("ERR_WHATSAPP_NOT_FOUND"), Auth, "connection_gone"),
        (400, error("O número é obrigatório"), Invalid, "bad_number"),
        (400, json!({"error": "x", "message": "invalid number"}), Unavailable, "refused"),
        (400, json!({"message": "invalid number"}), Invalid, "bad_number"),
        (400, error("ERR_WAPP_INVALID_CONTACT"), Invalid, "no_whatsapp"),
        (400, error("Não foi possível realizar a operação"), Unavailable, "refused"),
        (400, error("Não foi possível enviar a mensagem, tente novamente em alguns instantes"), Unavailable, "refused"),
        (400, error("ERR_SYNTAX"), Unavailable, "refused"),
        (400, json!("<html>number</html>"), Unavailable, "refused"),
        (500, error("ERR_INTERNAL_ERROR"), Unknown, "server_error"),
        (502, json!("<html>bad gateway</html>"), Unknown, "server_error"),
        (503, json!("<html>unavailable</html>"), Unavailable, "overloaded"),
        (504, json!(""), Unknown, "server_error"),
        (302, json!(""), Auth, "wrong_url"),
        (413, json!(""), Invalid, "bad_request"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_hosted_product_refuses() {
    use WireErrorKind::*;
    let mut shop = Shop::open(Flavor::Hosted).await;
    shop.check(&[
        (401, json!("<?xml version=\"1.0\"?><error>Unauthorized</error>"), Auth, "bad_token"),
        (500, json!("<html>oops</html>"), Unknown, "server_error"),
    ])
    .await;
    shop.standins.clear_faults();
    shop.endpoint.connection = None;
    let error = shop.refused().await;
    assert_eq!((error.kind, error.code), (Auth, "connection_missing"));
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_tokens_are_refused_by_the_stand_in_of_every_flavor() {
    for flavor in FLAVORS {
        let mut shop = Shop::open(flavor).await;
        shop.endpoint.token = "not-issued-here".into();
        let error = shop.refused().await;
        assert_eq!((error.kind, error.code), (WireErrorKind::Auth, "bad_token"), "{flavor:?}");
        assert!(!format!("{error} {error:?}").contains("not-issued-here"));
        shop.endpoint.token = "line\nbreak".into();
        let error = shop.refused().await;
        assert_eq!((error.kind, error.code), (WireErrorKind::Auth, "bad_header"), "{flavor:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_requests_wait_as_long_as_asked_or_thirty_seconds() {
    let shop = Shop::open(Flavor::Saas).await;
    let throttled = Fault::status(Provider::Whaticket, 429, error("slow down"));
    for (retry_after, header, wait) in [
        (None, None, 30_000),
        (Some(json!(7)), None, 7_000),
        (Some(json!(7)), Some("1500"), 1_500),
        (Some(json!("soon")), None, 30_000),
    ] {
        shop.standins.clear_faults();
        let headers = header.map(|ms: &str| ("retry-after-ms".to_owned(), ms.to_owned())).into_iter().collect();
        shop.standins.add_fault(Fault { retry_after, headers, ..throttled.clone() });
        let error = shop.refused().await;
        assert_eq!((error.kind, error.code), (WireErrorKind::RateLimited, "rate_limited"));
        assert_eq!(error.retry_after, Some(Duration::from_millis(wait)));
    }
    // A date counts from the answer's own date, however wrong that server's clock is.
    shop.standins.clear_faults();
    let mut skewed =
        Fault { retry_after: Some(json!("Fri, 02 Jan 2015 00:02:00 GMT")), status: Some(503), ..throttled };
    skewed.headers.insert("date".to_owned(), "Fri, 02 Jan 2015 00:00:00 GMT".to_owned());
    shop.standins.add_fault(skewed);
    assert_eq!(shop.refused().await.retry_after, Some(Duration::from_secs(120)));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_first_byte_nobody_knows() {
    let mut shop = Shop::open(Flavor::Saas).await;
    shop.endpoint.total_timeout = Duration::from_millis(150);
    let late = Fault { delay_ms: Some(5_000), ..Fault::new(Provider::Whaticket, FaultKind::Delay) };
    shop.standins.add_fault(late);
    let error = shop.refused().await;
    assert_eq!((error.kind, error.code), (WireErrorKind::Unknown, "timeout"));
    shop.suffers(FaultKind::SilentAfterAccept);
    assert_eq!(shop.refused().await.code, "timeout");
    shop.endpoint.total_timeout = Duration::from_secs(10);
    for kind in [FaultKind::ResetAfterAccept, FaultKind::ResetBefore] {
        shop.suffers(kind);
        let error = shop.refused().await;
        assert_eq!((error.kind, error.code), (WireErrorKind::Unknown, "reset"), "{kind:?}: {}", error.detail);
    }
    let done: Vec<_> = shop.standins.ledger_since(0).iter().map(|entry| entry.accepted).collect();
    assert_eq!(done, [true, true, true, false], "one request each, none repeated");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_that_came_is_an_acceptance_even_if_its_body_drips_too_long() {
    let mut shop = Shop::open(Flavor::Saas).await;
    shop.endpoint.total_timeout = Duration::from_millis(300);
    shop.standins.add_fault(Fault { delay_ms: Some(60), ..Fault::new(Provider::Whaticket, FaultKind::Drip) });
    assert_eq!(shop.send(NUMBER, "Olá!").await.unwrap(), Receipt { external_id: None });
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_connection_it_was_surely_not_sent() {
    let mut shop = Shop::open(Flavor::Saas).await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    shop.endpoint.base_url = format!("http://{closed}");
    let error = shop.refused().await;
    assert_eq!((error.kind, error.code), (WireErrorKind::Unavailable, "connect"));
    assert!(error.surely_not_sent());

    shop.endpoint.base_url = "http://nowhere.invalid".to_owned();
    let error = shop.refused().await;
    assert_eq!((error.kind, error.code), (WireErrorKind::Unavailable, "dns"));

    // The stand-in speaks plain HTTP, so a TLS handshake with it fails.
    shop.endpoint.base_url = shop.standins.whaticket_url(42).replace("http://", "https://");
    let error = shop.refused().await;
    assert_eq!((error.kind, error.code), (WireErrorKind::Unavailable, "tls"), "{}", error.detail);

    shop.endpoint.base_url = "whaticket without scheme".to_owned();
    let error = shop.refused().await;
    assert_eq!((error.kind, error.code), (WireErrorKind::Auth, "bad_url"));
    assert!(shop.standins.ledger_since(0).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn hidden_numbers_never_become_made_up_telephones() {
    for flavor in FLAVORS {
        let shop = Shop::open(flavor).await;
        let sent = shop.send("123456789012345@lid", "Olá!").await;
        if flavor == Flavor::Saas {
            sent.unwrap();
            assert_eq!(shop.standins.ledger_since(0)[0].body["number"], "123456789012345@lid");
        } else {
            let error = sent.unwrap_err();
            assert_eq!((error.kind, error.code), (WireErrorKind::Invalid, "hidden_number"));
            assert!(shop.standins.ledger_since(0).is_empty());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_without_whatsapp_is_told_as_such() {
    for flavor in [Flavor::Community, Flavor::Saas] {
        let shop = Shop::open(flavor).await;
        let error = shop.send("5500987654321", "Olá!").await.unwrap_err();
        assert_eq!((error.kind, error.code), (WireErrorKind::Invalid, "no_whatsapp"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn braces_arrive_as_text_and_never_as_a_tag() {
    for flavor in FLAVORS {
        let shop = Shop::open(flavor).await;
        shop.send(NUMBER, "Oi {{name}}, {{{x}}} e {{").await.unwrap();
        let sent = shop.standins.ledger_since(0)[0].body.to_string();
        assert!(!sent.contains("{{") && sent.contains("Oi { {name}}"), "{sent}");
    }
}

proptest! {
    #[test]
    fn no_double_brace_survives_and_a_second_pass_changes_nothing(text in "[{} a-zç]{0,40}") {
        let once = defuse_mustache(&text).into_owned();
        prop_assert!(!once.contains("{{"));
        prop_assert_eq!(defuse_mustache(&once).into_owned(), once.clone());
        prop_assert_eq!(once.replace(' ', ""), text.replace(' ', ""));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn error_details_are_short_and_name_nobody() {
    let shop = Shop::open(Flavor::Saas).await;
    let token = "sim-42-k3y";
    shop.answers(500, error(&format!("{token} 5511987654321 +55 (11) 98765-4321 Olá! {}", "x ".repeat(2_000))));
    let error = shop.refused().await;
    for secret in [token, "98765", "4321", "Olá!"] {
        assert!(!error.detail.contains(secret), "{secret} in {}", error.detail);
    }
    assert!(error.detail.chars().count() <= 512);
}

#[tokio::test]
async fn nothing_leaves_after_its_time_neither_on_a_new_nor_on_a_kept_connection() {
    let shop = Shop::open(Flavor::Saas).await;
    for kept in [false, true] {
        let error = shop.send_until(NUMBER, "tarde demais", Instant::now()).await.unwrap_err();
        assert_eq!(error.code, "too_late", "kept: {kept}");
        assert!(error.surely_not_sent());
        shop.send(NUMBER, "a tempo").await.unwrap();
    }
    let arrived = shop.standins.ledger_since(0);
    assert_eq!(arrived.len(), 2, "{arrived:?}");
}
