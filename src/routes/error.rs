//! The one error of the HTTP surface.
//!
//! A client learns a code and the correlation id; causes go to the log, once, in the middleware that sees every answer.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use actix_web::{HttpResponse, ResponseError};
use serde_json::{Map, Value};

use super::correlation::CorrelationId;
use crate::services::ServiceError;
use crate::telemetry::logging::error_chain;
use crate::tenant::StoreError;

/// How the body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    /// Problem details, RFC 9457.
    Problem,
    /// `{"error": code}`, as senders of webhooks know it.
    Webhook,
}

/// An answer that refuses or reports a failure.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    code: &'static str,
    style: Style,
    field: Option<Box<str>>,
    detail: Option<Box<str>>,
    headers: Vec<(HeaderName, HeaderValue)>,
    cause: Option<String>,
    close: bool,
    /// Members of problem details that this code has beside the common ones.
    more: Option<Box<Map<String, Value>>>,
}

impl ApiError {
    /// An error with problem details. `code` is for machines: lower case, underscores.
    pub fn new(status: StatusCode, code: &'static str) -> Self {
        Self {
            status,
            code,
            style: Style::Problem,
            field: None,
            detail: None,
            headers: Vec::new(),
            cause: None,
            close: false,
            more: None,
        }
    }

    /// An error as senders of webhooks know it: `{"error": code}` and nothing that tells one cause from another.
    pub fn webhook(status: StatusCode, code: &'static str) -> Self {
        Self { style: Style::Webhook, ..Self::new(status, code) }
    }

    /// A failure of our own.
    pub fn internal(cause: impl fmt::Display) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal").because(cause)
    }

    /// No route has this path.
    pub(super) fn not_found(path: &str) -> Self {
        Self::for_path(path, StatusCode::NOT_FOUND, "not_found")
    }

    /// The path is known, the method is not.
    pub(super) fn method_not_allowed(path: &str) -> Self {
        Self::for_path(path, StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed")
    }

    /// An error in the style that the path's callers expect.
    pub(super) fn for_path(path: &str, status: StatusCode, code: &'static str) -> Self {
        if path.contains("/webhook/") { Self::webhook(status, code) } else { Self::new(status, code) }
    }

    /// Names the field of the request that is at fault: a name from our own schema, never text of the request.
    #[must_use]
    pub fn field(mut self, name: impl Into<String>) -> Self {
        self.field = Some(name.into().into_boxed_str());
        self
    }

    /// A sentence for whoever wrote the request: what is wrong and what is allowed. No text of other people in it.
    #[must_use]
    pub fn detail(mut self, sentence: impl Into<String>) -> Self {
        self.detail = Some(sentence.into().into_boxed_str());
        self
    }

    /// Adds a member to the problem details: data from our own schema that helps to mend the request.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: Value) -> Self {
        self.more.get_or_insert_default().insert(name.to_owned(), value);
        self
    }

    /// Says when to come again, rounded up to whole seconds, at least one.
    #[must_use]
    pub fn retry_after(self, wait: Duration) -> Self {
        let seconds = wait.as_millis().div_ceil(1000).max(1);
        self.header(RETRY_AFTER, &seconds.to_string())
    }

    /// Adds a header. A value that no header can hold is left out.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    /// Keeps the reason for the log. No phone, name, text or credential may be in it.
    #[must_use]
    pub fn because(mut self, cause: impl fmt::Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    /// Keeps an error with its causes for the log.
    #[must_use]
    pub fn caused_by(self, error: &dyn Error) -> Self {
        let chain = error_chain(error);
        self.because(chain)
    }

    /// Closes the connection after the answer: for requests whose body was not read.
    #[must_use]
    pub fn closing(mut self) -> Self {
        self.close = true;
        self
    }

    /// The code for machines.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The reason for the log.
    pub fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    fn body(&self) -> Value {
        let mut body = Map::new();
        match self.style {
            Style::Webhook => {
                body.insert("error".into(), self.code.into());
            }
            Style::Problem => {
                body.insert("type".into(), "about:blank".into());
                body.insert("title".into(), self.status.canonical_reason().unwrap_or("Error").into());
                body.insert("status".into(), self.status.as_u16().into());
                body.insert("code".into(), self.code.into());
                body.extend(self.more.as_deref().cloned().unwrap_or_default());
                if let Some(id) = CorrelationId::current() {
                    body.insert("correlation_id".into(), (&*id.0).into());
                }
            }
        }
        if let (Style::Problem, Some(detail)) = (self.style, &self.detail) {
            body.insert("detail".into(), (&**detail).into());
        }
        if let Some(field) = &self.field {
            body.insert("field".into(), (&**field).into());
        }
        body.into()
    }
}

impl From<ServiceError> for ApiError {
    fn from(error: ServiceError) -> Self {
        match &error {
            ServiceError::NotFound(_) => Self::new(StatusCode::NOT_FOUND, "not_found").because(&error),
            ServiceError::Store(StoreError::Unavailable { .. } | StoreError::NotMigrated { .. }) => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable")
                    .retry_after(Duration::from_secs(5))
                    .caused_by(&error)
            }
            ServiceError::Store(StoreError::Conflict { .. }) => {
                Self::new(StatusCode::CONFLICT, "conflict").caused_by(&error)
            }
            _ => Self::internal(error_chain(&error)),
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status.as_u16(), self.code)
    }
}

impl Error for ApiError {}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let kind = match self.style {
            Style::Problem => "application/problem+json",
            Style::Webhook => "application/json",
        };
        let mut response = HttpResponse::build(self.status);
        response.insert_header((CONTENT_TYPE, kind));
        for (name, value) in &self.headers {
            response.append_header((name.clone(), value.clone()));
        }
        if self.close {
            response.force_close();
        }
        response.body(self.body().to_string())
    }
}
