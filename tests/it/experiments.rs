//! A/B tests: who is given what, what the figures say, and the life of an experiment over the API.

use std::sync::Arc;

use proptest::prelude::*;
use secretaria::domain::company::CompanyId;
use secretaria::domain::conversation::experiment::statistics::{
    quantile, sample_ratio, sample_size, two_proportions, two_sided, wilson,
};
use secretaria::domain::conversation::experiment::{Counts, Goal, Policy, Trial, Variant, Verdict, chances};
use secretaria::models::tenant::event::{self, EventRow};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::World;
use crate::harness::trouble::{Headers, Wire};

const EXPERIMENT: Uuid = Uuid::from_u128(0x0190_a6f2_7c11_7a52_8f3e_5d1f_6a0b_9c77);

fn company(id: i64) -> CompanyId {
    CompanyId::new(id).unwrap()
}

fn near(found: f64, known: f64) {
    let tolerance = 1e-9 * known.abs().max(1e-12);
    assert!((found - known).abs() <= tolerance.max(1e-15), "{found} is not {known}");
}

fn trial(policy: Policy, weights: &[u32], counts: &[(u64, u64)]) -> Trial {
    let variant = |(n, weight): (usize, &u32)| Variant {
        name: format!("V{n}"),
        source: Arc::from("{{ resposta }}"),
        weight: *weight,
    };
    Trial {
        policy,
        goal: Goal::Response,
        least_effect: 0.1,
        variants: weights.iter().enumerate().map(variant).collect(),
        counts: counts
            .iter()
            .map(|(responses, people)| Counts {
                impressions: people * 3,
                people: *people,
                responses: *responses,
                ..Counts::default()
            })
            .collect(),
    }
}

#[test]
fn wilsons_interval_has_known_values() {
    let z = quantile(0.975);
    near(z, 1.959_963_984_540_054);
    // 81 of 263 and 15 of 50: Newcombe 1998 has 0.2553 to 0.3662 for the first.
    for (successes, people, low, high) in [
        (15, 50, 0.191_035_535_008_809_5, 0.437_503_504_545_344_7),
        (81, 263, 0.255_288_519_878_274_3, 0.366_209_576_982_800_1),
        (500, 1000, 0.469_069_600_368_104_2, 0.530_930_399_631_895_8),
        (1, 1, 0.206_549_314_377_237_45, 1.0),
        (10, 10, 0.722_467_200_137_110_7, 1.0),
    ] {
        let interval = wilson(successes, people, z);
        near(interval.low, low);
        near(interval.high, high);
    }
    assert_eq!((wilson(0, 0, z).low, wilson(0, 0, z).high), (0.0, 1.0));
    assert!(wilson(0, 10, z).low.abs() < 1e-12);
}

#[test]
fn the_test_of_two_shares_has_known_values() {
    for (first, second, z, p) in [
        ((45, 100), (30, 100), 2.190_890_230_020_664_7, 0.028_459_736_916_310_57),
        ((200, 1000), (150, 1000), 2.942_449_431_682_5, 0.003_256_269_628_412_063_3),
        ((5, 10), (5, 10), 0.0, 1.0),
        ((1, 400), (9, 400), -2.545_783_309_362_336_3, 0.010_903_284_748_003_39),
        ((900, 1000), (700, 1000), 11.180_339_887_498_953, 5.089_468_973_814_165e-29),
    ] {
        let test = two_proportions(first, second).unwrap();
        near(test.z, z);
        near(test.p, p);
    }
    assert_eq!(two_proportions((0, 0), (1, 2)), None);
    assert_eq!(two_proportions((0, 9), (0, 9)), None);
    near(two_sided(quantile(0.975)), 0.05);
}

#[test]
fn a_split_that_is_not_the_planned_one_is_found() {
    for (people, weights, chi2, p) in [
        (&[520, 480][..], &[1.0, 1.0][..], 1.6, 0.205_903_210_732_068_33),
        (&[5400, 4600], &[1.0, 1.0], 64.0, 1.244_192_114_854_351_3e-15),
        (&[500, 480, 520], &[1.0, 1.0, 1.0], 1.6, 0.449_328_964_117_221_56),
        (&[900, 100], &[9.0, 1.0], 0.0, 1.0),
        (&[250, 260, 240, 290], &[1.0, 1.0, 1.0, 1.0], 5.384_615_384_615_385, 0.145_705_102_999_025_45),
    ] {
        let ratio = sample_ratio(people, weights).unwrap();
        near(ratio.chi2, chi2);
        near(ratio.p, p);
    }
    assert_eq!(sample_ratio(&[0, 0], &[1.0, 1.0]), None);
    assert_eq!(sample_ratio(&[7], &[1.0]), None);
}

