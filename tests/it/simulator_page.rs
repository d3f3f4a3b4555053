//! The simulator's page, against a backend that remembers what it was asked.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use actix_web::body::to_bytes;
use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;
use actix_web::{App, test};
use futures::future::{BoxFuture, FutureExt, ready};
use proptest::prelude::*;
use regex::Regex;
use secretaria::routes::simulator::backend::{
    Bubble, SentWebhook, SimCompany, SimPerson, SimulatorBackend, Stage, Tick, Timeline,
};
use secretaria::routes::simulator::{self, people, whatsapp};
use sha2::{Digest, Sha256};

/// Wednesday 25/11/2026, 14:30 in São Paulo.
const NOW: i64 = 1_795_627_800_000;
const HERE: &str = "company=42&number=5511987650101&name=Ana";

#[derive(Default)]
struct Fake {
    bubbles: Mutex<Vec<Bubble>>,
    sent: Mutex<Vec<(i64, SimPerson, Vec<String>)>>,
    typing: AtomicBool,
    down: AtomicBool,
    status: AtomicI64,
}

impl Fake {
    fn say(&self, id: &str, from_customer: bool, text: &str, at_ms: i64, tick: Tick) {
        self.bubbles.lock().unwrap().push(Bubble {
            id: id.to_owned(),
            from_customer,
            text: text.to_owned(),
            at_ms,
            tick,
            correlation_id: format!("corr-{id}"),
        });
    }
}

impl SimulatorBackend for Fake {
    fn companies(&self) -> Vec<SimCompany> {
        [(42, "Clínica Sorriso", "clinica.localhost"), (43, "Salão <Bela>", "salao.localhost")]
            .map(|(id, name, domain)| SimCompany { id, name: name.to_owned(), domain: domain.to_owned() })
            .to_vec()
    }

    fn send(&self, company: i64, person: SimPerson, texts: Vec<String>) -> BoxFuture<'_, Vec<SentWebhook>> {
        let status = match self.status.load(Ordering::Relaxed) {
            0 => 202,
            other => u16::try_from(other).unwrap(),
        };
        let answers = texts.iter().enumerate().map(|(n, text)| {
            self.say(&format!("s{n}"), true, text, NOW, Tick::Sent);
            SentWebhook { status, body: r#"{"queued":true}"#.into(), correlation_id: format!("corr-s{n}"), at_ms: NOW }
        });
        let answers: Vec<_> = answers.collect();
        self.sent.lock().unwrap().push((company, person, texts));
        ready(answers).boxed()
    }

    fn transcript(&self, company: i64, _number: &str) -> BoxFuture<'_, Vec<Bubble>> {
        ready(if company == 42 { self.bubbles.lock().unwrap().clone() } else { Vec::new() }).boxed()
    }

    fn typing(&self, _company: i64, _number: &str) -> BoxFuture<'_, bool> {
        ready(self.typing.load(Ordering::Relaxed)).boxed()
    }

    fn timeline(&self, _company: i64, correlation_id: &str) -> BoxFuture<'_, Option<Timeline>> {
        let stage = |name: &str, at_ms, took_ms| Stage { name: name.to_owned(), at_ms, took_ms };
        ready((correlation_id == "corr-q").then(|| Timeline {
            correlation_id: correlation_id.to_owned(),
            stages: vec![stage("fila", NOW, 40), stage("modelo", NOW + 40, 1_200)],
            decision: Some("respondeu <já>".into()),
            model: Some("gemini-flash".into()),
            tokens_in: Some(1_234),
            tokens_out: Some(56),
            injection_score: Some(0.91),
            log_lines: vec![r#"{"event":"turn <done>"}"#.into()],
        }))
        .boxed()
    }

    fn set_model_down(&self, down: bool) -> BoxFuture<'_, ()> {
        self.down.store(down, Ordering::Relaxed);
        ready(()).boxed()
    }

    fn model_is_down(&self) -> bool {
        self.down.load(Ordering::Relaxed)
    }

    fn now_ms(&self) -> i64 {
        NOW
    }
}

/// A clinic's conversation: yesterday's answer, today's question and its answer.
fn conversation() -> Arc<Fake> {
    let fake = Fake::default();
    fake.say("o", false, "Até amanhã!", NOW - 86_400_000, Tick::Delivered);
    fake.say("q", true, "oi <script>alert(1)</script>", NOW - 120_000, Tick::Delivered);
    fake.say("a", false, "Das *8h às 18h*\n_seg a sex_", NOW - 119_000, Tick::Delivered);
    Arc::new(fake)
}

