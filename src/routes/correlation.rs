//! The correlation id: one name for everything that follows from one request, from the first log line to the last.

use std::sync::Arc;

use actix_web::http::header::{HeaderMap, HeaderName};
use uuid::Uuid;

/// Header the id is answered in, and first of those it is taken from.
pub const HEADER: &str = "x-correlation-id";

/// [`HEADER`], and the others an id is taken from, as names that need no reading.
pub(super) static NAME: HeaderName = HeaderName::from_static(HEADER);
static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
static TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");

tokio::task_local! {
    static CURRENT: CorrelationId;
}

/// A well-formed correlation id. Clones share the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorrelationId(pub Arc<str>);

impl CorrelationId {
    /// The sender's own id from `X-Correlation-ID`, `X-Request-ID` or the trace id of `traceparent` (W3C Trace
    /// Context), the first that is well-formed; else a new UUIDv7. Never an error: a bad id is no reason to lose a message.
    pub fn of(headers: &HeaderMap) -> Self {
        let header = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let own = [&NAME, &REQUEST_ID].into_iter().filter_map(header).find(|id| well_formed(id));
        match own.or_else(|| header(&TRACE_PARENT).and_then(trace_id)) {
            Some(id) => Self(id.into()),
            None => Self((&*Uuid::now_v7().hyphenated().encode_lower(&mut Uuid::encode_buffer())).into()),
        }
    }

    /// The id of the request being served, when there is one.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }

    /// Makes this id the current one while `future` runs.
    pub async fn scope<F: Future>(self, future: F) -> F::Output {
        CURRENT.scope(self, future).await
    }
}

/// 8 to 128 letters, digits, `.`, `_`, `:`, `-`: nothing that could end a header or a log line.
pub fn well_formed(id: &str) -> bool {
    (8..=128).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b':' | b'-'))
}

fn trace_id(traceparent: &str) -> Option<&str> {
    let mut parts = traceparent.trim().split('-');
    let (version, trace, _span, _flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let hex = |text: &str, length: usize| text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let valid = hex(version, 2) && version != "ff" && hex(trace, 32) && trace.bytes().any(|byte| byte != b'0');
    valid.then_some(trace)
}

impl actix_web::FromRequest for CorrelationId {
    type Error = super::ApiError;
    type Future = std::future::Ready<Result<Self, Self::Error>>;

    fn from_request(req: &actix_web::HttpRequest, _payload: &mut actix_web::dev::Payload) -> Self::Future {
        use actix_web::HttpMessage;
        let id = req.extensions().get::<super::middleware::Known>().map(|known| known.id.clone());
        std::future::ready(
            id.ok_or_else(|| super::ApiError::internal("the middleware that gives correlation ids is not mounted")),
        )
    }
}
