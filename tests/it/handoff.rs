//! Who attends to a conversation: the assistant, a person on the company's phone or at the panel; and who wants to be left
//! alone.

use std::time::Duration;

use secretaria::standins::{Fault, FaultKind, Provider};
use serde_json::{Value, json};

use crate::harness::{Company, World, eventually};

const ANA: &str = "5511987654321";
const HANDOFF: &str = "Certo, vou chamar uma pessoa da equipe. Ela responde por aqui assim que puder.";
const TECHNICAL: &str = "Estou com um problema técnico e não consegui preparar sua resposta. Sua mensagem está guardada; \
                         tente de novo em alguns minutos, por favor.";

fn standing(world: &World, company: &Company) -> String {
    world.sql(company, "SELECT attendant, standing ->> 'reason' FROM conversation")
}

async fn conversation(world: &World, state: &str) -> Value {
    let answer = world.api(&world.clinic, "GET", &format!("/api/conversations?state={state}"), &json!({})).await;
    answer.expect_status(200).json()["conversations"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_who_types_on_the_same_phone_is_not_talked_over() {
    let world = World::start().await;
    let ana = world.customer(&world.clinic, ANA);
    ana.says("eco: antes").await.expect_status(202);
    world.quiet().await;
    world.echo(&world.clinic, ANA, "Oi Ana, aqui é a Lia!", "OWN1").await.expect_status(200);
    world.quiet().await;
    ana.says("eco: para a Lia").await.expect_status(202);
    world.quiet().await;
    assert_eq!(ana.heard(), ["antes (1)"], "a person attends");
    assert_eq!(standing(&world, &world.clinic), "team|");
    // What was said meanwhile is known when the assistant goes on: half an hour after the person's last words.
    world.clock.advance(Duration::from_secs(29 * 60));
    world.echo(&world.clinic, ANA, "Já confirmo.", "OWN2").await.expect_status(200);
    world.quiet().await;
    world.clock.advance(Duration::from_secs(29 * 60));
    ana.says("eco: ainda para a Lia").await.expect_status(202);
    world.quiet().await;
    assert_eq!(ana.heard(), ["antes (1)"], "the person's last words count");
    world.clock.advance(Duration::from_secs(2 * 60));
    ana.says("eco: depois").await.expect_status(202);
    world.quiet().await;
    assert_eq!(ana.heard(), ["antes (1)", "depois (2)"]);
    let asked = world.model_calls().last().unwrap().body.to_string();
    assert!(asked.contains("aqui é a Lia") && asked.contains("eco: para a Lia"), "{asked}");
    assert_eq!(standing(&world, &world.clinic), "assistant|");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_word_typed_on_the_phone_gives_the_conversation_back() {
    let world = World::start().await;
    let ana = world.customer(&world.clinic, ANA);
    world.echo(&world.clinic, ANA, "Oi Ana, tudo certo?", "OWN1").await.expect_status(200);
    world.quiet().await;
    ana.says("eco: oi Lia").await.expect_status(202);
    world.quiet().await;
    assert!(ana.heard().is_empty());
    world.echo(&world.clinic, ANA, " #Assistente ", "OWN2").await.expect_status(200);
    world.quiet().await;
    ana.says("eco: e agora").await.expect_status(202);
    world.quiet().await;
    assert_eq!(ana.heard(), ["e agora (1)"]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_being_prepared_is_not_said_once_a_person_has_taken_over() {
    let world = World::start().await;
    let ana = world.customer(&world.clinic, ANA);
    let slow = Fault { delay_ms: Some(700), times: Some(1), ..Fault::new(Provider::Gemini, FaultKind::Delay) };
    world.standins.add_fault(slow);
    ana.says("eco: devagar").await.expect_status(202);
    eventually("the model is asked", async || !world.model_calls().is_empty()).await;
    world.echo(&world.clinic, ANA, "Deixa comigo, Ana.", "OWN1").await.expect_status(200);
    world.quiet().await;
    assert!(ana.heard().is_empty(), "{:?}", ana.heard());
    assert_eq!(world.sql(&world.clinic, "SELECT decision, reason FROM turn"), "silence|not_ours");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_a_person_waits_for_one_and_the_team_works_from_the_list() {
    let world = World::start().await;
    let ana = world.customer(&world.clinic, ANA);
    ana.says("quero falar com um atendente").await.expect_status(202);
    world.quiet().await;
    assert_eq!(ana.heard(), [HANDOFF]);
    assert_eq!(standing(&world, &world.clinic), "waiting|asked");
    ana.says("eco: alguém aí?").await.expect_status(202);
    world.quiet().await;
    assert_eq!(ana.heard(), [HANDOFF], "the assistant keeps quiet");
    assert!(world.model_calls().is_empty());
    assert_eq!(world.metric(&world.clinic, "fallback_transfer_total", "asked"), 1.0);

    world.clock.advance(Duration::from_secs(90));
    let waiting = conversation(&world, "waiting").await;
    assert_eq!((waiting[0]["reason"].as_str(), waiting[0]["name"].as_str()), (Some("asked"), Some("Ana")));
    assert!(waiting[0]["waiting_seconds"].as_i64().unwrap() >= 90, "{waiting}");
    assert_eq!(conversation(&world, "team").await, json!([]));
    let path = format!("/api/conversations/{}", waiting[0]["id"].as_str().unwrap());

    // Taken, answered, done; the same answer twice is one answer.
    let order = async |act: &str, body: Value| {
        world.api(&world.clinic, "POST", &format!("{path}/{act}"), &body).await.expect_status(202);
        world.quiet().await;
    };
    order("accept", json!({})).await;
    assert_eq!(conversation(&world, "waiting").await, json!([]));
    assert_eq!(conversation(&world, "team").await[0]["state"], "team");
    for _ in 0..2 {
        let (path, body) = (format!("{path}/reply"), json!({"text": "Oi Ana, é a Lia. Pode falar!"}));
        let key = [("idempotency-key", "reply-1")];
        world.api_with(&world.clinic, "POST", &path, &body, &key).await.expect_status(202);
        world.quiet().await;
    }
    assert_eq!(ana.heard(), [HANDOFF, "Oi Ana, é a Lia. Pode falar!"]);
    ana.says("eco: obrigada").await.expect_status(202);
    world.quiet().await;
    order("resolve", json!({})).await;
    assert_eq!(standing(&world, &world.clinic), "resolved|");
    ana.says("eco: nova pergunta").await.expect_status(202);
    world.quiet().await;
    assert_eq!(ana.heard().last().unwrap(), "nova pergunta (2)");
    let said = world.model_calls().last().unwrap().body.to_string();
    assert!(said.contains("é a Lia. Pode falar!"), "the model knows what the person said: {said}");
    let acts =
        world.sql(&world.clinic, "SELECT string_agg(action, ' ' ORDER BY seq) FROM audit_log WHERE actor_type = 'api'");
    assert_eq!(acts, "conversation.accept conversation.reply conversation.reply conversation.resolve");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_of_the_team_waits_for_the_channel_and_gives_way_to_nothing() {
    let world = World::start().await;
    let ana = world.customer(&world.clinic, ANA);
    ana.says("atendente por favor").await.expect_status(202);
    world.quiet().await;
    let id = conversation(&world, "waiting").await[0]["id"].as_str().unwrap().to_owned();
    let down = Fault::status(Provider::Whaticket, 503, json!({"error": "ERR_WAPP_NOT_INITIALIZED"}));
    world.standins.add_fault(down.times(1));
    let path = format!("/api/conversations/{id}/reply");
    world.api(&world.clinic, "POST", &path, &json!({"text": "Oi, é a Lia."})).await.expect_status(202);
    world.until_sql(&world.clinic, "SELECT count(*) FROM delivery WHERE state = 'retry_wait'", "1").await;
    ana.says("vocês estão aí?").await.expect_status(202);
    world.clock.advance(Duration::from_secs(70));
    world.quiet().await;
    assert_eq!(ana.heard(), [HANDOFF, "Oi, é a Lia."]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_gives_back_and_refuses_what_makes_no_sense() {
    let world = World::start().await;
    let ana = world.customer(&world.clinic, ANA);
    ana.says("quero falar com uma pessoa").await.expect_status(202);
    world.quiet().await;
    let id = conversation(&world, "waiting").await[0]["id"].as_str().unwrap().to_owned();
    world
        .api(&world.clinic, "POST", &format!("/api/conversations/{id}/give-back"), &json!({}))
        .await
        .expect_status(202);
    world.quiet().await;
    ana.says("eco: oi").await.expect_status(202);
    world.quiet().await;
    assert_eq!(ana.heard().last().unwrap(), "oi (1)");

    let unknown = uuid::Uuid::now_v7();
    for (method, path, body, status) in [
        ("POST", format!("/api/conversations/{unknown}/accept"), json!({}), 404),
        ("POST", "/api/conversations/nobody/accept".to_owned(), json!({}), 404),
        ("POST", format!("/api/conversations/{id}/reply"), json!({"text": "  "}), 400),
        ("POST", format!("/api/conversations/{id}/reply"), json!({}), 400),
        ("GET", "/api/conversations?state=gone".to_owned(), json!({}), 400),
    ] {
        let answer = world.api(&world.clinic, method, &path, &body).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
    // The other company's conversations are not there.
    let other = world.api(&world.salon, "POST", &format!("/api/conversations/{id}/accept"), &json!({})).await;
    assert_eq!(other.status, 404);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_says_sair_is_left_alone_until_voltar() {
    let world = World::start().await;
    let ana = world.customer(&world.clinic, ANA);
    ana.says("eco: oi").await.expect_status(202);
    world.quiet().await;
    ana.says("SAIR").await.expect_status(202);
    world.quiet().await;
    assert!(ana.heard()[1].contains("não envio mais"), "{:?}", ana.heard());
    assert_eq!(world.sql(&world.clinic, "SELECT opted_out_at IS NOT NULL FROM person"), "t");
    // They are answered when they write.
    ana.says("eco: ainda aqui").await.expect_status(202);
    world.quiet().await;
    assert_eq!(ana.heard()[2], "ainda aqui (1)");
    // Also while a person attends, the wish is heard.
    world.echo(&world.clinic, ANA, "Oi Ana", "OWN1").await.expect_status(200);
    world.quiet().await;
    ana.says("voltar").await.expect_status(202);
    world.quiet().await;
    assert!(ana.heard()[3].contains("volta a receber"), "{:?}", ana.heard());
    assert_eq!(world.sql(&world.clinic, "SELECT opted_out_at IS NULL FROM person"), "t");
    assert_eq!(
        world.sql(&world.clinic, "SELECT string_agg(granted::text, ' ' ORDER BY at) FROM consent"),
        "false true"
    );
    assert_eq!(world.metric(&world.clinic, "opt_outs_total", ""), 2.0);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_model_is_away_people_see_who_waits_and_the_assistant_goes_on_by_itself() {
    let world = World::start().await;
    let ana = world.customer(&world.clinic, ANA);
    world.standins.add_fault(Fault::status(Provider::Gemini, 500, json!({})).times(3));
    ana.says("eco: um").await.expect_status(202);
    world.quiet().await;
    assert_eq!(ana.heard(), [TECHNICAL]);
    assert_eq!(standing(&world, &world.clinic), "waiting|model_down");
    ana.says("eco: dois").await.expect_status(202);
    world.quiet().await;
    assert_eq!(ana.heard(), [TECHNICAL, "dois (1)"]);
    assert_eq!(standing(&world, &world.clinic), "assistant|");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_answers_in_a_row_that_are_none_fetch_a_person() {
    let world = World::start().await;
    let ana = world.customer(&world.clinic, ANA);
    ana.says("vocês têm alvará dos bombeiros?").await.expect_status(202);
    world.quiet().await;
    let first = ana.heard();
    assert!(first[0].starts_with("Essa informação eu não tenho aqui"), "{first:?}");
    ana.says("e qual a altura do teto?").await.expect_status(202);
    world.quiet().await;
    assert_eq!(ana.heard()[1], HANDOFF);
    assert_eq!(standing(&world, &world.clinic), "waiting|misses");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_long_is_told_so_once_and_in_order() {
    let world = World::builder().set("llm.wait_notice_ms", 150).start().await;
    let ana = world.customer(&world.clinic, ANA);
    let slow = Fault { delay_ms: Some(900), times: Some(1), ..Fault::new(Provider::Gemini, FaultKind::Delay) };
    world.standins.add_fault(slow);
    ana.says("eco: resposta").await.expect_status(202);
    world.quiet().await;
    assert_eq!(ana.heard(), ["Só um instante, estou vendo isso para você.", "resposta (1)"]);
    let said = world.sql(&world.clinic, "SELECT string_agg(left(body, 9), '|' ORDER BY seq) FROM message");
    assert_eq!(said, "eco: resp|Só um ins|resposta");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_answer_says_that_this_is_an_assistant_and_no_later_one_does() {
    let world = World::start().await;
    let url = "https://clinica.example/privacidade";
    world.configure(&world.clinic, &[("contact.notice", "true"), ("contact.privacy_url", url)]).await;
    let ana = world.customer(&world.clinic, ANA);
    ana.says("eco: um").await.expect_status(202);
    world.quiet().await;
    let first = ana.heard().join("\n");
    assert!(first.contains("Sou a assistente virtual de Clínica Sorriso") && first.contains(url), "{first}");
    assert!(first.contains("um (1)"), "{first}");
    let before = ana.heard().len();
    world.flush_redis();
    ana.says("eco: dois").await.expect_status(202);
    world.quiet().await;
    assert_eq!(ana.heard()[before..], ["dois (1)"]);
    world.end().await;
}
