//! What handlers of a company's API are given: who asks, and a body that names no other company.
//!
//! The company is the one of `Host`; its own token must come with the request. A query or a body that names another
//! company is refused as a whole: such a request was meant for somewhere else.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, HOST, WWW_AUTHENTICATE};
use actix_web::{FromRequest, HttpRequest, web};
use futures::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::webhooks::WebhookState;
use super::{ApiError, BodyError, read_body};
use crate::services::Services;
use crate::services::directory::Lookup;
use crate::tenant::Tenant;

/// Names by which a query or a body may say which company it means.
const COMPANY_FIELDS: [&str; 4] = ["company", "company_id", "companyId", "tenant"];

/// A request with the token of the company it is for.
pub struct Caller {
    /// The company.
    pub tenant: Arc<Tenant>,
    /// Who acts, for the audit trail.
    pub actor: &'static str,
    /// Use cases.
    pub services: Services,
}

impl Caller {
    fn of(req: &HttpRequest) -> Result<Self, ApiError> {
        let state = req
            .app_data::<web::Data<WebhookState>>()
            .ok_or_else(|| ApiError::internal("the API's state is not mounted"))?;
        let host = req.headers().get(HOST).and_then(|host| host.to_str().ok()).map(plain_host).unwrap_or_default();
        let tenant = match state.services.directory.by_domain(&host) {
            Lookup::Found(tenant) => tenant,
            Lookup::Unknown => return Err(ApiError::new(StatusCode::NOT_FOUND, "unknown_tenant").closing()),
            Lookup::NotLoaded => {
                return Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable")
                    .retry_after(Duration::from_secs(5))
                    .because("the directory of companies is not loaded yet"));
            }
        };
        tracing::Span::current().record("company", tenant.id().get());
        if !bearer(req).is_some_and(|token| tenant.secrets.api.accept(token)) {
            return Err(ApiError::new(StatusCode::UNAUTHORIZED, "unauthorized")
                .header(WWW_AUTHENTICATE, "Bearer")
                .closing());
        }
        let named = url::form_urlencoded::parse(req.query_string().as_bytes());
        if named.into_iter().any(|(name, value)| is_company_field(&name) && !names(&tenant, &value)) {
            return Err(another_company());
        }
        Ok(Self { tenant, actor: "api", services: state.services.clone() })
    }
}

impl FromRequest for Caller {
    type Error = ApiError;
    type Future = std::future::Ready<Result<Self, ApiError>>;

    fn from_request(req: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        std::future::ready(Self::of(req))
    }
}

/// The JSON body of a [`Caller`]'s request.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Body<T> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (req, payload) = (req.clone(), web::Payload::from_request(req, payload).into_inner());
        Box::pin(async move {
            let caller = Caller::of(&req)?;
            let payload = payload.map_err(|_| invalid("the body cannot be read"))?;
            let server = &caller.services.settings.server;
            let limit = Duration::from_millis(server.body_timeout_ms);
            let bytes = read_body(&req, payload, server.body_limit_bytes, limit).await.map_err(unread)?;
            let value: Value = serde_json::from_slice(&bytes).map_err(|error| invalid(&error.to_string()))?;
            let another =
                |field: &str| value.get(field).is_some_and(|named| !names(&caller.tenant, &plain_text(named)));
            if COMPANY_FIELDS.iter().any(|field| another(field)) {
                return Err(another_company());
            }
            serde_json::from_value(value).map(Self).map_err(|error| invalid(&error.to_string()))
        })
    }
}

fn unread(error: BodyError) -> ApiError {
    match error {
        BodyError::TooLarge => ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large").closing(),
        BodyError::Timeout => ApiError::new(StatusCode::REQUEST_TIMEOUT, "timeout").closing(),
        BodyError::Broken => invalid("the body broke off").closing(),
    }
}

/// A body that is not what the route takes. The detail is serde's: names of fields and types, never values of secrets.
fn invalid(detail: &str) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "invalid_payload").detail(detail)
}

fn another_company() -> ApiError {
    ApiError::new(StatusCode::FORBIDDEN, "another_company").closing()
}

fn is_company_field(name: &str) -> bool {
    COMPANY_FIELDS.contains(&name)
}

fn names(tenant: &Tenant, value: &str) -> bool {
    value == tenant.id().get().to_string() || *plain_host(value) == *tenant.company.domain
}

fn plain_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn bearer(req: &HttpRequest) -> Option<&str> {
    let value = req.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// A host as it is compared: lower case, without port and one trailing dot.
pub(super) fn plain_host(host: &str) -> Cow<'_, str> {
    let host = host.trim();
    let bare = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = bare.strip_suffix('.').unwrap_or(bare);
    if bare.bytes().any(|b| b.is_ascii_uppercase()) { bare.to_ascii_lowercase().into() } else { bare.into() }
}
