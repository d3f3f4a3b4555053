//! What a company writes around answers and in place of ready texts: rendered, linted, chosen, changed over its API.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use secretaria::domain::company::CompanyId;
use secretaria::domain::conversation::bubbles::BUBBLE_MAX;
use secretaria::domain::conversation::experiment::{Goal, Policy, Trial, Variant};
use secretaria::domain::conversation::intent::Intent;
use secretaria::domain::conversation::rendering::lint::{Fault, Problem, emoji, lint, questions};
use secretaria::domain::conversation::rendering::{NAMES, RenderError, SOURCE_MAX, Variables, render};
use secretaria::domain::conversation::selection::{Assigned, Occasion, Place, Running, Slot, Wordings};
use secretaria::domain::conversation::sentiment::Mood;
use secretaria::domain::conversation::template::Template;
use secretaria::services::templates::wordings;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::trouble::{Headers, Wire};
use crate::harness::{Company, World, eventually};

const ANA: Variables<'static> = Variables {
    resposta: "Abrimos às 8h.",
    saudacao: "Bom dia, Ana!",
    nome: "Ana",
    empatia: "Sinto muito por isso.",
    humor: "😄",
    transferencia: "Já chamo a Lia.",
    empresa: "Clínica Sorriso",
    retorno: "amanhã, às 8h",
    privacidade: "https://sorriso.example/privacidade",
};

fn company(id: i64) -> CompanyId {
    CompanyId::new(id).unwrap()
}

fn faults(slot: Slot, source: &str) -> Vec<Fault> {
    lint(slot, source).into_iter().map(|problem: Problem| problem.fault).collect()
}

#[test]
fn without_an_own_template_the_answer_stands_alone() {
    let chosen = Wordings::default().choose(
        company(1),
        "5511987654321",
        Occasion { slot: Slot::Reply, intent: Intent::Question, mood: Mood::Neutral },
        &Assigned::new(),
    );
    let rendered = chosen.render(&ANA);
    assert_eq!((rendered.text.as_str(), rendered.experiment, rendered.failed), ("Abrimos às 8h.", None, None));
}

#[test]
fn a_template_puts_everything_it_knows_around_the_answer() {
    for (template, text) in [
        ("{{ saudacao }} {{ resposta }}", "Bom dia, Ana! Abrimos às 8h."),
        ("{{ saudação }} {{ resposta }} {{ transferência }}", "Bom dia, Ana! Abrimos às 8h. Já chamo a Lia."),
        ("{{ empatia }}\n{{ resposta }} {{ humor }}", "Sinto muito por isso.\nAbrimos às 8h. 😄"),
        ("{% if nome %}{{ nome | upper }}, {% endif %}{{ resposta }}", "ANA, Abrimos às 8h."),
        ("{# para a equipe #}{{ resposta }} – {{ empresa }}", "Abrimos às 8h. – Clínica Sorriso"),
        ("{{ nome or 'você' }}: {{ resposta }}", "Ana: Abrimos às 8h."),
        ("{% if retorno == '' %}x{% elif retorno %}{{ retorno }}{% else %}y{% endif %}", "amanhã, às 8h"),
        ("uma chave { e outra } ficam", "uma chave { e outra } ficam"),
    ] {
        assert_eq!(render(template, &ANA).as_deref(), Ok(text), "{template}");
    }
}

#[test]
fn what_is_missing_leaves_no_gap() {
    let bare = Variables { resposta: "Abrimos às 8h.", ..Variables::default() };
    for (template, text) in [
        ("{{ saudacao }} {{ resposta }}", "Abrimos às 8h."),
        ("Oi, {{ nome }}! {{ resposta }}", "Oi! Abrimos às 8h."),
        ("{{ nome }}, {{ resposta }}", "Abrimos às 8h."),
        ("{{ resposta }} {{ humor }}\n\n\n\n{{ empresa }}", "Abrimos às 8h."),
        ("{{ empatia }}\n{{ resposta }}  {{ transferencia }}", "Abrimos às 8h."),
    ] {
        assert_eq!(render(template, &bare).as_deref(), Ok(text), "{template}");
    }
    let faces = Variables { resposta: "Combinado :) R$ 1.200,50 em www.sorriso.example", ..bare };
    assert_eq!(render("{{ resposta }} ", &faces).as_deref(), Ok(faces.resposta), "the answer itself stays as it is");
}

