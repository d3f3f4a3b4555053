//! The message path under attack, in sizes for every day; `make verify` runs the large ones. Each test has servers of its
//! own and real child processes. A failure names its seed; `cargo test --test verify -- --only NAME --quick --seed N`
//! shows it again.

use std::time::Duration;

use secretaria::workers::runner::Scope;

use crate::engine::resp::Resp;
use crate::engine::scenarios::{Size, crash, processes, providers, stores, traffic};
use crate::harness::World;

/// Another seed each day would make a red build nobody's fault; `make verify` draws new ones.
const SEED: u64 = 1;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_of_our_processes_loses_and_reorders_nothing() {
    processes::kills(Size::Small, SEED).await.expect_clean(SEED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_of_redis_and_postgres_loses_nothing() {
    stores::kills(Size::Small, SEED).await.expect_clean(SEED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_down_after_a_send_makes_no_copies() {
    stores::postgres_down_after_send(Size::Small, SEED).await.expect_clean(SEED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_in_trouble_is_503_and_nothing_half_stored() {
    stores::redis_trouble(Size::Small, SEED).await.expect_clean(SEED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_provider_fault_counts_as_what_it_is() {
    providers::faults(Size::Small, SEED).await.expect_clean(SEED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn duplicates_are_decided_once_across_a_redis_wipe() {
    traffic::duplicates(Size::Small, SEED).await.expect_clean(SEED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bursts_are_answered_once_and_in_order_by_four_workers() {
    traffic::bursts(Size::Small, SEED).await.expect_clean(SEED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_paused_past_its_lease_sends_nothing_stale() {
    processes::paused(Size::Small, SEED).await.expect_clean(SEED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_may_die_at_every_request() {
    crash::every_operation(Size::Small, SEED).await.expect_clean(SEED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flooding_company_delays_nobody_else() {
    traffic::noisy_neighbour(Size::Small, SEED).await.expect_clean(SEED);
}

/// What is left when Redis' log is cut inside a transaction and loaded twice: Redis 7 applies the half it kept.
#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_that_stands_nowhere_is_found_again() {
    let mut world = World::builder().workers(0).start().await;
    let ana = world.customer(&world.clinic, "5511987654321");
    ana.says("qual o horário?").await.expect_status(202);
    let mut redis = Resp::connect(&world.redis.socket()).await.unwrap();
    let prefix = format!("company:{{{}}}:q:", world.clinic.id);
    redis.ask(&["DEL", &format!("{prefix}ready"), &format!("{prefix}due")]).await.unwrap();
    redis.ask(&["HSET", &format!("{prefix}lane:5511987654321"), "ready", "1"]).await.unwrap();
    world.clock.advance(Duration::from_secs(31));
    world.start_worker(Scope::All);
    world.quiet().await;
    assert_eq!(world.texts_to("5511987654321").len(), 1);
    world.end().await;
}
