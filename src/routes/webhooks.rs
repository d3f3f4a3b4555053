//! Webhooks of channels. The order of checks: company → content type and size → flood → credentials → body → limits.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HOST, HeaderName};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use tokio::time::Instant;

use super::client_ip::ClientIp;
use super::correlation::CorrelationId;
use super::extract::plain_host;
use super::flood::Flood;
use super::{ApiError, BodyError, read_body};
use crate::domain::webhook_auth::PresentedHeaders;
use crate::queue::Limit;
use crate::services::Services;
use crate::services::directory::Lookup;
use crate::services::intake::{self, Outcome, Refusal, WebhookRequest};
use crate::telemetry::metrics::{self, CompanyLabel, WebhookStatus};
use crate::tenant::Tenant;

static COMPANY_DOMAIN: HeaderName = HeaderName::from_static("x-company-domain");

/// What the webhook routes need.
#[derive(Clone)]
pub struct WebhookState {
    /// Use cases.
    pub services: Services,
    /// The first line against floods.
    pub flood: Flood,
    /// Set while Redis is nearly full.
    pub shed: Arc<AtomicBool>,
}

/// Gives the webhook routes their state; the table mounts them.
pub fn configure(cfg: &mut web::ServiceConfig, state: WebhookState) {
    cfg.app_data(web::Data::new(state));
}

/// `POST /webhook/whaticket`.
pub async fn whaticket(
    req: HttpRequest,
    payload: web::Payload,
    state: web::Data<WebhookState>,
    ClientIp(address): ClientIp,
    correlation_id: CorrelationId,
) -> Result<HttpResponse, ApiError> {
    let begun = Instant::now();
    let mut company = None;
    let result = take(&req, payload, &state, address, &correlation_id, &mut company).await;
    let (status, answer) = match result {
        Ok(outcome) => answer(&state, outcome),
        Err((status, error)) => (status, Err(error)),
    };
    metrics::webhook_received(company.as_ref(), status);
    metrics::webhook_latency(company.as_ref(), begun.elapsed());
    answer
}

/// What is counted, and what is answered.
pub(super) type Refused = (WebhookStatus, ApiError);

async fn take(
    req: &HttpRequest,
    payload: web::Payload,
    state: &WebhookState,
    address: IpAddr,
    correlation_id: &CorrelationId,
    company: &mut Option<CompanyLabel>,
) -> Result<Taken, Refused> {
    let tenant = find_company(req, state)?;
    *company = Some(tenant.label.clone());
    tracing::Span::current().record("company", tenant.id().get());
    json_only(req)?;
    let peer = req.peer_addr().map_or(address, |peer| peer.ip());
    let flood = state.services.settings.server.peer_flood_per_second;
    state.flood.check(peer).map_err(|wait| limited(WebhookStatus::RateLimitedIp, "peer", wait, flood))?;
    if state.shed.load(Ordering::Relaxed) {
        return Err(unavailable("Redis is nearly full"));
    }
    let server = &state.services.settings.server;
    let body = read_body(req, payload, server.body_limit_bytes, Duration::from_millis(server.body_timeout_ms))
        .await
        .map_err(unread)?;
    let query = token_in_query(req);
    let request = WebhookRequest {
        headers: PresentedHeaders::new(req.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes()))),
        query_token: query.as_deref(),
        body: &body,
        address: &address.to_string(),
        correlation_id: &correlation_id.0,
    };
    let outcome = intake::whaticket(&state.services, &tenant, &request).await.map_err(refused)?;
    Ok(Taken { tenant, outcome })
}

struct Taken {
    tenant: Arc<Tenant>,
    outcome: Outcome,
}

/// The company of the request: `X-Company-Domain`, if present, else Host. It only selects whose secret must verify.
pub(super) fn find_company(req: &HttpRequest, state: &WebhookState) -> Result<Arc<Tenant>, Refused> {
    let name =
        req.headers().get(&COMPANY_DOMAIN).or_else(|| req.headers().get(HOST)).and_then(|host| host.to_str().ok());
    let domain = name.map(plain_host).unwrap_or_default();
    match state.services.directory.by_domain(&domain) {
        Lookup::Found(tenant) => Ok(tenant),
        Lookup::Unknown => {
            let error = ApiError::webhook(StatusCode::NOT_FOUND, "unknown_tenant").closing();
            Err((WebhookStatus::CompanyNotFound, error))
        }
        Lookup::NotLoaded => Err(unavailable("the directory of companies is not loaded yet")),
    }
}

