//! Learning from past conversations: nothing twice, nothing missed, whoever is killed in the middle.

use std::num::NonZeroU32;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt;
use futures::future::BoxFuture;
use secretaria::domain::embedding::{Embedding, Space};
use secretaria::domain::learning::{Learned, Offer, Said};
use secretaria::models::tenant::profile;
use secretaria::services::embedding::{EmbedError, Embedder, Local, Numbers, Purpose};
use secretaria::services::knowledge;
use secretaria::services::training::{self, Options, Report};
use serde_json::Value;
use uuid::Uuid;

use crate::harness::{Company, World, eventually};

/// Conversations of each company, and the people who have them: some have two.
const CONVERSATIONS: usize = 5_000;
const PEOPLE: usize = 4_500;
/// Messages of the customer in each.
const SAID: usize = 3;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn learnt(lines: &[&str]) -> Learned {
    let offers: Vec<Offer> =
        ["Clareamento", "Limpeza de pele", "Corte feminino"].iter().filter_map(|n| Offer::new(n)).collect();
    let mut learned = Learned::default();
    for (n, text) in lines.iter().enumerate() {
        let at = at("2026-11-20T12:00:00Z") + TimeDelta::hours(i64::try_from(n).unwrap());
        learned.learn(Said { text, at }, &offers, Some("Ana Beatriz"));
    }
    learned
}

#[test]
fn subjects_products_and_habits_are_counted() {
    let learned = learnt(&[
        "Oi, bom dia! Quanto custa o clareamento?",
        "Vocês aceitam convênio Amil? Prefiro quinta de manhã",
        "e o clareamento dói? meu convênio cobre?",
        "pode ser quinta às 9h? aqui é a Ana Beatriz",
        "boa tarde, quero uma limpeza de pele, e a segunda via do boleto",
    ]);
    assert_eq!(learned.messages, 5);
    assert_eq!(learned.products(), ["Clareamento", "Limpeza de pele"]);
    assert_eq!(learned.topics()[..2], ["clareamento", "convênio"]);
    assert!(!learned.essence().contains("beatriz") && !learned.essence().contains("quinta"));
    assert_eq!(learned.preferences(), ["quinta-feira", "de manhã"]);
    assert_eq!(learned.weekdays, [0, 0, 0, 2, 0, 0, 0], "a second copy is no Monday");
    assert_eq!(learned.parts, [2, 0, 0], "greetings ask for nothing");
    assert_eq!(learned.last_subject.as_deref(), Some("Limpeza de pele"));
}

#[test]
fn what_was_learnt_before_is_gone_on_with_and_stays_small() {
    let part = |n: usize| ["ba", "de", "li", "mo", "tu"][n % 5];
    let lines: Vec<String> =
        (0..100).map(|n| format!("banho do {}{}{}x", part(n), part(n / 5), part(n / 25))).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let whole = learnt(&lines);
    assert_eq!(whole.topics()[0], "banho");
    assert_eq!(whole.topics.len(), 40, "what was heard least and longest ago made room");
    let stored = serde_json::to_string(&learnt(&lines[..3])).unwrap();
    let mut resumed: Learned = serde_json::from_str(&stored).unwrap();
    assert_eq!(resumed, learnt(&lines[..3]));
    resumed.learn(Said { text: "só um oi", at: at("2026-11-21T12:00:00Z") }, &[], None);
    assert_eq!(resumed.messages, 4);
    assert_eq!(learnt(&["oi", "tudo bem?", "ok"]).essence(), "");
    assert!(learnt(&["quinta", "terça", "sexta", "sábado"]).preferences().is_empty(), "no habit");
}

