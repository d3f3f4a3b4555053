//! The message path under attack, in sizes for every day; `make verify` runs the large ones. Each test has servers of its
//! own and real child processes. A failure names its seed; `cargo test --test verify -- --only NAME --quick --seed N`
//! shows it again.

use crate::engine::scenarios::{Size, crash, processes, providers, stores, traffic};

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
