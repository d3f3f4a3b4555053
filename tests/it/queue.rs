//! What the queue promises, one promise a test.

use std::process::{Command, Output};
use std::time::Duration;

use deadpool_redis::redis;
use secretaria::queue::{Accepted, Claim, ClaimLimits, Queue, Return, Settlement, dead_letter};
use secretaria::workers::runner::Scope;
use serde_json::Value;
use tokio::time::Instant;
use uuid::Uuid;

use crate::harness::{Company, World, eventually};
use crate::queue_model::put;

const ANA: &str = "5511987654321";

/// Nobody works but the test.
async fn idle_world() -> World {
    World::builder().workers(0).start().await
}

fn queue(world: &World, company: &Company) -> Queue {
    Queue::new(world.tenant(company).redis.clone(), world.clock.clone())
}

/// Accepts a message (`m`) or an echo (`e`) with a burst window and its longest extent.
async fn arrives(world: &World, company: &Company, to: &str, kind: char, burst: (i64, i64)) -> Accepted {
    let redis = &world.tenant(company).redis;
    put(redis, &world.clock, (to, Uuid::now_v7(), kind), (burst.0, burst.1, 200)).await
}

async fn claim(queue: &Queue) -> Claim {
    queue.claim(ClaimLimits { lease_ms: 10_000, max: 64, cap: 1000, quantum: 1000 }).await.unwrap()
}

