//! The queue against a small reference model: random histories, shrunk to the shortest that breaks a promise.
//!
//! The model is exact about contents (mailboxes, claims, dead letters, counters) and knows times as intervals, since
//! Redis' clock is read a little after ours.

use std::collections::BTreeMap;
use std::time::Duration;

use deadpool_redis::redis::{self, aio::MultiplexedConnection};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use secretaria::clock::Clock;
use secretaria::domain::inbound::{Echo, InboundMessage, MessageKind, Sender};
use secretaria::queue::{
    Accepted, Body, ClaimLimits, Claimed, IntakeLimits, NewEnvelope, Queue, Return, Settlement, accept, dead_letter,
};
use secretaria::tenant::TenantRedis;
use uuid::Uuid;

use crate::harness::World;

const CONVERSATIONS: [&str; 3] = ["5511900000001", "5511900000002", "lid:77"];
const LEASE_MS: i64 = 1000;
const BURST_MAX_MS: i64 = 900;
const CAP: usize = 5;

/// One step of a history.
#[derive(Clone, Debug)]
enum Op {
    Message { c: usize, burst_ms: i64 },
    Echo { c: usize },
    Again { nth: usize },
    Order { c: usize },
    Claim { max: i64 },
    Peek { claim: usize },
    Ack { claim: usize, mask: u8 },
    Release { claim: usize, how: How },
    Renew { claim: usize },
    RaiseFence { c: usize, by: i64 },
    Bury { claim: usize, mask: u8 },
    Requeue,
    Pass { ms: u64 },
    Sweep,
    Wipe { unfinished: u8 },
}

#[derive(Clone, Copy, Debug)]
enum How {
    Clean,
    Now,
    At(i64),
    Hold(i64),
    Failed(i64),
}

fn op() -> impl Strategy<Value = Op> {
    let c = 0..CONVERSATIONS.len();
    // The newest claims are the interesting ones; older ones are stale.
    let claim = 0_usize..4;
    let wait = prop_oneof![Just(0_i64), Just(400), Just(3000)];
    let how = prop_oneof![
        3 => Just(How::Clean),
        1 => Just(How::Now),
        1 => wait.clone().prop_map(How::At),
        1 => wait.clone().prop_map(How::Hold),
        1 => wait.prop_map(How::Failed),
    ];
    prop_oneof![
        6 => (c.clone(), prop_oneof![Just(0_i64), Just(500)]).prop_map(|(c, burst_ms)| Op::Message { c, burst_ms }),
        2 => c.clone().prop_map(|c| Op::Echo { c }),
        1 => (0_usize..8).prop_map(|nth| Op::Again { nth }),
        1 => c.clone().prop_map(|c| Op::Order { c }),
        7 => prop_oneof![Just(1_i64), Just(100)].prop_map(|max| Op::Claim { max }),
        2 => claim.clone().prop_map(|claim| Op::Peek { claim }),
        4 => (claim.clone(), any::<u8>()).prop_map(|(claim, mask)| Op::Ack { claim, mask }),
        6 => (claim.clone(), how).prop_map(|(claim, how)| Op::Release { claim, how }),
        1 => claim.clone().prop_map(|claim| Op::Renew { claim }),
        1 => (c, 1_i64..5_000_000).prop_map(|(c, by)| Op::RaiseFence { c, by }),
        1 => (claim, any::<u8>()).prop_map(|(claim, mask)| Op::Bury { claim, mask }),
        1 => Just(Op::Requeue),
        3 => prop_oneof![Just(450_u64), Just(1100), Just(3500)].prop_map(|ms| Op::Pass { ms }),
        2 => Just(Op::Sweep),
        1 => (0_u8..8).prop_map(|unfinished| Op::Wipe { unfinished }),
    ]
}

/// A moment known up to the time a command takes.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Span {
    lo: i64,
    hi: i64,
}

impl Span {
    fn plus(self, ms: i64) -> Self {
        Self { lo: self.lo + ms, hi: self.hi + ms }
    }

    fn earlier(self, other: Self) -> Self {
        Self { lo: self.lo.min(other.lo), hi: self.hi.min(other.hi) }
    }

