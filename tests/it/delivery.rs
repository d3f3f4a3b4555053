//! Delivery under trouble: what surely did not leave, what perhaps did, and what never will.

use std::time::Duration;

use secretaria::clients::channel::whaticket::Flavor;
use secretaria::queue::ClaimLimits;
use secretaria::services::attendance::{attend, queue_of};
use secretaria::services::audit::Actor;
use secretaria::services::lease::Lease;
use secretaria::services::{ServiceError, dead_letters};
use secretaria::standins::{Fault, FaultKind, Provider};
use secretaria::workers::runner::Scope;
use serde_json::json;

use crate::harness::{World, eventually};
use crate::turn::prompt;
use crate::turn_model::{capture, configuration_alarms};

const ANA: &str = "5511987654321";
const STATES: &str = "SELECT string_agg(state, ' ' ORDER BY created_at, turn_id, position) FROM delivery";

fn whaticket(kind: FaultKind) -> Fault {
    Fault::new(Provider::Whaticket, kind)
}

fn refusal(status: u16, error: &str) -> Fault {
    Fault::status(Provider::Whaticket, status, json!({"error": error}))
}

async fn says(world: &World, text: &str) {
    world.customer(&world.clinic, ANA).says(text).await.expect_status(202);
}

/// A world where the answer to "eco: um" met this trouble, once.
async fn in_trouble(fault: Fault, state: &str) -> World {
    let world = World::start().await;
    world.standins.add_fault(fault.times(1));
    says(&world, "eco: um").await;
    world.until_sql(&world.clinic, STATES, state).await;
    world.quiet().await;
    world
}

/// Requests at the channel, accepted or not.
fn attempts(world: &World) -> usize {
    world.ledger().iter().filter(|entry| json!(entry.provider) == "whaticket").count()
}