#[test]
fn the_people_an_experiment_needs_are_known() {
    // The tables say 686 (685.6) for 10 % against 15 %, and 388 (387.3) for 50 % against 60 %.
    for (base, effect, alpha, people) in [
        (0.1, 0.05, 0.05, 686),
        (0.5, 0.1, 0.05, 388),
        (0.5, 0.05, 0.05, 1565),
        (0.1, 0.02, 0.05, 3841),
        (0.98, 0.05, 0.05, 269),
        (0.3, 0.1, 0.025, 432),
    ] {
        assert_eq!(sample_size(base, effect, alpha, 0.8), people, "{base} {effect}");
    }
}

#[test]
fn a_number_has_the_same_chances_for_ever() {
    for (id, number, first, second) in [
        (42, "5511987654321", 0.156_646_912_521_110_52, 0.508_557_298_203_459_4),
        (42, "5511987654322", 0.069_583_120_052_193_03, 0.218_011_318_352_942_9),
        (43, "5511987654321", 0.082_142_055_328_392_99, 0.504_956_816_432_923_3),
        (42, "lid:123456789012345", 0.625_264_070_021_083_8, 0.937_392_286_984_684_6),
    ] {
        let found = chances(company(id), EXPERIMENT, number);
        near(found.0, first);
        near(found.1, second);
    }
}

#[test]
fn a_fixed_split_follows_its_weights() {
    let fixed = trial(Policy::Fixed, &[3, 1, 0], &[]);
    let mut given = [0_u64; 3];
    for n in 0..4000 {
        given[fixed.assign(company(42), EXPERIMENT, &format!("55119{n:08}"))] += 1;
    }
    assert_eq!(given[2], 0, "{given:?}");
    assert!(sample_ratio(&given[..2], &[3.0, 1.0]).unwrap().p > 0.001, "{given:?}");
}

#[test]
fn the_greedy_policy_prefers_the_best_and_goes_on_trying() {
    let policy = Policy::EpsilonGreedy { epsilon: 0.2 };
    let share_of = |trial: &Trial, arm: usize| {
        let given = (0..4000).filter(|n| trial.assign(company(42), EXPERIMENT, &format!("55119{n:08}")) == arm);
        given.count() as f64 / 4000.0
    };
    // Before each has been seen by enough people nobody is preferred.
    let early = trial(policy, &[1, 1], &[(20, 29), (1, 200)]);
    assert!((share_of(&early, 0) - 0.5).abs() < 0.03);
    // Then the best gets all but half of the tries.
    let late = trial(policy, &[1, 1], &[(20, 100), (40, 100)]);
    assert!((share_of(&late, 1) - 0.9).abs() < 0.03);
    assert_eq!(trial(policy, &[1, 1], &[(20, 100), (20, 100)]).best(), 0, "the first of equals");
}

#[test]
fn nothing_is_said_before_enough_people_have_come() {
    let report = trial(Policy::Fixed, &[1, 1], &[(9, 10), (1, 10)]).judge();
    assert_eq!((report.needed, report.verdict), (388, Verdict::NotEnough { missing: 756 }));
    assert_eq!(report.sentence(&["A", "B"]), "Ainda não dá para dizer: faltam ~760 conversas.");
    let none = trial(Policy::Fixed, &[1, 1], &[]).judge();
    assert_eq!((none.verdict, none.ratio), (Verdict::NotEnough { missing: 776 }, None));
    assert_eq!((none.arms[0].interval.low, none.arms[0].interval.high), (0.0, 1.0));
}

#[test]
fn a_winner_has_to_win_clearly_against_each_other() {
    let names = ["A", "B", "C"];
    let two = trial(Policy::Fixed, &[1, 1], &[(160, 400), (210, 400)]).judge();
    assert!(matches!(two.verdict, Verdict::Winner { variant: 1, p } if p < 0.001), "{:?}", two.verdict);
    assert_eq!(two.sentence(&names), "A versão B é melhor: 52,5 % contra 40,0 %.");
    let even = trial(Policy::Fixed, &[1, 1], &[(200, 400), (205, 400)]).judge();
    assert_eq!(even.verdict, Verdict::NoDifference);
    // With a third one the lead has to be surer: p = 0.034 is enough against one, not against two.
    let lead = [(212, 500), (245, 500), (100, 500)];
    assert!(matches!(trial(Policy::Fixed, &[1, 1], &lead[..2]).judge().verdict, Verdict::Winner { variant: 1, .. }));
    assert_eq!(trial(Policy::Fixed, &[1, 1, 1], &lead).judge().verdict, Verdict::NoDifference);
}

