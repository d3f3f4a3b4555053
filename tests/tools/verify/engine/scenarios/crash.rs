//! The worker dies at its k-th request to anything outside of it, for every k.
//!
//! Each k has a company and a `work --company` of its own, whose every request passes a gate that counts from the moment
//! the message was said. At the k-th the process is killed, before the request is passed on or when its answer is there
//! but not yet passed on. Then a `work --all` without gates cleans up, and the judge looks.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use secretaria::standins::{Fault, FaultKind, Provider};
use tokio::time::Instant;

use super::{Outcome, Size, judged};
use crate::engine::arena::{Arena, Plan, env_name};
use crate::engine::child::Job;
use crate::engine::deeds::Token;
use crate::engine::evidence::rest;
use crate::engine::judge::Verdict;
use crate::engine::load::{ClientLedger, Speaker};
use crate::engine::proxy::{self, Counter, Moment};

/// Processes at once.
const ABREAST: usize = 20;

/// What happens to each company while its worker counts down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Story {
    FirstMessage,
    SecondMessage,
    Burst,
    Echoed,
    ChannelBusy,
    ChannelBroken,
    ChannelResets,
    ChannelSilent,
    ChannelRefuses,
    ModelBroken,
    ModelSlow,
    Retried,
}

const STORIES: [Story; 12] = [
    Story::FirstMessage,
    Story::SecondMessage,
    Story::Burst,
    Story::Echoed,
    Story::ChannelBusy,
    Story::ChannelBroken,
    Story::ChannelResets,
    Story::ChannelSilent,
    Story::ChannelRefuses,
    Story::ModelBroken,
    Story::ModelSlow,
    Story::Retried,
];

/// 1 story with the given seed, or 12 stories with three seeds.
pub async fn every_operation(size: Size, seed: u64) -> Outcome {
    let (mut verdict, mut died, mut most) = (Verdict::default(), 0, 0);
    let (stories, seeds) = (size.pick(&STORIES[..1], &STORIES[..]), size.pick(1, 3_u64));
    for seed in seed..seed + seeds {
        let arena = Arena::start(plan(seed)).await;
        let ledger = Arc::new(ClientLedger::default());
        for (n, story) in stories.iter().enumerate() {
            // Neighbouring seeds differ in the moment, so that each story meets both.
            let moment = if (seed + n as u64).is_multiple_of(2) { Moment::Before } else { Moment::After };
            let round = countdown(&arena, &ledger, (n, *story), moment).await;
            verdict.violations.extend(round.blame.map(|blame| format!("{story:?} {moment:?} seed {seed}: {blame}")));
            died += round.died;
            most = most.max(round.operations);
        }
        let judged = judged(&arena, &ledger).await;
        // The number behind the v of a word is the story's.
        let violations = judged.violations.iter().map(|blame| format!("seed {seed}: {blame}")).collect();
        verdict.add(Verdict { violations, ..judged });
    }
    let rounds = stories.len() as u64 * seeds;
    Outcome::new(format!("{rounds} stories, {died} deaths"), verdict).note(format!("up to {most} requests a story"))
}

struct Round {
    blame: Option<String>,
    died: usize,
    operations: u64,
}

fn plan(seed: u64) -> Plan {
    Plan::new(seed)
        .companies(ABREAST)
        .workers(0)
        .set("queue.lease_ms", 800)
        .set("queue.renew_ms", 250)
        .set("queue.sweep_ms", 100)
        .set("queue.burst_window_ms", 50)
        .set("delivery.deadline_spare_ms", 200)
        .set("delivery.timeout_ms", 400)
        .set("delivery.ambiguous_wait_ms", 500)
        .set("database.pool_size", 2)
}

async fn countdown(
    arena: &Arc<Arena>,
    ledger: &Arc<ClientLedger>,
    (conversation, story): (usize, Story),
    moment: Moment,
) -> Round {
    if story == Story::SecondMessage {
        warm_up(arena, ledger, conversation).await;
    }
    script(arena, story);
    let mut gated = Vec::new();
    for company in 0..ABREAST {
        gated.push(gate(arena, company, company as u64 + 1, moment).await);
    }
    // Begun, and idle: what counts from here on is the turn.
    tokio::time::sleep(Duration::from_millis(1200)).await;
    for (_, counter) in &gated {
        counter.arm();
    }
    let mut speaker = Speaker::new(arena, ledger, 0);
    for company in 0..ABREAST {
        for n in 1..=if story == Story::Burst { 3 } else { 1 } {
            speaker.say(Token { company, conversation, n }).await;
        }
    }
    // Each dies at its k-th request, of the turn or of the idling behind it.
    let end = Instant::now() + Duration::from_secs(25);
    while Instant::now() < end && gated.iter().any(|(_, counter)| !counter.fired()) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let died = gated.iter().filter(|(_, counter)| counter.fired()).count();
    let operations = gated.iter().map(|(_, counter)| counter.seen()).max().unwrap_or(0);
    for (child, _) in &gated {
        arena.children.kill9(*child);
    }
    arena.standins.clear_faults();
    let healer = arena.children.add(Job::Work, BTreeMap::new());
    let rested = rest(arena, Duration::from_secs(60)).await;
    arena.children.kill9(healer);
    arena.companies.iter().for_each(|company| arena.standins.set_echo(company.id, false));
    let idle = (died < ABREAST).then(|| format!("only {died} of {ABREAST} workers reached their last request"));
    Round { blame: rested.err().or(idle), died, operations }
}