    fn either(self, other: Self) -> Self {
        Self { lo: self.lo.min(other.lo), hi: self.hi.max(other.hi) }
    }
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Idle,
    Waits { due: Span, held: bool },
    Leased { fence: i64, end: Span },
}

/// What lies in a mailbox: its id, its kind, and how many claims there had been when it came.
type Item = (Uuid, char, usize);

struct Lane {
    mailbox: Vec<Item>,
    place: Place,
    /// The least the next fence must exceed.
    fence: i64,
    expired: u32,
    clean: bool,
    burst: Option<(Span, Span)>,
}

impl Lane {
    fn arrive(&mut self, (id, kind, born): Item, at: Span, burst_ms: i64) {
        self.mailbox.push((id, kind, born));
        let now = Place::Waits { due: at, held: false };
        if kind == 'm' {
            let fresh = at.plus(BURST_MAX_MS);
            let end = match self.burst {
                Some((_, end)) if end.lo >= at.hi => end,
                Some((_, end)) if end.hi >= at.lo => end.either(fresh),
                _ => fresh,
            };
            let due = at.plus(burst_ms).earlier(end);
            self.burst = Some((due, end));
            self.place = match self.place {
                Place::Idle => Place::Waits { due, held: false },
                Place::Waits { due: before, held: false } => Place::Waits { due: before.either(due), held: false },
                as_it_is => as_it_is,
            };
        } else {
            self.place = match self.place {
                Place::Idle | Place::Waits { held: true, .. } => now,
                as_it_is => as_it_is,
            };
        }
    }

    fn requeued(&mut self, (id, kind, born): Item, at: Span) {
        self.mailbox.push((id, kind, born));
        self.place = match self.place {
            Place::Idle => Place::Waits { due: at, held: false },
            Place::Waits { .. } if kind != 'm' => Place::Waits { due: at, held: false },
            Place::Waits { due, held: false } => {
                Place::Waits { due: Span { lo: due.lo.min(at.lo), hi: due.hi }, held: false }
            }
            as_it_is => as_it_is,
        };
    }

    fn is_held_by(&self, fence: i64) -> bool {
        matches!(self.place, Place::Leased { fence: mine, .. } if mine == fence)
    }

    /// Those of the ids that claim saw: a dead letter that came back is another entry.
    fn of(&self, claim: usize, ids: &[Uuid]) -> Vec<Item> {
        self.mailbox.iter().copied().filter(|(id, _, born)| *born <= claim && ids.contains(id)).collect()
    }

    fn remove(&mut self, gone: &[Uuid]) {
        self.mailbox.retain(|(id, ..)| !gone.contains(id));
        if !gone.is_empty() {
            self.expired = 0;
        }
        if self.mailbox.is_empty() {
            self.burst = None;
        }
    }

    fn release(&mut self, how: Return, at: Span) {
        let waits = |due: i64| Place::Waits { due: Span { lo: due, hi: due.max(at.hi) }, held: false };
        let now = Place::Waits { due: at, held: false };
        let newer = self.burst.map(|(due, _)| due).filter(|_| !self.mailbox.is_empty());
        self.place = match how {
            Return::Clean => {
                (self.clean, self.expired) = (true, 0);
                match newer {
                    _ if self.mailbox.is_empty() => Place::Idle,
                    Some(due) => Place::Waits { due: Span { lo: due.lo, hi: due.hi.max(at.hi) }, held: false },
                    None => now,
                }
            }
            Return::Now => now,
            Return::Hold(_) if self.mailbox.iter().any(|(_, kind, _)| *kind != 'm') => now,
            Return::Hold(due) => Place::Waits { due: Span { lo: due, hi: due.max(at.hi) }, held: true },
            // A message that came during the claim need not wait for the retry.
            Return::At(due) => match newer {
                Some(burst) => {
                    Place::Waits { due: Span { lo: burst.lo.min(due), hi: burst.hi.min(due).max(at.hi) }, held: false }
                }
                None => waits(due),
            },
            Return::Failed(due) => {
                self.expired += u32::from(!self.mailbox.is_empty());
                waits(due)
            }
        };
    }
}