#[test]
fn figures_of_a_broken_split_are_worth_nothing() {
    let counts = [(300, 600), (200, 400)];
    let report = trial(Policy::Fixed, &[1, 1], &counts).judge();
    assert_eq!(report.verdict, Verdict::BrokenSplit);
    assert!(report.sentence(&["A", "B"]).contains("não valem"));
    // A greedy experiment plans no split.
    let greedy = trial(Policy::EpsilonGreedy { epsilon: 0.1 }, &[1, 1], &counts).judge();
    assert_eq!((greedy.ratio, greedy.verdict), (None, Verdict::NoDifference));
}

proptest! {
    #[test]
    fn shares_likelihoods_and_intervals_are_what_they_are(s1 in 0_u64..500, s2 in 0_u64..500, n1 in 0_u64..500, n2 in 0_u64..500) {
        let z = 1.96;
        let (s1, s2) = (s1.min(n1), s2.min(n2));
        let interval = wilson(s1, n1, z);
        prop_assert!(0.0 <= interval.low && interval.low <= interval.high && interval.high <= 1.0);
        if n1 > 0 {
            let share = s1 as f64 / n1 as f64;
            prop_assert!(interval.low <= share + 1e-12 && share <= interval.high + 1e-12);
        }
        if let Some(test) = two_proportions((s1, n1), (s2, n2)) {
            prop_assert!((0.0..=1.0).contains(&test.p));
            let back = two_proportions((s2, n2), (s1, n1)).unwrap();
            prop_assert!((test.z + back.z).abs() < 1e-9 && (test.p - back.p).abs() < 1e-9);
        }
        let report = trial(Policy::Fixed, &[1, 1], &[(s1, n1), (s2, n2)]).judge();
        if n1.min(n2) < report.needed {
            let said = matches!(report.verdict, Verdict::NotEnough { .. } | Verdict::BrokenSplit);
            prop_assert!(said, "{:?}", report.verdict);
        }
    }
}

const TOKEN: &str = "an-api-token-of-the-clinic-0123456789";

async fn call(world: &World, method: &str, path: &str, body: &Value) -> Wire {
    let headers: Headers = vec![
        ("host", world.clinic.domain.clone()),
        ("content-type", "application/json".to_owned()),
        ("authorization", format!("Bearer {TOKEN}")),
    ];
    let body = if body.is_null() { String::new() } else { body.to_string() };
    world.request(method, path, &headers, &body).await
}

fn json_of(wire: &Wire) -> Value {
    serde_json::from_str(&wire.body).unwrap_or_else(|_| panic!("{}", wire.body))
}