#[test]
fn what_a_template_must_not_do_is_refused() {
    let forbidden = |what: &str| Err(RenderError::Forbidden { line: 1, what: what.to_owned() });
    for (template, refused) in [
        ("{% for c in 'abc' %}{{ c }}{% endfor %}", forbidden("for")),
        ("{% set x = 'a' %}{{ x }}", forbidden("set")),
        ("{% include 'segredo' %}", forbidden("include")),
        ("{%- macro m() %}{% endmacro %}", forbidden("macro")),
        ("{% raw %}{{ oi }}{% endraw %}", forbidden("raw")),
        ("{{ 'a' * 99999999 }}", forbidden("*")),
        ("{{ resposta", Err(RenderError::Syntax { line: 1 })),
        ("{% if nome %}{{ resposta }}", Err(RenderError::Syntax { line: 1 })),
        ("ok\n{{ clima }}", Err(RenderError::Unknown { line: 2 })),
        ("{{ range(9) }}", Err(RenderError::Unknown { line: 1 })),
        ("{{ resposta | tojson }}", Err(RenderError::Unknown { line: 1 })),
        ("{{ humor }}", Ok("😄".to_owned())),
    ] {
        assert_eq!(render(template, &ANA), refused, "{template}");
    }
    let heavy = format!("{}{{{{ resposta }}}}", "{{ nome ~ nome ~ nome }}".repeat(600));
    assert_eq!(render(&heavy, &ANA), Err(RenderError::TooCostly));
    assert_eq!(render("{{ humor }}", &Variables::default()), Err(RenderError::Empty));
}

proptest! {
    /// Whatever a customer calls themselves or a model writes is data, and no brace pair reaches a Mustache engine.
    #[test]
    fn a_value_is_never_read_as_a_template(text in r"[a-c {}%#\n]{0,40}", name in r"[a-c {}%#]{0,20}") {
        let values = Variables { resposta: &text, nome: &name, ..Variables::default() };
        for template in ["{{ resposta }}", "{{ resposta }}{{ nome }}", "{{{ nome }}", "Oi { {{ nome }} }: {{ resposta }}"] {
            let Ok(said) = render(template, &values) else { continue };
            prop_assert!(!said.contains("{{"), "{said:?}");
            let kept = |of: &str| of.chars().filter(|c| c.is_alphabetic()).collect::<String>();
            if template == "{{ resposta }}{{ nome }}" {
                prop_assert_eq!(kept(&said), kept(&text) + &kept(&name));
            }
        }
    }

    /// No source, however broken, does worse than be refused.
    #[test]
    fn any_source_is_rendered_or_refused(source in r#"[ab{}%#'"\\|~ ]{0,60}"#) {
        let _ = render(&source, &ANA);
        let _ = lint(Slot::Reply, &source);
    }
}

#[test]
fn a_template_that_breaks_gives_way_to_the_built_in_one() {
    let place = |slot| Place { slot, intent: None, mood: None };
    let handoff = Slot::Ready(Template::Handoff);
    let texts = [(place(Slot::Reply), Arc::from("{{ resposta")), (place(handoff), Arc::from("{{ clima }}"))];
    let own = Wordings::new(texts, Vec::new());
    for (slot, said) in [(Slot::Reply, "Abrimos às 8h."), (handoff, "Já chamo a Lia.")] {
        let occasion = Occasion { slot, intent: Intent::Other, mood: Mood::Neutral };
        let rendered = own.choose(company(1), "5511987654321", occasion, &Assigned::new()).render(&ANA);
        assert_eq!(rendered.text, said);
        assert!(rendered.failed.is_some());
    }
}

#[test]
fn every_built_in_text_is_short_plain_and_says_something_always() {
    for template in Template::ALL {
        let slot = Slot::Ready(*template);
        assert_eq!(lint(slot, template.default_text()), [], "{}", template.name());
        for values in [ANA, Variables { resposta: "", ..Variables::default() }] {
            let said = render(template.default_text(), &values).unwrap();
            assert!(said.chars().count() <= BUBBLE_MAX, "{}: {said}", template.name());
            assert!(questions(&said) <= 1 && emoji(&said) <= 1, "{}: {said}", template.name());
            assert!(!said.contains("{{") && !said.contains("{%"), "{}: {said}", template.name());
        }
        assert_eq!(Slot::from_key(template.name()), Some(slot));
        assert_eq!(Template::from_name(template.name()), Some(*template));
    }
    assert_eq!(lint(Slot::Reply, Slot::Reply.built_in()), []);
    assert_eq!(Slot::from_key("reply"), Some(Slot::Reply));
}

