//! Trouble of the providers.

use std::sync::Arc;
use std::time::Duration;

use secretaria::standins::{Fault, FaultKind, Provider};
use serde_json::json;

use super::{Outcome, Size, judged};
use crate::engine::arena::{Arena, Plan, free_address};
use crate::engine::child::Job;
use crate::engine::deeds::{Deed, Token};
use crate::engine::evidence::rest;
use crate::engine::judge::Verdict;
use crate::engine::load::{ClientLedger, Shape, Speaker, speak};
use crate::engine::wire::Wire;

/// A kind of trouble, and what it must come to when it strikes one send: `(ambiguous, resends, surely not sent)`.
struct Trouble {
    name: &'static str,
    fault: Fault,
    ambiguous: u64,
    retries: u64,
}

fn channel(kind: FaultKind) -> Fault {
    Fault::new(Provider::Whaticket, kind)
}

fn channel_troubles() -> Vec<Trouble> {
    let sure = |name, fault| Trouble { name, fault, ambiguous: 0, retries: 1 };
    let unsure = |name, fault| Trouble { name, fault, ambiguous: 1, retries: 0 };
    let fine = |name, fault| Trouble { name, fault, ambiguous: 0, retries: 0 };
    let status = |status| Fault::status(Provider::Whaticket, status, json!({"error": "no"}));
    vec![
        unsure("timeout", Fault { delay_ms: Some(5_000), ..channel(FaultKind::Delay) }),
        unsure("500", status(500)),
        sure("429 with Retry-After", Fault { retry_after: Some(json!(1)), ..status(429) }),
        sure("503", status(503)),
        unsure("HTML 502", channel(FaultKind::Html)),
        unsure("reset before", channel(FaultKind::ResetBefore)),
        unsure("reset after bytes", channel(FaultKind::ResetAfterAccept)),
        unsure("accepted but silent", channel(FaultKind::SilentAfterAccept)),
        // The head said 200: it was accepted, whatever became of the body.
        fine("truncated", channel(FaultKind::Truncated)),
        fine("drip", Fault { delay_ms: Some(2), ..channel(FaultKind::Drip) }),
        fine("empty", channel(FaultKind::Empty)),
        fine("garbage", channel(FaultKind::Garbage)),
    ]
}

fn model_troubles() -> Vec<Fault> {
    let model = |kind| Fault::new(Provider::Gemini, kind);
    let status =
        |status| Fault::status(Provider::Gemini, status, json!({"error": {"code": status, "status": "UNAVAILABLE"}}));
    vec![
        status(500),
        status(503),
        status(429),
        Fault { retry_after: Some(json!(1)), ..status(429) },
        model(FaultKind::Empty),
        model(FaultKind::Html),
        model(FaultKind::Truncated),
        model(FaultKind::ResetBefore),
        model(FaultKind::ResetAfterAccept),
        model(FaultKind::Garbage),
        model(FaultKind::MaxTokens),
        Fault { delay_ms: Some(2_500), ..model(FaultKind::Delay) },
        Fault { delay_ms: Some(1), ..model(FaultKind::Drip) },
    ]
}

/// Each kind once, with its counters; then all kinds at once.
pub async fn faults(size: Size, seed: u64) -> Outcome {
    let arena = Arena::start(Plan::new(seed).companies(3).workers(0)).await;
    let metrics = free_address();
    let own = [("SECRETARIA_METRICS__BIND".to_owned(), metrics.to_string())].into();
    arena.children.add(Job::Work, own);
    arena.ready(metrics).await;
    let ledger = Arc::new(ClientLedger::default());
    let mut verdict = Verdict::default();
    let mut speaker = Speaker::new(&arena, &ledger, 0);
    let troubles = channel_troubles();
    // A 429 that names no time is waited out for half a minute: it runs beside the others.
    let busy = Fault::status(Provider::Whaticket, 429, json!({"error": "no"}));
    arena.standins.add_fault(Fault { company: Some(arena.companies[2].id), ..busy.times(1) });
    speaker.say(Token { company: 2, conversation: 99, n: 0 }).await;
    for (n, trouble) in troubles.iter().enumerate() {
        one_by_one(&arena, &mut speaker, metrics, n, trouble, &mut verdict).await;
    }
    let retried = counters(metrics, arena.companies[2].id).await[2];
    if retried != 1 {
        verdict.blame(format!("429 without Retry-After: {retried} retries, not 1"));
    }
    let mut n = 0;
    for fault in model_troubles() {
        arena.standins.add_fault(fault.times(1));
        speaker.say(Token { company: 1, conversation: 90, n }).await;
        answered(&arena, 1).await;
        arena.standins.clear_faults();
        n += 1;
    }
    if size == Size::Large {
        all_at_once(&arena, &ledger).await;
    }
    verdict.add(judged(&arena, &ledger).await);
    let struck = arena.deeds.all().iter().filter(|deed| matches!(deed, Deed::Send { accepted: false, .. })).count();
    Outcome::new(format!("{} kinds, {} messages", troubles.len() + n, ledger.count()), verdict)
        .note(format!("{struck} texts refused by the channel on the way"))
}

