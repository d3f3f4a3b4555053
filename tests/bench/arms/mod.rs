//! The arms: what is measured, and what it has to be.

mod companies;
mod intake;
mod memory;
mod pipeline;
mod profile;

use std::time::Duration;

use crate::load::{Intake, until};
use crate::mark::Mark;
use crate::place::{Place, Running, Side};
use crate::report::Report;

/// The arms of a plain run, in order.
pub const ALL: [&str; 8] =
    ["intake", "pipeline", "conversations200", "conversations2000", "latency", "memory", "history", "companies"];
/// Arms that have to be asked for.
pub const MORE: [&str; 1] = ["profile"];

/// Turns at once of an ordinary arm: the product's default.
const CONCURRENCY: usize = 2048;

/// What all arms share.
pub struct Bench {
    pub place: Place,
    pub report: Report,
    pub quick: bool,
}

impl Bench {
    pub async fn new(quick: bool) -> Self {
        Self { place: Place::new(20).await, report: Report::default(), quick }
    }

    /// A number of a full or a quick run.
    fn size<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }

    fn seconds(&self, full: u64, quick: u64) -> Duration {
        Duration::from_secs(self.size(full, quick))
    }

    /// Notes what intake refused. Of the product nothing may be; the floor promises nothing and is only told about.
    fn note_refused(&mut self, run: &str, side: Side, refused: u64) {
        let words = format!("{refused} webhooks were not taken, or answers never came");
        match side {
            _ if refused == 0 => {}
            Side::Product => self.report.faults.push(format!("{run}: {words}")),
            Side::Floor => self.report.raw(run, words),
        }
    }

    /// Waits for the answers to all promises and judges the run.
    async fn settle(&mut self, run: &str, side: Side, promised: &[Mark]) {
        let standin = self.place.standin.clone();
        let want = promised.len() as u64;
        let mut last = (standin.answered(), tokio::time::Instant::now());
        // As long as anything moves, patience is renewed.
        until(Duration::from_secs(600), || {
            let answered = standin.answered();
            if answered != last.0 {
                last = (answered, tokio::time::Instant::now());
            }
            answered >= want || last.1.elapsed() > Duration::from_secs(45)
        })
        .await;
        self.report.judge(run, standin.judge(promised, side == Side::Product));
    }
}

pub async fn run(bench: &mut Bench, arm: &str) {
    match arm {
        "intake" => intake::run(bench).await,
        "pipeline" => pipeline::drained(bench).await,
        "conversations200" => pipeline::conversations(bench, 200).await,
        "conversations2000" => pipeline::conversations(bench, 2000).await,
        "latency" => pipeline::latency(bench).await,
        "memory" => memory::run(bench).await,
        "history" => pipeline::history(bench).await,
        "companies" => companies::run(bench).await,
        "profile" => profile::run(bench).await,
        _ => {}
    }
}

/// Processor time of the four that work for a message, milliseconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cpu {
    pub serve: f64,
    pub work: f64,
    pub redis: f64,
    pub postgres: f64,
}

impl Cpu {
    pub fn now(place: &Place, side: Side, serve: Option<&Running>, work: Option<&Running>) -> Self {
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        Self {
            serve: serve.map_or(0.0, |child| ms(child.cpu())),
            work: work.map_or(0.0, |child| ms(child.cpu())),
            redis: ms(place.redis_cpu(side)),
            postgres: ms(place.postgres_cpu()),
        }
    }

    pub fn since(self, before: Self) -> Self {
        Self {
            serve: self.serve - before.serve,
            work: self.work - before.work,
            redis: self.redis - before.redis,
            postgres: self.postgres - before.postgres,
        }
    }

    pub fn per(self, messages: usize) -> Self {
        let n = messages.max(1) as f64;
        Self { serve: self.serve / n, work: self.work / n, redis: self.redis / n, postgres: self.postgres / n }
    }

    pub fn sum(self) -> f64 {
        self.serve + self.work + self.redis + self.postgres
    }

    pub fn words(self) -> String {
        format!(
            "{:.3} ms (serve {:.3}, work {:.3}, Redis {:.3}, PostgreSQL {:.3})",
            self.sum(),
            self.serve,
            self.work,
            self.redis,
            self.postgres
        )
    }
}

/// Waits until worker and PostgreSQL have come to rest: after the last answer its result is still to be stored.
pub async fn rest(place: &Place, side: Side, work: &Running) {
    let busy = || {
        let cpu = Cpu::now(place, side, None, Some(work));
        cpu.work + cpu.postgres
    };
    let end = tokio::time::Instant::now() + Duration::from_secs(60);
    let mut before = busy();
    while tokio::time::Instant::now() < end {
        tokio::time::sleep(Duration::from_millis(250)).await;
        let now = busy();
        // Less than a tenth of one core.
        if now - before < 25.0 {
            return;
        }
        before = now;
    }
}

/// The middle of several rounds.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[n / 2],
        n => f64::midpoint(values[n / 2 - 1], values[n / 2]),
    }
}

/// Messages of all companies put into the queue, one a conversation, with nobody to answer them yet.
pub async fn preload(bench: &mut Bench, side: Side, serve: &Running, messages: u64, companies: usize) -> Intake {
    let target = bench.place.target(&serve.address, companies);
    let loaded = target.closed(messages, messages.div_ceil(companies as u64), Duration::from_secs(120)).await;
    bench.note_refused("preload", side, loaded.refused);
    loaded
}