async fn get(fake: &Arc<Fake>, uri: &str) -> ServiceResponse {
    let app = test::init_service(App::new().configure(|cfg| simulator::configure(cfg, fake.clone()))).await;
    test::call_service(&app, test::TestRequest::get().uri(uri).to_request()).await
}

async fn post(fake: &Arc<Fake>, path: &str, headers: &[(&str, &str)], body: &str) -> ServiceResponse {
    let app = test::init_service(App::new().configure(|cfg| simulator::configure(cfg, fake.clone()))).await;
    let mut request = test::TestRequest::post()
        .uri(path)
        .insert_header(("Host", "127.0.0.1:8080"))
        .insert_header(("Content-Type", "application/x-www-form-urlencoded"))
        .set_payload(body.to_owned());
    for header in headers {
        request = request.insert_header(*header);
    }
    test::call_service(&app, request.to_request()).await
}

async fn html(response: ServiceResponse) -> String {
    String::from_utf8(to_bytes(response.into_body()).await.unwrap().to_vec()).unwrap()
}

fn header<'r>(response: &'r ServiceResponse, name: &str) -> &'r str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

const OURS: (&str, &str) = ("Sec-Fetch-Site", "same-origin");
const HTMX: (&str, &str) = ("HX-Request", "true");

fn version_in(page: &str) -> String {
    let found = Regex::new("desde=([0-9a-f]{16})").unwrap();
    found.captures(page).expect("the page asks for news with its version")[1].to_owned()
}