/// A history in play: the real queue beside the model.
struct Play {
    redis: TenantRedis,
    raw: MultiplexedConnection,
    prefix: String,
    clock: Clock,
    queue: Queue,
    lanes: BTreeMap<&'static str, Lane>,
    claims: Vec<Claimed>,
    accepted: Vec<(Uuid, usize, i64)>,
    dead: Vec<(Uuid, &'static str, char)>,
}

impl Play {
    fn new(redis: TenantRedis, raw: MultiplexedConnection) -> Self {
        let clock = Clock::new();
        let lane = || Lane { mailbox: Vec::new(), place: Place::Idle, fence: 0, expired: 0, clean: false, burst: None };
        Self {
            prefix: secretaria::tenant::prefix(redis.company()),
            queue: Queue::new(redis.clone(), clock.clone()),
            redis,
            raw,
            clock,
            lanes: CONVERSATIONS.into_iter().map(|c| (c, lane())).collect(),
            claims: Vec::new(),
            accepted: Vec::new(),
            dead: Vec::new(),
        }
    }

    fn lane(&mut self, c: &str) -> &mut Lane {
        self.lanes.get_mut(c).unwrap()
    }

    /// The nth newest claim, and its number.
    fn claim(&self, nth: usize) -> Option<(usize, Claimed)> {
        self.claims.iter().enumerate().rev().nth(nth).map(|(n, claim)| (n, claim.clone()))
    }

    /// From a moment before a command until now.
    fn since(&self, before: i64) -> Span {
        Span { lo: before, hi: self.clock.now_ms() + 1 }
    }

    async fn step(&mut self, op: &Op) {
        let before = self.clock.now_ms();
        match *op {
            Op::Message { c, burst_ms } => self.accept(Uuid::now_v7(), c, 'm', burst_ms).await,
            Op::Echo { c } => self.accept(Uuid::now_v7(), c, 'e', 0).await,
            Op::Again { nth } => self.again(nth).await,
            Op::Order { c } => {
                let id = Uuid::now_v7();
                let letter = ("test", "corr", id);
                dead_letter::add_delivery(&self.redis, before, CONVERSATIONS[c], letter).await.unwrap();
                self.dead.push((id, CONVERSATIONS[c], 'o'));
                self.requeue(self.dead.len() - 1).await;
            }
            Op::Claim { max } => self.take(max, before).await,
            Op::Peek { claim } => self.peek(claim).await,
            Op::Ack { claim, mask } => self.ack(claim, mask).await,
            Op::Release { claim, how } => self.release(claim, how, before).await,
            Op::Renew { claim } => {
                let Some((_, claim)) = self.claim(claim) else { return };
                let pair = [(claim.conversation.clone(), claim.fence)];
                let ours = self.queue.renew(LEASE_MS, &pair).await.unwrap();
                let end = self.since(before).plus(LEASE_MS);
                let lane = self.lane(&claim.conversation);
                assert_eq!(ours, [lane.is_held_by(claim.fence)]);
                if ours[0] {
                    lane.place = Place::Leased { fence: claim.fence, end };
                }
            }
            Op::RaiseFence { c, by } => {
                let stored = self.lane(CONVERSATIONS[c]).fence.max(before * 1000) + by;
                self.queue.raise_fence(CONVERSATIONS[c], stored).await.unwrap();
                self.lane(CONVERSATIONS[c]).fence = stored;
            }
            Op::Bury { claim, mask } => self.bury(claim, mask).await,
            Op::Requeue if !self.dead.is_empty() => self.requeue(0).await,
            Op::Requeue => {}
            Op::Pass { ms } => self.clock.advance(Duration::from_millis(ms)),
            Op::Sweep => self.sweep(before).await,
            Op::Wipe { unfinished } => self.wipe(unfinished, before).await,
        }
    }

    async fn accept(&mut self, id: Uuid, c: usize, kind: char, burst_ms: i64) {
        let before = self.clock.now_ms();
        let got =
            put(&self.redis, &self.clock, (CONVERSATIONS[c], id, kind), (burst_ms, BURST_MAX_MS, CAP as i64)).await;
        let (at, born) = (self.since(before), self.claims.len());
        let lane = self.lane(CONVERSATIONS[c]);
        if kind == 'm' && lane.mailbox.len() >= CAP {
            assert_eq!(got, Accepted::DeadLettered);
            self.dead.push((id, CONVERSATIONS[c], kind));
        } else {
            assert!(matches!(got, Accepted::Queued { .. }), "{got:?}");
            lane.arrive((id, kind, born), at, burst_ms);
        }
        if kind == 'm' {
            self.accepted.push((id, c, burst_ms));
        }
    }