async fn requeue_all(world: &World) {
    let letters = world.dead_letters(&world.clinic).await;
    let tenant = world.tenant(&world.clinic);
    let services = &world.process.services;
    dead_letters::requeue(services, &tenant, &letters, &Actor::operator("test")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_surely_did_not_leave_is_tried_again_by_the_table_and_sent_once() {
    for fault in [refusal(503, "down"), refusal(429, "slow"), refusal(400, "ERR_WAPP_NOT_INITIALIZED")] {
        let patient = fault.status == Some(429);
        let world = in_trouble(fault, "retry_wait").await;
        let due = "SELECT next_at - attempt_at BETWEEN interval '59 seconds' AND interval '68 seconds' FROM delivery";
        if !patient {
            assert_eq!(world.sql(&world.clinic, due), "t", "the first row of the table, and a little jitter");
        }
        assert_eq!((attempts(&world), world.texts_to(ANA).len()), (1, 0));
        world.clock.advance(Duration::from_secs(70));
        world.until_sql(&world.clinic, STATES, "sent").await;
        world.quiet().await;
        assert_eq!(world.texts_to(ANA), ["um (1)"]);
        assert_eq!(world.sql(&world.clinic, "SELECT attempts, resends, error_code IS NULL FROM delivery"), "2|0|t");
        assert_eq!(world.metric(&world.clinic, "outbox_ambiguous_total", ""), 0.0);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_connection_is_no_ambiguity() {
    let world = World::start().await;
    world.configure(&world.clinic, &[("channel.base_url", "http://127.0.0.1:9")]).await;
    says(&world, "eco: um").await;
    world.until_sql(&world.clinic, STATES, "retry_wait").await;
    assert_eq!(world.sql(&world.clinic, "SELECT error_code FROM delivery"), "connect");
    world.configure(&world.clinic, &[("channel.base_url", &world.standins.base_url())]).await;
    world.clock.advance(Duration::from_secs(70));
    world.until_sql(&world.clinic, STATES, "sent").await;
    assert_eq!(world.texts_to(ANA), ["um (1)"]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_message_replaces_a_waiting_text_and_its_answer_saw_everything() {
    let world = in_trouble(refusal(503, "down"), "retry_wait").await;
    says(&world, "eco: dois").await;
    world.until_sql(&world.clinic, STATES, "superseded sent").await;
    world.quiet().await;
    assert_eq!(world.texts_to(ANA), ["dois (2)"], "the persona counts both messages");
    assert_eq!(world.sql(&world.clinic, "SELECT count(*) FROM message WHERE superseded"), "1");
    says(&world, "eco: tres").await;
    world.quiet().await;
    let lines: Vec<String> = prompt(world.model_calls().last().unwrap()).into_iter().map(|(_, text)| text).collect();
    assert_eq!(lines, ["eco: um", "eco: dois", "dois (2)", "eco: tres"], "what was never sent is not history");
    world.end().await;
}

/// A channel that takes one request, waits for a word, and then is out of order.
async fn slow_refusal() -> (String, tokio::sync::oneshot::Receiver<()>, tokio::sync::oneshot::Sender<()>) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let ((asked, when_asked), (answer, when_to_answer)) =
        (tokio::sync::oneshot::channel(), tokio::sync::oneshot::channel());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
        asked.send(()).unwrap();
        when_to_answer.await.unwrap();
        let answer = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        stream.write_all(answer).await.unwrap();
    });
    (url, when_asked, answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_comes_while_a_text_is_refused_does_not_wait_for_the_table() {
    let world = World::builder().set("delivery.timeout_ms", 9000).start().await;
    let (url, asked, answer) = slow_refusal().await;
    world.configure(&world.clinic, &[("channel.base_url", &url)]).await;
    says(&world, "eco: um").await;
    asked.await.unwrap();
    says(&world, "eco: dois").await;
    world.configure(&world.clinic, &[("channel.base_url", &world.standins.base_url())]).await;
    answer.send(()).unwrap();
    // Without the clock being moved: a minute's wait of the first text is not waited for.
    world.until_sql(&world.clinic, STATES, "superseded sent").await;
    world.quiet().await;
    assert_eq!(world.texts_to(ANA), ["dois (2)"]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_texts_become_dead_letters() {
    let world = in_trouble(refusal(503, "down"), "retry_wait").await;
    // Nobody worked for three hours: too old is too old, whoever finds it.
    world.clock.advance(Duration::from_secs(3 * 3600));
    world.until_sql(&world.clinic, STATES, "dead").await;
    world.quiet().await;
    let letters = world.dead_letters(&world.clinic).await;
    assert_eq!(letters.iter().map(|letter| letter.reason.as_str()).collect::<Vec<_>>(), ["too_old"]);
    assert_eq!(attempts(&world), 1);
    // What was never sent is no history, and an operator's order counts more than the age.
    says(&world, "eco: dois").await;
    world.quiet().await;
    let lines: Vec<String> = prompt(world.model_calls().last().unwrap()).into_iter().map(|(_, text)| text).collect();
    assert_eq!(lines, ["eco: um", "eco: dois"]);
    requeue_all(&world).await;
    world.until_sql(&world.clinic, STATES, "sent sent").await;
    world.end().await;

    let world = World::builder().set("delivery.max_age_ms", 1000).start().await;
    world.standins.add_fault(refusal(503, "down"));
    says(&world, "eco: um").await;
    world.until_sql(&world.clinic, STATES, "dead").await;
    world.quiet().await;
    assert_eq!(world.dead_letters(&world.clinic).await[0].reason, "too_old");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_without_whatsapp_is_a_dead_letter_at_once() {
    let world = World::start().await;
    world.customer(&world.clinic, "5500912345678").says("eco: um").await.expect_status(202);
    world.until_sql(&world.clinic, STATES, "dead").await;
    world.quiet().await;
    assert_eq!(world.dead_letters(&world.clinic).await[0].reason, "no_whatsapp");
    assert_eq!(attempts(&world), 1);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_channel_token_is_an_alarm_and_the_requeued_letter_is_sent_once() {
    let capture = capture();
    let world = World::start().await;
    let good = secretaria::standins::StandIns::credential(world.clinic.id.get(), "test");
    world.configure(&world.clinic, &[("secret:channel.token", "not-the-token")]).await;
    says(&world, "eco: um").await;
    world.until_sql(&world.clinic, STATES, "dead").await;
    world.quiet().await;
    assert_eq!(configuration_alarms(&capture, &world.clinic), 1);
    assert_eq!(world.dead_letters(&world.clinic).await[0].reason, "bad_token");
    world.configure(&world.clinic, &[("secret:channel.token", &good)]).await;
    // The customer never read that answer: the model is not told that it was given.
    says(&world, "eco: dois").await;
    world.quiet().await;
    assert!(!format!("{:?}", prompt(world.model_calls().last().unwrap())).contains("um (1)"));
    requeue_all(&world).await;
    world.until_sql(&world.clinic, STATES, "sent sent").await;
    world.quiet().await;
    assert_eq!(world.texts_to(ANA), ["dois (2)", "um (1)"]);
    assert_eq!(world.dead_letters(&world.clinic).await.len(), 0);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_of_unknown_fate_holds_the_conversation_and_is_sent_again_exactly_once() {
    let faults = [
        (refusal(500, "Internal server error"), 1),
        (whaticket(FaultKind::ResetAfterAccept), 2),
        (whaticket(FaultKind::SilentAfterAccept), 2),
        (whaticket(FaultKind::ResetBefore), 1),
    ];
    for (fault, copies) in faults {
        let kind = fault.kind;
        let world = World::builder().set("delivery.timeout_ms", 300).start().await;
        world.standins.add_fault(fault.times(1));
        says(&world, "eco: um").await;
        world.until_sql(&world.clinic, STATES, "ambiguous").await;
        world.quiet().await;
        assert_eq!(world.metric(&world.clinic, "outbox_ambiguous_total", ""), 1.0, "{kind:?}");
        says(&world, "eco: dois").await;
        world.clock.advance(Duration::from_secs(20));
        // Several sweeps and pumps later there is still no new turn.
        tokio::time::sleep(Duration::from_millis(400)).await;
        assert_eq!((world.sql(&world.clinic, STATES).as_str(), attempts(&world)), ("ambiguous", 1));
        world.clock.advance(Duration::from_secs(12));
        world.until_sql(&world.clinic, STATES, "sent sent").await;
        world.quiet().await;
        let heard = world.texts_to(ANA);
        assert_eq!(heard.iter().filter(|text| *text == "um (1)").count(), copies, "{kind:?} {heard:?}");
        assert_eq!(heard.last().unwrap(), "dois (1)");
        assert_eq!(world.metric(&world.clinic, "outbox_resent_total", ""), 1.0);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_unknown_outcomes_are_the_end() {
    let world = World::start().await;
    world.standins.add_fault(refusal(500, "Internal server error"));
    says(&world, "eco: um").await;
    world.until_sql(&world.clinic, STATES, "ambiguous").await;
    world.clock.advance(Duration::from_secs(31));
    world.until_sql(&world.clinic, "SELECT state, resends FROM delivery", "ambiguous|1").await;
    world.quiet().await;
    world.clock.advance(Duration::from_secs(31));
    world.until_sql(&world.clinic, STATES, "dead").await;
    world.quiet().await;
    assert_eq!(world.dead_letters(&world.clinic).await[0].reason, "ambiguous");
    assert_eq!(attempts(&world), 2);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resent_text_that_meets_an_outage_is_not_replaced_as_if_it_had_surely_not_left() {
    let world = World::start().await;
    world.standins.add_fault(whaticket(FaultKind::ResetAfterAccept).times(1));
    world.standins.add_fault(refusal(503, "down").times(1));
    says(&world, "eco: um").await;
    world.until_sql(&world.clinic, STATES, "ambiguous").await;
    world.quiet().await;
    world.clock.advance(Duration::from_secs(31));
    world.until_sql(&world.clinic, STATES, "retry_wait").await;
    world.quiet().await;
    says(&world, "eco: dois").await;
    world.clock.advance(Duration::from_secs(140));
    world.until_sql(&world.clinic, STATES, "sent sent").await;
    world.quiet().await;
    let lines: Vec<String> = prompt(world.model_calls().last().unwrap()).into_iter().map(|(_, text)| text).collect();
    assert_eq!(lines, ["eco: um", "um (1)", "eco: dois"], "the customer may have read it");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_echo_settles_it_by_text_and_by_id_and_nothing_is_sent_again() {
    let world = in_trouble(whaticket(FaultKind::ResetAfterAccept), "ambiguous").await;
    let id = world.ledger().iter().rev().find_map(|entry| entry.external_id.clone()).unwrap();
    world.echo(&world.clinic, ANA, "um (1)", &id).await.expect_status(200);
    world.until_sql(&world.clinic, STATES, "sent").await;
    assert_eq!(world.sql(&world.clinic, "SELECT external_id FROM delivery"), id);
    assert_eq!(world.metric(&world.clinic, "outbox_reconciled_total", ""), 1.0);
    world.quiet().await;
    world.clock.advance(Duration::from_secs(60));
    // The same echo once more, by another road: known by its id, no second line of history.
    world.flush_redis();
    world.echo(&world.clinic, ANA, "um (1)", &id).await.expect_status(200);
    world.quiet().await;
    assert_eq!(world.texts_to(ANA), ["um (1)"]);
    assert_eq!(world.sql(&world.clinic, "SELECT count(*) FROM message"), "2");
    assert_eq!(world.metric(&world.clinic, "outbox_resent_total", ""), 0.0);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_echo_of_an_emoji_or_of_decomposed_letters_is_recognised() {
    let world = World::start().await;
    let body = json!({"candidates": [{"content": {"parts": [{"text": "Cafe\u{301}\u{200b} às 9h 👩\u{200d}⚕️"}]},
        "finishReason": "STOP"}]});
    world.standins.add_fault(Fault::status(Provider::Gemini, 200, body));
    world.standins.add_fault(whaticket(FaultKind::ResetAfterAccept).times(1));
    says(&world, "oi").await;
    world.until_sql(&world.clinic, STATES, "ambiguous").await;
    let sent = world.texts_to(ANA)[0].clone();
    world.echo(&world.clinic, ANA, &sent, "E1").await.expect_status(200);
    world.until_sql(&world.clinic, STATES, "sent").await;
    assert_eq!(world.sql(&world.clinic, "SELECT count(*) FROM message WHERE author = 'team'"), "0");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_that_wants_no_copies_gets_a_dead_letter_instead() {
    let world = World::start().await;
    world.configure(&world.clinic, &[("delivery.ambiguous", "hold")]).await;
    world.standins.add_fault(refusal(500, "Internal server error").times(1));
    says(&world, "eco: um").await;
    world.until_sql(&world.clinic, STATES, "ambiguous").await;
    world.quiet().await;
    world.clock.advance(Duration::from_secs(31));
    world.until_sql(&world.clinic, STATES, "dead").await;
    world.quiet().await;
    assert_eq!(attempts(&world), 1);
    assert_eq!(world.dead_letters(&world.clinic).await[0].reason, "ambiguous");
    // A late echo still tells the truth.
    world.echo(&world.clinic, ANA, "um (1)", "E1").await.expect_status(200);
    world.until_sql(&world.clinic, STATES, "sent").await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forks_unknown_refusal_is_tried_once_more_and_no_more() {
    let world = World::start().await;
    world.standins.add_fault(refusal(400, "Não foi possível realizar a operação"));
    says(&world, "eco: um").await;
    world.until_sql(&world.clinic, STATES, "retry_wait").await;
    world.quiet().await;
    world.clock.advance(Duration::from_secs(70));
    world.until_sql(&world.clinic, STATES, "dead").await;
    world.quiet().await;
    assert_eq!((attempts(&world), world.dead_letters(&world.clinic).await[0].reason.as_str()), (2, "refused"));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_text_of_an_answer_waits_for_the_first() {
    for (fault, state, wait) in [
        (refusal(503, "down"), "retry_wait queued", 70),
        (whaticket(FaultKind::ResetAfterAccept), "ambiguous queued", 31),
    ] {
        let world = World::start().await;
        let long = format!("Começo. {} Fim.", "Uma frase de tamanho razoável aqui. ".repeat(12));
        let body = json!({"candidates": [{"content": {"parts": [{"text": long}]}, "finishReason": "STOP"}]});
        world.standins.add_fault(Fault::status(Provider::Gemini, 200, body));
        world.standins.add_fault(fault.times(1));
        says(&world, "oi").await;
        world.until_sql(&world.clinic, STATES, state).await;
        world.quiet().await;
        world.clock.advance(Duration::from_secs(wait));
        world.until_sql(&world.clinic, STATES, "sent sent").await;
        world.quiet().await;
        let heard = world.texts_to(ANA);
        assert!(heard[0].starts_with("Começo.") && heard.last().unwrap().ends_with("Fim."), "{heard:?}");
        assert_eq!(heard.iter().filter(|text| text.ends_with("Fim.")).count(), 1);
        let n = u8::try_from(heard.len()).unwrap();
        assert!(n == 2 || (state.starts_with("ambiguous") && n == 3), "{heard:?}");
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_external_id_is_kept_and_a_flavor_without_ids_learns_it_from_the_echo() {
    let world = World::start().await;
    says(&world, "eco: um").await;
    world.until_sql(&world.clinic, STATES, "sent").await;
    let told = world.ledger().iter().rev().find_map(|entry| entry.external_id.clone()).unwrap();
    assert_eq!(world.sql(&world.clinic, "SELECT external_id FROM delivery"), told);
    world.standins.set_flavor(world.clinic.id.get(), Flavor::Community);
    world.configure(&world.clinic, &[("channel.flavor", "community")]).await;
    world.standins.set_echo(world.clinic.id.get(), true);
    says(&world, "eco: dois").await;
    world.until_sql(&world.clinic, "SELECT count(*) FROM delivery WHERE external_id IS NOT NULL", "2").await;
    world.quiet().await;
    assert_eq!(world.sql(&world.clinic, "SELECT count(*) FROM message WHERE author = 'team'"), "0");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_going_away_right_after_a_send_makes_no_copy() {
    let world = World::builder().set("database.acquire_timeout_ms", 500).start().await;
    world.standins.add_fault(Fault { delay_ms: Some(600), ..whaticket(FaultKind::Delay) }.times(1));
    says(&world, "eco: um").await;
    eventually("the text is on the wire", async || attempts(&world) == 1).await;
    let name = &world.db.name;
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'secretaria_app' AND datname";
    world.db.sql(&format!("REVOKE CONNECT ON DATABASE {name} FROM secretaria_app; {end} = '{name}'")).unwrap();
    // Well past the send and the ambiguity's wait; the worker lives and keeps the result.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(world.sql(&world.clinic, STATES), "sending");
    assert_eq!(attempts(&world), 1);
    world.db.sql(&format!("GRANT CONNECT ON DATABASE {name} TO secretaria_app")).unwrap();
    world.until_sql(&world.clinic, STATES, "sent").await;
    world.quiet().await;
    assert_eq!(world.texts_to(ANA), ["um (1)"]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_past_its_lease_does_not_send() {
    let world = World::start().await;
    world.standins.set_latency(Duration::from_millis(500));
    says(&world, "eco: um").await;
    eventually("the model thinks", async || world.model_calls().len() == 1).await;
    // Everybody believes that worker dead: its claim expired, and the sweep gives the conversation to another.
    world.clock.advance(Duration::from_secs(11));
    world.until_sql(&world.clinic, STATES, "sent").await;
    world.quiet().await;
    assert_eq!(world.texts_to(ANA), ["um (1)"]);
    assert_eq!(world.sql(&world.clinic, "SELECT count(*) FROM turn"), "1");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_was_paused_before_its_send_sends_nothing_and_the_text_leaves_once() {
    let mut world = World::builder().workers(0).start().await;
    says(&world, "eco: um").await;
    world.standins.set_latency(Duration::from_millis(200));
    let (tenant, services) = (world.tenant(&world.clinic), world.process.services.clone());
    let limits = ClaimLimits { lease_ms: 10_000, max: 1, cap: 10, quantum: 10 };
    let claim = queue_of(&services, &tenant).claim(limits).await.unwrap().claimed.remove(0);
    let lease = Lease::new(tokio::time::Instant::now(), Duration::from_secs(10));
    let (turn, ()) = tokio::join!(attend(&services, &tenant, &claim, &lease), async {
        eventually("the model thinks", async || world.model_calls().len() == 1).await;
        lease.lost();
    });
    assert!(matches!(turn, Err(ServiceError::LeaseLost)), "{turn:?}");
    assert_eq!((world.sql(&world.clinic, STATES).as_str(), attempts(&world)), ("sending", 0));
    world.clock.advance(Duration::from_secs(11));
    world.start_worker(Scope::All);
    world.until_sql(&world.clinic, STATES, "ambiguous").await;
    world.quiet().await;
    world.clock.advance(Duration::from_secs(31));
    world.until_sql(&world.clinic, STATES, "sent").await;
    world.quiet().await;
    assert_eq!(world.texts_to(ANA), ["um (1)"]);
    assert_eq!(world.model_calls().len(), 1, "never thought again");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_success_settles_only_what_nobody_has_begun_to_send_again() {
    use secretaria::models::tenant::delivery;
    let world = World::start().await;
    world.customer(&world.clinic, "5511987654321").says("eco: oi").await.expect_status(202);
    world.quiet().await;
    let tenant = world.tenant(&world.clinic);
    let id = world.sql(&world.clinic, "SELECT id FROM delivery").parse().unwrap();
    let mut tx = tenant.db.begin().await.unwrap();
    let row = delivery::find(&mut tx, id).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    // A worker that was away has this row in hand, sent; meanwhile another one found the text unsettled.
    for (state, settled, after) in
        [("sending", false, "sending|1|"), ("ambiguous", true, "sent|1|t"), ("sent", false, "sent|1|t")]
    {
        let reset = "external_id = NULL, sent_at = NULL, next_at = now(), resends = 1";
        if state != "sent" {
            world.sql(&world.clinic, &format!("UPDATE delivery SET state = '{state}', {reset}"));
        }
        let mut tx = tenant.db.begin().await.unwrap();
        assert_eq!(delivery::was_sent(&mut tx, &row).await.unwrap(), settled, "{state}");
        tx.commit().await.unwrap();
        let now = "SELECT state, resends, CASE WHEN sent_at IS NOT NULL AND external_id IS NOT NULL THEN 't' END FROM delivery";
        assert_eq!(world.sql(&world.clinic, now), after, "a resend that was counted stays counted");
    }
    world.end().await;
}
