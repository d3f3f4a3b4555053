//! The load generator, the same for floor and product: signed and tokened webhooks on kept connections, closed loop
//! (so many at once) or open loop (so many a second, whatever the answers), and a ledger of every promise (202).

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hdrhistogram::Histogram;
use secretaria::clock::Clock;
use secretaria::domain::webhook_auth::sign;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::mark::Mark;
use crate::place::Company;
use crate::standin::Standin;
use crate::wire::Wire;

/// Connections of every load.
pub const CONNECTIONS: usize = 64;

/// Longest wait for one answer to a customer before a run counts as failed.
const PATIENCE: Duration = Duration::from_secs(120);

/// Where the load goes and who it speaks for.
#[derive(Clone)]
pub struct Target {
    /// `127.0.0.1:port`.
    pub address: String,
    pub companies: Arc<Vec<Company>>,
    /// The number of this run's first conversation: no run meets the customers of another.
    pub first: u32,
    pub clock: Clock,
}

/// What intake did.
pub struct Intake {
    pub accepted: Vec<Mark>,
    pub refused: u64,
    pub took: Duration,
    /// Microseconds of a request.
    pub latency: Histogram<u64>,
}

impl Intake {
    pub fn per_second(&self) -> f64 {
        self.accepted.len() as f64 / self.took.as_secs_f64()
    }
}

pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 600_000_000, 3).unwrap()
}

impl Target {
    /// The webhook of a message, as its gateway sends it.
    fn request(&self, company: &Company, mark: Mark) -> Vec<u8> {
        let unix = self.clock.now().timestamp();
        let body = format!(
            r#"{{"key":{{"remoteJid":"{}@s.whatsapp.net","fromMe":false,"id":"B{mark}"}},"messageTimestamp":{unix},"pushName":"Ana","message":{{"conversation":"Oi, {mark}, qual o horário de atendimento de vocês esta semana?"}}}}"#,
            mark.phone()
        );
        let signature = sign(&company.secret, unix, body.as_bytes());
        format!(
            "POST /webhook/whaticket HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\nx-webhook-token: {}\r\nx-webhook-timestamp: {unix}\r\nx-webhook-signature: sha256={signature}\r\ncontent-length: {}\r\n\r\n{body}",
            company.domain, company.token, body.len()
        )
        .into_bytes()
    }

    fn company(&self, n: u64) -> &Company {
        &self.companies[usize::try_from(n).unwrap() % self.companies.len()]
    }

    /// The i-th message of a load that goes round all companies, then all their conversations, then begins again.
    fn mark(&self, i: u64, conversations: u64) -> (&Company, Mark) {
        let companies = self.companies.len() as u64;
        let company = self.company(i % companies);
        let conversation = self.first + u32::try_from(i / companies % conversations).unwrap();
        let n = u32::try_from(i / (companies * conversations)).unwrap();
        (company, Mark { company: company.id, conversation, n })
    }

    /// Posts these messages of the first company one after the other; how many were refused.
    pub async fn say(&self, marks: &[Mark]) -> u64 {
        let mut wire = Wire::connect(&self.address).await.unwrap();
        let mut refused = 0;
        for mark in marks {
            refused += u64::from(post(&mut wire, &self.request(&self.companies[0], *mark)).await != 202);
        }
        refused
    }

    /// Closed loop: 64 connections post as fast as they are answered, until `count` messages or `time`.
    pub async fn closed(&self, count: u64, conversations: u64, time: Duration) -> Intake {
        let next = Arc::new(AtomicU64::new(0));
        let begun = Instant::now();
        let mut tasks = JoinSet::new();
        for _ in 0..CONNECTIONS {
            let (target, next) = (self.clone(), Arc::clone(&next));
            tasks.spawn(async move { target.one_connection(&next, (count, conversations), begun + time).await });
        }
        let mut all = Intake { accepted: Vec::new(), refused: 0, took: Duration::ZERO, latency: histogram() };
        while let Some(done) = tasks.join_next().await {
            let done = done.unwrap();
            all.accepted.extend(done.accepted);
            all.refused += done.refused;
            all.latency.add(done.latency).unwrap();
        }
        all.took = begun.elapsed();
        all
    }

