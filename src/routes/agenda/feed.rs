//! The company's appointments as other calendar programs subscribe to them.

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HOST};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::json;
use subtle::ConstantTimeEq;

use super::not_found;
use crate::routes::ApiError;
use crate::routes::extract::{Caller, plain_host};
use crate::routes::webhooks::WebhookState;
use crate::services::Services;
use crate::services::agenda::feed;
use crate::services::directory::Lookup;
use crate::tenant::Tenant;

/// What the token is for.
const PURPOSE: &str = "agenda.feed";

/// The credential: calendar programs can send no header.
#[derive(Deserialize)]
pub struct Token {
    token: Option<String>,
}

fn token_of(services: &Services, tenant: &Tenant) -> String {
    services.directory.token(tenant.id(), PURPOSE)
}

/// `GET /api/agenda/feed`: where the feed is.
pub async fn address(caller: Caller) -> Result<HttpResponse, ApiError> {
    let token = token_of(&caller.services, &caller.tenant);
    let path = format!("/api/agenda/feed.ics?token={token}");
    let url = format!("https://{}{path}", caller.tenant.company.domain);
    Ok(HttpResponse::Ok().json(json!({ "url": url, "path": path })))
}

/// `GET /api/agenda/feed.ics`. Whatever is wrong is not found: nothing tells a wrong token from a wrong company.
pub async fn show(req: HttpRequest, asked: web::Query<Token>) -> Result<HttpResponse, ApiError> {
    let state = req
        .app_data::<web::Data<WebhookState>>()
        .ok_or_else(|| ApiError::internal("the API's state is not mounted"))?;
    let services = &state.services;
    let host = req.headers().get(HOST).and_then(|host| host.to_str().ok()).map(plain_host).unwrap_or_default();
    let tenant = match services.directory.by_domain(&host) {
        Lookup::Found(tenant) => tenant,
        Lookup::Unknown => return Err(not_found()),
        Lookup::NotLoaded => {
            return Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable")
                .retry_after(std::time::Duration::from_secs(5)));
        }
    };
    let given = asked.token.as_deref().unwrap_or_default();
    let right = token_of(services, &tenant);
    if right.is_empty() || !bool::from(given.as_bytes().ct_eq(right.as_bytes())) {
        return Err(not_found());
    }
    let text = feed::text(&tenant, services.clock.now()).await?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/calendar; charset=utf-8"))
        .insert_header((CACHE_CONTROL, "private, max-age=300"))
        .body(text))
}
