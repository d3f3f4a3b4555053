//! The product behind the simulated phone: real signed webhooks in, what the database holds out.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::json;
use uuid::Uuid;

use super::seed::DemoCompany;
use crate::clients::http::BODY_LIMIT;
use crate::domain::company::CompanyId;
use crate::domain::phone::Phone;
use crate::domain::webhook_auth::sign;
use crate::models::tenant::delivery::{DeliveryRow, DeliveryState};
use crate::models::tenant::turn::TurnRow;
use crate::routes::simulator::backend::{
    Bubble, SentWebhook, SimCompany, SimPerson, SimulatorBackend, Stage, Tick, Timeline,
};
use crate::services::{Services, trace};
use crate::standins::{Fault, FaultKind, Provider, StandIns};

/// Bubbles drawn of a conversation.
const LINES: i64 = 60;
/// How long an unanswered message counts as being answered, milliseconds.
const PATIENCE_MS: i64 = 60_000;

/// A message on its way: sent by the simulated phone, not in the database yet.
#[derive(Clone)]
struct OnItsWay {
    text: String,
    at_ms: i64,
    correlation_id: String,
    accepted: bool,
}

/// The simulator's backend.
pub(super) struct Backend {
    services: Services,
    companies: Vec<DemoCompany>,
    standins: Arc<StandIns>,
    base_url: String,
    model_down: AtomicBool,
    on_its_way: Mutex<HashMap<(i64, String), Vec<OnItsWay>>>,
}

impl Backend {
    pub(super) fn new(
        services: Services,
        companies: Vec<DemoCompany>,
        standins: Arc<StandIns>,
        base_url: String,
    ) -> Self {
        let (model_down, on_its_way) = (AtomicBool::new(false), Mutex::default());
        Self { services, companies, standins, base_url, model_down, on_its_way }
    }

    async fn post(&self, company: &DemoCompany, person: &SimPerson, text: &str) -> SentWebhook {
        let (now, at_ms) = (self.services.clock.now().timestamp(), self.services.clock.now_ms());
        let correlation_id = Uuid::now_v7().to_string();
        let body = json!({
            "key": { "remoteJid": format!("{}@s.whatsapp.net", person.number), "fromMe": false, "id": format!("SIM{}", Uuid::now_v7().simple()) },
            "messageTimestamp": now,
            "pushName": person.name,
            "message": { "conversation": text },
        })
        .to_string();
        let (signature, timestamp) =
            (format!("sha256={}", sign(&company.webhook_secret, now, body.as_bytes())), now.to_string());
        let headers = [
            ("host", company.domain.as_str()),
            ("x-webhook-token", company.webhook_token.as_str()),
            ("x-webhook-timestamp", timestamp.as_str()),
            ("x-webhook-signature", signature.as_str()),
            ("x-correlation-id", correlation_id.as_str()),
        ];
        let url = format!("{}/webhook/whaticket", self.base_url);
        let answer =
            self.services.http.post_json(&url, &headers, body.into_bytes(), Duration::from_secs(10), BODY_LIMIT).await;
        let (status, body) = match answer {
            Ok(answer) => (answer.status, answer.text()),
            Err(error) => (0, error.to_string()),
        };
        if let Ok(mut on_its_way) = self.on_its_way.lock() {
            let accepted = status == 202;
            let sent = OnItsWay { text: text.to_owned(), at_ms, correlation_id: correlation_id.clone(), accepted };
            on_its_way.entry((company.id, person.number.clone())).or_default().push(sent);
        }
        SentWebhook { status, body, correlation_id, at_ms }
    }

    async fn bubbles(&self, company: i64, number: &str) -> Vec<Bubble> {
        let tenant = CompanyId::new(company).and_then(|id| self.services.directory.by_id(id));
        let key = Phone::from_jid_user(number).map(|phone| phone.person_key());
        let lines = match (tenant, key) {
            (Some(tenant), Some(key)) => trace::transcript(&tenant, &key, LINES).await.unwrap_or_default(),
            _ => Vec::new(),
        };
        let mut bubbles: Vec<Bubble> = lines.into_iter().filter_map(bubble).collect();
        let known: Vec<String> = bubbles.iter().map(|bubble| bubble.correlation_id.clone()).collect();
        if let Ok(mut on_its_way) = self.on_its_way.lock()
            && let Some(sent) = on_its_way.get_mut(&(company, number.to_owned()))
        {
            sent.retain(|one| !known.contains(&one.correlation_id));
            bubbles.extend(sent.iter().map(|one| Bubble {
                id: format!("c-{}", one.correlation_id),
                from_customer: true,
                text: one.text.clone(),
                at_ms: one.at_ms,
                tick: if one.accepted { Tick::Sent } else { Tick::Failed },
                correlation_id: one.correlation_id.clone(),
            }));
        }
        bubbles
    }
}