    async fn again(&mut self, nth: usize) {
        let Some((id, c, burst)) = self.accepted.iter().rev().nth(nth).copied() else { return };
        let got = put(&self.redis, &self.clock, (CONVERSATIONS[c], id, 'm'), (burst, BURST_MAX_MS, CAP as i64)).await;
        assert_eq!(got, Accepted::Duplicate { job_id: id.to_string() });
    }

    async fn take(&mut self, max: i64, before: i64) {
        let limits = ClaimLimits { lease_ms: LEASE_MS, max, cap: 1000, quantum: 10_000 };
        let claim = self.queue.claim(limits).await.unwrap();
        let at = self.since(before);
        for one in &claim.claimed {
            let lane = self.lane(&one.conversation);
            match lane.place {
                Place::Waits { due, held } => {
                    assert!(due.lo <= at.hi, "{one:?} too early, held {held}: {due:?} {at:?}")
                }
                other => panic!("{} was claimed although {other:?}", one.conversation),
            }
            assert!(one.fence > lane.fence, "fence {} after {}", one.fence, lane.fence);
            let ids: Vec<Uuid> = one.waiting.iter().map(|waiting| waiting.envelope.id).collect();
            assert_eq!(ids, lane.mailbox.iter().map(|(id, ..)| *id).collect::<Vec<_>>());
            assert!(one.waiting.windows(2).all(|pair| pair[0].seq < pair[1].seq));
            assert_eq!((one.expired, one.clean), (lane.expired, lane.clean));
            (lane.fence, lane.clean, lane.burst) = (one.fence, false, None);
            lane.place = Place::Leased { fence: one.fence, end: at.plus(LEASE_MS) };
        }
        if max > 3 {
            for (c, lane) in &self.lanes {
                let missed = matches!(lane.place, Place::Waits { due, .. } if due.hi <= before);
                assert!(!missed, "{c} was due and not claimed: {:?}", lane.place);
            }
        }
        self.claims.extend(claim.claimed);
    }

    async fn peek(&mut self, nth: usize) {
        let Some((number, claim)) = self.claim(nth) else { return };
        let last = claim.waiting.last().map_or(0, |waiting| waiting.seq);
        let peek = self.queue.peek(&claim, last).await.unwrap();
        let lane = self.lane(&claim.conversation);
        assert_eq!(peek.is_some(), lane.is_held_by(claim.fence));
        if let Some(peek) = peek {
            let newer: Vec<Uuid> =
                lane.mailbox.iter().filter(|(.., born)| *born > number).map(|(id, ..)| *id).collect();
            assert_eq!(peek.newer.iter().map(|waiting| waiting.envelope.id).collect::<Vec<_>>(), newer);
        }
    }

    /// Prefix or subset: whichever bits are set.
    fn chosen(claim: &Claimed, mask: u8) -> (Vec<i64>, Vec<Uuid>) {
        let picked = claim.waiting.iter().enumerate().filter(|(n, _)| mask >> (n % 8) & 1 == 1);
        picked.map(|(_, waiting)| (waiting.seq, waiting.envelope.id)).unzip()
    }

    async fn ack(&mut self, nth: usize, mask: u8) {
        let Some((number, claim)) = self.claim(nth) else { return };
        let (seqs, ids) = Self::chosen(&claim, mask);
        let ours = self.queue.ack(&claim, &seqs, None).await.unwrap();
        let lane = self.lane(&claim.conversation);
        assert_eq!(ours, lane.is_held_by(claim.fence));
        if ours {
            lane.remove(&lane.of(number, &ids).iter().map(|(id, ..)| *id).collect::<Vec<_>>());
        }
    }