#[test]
fn the_lint_tells_the_owner_what_is_wrong() {
    let long =
        format!("{{{{ saudacao }}}} {{{{ resposta }}}} {}", "Lembre-se de trazer um documento com foto. ".repeat(8));
    for (template, found) in [
        ("{{ saudacao }} {{ resposta }}", vec![]),
        ("{{ saudação }} {{ resposta }}\n_Equipe {{ empresa }}_ 😊", vec![]),
        ("", vec![Fault::Empty]),
        ("Oi! Tudo bem", vec![Fault::NoAnswer]),
        ("{{ resposta }} Posso ajudar em algo mais?", vec![Fault::Questions]),
        ("{{ resposta }} 😀😀 {{ humor }}", vec![Fault::Emoji]),
        ("**Oi** {{ resposta }}", vec![Fault::Markdown]),
        ("# Oi\n{{ resposta }}", vec![Fault::Markdown]),
        ("{{ resposta }} [site](https://a.example)", vec![Fault::Markdown]),
        ("{{ resposta }} {{ clima }} {{ hora }}", vec![Fault::UnknownVariable, Fault::UnknownVariable]),
        ("{{ resposta }", vec![Fault::Syntax]),
        ("{% for x in resposta %}{% endfor %}", vec![Fault::Forbidden]),
        ("{{ resposta | tojson }}", vec![Fault::Forbidden]),
        (long.as_str(), vec![Fault::TooLong]),
        (&"a".repeat(SOURCE_MAX + 1), vec![Fault::TooLong]),
    ] {
        assert_eq!(faults(Slot::Reply, template), found, "{template}");
    }
    // A ready text needs no answer inside, but something that is always there.
    assert_eq!(faults(Slot::Ready(Template::Thanks), "De nada, {{ nome }}!"), []);
    assert_eq!(faults(Slot::Ready(Template::Thanks), "{% if nome %}De nada, {{ nome }}!{% endif %}"), [Fault::Empty]);
    let said = &lint(Slot::Reply, "{{ resposta }} {{ clima }}")[0].message;
    assert!(said.contains("\"clima\"") && NAMES.iter().all(|name| said.contains(name)), "{said}");
}

#[test]
fn emoji_and_questions_are_counted_as_people_see_them() {
    for (text, seen) in
        [("", 0), ("oi 😀", 1), ("👩‍🏫", 1), ("👍🏽👍", 2), ("🇧🇷", 1), ("🇧🇷🇵🇹", 2), ("❤️ → ©", 1), ("1️⃣ 2", 0)]
    {
        assert_eq!(emoji(text), seen, "{text}");
    }
    for (text, asked) in [
        ("Tudo bem?", 1),
        ("Sério?! Como?", 2),
        ("Oi??? Tudo", 1),
        ("veja https://a.example/?q=1 aqui", 0),
        ("Pode ser *amanhã?* Ou \"hoje?\"", 2),
        ("Sem pergunta.", 0),
    ] {
        assert_eq!(questions(text), asked, "{text}");
    }
}