    async fn one_connection(&self, next: &AtomicU64, (count, conversations): (u64, u64), end: Instant) -> Intake {
        let mut wire = Wire::connect(&self.address).await.unwrap();
        let mut done = Intake { accepted: Vec::new(), refused: 0, took: Duration::ZERO, latency: histogram() };
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            if i >= count || Instant::now() >= end {
                return done;
            }
            let (company, mark) = self.mark(i, conversations);
            let request = self.request(company, mark);
            let begun = Instant::now();
            match post(&mut wire, &request).await {
                202 => done.accepted.push(mark),
                0 => {
                    done.refused += 1;
                    wire = Wire::connect(&self.address).await.unwrap();
                }
                _ => done.refused += 1,
            }
            done.latency.saturating_record(micros(begun.elapsed()));
        }
    }

    /// So many conversations whose customers write again as soon as they are answered, for `time`. The last message of
    /// each is answered before this returns.
    pub async fn converse(&self, standin: &Standin, conversations: u32, time: Duration) -> Conversed {
        let pool = Arc::new(Pool::new(&self.address));
        let begun = Instant::now();
        let mut tasks = JoinSet::new();
        let companies = u32::try_from(self.companies.len()).unwrap();
        for c in 0..conversations {
            let company = self.company(u64::from(c)).clone();
            let conversation = self.first + c / companies;
            let (sender, mut heard) = mpsc::unbounded_channel();
            standin.hear(company.id, conversation, sender);
            let (target, pool) = (self.clone(), Arc::clone(&pool));
            tasks.spawn(async move {
                let (mut accepted, mut waits) = (Vec::new(), histogram());
                while begun.elapsed() < time {
                    let n = u32::try_from(accepted.len()).unwrap();
                    let mark = Mark { company: company.id, conversation, n };
                    let asked = Instant::now();
                    if pool.post(&target.request(&company, mark)).await != 202 {
                        return (accepted, waits, 1);
                    }
                    accepted.push(mark);
                    let patience = tokio::time::timeout(PATIENCE, async {
                        while let Some(sent) = heard.recv().await {
                            if sent.mark.n == n {
                                break;
                            }
                        }
                    });
                    if patience.await.is_err() {
                        return (accepted, waits, 1);
                    }
                    waits.saturating_record(micros(asked.elapsed()));
                }
                (accepted, waits, 0)
            });
        }
        let mut all = Conversed { accepted: Vec::new(), refused: 0, waits: histogram(), begun, time };
        while let Some(done) = tasks.join_next().await {
            let (accepted, waits, refused) = done.unwrap();
            all.accepted.extend(accepted);
            all.waits.add(waits).unwrap();
            all.refused += refused;
        }
        all
    }

    /// Open loop: a message every `1/rate` seconds, each of the next of so many conversations. The wait of a message
    /// counts from when it was meant to be sent, so a stall is paid for by every message it delays.
    pub async fn open(&self, standin: &Standin, rate: f64, count: u64, conversations: u64) -> Conversed {
        let pool = Arc::new(Pool::new(&self.address));
        let begun = Instant::now() + Duration::from_millis(50);
        let meant = |i: u64| begun + Duration::from_secs_f64(i as f64 / rate);
        let promised = Arc::new(Mutex::new(Vec::new()));
        let refused = Arc::new(AtomicU64::new(0));
        let mut tasks = JoinSet::new();
        for i in 0..count {
            tokio::time::sleep_until(meant(i)).await;
            let (company, mark) = self.mark(i, conversations);
            let request = self.request(company, mark);
            let (pool, promised, refused) = (Arc::clone(&pool), Arc::clone(&promised), Arc::clone(&refused));
            tasks.spawn(async move {
                match pool.post(&request).await {
                    202 => promised.lock().unwrap().push((mark, i)),
                    _ => _ = refused.fetch_add(1, Ordering::Relaxed),
                }
            });
        }
        while tasks.join_next().await.is_some() {}
        let promised = std::mem::take(&mut *promised.lock().unwrap());
        until(PATIENCE, || standin.answered() >= promised.len() as u64).await;
        let arrived: std::collections::HashMap<Mark, Instant> =
            standin.sent().into_iter().rev().map(|sent| (sent.mark, sent.at)).collect();
        let mut waits = histogram();
        for (mark, i) in &promised {
            if let Some(at) = arrived.get(mark) {
                waits.saturating_record(micros(at.saturating_duration_since(meant(*i))));
            }
        }
        let accepted = promised.into_iter().map(|(mark, _)| mark).collect();
        let time = Duration::from_secs_f64(count as f64 / rate);
        Conversed { accepted, refused: refused.load(Ordering::Relaxed), waits, begun, time }
    }
}

/// What customers and their gateway saw.
pub struct Conversed {
    pub accepted: Vec<Mark>,
    pub refused: u64,
    /// Microseconds from a customer's message to its answer at the channel.
    pub waits: Histogram<u64>,
    begun: Instant,
    time: Duration,
}

impl Conversed {
    /// Answers a second, the first fifth of the time (everybody speaks at once) left out.
    pub fn per_second(&self, standin: &Standin) -> f64 {
        let (from, to) = (self.begun + self.time / 5, self.begun + self.time);
        let within = standin.sent().iter().filter(|sent| sent.at >= from && sent.at < to).count();
        within as f64 / (to - from).as_secs_f64()
    }
}

struct Pool {
    address: String,
    idle: Mutex<Vec<Wire>>,
    permits: Semaphore,
}

impl Pool {
    fn new(address: &str) -> Self {
        Self { address: address.to_owned(), idle: Mutex::default(), permits: Semaphore::new(CONNECTIONS) }
    }

    async fn post(&self, request: &[u8]) -> u16 {
        let _permit = self.permits.acquire().await.unwrap();
        let idle = self.idle.lock().unwrap().pop();
        let mut wire = match idle {
            Some(wire) => wire,
            None => match Wire::connect(&self.address).await {
                Ok(wire) => wire,
                Err(_) => return 0,
            },
        };
        let status = post(&mut wire, request).await;
        if status != 0 {
            self.idle.lock().unwrap().push(wire);
        }
        status
    }
}

/// The status; 0 when the connection broke.
async fn post(wire: &mut Wire, request: &[u8]) -> u16 {
    if wire.write(request).await.is_err() {
        return 0;
    }
    match wire.read().await {
        Ok(Some(answer)) => answer.status(),
        _ => 0,
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// Waits until a condition holds; whether it did.
pub async fn until(patience: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + patience;
    while !holds() {
        if Instant::now() >= end {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    true
}
