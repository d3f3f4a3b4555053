//! Health and metrics: what every process shows about itself.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use actix_web::{HttpRequest, HttpResponse, web};
use futures::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::client_ip::ClientIp;
use super::{ApiError, Role};
use crate::telemetry::metrics::MetricsHandle;

/// A dependency that hangs must not make the probe hang.
const CHECK_TIMEOUT: Duration = Duration::from_secs(5);

/// Headers that say a proxy stands between: then loopback is the proxy, not the scraper.
const FORWARDING: [&str; 3] = ["x-forwarded-for", "forwarded", "x-real-ip"];

/// The state of one dependency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its name, e.g. `redis`.
    pub component: &'static str,
    /// Whether it answered as it should.
    pub ok: bool,
    /// Whether this process cannot do its work without it.
    pub required: bool,
    /// How long the answer took, milliseconds.
    pub latency_ms: u64,
    /// What else an operator wants to know, e.g. Redis' durability level. Public: no address, no credential.
    pub detail: String,
}

/// Looks at the dependencies of this process.
pub trait Checks: Send + Sync {
    /// Runs all checks.
    fn run(&self) -> BoxFuture<'_, Vec<Check>>;
}

/// What the routes of this module need.
#[derive(Clone)]
pub struct OpsState {
    /// What this process is there for.
    pub role: Role,
    /// Its metrics.
    pub metrics: MetricsHandle,
    /// Its dependencies.
    pub checks: Arc<dyn Checks>,
    /// Set at SIGTERM: from then on `/readyz` says 503, so that balancers look elsewhere.
    pub draining: Arc<AtomicBool>,
    /// Token of scrapers; empty = loopback only.
    pub metrics_token: SecretString,
}

/// Mounts all routes of the state's role, these ones among them.
pub fn configure(cfg: &mut web::ServiceConfig, state: OpsState) {
    let role = state.role;
    cfg.app_data(web::Data::new(state));
    super::mount(cfg, role);
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
    role: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Readiness {
    status: &'static str,
    role: &'static str,
    checks: Vec<Check>,
}

/// `GET /healthz`.
pub(super) async fn healthz(state: web::Data<OpsState>) -> HttpResponse {
    HttpResponse::Ok().json(Health { status: "ok", role: state.role.as_str(), version: env!("CARGO_PKG_VERSION") })
}

/// `GET /readyz`.
pub(super) async fn readyz(state: web::Data<OpsState>) -> HttpResponse {
    let checks = tokio::time::timeout(CHECK_TIMEOUT, state.checks.run()).await.unwrap_or_else(|_| {
        let latency_ms = u64::try_from(CHECK_TIMEOUT.as_millis()).unwrap_or(u64::MAX);
        let detail = "the checks did not end in time".to_owned();
        vec![Check { component: "checks", ok: false, required: true, latency_ms, detail }]
    });
    let status = if state.draining.load(Ordering::Acquire) {
        "draining"
    } else if checks.iter().any(|check| check.required && !check.ok) {
        "unavailable"
    } else if checks.iter().any(|check| !check.ok) {
        "degraded"
    } else {
        "ready"
    };
    let code = match status {
        "ready" | "degraded" => StatusCode::OK,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    HttpResponse::build(code).json(Readiness { status, role: state.role.as_str(), checks })
}

/// `GET /metrics`.
pub(super) async fn metrics(
    req: HttpRequest,
    client: ClientIp,
    state: web::Data<OpsState>,
) -> Result<HttpResponse, ApiError> {
    if !may_scrape(client.0, req.headers(), &state.metrics_token) {
        return Err(ApiError::new(StatusCode::FORBIDDEN, "forbidden"));
    }
    let handle = state.metrics.clone();
    let page = web::block(move || handle.render().to_string())
        .await
        .map_err(|error| ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable").caused_by(&error))?;
    Ok(HttpResponse::Ok().insert_header((CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")).body(page))
}

fn may_scrape(client: IpAddr, headers: &HeaderMap, token: &SecretString) -> bool {
    let forwarded = FORWARDING.iter().any(|name| headers.contains_key(*name));
    if client.is_loopback() && !forwarded {
        return true;
    }
    let given = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(bearer);
    match given {
        Some(given) if !token.expose_secret().is_empty() => same(given, token.expose_secret()),
        _ => false,
    }
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Compares digests, so that neither content nor length shows in the time taken.
fn same(given: &str, expected: &str) -> bool {
    Sha256::digest(given.as_bytes()).ct_eq(&Sha256::digest(expected.as_bytes())).into()
}
