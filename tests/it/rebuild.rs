//! After Redis was emptied: PostgreSQL's unfinished texts come back and are finished.

use std::time::Duration;

use secretaria::services::rebuild::rebuild;
use secretaria::standins::{Fault, FaultKind, Provider};
use serde_json::json;

use crate::harness::World;

const ANA: &str = "5511987654321";
const STATES: &str = "SELECT string_agg(state, ' ' ORDER BY created_at, turn_id, position) FROM delivery";

#[tokio::test(flavor = "multi_thread")]
async fn waiting_and_ambiguous_texts_are_finished_after_a_wipe() {
    for (fault, state, wait, copies) in [
        (Fault::status(Provider::Whaticket, 503, json!({"error": "down"})), "retry_wait", 70, 1),
        (Fault::new(Provider::Whaticket, FaultKind::ResetAfterAccept), "ambiguous", 31, 2),
    ] {
        let world = World::start().await;
        world.standins.add_fault(fault.times(1));
        world.customer(&world.clinic, ANA).says("eco: um").await.expect_status(202);
        world.until_sql(&world.clinic, STATES, state).await;
        world.quiet().await;
        let fence: i64 = world.sql(&world.clinic, "SELECT fence FROM conversation").parse().unwrap();
        world.flush_redis();
        world.clock.advance(Duration::from_secs(wait));
        world.until_sql(&world.clinic, STATES, "sent").await;
        world.quiet().await;
        assert_eq!(world.texts_to(ANA), vec!["um (1)"; copies], "{state}");
        let later: i64 = world.sql(&world.clinic, "SELECT fence FROM conversation").parse().unwrap();
        assert!(later > fence, "fences grow across the wipe");
        world.end().await;
    }
}

/// Of a log that was cut, Redis keeps the beginning of a transaction and applies it at a later start: a conversation may then
/// have been taken out of one place and not put into another, though nothing was emptied.
#[tokio::test(flavor = "multi_thread")]
async fn a_text_whose_due_time_went_with_half_a_transaction_is_finished_after_the_next_start() {
    let world = World::start().await;
    world.standins.add_fault(Fault::status(Provider::Whaticket, 503, json!({"error": "down"})).times(1));
    world.customer(&world.clinic, ANA).says("eco: um").await.expect_status(202);
    world.until_sql(&world.clinic, STATES, "retry_wait").await;
    world.quiet().await;
    let prefix = format!("company:{{{}}}:q:", world.clinic.id);
    assert_eq!(world.redis_says(&["ZREM", &format!("{prefix}due"), ANA]), ":1");
    world.redis_says(&["SET", &format!("{prefix}epoch"), "an-earlier-start|0"]);
    world.clock.advance(Duration::from_secs(70));
    world.until_sql(&world.clinic, STATES, "sent").await;
    world.quiet().await;
    assert_eq!(world.texts_to(ANA), ["um (1)"]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_who_writes_after_the_wipe_does_not_make_an_ambiguous_text_be_forgotten() {
    let world = World::start().await;
    world.standins.add_fault(Fault::new(Provider::Whaticket, FaultKind::ResetAfterAccept).times(1));
    let ana = world.customer(&world.clinic, ANA);
    ana.says("eco: um").await.expect_status(202);
    world.until_sql(&world.clinic, STATES, "ambiguous").await;
    world.quiet().await;
    world.flush_redis();
    ana.says("eco: dois").await.expect_status(202);
    // The conversation is claimed, found undecided, and held again.
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(world.sql(&world.clinic, STATES), "ambiguous");
    world.clock.advance(Duration::from_secs(31));
    world.until_sql(&world.clinic, STATES, "sent sent").await;
    world.quiet().await;
    assert_eq!(ana.heard(), ["um (1)", "um (1)", "dois (1)"]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_whose_worker_died_in_the_middle_is_found_without_redis() {
    let world = World::start().await;
    let ana = world.customer(&world.clinic, ANA);
    ana.says("eco: um").await.expect_status(202);
    world.quiet().await;
    // As a worker leaves it that died between the wire and the commit.
    let died = "UPDATE delivery SET state = 'sending', sent_at = NULL, external_id = NULL, \
                next_at = attempt_at + interval '30 seconds'";
    world.sql(&world.clinic, died);
    world.flush_redis();
    let tenant = world.tenant(&world.clinic);
    assert_eq!(rebuild(&world.process.services, &tenant).await.unwrap(), 1);
    assert_eq!(rebuild(&world.process.services, &world.tenant(&world.salon)).await.unwrap(), 0);
    world.clock.advance(Duration::from_secs(31));
    world.until_sql(&world.clinic, "SELECT state, resends FROM delivery", "sent|1").await;
    world.quiet().await;
    assert_eq!(ana.heard(), ["um (1)", "um (1)"], "one copy, counted");
    assert_eq!(world.metric(&world.clinic, "outbox_ambiguous_total", ""), 1.0);
    assert_eq!(world.metric(&world.clinic, "outbox_resent_total", ""), 1.0);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hidden_ids_find_their_numbers_again() {
    let world = World::start().await;
    let body = |jid: &str, alt: Option<&str>, id: &str, text: &str| {
        let mut key = json!({"remoteJid": jid, "fromMe": false, "id": id});
        if let Some(alt) = alt {
            key["remoteJidAlt"] = json!(alt);
        }
        json!({"key": key, "messageTimestamp": world.clock.now().timestamp(), "pushName": "Ana",
            "message": {"conversation": text}})
    };
    let both = body("987001@lid", Some("5511987654321@s.whatsapp.net"), "L1", "eco: um");
    world.webhook(&world.clinic, &both).await.expect_status(202);
    world.quiet().await;
    world.flush_redis();
    world.until_sql(&world.clinic, "SELECT count(*) FROM person_identity", "2").await;
    let tenant = world.tenant(&world.clinic);
    rebuild(&world.process.services, &tenant).await.unwrap();
    let lid = format!("company:{{{}}}:lid:987001", world.clinic.id);
    assert_eq!(world.redis_says(&["GET", &lid]), ANA);
    world.webhook(&world.clinic, &body("987001@lid", None, "L2", "eco: dois")).await.expect_status(202);
    world.quiet().await;
    assert_eq!(world.sql(&world.clinic, "SELECT count(*) FROM conversation"), "1");
    world.end().await;
}