    async fn release(&mut self, nth: usize, how: How, before: i64) {
        let Some((_, claim)) = self.claim(nth) else { return };
        let how = match how {
            How::Clean => Return::Clean,
            How::Now => Return::Now,
            How::At(ms) => Return::At(before + ms),
            How::Hold(ms) => Return::Hold(before + ms),
            How::Failed(ms) => Return::Failed(before + ms),
        };
        let released = self.queue.release(&claim, how, &Settlement::default(), false, 1_000).await.unwrap();
        let at = self.since(before);
        let lane = self.lane(&claim.conversation);
        assert_eq!(released.ours, lane.is_held_by(claim.fence));
        if released.ours {
            lane.release(how, at);
        }
    }

    async fn bury(&mut self, nth: usize, mask: u8) {
        let Some((number, claim)) = self.claim(nth) else { return };
        let (seqs, ids) = Self::chosen(&claim, mask);
        let count = self.queue.bury(&claim, "test", Some(&seqs)).await.unwrap();
        let lane = self.lane(&claim.conversation);
        if !lane.is_held_by(claim.fence) {
            assert_eq!(count, -1);
            return;
        }
        let gone = lane.of(number, &ids);
        assert_eq!(count, gone.len() as i64);
        lane.remove(&gone.iter().map(|(id, ..)| *id).collect::<Vec<_>>());
        let c = CONVERSATIONS.into_iter().find(|c| *c == claim.conversation).unwrap();
        self.dead.extend(gone.into_iter().map(|(id, kind, _)| (id, c, kind)));
    }

    async fn requeue(&mut self, nth: usize) {
        let letters = dead_letter::list(&self.redis, 100).await.unwrap();
        let before = self.clock.now_ms();
        assert!(dead_letter::requeue(&self.redis, &self.clock, &letters[nth]).await.unwrap());
        assert!(!dead_letter::requeue(&self.redis, &self.clock, &letters[nth]).await.unwrap(), "twice");
        let at = self.since(before);
        let (id, c, kind) = self.dead.remove(nth);
        let born = self.claims.len();
        self.lane(c).requeued((id, kind, born), at);
    }

    async fn sweep(&mut self, before: i64) {
        let reaped = self.queue.sweep(86_400_000, LEASE_MS).await.unwrap();
        let at = self.since(before);
        let leased = self.leased().await;
        let mut back = 0;
        for (c, lane) in &mut self.lanes {
            let Place::Leased { end, .. } = lane.place else { continue };
            if leased.contains(&(*c).to_owned()) {
                assert!(end.hi > at.lo, "{c} was left behind");
            } else {
                assert!(end.lo <= at.hi, "{c} was taken from a living claim");
                lane.expired += u32::from(!lane.mailbox.is_empty());
                lane.place = Place::Waits { due: at, held: false };
                back += 1;
            }
        }
        assert_eq!(reaped.expired, back);
        assert_eq!(reaped.size, self.lanes.values().map(|lane| lane.mailbox.len() as i64).sum::<i64>());
        assert_eq!(reaped.dead, self.dead.len() as i64);
    }

    /// Everything Redis knew is gone; PostgreSQL's unfinished texts are put back.
    async fn wipe(&mut self, unfinished: u8, before: i64) {
        redis::cmd("FLUSHALL").exec_async(&mut self.raw).await.unwrap();
        assert!(!self.queue.sweep(86_400_000, LEASE_MS).await.unwrap().known);
        self.accepted.clear();
        self.dead.clear();
        let mut due = Vec::new();
        for (n, (c, lane)) in self.lanes.iter_mut().enumerate() {
            let fence = lane.fence;
            // Redis' memory of a fence that PostgreSQL raised is gone as well; PostgreSQL raises it again when asked.
            let fence = fence.min(before * 1000);
            *lane = Lane { mailbox: Vec::new(), place: Place::Idle, fence, expired: 0, clean: false, burst: None };
            if unfinished >> n & 1 == 1 {
                due.push(((*c).to_owned(), before + 400 * n as i64));
                let due = before + 400 * n as i64;
                lane.place = Place::Waits { due: Span { lo: due, hi: due + 50 }, held: false };
            }
        }
        self.queue.schedule(&due).await.unwrap();
        assert!(self.queue.sweep(86_400_000, LEASE_MS).await.unwrap().known);
    }

    async fn leased(&mut self) -> Vec<String> {
        redis::cmd("ZRANGE")
            .arg(format!("{}q:lease", self.prefix))
            .arg(0)
            .arg(-1)
            .query_async(&mut self.raw)
            .await
            .unwrap()
    }

