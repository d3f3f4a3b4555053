//! The one outgoing HTTP client.
//!
//! It knows nothing of providers. Its one hard duty is to tell "surely not sent" from "may have happened": only the
//! phases before the first byte of a request (name, connection, TLS) are provably harmless. Everything later is
//! [`WireErrorKind::Unknown`], also a kept-alive connection that turned out dead: the peer may have read the request and
//! died. (The pool itself moves a request to a fresh connection when it can prove that not one byte was written.)

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::{Instant, timeout_at};

use super::guard::{self, PublicNames};
use super::hints::{self, redact};
use super::timely::{TimelyBody, TooLate};
use super::{WireError, WireErrorKind};
use crate::clock::Clock;
use crate::telemetry::logging::error_chain;

/// Answers longer than this are cut, in bytes.
pub const BODY_LIMIT: usize = 1024 * 1024;

/// Idle connections are given up before the peer does it: Node's servers, which most Whaticket installations are, close
/// after 5 s, and a request written into that moment is an ambiguous one.
const POOL_IDLE: Duration = Duration::from_secs(4);

/// Headers whose value is a credential; marked, so that no `Debug` of a request shows them.
const SECRET_HEADERS: [&str; 4] = ["authorization", "x-goog-api-key", "apikey", "x-webhook-token"];

/// The one outgoing HTTP client: pooled connections, no redirects, bounded bodies. Clones share the pool.
#[derive(Clone, Debug)]
pub struct HttpClient {
    inner: reqwest::Client,
    clock: Clock,
    guarded: bool,
}

/// Why a body ended before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyCut {
    /// Longer than the limit.
    Limit,
    /// The time for the call ran out while the body trickled in.
    Timeout,
    /// The connection broke.
    Reset,
}

/// What came back: a status line at least. The body may be cut, because a 2xx status already tells that the call was
/// accepted, however its body ends.
#[derive(Clone, Debug)]
pub struct HttpAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The body's bytes, at most the limit asked for.
    pub body: Vec<u8>,
    /// Why the body is incomplete, when it is.
    pub cut: Option<BodyCut>,
    headers: HeaderMap,
    received_at: DateTime<Utc>,
}

impl HttpAnswer {
    /// A header's value, when present and plain text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// How long the provider asks to wait: `retry-after-ms`, else `Retry-After`. A date is measured against the answer's
    /// own `Date`, so that a skewed clock on either side does not matter; without one, against our clock.
    pub fn retry_after(&self) -> Option<Duration> {
        if let Some(wait) = self.header("retry-after-ms").and_then(hints::retry_after_ms) {
            return Some(wait);
        }
        let date = self.header("date").and_then(|date| DateTime::parse_from_rfc2822(date).ok());
        let now = date.map_or(self.received_at, |date| date.with_timezone(&Utc));
        self.header("retry-after").and_then(|value| hints::retry_after(value, now))
    }

    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body as text, wrong bytes replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The error that this answer means; of its body only what names an error is kept.
    pub fn error(&self, kind: WireErrorKind, code: &'static str) -> WireError {
        WireError {
            kind,
            status: Some(self.status),
            retry_after: self.retry_after(),
            code,
            detail: hints::error_names(&self.text()),
        }
    }
}

impl HttpClient {
    /// A client whose connections must stand (name, TCP, TLS) within `connect_timeout`. Errors say why TLS could not be
    /// set up.
    pub fn new(connect_timeout: Duration) -> Result<Self, String> {
        Self::with(|| builder(connect_timeout))
    }

    /// A client for addresses that strangers name: it connects to the public Internet only, whatever a name resolves to,
    /// and over TLS only. (The check is made on the very address that is then connected to, so a name that changes its
    /// mind in between gains nothing.)
    pub fn guarded(connect_timeout: Duration) -> Result<Self, String> {
        let guarded = || builder(connect_timeout).dns_resolver(Arc::new(PublicNames)).https_only(true);
        Ok(Self { guarded: true, ..Self::with(guarded)? })
    }

