//! Wordings and A/B tests where they matter: in what is delivered.

use serde_json::{Value, json};

use crate::harness::World;

async fn call(world: &World, method: &str, path: &str, body: &Value) -> Value {
    let answer = world.api(&world.clinic, method, path, body).await;
    assert!((200..300).contains(&answer.status), "{method} {path}: {} {}", answer.status, answer.body);
    answer.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_number_keeps_its_variant_and_counts_once_its_text_is_delivered() {
    let world = World::start().await;
    let draft = json!({
        "name": "Abertura", "key": "reply", "goal": "response", "policy": "fixed", "least_effect": 0.2,
        "variants": [{"name": "curta", "body": "Oi! {{ resposta }}"}, {"name": "longa", "body": "Olá, que bom falar com você! {{ resposta }}"}],
    });
    let id = call(&world, "POST", "/api/experiments", &draft).await["id"].as_str().unwrap().to_owned();
    call(&world, "POST", &format!("/api/experiments/{id}/start"), &json!({})).await;
    let numbers: Vec<String> = (0..12).map(|n| format!("55119876543{n:02}")).collect();
    for round in ["um", "dois"] {
        for number in &numbers {
            world.customer(&world.clinic, number).says(&format!("eco: {round}")).await.expect_status(202);
        }
        world.quiet().await;
        if round == "um" {
            // What Redis knew is gone: the variant is remembered all the same.
            world.flush_redis();
        }
    }
    let mut seen = std::collections::BTreeMap::new();
    for number in &numbers {
        let said = world.texts_to(number);
        let opening = |text: &str| text.split(['u', 'd']).next().unwrap().to_owned();
        assert_eq!(said.len(), 2, "{said:?}");
        let variant = if said[0].starts_with("Oi!") { "curta" } else { "longa" };
        assert_eq!(
            said[0].starts_with("Oi!"),
            said[1].starts_with("Oi!"),
            "{number} changed: {said:?} {}",
            opening(&said[0])
        );
        *seen.entry(variant).or_insert(0) += 1;
    }
    assert_eq!(seen.len(), 2, "both are tried: {seen:?}");
    let figures = call(&world, "GET", &format!("/api/experiments/{id}"), &json!({})).await;
    for variant in figures["variants"].as_array().unwrap() {
        let name = variant["name"].as_str().unwrap();
        assert_eq!(variant["people"], seen[name], "{figures}");
    }
    assert_eq!(figures["verdict"], "not_enough", "{figures}");

    call(&world, "POST", &format!("/api/experiments/{id}/promote"), &json!({"variant": "curta"})).await;
    let new = "5511912345678";
    world.customer(&world.clinic, new).says("eco: três").await.expect_status(202);
    world.quiet().await;
    assert_eq!(world.texts_to(new), ["Oi! três (1)"]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn braces_of_a_customer_are_no_template_and_reach_nobody_as_one() {
    let world = World::start().await;
    let body = json!({"key": "reply", "intent": "", "mood": "", "body": "{{ nome }}: {{ resposta }}"});
    call(&world, "POST", "/api/templates", &body).await;
    let mut ana = world.customer(&world.clinic, "5511987654321");
    ana.name = "Ana {{ empresa }}".to_owned();
    ana.says("eco: {{ resposta }} {% if nome %}x{% endif %}").await.expect_status(202);
    world.quiet().await;
    let said = ana.heard().concat();
    assert!(!said.contains("{{") && !said.contains("Clínica"), "{said}");
    world.end().await;
}
