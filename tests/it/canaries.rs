//! Canaries: a person and secrets that no log line, metric, health page or error may show, sent through every path.

use std::time::Duration;

use secretaria::standins::{Fault, FaultKind, Provider, StandIns};
use secretaria::telemetry::logging;
use serde_json::{Value, json};

use crate::harness::trouble::{Headers, PANIC_HOOK, Second, logs_on, request, signed_at};
use crate::harness::{World, eventually};

/// A person of one test's own: captures hear the whole test process, so no two tests share a canary.
#[derive(Clone)]
struct Person {
    name: String,
    number: String,
    text: String,
}

impl Person {
    fn new(n: u8) -> Self {
        Self {
            name: format!("Zuleica{n} Canário"),
            number: format!("551195551234{n}"),
            text: format!("qual o horário do canarinho{n} amarelo"),
        }
    }

    /// What a careless provider may put into its error: everything it was told.
    fn echoed(&self) -> String {
        let Self { name, number, text } = self;
        let words = "Authorization: Bearer sim-1-canal-canario-0123456789 key=sim-1-chave-canario-0123456789";
        format!("{name} ({number}) disse: {text}; {words}")
    }
}

/// Where a canary may be seen, and what it must not say.
struct Cage {
    world: World,
    person: Person,
    log: logging::Capture,
    answers: Vec<String>,
    /// The test's own correlation ids begin with it.
    mark: String,
    next: u32,
    canaries: Vec<(&'static str, String)>,
}

impl Cage {
    async fn open(mark: &str, n: u8, builder: crate::harness::Builder) -> Self {
        logs_on();
        let log = logging::capture();
        let world = builder.start().await;
        let (channel, model) = (
            StandIns::credential(world.clinic.id.get(), "canal-canario-0123456789"),
            StandIns::credential(world.clinic.id.get(), "chave-canario-0123456789"),
        );
        world.configure(&world.clinic, &[("secret:channel.token", &channel), ("secret:llm.api_key", &model)]).await;
        let person = Person::new(n);
        let canaries = vec![
            ("name", format!("Zuleica{n}")),
            ("number", person.number.clone()),
            ("number without country", person.number[2..].to_owned()),
            ("number, last digits", person.number[5..].to_owned()),
            ("text", format!("canarinho{n}")),
            ("webhook secret", world.clinic.secret.clone()),
            ("webhook token", world.clinic.token.clone()),
            ("channel token", "canal-canario".to_owned()),
            ("model key", "chave-canario".to_owned()),
            ("master key", "abababababab".to_owned()),
        ];
        Self { world, person, log, answers: Vec::new(), mark: mark.to_owned(), next: 0, canaries }
    }

    /// Posts a message of the canary's with everything about it, and remembers the answer. Returns the correlation id.
    async fn says(&mut self, id: &str, status: u16) -> String {
        let Person { name, number, text } = &self.person;
        let body = json!({
            "key": {"remoteJid": format!("{number}@s.whatsapp.net"), "fromMe": false, "id": id},
            "pushName": name, "message": {"conversation": text},
        });
        self.posts(&body.to_string(), status, |_| {}).await
    }

    async fn posts(&mut self, body: &str, status: u16, spoil: impl Fn(&mut Headers)) -> String {
        self.next += 1;
        let id = format!("{}-{:04}", self.mark, self.next);
        let mut headers = signed_at(&self.world.clinic, self.world.clock.now().timestamp(), body);
        headers.push(("x-correlation-id", id.clone()));
        spoil(&mut headers);
        let path = format!("/webhook/whaticket?token={}&number={}", self.world.clinic.token, self.person.number);
        let answer = self.world.request("POST", &path, &headers, body).await;
        assert_eq!(answer.status, status, "{}", answer.body);
        self.answers.push(format!("{:?} {}", answer.headers, answer.body));
        id
    }

    /// The lines of a correlation id.
    fn lines_of(&self, id: &str) -> Vec<Value> {
        let lines = self.log.lines();
        let parsed = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        parsed.filter(|line| line["correlation_id"] == id).collect()
    }