/// One text under one kind of trouble: the counters say exactly that, and one copy arrives (two, where the first was
/// accepted in silence).
async fn one_by_one(
    arena: &Arc<Arena>,
    speaker: &mut Speaker,
    metrics: std::net::SocketAddr,
    n: usize,
    trouble: &Trouble,
    verdict: &mut Verdict,
) {
    let company = arena.companies[0].id;
    let before = counters(metrics, company).await;
    arena.standins.add_fault(Fault { company: Some(company), ..trouble.fault.clone().times(1) });
    speaker.say(Token { company: 0, conversation: n, n: 0 }).await;
    if !answered(arena, 0).await {
        verdict.blame(format!("{}: not finished after 20 s", trouble.name));
    }
    arena.standins.clear_faults();
    let expected = [trouble.ambiguous, trouble.ambiguous, trouble.retries];
    let mut grown = [0; 3];
    // A rendered page is shown again for a while.
    for _ in 0..30 {
        let after = counters(metrics, company).await;
        grown = [after[0] - before[0], after[1] - before[1], after[2] - before[2]];
        tokio::time::sleep(Duration::from_millis(100)).await;
        if grown == expected && expected != [0, 0, 0] {
            break;
        }
    }
    if grown != expected {
        verdict.blame(format!("{}: ambiguous, resent, retried grew by {grown:?}, not {expected:?}", trouble.name));
    }
}

/// Whether everything a company's customers said was decided and delivered within 20 s.
async fn answered(arena: &Arc<Arena>, company: usize) -> bool {
    let id = arena.companies[company].id;
    let open = format!(
        "SELECT count(*) FROM tenant_{id}.delivery WHERE state IN ('queued', 'sending', 'retry_wait', 'ambiguous');"
    );
    let since = format!("company:{{{id}}}:q:since");
    for _ in 0..200 {
        let waiting = arena.redis().await.unwrap().ask(&["ZCARD", &since]).await.unwrap().int();
        if waiting == 0 && arena.sql(open.clone()).await.is_ok_and(|count| count.trim() == "0") {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    false
}

/// A company's ambiguous, resent and put-off sends, as its worker shows them.
async fn counters(metrics: std::net::SocketAddr, company: i64) -> [u64; 3] {
    let text = Wire::to(metrics).get("/metrics").await.map(|reply| reply.body).unwrap_or_default();
    let sum = |name: &str| {
        let label = format!("company=\"{company}\"");
        let fits = |line: &&str| line.starts_with(&format!("secretaria_{name}{{")) && line.contains(&label);
        text.lines().filter(fits).filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
    };
    [sum("outbox_ambiguous_total"), sum("outbox_resent_total"), sum("whaticket_send_retry_total")]
}

/// All kinds at once, 1 to 10 % of the requests each kind of provider.
async fn all_at_once(arena: &Arc<Arena>, ledger: &Arc<ClientLedger>) {
    arena.children.add(Job::Work, std::collections::BTreeMap::new());
    let shares = [0.01, 0.01, 0.02, 0.01, 0.02];
    let faults = channel_troubles().into_iter().map(|trouble| trouble.fault).chain(model_troubles());
    for (n, fault) in faults.enumerate() {
        arena.standins.add_fault(Fault { share: Some(shares[n % shares.len()] / 2.0), ..fault });
    }
    let shape = Shape { clients: 32, first: 100, burst: (1, 3), pause_ms: (50, 150), ..Shape::new(330, 5) };
    speak(arena, ledger, shape).await;
    // Trouble goes on until the last answer has left or died.
    let _ = rest(arena, Duration::from_secs(120)).await;
    arena.standins.clear_faults();
}