#[test]
fn the_narrowest_wording_counts() {
    let place = |intent, mood| Place { slot: Slot::Reply, intent, mood };
    let (complaint, bad) = (Some(Intent::Complaint), Some(Mood::Negative));
    let all: Vec<(Place, Arc<str>)> = vec![
        (place(complaint, bad), "ambos".into()),
        (place(complaint, None), "intenção".into()),
        (place(None, bad), "humor".into()),
        (place(None, None), "geral".into()),
    ];
    let chosen = |wordings: &Wordings, intent, mood| {
        let occasion = Occasion { slot: Slot::Reply, intent, mood };
        wordings.choose(company(1), "5511987654321", occasion, &Assigned::new()).source.to_string()
    };
    for (without, said) in [(0, "ambos"), (1, "intenção"), (2, "humor"), (3, "geral"), (4, "{{ resposta }}")] {
        let wordings = Wordings::new(all[without..].to_vec(), Vec::new());
        assert_eq!(chosen(&wordings, Intent::Complaint, Mood::Negative), said);
    }
    let wordings = Wordings::new(all, Vec::new());
    assert_eq!(chosen(&wordings, Intent::Complaint, Mood::Positive), "intenção");
    assert_eq!(chosen(&wordings, Intent::Greeting, Mood::Negative), "humor");
    assert_eq!(chosen(&wordings, Intent::Greeting, Mood::Neutral), "geral");
    let ready = Occasion { slot: Slot::Ready(Template::Wait), intent: Intent::Greeting, mood: Mood::Neutral };
    let wait = wordings.choose(company(1), "5511987654321", ready, &Assigned::new());
    assert_eq!(&*wait.source, Template::Wait.default_text(), "what is around answers is no ready text");
}

#[test]
fn an_experiment_goes_before_the_wording_of_its_place_and_whoever_was_given_a_variant_keeps_it() {
    let variant =
        |name: &str| Variant { name: name.to_owned(), source: format!("{name}: {{{{ resposta }}}}").into(), weight: 1 };
    let id = Uuid::from_u128(7);
    let place = Place { slot: Slot::Reply, intent: None, mood: None };
    let trial = Trial {
        policy: Policy::Fixed,
        goal: Goal::Response,
        least_effect: 0.1,
        variants: vec![variant("A"), variant("B")],
        counts: Vec::new(),
    };
    let narrow = Place { intent: Some(Intent::Thanks), ..place };
    let texts = [(place, Arc::from("antigo")), (narrow, Arc::from("obrigada"))];
    let wordings = Wordings::new(texts, vec![Running { id, place, trial }]);
    let mut given: BTreeMap<String, usize> = BTreeMap::new();
    for n in 0..200 {
        let number = format!("55119876{n:05}");
        let occasion = Occasion { slot: Slot::Reply, intent: Intent::Question, mood: Mood::Neutral };
        let first = wordings.choose(company(1), &number, occasion, &Assigned::new());
        let (experiment, name) = first.experiment.clone().unwrap();
        assert_eq!(experiment, id);
        assert_eq!(first, wordings.choose(company(1), &number, occasion, &Assigned::new()), "the same again");
        let other = if name == "A" { "B" } else { "A" };
        let kept = wordings.choose(company(1), &number, occasion, &Assigned::from([(id, other.to_owned())]));
        assert_eq!(kept.experiment, Some((id, other.to_owned())));
        assert_eq!(kept.render(&ANA).text, format!("{other}: Abrimos às 8h."));
        *given.entry(name).or_default() += 1;
    }
    assert!(given["A"] > 70 && given["B"] > 70, "{given:?}");
    let thanks = Occasion { slot: Slot::Reply, intent: Intent::Thanks, mood: Mood::Neutral };
    assert_eq!(wordings.choose(company(1), "5511987654321", thanks, &Assigned::new()).experiment, None);
}

const TOKEN: &str = "an-api-token-of-the-clinic-0123456789";

async fn api_world() -> World {
    let world = World::builder().workers(0).start().await;
    world.configure(&world.clinic, &[("secret:api.token", TOKEN)]).await;
    world.configure(&world.salon, &[("secret:api.token", "an-api-token-of-the-salon-0123456789")]).await;
    world
}

/// A call of the clinic's API.
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