    /// Looks everywhere.
    async fn assert_silent(&mut self) {
        let host: Headers = vec![("host", self.world.clinic.domain.clone())];
        let nope = format!("/nope/{}?token={}", self.person.number, self.world.clinic.token);
        for path in ["/metrics", "/readyz", "/healthz", &nope] {
            let answer = self.world.request("GET", path, &host, "").await;
            self.answers.push(format!("{:?} {}", answer.headers, answer.body));
        }
        self.answers.push(self.world.process.metrics.render_now());
        let company = self.world.clinic.id.get();
        let lines = self.log.lines();
        let mut own = 0;
        for line in &lines {
            let of_us = line.contains(&self.mark) || line.contains(&format!("\"company\":{company}"));
            own += u32::from(of_us);
            for (what, canary) in &self.canaries {
                // Other tests write at the same time; the person and the credentials are nobody else's.
                assert!(!line.contains(canary.as_str()), "the {what} is in a log line: {line}");
            }
        }
        assert!(own >= 3, "hardly anything was logged: {own} of {} lines", lines.len());
        for page in &self.answers {
            for (what, canary) in &self.canaries {
                assert!(!page.contains(canary.as_str()), "the {what} is in an answer: {page}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn taken_done_already_refused_and_answered() {
    let mut cage = Cage::open("canary-taken", 1, World::builder()).await;
    let accepted = cage.says("C1", 202).await;
    cage.says("C1", 200).await;
    let Person { name, number, text } = cage.person.clone();
    let good = json!({"id": "C2", "number": number, "text": text, "name": name}).to_string();
    let token = cage.world.clinic.token.clone();
    cage.posts(&good, 401, |headers| headers.retain(|(name, _)| *name != "x-webhook-signature")).await;
    let wrong = token.clone();
    cage.posts(&good, 401, move |headers| {
        headers.retain(|(name, _)| *name != "x-webhook-token");
        headers.push(("authorization", format!("Basic {wrong}")));
    })
    .await;
    cage.posts(&format!(r#"{{"number":"{number}","text":{{"a":"{text} {name}"}}}}"#), 400, |_| {}).await;
    cage.posts(&format!(r#"{{"number":"{number}","text":"{text} {name}"#), 400, |_| {}).await;
    cage.posts(&good, 415, |headers| {
        headers.retain(|(name, _)| *name != "content-type");
        headers.push(("content-type", format!("text/{number}")));
    })
    .await;
    cage.posts(&good, 404, |headers| {
        headers.retain(|(name, _)| *name != "host");
        headers.push(("host", format!("zuleica{number}.localhost")));
    })
    .await;
    cage.world.quiet().await;
    assert_eq!(cage.world.texts_to(&cage.person.number).len(), 1);

    // Every line of the turn can be found by what it belongs to. The turn's last line follows the release of its claim.
    eventually("the turn's last line", async || {
        cage.lines_of(&accepted).iter().any(|line| line["message"] == "turn ended")
    })
    .await;
    let lines = cage.lines_of(&accepted);
    let request = lines.iter().find(|line| line["message"] == "request ended").expect("the request's line");
    assert_eq!((&request["company"], &request["status"]), (&cage.world.clinic.id.get().into(), &202.into()));
    let turn: Vec<&Value> = lines.iter().filter(|line| line["message"] != "request ended").collect();
    assert!(
        turn.iter().any(|line| line["message"] == "turn ended")
            && turn.iter().any(|line| line["message"] == "Delivered")
    );
    for line in turn {
        assert_eq!(line["company"], cage.world.clinic.id.get(), "{line}");
        assert!(line["job_id"].is_string() && line["attempt"].as_i64() == Some(1), "{line}");
    }
    cage.assert_silent().await;
    cage.world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_model_fails_and_says_everything_it_was_told() {
    let mut cage = Cage::open("canary-model", 2, World::builder()).await;
    let said = cage.person.echoed();
    for (n, fault) in [
        Fault::status(
            Provider::Gemini,
            400,
            json!({"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": said.clone()}}),
        ),
        Fault::status(
            Provider::Gemini,
            401,
            json!({"error": {"code": 401, "status": "UNAUTHENTICATED", "message": said.clone()}}),
        ),
        Fault::status(Provider::Gemini, 500, said.clone()),
        Fault::new(Provider::Gemini, FaultKind::Garbage),
        Fault::new(Provider::Gemini, FaultKind::Blocked),
    ]
    .into_iter()
    .enumerate()
    {
        cage.world.standins.clear_faults();
        cage.world.standins.add_fault(fault);
        cage.says(&format!("M{n}"), 202).await;
        cage.world.quiet().await;
    }
    assert_eq!(cage.world.texts_to(&cage.person.number).len(), 5, "each time a ready text");
    cage.assert_silent().await;
    cage.world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_channel_fails_and_says_everything_it_was_told() {
    let mut cage = Cage::open("canary-channel", 3, World::builder().set("delivery.retry_ms", "[10]")).await;
    let said = cage.person.echoed();
    for (n, status) in [400, 401, 404, 500, 503].into_iter().enumerate() {
        cage.world.standins.clear_faults();
        cage.world
            .standins
            .add_fault(Fault::status(Provider::Whaticket, status, json!({"error": said.clone()})).times(1));
        cage.says(&format!("D{n}"), 202).await;
        let failed = "SELECT count(*) FROM delivery WHERE attempts > 0 AND state <> 'sending'";
        let expected = n + 1;
        eventually("tried", async || cage.world.sql(&cage.world.clinic, failed).parse::<usize>().unwrap() >= expected)
            .await;
        cage.world.clock.advance(Duration::from_secs(60));
        cage.world.quiet().await;
    }
    cage.assert_silent().await;
    cage.world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_a_dead_store_and_a_panic() {
    let mut cage = Cage::open("canary-dead", 4, World::builder().workers(0).set("queue.mailbox_cap", 1)).await;
    cage.says("L1", 202).await;
    cage.says("L2", 202).await;
    assert!(cage.answers.last().unwrap().contains("dead_lettered"));
    cage.world.redis_answers(&["CONFIG", "SET", "maxmemory", "1"]).unwrap();
    cage.says("L3", 503).await;
    cage.world.redis_answers(&["CONFIG", "SET", "maxmemory", "0"]).unwrap();
    // Started while PostgreSQL is away: its words about it are logged.
    cage.world.cut_postgres();
    let mut settings = cage.world.settings.clone();
    settings.database.acquire_timeout_ms = 200;
    let second = Second::serve(&cage.world, settings).await;
    let Person { name, number, text } = cage.person.clone();
    let body = json!({"id": "L4", "number": number, "text": text, "name": name}).to_string();
    let headers = signed_at(&cage.world.clinic, cage.world.clock.now().timestamp(), &body);
    for (method, path) in [("POST", "/webhook/whaticket"), ("GET", "/readyz")] {
        cage.answers.push(request(second.address, method, path, &headers, &body).await.expect_status(503).body);
    }
    cage.world.mend_postgres();
    tokio::task::spawn_blocking(move || panic_with(&format!("{name} {number} {text}"))).await.unwrap();
    assert!(cage.log.text().contains("canaries.rs"), "the panic was not logged");
    cage.assert_silent().await;
    cage.world.end().await;
}

/// Panics with the customer's words in the message, under the product's own hook.
fn panic_with(said: &str) {
    let _one_at_a_time = PANIC_HOOK.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let before = std::sync::Arc::new(std::panic::take_hook());
    let others = std::sync::Arc::clone(&before);
    let here = std::thread::current().id();
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().id() == here { logging::log_panic(info) } else { others(info) }
    }));
    let caught = std::panic::catch_unwind(|| panic!("cannot answer {said}"));
    std::panic::set_hook(Box::new(move |info| before(info)));
    caught.unwrap_err();
}