fn plan(key: &str) -> Value {
    json!({
        "name": "Saudação", "key": key, "goal": "response",
        "variants": [
            {"name": "curta", "body": "Oi! {{ resposta }}"},
            {"name": "longa", "body": "Olá, tudo bem. {{ resposta }}"},
        ],
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_experiment_is_made_begun_ended_and_its_winner_becomes_the_wording() {
    let world = World::builder().workers(0).start().await;
    world.configure(&world.clinic, &[("secret:api.token", TOKEN)]).await;
    let (none, empty) = (Value::Null, json!({}));
    let act = async |id: &str, what: &str, body: &Value| {
        call(&world, "POST", &format!("/api/experiments/{id}/{what}"), body).await
    };
    let made = call(&world, "POST", "/api/experiments", &plan("reply")).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let made = json_of(&made);
    let (id, running) = (made["id"].as_str().unwrap(), "SELECT count(*) FROM experiment WHERE state = 'running'");
    assert_eq!((&made["state"], &made["verdict"]), (&json!("draft"), &json!("not_enough")));
    assert_eq!(act(id, "stop", &empty).await.status, 409, "what has not begun cannot be ended");
    assert_eq!(json_of(&act(id, "start", &empty).await)["state"], "running");
    assert_eq!(world.sql(&world.clinic, running), "1");
    assert_eq!(act(id, "start", &empty).await.status, 409);

    let second = json_of(&call(&world, "POST", "/api/experiments", &plan("reply")).await);
    let taken = act(second["id"].as_str().unwrap(), "start", &empty).await;
    assert_eq!((taken.status, &json_of(&taken)["code"]), (409, &json!("place_taken")));
    let elsewhere = json_of(&call(&world, "POST", "/api/experiments", &plan("greeting")).await);
    assert_eq!(json_of(&act(elsewhere["id"].as_str().unwrap(), "start", &empty).await)["state"], "running");

    let stopped = json_of(&act(id, "stop", &empty).await);
    assert_eq!(stopped["state"], "stopped");
    assert!(stopped["ended_at"].is_string());
    assert_eq!(act(id, "promote", &json!({"variant": "média"})).await.status, 422);
    let promoted = json_of(&act(id, "promote", &json!({"variant": "longa"})).await);
    assert_eq!((&promoted["state"], &promoted["winner"]), (&json!("promoted"), &json!("longa")));
    assert_eq!(
        world.sql(&world.clinic, "SELECT body FROM template WHERE key = 'reply'"),
        "Olá, tudo bem. {{ resposta }}"
    );

    let draft = format!("/api/experiments/{}", second["id"].as_str().unwrap());
    assert_eq!(call(&world, "DELETE", &draft, &none).await.status, 204);
    let begun = format!("/api/experiments/{id}");
    assert_eq!(call(&world, "DELETE", &begun, &none).await.status, 409, "what people were shown is kept");
    let all = json_of(&call(&world, "GET", "/api/experiments", &none).await);
    assert_eq!(all["experiments"].as_array().unwrap().len(), 2);
    assert_eq!(world.sql(&world.salon, "SELECT count(*) FROM experiment"), "0");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_experiment_with_an_unfit_plan_is_refused() {
    let world = World::builder().workers(0).start().await;
    world.configure(&world.clinic, &[("secret:api.token", TOKEN)]).await;
    let with = |field: &str, value: Value| {
        let mut plan = plan("reply");
        plan[field] = value;
        plan
    };
    let same = json!([{"name": "A", "body": "{{ resposta }}"}, {"name": "A", "body": "{{ resposta }}"}]);
    for (plan, field) in [
        (with("goal", json!("sales")), "goal"),
        (with("policy", json!("bandit")), "policy"),
        (with("key", json!("fala")), "key"),
        (with("intent", json!("fala")), "intent"),
        (with("name", json!(" ")), "name"),
        (with("least_effect", json!(0.0)), "least_effect"),
        (with("variants", json!([{"name": "A", "body": "{{ resposta }}"}])), "variants"),
        (with("variants", same), "variants"),
    ] {
        let refused = call(&world, "POST", "/api/experiments", &plan).await;
        assert_eq!((refused.status, &json_of(&refused)["field"]), (422, &json!(field)), "{}", refused.body);
    }
    let unfit = json!([{"name": "A", "body": "{{ resposta }}"}, {"name": "B", "body": "Oi!"}]);
    let refused = call(&world, "POST", "/api/experiments", &with("variants", unfit)).await;
    assert_eq!((refused.status, &json_of(&refused)["code"]), (422, &json!("unfit_template")));
    world.end().await;
}

/// A conversation whose person is shown a variant in a text in this state, minutes ago.
async fn shown(world: &World, experiment: Uuid, variant: &str, state: &str, minutes: i64) -> Uuid {
    let [person, conversation, message, delivery] = std::array::from_fn(|_| Uuid::now_v7());
    world.sql(
        &world.clinic,
        &format!(
            "INSERT INTO person VALUES ('{person}', NULL, NULL, now(), now());
             INSERT INTO conversation (id, key, person_id, reply_address, fence, created_at, last_message_at)
             VALUES ('{conversation}', '{conversation}', '{person}', '5511987654321', 1, now(), now());
             INSERT INTO message (id, conversation_id, author, seq, kind, body, correlation_id, at)
             VALUES ('{message}', '{conversation}', 'assistant', 2, 'text', 'oi', 'x', now());
             INSERT INTO delivery (id, message_id, conversation_id, turn_id, position, recipient, body, correlation_id,
                                   state, created_at)
             VALUES ('{delivery}', '{message}', '{conversation}', '{message}', 0, 'x', 'oi', 'x', '{state}', now())"
        ),
    );
    let at = world.clock.now() - chrono::TimeDelta::minutes(minutes);
    let row = EventRow::impression(Uuid::now_v7(), conversation, (experiment, variant), delivery, at);
    insert(world, &[row]).await;
    conversation
}

async fn insert(world: &World, rows: &[EventRow]) {
    let mut tx = world.tenant(&world.clinic).db.begin().await.unwrap();
    event::insert(&mut tx, rows).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn people_count_once_when_the_text_arrived_and_for_what_they_did_in_time() {
    let world = World::builder().workers(0).start().await;
    world.configure(&world.clinic, &[("secret:api.token", TOKEN)]).await;
    let made = json_of(&call(&world, "POST", "/api/experiments", &plan("reply")).await);
    let path = format!("/api/experiments/{}", made["id"].as_str().unwrap());
    let id: Uuid = made["id"].as_str().unwrap().parse().unwrap();
    call(&world, "POST", &format!("{path}/start"), &json!({})).await;
    let said = |conversation: Uuid, minutes: i64| {
        let at = world.clock.now() - chrono::TimeDelta::minutes(minutes);
        world.sql(
            &world.clinic,
            &format!(
                "INSERT INTO message (id, conversation_id, author, seq, kind, body, correlation_id, at)
                 VALUES (gen_random_uuid(), '{conversation}', 'customer', {}, 'text', 'oi', 'x', '{at}')",
                at.timestamp_micros()
            ),
        );
    };
    let ago = |minutes: i64| world.clock.now() - chrono::TimeDelta::minutes(minutes);

    // Shown twice, wrote before and after, booked, thought well of it.
    let ana = shown(&world, id, "curta", "read", 60).await;
    said(ana, 90);
    said(ana, 30);
    let more = [
        EventRow::conversion(Uuid::now_v7(), ana, "booked", ago(20)),
        EventRow::conversion(Uuid::now_v7(), ana, "booked", ago(10)),
        EventRow::feedback(Uuid::now_v7(), ana, "pos", ago(10)),
    ];
    insert(&world, &more).await;
    let again = format!(
        "INSERT INTO event (id, kind, at, conversation_id, experiment_id, variant, delivery_id)
         SELECT gen_random_uuid(), kind, at + interval '5 minutes', conversation_id, experiment_id, variant, delivery_id
         FROM event WHERE conversation_id = '{ana}' AND kind = 'impression'"
    );
    world.sql(&world.clinic, &again);
    // Wrote only before; booked before; displeased.
    let bia = shown(&world, id, "curta", "sent", 60).await;
    said(bia, 70);
    let before = [
        EventRow::conversion(Uuid::now_v7(), bia, "booked", ago(61)),
        EventRow::feedback(Uuid::now_v7(), bia, "neg", ago(10)),
    ];
    insert(&world, &before).await;
    // Wrote too late for an answer; booked still in time.
    let caio = shown(&world, id, "longa", "delivered", 3 * 24 * 60).await;
    said(caio, 24 * 60);
    insert(&world, &[EventRow::conversion(Uuid::now_v7(), caio, "booked", ago(60))]).await;
    // The text never arrived: nobody was shown anything.
    let davi = shown(&world, id, "longa", "dead", 60).await;
    said(davi, 30);
    shown(&world, id, "longa", "queued", 60).await;

    let figures = json_of(&call(&world, "GET", &path, &Value::Null).await);
    let of = |n: usize, name: &str| figures["variants"][n][name].as_u64().unwrap();
    let names = ["impressions", "people", "responses", "conversions", "positives"];
    assert_eq!(names.map(|name| of(0, name)), [3, 2, 1, 1, 1], "{figures}");
    assert_eq!(names.map(|name| of(1, name)), [1, 1, 0, 1, 0], "{figures}");
    assert_eq!(figures["sentence"], "Ainda não dá para dizer: faltam ~3.200 conversas.");

    let mut tx = world.tenant(&world.clinic).db.begin().await.unwrap();
    assert_eq!(event::assigned(&mut tx, ana).await.unwrap(), [(id, "curta".to_owned())]);
    assert_eq!(event::assigned(&mut tx, davi).await.unwrap(), [(id, "longa".to_owned())], "given, though not arrived");
    tx.commit().await.unwrap();
    // The figures go with the person.
    world.sql(&world.clinic, "DELETE FROM person");
    assert_eq!(world.sql(&world.clinic, "SELECT count(*) FROM event"), "0");
    world.end().await;
}