/// People, conversations and messages, as years of use would leave them.
fn fill(world: &World, company: &Company, conversations: usize, people: usize) {
    world.sql(
        company,
        &format!(
            "INSERT INTO person (id, name, created_at, updated_at)
             SELECT md5('p' || n)::uuid, 'Ana', now(), now() FROM generate_series(1, {people}) n;
             INSERT INTO conversation (id, key, person_id, reply_address, fence, created_at, last_message_at)
             SELECT md5('c' || n)::uuid, 'k' || n, md5('p' || ((n - 1) % {people} + 1))::uuid, 'x', 1, now(), now()
             FROM generate_series(1, {conversations}) n;
             INSERT INTO message (id, conversation_id, author, seq, kind, body, correlation_id, at)
             SELECT md5('m' || n || '-' || k)::uuid, md5('c' || n)::uuid,
                    CASE WHEN k % 2 = 1 THEN 'customer' ELSE 'assistant' END, n * 1000 + k, 'text',
                    CASE k WHEN 1 THEN 'Bom dia, quanto custa o clareamento?' WHEN 3 THEN 'prefiro quinta de manhã'
                           WHEN 5 THEN 'vocês aceitam ' || (ARRAY['amil', 'unimed', 'bradesco'])[n % 3 + 1] || '?'
                           ELSE 'Um momento, já respondo sobre tratamentos.' END,
                    'x', now() - interval '40 days'
             FROM generate_series(1, {conversations}) n, generate_series(1, 6) k;
             ANALYZE"
        ),
    );
}

/// Everything that must be true of a company that was wholly learnt from.
fn assert_all_learnt_once(world: &World, company: &Company, conversations: usize) {
    let checks = [
        ("messages", "SELECT sum((profile->>'messages')::int) FROM person", conversations * SAID),
        (
            "people with too few or too many",
            "SELECT count(*) FROM person p WHERE (profile->>'messages')::int IS DISTINCT FROM
             (SELECT count(*) FROM message m JOIN conversation c ON c.id = m.conversation_id
              WHERE c.person_id = p.id AND m.author = 'customer')",
            0,
        ),
        ("times the subject", "SELECT sum((profile->'topics'->'clare'->>'count')::int) FROM person", conversations),
        ("times the weekday", "SELECT sum((profile->'weekdays'->>3)::int) FROM person", conversations),
        (
            "marks elsewhere than at the last message",
            "SELECT count(*) FROM conversation c WHERE learned_seq <>
             (SELECT max(seq) FROM message m WHERE m.conversation_id = c.id AND author = 'customer')",
            0,
        ),
        (
            "people without numbers",
            "SELECT count(*) FROM person WHERE embedding IS NULL OR embed_provider <> 'local'",
            0,
        ),
    ];
    for (what, sql, expected) in checks {
        assert_eq!(world.sql(company, sql), expected.to_string(), "{what}");
    }
}

fn train(world: &World, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_secretaria"));
    command.arg("train-context").args(args).env_clear().env("PATH", "/usr/bin:/bin").envs(world.child_env());
    command
}

