//! Many want one time, and workers die while they book: there is one appointment, and whoever hears "marcado" has it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use secretaria::cli::lifecycle::Shutdown;
use secretaria::cli::process::Process;
use secretaria::config::{Settings, Sources};
use secretaria::routes::Role;
use secretaria::standins::{EventTypeAtStandIn, StandIns};
use secretaria::tenant::MasterKey;
use secretaria::workers::runner::{Runner, Scope};
use serde_json::json;

use crate::engine::proxy::{self, Counter, Moment};
use crate::harness::{Company, World, eventually};

/// A Wednesday, 14 March 2040, 10:00 in São Paulo.
const WEDNESDAY: &str = "2040-03-14T13:00:00Z";

/// The clinic keeps its own calendar, the salon's is at Cal.com.
async fn world(workers: usize) -> World {
    let world = World::builder().workers(workers).set("database.pool_size", 8).start().await;
    let at: DateTime<Utc> = WEDNESDAY.parse().unwrap();
    world.clock.advance((at - world.clock.now()).to_std().unwrap());
    let (url, key) = (world.standins.calcom_url(), StandIns::credential(world.salon.id.get(), "cal"));
    let event = world.salon.id.get() * 100 + 1;
    world.standins.add_event_type(EventTypeAtStandIn::new(world.salon.id.get(), event));
    let hours = ("hours.opening", "seg-sáb 8h-18h");
    world.configure(&world.clinic, &[hours, ("calendar.kind", "local")]).await;
    let number = event.to_string();
    let outside = [
        hours,
        ("calendar.kind", "calcom"),
        ("calendar.base_url", url.as_str()),
        ("calendar.event_type", number.as_str()),
        ("secret:calendar.api_key", key.as_str()),
    ];
    world.configure(&world.salon, &outside).await;
    world
}

/// What a company said to a number.
fn heard(world: &World, company: &Company, number: &str) -> Vec<String> {
    let ledger = world.ledger();
    let sent = ledger.iter().filter(|entry| entry.accepted && entry.company == Some(company.id.get()));
    let to = sent.filter(|entry| json!(entry.provider) == "whaticket" && entry.body["number"] == number);
    to.map(|entry| entry.body["body"].as_str().unwrap_or_default().to_owned()).collect()
}

fn is_booked(text: &str) -> bool {
    text.starts_with("Marcado ✅")
}

