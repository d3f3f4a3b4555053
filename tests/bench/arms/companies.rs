//! Many companies on one server: making them, starting with them, one flooding while the others wait, scraping, migrating.

use std::time::Duration;

use tokio::time::Instant;

use crate::arms::{Bench, CONCURRENCY, median};
use crate::place::{Place, Side};
use crate::proc;
use crate::report::Goal;
use crate::wire::Wire;

pub async fn run(bench: &mut Bench) {
    // 2,500 take five minutes to make: `ARMS=companies COMPANIES=2500`.
    let default = bench.size(1_000, 100);
    let many = std::env::var("COMPANIES").ok().and_then(|n| n.parse().ok()).unwrap_or(default);
    bench.place.clean("always").await;
    bench.place.standin.reset(Duration::ZERO);
    let begun = Instant::now();
    let times = bench.place.provision(many).await;
    bench.report.raw(format!("provisioning up to {many} companies"), format!("{:.1} s", begun.elapsed().as_secs_f64()));
    bench.report.alone("provisioning one company", median(times), " s", Goal::AtMost(1.0, 0.3));

    let begun = Instant::now();
    let serve = bench.place.serve(Side::Product).await;
    let serve_ready = begun.elapsed();
    let work = bench.place.work(Side::Product, CONCURRENCY).await;
    let words = format!(
        "serve {:.2} s, work {:.2} s",
        serve_ready.as_secs_f64(),
        (begun.elapsed() - serve_ready).as_secs_f64()
    );
    bench.report.raw(format!("start-up with {many} companies"), words);

    // Every tenth company is active: once through, so that its series exist.
    let mut promised = Vec::new();
    let mut target = bench.place.target(&serve.address, many);
    target.companies = std::sync::Arc::new(bench.place.companies.iter().step_by(10).cloned().collect());
    let active = target.companies.len() as u64;
    let done = target.closed(active, 1, Duration::from_secs(60)).await;
    bench.note_refused("companies, once each", Side::Product, done.refused);
    promised.extend(done.accepted);
    bench.settle("companies, once each", Side::Product, &promised).await;

    flood(bench, &serve.address, promised).await;

    tokio::time::sleep(Duration::from_secs(2)).await;
    let (rss_serve, rss_work) = (proc::rss_mib(serve.pid()), proc::rss_mib(work.pid()));
    bench.report.alone(&format!("RSS of serve, {many} companies"), rss_serve, " MiB", Goal::AtMost(400.0, 150.0));
    bench.report.raw(format!("RSS with {many} companies"), format!("serve {rss_serve:.1}, work {rss_work:.1} MiB"));
    for (who, address) in [("serve", &serve.address), ("work", &work.address)] {
        let (took, bytes) = scrape(address).await;
        let name = format!("`/metrics` of {who}, {many} companies, every tenth active");
        bench.report.alone(&name, took.as_secs_f64(), " s", Goal::AtMost(2.0, 0.5));
        bench.report.raw(name, format!("{bytes} bytes"));
    }
    work.stop().await;
    serve.stop().await;
    migrate(bench, many).await;
}

/// One company sends without end; ten messages a second of others come between. Their wait is what counts.
async fn flood(bench: &mut Bench, address: &str, mut promised: Vec<crate::mark::Mark>) {
    let time = bench.seconds(10, 3);
    let standin = bench.place.standin.clone();
    let flooder = bench.place.target(address, 1);
    let mut others = bench.place.target(address, usize::MAX);
    others.companies = std::sync::Arc::new(bench.place.companies.iter().skip(1).step_by(10).cloned().collect());
    let before = standin.answered();
    let flooding = tokio::spawn(async move { flooder.closed(20_000, 20_000, time).await });
    tokio::time::sleep(Duration::from_millis(500)).await;
    let count = time.as_secs() * 10;
    let done = others.open(&standin, 10.0, count, 100).await;
    let flooded = flooding.await.unwrap();
    bench.note_refused("flood", Side::Product, done.refused + flooded.refused);
    let ms = |q| done.waits.value_at_quantile(q) as f64 / 1000.0;
    let backlog = before + (flooded.accepted.len() + done.accepted.len()) as u64 - standin.answered();
    bench.report.raw(
        "one company floods",
        format!("{} messages taken at {:.0}/s, {backlog} still waiting when the others were answered; others p50 {:.0} p99 {:.0} ms", flooded.accepted.len(), flooded.per_second(), ms(0.5), ms(0.99)),
    );
    bench.report.alone("one company floods: another's wait, p99", ms(0.99) / 1000.0, " s", Goal::AtMost(2.0, 0.5));
    promised.extend(flooded.accepted);
    promised.extend(done.accepted);
    bench.settle("flood", Side::Product, &promised).await;
}

async fn scrape(address: &str) -> (Duration, usize) {
    let begun = Instant::now();
    let mut wire = Wire::connect(address).await.unwrap();
    wire.write(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
    let bytes = wire.read().await.unwrap().map_or(0, |answer| answer.body.len());
    (begun.elapsed(), bytes)
}

/// Nothing is pending, so this is what asking every company costs.
async fn migrate(bench: &mut Bench, many: usize) {
    match Place::run(&bench.place, &["migrate", "up"]).await {
        Ok(took) => {
            let per_thousand = took.as_secs_f64() * 1000.0 / many as f64;
            bench
                .report
                .raw(format!("migrate over {many} companies, nothing pending"), format!("{:.1} s", took.as_secs_f64()));
            bench.report.alone(
                "migrating 1,000 companies (nothing pending)",
                per_thousand,
                " s",
                Goal::AtMost(60.0, 20.0),
            );
        }
        Err(error) => bench.report.faults.push(format!("migrate: {error}")),
    }
}