async fn trained(world: &World, args: &[&str]) -> Vec<Value> {
    let mut command = train(world, args);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn learnt_of(world: &World, company: &Company) -> usize {
    world.sql(company, "SELECT count(*) FROM conversation WHERE learned_seq > 0").parse().unwrap()
}

/// Starts it and kills it as soon as this company has been learnt from in part.
async fn killed_in_the_middle_of(world: &World, company: &Company) {
    let mut child: Child = train(world, &["--jobs", "2"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    eventually("a part is learnt", async || learnt_of(world, company) >= 300).await;
    child.kill().unwrap();
    let status = child.wait().unwrap();
    assert!(!status.success(), "it was through before it could be killed");
    // What the child had begun is rolled back when its connection falls.
    let done = learnt_of(world, company);
    assert!((300..CONVERSATIONS).contains(&done), "{done} of {CONVERSATIONS}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_conversations_are_learnt_once_though_it_is_killed_twice() {
    let world = World::builder().workers(0).start().await;
    for company in [&world.clinic, &world.salon] {
        fill(&world, company, CONVERSATIONS, PEOPLE);
    }
    let dry = trained(&world, &["--dry-run", "--json"]).await;
    assert_eq!(dry.iter().map(|line| line["messages"].as_u64().unwrap()).sum::<u64>(), 30_000);
    assert_eq!(learnt_of(&world, &world.clinic) + learnt_of(&world, &world.salon), 0, "a dry run changes nothing");

    killed_in_the_middle_of(&world, &world.clinic).await;
    killed_in_the_middle_of(&world, &world.salon).await;
    let rest = trained(&world, &["--json"]).await;
    assert_eq!(rest.len(), 2, "one line a company");
    assert_eq!(rest[0]["conversations"], 0, "the first company was through before the second was begun");
    for company in [&world.clinic, &world.salon] {
        assert_all_learnt_once(&world, company, CONVERSATIONS);
    }
    let nothing = trained(&world, &["--json"]).await;
    assert!(nothing.iter().all(|line| line["messages"] == 0 && line["left"] == 0), "{nothing:?}");

    // One new message is one message.
    let new = "INSERT INTO message (id, conversation_id, author, seq, kind, body, correlation_id, at)
               VALUES (md5('new')::uuid, md5('c7')::uuid, 'customer', 9000000, 'text', 'e a limpeza?', 'x', now())";
    world.sql(&world.clinic, new);
    let line = &trained(&world, &["--json", "--company", &world.clinic.id.to_string()]).await[0];
    assert_eq!((&line["conversations"], &line["messages"]), (&1.into(), &1.into()));
    world.end().await;
}

/// A provider that fails while it is told to, and remembers what it was asked.
struct Scripted {
    space: Space,
    down: AtomicBool,
    asked: Mutex<Vec<String>>,
}

impl Scripted {
    fn new(model: &str, down: bool) -> Self {
        let space = Space { provider: "openai".into(), model: model.into(), dimension: 3 };
        Self { space, down: AtomicBool::new(down), asked: Mutex::default() }
    }
}

impl Embedder for Scripted {
    fn space(&self) -> &Space {
        &self.space
    }

    fn embed<'a>(&'a self, texts: &'a [String], _: Purpose) -> BoxFuture<'a, Numbers> {
        async {
            if self.down.load(Ordering::Relaxed) {
                return Err(EmbedError { reason: "quota".into(), wait: None });
            }
            self.asked.lock().unwrap().extend_from_slice(texts);
            Ok(texts.iter().map(|text| Embedding::new(self.space.clone(), vec![1.0, text.len() as f32, 0.0])).collect())
        }
        .boxed()
    }
}

fn options() -> Options {
    let requests_per_minute = NonZeroU32::new(6_000).unwrap();
    Options { since: None, dry_run: false, jobs: 4, requests_per_minute }
}

async fn learn(world: &World, embedder: &dyn Embedder, options: &Options) -> Report {
    let tenant = world.tenant(&world.clinic);
    training::company(&world.process.services, &tenant, embedder, options, &|_| {}).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_provider_is_down_hashed_numbers_stand_in_and_it_is_asked_again_later() {
    let world = World::builder().workers(0).start().await;
    fill(&world, &world.clinic, 250, 240);
    world.sql(
        &world.clinic,
        "INSERT INTO person (id, created_at, updated_at) VALUES (md5('silent')::uuid, now(), now())",
    );
    let provider = Scripted::new("small", true);
    let report = learn(&world, &provider, &options()).await;
    assert_eq!((report.messages, report.embedded, report.pending), (750, 0, 240));
    assert_eq!(report.provider_error.as_deref(), Some("quota"));
    assert_eq!(
        world.sql(
            &world.clinic,
            "SELECT DISTINCT embed_provider, cardinality(embedding) FROM person WHERE profile IS NOT NULL"
        ),
        "local|256"
    );

    provider.down.store(false, Ordering::Relaxed);
    let report = learn(&world, &provider, &options()).await;
    assert_eq!((report.messages, report.embedded, report.pending), (0, 240, 0), "nothing is learnt anew for it");
    let spaces = "SELECT DISTINCT embed_provider, embed_model, embed_dim FROM person WHERE profile IS NOT NULL";
    assert_eq!(world.sql(&world.clinic, spaces), "openai|small|3");
    let asked = provider.asked.lock().unwrap().clone();
    assert!(asked.iter().all(|text| text.contains("clareamento") && !text.contains("quanto custa")), "{:?}", asked[0]);
    assert_eq!(learn(&world, &provider, &options()).await.embedded, 0);
    assert_eq!(asked.len(), provider.asked.lock().unwrap().len(), "who has numbers is not asked for again");

    // Another model is another space: all are made anew, never mixed.
    let report = learn(&world, &Scripted::new("large", false), &options()).await;
    assert_eq!((report.embedded, world.sql(&world.clinic, spaces).as_str()), (240, "openai|large|3"));
    let report = learn(&world, &Local::default(), &options()).await;
    assert_eq!((report.embedded, world.sql(&world.clinic, spaces).as_str()), (240, "local|roots-1|256"));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_of_the_knowledge_base_get_the_providers_numbers_too() {
    let world = World::builder().workers(0).start().await;
    world.sql(
        &world.clinic,
        "INSERT INTO knowledge (id, title, body, source, embed_pending, created_at, updated_at)
         SELECT md5('k' || n)::uuid, 'Título ' || n, 'Texto', 'test', true, now(), now() FROM generate_series(1, 120) n",
    );
    let provider = Scripted::new("small", true);
    assert_eq!(learn(&world, &provider, &options()).await.provider_error.as_deref(), Some("quota"));
    provider.down.store(false, Ordering::Relaxed);
    assert_eq!(learn(&world, &provider, &options()).await.embedded, 120);
    let left = "SELECT count(*) FROM knowledge WHERE embed_pending OR embed_model <> 'small'";
    assert_eq!(world.sql(&world.clinic, left), "0");
    let entries = knowledge::entries(&world.tenant(&world.clinic)).await.unwrap();
    assert!(entries.iter().all(|entry| entry.embedding.as_ref().is_some_and(|one| one.space() == provider.space())));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_turn_holds_is_left_alone_and_learnt_later() {
    let world = World::builder().workers(0).start().await;
    fill(&world, &world.clinic, 20, 20);
    let tenant = world.tenant(&world.clinic);
    let mut turn = tenant.db.begin().await.unwrap();
    let held: Uuid = world.sql(&world.clinic, "SELECT md5('c3')::uuid").parse().unwrap();
    secretaria::models::tenant::conversation::take(&mut turn, held, None, 2, world.clock.now()).await.unwrap();
    let report = learn(&world, &Local::default(), &options()).await;
    assert_eq!((report.conversations, report.messages, report.left), (19, 57, 1));
    turn.commit().await.unwrap();
    let report = learn(&world, &Local::default(), &options()).await;
    assert_eq!((report.conversations, report.messages, report.left), (1, 3, 0));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_at_once_and_runs_since_a_day_learn_nothing_twice() {
    let world = World::builder().workers(0).start().await;
    fill(&world, &world.clinic, 400, 360);
    world.sql(&world.clinic, "UPDATE conversation SET last_message_at = now() - interval '30 days' WHERE reply_address = 'x' AND fence = 1 AND key > 'k3'");
    let since = Options { since: Some(world.clock.now() - TimeDelta::days(7)), ..options() };
    let recent: usize =
        world.sql(&world.clinic, "SELECT count(*) FROM conversation WHERE key <= 'k3'").parse().unwrap();
    assert_eq!(learn(&world, &Local::default(), &since).await.conversations, recent);
    assert_eq!(learnt_of(&world, &world.clinic), recent);
    let (local, options) = (Local::default(), options());
    let (one, two) = tokio::join!(learn(&world, &local, &options), learn(&world, &local, &options));
    assert_eq!(one.messages + two.messages, (400 - recent) * SAID);
    assert_all_learnt_once(&world, &world.clinic, 400);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_is_read_with_its_numbers_and_the_persons_own_words() {
    let world = World::builder().workers(0).start().await;
    fill(&world, &world.clinic, 3, 3);
    let tenant = world.tenant(&world.clinic);
    let person: Uuid = world.sql(&world.clinic, "SELECT md5('p1')::uuid").parse().unwrap();
    learn(&world, &Local::default(), &options()).await;
    let mut tx = tenant.db.begin().await.unwrap();
    let profile = profile::find(&mut tx, person).await.unwrap().unwrap();
    assert_eq!(profile.learned.messages, 3);
    assert_eq!(profile.learned.preferences(), Vec::<String>::new(), "once is no habit");
    let numbers = profile.embedding.unwrap();
    assert_eq!(numbers.space(), &Space::local());
    let touches = |question| numbers.touches(&Embedding::hashed(question).unwrap());
    assert!(touches("e o clareamento, quanto custa mesmo?") && !touches("vocês têm estacionamento?"));
    let said = profile::earlier(&mut tx, person, world.clock.now()).await.unwrap();
    assert_eq!(said.len(), 3, "the customer's own, newest first");
    assert_eq!(said[1].0, "prefiro quinta de manhã");
    assert!(profile::find(&mut tx, Uuid::nil()).await.unwrap().is_none());
    tx.commit().await.unwrap();
    world.end().await;
}
