//! Building a server, and reading a body within bounds of size and time.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{Server, ServiceRequest};
use actix_web::http::header::CONTENT_LENGTH;
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, Bytes, BytesMut};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use futures::StreamExt;

use super::client_ip::TrustedProxies;
use super::error::ApiError;
use super::middleware::{Surface, around};
use crate::config::ServerSettings;

/// Builds and starts a server on a bound listener. The returned value runs it when awaited; its handle stops it.
/// Signals are the caller's business. `configure` mounts routes and state; it runs once a thread.
///
/// # Errors
/// A sentence, when a trusted proxy cannot be read or the listener cannot be used.
pub fn server<F>(listener: TcpListener, settings: &ServerSettings, configure: F) -> Result<Server, String>
where
    F: Fn(&mut web::ServiceConfig) + Send + Clone + 'static,
{
    let surface = Arc::new(Surface {
        header_limit: settings.header_limit_bytes,
        proxies: TrustedProxies::parse(&settings.trusted_proxies)?,
    });
    let threads = match settings.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        n => n,
    };
    // A request in flight may still wait for its body, and a little more for its answer.
    let shutdown = settings.body_timeout_ms.div_ceil(1000) + 2;
    let app = move || {
        let surface = Arc::clone(&surface);
        App::new()
            .wrap(from_fn(move |req: ServiceRequest, next: Next<_>| {
                let surface = Arc::clone(&surface);
                async move { around(&surface, req, next).await }
            }))
            .configure(configure.clone())
            .default_service(web::to(not_found))
    };
    let server = HttpServer::new(app)
        .workers(threads)
        // actix counts connections by thread.
        .max_connections(settings.max_connections.div_ceil(threads).max(1))
        .client_request_timeout(Duration::from_millis(settings.header_timeout_ms))
        .keep_alive(Duration::from_millis(settings.keep_alive_ms))
        .shutdown_timeout(shutdown)
        .disable_signals()
        .listen(listener)
        .map_err(|error| format!("the listener cannot be used: {error}"))?;
    Ok(server.run())
}

async fn not_found(req: HttpRequest) -> Result<HttpResponse, ApiError> {
    Err(ApiError::not_found(req.path()))
}

/// Why a body could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// More bytes than allowed, announced or sent.
    #[error("the body is too large")]
    TooLarge,
    /// It did not arrive in time.
    #[error("the body did not arrive in time")]
    Timeout,
    /// The connection broke, or its framing or length is wrong.
    #[error("the body broke off")]
    Broken,
}

/// Reads a whole body of at most `limit` bytes within `timeout`. A body announced as larger is refused unread. After
/// an error the answer should close the connection ([`ApiError::closing`]).
///
/// # Errors
/// [`BodyError`].
pub async fn read_body(
    req: &HttpRequest,
    payload: web::Payload,
    limit: usize,
    timeout: Duration,
) -> Result<Bytes, BodyError> {
    if let Some(announced) = req.headers().get(CONTENT_LENGTH) {
        let length = announced.to_str().ok().and_then(|text| text.parse::<u64>().ok()).ok_or(BodyError::Broken)?;
        if usize::try_from(length).map_or(true, |length| length > limit) {
            return Err(BodyError::TooLarge);
        }
    }
    tokio::time::timeout(timeout, collect(payload, limit)).await.map_err(|_| BodyError::Timeout)?
}

async fn collect(mut payload: web::Payload, limit: usize) -> Result<Bytes, BodyError> {
    let mut next = async || payload.next().await.transpose().map_err(|_| BodyError::Broken);
    let first = next().await?.unwrap_or_default();
    if first.len() > limit {
        return Err(BodyError::TooLarge);
    }
    // Nearly every body comes whole.
    let Some(second) = next().await? else { return Ok(first) };
    let mut body = BytesMut::from(first);
    let mut more = Some(second);
    while let Some(chunk) = more {
        if body.len() + chunk.len() > limit {
            return Err(BodyError::TooLarge);
        }
        body.extend_from_slice(&chunk);
        more = next().await?;
    }
    Ok(body.freeze())
}
