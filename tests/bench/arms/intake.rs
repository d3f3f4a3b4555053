//! Intake alone: 64 connections post as fast as they are answered; nobody works.

use crate::arms::{Bench, Cpu, median};
use crate::place::{SIDES, Side};
use crate::report::Goal;

#[derive(Default)]
struct Rounds {
    per_second: Vec<f64>,
    cpu: Vec<f64>,
    p99: Vec<f64>,
}

pub async fn run(bench: &mut Bench) {
    let (floor, product) = measure(bench, "no").await;
    let both = |of: fn(&Rounds) -> &Vec<f64>| (median(of(&floor).clone()), median(of(&product).clone()));
    let (f, p) = both(|rounds| &rounds.per_second);
    bench.report.ratio("intake throughput, 64 connections, `appendfsync no`", f, p, "/s", Goal::AtLeast(0.5, 0.7));
    let (f, p) = both(|rounds| &rounds.cpu);
    bench.report.ratio("intake CPU a message (app and Redis)", f, p, "ms", Goal::AtMost(2.5, 1.6));
    let (f, p) = both(|rounds| &rounds.p99);
    bench.report.ratio("intake p99, 64 connections", f, p, "ms", Goal::AtMost(3.0, 1.5));
    let (floor, product) = measure(bench, "always").await;
    let (f, p) = (median(floor.per_second), median(product.per_second));
    bench.report.ratio("intake throughput, `appendfsync always`", f, p, "/s", Goal::AtLeast(0.5, 0.8));
    let (f, p) = (median(floor.p99), median(product.p99));
    bench.report.ratio("intake p99, `appendfsync always`", f, p, "ms", Goal::Told);
}

async fn measure(bench: &mut Bench, appendfsync: &str) -> (Rounds, Rounds) {
    let mut all = (Rounds::default(), Rounds::default());
    let time = bench.seconds(5, 2);
    for round in 1..=bench.size(3, 1) {
        for side in SIDES {
            bench.place.clean(appendfsync).await;
            let serve = bench.place.serve(side).await;
            let target = bench.place.target(&serve.address, 20);
            // Connections, scripts and caches are warm before anything counts.
            target.closed(2000, 1000, time).await;
            let target = bench.place.target(&serve.address, 20);
            let before = Cpu::now(&bench.place, side, Some(&serve), None);
            let done = target.closed(u64::MAX, 1000, time).await;
            let cpu = Cpu::now(&bench.place, side, Some(&serve), None).since(before).per(done.accepted.len());
            bench.note_refused("intake", side, done.refused);
            let rounds = if side == Side::Floor { &mut all.0 } else { &mut all.1 };
            rounds.per_second.push(done.per_second());
            rounds.cpu.push(cpu.serve + cpu.redis);
            rounds.p99.push(done.latency.value_at_quantile(0.99) as f64 / 1000.0);
            bench.report.raw(
                format!("intake, appendfsync {appendfsync}, {side:?} {round}"),
                format!(
                    "{:.0}/s; serve {:.4} + Redis {:.4} ms; p50 {:.2} p99 {:.2} max {:.1} ms",
                    done.per_second(),
                    cpu.serve,
                    cpu.redis,
                    done.latency.value_at_quantile(0.5) as f64 / 1000.0,
                    done.latency.value_at_quantile(0.99) as f64 / 1000.0,
                    done.latency.max() as f64 / 1000.0
                ),
            );
            drop(serve);
        }
    }
    bench.place.clean("always").await;
    all
}