    fn with(builder: impl Fn() -> reqwest::ClientBuilder) -> Result<Self, String> {
        // Fails only when a provider stands already, which is just as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let inner = match builder().build() {
            Ok(client) => client,
            // No certificates in the operating system (a scratch image): the bundled ones of Mozilla serve.
            Err(_) => builder()
                .tls_backend_preconfigured(bundled_tls())
                .build()
                .map_err(|error| format!("the HTTP client cannot be set up: {}", error_chain(&error)))?,
        };
        Ok(Self { inner, clock: Clock::new(), guarded: false })
    }

    /// The same client reading `clock`, which matters for `Retry-After` dates only.
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Posts a JSON body. `total` bounds the whole call; at most `limit` bytes of the answer are kept. A header value
    /// that HTTP cannot carry is a configuration error, and nothing is sent.
    pub async fn post_json(
        &self,
        url: &str,
        headers: &[(&'static str, &str)],
        body: Vec<u8>,
        total: Duration,
        limit: usize,
    ) -> Result<HttpAnswer, WireError> {
        self.post(url, headers, ("application/json", body), total, limit).await
    }

    /// Posts a body of any type, with the same rules as [`HttpClient::post_json`].
    pub async fn post(
        &self,
        url: &str,
        headers: &[(&'static str, &str)],
        (content_type, body): (&str, Vec<u8>),
        total: Duration,
        limit: usize,
    ) -> Result<HttpAnswer, WireError> {
        let mut all = vec![("content-type", content_type)];
        all.extend_from_slice(headers);
        self.run(self.inner.post(url).headers(header_map(&all)?).body(body), total, limit).await
    }

    /// [`HttpClient::post_json`], but no byte leaves after `not_after`: then the error is `too_late`, and surely nothing
    /// was sent.
    pub async fn post_json_in_time(
        &self,
        url: &str,
        headers: &[(&'static str, &str)],
        body: Vec<u8>,
        (not_after, total): (Instant, Duration),
        limit: usize,
    ) -> Result<HttpAnswer, WireError> {
        let mut headers = header_map(headers)?;
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        let body = reqwest::Body::wrap(TimelyBody::new(body, not_after));
        self.run(self.inner.post(url).headers(headers).body(body), total, limit).await
    }

    /// Gets a resource, with the same rules as [`HttpClient::post_json`].
    pub async fn get(
        &self,
        url: &str,
        headers: &[(&'static str, &str)],
        total: Duration,
        limit: usize,
    ) -> Result<HttpAnswer, WireError> {
        self.run(self.inner.get(url).headers(header_map(headers)?), total, limit).await
    }

    /// Posts without a body, with the same rules as [`HttpClient::post_json`].
    pub async fn post_nothing(
        &self,
        url: &str,
        headers: &[(&'static str, &str)],
        total: Duration,
        limit: usize,
    ) -> Result<HttpAnswer, WireError> {
        self.run(self.inner.post(url).headers(header_map(headers)?), total, limit).await
    }

    /// Deletes a resource, with the same rules as [`HttpClient::post_json`].
    pub async fn delete(
        &self,
        url: &str,
        headers: &[(&'static str, &str)],
        total: Duration,
        limit: usize,
    ) -> Result<HttpAnswer, WireError> {
        self.run(self.inner.delete(url).headers(header_map(headers)?), total, limit).await
    }

    async fn run(
        &self,
        request: reqwest::RequestBuilder,
        total: Duration,
        limit: usize,
    ) -> Result<HttpAnswer, WireError> {
        let deadline = Instant::now() + total;
        let request = request.build().map_err(|error| classify(&error.without_url()))?;
        if self.guarded && !guard::may_ask(request.url()) {
            return Err(transport(WireErrorKind::Invalid, "forbidden_url", "not a public https address"));
        }
        let Ok(response) = timeout_at(deadline, self.inner.execute(request)).await else {
            return Err(transport(WireErrorKind::Unknown, "timeout", "no answer in time"));
        };
        let mut response = response.map_err(|error| classify(&error.without_url()))?;
        let mut answer = HttpAnswer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: Vec::new(),
            cut: None,
            received_at: self.clock.now(),
        };
        answer.cut = read_body(&mut response, &mut answer.body, deadline, limit).await;
        Ok(answer)
    }
}

/// What every client shares, whatever certificates it trusts.
fn builder(connect_timeout: Duration) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("secretaria/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(connect_timeout)
        .pool_idle_timeout(POOL_IDLE)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
}

/// TLS with the bundled roots.
fn bundled_tls() -> rustls::ClientConfig {
    let roots = Arc::new(rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() });
    let mut tls = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    tls
}

fn header_map(headers: &[(&'static str, &str)]) -> Result<HeaderMap, WireError> {
    let mut map = HeaderMap::with_capacity(headers.len() + 1);
    for &(name, value) in headers {
        let Ok(mut value) = HeaderValue::from_str(value) else {
            // The value itself may be the secret, so only the name is told.
            return Err(transport(WireErrorKind::Auth, "bad_header", &format!("{name} cannot be a header value")));
        };
        value.set_sensitive(SECRET_HEADERS.contains(&name));
        map.insert(HeaderName::from_static(name), value);
    }
    Ok(map)
}

async fn read_body(
    response: &mut reqwest::Response,
    body: &mut Vec<u8>,
    deadline: Instant,
    limit: usize,
) -> Option<BodyCut> {
    loop {
        match timeout_at(deadline, response.chunk()).await {
            Err(_) => return Some(BodyCut::Timeout),
            Ok(Err(_)) => return Some(BodyCut::Reset),
            Ok(Ok(None)) => return None,
            Ok(Ok(Some(chunk))) => {
                let room = limit.saturating_sub(body.len());
                body.extend(chunk.iter().take(room));
                if chunk.len() > room {
                    return Some(BodyCut::Limit);
                }
            }
        }
    }
}

fn classify(error: &reqwest::Error) -> WireError {
    let detail = error_chain(error);
    if error.is_builder() {
        return transport(WireErrorKind::Auth, "bad_url", &detail);
    }
    if comes_from::<TooLate>(error) {
        return transport(WireErrorKind::Unavailable, "too_late", &detail);
    }
    if error.is_connect() {
        let code = if error.is_dns() {
            "dns"
        } else if is_tls(error) {
            "tls"
        } else {
            "connect"
        };
        return transport(WireErrorKind::Unavailable, code, &detail);
    }
    let code = if error.is_timeout() { "timeout" } else { "reset" };
    transport(WireErrorKind::Unknown, code, &detail)
}

fn comes_from<E: std::error::Error + 'static>(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.is::<E>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Whether the handshake failed: rustls hides its errors inside nested `io::Error`s, which do not show them as sources.
fn is_tls(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.is::<rustls::Error>() {
            return true;
        }
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        cause = match inner {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    false
}

fn transport(kind: WireErrorKind, code: &'static str, detail: &str) -> WireError {
    WireError { kind, status: None, retry_after: None, code, detail: redact(detail, &[]) }
}
