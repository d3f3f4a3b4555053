//! The message path, once through: a signed webhook becomes one delivered answer, for two companies.

use crate::harness::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_question_gets_one_answer_from_the_companys_facts() {
    let world = World::start().await;
    let ana = world.customer(&world.clinic, "5511987654321");
    let answer = ana.says_as("oi, qual o horário de vocês?", "M1").await.expect_status(202);
    assert_eq!(answer.json["queued"], true);
    ana.says_as("oi, qual o horário de vocês?", "M1").await.expect_status(200);
    world.quiet().await;
    let heard = ana.heard();
    assert_eq!(heard.len(), 1, "{heard:?}");
    assert!(heard[0].contains("das 8h às 18h"), "{heard:?}");
    assert_eq!(world.sql(&world.clinic, "SELECT count(*) FROM turn"), "1");
    assert_eq!(world.sql(&world.clinic, "SELECT state FROM delivery"), "sent");
    assert_eq!(world.sql(&world.salon, "SELECT count(*) FROM message"), "0");
    world.end().await;
}
