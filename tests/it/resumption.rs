//! What is kept of a conversation that fell idle.

use std::time::Duration;

use secretaria::workers::schedule;

use crate::harness::World;

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_conversation_keeps_its_last_lines_for_resumption_and_export() {
    let world = World::start().await;
    let ana = world.customer(&world.clinic, "5511987654321");
    ana.says("qual o horário?").await.expect_status(202);
    world.quiet().await;
    schedule::run_once(&world.process.services).await;
    assert_eq!(world.sql(&world.clinic, "SELECT count(context_json) FROM conversation"), "0", "not idle yet");

    world.clock.advance(Duration::from_secs(3600));
    schedule::run_once(&world.process.services).await;
    let kept = "SELECT context_json->'lines'->0->>'by', context_json->'lines'->0->>'text', context_json->'lines'->1->>'by' FROM conversation";
    assert_eq!(world.sql(&world.clinic, kept), "customer|qual o horário?|assistant");
    world.end().await;
}
