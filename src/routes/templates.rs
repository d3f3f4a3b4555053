//! A company's wordings: listed, tried, changed.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::ApiError;
use super::correlation::CorrelationId;
use super::extract::{Body, Caller};
use crate::domain::conversation::intent::Intent;
use crate::domain::conversation::rendering::NAMES;
use crate::domain::conversation::rendering::lint::Problem;
use crate::domain::conversation::selection::{Place, Slot};
use crate::domain::conversation::template::Template;
use crate::models::tenant::template::TemplateRow;
use crate::services::audit::Actor;
use crate::services::templates::{self, WordingError};
use crate::tenant::StoreError;

/// A wording to be made.
#[derive(Deserialize)]
pub struct New {
    key: String,
    #[serde(default)]
    intent: String,
    #[serde(default)]
    mood: String,
    body: String,
    #[serde(default = "yes")]
    active: bool,
}

/// A change of a wording that was seen.
#[derive(Deserialize)]
pub struct Change {
    version: i32,
    body: String,
    #[serde(default = "yes")]
    active: bool,
}

/// A template to be tried.
#[derive(Deserialize)]
pub struct Draft {
    key: String,
    body: String,
}

fn yes() -> bool {
    true
}

/// A place as programs read and write it: empty is any.
pub(super) fn place(key: &str, intent: &str, mood: &str) -> Result<Place, ApiError> {
    Ok(Place::parse(key, intent, mood).map_err(WordingError::from)?)
}

#[derive(Serialize)]
struct View {
    id: Uuid,
    key: String,
    intent: String,
    mood: String,
    body: String,
    active: bool,
    version: i32,
    updated_at: String,
}

impl From<TemplateRow> for View {
    fn from(row: TemplateRow) -> Self {
        let TemplateRow { id, key, intent, mood, body, active, version, updated_at, .. } = row;
        Self { id, key, intent, mood, body, active, version, updated_at: updated_at.to_rfc3339() }
    }
}

#[derive(Serialize)]
struct Fault {
    code: &'static str,
    message: String,
}

fn faults(problems: Vec<Problem>) -> Vec<Fault> {
    problems.into_iter().map(|one| Fault { code: one.fault.code(), message: one.message }).collect()
}

/// `GET /api/templates`: the company's own wordings, and all that may be worded.
pub async fn list(caller: Caller) -> Result<HttpResponse, ApiError> {
    let own: Vec<View> = templates::list(&caller.tenant).await?.into_iter().map(View::from).collect();
    let slots = [Slot::Reply].into_iter().chain(Template::ALL.iter().copied().map(Slot::Ready));
    let slots: Vec<_> = slots.map(|slot| json!({ "key": slot.key(), "built_in": slot.built_in() })).collect();
    let intents: Vec<&str> = Intent::ALL.iter().map(|intent| intent.label()).collect();
    Ok(HttpResponse::Ok().json(json!({
        "templates": own, "slots": slots, "intents": intents, "moods": ["pos", "neg", "neu"], "variables": NAMES,
    })))
}

/// `POST /api/templates`: a wording for a place that has none.
pub async fn create(caller: Caller, Body(new): Body<New>) -> Result<HttpResponse, ApiError> {
    let place = place(&new.key, &new.intent, &new.mood)?;
    let wording = (place, new.body.as_str(), new.active);
    let row = templates::create(&caller.services, &caller.tenant, &actor(&caller), wording).await?;
    Ok(HttpResponse::Created().json(View::from(row)))
}

/// `POST /api/templates/lint`: what is wrong with a template, and how it looks.
pub async fn lint(_caller: Caller, Body(draft): Body<Draft>) -> Result<HttpResponse, ApiError> {
    let slot = place(&draft.key, "", "")?.slot;
    let (problems, preview) = templates::check(slot, &draft.body);
    Ok(HttpResponse::Ok().json(json!({ "problems": faults(problems), "preview": preview })))
}

/// `GET /api/templates/{id}`.
pub async fn show(caller: Caller, id: web::Path<Uuid>) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(View::from(templates::find(&caller.tenant, *id).await?)))
}

/// `PUT /api/templates/{id}`: changes text and use of the version that was seen.
pub async fn change(caller: Caller, id: web::Path<Uuid>, Body(change): Body<Change>) -> Result<HttpResponse, ApiError> {
    let (seen, wished) = ((*id, change.version), (change.body.as_str(), change.active));
    let row = templates::change(&caller.services, &caller.tenant, &actor(&caller), seen, wished).await?;
    Ok(HttpResponse::Ok().json(View::from(row)))
}

/// `DELETE /api/templates/{id}`: the wider or built-in wording counts again.
pub async fn delete(caller: Caller, id: web::Path<Uuid>) -> Result<HttpResponse, ApiError> {
    templates::delete(&caller.services, &caller.tenant, &actor(&caller), *id).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Who calls, for the audit trail.
pub(super) fn actor(caller: &Caller) -> Actor {
    let id = CorrelationId::current().map(|id| id.0.to_string()).unwrap_or_else(|| Uuid::now_v7().to_string());
    Actor::api(caller.actor, id)
}

impl From<WordingError> for ApiError {
    fn from(error: WordingError) -> Self {
        match error {
            WordingError::Unfit(problems) => {
                let said: Vec<String> = problems.into_iter().map(|problem| problem.message).collect();
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "unfit_template").detail(said.join(" "))
            }
            WordingError::Field { field, must } => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_field")
                .field(field)
                .detail(format!("{field} must be {must}")),
            WordingError::NotFound => Self::new(StatusCode::NOT_FOUND, "not_found"),
            WordingError::Taken => Self::new(StatusCode::CONFLICT, "place_taken").detail(error.to_string()),
            WordingError::Changed => Self::new(StatusCode::CONFLICT, "changed").detail(error.to_string()),
            WordingError::State { .. } => Self::new(StatusCode::CONFLICT, "wrong_state").detail(error.to_string()),
            WordingError::Store(StoreError::Unavailable { .. }) => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable")
                    .retry_after(std::time::Duration::from_secs(5))
                    .caused_by(&error)
            }
            WordingError::Store(_) => Self::internal("a store").caused_by(&error),
        }
    }
}