fn number(n: usize) -> String {
    format!("55119{:08}", 10_000_000 + n)
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_customers_want_one_time_and_one_gets_it() {
    let world = world(2).await;
    for company in [&world.clinic, &world.salon] {
        for (round, text) in ["quero marcar um horário amanhã às 15h", "sim", "sim"].into_iter().enumerate() {
            for n in 0..50 {
                let id = format!("R{round}N{n}");
                world.customer(company, &number(n)).says_as(text, &id).await.expect_status(202);
            }
            world.quiet().await;
        }
        let winners = (0..50).filter(|n| {
            heard(&world, company, &number(*n)).iter().any(|text| is_booked(text) && text.contains("qui 15/3 às 15h"))
        });
        assert_eq!(winners.count(), 1, "{}", company.domain);
        let rows = world.sql(
            company,
            "SELECT count(*) FROM appointment WHERE state = 'confirmed' AND starts_at = '2040-03-15T18:00:00Z'",
        );
        assert_eq!(rows, "1");
        // Nobody is told of an appointment that is not there.
        let claimed = (0..50).flat_map(|n| heard(&world, company, &number(n))).filter(|text| is_booked(text)).count();
        let standing = world.sql(company, "SELECT count(*) FROM appointment WHERE state = 'confirmed'");
        assert_eq!(claimed.to_string(), standing);
    }
    let there = world.standins.bookings(world.salon.id.get()).into_iter().filter(|one| one.stands());
    assert_eq!(there.filter(|one| one.starts.to_rfc3339() == "2040-03-15T18:00:00+00:00").count(), 1);
    world.end().await;
}

/// A worker whose every request passes a gate, and which ends at one of them as a process does: whatever it waits for
/// never comes.
struct Gated {
    counter: Arc<Counter>,
    _process: Process,
    shutdown: Shutdown,
    runner: Arc<Mutex<Option<tokio::task::JoinHandle<()>>>>,
}

async fn gated(world: &World, dir: &Path, at: u64, moment: Moment) -> Gated {
    let runner: Arc<Mutex<Option<tokio::task::JoinHandle<()>>>> = Arc::default();
    let counter = {
        let runner = Arc::clone(&runner);
        Counter::new(at, moment, move || {
            if let Some(runner) = runner.lock().unwrap().as_ref() {
                runner.abort();
            }
        })
    };
    proxy::unix(&dir.join("redis.sock"), world.redis.socket(), Arc::clone(&counter));
    let (before, after) = world.db.url.split_once('@').unwrap();
    let (host, name) = after.split_once('/').unwrap();
    let postgres = Path::new(&host.replace("%2F", "/")).join(".s.PGSQL.5432");
    proxy::unix(&dir.join(".s.PGSQL.5432"), postgres, Arc::clone(&counter));
    let target: SocketAddr = world.standins.base_url().strip_prefix("http://").unwrap().parse().unwrap();
    let provider = proxy::tcp(target, Arc::clone(&counter)).await;
    world.configure(&world.salon, &[("calendar.base_url", &format!("http://{provider}/calcom"))]).await;
    let host = dir.display().to_string().replace('/', "%2F");
    let sources: Sources = world
        .sources
        .clone()
        .with("redis.url", format!("redis+unix://{}", dir.join("redis.sock").display()))
        .with("database.url", format!("{before}@{host}/{name}"))
        .with("delivery.base_url", format!("http://{provider}"))
        .with("llm.base_url", format!("http://{provider}/gemini"));
    let settings = Settings::load(&sources).unwrap_or_else(|error| panic!("{error}")).0;
    let key = Arc::new(MasterKey::from_hex(&"ab".repeat(32), "the test").unwrap());
    let shutdown = Shutdown::new();
    let process = Process::with(settings, key, Role::Serve, shutdown.clone(), world.clock.clone()).await.unwrap();
    let work = Runner::new(process.services.clone(), Scope::All, format!("gated-{at}"));
    *runner.lock().unwrap() = Some(tokio::spawn(work.run(shutdown.drain_token())));
    Gated { counter, _process: process, shutdown, runner }
}

/// At most so many requests are counted to in one story; most turns of a booking take fewer.
const REQUESTS: u64 = 44;

/// `EVERY_REQUEST=1` takes every one of them, and both moments.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::disallowed_methods, reason = "a switch of the test run, no setting")]
async fn a_worker_may_die_at_any_request_of_a_booking() {
    let all = std::env::var("EVERY_REQUEST").is_ok();
    let world = world(0).await;
    let moments: &[Moment] = if all { &[Moment::Before, Moment::After] } else { &[Moment::After] };
    let (mut deaths, mut n) = (0, 0);
    for moment in moments {
        for at in (1..=REQUESTS).step_by(if all { 1 } else { 4 }) {
            let moment = if all || at % 8 == 1 { *moment } else { Moment::Before };
            for company in [&world.clinic, &world.salon] {
                deaths += usize::from(death(&world, company, (at, moment), n).await);
                n += 1;
            }
        }
    }
    assert!(deaths * 2 > n, "{deaths} deaths in {n} bookings: the gates count nothing");
    world.end().await;
}

/// One customer books, and the worker that hears the yes dies at its `at`-th request. Whether it did.
async fn death(world: &World, company: &Company, (at, moment): (u64, Moment), n: usize) -> bool {
    let customer = number(n);
    // Each wants a time of their own: two an hour, ten hours a day, no Sunday.
    let day = [15, 16, 17, 19, 20, 21, 22, 23, 24, 26][n / 40];
    let (slot, minutes) = (n / 2 % 20, ["h", "h30"]);
    let wish = format!("quero marcar um horário dia {day} de março às {}{}", 8 + slot / 2, minutes[slot % 2]);
    let dir = tempfile::Builder::new().prefix("sg-").tempdir_in("/tmp").unwrap();
    let says = async |text: &str, id: &str| {
        world.customer(company, &customer).says_as(text, &format!("{id}{n}")).await.expect_status(202);
    };
    says(&wish, "W").await;
    worked(world).await;
    let asked = heard(world, company, &customer).pop().unwrap_or_default();
    assert!(asked.contains("Posso marcar?"), "{wish}: {asked}");
    let mortal = gated(world, dir.path(), at, moment).await;
    mortal.counter.arm();
    says("sim", "Y").await;
    eventually("the worker dies, or is through", async || {
        mortal.counter.fired() || mortal.counter.seen() > at || heard(world, company, &customer).len() > 1
    })
    .await;
    let died = mortal.counter.fired();
    mortal.shutdown.begin();
    if let Some(runner) = mortal.runner.lock().unwrap().take() {
        runner.abort();
    }
    let url = world.standins.calcom_url();
    world.configure(&world.salon, &[("calendar.base_url", url.as_str())]).await;
    // Its lease runs out, and so does the time in which an unknown text may still arrive.
    world.clock.advance(Duration::from_secs(61));
    worked(world).await;
    let told = heard(world, company, &customer).iter().filter(|text| is_booked(text)).count();
    let rows = world.sql(
        company,
        &format!(
            "SELECT count(*) FROM appointment JOIN conversation ON conversation.id = appointment.conversation_id \
             WHERE conversation.key = '{customer}' AND state = 'confirmed'"
        ),
    );
    let unknown = world.sql(
        company,
        &format!("SELECT count(*) FROM delivery WHERE recipient LIKE '%{customer}%' AND (state IN ('ambiguous', 'dead') OR resends > 0)"),
    );
    assert_eq!(rows, "1", "request {at} {moment:?} of {}", company.domain);
    assert!(
        told == 1 || told <= 2 && unknown != "0",
        "told {told} times, request {at} {moment:?} of {}",
        company.domain
    );
    if company.id == world.salon.id {
        let there = world.standins.bookings(company.id.get()).into_iter().filter(|one| one.stands());
        let mine = there.filter(|one| one.phone.ends_with(&customer)).count();
        assert_eq!(mine, 1, "request {at} {moment:?} at Cal.com");
    }
    died
}

/// A worker without a gate does all there is to do.
async fn worked(world: &World) {
    let shutdown = Shutdown::new();
    let runner = Runner::new(world.process.services.clone(), Scope::All, "whole".to_owned());
    let runner = tokio::spawn(runner.run(shutdown.drain_token()));
    world.quiet().await;
    shutdown.begin();
    runner.await.unwrap();
}
