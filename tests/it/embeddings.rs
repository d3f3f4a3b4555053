//! Embeddings of the two providers: batches, order, length 1, and what is refused.

use std::time::Duration;

use secretaria::clients::WireErrorKind;
use secretaria::clients::embedding::{EmbeddingEndpoint, Purpose, embed};
use secretaria::clients::http::HttpClient;
use secretaria::clients::llm::LlmKind;
use secretaria::clock::Clock;
use secretaria::services;
use secretaria::standins::{Fault, FaultKind, Provider, StandIns};
use serde_json::{Value, json};

use crate::harness::World;

struct Lab {
    standins: StandIns,
    http: HttpClient,
    endpoint: EmbeddingEndpoint,
}

async fn lab(kind: LlmKind) -> Lab {
    let standins = StandIns::start(Clock::new(), "127.0.0.1:0".parse().unwrap()).await.unwrap();
    let (base_url, model) = match kind {
        LlmKind::Gemini => (standins.gemini_url(), "gemini-embedding-001"),
        LlmKind::OpenAi => (standins.openai_url(), "text-embedding-3-small"),
    };
    let endpoint = EmbeddingEndpoint {
        kind,
        base_url,
        api_version: "v1beta".to_owned(),
        api_key: StandIns::credential(42, "k3y").into(),
        model: model.to_owned(),
        dimension: 256,
        timeout: Duration::from_secs(10),
    };
    Lab { standins, http: HttpClient::new(Duration::from_secs(2)).unwrap(), endpoint }
}

impl Lab {
    async fn embed(&self, texts: &[&str]) -> Vec<Vec<f32>> {
        embed(&self.http, &self.endpoint, texts, Purpose::Document).await.unwrap()
    }

    async fn refused(&self, texts: &[&str]) -> (WireErrorKind, &'static str) {
        let error = embed(&self.http, &self.endpoint, texts, Purpose::Document).await.unwrap_err();
        (error.kind, error.code)
    }

    fn provider(&self) -> Provider {
        if self.endpoint.kind == LlmKind::Gemini { Provider::Gemini } else { Provider::OpenAi }
    }
}