fn pass(world: &World, ms: u64) {
    world.clock.advance(Duration::from_millis(ms));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_is_one_mailbox_and_waits_for_its_last_message() {
    let world = idle_world().await;
    let queue = queue(&world, &world.clinic);
    for _ in 0..3 {
        arrives(&world, &world.clinic, ANA, 'm', (20_000, 90_000)).await;
        pass(&world, 15_000);
    }
    assert!(claim(&queue).await.claimed.is_empty(), "five seconds of silence are still to come");
    // The owner's own text neither prolongs nor ends the burst.
    arrives(&world, &world.clinic, ANA, 'e', (20_000, 90_000)).await;
    assert!(claim(&queue).await.claimed.is_empty());
    pass(&world, 5000);
    let got = claim(&queue).await;
    assert_eq!(got.claimed.len(), 1);
    assert_eq!(got.claimed[0].waiting.len(), 4);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_who_never_pauses_is_answered_after_the_longest_burst() {
    let world = idle_world().await;
    let queue = queue(&world, &world.clinic);
    for n in 0..5 {
        assert!(claim(&queue).await.claimed.is_empty(), "message {n}");
        arrives(&world, &world.clinic, ANA, 'm', (20_000, 60_000)).await;
        pass(&world, 12_000);
    }
    let got = claim(&queue).await;
    assert_eq!(got.claimed[0].waiting.len(), 5);
    // What was decided does not shorten the next burst.
    arrives(&world, &world.clinic, ANA, 'm', (20_000, 60_000)).await;
    let seqs: Vec<i64> = queue.peek(&got.claimed[0], 0).await.unwrap().unwrap().newer.iter().map(|w| w.seq).collect();
    assert!(queue.ack(&got.claimed[0], &seqs, None).await.unwrap());
    assert!(queue.release(&got.claimed[0], Return::Clean, &Settlement::default(), false, 1_000).await.unwrap().ours);
    pass(&world, 50_000);
    arrives(&world, &world.clinic, ANA, 'm', (20_000, 60_000)).await;
    pass(&world, 15_000);
    assert!(claim(&queue).await.claimed.is_empty(), "its window is whole");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_is_woken_by_an_echo_and_not_by_a_message() {
    let world = idle_world().await;
    let queue = queue(&world, &world.clinic);
    arrives(&world, &world.clinic, ANA, 'm', (0, 0)).await;
    let held = claim(&queue).await.claimed.remove(0);
    queue
        .release(&held, Return::Hold(world.clock.now_ms() + 30_000), &Settlement::default(), false, 1_000)
        .await
        .unwrap();
    arrives(&world, &world.clinic, ANA, 'm', (0, 0)).await;
    assert!(claim(&queue).await.claimed.is_empty());
    arrives(&world, &world.clinic, ANA, 'e', (0, 0)).await;
    assert_eq!(claim(&queue).await.claimed[0].waiting.len(), 3);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_came_during_a_failed_send_does_not_wait_for_the_retry() {
    let world = idle_world().await;
    let queue = queue(&world, &world.clinic);
    arrives(&world, &world.clinic, ANA, 'm', (0, 0)).await;
    let first = claim(&queue).await.claimed.remove(0);
    queue.ack(&first, &[first.waiting[0].seq], None).await.unwrap();
    arrives(&world, &world.clinic, ANA, 'm', (0, 0)).await;
    queue
        .release(&first, Return::At(world.clock.now_ms() + 3_600_000), &Settlement::default(), false, 1_000)
        .await
        .unwrap();
    assert_eq!(claim(&queue).await.claimed.len(), 1);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_meets_a_higher_fence_can_still_be_given_back() {
    let world = idle_world().await;
    let queue = queue(&world, &world.clinic);
    arrives(&world, &world.clinic, ANA, 'm', (0, 0)).await;
    let stale = claim(&queue).await.claimed.remove(0);
    let stored = stale.fence + 3_600_000_000;
    queue.raise_fence(ANA, stored).await.unwrap();
    assert!(queue.release(&stale, Return::Now, &Settlement::default(), false, 1_000).await.unwrap().ours);
    assert!(claim(&queue).await.claimed[0].fence > stored);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deaths_while_an_outbox_is_finished_do_not_condemn_the_next_message() {
    let world = idle_world().await;
    let queue = queue(&world, &world.clinic);
    queue.schedule(&[(ANA.to_owned(), 0)]).await.unwrap();
    for _ in 0..5 {
        assert_eq!(claim(&queue).await.claimed.len(), 1);
        pass(&world, 11_000);
        assert_eq!(queue.sweep(1000, 10_000).await.unwrap().expired, 1);
    }
    arrives(&world, &world.clinic, ANA, 'm', (0, 0)).await;
    assert_eq!(claim(&queue).await.claimed[0].expired, 0);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_cap_nobody_looks_again_until_a_claim_ends() {
    let world = idle_world().await;
    let queue = queue(&world, &world.clinic);
    for n in 0..5 {
        arrives(&world, &world.clinic, &format!("551190000000{n}"), 'm', (0, 0)).await;
    }
    let limits = ClaimLimits { lease_ms: 10_000, max: 64, cap: 3, quantum: 1000 };
    let mut first = queue.claim(limits).await.unwrap();
    assert_eq!((first.claimed.len(), first.ready_left, first.next_due), (3, -1, -1));
    let second = queue.claim(limits).await.unwrap();
    assert_eq!((second.claimed.len(), second.ready_left, second.next_due), (0, -1, -1));
    let one = first.claimed.remove(0);
    queue.ack(&one, &[one.waiting[0].seq], None).await.unwrap();
    // Eat the wake-up, as a dedicated worker at the cap has.
    let wake = secretaria::tenant::TenantKey::Wake;
    world.tenant(&world.clinic).redis.wait_for(wake, Duration::from_millis(10)).await.unwrap();
    assert_eq!(queue.release(&one, Return::Clean, &Settlement::default(), false, 3).await.unwrap().next_due, 0);
    let woken = world.tenant(&world.clinic).redis.wait_for(wake, Duration::from_millis(10)).await.unwrap();
    assert!(woken, "a dedicated worker hears of the free place");
    assert_eq!(queue.claim(limits).await.unwrap().claimed.len(), 1);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_message_is_served_soon_beside_another_companys_two_thousand() {
    let world = idle_world().await;
    let hints = world.process.services.hints();
    for n in 0..2000 {
        arrives(&world, &world.clinic, &format!("55119{n:08}"), 'm', (0, 0)).await;
    }
    hints.tell(world.clinic.id, 0).await.unwrap();
    arrives(&world, &world.salon, ANA, 'm', (0, 0)).await;
    hints.tell(world.salon.id, 0).await.unwrap();
    let mut listener = hints.listen().await.unwrap();
    let mut claims = 0;
    loop {
        let id = listener.next(Duration::from_secs(5)).await.unwrap().expect("somebody is due");
        let company = if id == world.salon.id { &world.salon } else { &world.clinic };
        let limits = ClaimLimits { lease_ms: 10_000, max: 64, cap: 512, quantum: 8 };
        let got = queue(&world, company).claim(limits).await.unwrap();
        claims += got.claimed.len();
        if id == world.salon.id {
            break;
        }
        hints.tell(id, 0).await.unwrap();
    }
    assert!(claims <= 9, "{claims} conversations were claimed first");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_whose_hint_was_lost_is_found_by_the_sweep() {
    let world = World::start().await;
    arrives(&world, &world.salon, "lid:77", 'm', (0, 0)).await;
    world.quiet().await;
    assert_eq!(world.sql(&world.salon, "SELECT count(*) FROM turn"), "1");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fourth_death_makes_dead_letters_and_the_conversation_goes_on() {
    let mut world = idle_world().await;
    world.customer(&world.clinic, ANA).says("eco: veneno").await.expect_status(202);
    let queue = queue(&world, &world.clinic);
    // Redis is in order: what ends now does not end with it.
    queue.schedule(&[]).await.unwrap();
    for _ in 0..4 {
        assert_eq!(claim(&queue).await.claimed.len(), 1, "it comes back by the next sweep");
        pass(&world, 11_000);
        queue.sweep(86_400_000, 10_000).await.unwrap();
    }
    world.start_worker(Scope::All);
    let redis = world.tenant(&world.clinic).redis.clone();
    eventually("a dead letter", async || !dead_letter::list(&redis, 10).await.unwrap().is_empty()).await;
    let letters = dead_letter::list(&redis, 10).await.unwrap();
    assert_eq!((letters.len(), letters[0].reason.as_str()), (1, "lease_expired"));
    assert!(letters[0].envelope.contains("veneno"));
    world.customer(&world.clinic, ANA).says("eco: tudo bem").await.expect_status(202);
    world.quiet().await;
    assert_eq!(world.texts_to(ANA), ["tudo bem (1)"]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_envelope_nobody_can_read_is_a_dead_letter_and_the_next_is_answered() {
    let mut world = idle_world().await;
    let ana = world.customer(&world.clinic, ANA);
    ana.says("eco: primeira").await.expect_status(202);
    ana.says("eco: segunda").await.expect_status(202);
    let key = format!("{}q:box:{ANA}", secretaria::tenant::prefix(world.clinic.id));
    let client = redis::Client::open(world.redis.url()).unwrap();
    let mut raw = client.get_multiplexed_async_connection().await.unwrap();
    let entry: String = redis::cmd("LINDEX").arg(&key).arg(0).query_async(&mut raw).await.unwrap();
    let newer = entry.replacen("\"v\":1", "\"v\":99", 1);
    redis::cmd("LSET").arg(&key).arg(0).arg(newer).exec_async(&mut raw).await.unwrap();
    world.start_worker(Scope::All);
    world.quiet().await;
    let letters = dead_letter::list(&world.tenant(&world.clinic).redis, 10).await.unwrap();
    assert_eq!((letters.len(), letters[0].reason.as_str()), (1, "unreadable"));
    assert!(letters[0].envelope.contains("primeira"));
    assert_eq!(world.texts_to(ANA), ["segunda (1)"]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dedicated_worker_is_woken_at_once_also_for_a_burst_and_beside_a_common_one() {
    let slow = 25_000;
    let world = World::builder().workers(0).set("queue.idle_wait_ms", slow).set("queue.sweep_ms", slow);
    let mut world = world.set("queue.burst_window_ms", 300).start().await;
    world.start_worker(Scope::Companies(vec![world.clinic.id]));
    let ana = world.customer(&world.clinic, ANA);
    ana.says("eco: antes").await.expect_status(202);
    eventually("the first answer", async || world.texts_to(ANA).len() == 1).await;
    // The worker now sleeps for up to 25 s unless it is woken.
    let begun = Instant::now();
    world.customer(&world.clinic, ANA).says("eco: depois").await.expect_status(202);
    eventually("the second answer", async || world.texts_to(ANA).len() == 2).await;
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert_eq!(
        queue(&world, &world.clinic).sweep(86_400_000, 10_000).await.unwrap().workers,
        1,
        "its heartbeat is counted"
    );
    assert_eq!(queue(&world, &world.salon).sweep(86_400_000, 10_000).await.unwrap().workers, 0);

    world.start_worker(Scope::All);
    let numbers: Vec<String> = (0..20).map(|n| format!("55119876500{n:02}")).collect();
    for number in &numbers {
        world.customer(&world.clinic, number).says("eco: oi").await.expect_status(202);
    }
    world.quiet().await;
    for number in &numbers {
        assert_eq!(world.texts_to(number), ["oi (1)"]);
    }
    world.end().await;
}

async fn secretaria(world: &World, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_secretaria"));
    command.args(args).envs(world.child_env());
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn lines(output: &Output) -> Vec<Value> {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_listed_shown_requeued_and_dropped_and_each_act_is_audited() {
    let world = World::start().await;
    let redis = world.tenant(&world.clinic).redis.clone();
    let lost = put(&redis, &world.clock, ("lid:77", Uuid::now_v7(), 'm'), (0, 0, 0)).await;
    assert_eq!(lost, Accepted::DeadLettered);
    put(&redis, &world.clock, ("lid:77", Uuid::now_v7(), 'm'), (0, 0, 0)).await;
    let company = world.clinic.id.to_string();
    let dead = |command: &'static str| vec!["dead-letters", command, "--company", company.as_str(), "--json"];

    let listed = lines(&secretaria(&world, &dead("list")).await);
    assert_eq!((listed.len(), &listed[0]["reason"]), (2, &Value::from("mailbox_full")));
    let id = listed[0]["id"].as_str().unwrap();
    let shown = lines(&secretaria(&world, &[dead("show"), vec![id]].concat()).await);
    assert!(shown[0]["envelope"].as_str().unwrap().contains("sticker"));
    let requeued = lines(&secretaria(&world, &[dead("requeue"), vec![id]].concat()).await);
    assert_eq!(requeued[0]["requeued"], 1);
    eventually("the turn", async || world.sql(&world.clinic, "SELECT count(*) FROM turn") == "1").await;
    world.quiet().await;

    let wrong = secretaria(&world, &[dead("drop"), vec!["--all", "--confirm", "outra.localhost"]].concat()).await;
    assert_eq!(wrong.status.code(), Some(2));
    let dropped =
        lines(&secretaria(&world, &[dead("drop"), vec!["--all", "--confirm", &world.clinic.domain]].concat()).await);
    assert_eq!(dropped[0]["dropped"], 1);
    assert!(lines(&secretaria(&world, &dead("list")).await).is_empty());
    let gone = secretaria(&world, &[dead("show"), vec![id]].concat()).await;
    assert_eq!(gone.status.code(), Some(1));
    let trail = "SELECT string_agg(action, ' ' ORDER BY seq) FROM audit_log WHERE action LIKE 'dead_letter.%'";
    assert_eq!(world.sql(&world.clinic, trail), "dead_letter.requeue dead_letter.drop");
    assert_eq!(world.sql(&world.salon, "SELECT count(*) FROM audit_log WHERE action LIKE 'dead_letter.%'"), "0");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_cap_a_later_time_is_still_told() {
    let world = idle_world().await;
    let queue = queue(&world, &world.clinic);
    arrives(&world, &world.clinic, "5511900000001", 'm', (0, 0)).await;
    arrives(&world, &world.clinic, "5511900000002", 'm', (60_000, 60_000)).await;
    let claim = queue.claim(ClaimLimits { lease_ms: 10_000, max: 64, cap: 1, quantum: 1000 }).await.unwrap();
    assert_eq!((claim.claimed.len(), claim.ready_left), (1, -1));
    assert!(claim.next_due > world.clock.now_ms(), "nobody else will say when the second is due");
    world.end().await;
}

/// Redis' recovery may apply the beginning of a script's transaction alone (a log that was cut by a power failure and
/// loaded twice). A mailbox that is emptied and filled again would then lose what was to stay in it.
#[test]
fn no_script_rewrites_a_mailbox() {
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/queue/scripts")).unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        // Nor is it cut by place: of a half that is applied after what followed it, the second cut takes what was to stay.
        for banned in ["'DEL', box", "'LTRIM', box", "'LPOP', box"] {
            assert!(!text.contains(banned), "{}: {banned}", path.display());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn decided_messages_leave_a_mailbox_and_the_others_keep_their_order() {
    let world = idle_world().await;
    let queue = queue(&world, &world.clinic);
    for _ in 0..5 {
        arrives(&world, &world.clinic, ANA, 'm', (0, 0)).await;
    }
    let held = claim(&queue).await.claimed.remove(0);
    let seqs: Vec<i64> = held.waiting.iter().map(|one| one.seq).collect();
    // From the middle, then from the front.
    for (decided, left) in
        [(vec![seqs[1], seqs[3]], vec![seqs[0], seqs[2], seqs[4]]), (vec![seqs[0]], vec![seqs[2], seqs[4]])]
    {
        assert!(queue.ack(&held, &decided, None).await.unwrap());
        let newer = queue.peek(&held, 0).await.unwrap().unwrap().newer;
        assert_eq!(newer.iter().map(|one| one.seq).collect::<Vec<_>>(), left);
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_that_ended_with_redis_do_not_condemn_their_messages() {
    let world = idle_world().await;
    let queue = queue(&world, &world.clinic);
    let died = async || {
        assert_eq!(claim(&queue).await.claimed.len(), 1);
        pass(&world, 11_000);
        assert_eq!(queue.sweep(86_400_000, 10_000).await.unwrap().expired, 1);
    };
    arrives(&world, &world.clinic, ANA, 'm', (0, 0)).await;
    // A start of Redis nobody has put in order yet.
    world.redis_says(&["DEL", &format!("company:{{{}}}:q:epoch", world.clinic.id)]);
    died().await;
    // Claimed before it was.
    assert_eq!(claim(&queue).await.claimed.len(), 1);
    pass(&world, 1_000);
    queue.schedule(&[]).await.unwrap();
    pass(&world, 9_500);
    assert_eq!(queue.sweep(86_400_000, 10_000).await.unwrap().expired, 1);
    // And after.
    died().await;
    assert_eq!(claim(&queue).await.claimed[0].expired, 1);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_came_in_twice_is_buried_once() {
    let world = idle_world().await;
    let queue = queue(&world, &world.clinic);
    arrives(&world, &world.clinic, ANA, 'm', (0, 0)).await;
    let prefix = format!("company:{{{}}}:q:", world.clinic.id);
    // Redis had kept the message and lost its memory of the id.
    let entry = world.redis_says(&["LINDEX", &format!("{prefix}box:{ANA}"), "0"]);
    let (seq, rest) = entry.split_once('|').unwrap();
    let again = format!("{}|{rest}", seq.parse::<i64>().unwrap() + 1);
    world.redis_says(&["RPUSH", &format!("{prefix}box:{ANA}"), &again]);
    let held = claim(&queue).await.claimed.remove(0);
    assert_eq!(queue.bury(&held, "lease_expired", None).await.unwrap(), 2);
    assert_eq!(world.redis_says(&["XLEN", &format!("{prefix}dead")]), ":1");
    assert_eq!(world.redis_says(&["EXISTS", &format!("{prefix}box:{ANA}")]), ":0");
    world.end().await;
}
