//! Resident memory: idle, and with thousands of turns waiting for a slow model.

use std::time::Duration;

use crate::arms::{Bench, preload};
use crate::load::until;
use crate::place::{SIDES, Side};
use crate::proc;
use crate::report::Goal;

pub async fn run(bench: &mut Bench) {
    let messages: u64 = bench.size(5_000, 1_000);
    let mut idle = [0.0, 0.0];
    let mut full = [0.0, 0.0];
    for side in SIDES {
        bench.place.clean("always").await;
        bench.place.standin.reset(Duration::from_secs(5));
        let serve = bench.place.serve(side).await;
        let work = bench.place.work(side, 6_000).await;
        tokio::time::sleep(bench.seconds(5, 2)).await;
        let (of_serve, of_work) = (proc::rss_mib(serve.pid()), proc::rss_mib(work.pid()));
        idle[side as usize] = of_serve.max(of_work);
        bench
            .report
            .raw(format!("RSS idle, 20 companies, {side:?}"), format!("serve {of_serve:.1}, work {of_work:.1} MiB"));
        work.stop().await;
        let loaded = preload(bench, side, &serve, messages, 20).await;
        let work = bench.place.work(side, 6_000).await;
        let standin = bench.place.standin.clone();
        let mut rss: f64 = 0.0;
        // While nearly all of them think at once.
        until(Duration::from_secs(60), || {
            rss = rss.max(proc::rss_mib(work.pid()));
            standin.answered() > 0
        })
        .await;
        let run = format!("{messages} in flight, model 5 s, {side:?}");
        bench.settle(&run, side, &loaded.accepted).await;
        full[side as usize] = rss;
        let (most, peak) = (standin.most_thinking(), proc::peak_rss_mib(work.pid()));
        bench.report.raw(
            run,
            format!("work {rss:.1} MiB before the first answer, {peak:.1} at most; {most} at the model at once; serve {:.1} MiB", proc::rss_mib(serve.pid())),
        );
        work.stop().await;
    }
    bench.report.raw("RSS of the floor, idle / full", format!("{:.1} / {:.1} MiB", idle[0], full[0]));
    bench.report.alone(
        "RSS idle, 20 companies (the larger of serve and work)",
        idle[Side::Product as usize],
        " MiB",
        Goal::AtMost(40.0, 20.0),
    );
    let name = format!("RSS of work, {messages} in flight, model 5 s");
    bench.report.alone(&name, full[Side::Product as usize], " MiB", Goal::AtMost(150.0, 80.0));
}