/// A first exchange, so that the story meets a known conversation with a short context.
async fn warm_up(arena: &Arc<Arena>, ledger: &Arc<ClientLedger>, conversation: usize) {
    let helper = arena.children.add(Job::Work, BTreeMap::new());
    let mut speaker = Speaker::new(arena, ledger, 0);
    for company in 0..ABREAST {
        speaker.say(Token { company, conversation, n: 0 }).await;
    }
    // The judge asks again in the end; here it only has to be over.
    let _ = rest(arena, Duration::from_secs(30)).await;
    arena.children.kill9(helper);
}

fn script(arena: &Arc<Arena>, story: Story) {
    let channel = |kind| Some(Fault::new(Provider::Whaticket, kind));
    let status = |status| Some(Fault::status(Provider::Whaticket, status, "{}"));
    let fault = match story {
        Story::FirstMessage | Story::SecondMessage | Story::Burst => None,
        Story::Echoed => {
            arena.companies.iter().for_each(|company| arena.standins.set_echo(company.id, true));
            None
        }
        Story::ChannelBusy => status(429),
        Story::ChannelBroken => status(500),
        Story::ChannelRefuses => status(400),
        Story::Retried => status(503),
        Story::ChannelResets => channel(FaultKind::ResetAfterAccept),
        Story::ChannelSilent => channel(FaultKind::SilentAfterAccept),
        Story::ModelBroken => Some(Fault::status(Provider::Gemini, 500, "{}")),
        Story::ModelSlow => Some(Fault { delay_ms: Some(300), ..Fault::new(Provider::Gemini, FaultKind::Delay) }),
    };
    for company in fault.iter().flat_map(|_| &arena.companies) {
        let times = if matches!(story, Story::ModelSlow | Story::ModelBroken) { 3 } else { 1 };
        let one = fault.clone().map(|fault| Fault { company: Some(company.id), ..fault.times(times) });
        one.into_iter().for_each(|fault| arena.standins.add_fault(fault));
    }
}

/// A worker of one company behind gates of its own; its number and its counter.
async fn gate(arena: &Arc<Arena>, company: usize, at: u64, moment: Moment) -> (usize, Arc<Counter>) {
    let dir = std::path::PathBuf::from(format!("/tmp/sg-{}-{}-{company}", std::process::id(), arena.seed));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir(&dir).unwrap();
    let number = Arc::new(std::sync::OnceLock::new());
    let counter = {
        let (arena, number) = (Arc::downgrade(arena), Arc::clone(&number));
        Counter::new(at, moment, move || {
            if let (Some(arena), Some(number)) = (arena.upgrade(), number.get()) {
                arena.children.kill9(*number);
            }
        })
    };
    proxy::unix(&dir.join("redis.sock"), arena.redis_socket.clone(), Arc::clone(&counter));
    let postgres = arena.postgres.lock().unwrap().socket_dir().join(".s.PGSQL.5432");
    proxy::unix(&dir.join(".s.PGSQL.5432"), postgres, Arc::clone(&counter));
    let base = arena.standins.base_url();
    let target: SocketAddr = base.strip_prefix("http://").unwrap().parse().unwrap();
    let provider = proxy::tcp(target, Arc::clone(&counter)).await;
    let host = dir.display().to_string().replace('/', "%2F");
    let more = [
        ("redis.url", format!("redis+unix://{}", dir.join("redis.sock").display())),
        ("database.url", format!("postgres://secretaria_app@{host}/secretaria")),
        ("delivery.base_url", format!("http://{provider}")),
        ("llm.base_url", format!("http://{provider}/gemini")),
    ];
    let more = more.into_iter().map(|(key, value)| (env_name(key), value)).collect();
    let child = arena.children.add(Job::WorkFor(arena.companies[company].id), more);
    number.set(child).unwrap();
    (child, counter)
}
