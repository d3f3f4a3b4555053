//! What happens around every request: the checks of its head, its correlation id, its span, its metrics, and the
//! headers of its answer.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;

use actix_web::HttpMessage;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{HOST, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use tokio::time::Instant;
use tracing::{Instrument, Span, field};

use super::client_ip::{ClientIp, TrustedProxies};
use super::correlation::{self, CorrelationId};
use super::error::ApiError;
use crate::telemetry::metrics::{self, StatusClass};

/// The headers of every answer. A handler that sets one of them itself is overruled, except for those of [`DEFAULTS`].
static SECURITY: LazyLock<[(HeaderName, HeaderValue); 7]> = LazyLock::new(|| {
    [
        fixed("x-content-type-options", "nosniff"),
        fixed("x-frame-options", "DENY"),
        fixed("referrer-policy", "no-referrer"),
        fixed("strict-transport-security", "max-age=31536000; includeSubDomains"),
        fixed("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
        fixed("cross-origin-opener-policy", "same-origin"),
        fixed("cross-origin-resource-policy", "same-origin"),
    ]
});

/// Headers a handler may choose by itself, and what they are otherwise.
static DEFAULTS: LazyLock<[(HeaderName, HeaderValue); 2]> = LazyLock::new(|| {
    [
        fixed("cache-control", "no-store"),
        fixed(
            "content-security-policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
             form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
        ),
    ]
});

fn fixed(name: &'static str, value: &'static str) -> (HeaderName, HeaderValue) {
    (HeaderName::from_static(name), HeaderValue::from_static(value))
}

/// Paths that probes, scrapers and open pages ask every few seconds: their spans are for debugging only.
const QUIET: [&str; 4] = ["/healthz", "/readyz", "/metrics", "/simulador"];

fn is_quiet(path: &str) -> bool {
    QUIET.iter().any(|quiet| path.strip_prefix(quiet).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

/// What the middleware needs to know.
#[derive(Debug)]
pub(super) struct Surface {
    /// Largest sum of header names and values, bytes.
    pub(super) header_limit: usize,
    /// Whose word about a client's address is believed.
    pub(super) proxies: TrustedProxies,
}

/// What the middleware found out about a request, for handlers.
pub(super) struct Known {
    /// Its correlation id.
    pub(super) id: CorrelationId,
    /// Whose it is.
    pub(super) client: ClientIp,
}

/// Wraps every request of a server.
pub(super) async fn around<B: MessageBody + 'static>(
    surface: &Surface,
    req: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let began = Instant::now();
    let id = CorrelationId::of(req.headers());
    let peer = req.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
    let client = ClientIp(surface.proxies.client(peer, req.headers()));
    req.extensions_mut().insert(Known { id: id.clone(), client });

    let span = span(&req, &id);
    let answer = async {
        let response = match check_head(surface, &req) {
            Ok(()) => next.call(req).await?.map_into_boxed_body(),
            Err(error) => req.error_response(error),
        };
        report(&response, began);
        Ok::<_, actix_web::Error>(response)
    };
    let mut response = id.clone().scope(answer.instrument(span)).await?;
    dress(response.headers_mut(), &id);
    Ok(response)
}

fn span(req: &ServiceRequest, id: &CorrelationId) -> Span {
    let (id, method) = (&*id.0, req.method().as_str());
    // Neither path nor query: a token or a phone number may be in them.
    if is_quiet(req.path()) {
        tracing::debug_span!("request", correlation_id = id, method, route = field::Empty, status = field::Empty)
    } else {
        tracing::info_span!(
            "request",
            correlation_id = id,
            method,
            company = field::Empty,
            route = field::Empty,
            status = field::Empty
        )
    }
}

/// Refuses heads that proxies and we could read differently, and heads too large. Two `Host` headers, or none in
/// HTTP/1.1, never come this far with actix-http as it is: its parser answers them with a bare 400.
fn check_head(surface: &Surface, req: &ServiceRequest) -> Result<(), ApiError> {
    let refuse = |code| Err(ApiError::for_path(req.path(), StatusCode::BAD_REQUEST, code).closing());
    let headers = req.headers();
    let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if size > surface.header_limit {
        let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        return Err(ApiError::for_path(req.path(), status, "headers_too_large").closing());
    }
    let mut hosts = headers.get_all(HOST);
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return refuse("bad_host") };
    let Ok(host) = host.to_str() else { return refuse("bad_host") };
    let other = req.uri().authority().is_some_and(|authority| !authority.as_str().eq_ignore_ascii_case(host));
    if host.is_empty() || other { refuse("bad_host") } else { Ok(()) }
}

/// Counts the request, fills its span and logs a failure, once.
fn report(response: &ServiceResponse<BoxBody>, began: Instant) {
    let status = response.status();
    let route = response.request().match_pattern().map_or(Cow::Borrowed("unmatched"), Cow::Owned);
    // Both at once: each recording may mean writing the span's fields anew.
    tracing::record_all!(Span::current(), route = &*route, status = status.as_u16());
    if let Some(error) = response.response().error() {
        log_failure(&route, status, error);
    }
    metrics::http_request_duration(route, StatusClass::of(status.as_u16()), began.elapsed());
}

fn log_failure(route: &str, status: StatusCode, error: &actix_web::Error) {
    let known = error.as_error::<ApiError>();
    let code = known.map_or("unnamed", ApiError::code);
    let cause = known.and_then(ApiError::cause).unwrap_or("none given");
    if status.is_server_error() {
        tracing::error!(route, status = status.as_u16(), code, cause, "a request failed");
    } else {
        tracing::debug!(route, status = status.as_u16(), code, cause, "a request was refused");
    }
}

fn dress(headers: &mut HeaderMap, id: &CorrelationId) {
    headers.reserve(SECURITY.len() + DEFAULTS.len() + 1);
    for (name, value) in SECURITY.iter() {
        headers.insert(name.clone(), value.clone());
    }
    for (name, value) in DEFAULTS.iter() {
        if !headers.contains_key(name) {
            headers.insert(name.clone(), value.clone());
        }
    }
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        headers.insert(correlation::NAME.clone(), value);
    }
}