/// What a company says now around an answer to a question.
async fn said(world: &World, company: &Company) -> String {
    let tenant = world.tenant(company);
    let occasion = Occasion { slot: Slot::Reply, intent: Intent::Question, mood: Mood::Neutral };
    let own = wordings(&world.process.services, &tenant).await;
    own.choose(tenant.id(), "5511987654321", occasion, &Assigned::new()).render(&ANA).text
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_words_the_answers_and_only_theirs() {
    let world = api_world().await;
    let none = Value::Null;
    assert_eq!(said(&world, &world.clinic).await, "Abrimos às 8h.");
    let new = json!({"key": "reply", "body": "{{ saudação }} {{ resposta }}"});
    let made = json_of(&call(&world, "POST", "/api/templates", &new).await);
    let path = format!("/api/templates/{}", made["id"].as_str().unwrap());
    assert_eq!((&made["version"], &made["active"]), (&json!(1), &json!(true)));
    assert_eq!(said(&world, &world.clinic).await, "Bom dia, Ana! Abrimos às 8h.");
    assert_eq!(said(&world, &world.salon).await, "Abrimos às 8h.", "another company's answers stay as they are");

    let twice = call(&world, "POST", "/api/templates", &new).await;
    assert_eq!((twice.status, &json_of(&twice)["code"]), (409, &json!("place_taken")));
    let unfit = call(&world, "POST", "/api/templates", &json!({"key": "wait", "body": "**Já** {{ volto }}?"})).await;
    assert_eq!((unfit.status, &json_of(&unfit)["code"]), (422, &json!("unfit_template")));
    assert!(json_of(&unfit)["detail"].as_str().unwrap().contains("\"volto\""), "{}", unfit.body);
    let unknown = call(&world, "POST", "/api/templates", &json!({"key": "reply", "mood": "azul", "body": "x"})).await;
    assert_eq!((unknown.status, &json_of(&unknown)["field"]), (422, &json!("mood")));

    let change = json!({"version": 1, "body": "{{ resposta }} 😊"});
    assert_eq!(json_of(&call(&world, "PUT", &path, &change).await)["version"], 2);
    assert_eq!(said(&world, &world.clinic).await, "Abrimos às 8h. 😊");
    let late = call(&world, "PUT", &path, &change).await;
    assert_eq!((late.status, &json_of(&late)["code"]), (409, &json!("changed")));
    let resting = json!({"version": 2, "body": "{{ resposta }} 😊", "active": false});
    assert_eq!(call(&world, "PUT", &path, &resting).await.status, 200);
    assert_eq!(said(&world, &world.clinic).await, "Abrimos às 8h.");

    let all = json_of(&call(&world, "GET", "/api/templates", &none).await);
    assert_eq!(all["templates"].as_array().unwrap().len(), 1);
    assert_eq!(all["slots"].as_array().unwrap().len(), Template::ALL.len() + 1);
    assert_eq!(call(&world, "DELETE", &path, &none).await.status, 204);
    assert_eq!(call(&world, "GET", &path, &none).await.status, 404);
    let acts = "SELECT string_agg(action || ' ' || actor_type, ', ' ORDER BY seq) FROM audit_log WHERE action LIKE 'template.%'";
    assert_eq!(
        world.sql(&world.clinic, acts),
        "template.create api, template.change api, template.change api, template.delete api"
    );
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_can_be_tried_before_it_is_kept() {
    let world = api_world().await;
    let draft = json!({"key": "reply", "body": "{{ saudacao }} {{ resposta }} Certo?"});
    let tried = json_of(&call(&world, "POST", "/api/templates/lint", &draft).await);
    assert_eq!(tried["problems"][0]["code"], "questions");
    assert_eq!(tried["preview"], json!(["Olá, Ana! Temos, sim! Quer marcar? Certo?"]));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_words_a_ready_text_until_a_template_does_and_what_another_process_changed_is_seen() {
    let world = api_world().await;
    world.configure(&world.clinic, &[("text.media", "Só leio texto, {{ nome }}.")]).await;
    let services = &world.process.services;
    let media = async || {
        let tenant = world.tenant(&world.clinic);
        let occasion = Occasion { slot: Slot::Ready(Template::Media), intent: Intent::Other, mood: Mood::Neutral };
        let own = wordings(services, &tenant).await;
        own.choose(tenant.id(), "5511987654321", occasion, &Assigned::new()).render(&ANA).text
    };
    assert_eq!(media().await, "Só leio texto, Ana.");
    // Another process: a row of which this one is told by the directory's version alone.
    world.sql(
        &world.clinic,
        "INSERT INTO template (id, key, body, created_at, updated_at)
         VALUES (gen_random_uuid(), 'media', 'Escreva, por favor.', now(), now())",
    );
    assert_eq!(media().await, "Só leio texto, Ana.", "nobody told yet");
    secretaria::services::directory::Directory::announce(&services.redis).await.unwrap();
    eventually("the other process' wording", async || media().await == "Escreva, por favor.").await;
    world.end().await;
}