fn likeness(one: &[f32], other: &[f32]) -> f32 {
    one.iter().zip(other).map(|(a, b)| a * b).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn vectors_have_length_one_and_the_order_of_their_texts() {
    for kind in [LlmKind::Gemini, LlmKind::OpenAi] {
        let lab = lab(kind).await;
        let texts = ["corte de cabelo feminino", "  ", "limpeza de pele", "corte de cabelo masculino"];
        let vectors = lab.embed(&texts).await;
        assert!(vectors.iter().all(|vector| vector.len() == 256));
        for at in [0, 2, 3] {
            assert!((likeness(&vectors[at], &vectors[at]) - 1.0).abs() < 1e-5, "{kind:?} {at}");
            assert_eq!(vectors[at], lab.embed(&[texts[at]]).await[0], "alone or among others");
        }
        assert!(vectors[1].iter().all(|x| *x == 0.0), "nothing is like a text without words");
        assert!(likeness(&vectors[0], &vectors[3]) > likeness(&vectors[0], &vectors[2]) + 0.2, "{kind:?}");
        assert!(lab.embed(&[]).await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_texts_go_out_in_batches_and_long_ones_are_cut() {
    for kind in [LlmKind::Gemini, LlmKind::OpenAi] {
        let lab = lab(kind).await;
        let texts: Vec<String> = (0..250).map(|n| format!("texto número {n}")).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let vectors = lab.embed(&texts).await;
        assert_eq!(vectors.len(), 250);
        assert_eq!(vectors[249], lab.embed(&[texts[249]]).await[0]);
        assert_eq!(lab.standins.ledger_since(0).len(), 4, "three batches and one");
        let long = "ção ".repeat(5_000);
        let before = lab.standins.ledger_since(0).len();
        lab.embed(&vec![long.as_str(); 60]).await;
        let calls = lab.standins.ledger_since(0).split_off(before);
        assert!(calls.len() > 1, "a request holds no more than a quarter of a megabyte");
        let size = |entry: &Value| entry.to_string().len();
        assert!(calls.iter().all(|call| size(&call.body) < 300_000), "{:?}", calls.iter().map(|c| size(&c.body)).max());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_out_is_what_each_provider_wants() {
    let gemini = lab(LlmKind::Gemini).await;
    gemini.embed(&["oi"]).await;
    let entry = &gemini.standins.ledger_since(0)[0];
    assert_eq!(entry.path, "/gemini/v1beta/models/gemini-embedding-001:batchEmbedContents");
    let request = |task: &str| {
        json!({"model": "models/gemini-embedding-001", "content": {"parts": [{"text": "oi"}]},
        "taskType": task, "outputDimensionality": 256})
    };
    assert_eq!(entry.body, json!({"requests": [request("RETRIEVAL_DOCUMENT")]}));
    for (purpose, task) in [(Purpose::Query, "RETRIEVAL_QUERY"), (Purpose::Similarity, "SEMANTIC_SIMILARITY")] {
        embed(&gemini.http, &gemini.endpoint, &["oi"], purpose).await.unwrap();
        assert_eq!(gemini.standins.ledger_since(0).last().unwrap().body, json!({"requests": [request(task)]}));
    }

    let mut openai = lab(LlmKind::OpenAi).await;
    openai.embed(&["oi"]).await;
    let entry = &openai.standins.ledger_since(0)[0];
    assert_eq!((entry.path.as_str(), entry.company), ("/openai/v1/embeddings", Some(42)));
    let body =
        json!({"model": "text-embedding-3-small", "input": ["oi"], "encoding_format": "float", "dimensions": 256});
    assert_eq!(entry.body, body);
    // A server of one's own: no key, and nothing said of dimensions, which it would refuse.
    openai.endpoint.base_url = openai.standins.local_openai_url(42);
    (openai.endpoint.api_key, openai.endpoint.model) = (String::new().into(), "nomic-embed-text".to_owned());
    openai.endpoint.dimension = 384;
    openai.embed(&["oi"]).await;
    let entry = openai.standins.ledger_since(0).pop().unwrap();
    assert!(!entry.headers.contains_key("authorization") && entry.body.get("dimensions").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_length_is_another_space_and_refused() {
    let mut lab = lab(LlmKind::OpenAi).await;
    (lab.endpoint.base_url, lab.endpoint.model) = (lab.standins.local_openai_url(42), "nomic-embed-text".to_owned());
    assert_eq!(lab.refused(&["oi"]).await, (WireErrorKind::Auth, "wrong_dimension"));
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_has_the_names_of_the_chat_models() {
    for kind in [LlmKind::Gemini, LlmKind::OpenAi] {
        let mut lab = lab(kind).await;
        let vectors = |values: Value| match kind {
            LlmKind::Gemini => json!({"embeddings": [{"values": values}]}),
            LlmKind::OpenAi => json!({"data": [{"index": 0, "embedding": values}]}),
        };
        let rows = [
            (503, json!({}), (WireErrorKind::Unavailable, "overloaded")),
            (429, json!({}), (WireErrorKind::RateLimited, "rate_limited")),
            (401, json!({}), (WireErrorKind::Auth, "key_refused")),
            (200, json!({}), (WireErrorKind::Unavailable, "garbage")),
            (200, json!("<html>"), (WireErrorKind::Unavailable, "garbage")),
            (200, vectors(json!(vec![0.0; 256])), (WireErrorKind::Unavailable, "garbage")),
            (200, vectors(json!(["um"])), (WireErrorKind::Unavailable, "garbage")),
            (200, vectors(json!([0.1])), (WireErrorKind::Auth, "wrong_dimension")),
        ];
        for (status, body, expected) in rows {
            lab.standins.clear_faults();
            lab.standins.add_fault(Fault::status(lab.provider(), status, body.clone()));
            assert_eq!(lab.refused(&["oi"]).await, expected, "{kind:?} {status} {body}");
        }
        // Fewer vectors than texts, or two for one text, are no answer.
        lab.standins.clear_faults();
        lab.standins.add_fault(Fault::status(lab.provider(), 200, vectors(json!(vec![0.1; 256]))));
        assert_eq!(lab.refused(&["oi", "olá"]).await.1, "garbage", "{kind:?}");
        lab.standins.clear_faults();
        lab.standins.add_fault(Fault::new(lab.provider(), FaultKind::Truncated));
        assert_eq!(lab.refused(&["oi"]).await, (WireErrorKind::Unknown, "garbage"));
        lab.standins.clear_faults();
        lab.endpoint.model = "no-such-model".to_owned();
        assert_eq!(lab.refused(&["oi"]).await, (WireErrorKind::Auth, "model_not_found"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_chooses_its_provider_and_keys_do_not_travel() {
    let world = World::builder().workers(0).start().await;
    let services = &world.process.services;
    let embedded =
        async || services::embedding::embed(services, &world.tenant(&world.clinic), &["oi"], Purpose::Query).await;
    assert!(embedded().await.is_none(), "unless a provider is chosen, nobody is asked");
    world.configure(&world.clinic, &[("embedding.kind", "gemini")]).await;
    assert_eq!(embedded().await.unwrap().unwrap()[0].len(), 768);
    assert_eq!(world.ledger()[0].company, Some(world.clinic.id.get()), "with the key of the model of that kind");

    let openai = world.standins.openai_url();
    world.configure(&world.clinic, &[("embedding.kind", "openai"), ("embedding.base_url", &openai)]).await;
    assert_eq!(embedded().await.unwrap().unwrap_err().code, "key_refused");
    let last = world.ledger().pop().unwrap();
    assert!(!last.headers.contains_key("authorization"), "Gemini's key is not for OpenAI");
    let key = StandIns::credential(world.clinic.id.get(), "emb");
    world.configure(&world.clinic, &[("secret:embedding.api_key", &key), ("embedding.dimension", "128")]).await;
    assert_eq!(embedded().await.unwrap().unwrap()[0].len(), 128);
    world.end().await;
}