    /// What holds after every step.
    async fn check(&mut self) {
        let key = |name: &str| format!("{}q:{name}", self.prefix);
        let mut pipe = redis::pipe();
        pipe.lrange(key("ready"), 0, -1).zrange(key("due"), 0, -1).zrange(key("lease"), 0, -1);
        pipe.zrange_withscores(key("since"), 0, -1);
        for c in self.lanes.keys() {
            pipe.lrange(key(&format!("box:{c}")), 0, -1);
        }
        type Seen = (Vec<String>, Vec<String>, Vec<String>, Vec<(String, i64)>, Vec<String>, Vec<String>, Vec<String>);
        let (ready, due, lease, since, box0, box1, box2): Seen = pipe.query_async(&mut self.raw).await.unwrap();
        for ((c, lane), entries) in self.lanes.iter().zip([box0, box1, box2]) {
            let found: Vec<String> =
                entries.iter().map(|entry| entry.split("\"id\":\"").nth(1).unwrap()[..36].to_owned()).collect();
            assert_eq!(found, lane.mailbox.iter().map(|(id, ..)| id.to_string()).collect::<Vec<_>>(), "mailbox of {c}");
            let count = |list: &[String]| list.iter().filter(|one| one == c).count();
            let places = (count(&ready), count(&due), count(&lease));
            match lane.place {
                Place::Idle => assert!(lane.mailbox.is_empty() && places == (0, 0, 0), "{c} {places:?}"),
                Place::Waits { .. } => assert!(matches!(places, (1, 0, 0) | (0, 1, 0)), "{c} waits in {places:?}"),
                Place::Leased { .. } => assert_eq!(places, (0, 0, 1), "{c} is leased"),
            }
            let oldest = entries.first().map(|entry| entry.split('|').nth(2).unwrap().parse::<i64>().unwrap());
            assert_eq!(since.iter().find(|(one, _)| one == c).map(|(_, at)| *at), oldest, "age of {c}");
        }
    }
}

/// Accepts a message or an echo without limits.
pub async fn put(
    redis: &TenantRedis,
    clock: &Clock,
    (conversation, id, kind): (&str, Uuid, char),
    (burst_ms, burst_max_ms, mailbox_cap): (i64, i64, i64),
) -> Accepted {
    let from = Sender::Lid("77".to_owned());
    let body = match kind {
        'm' => Body::Message(InboundMessage {
            from,
            provider_id: None,
            text: None,
            kind: MessageKind::Sticker,
            name: None,
            sent_at: None,
            media: None,
        }),
        _ => Body::Echo(Echo { to: from, provider_id: None, text: None }),
    };
    let new =
        NewEnvelope { conversation, id, correlation_id: "c", dedupe: Some(id.to_string()), lid: None, body: &body };
    let limits = IntakeLimits {
        seen_seconds: 1000,
        burst_ms,
        burst_max_ms,
        mailbox_cap,
        address: "127.0.0.1",
        address_per_second: 0,
        number_per_minute: 0,
        number_burst: 1,
    };
    accept(redis, clock, &new, &limits).await.unwrap()
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a switch of the test run, no setting")]
fn no_history_loses_doubles_or_disorders_anything() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (world, raw) = runtime.block_on(async {
        let world = World::builder().workers(0).start().await;
        let client = redis::Client::open(world.redis.url()).unwrap();
        let raw = client.get_multiplexed_async_connection().await.unwrap();
        (world, raw)
    });
    let tenant = world.tenant(&world.clinic);
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(1000);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 4000, ..Config::default() };
    let histories = proptest::collection::vec(op(), 1..40);
    let played = TestRunner::new(config).run(&histories, |history| {
        runtime.block_on(async {
            let mut raw = raw.clone();
            redis::cmd("FLUSHALL").exec_async(&mut raw).await.unwrap();
            let mut play = Play::new(tenant.redis.clone(), raw);
            play.queue.schedule(&[]).await.unwrap();
            for op in &history {
                play.step(op).await;
                play.check().await;
            }
        });
        Ok(())
    });
    if let Err(error) = played {
        panic!("{error}");
    }
    runtime.block_on(world.end());
}
