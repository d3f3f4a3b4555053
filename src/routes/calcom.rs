//! Cal.com's callbacks. The same order of checks as with every webhook: company → content type and size → flood →
//! signature → body.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;
use tokio::time::Instant;

use super::client_ip::ClientIp;
use super::correlation::CorrelationId;
use super::webhooks::{Refused, WebhookState, find_company, json_only, limited, unavailable, unread};
use super::{ApiError, read_body};
use crate::services::agenda::callbacks::{self, Refusal, SIGNATURE_HEADER, Taken};
use crate::telemetry::metrics::{self, CompanyLabel, WebhookStatus};

/// `POST /webhook/calcom`, and `/api/agenda/webhook/cal` as v2.4 had it.
pub async fn callback(
    req: HttpRequest,
    payload: web::Payload,
    state: web::Data<WebhookState>,
    ClientIp(address): ClientIp,
    correlation_id: CorrelationId,
) -> Result<HttpResponse, ApiError> {
    let begun = Instant::now();
    let mut company = None;
    let peer = req.peer_addr().map_or(address, |peer| peer.ip());
    let result = take(&req, payload, &state, peer, &correlation_id, &mut company).await;
    let (status, answer) = match result {
        Ok(Taken::Received) => (WebhookStatus::Accepted, Ok(HttpResponse::Ok().json(json!({"status": "received"})))),
        Ok(Taken::Ignored(reason)) => {
            let body = json!({"status": "ignored", "reason": reason});
            (WebhookStatus::Ignored, Ok(HttpResponse::Ok().json(body)))
        }
        Err((status, error)) => (status, Err(error)),
    };
    metrics::webhook_received(company.as_ref(), status);
    metrics::webhook_latency(company.as_ref(), begun.elapsed());
    answer
}

async fn take(
    req: &HttpRequest,
    payload: web::Payload,
    state: &WebhookState,
    peer: std::net::IpAddr,
    correlation_id: &CorrelationId,
    company: &mut Option<CompanyLabel>,
) -> Result<Taken, Refused> {
    let tenant = find_company(req, state)?;
    *company = Some(tenant.label.clone());
    tracing::Span::current().record("company", tenant.id().get());
    json_only(req)?;
    let server = &state.services.settings.server;
    let flood = server.peer_flood_per_second;
    state.flood.check(peer).map_err(|wait| limited(WebhookStatus::RateLimitedIp, "peer", wait, flood))?;
    let body = read_body(req, payload, server.body_limit_bytes, Duration::from_millis(server.body_timeout_ms))
        .await
        .map_err(unread)?;
    let signature = signature(req)?;
    callbacks::take(&state.services, &tenant, signature, &body, &correlation_id.0).await.map_err(refused)
}

/// The signature; two different ones are none.
fn signature(req: &HttpRequest) -> Result<Option<&str>, Refused> {
    let mut given = req.headers().get_all(SIGNATURE_HEADER).filter_map(|value| value.to_str().ok());
    let first = given.next();
    if given.any(|other| Some(other) != first) {
        return Err(refused(Refusal::Unauthorized("repeated_header")));
    }
    Ok(first)
}

fn refused(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::Unauthorized(cause) => {
            let error = ApiError::webhook(StatusCode::UNAUTHORIZED, "unauthorized").because(cause);
            (WebhookStatus::Unauthorized, error)
        }
        Refusal::BadPayload(field) => {
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
