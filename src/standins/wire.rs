//! How answers of the stand-ins reach, or fail to reach, the client.

use std::any::Any;
use std::collections::BTreeMap;
use std::io;
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::time::Duration;

use actix_web::body::SizedStream;
use actix_web::dev::Extensions;
use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use futures::stream::{self, StreamExt as _};

use super::fault::{Fault, FaultKind, Provider};
use super::ledger::{Note, shown_headers};
use super::state::State;
use super::{gemini, openai};

/// Longest silence of a fault that never answers: far beyond any client's patience.
const SILENCE: Duration = Duration::from_secs(600);

/// A second handle on a connection's socket, to turn its close into a reset.
#[derive(Debug)]
struct Connection(TcpStream);

/// Keeps the handle with the connection; it is dropped with it.
pub(super) fn remember_connection(connection: &dyn Any, extensions: &mut Extensions) {
    let stream = connection.downcast_ref::<tokio::net::TcpStream>();
    if let Some(Ok(fd)) = stream.map(|stream| stream.as_fd().try_clone_to_owned()) {
        extensions.insert(Connection(TcpStream::from(fd)));
    }
}

/// An answer before trouble strikes.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub status: u16,
    pub content_type: &'static str,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
    /// Whether the deed was done.
    pub accepted: bool,
    pub external_id: Option<String>,
}

impl Answer {
    /// A JSON answer that did nothing; `accepted` is set by whoever did the deed.
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::new(status, "application/json; charset=utf-8", body.to_string())
    }

    /// Any answer.
    pub fn new(status: u16, content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, content_type, headers: BTreeMap::new(), body: body.into(), accepted: false, external_id: None }
    }

    fn respond(self) -> HttpResponse {
        let mut response = HttpResponse::build(status(self.status));
        if !self.content_type.is_empty() {
            response.content_type(self.content_type);
        }
        for header in self.headers {
            response.insert_header(header);
        }
        response.body(self.body)
    }
}

/// Decides, notes and answers one request: `deed` is the honest answer, `latency` what it takes to make it.
pub(super) async fn serve(
    state: &State,
    request: &HttpRequest,
    body: &Bytes,
    provider: Provider,
    company: Option<i64>,
    latency: Duration,
    deed: impl FnOnce() -> Answer,
) -> HttpResponse {
    let fault = state.faults.strike(provider, company, &format!("{} {}", request.method(), request.path()));
    let answer = match fault.as_ref().and_then(instead) {
        Some(answer) => answer,
        None => deed(),
    };
    let answer = match &fault {
        Some(fault) => disguise(fault, answer),
        None => answer,
    };
    let silent = [FaultKind::ResetBefore, FaultKind::ResetAfterAccept, FaultKind::SilentAfterAccept];
    let told = fault.as_ref().is_none_or(|fault| !silent.contains(&fault.kind));
    // Noted before the answer leaves: a judge that saw the answer must find the deed in the ledger.
    state.ledger.write(Note {
        at: state.clock.now(),
        provider,
        method: request.method().to_string(),
        path: request.path().to_owned(),
        company,
        headers: shown_headers(request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes()))),
        body: String::from_utf8_lossy(body).into_owned(),
        accepted: answer.accepted,
        status: told.then_some(answer.status),
        external_id: answer.external_id.clone(),
    });
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    match fault {
        Some(fault) => deliver(request, &fault, answer).await,
        None => answer.respond(),
    }
}

/// The answers of faults that keep the deed from being done. `None` where it is done.
fn instead(fault: &Fault) -> Option<Answer> {
    match fault.kind {
        FaultKind::ResetBefore => Some(Answer::new(200, "", "")),
        FaultKind::Html => Some(Answer::new(
            fault.status.unwrap_or(502),
            "text/html",
            "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><center><h1>502 Bad Gateway</h1></center>\
             <hr><center>nginx</center></body>\r\n</html>\r\n",
        )),
        FaultKind::Status => {
            let status = fault.status.unwrap_or(500);
            if fault.accept.unwrap_or((200..300).contains(&status)) { None } else { Some(scripted(fault)) }
        }
        _ => None,
    }
}

