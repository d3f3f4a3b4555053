//! Conversations that people of the company attend to: *Aguardando*, *Atendendo*, *Resolvidos*.

use actix_web::http::StatusCode;
use actix_web::http::header::HeaderName;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::ApiError;
use super::correlation::CorrelationId;
use super::extract::{Body, Caller};
use crate::domain::conversation::order::Act;
use crate::domain::conversation::standing::{Attendant, Standing};
use crate::domain::text::MessageText;
use crate::models::tenant::conversation::Attended;
use crate::services::audit::Actor;
use crate::services::orders::{self, Ordered};

/// Most conversations of one answer.
const LIST_MAX: i64 = 200;
static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Which conversations are wanted.
#[derive(Deserialize)]
pub struct Wanted {
    state: Option<String>,
}

#[derive(Serialize)]
struct Shown {
    id: Uuid,
    name: Option<String>,
    number: String,
    state: &'static str,
    reason: Option<&'static str>,
    urgent: bool,
    waiting_seconds: i64,
    last_message_at: String,
}

/// `GET /api/conversations`.
pub async fn list(caller: Caller, wanted: web::Query<Wanted>) -> Result<HttpResponse, ApiError> {
    let state = wanted.state.as_deref().filter(|state| !state.is_empty());
    if let Some(unknown) = state.filter(|state| Attendant::parse(state).is_none()) {
        let detail = format!("state is assistant, waiting, team or resolved, not {unknown:?}");
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "invalid_query").field("state").detail(detail));
    }
    let now_ms = caller.services.clock.now_ms();
    let rows = orders::list(&caller.tenant, state, LIST_MAX).await?;
    // A person's turn may have ended by itself since it was stored.
    let shown = rows.into_iter().map(|row| show(row, now_ms));
    let shown: Vec<Shown> = shown.filter(|one| state.is_none_or(|state| one.state == state)).collect();
    Ok(HttpResponse::Ok().json(json!({ "conversations": shown })))
}

fn show(row: Attended, now_ms: i64) -> Shown {
    let standing: Standing = serde_json::from_value(row.standing).unwrap_or_default();
    let waits = standing.attendant == Attendant::Waiting;
    Shown {
        id: row.id,
        name: row.name,
        number: row.reply_address,
        state: if waits { standing.attendant } else { standing.attendant_at(now_ms) }.as_str(),
        reason: standing.reason.map(|reason| reason.as_str()),
        urgent: row.urgent,
        waiting_seconds: if waits { (now_ms - standing.since_ms).max(0) / 1000 } else { 0 },
        last_message_at: row.last_message_at.to_rfc3339(),
    }
}

/// `POST /api/conversations/{id}/accept`.
pub async fn accept(
    caller: Caller,
    id: web::Path<String>,
    req: HttpRequest,
    correlation: CorrelationId,
    _body: Body<serde_json::Value>,
) -> Result<HttpResponse, ApiError> {
    order(&caller, &id, Act::Accept, &req, &correlation).await
}

/// `POST /api/conversations/{id}/resolve`.
pub async fn resolve(
    caller: Caller,
    id: web::Path<String>,
    req: HttpRequest,
    correlation: CorrelationId,
    _body: Body<serde_json::Value>,
) -> Result<HttpResponse, ApiError> {
    order(&caller, &id, Act::Resolve, &req, &correlation).await
}

/// `POST /api/conversations/{id}/give-back`.
pub async fn give_back(
    caller: Caller,
    id: web::Path<String>,
    req: HttpRequest,
    correlation: CorrelationId,
    _body: Body<serde_json::Value>,
) -> Result<HttpResponse, ApiError> {
    order(&caller, &id, Act::GiveBack, &req, &correlation).await
}

/// What a person says.
#[derive(Deserialize)]
pub struct Reply {
    text: String,
}

/// `POST /api/conversations/{id}/reply`.
pub async fn reply(
    caller: Caller,
    id: web::Path<String>,
    req: HttpRequest,
    correlation: CorrelationId,
    Body(reply): Body<Reply>,
) -> Result<HttpResponse, ApiError> {
    let text = MessageText::clean(&reply.text).filter(|text| !text.was_cut());
    let Some(text) = text else {
        let detail = "text must hold something to say, and no more than a WhatsApp message takes";
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "invalid_payload").field("text").detail(detail));
    };
    order(&caller, &id, Act::Reply { text: text.as_str().to_owned() }, &req, &correlation).await
}

async fn order(
    caller: &Caller,
    id: &str,
    act: Act,
    req: &HttpRequest,
    correlation: &CorrelationId,
) -> Result<HttpResponse, ApiError> {
    let id: Uuid = id.parse().map_err(|_| ApiError::new(StatusCode::NOT_FOUND, "not_found"))?;
    let key = req.headers().get(&IDEMPOTENCY_KEY).and_then(|key| key.to_str().ok());
    let actor = Actor::api(caller.actor, &*correlation.0);
    let job = match orders::give(&caller.services, &caller.tenant, id, act, key, &actor).await? {
        Ordered::Queued(job) => job.to_string(),
        Ordered::Before(job) => job,
    };
    Ok(HttpResponse::Accepted().json(json!({ "status": "queued", "job_id": job })))
}