#[actix_web::test]
async fn the_page_shows_both_companies_the_conversation_and_the_turn() {
    let response = get(&conversation(), &format!("/simulador?{HERE}")).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(header(&response, "content-security-policy"), simulator::CONTENT_SECURITY_POLICY);
    let page = html(response).await;
    for expected in [
        "Clínica Sorriso",
        "Salão &lt;Bela&gt;",
        "Ontem",
        "Hoje",
        "14:28",
        "<strong>8h às 18h</strong><br><em>seg a sex</em>",
        "1.240 ms",
        "corr-q",
        "gemini-flash",
        "1.234 lidos",
        "0,91",
        "+55 11 98765-0101",
        "Nova pessoa",
        "5 mensagens de uma vez",
        "Modelo fora do ar",
        "Tentar uma injeção",
        "every 2s",
    ] {
        assert!(page.contains(expected), "{expected:?} is missing");
    }
    assert!(page.len() < 100_000);
    let refresh = Regex::new(r#"<noscript>.*href="([^"]*)">Atualizar"#).unwrap();
    assert!(!refresh.captures(&page).unwrap()[1].contains("#fim"), "a link to a fragment would not reload the page");
}

#[actix_web::test]
async fn what_people_and_companies_write_never_becomes_markup() {
    let fake = conversation();
    let page = html(get(&fake, "/simulador?company=42&number=5511987650101&name=%22%3E%3Cimg%20src=x%3E").await).await;
    assert!(page.contains("oi &lt;script&gt;alert(1)"), "the text is shown, escaped");
    for evil in ["<script>alert", "<img", "<Bela>", "<já>", "turn <done>"] {
        assert!(!page.contains(evil), "{evil:?} got through");
    }
}

#[actix_web::test]
async fn no_page_holds_anything_the_strict_policy_forbids() {
    let fake = conversation();
    fake.typing.store(true, Ordering::Relaxed);
    fake.say("f", true, "x", NOW, Tick::Failed);
    fake.say("p", true, "x", NOW, Tick::Pending);
    let inline =
        Regex::new(r#"(?i)<[^>]*\s(style|on[a-z]+|hx-on[^=]*)\s*=|<style|javascript:|<script(?:[^>]*)>[^<]"#).unwrap();
    let pages = [
        html(get(&fake, &format!("/simulador?{HERE}")).await).await,
        html(get(&fake, &format!("/simulador?{HERE}&turno=corr-q&aviso=429")).await).await,
        html(get(&fake, "/simulador?company=43&aviso=x").await).await,
        html(get(&fake, "/simulador?company=99").await).await,
        html(get(&fake, &format!("/simulador/estado?{HERE}&desde=0")).await).await,
        html(post(&fake, "/simulador/enviar", &[OURS, HTMX], &format!("{HERE}&text=oi")).await).await,
    ];
    for page in pages {
        assert!(!page.is_empty());
        assert_eq!(inline.find(&page).map(|found| found.as_str()), None);
        assert!(!page.contains("http://") && !page.contains("https://"), "nothing comes from elsewhere");
    }
    assert!(inline.is_match("<p style=\"x\">") && inline.is_match("<a onclick='x'>"), "the check can fail");
}

#[actix_web::test]
async fn an_unchanged_conversation_is_answered_with_204_and_a_changed_one_with_pieces() {
    let fake = conversation();
    let version = version_in(&html(get(&fake, &format!("/simulador?{HERE}")).await).await);
    let news = format!("/simulador/estado?{HERE}&desde={version}");
    assert_eq!(get(&fake, &news).await.status(), StatusCode::NO_CONTENT);

    fake.typing.store(true, Ordering::Relaxed);
    let response = get(&fake, &news).await;
    assert_eq!(response.status(), StatusCode::OK);
    let pieces = html(response).await;
    assert!(pieces.contains("digitando…") && pieces.contains("every 500ms"), "while it writes the page asks often");
    assert_ne!(version_in(&pieces), version);
    assert!(!pieces.contains("<html"));
}

#[actix_web::test]
async fn an_unanswered_question_is_watched_closely_and_given_up_after_a_minute() {
    let fake = Arc::new(Fake::default());
    fake.say("q", true, "oi", NOW - 59_000, Tick::Sent);
    assert!(html(get(&fake, &format!("/simulador?{HERE}")).await).await.contains("every 500ms"));
    fake.bubbles.lock().unwrap()[0].at_ms = NOW - 61_000;
    assert!(html(get(&fake, &format!("/simulador?{HERE}")).await).await.contains("every 2s"));
}

#[actix_web::test]
async fn one_companys_conversation_is_not_shown_in_the_others_tab() {
    let page = html(get(&conversation(), "/simulador?company=43&number=5511987650101&name=Ana").await).await;
    assert!(!page.contains("8h às 18h"));
    assert!(page.contains("Comece a conversa"));
}

#[actix_web::test]
async fn a_form_from_another_site_is_refused_and_sends_nothing() {
    let fake = conversation();
    let foreign: [&[(&str, &str)]; 5] = [
        &[("Sec-Fetch-Site", "cross-site")],
        &[("Sec-Fetch-Site", "same-site"), ("Origin", "http://127.0.0.1:8080")],
        &[("Origin", "https://evil.example")],
        &[("Origin", "null")],
        &[],
    ];
    for path in ["/simulador/enviar", "/simulador/rajada", "/simulador/injecao", "/simulador/modelo"] {
        for headers in foreign {
            let response = post(&fake, path, headers, &format!("{HERE}&text=oi&down=1")).await;
            assert_eq!(response.status(), StatusCode::FORBIDDEN, "{path} {headers:?}");
        }
    }
    assert!(fake.sent.lock().unwrap().is_empty() && !fake.model_is_down());
}

#[actix_web::test]
async fn a_plain_form_sends_and_comes_back_to_the_same_person() {
    let fake = Arc::new(Fake::default());
    let origin = ("Origin", "http://127.0.0.1:8080");
    let response = post(&fake, "/simulador/enviar", &[origin], &format!("{HERE}&text=oi%0D%0Atudo+bem%3F")).await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    assert_eq!(header(&response, "location"), format!("/simulador?{HERE}"));
    let person = SimPerson { name: "Ana".into(), number: "5511987650101".into() };
    assert_eq!(*fake.sent.lock().unwrap(), [(42, person, vec!["oi\ntudo bem?".to_owned()])]);
}

#[actix_web::test]
async fn a_refused_webhook_is_told_with_and_without_javascript() {
    let fake = Arc::new(Fake::default());
    fake.status.store(429, Ordering::Relaxed);
    let body = format!("{HERE}&text=oi");
    let plain = post(&fake, "/simulador/enviar", &[OURS], &body).await;
    let address = header(&plain, "location");
    assert!(html(get(&fake, address).await).await.contains("status 429"));
    let pieces = html(post(&fake, "/simulador/enviar", &[OURS, HTMX], &body).await).await;
    assert!(pieces.contains("id=\"recibo\"") && pieces.contains(">429<"));
}

#[actix_web::test]
async fn the_buttons_send_five_messages_an_injection_and_switch_the_model() {
    let fake = Arc::new(Fake::default());
    post(&fake, "/simulador/rajada", &[OURS], HERE).await;
    post(&fake, "/simulador/injecao", &[OURS], HERE).await;
    let counts: Vec<_> = fake.sent.lock().unwrap().iter().map(|(_, _, texts)| texts.len()).collect();
    assert_eq!(counts, [5, 1]);
    post(&fake, "/simulador/modelo", &[OURS], &format!("{HERE}&down=1")).await;
    assert!(fake.model_is_down());
    let pieces = html(post(&fake, "/simulador/modelo", &[OURS, HTMX], &format!("{HERE}&down=0")).await).await;
    assert!(!fake.model_is_down() && pieces.contains("aria-pressed=\"false\""));
}

#[actix_web::test]
async fn blank_overlong_and_misdirected_messages_send_nothing() {
    let fake = Arc::new(Fake::default());
    let long = "é".repeat(4_097);
    for (body, status) in [
        (format!("{HERE}&text=+%0A+"), StatusCode::SEE_OTHER),
        (format!("{HERE}&text={long}"), StatusCode::PAYLOAD_TOO_LARGE),
        ("company=99&text=oi".to_owned(), StatusCode::NOT_FOUND),
        ("company=42&number=12&text=oi".to_owned(), StatusCode::BAD_REQUEST),
        ("a=%ZZ&text=%FF&text=1".to_owned(), StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(post(&fake, "/simulador/enviar", &[OURS], &body).await.status(), status, "{:.60}", body);
    }
    assert!(fake.sent.lock().unwrap().is_empty());
}

#[actix_web::test]
async fn a_new_person_has_a_brazilian_mobile_number() {
    let response = get(&conversation(), &format!("/simulador/nova?{HERE}")).await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    let mobile = Regex::new("^55[1-9][0-9]9[6-9][0-9]{7}$").unwrap();
    for _ in 0..50 {
        let person = people::draw();
        assert!(mobile.is_match(&person.number), "{}", person.number);
        assert!(person.name.contains(' '));
    }
}

#[actix_web::test]
async fn the_vendored_script_is_the_one_written_down_and_is_served() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/src/routes/simulator/assets");
    let list: toml::Table = std::fs::read_to_string(format!("{directory}/VENDOR.toml")).unwrap().parse().unwrap();
    let vendored = list["vendored"].as_array().unwrap();
    assert!(!vendored.is_empty());
    for entry in vendored {
        let content = std::fs::read(format!("{directory}/{}", entry["file"].as_str().unwrap())).unwrap();
        assert_eq!(hex::encode(Sha256::digest(&content)), entry["sha256"].as_str().unwrap());
        let served = get(&conversation(), &format!("/simulador/assets/{}", entry["file"].as_str().unwrap())).await;
        assert_eq!(to_bytes(served.into_body()).await.unwrap(), content);
    }
    assert_eq!(get(&conversation(), "/simulador/assets/VENDOR.toml").await.status(), StatusCode::NOT_FOUND);
}

#[::core::prelude::v1::test]
fn whatsapps_marks_become_html_only_where_they_hug_words() {
    for (text, html) in [
        ("*qua 25/11 às 14h30*", "<strong>qua 25/11 às 14h30</strong>"),
        ("*_as duas_*", "<strong><em>as duas</em></strong>"),
        ("~velho~ *novo*", "<s>velho</s> <strong>novo</strong>"),
        ("2*3*4 e snake_case_name", "2*3*4 e snake_case_name"),
        ("* item *", "* item *"),
        ("*aberto", "*aberto"),
        ("**", "**"),
        ("(*sim*)", "(<strong>sim</strong>)"),
        ("```a *b*```", "<code>a *b*</code>"),
        ("a\n\nb", "a<br><br>b"),
        ("*a\nb*", "*a<br>b*"),
        ("<b>&\"'", "&lt;b&gt;&amp;&quot;&#39;"),
    ] {
        assert_eq!(whatsapp::to_html(text), html, "{text:?}");
    }
}

proptest! {
    #[::core::prelude::v1::test]
    fn any_text_yields_only_the_five_tags_in_balance(text in r#"[a *_~`<>&"'é\n/]{0,60}"#) {
        let html = whatsapp::to_html(&text);
        let tag = Regex::new("</?(strong|em|s|code)>|<br>").unwrap();
        let mut open = Vec::new();
        for found in tag.find_iter(&html).map(|found| found.as_str()) {
            match found.strip_prefix("</") {
                Some(name) => prop_assert_eq!(open.pop(), Some(name)),
                None if found != "<br>" => open.push(&found[1..]),
                None => {}
            }
        }
        prop_assert!(open.is_empty());
        let bare = tag.replace_all(&html, "");
        prop_assert!(!bare.contains(['<', '>', '"', '\'']));
    }
}
