//! A/B tests of wordings.

use std::sync::Arc;

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::ApiError;
use super::extract::{Body, Caller};
use super::templates::{actor, place};
use crate::domain::conversation::experiment::{Goal, Policy, Trial, Variant, Verdict};
use crate::services::experiments::{self, Examined, NewExperiment};
use crate::services::templates::WordingError;

/// An experiment to be made.
#[derive(Deserialize)]
pub struct New {
    name: String,
    key: String,
    #[serde(default)]
    intent: String,
    #[serde(default)]
    mood: String,
    #[serde(default = "fixed")]
    policy: String,
    #[serde(default = "tenth")]
    epsilon: f64,
    goal: String,
    #[serde(default = "twentieth")]
    least_effect: f64,
    variants: Vec<NewVariant>,
}

/// A wording to be tried.
#[derive(Deserialize)]
struct NewVariant {
    name: String,
    body: String,
    #[serde(default = "one")]
    weight: u32,
}

/// Which variant becomes the wording.
#[derive(Deserialize)]
pub struct Promotion {
    variant: String,
}

/// A body that says nothing: `{}`. It is read all the same, as it could name another company.
#[derive(Deserialize)]
pub struct Nothing {}

fn fixed() -> String {
    "fixed".to_owned()
}

fn tenth() -> f64 {
    0.1
}

fn twentieth() -> f64 {
    0.05
}

fn one() -> u32 {
    1
}

impl New {
    fn read(self) -> Result<NewExperiment, ApiError> {
        let policy = match self.policy.as_str() {
            "fixed" => Policy::Fixed,
            "epsilon_greedy" => Policy::EpsilonGreedy { epsilon: self.epsilon },
            _ => return Err(field("policy", "fixed or epsilon_greedy")),
        };
        let variant = |one: NewVariant| Variant { name: one.name, source: Arc::from(one.body), weight: one.weight };
        let trial = Trial {
            policy,
            goal: Goal::from_label(&self.goal).ok_or_else(|| field("goal", "response, conversion or feedback"))?,
            least_effect: self.least_effect,
            variants: self.variants.into_iter().map(variant).collect(),
            counts: Vec::new(),
        };
        Ok(NewExperiment { name: self.name, place: place(&self.key, &self.intent, &self.mood)?, trial })
    }
}

fn field(field: &'static str, must: &'static str) -> ApiError {
    WordingError::Field { field, must }.into()
}

fn view(found: &Examined) -> Value {
    let row = &found.row;
    let variants = found.trial.variants.iter().zip(&found.report.arms).map(|(variant, arm)| {
        json!({
            "name": variant.name, "body": &*variant.source, "weight": variant.weight,
            "impressions": arm.counts.impressions, "people": arm.counts.people, "responses": arm.counts.responses,
            "conversions": arm.counts.conversions, "positives": arm.counts.positives,
            "rate": arm.rate, "low": arm.interval.low, "high": arm.interval.high,
        })
    });
    let p = if let Verdict::Winner { p, .. } = found.report.verdict { Some(p) } else { None };
    json!({
        "id": row.id, "name": row.name, "key": row.key, "intent": row.intent, "mood": row.mood, "state": row.state,
        "policy": row.policy, "epsilon": row.epsilon, "goal": row.goal, "least_effect": row.least_effect,
        "variants": variants.collect::<Vec<_>>(), "counted_at": row.counted_at, "winner": row.winner,
        "needed_per_variant": found.report.needed, "missing": found.missing(), "p": p,
        "sample_ratio_p": found.report.ratio.map(|ratio| ratio.p),
        "verdict": found.report.verdict.code(), "sentence": found.sentence(),
        "created_at": row.created_at, "started_at": row.started_at, "ended_at": row.ended_at,
    })
}

fn shown(found: &Examined) -> HttpResponse {
    HttpResponse::Ok().json(view(found))
}

/// `GET /api/experiments`: the newest first, with the figures of when they were last looked at.
pub async fn list(caller: Caller) -> Result<HttpResponse, ApiError> {
    let found: Vec<Value> = experiments::list(&caller.tenant).await?.iter().map(view).collect();
    Ok(HttpResponse::Ok().json(json!({ "experiments": found })))
}

/// `POST /api/experiments`: a draft; nobody is shown anything before it is started.
pub async fn create(caller: Caller, Body(new): Body<New>) -> Result<HttpResponse, ApiError> {
    let made = experiments::create(&caller.services, &caller.tenant, &actor(&caller), &new.read()?).await?;
    Ok(HttpResponse::Created().json(view(&made)))
}

/// `GET /api/experiments/{id}`: with the figures of this moment.
pub async fn show(caller: Caller, id: web::Path<Uuid>) -> Result<HttpResponse, ApiError> {
    Ok(shown(&experiments::examine(&caller.services, &caller.tenant, *id).await?))
}

/// `DELETE /api/experiments/{id}`: a draft only.
pub async fn delete(caller: Caller, id: web::Path<Uuid>) -> Result<HttpResponse, ApiError> {
    experiments::delete(&caller.services, &caller.tenant, &actor(&caller), *id).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// `POST /api/experiments/{id}/start`.
pub async fn start(caller: Caller, id: web::Path<Uuid>, _: Body<Nothing>) -> Result<HttpResponse, ApiError> {
    Ok(shown(&experiments::start(&caller.services, &caller.tenant, &actor(&caller), *id).await?))
}

/// `POST /api/experiments/{id}/stop`.
pub async fn stop(caller: Caller, id: web::Path<Uuid>, _: Body<Nothing>) -> Result<HttpResponse, ApiError> {
    Ok(shown(&experiments::stop(&caller.services, &caller.tenant, &actor(&caller), *id).await?))
}

/// `POST /api/experiments/{id}/promote`: a variant becomes the wording.
pub async fn promote(
    caller: Caller,
    id: web::Path<Uuid>,
    Body(promotion): Body<Promotion>,
) -> Result<HttpResponse, ApiError> {
    let wish = (*id, promotion.variant.as_str());
    Ok(shown(&experiments::promote(&caller.services, &caller.tenant, &actor(&caller), wish).await?))
}