/// The customer's own bubbles are named by correlation id, so that one keeps its name when it reaches the database.
fn bubble((id, author, text, at, correlation_id, state): trace::Line) -> Option<Bubble> {
    let from_customer = author == "customer";
    let state = state.as_deref().and_then(DeliveryState::parse);
    let tick = match state {
        None => Tick::Delivered,
        Some(DeliveryState::Sent | DeliveryState::Delivered | DeliveryState::Read) => Tick::Delivered,
        Some(DeliveryState::Dead) => Tick::Failed,
        // Not on the phone yet.
        Some(_) => return None,
    };
    let id = if from_customer { format!("c-{correlation_id}") } else { id.to_string() };
    Some(Bubble { id, from_customer, text, at_ms: at.timestamp_millis(), tick, correlation_id })
}

impl SimulatorBackend for Backend {
    fn companies(&self) -> Vec<SimCompany> {
        let shown = |company: &DemoCompany| SimCompany {
            id: company.id,
            name: company.name.clone(),
            domain: company.domain.clone(),
        };
        self.companies.iter().map(shown).collect()
    }

    fn send(&self, company: i64, person: SimPerson, texts: Vec<String>) -> BoxFuture<'_, Vec<SentWebhook>> {
        async move {
            let mut sent = Vec::new();
            if let Some(company) = self.companies.iter().find(|one| one.id == company) {
                for text in &texts {
                    sent.push(self.post(company, &person, text).await);
                }
            }
            sent
        }
        .boxed()
    }

    fn transcript(&self, company: i64, number: &str) -> BoxFuture<'_, Vec<Bubble>> {
        let number = number.to_owned();
        async move { self.bubbles(company, &number).await }.boxed()
    }

    fn typing(&self, company: i64, number: &str) -> BoxFuture<'_, bool> {
        let number = number.to_owned();
        async move {
            let last = self.bubbles(company, &number).await.pop();
            let since = self.services.clock.now_ms() - PATIENCE_MS;
            last.is_some_and(|last| last.from_customer && last.tick != Tick::Failed && last.at_ms > since)
        }
        .boxed()
    }

    fn timeline(&self, company: i64, correlation_id: &str) -> BoxFuture<'_, Option<Timeline>> {
        let correlation_id = correlation_id.to_owned();
        async move {
            let tenant = self.services.directory.by_id(CompanyId::new(company)?)?;
            let traced = trace::by_correlation(&tenant, &correlation_id).await.ok()?;
            traced.last().map(|(turn, deliveries)| timeline(turn, deliveries))
        }
        .boxed()
    }

    fn set_model_down(&self, down: bool) -> BoxFuture<'_, ()> {
        self.model_down.store(down, Ordering::Relaxed);
        self.standins.clear_faults();
        if down {
            let mut fault = Fault::new(Provider::Gemini, FaultKind::Status);
            fault.status = Some(503);
            self.standins.add_fault(fault);
        }
        futures::future::ready(()).boxed()
    }

    fn model_is_down(&self) -> bool {
        self.model_down.load(Ordering::Relaxed)
    }

    fn now_ms(&self) -> i64 {
        self.services.clock.now_ms()
    }
}

fn timeline(turn: &TurnRow, deliveries: &[DeliveryRow]) -> Timeline {
    let ms = |at: DateTime<Utc>| at.timestamp_millis();
    let stage =
        |name: &str, from: i64, to: i64| Stage { name: name.to_owned(), at_ms: from, took_ms: (to - from).max(0) };
    let (accepted, claimed, decided) = (ms(turn.accepted_at), ms(turn.claimed_at), ms(turn.decided_at));
    let model_from = decided - i64::from(turn.model_ms);
    let mut stages =
        vec![stage("rajada e fila", accepted, claimed), stage("preparo", claimed, model_from.max(claimed))];
    if turn.model_ms > 0 {
        stages.push(stage("modelo", model_from.max(claimed), decided));
    }
    for row in deliveries {
        if let (Some(from), Some(to)) = (row.attempt_at, row.sent_at) {
            stages.push(stage("entrega", ms(from), ms(to)));
        }
    }
    let count = |tokens: i32| u32::try_from(tokens).ok().filter(|tokens| *tokens > 0);
    let decision = match turn.decision.as_str() {
        "answer" => "respondeu com o modelo".to_owned(),
        _ => format!("texto pronto: {}", turn.reason),
    };
    Timeline {
        correlation_id: turn.correlation_id.clone(),
        stages,
        decision: Some(decision),
        model: turn.model.clone(),
        tokens_in: count(turn.tokens_in),
        tokens_out: count(turn.tokens_out),
        injection_score: Some(f64::from(turn.injection_score)),
        log_lines: deliveries.iter().map(log_line).collect(),
    }
}

fn log_line(row: &DeliveryRow) -> String {
    let error = row.error_code.as_deref().unwrap_or("-");
    let id = row.external_id.as_deref().unwrap_or("-");
    format!("entrega {}: {} · tentativas {} · id {id} · erro {error}", row.position + 1, row.state, row.attempts)
}