fn scripted(fault: &Fault) -> Answer {
    let status = fault.status.unwrap_or(500);
    let mut answer = match &fault.body {
        Some(serde_json::Value::String(text)) if text.trim_start().starts_with('<') => {
            Answer::new(status, "text/html", text.clone())
        }
        Some(serde_json::Value::String(text)) => Answer::new(status, "application/json", text.clone()),
        Some(json) => Answer::json(status, json),
        None => Answer::new(status, "", ""),
    };
    answer.headers = fault.headers.clone();
    match &fault.retry_after {
        Some(serde_json::Value::String(text)) => answer.headers.insert("retry-after".to_owned(), text.clone()),
        Some(number) => answer.headers.insert("retry-after".to_owned(), number.to_string()),
        None => None,
    };
    answer
}

/// What the client is told about a deed that was done.
fn disguise(fault: &Fault, deed: Answer) -> Answer {
    let told = match fault.kind {
        FaultKind::Status => scripted(fault),
        FaultKind::Garbage => Answer::new(200, "application/json", vec![0xFF, 0x00, b'{', 0xC3, 0x28, b'"', 0x9F]),
        FaultKind::Empty if fault.provider == Provider::Whaticket => Answer::new(200, "", ""),
        kind if deed.accepted => match trouble(fault.provider, kind) {
            Some(body) => Answer::json(200, &body),
            None => return deed,
        },
        _ => return deed,
    };
    Answer { accepted: deed.accepted, external_id: deed.external_id, ..told }
}

/// A model's own kinds of trouble.
fn trouble(provider: Provider, kind: FaultKind) -> Option<serde_json::Value> {
    match provider {
        Provider::Whaticket | Provider::CalCom => None,
        Provider::Gemini => gemini::trouble(kind),
        Provider::OpenAi => openai::trouble(kind),
    }
}

async fn deliver(request: &HttpRequest, fault: &Fault, answer: Answer) -> HttpResponse {
    match fault.kind {
        FaultKind::Delay => {
            tokio::time::sleep(Duration::from_millis(fault.delay_ms.unwrap_or(1_000))).await;
            answer.respond()
        }
        FaultKind::Drip => drip(answer, Duration::from_millis(fault.delay_ms.unwrap_or(50))),
        FaultKind::ResetBefore | FaultKind::ResetAfterAccept => {
            reset_on_close(request);
            // The stream breaks before the head was flushed, so not one byte leaves.
            broken(Bytes::new(), 1, Duration::ZERO)
        }
        FaultKind::SilentAfterAccept => {
            tokio::time::sleep(Duration::from_millis(fault.delay_ms.unwrap_or(u64::MAX)).min(SILENCE)).await;
            broken(Bytes::new(), 1, Duration::ZERO)
        }
        FaultKind::Truncated => {
            let promised = answer.body.len().max(2);
            let mut half = answer.body;
            half.truncate(promised / 2);
            // A breath between the two lets the first half be flushed.
            broken(Bytes::from(half), promised, Duration::from_millis(20))
        }
        _ => answer.respond(),
    }
}

fn drip(answer: Answer, pause: Duration) -> HttpResponse {
    let length = answer.body.len() as u64;
    let bytes = stream::iter(answer.body).then(move |byte| async move {
        tokio::time::sleep(pause).await;
        Ok::<_, io::Error>(Bytes::copy_from_slice(&[byte]))
    });
    HttpResponse::build(status(answer.status))
        .content_type(answer.content_type)
        .body(SizedStream::new(length, Box::pin(bytes)))
}

/// A 200 that promises `promised` bytes, gives `start` and then breaks the connection.
fn broken(start: Bytes, promised: usize, pause: Duration) -> HttpResponse {
    let first = stream::iter((!start.is_empty()).then_some(Ok(start)));
    let then = stream::once(async move {
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        Err(io::Error::from(io::ErrorKind::ConnectionReset))
    });
    HttpResponse::Ok().body(SizedStream::new(promised as u64, Box::pin(first.chain(then))))
}

/// Makes the coming close of this connection a TCP reset instead of an orderly end.
fn reset_on_close(request: &HttpRequest) {
    let handle = request.conn_data::<Connection>().and_then(|connection| connection.0.try_clone().ok());
    if let Some(Ok(stream)) = handle.map(tokio::net::TcpStream::from_std) {
        // Without the option the client sees an early end instead, which it must treat alike.
        let _ = stream.set_zero_linger();
    }
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