pub(super) fn json_only(req: &HttpRequest) -> Result<(), Refused> {
    let kind = req.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    let extended = || {
        let essence = essence.to_ascii_lowercase();
        essence.starts_with("application/") && essence.ends_with("+json")
    };
    if essence.eq_ignore_ascii_case("application/json") || extended() {
        return Ok(());
    }
    let error = ApiError::webhook(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type").closing();
    Err((WebhookStatus::Unsupported, error))
}

fn token_in_query(req: &HttpRequest) -> Option<String> {
    if req.query_string().is_empty() {
        return None;
    }
    url::form_urlencoded::parse(req.query_string().as_bytes())
        .find(|(name, _)| name == "token")
        .map(|(_, token)| token.into_owned())
}

pub(super) fn unread(error: BodyError) -> Refused {
    let (status, http, code) = match error {
        BodyError::TooLarge => (WebhookStatus::TooLarge, StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large"),
        BodyError::Timeout => (WebhookStatus::BadRequest, StatusCode::REQUEST_TIMEOUT, "timeout"),
        BodyError::Broken => (WebhookStatus::BadRequest, StatusCode::BAD_REQUEST, "invalid_payload"),
    };
    (status, ApiError::webhook(http, code).closing())
}

fn refused(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::Unauthorized(cause) => {
            let error = ApiError::webhook(StatusCode::UNAUTHORIZED, "unauthorized").because(cause);
            (WebhookStatus::Unauthorized, error)
        }
        Refusal::BadPayload { field } => {
            let error = ApiError::webhook(StatusCode::BAD_REQUEST, "invalid_payload");
            let error = match field {
                Some(field) => error.field(field),
                None => error,
            };
            (WebhookStatus::BadRequest, error)
        }
        Refusal::Unavailable(cause) => unavailable(&cause.to_string()),
    }
}

pub(super) fn unavailable(cause: &str) -> Refused {
    let error = ApiError::webhook(StatusCode::SERVICE_UNAVAILABLE, "unavailable")
        .retry_after(Duration::from_secs(5))
        .because(cause);
    (WebhookStatus::Unavailable, error)
}

/// 429 with `Retry-After` and the structured `RateLimit` fields of the IETF draft.
pub(super) fn limited(status: WebhookStatus, name: &str, wait: Duration, quota: u32) -> Refused {
    let seconds = wait.as_millis().div_ceil(1000).max(1);
    let window = if name == "number" { 60 } else { 1 };
    let error = ApiError::webhook(StatusCode::TOO_MANY_REQUESTS, "rate_limited")
        .retry_after(wait)
        .header(HeaderName::from_static("ratelimit"), &format!("\"{name}\";r=0;t={seconds}"))
        .header(HeaderName::from_static("ratelimit-policy"), &format!("\"{name}\";q={quota};w={window}"));
    (status, error)
}

/// The body of an answer that is no error.
#[derive(Default, Serialize)]
struct Answer<'a> {
    status: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    queued: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    job_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

impl<'a> Answer<'a> {
    fn of(status: &'a str) -> Self {
        Self { status, ..Self::default() }
    }
}

fn answer(state: &WebhookState, taken: Taken) -> (WebhookStatus, Result<HttpResponse, ApiError>) {
    let ok = |status, body: Answer<'_>| (status, Ok(HttpResponse::Ok().json(body)));
    let accepted = |body: Answer<'_>| (WebhookStatus::Accepted, Ok(HttpResponse::Accepted().json(body)));
    match taken.outcome {
        Outcome::Queued { job_id } => {
            accepted(Answer { queued: Some(true), job_id: Some(&job_id), ..Answer::of("queued") })
        }
        Outcome::DeadLettered => accepted(Answer::of("dead_lettered")),
        Outcome::Duplicate => ok(WebhookStatus::Duplicate, Answer::of("duplicate")),
        Outcome::Ignored(reason) => {
            ok(WebhookStatus::Ignored, Answer { reason: Some(reason), ..Answer::of("ignored") })
        }
        Outcome::Limited { limit, retry_ms } => {
            let wait = Duration::from_millis(retry_ms);
            let limits = &state.services.settings.limits;
            let (status, error) = match limit {
                Limit::Number => {
                    limited(WebhookStatus::RateLimitedNumber, "number", wait, taken.tenant.settings.number_per_minute)
                }
                Limit::Address => {
                    limited(WebhookStatus::RateLimitedIp, "address", wait, limits.company_address_per_second)
                }
            };
            (status, Err(error))
        }
    }
}
