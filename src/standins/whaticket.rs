//! Whaticket's send paths in three flavors.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web::{self, Bytes};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use super::fault::Provider;
use super::state::{State, company_of};
use super::wire::{Answer, serve};
use crate::clients::channel::whaticket::Flavor;

/// Numbers that begin like this have no WhatsApp: Brazil has no area code 00.
const NO_WHATSAPP_PREFIX: &str = "5500";

/// The send paths.
pub(super) fn routes(app: &mut web::ServiceConfig) {
    app.route("/whaticket/{company}/api/messages/send", web::post().to(send))
        .route("/api/messages/send", web::post().to(send))
        .route("/whaticket/{company}/api/v1/messages", web::post().to(send_hosted))
        .route("/api/v1/messages", web::post().to(send_hosted))
        .route("/whaticket/{company:\\d+}/public/{name}", web::get().to(media));
}

/// A file that a customer sent.
async fn media(state: web::Data<State>, request: HttpRequest, path: web::Path<(i64, String)>) -> HttpResponse {
    let (company, name) = path.into_inner();
    let deed = || match state.media(company, &name) {
        Some((content_type, bytes)) => Answer::new(200, content_type, bytes),
        None => Answer::new(404, "text/html", "<html>Not Found</html>"),
    };
    serve(&state, &request, &Bytes::new(), Provider::Whaticket, Some(company), Duration::ZERO, deed).await
}

async fn send(state: web::Data<State>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let company = company(&request);
    answer(state.into_inner(), request, body, company, None).await
}

async fn send_hosted(state: web::Data<State>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let company = company(&request);
    answer(state.into_inner(), request, body, company, Some(Flavor::Hosted)).await
}

async fn answer(
    state: Arc<State>,
    request: HttpRequest,
    body: Bytes,
    company: Option<i64>,
    flavor: Option<Flavor>,
) -> HttpResponse {
    let flavor = flavor.unwrap_or_else(|| state.flavor(company));
    let deed = || {
        let (answer, sent) = decide(&state, &request, &body, flavor);
        if let (Some(sent), Some(company)) = (sent, company) {
            echo(&state, company, sent);
        }
        answer
    };
    serve(&state, &request, &body, Provider::Whaticket, company, Duration::ZERO, deed).await
}

fn bearer(request: &HttpRequest) -> Option<&str> {
    request.headers().get("authorization")?.to_str().ok()?.strip_prefix("Bearer ")
}

fn company(request: &HttpRequest) -> Option<i64> {
    let path = || request.match_info().get("company")?.parse().ok();
    bearer(request).and_then(company_of).or_else(path)
}

/// A text that reached a phone.
struct Sent {
    to: String,
    text: String,
    id: String,
}

fn echo(state: &Arc<State>, company: i64, sent: Sent) {
    if state.echoes.is_on(company) {
        let state = Arc::clone(state);
        tokio::spawn(async move {
            // An echo that finds no webhook is lost, as the real ones are.
            let _ = state.echoes.send(company, &sent.to, &sent.text, &sent.id).await;
        });
    }
}

/// Why a text was not sent.
enum Refusal {
    NoToken,
    WrongToken,
    NoNumber,
    NumberNotText,
    BadNumber,
    NoWhatsapp,
    NoBody,
    BadTemplate,
    NoConnection,
    /// The multipart trap: 200, and nothing is sent.
    NothingToSend,
}

fn decide(state: &State, request: &HttpRequest, body: &[u8], flavor: Flavor) -> (Answer, Option<Sent>) {
    match read(request, body, flavor) {
        Err(refusal) => (refuse(&refusal, flavor), None),
        Ok((to, text)) => {
            let id = state.message_id();
            let mut answer = accept(flavor, &id);
            answer.accepted = true;
            answer.external_id = Some(id.clone());
            (answer, Some(Sent { to, text, id }))
        }
    }
}

fn accept(flavor: Flavor, id: &str) -> Answer {
    match flavor {
        Flavor::Community => Answer::new(200, "", ""),
        Flavor::Saas => Answer::json(200, &json!({"mensagem": "Mensagem enviada", "messageId": id})),
        Flavor::Hosted => Answer::json(200, &json!({"id": id})),
    }
}

fn read(request: &HttpRequest, body: &[u8], flavor: Flavor) -> Result<(String, String), Refusal> {
    let token = bearer(request).ok_or(Refusal::NoToken)?;
    company_of(token).ok_or(Refusal::WrongToken)?;
    if !request.headers().get("content-type").is_some_and(|kind| kind.as_bytes().starts_with(b"application/json")) {
        return Err(Refusal::NothingToSend);
    }
    let body: Value = serde_json::from_slice(body).map_err(|_| Refusal::NoBody)?;
    let message = match flavor {
        Flavor::Hosted => {
            body.get("whatsappId").and_then(Value::as_str).ok_or(Refusal::NoConnection)?;
            body.pointer("/messages/0").ok_or(Refusal::NoBody)?
        }
        Flavor::Community | Flavor::Saas => {
            if body.get("whatsappId").is_some_and(|id| !id.is_i64()) {
                return Err(Refusal::NoConnection);
            }
            &body
        }
    };
    let to = number(message.get("number"), flavor)?;
    let text = message.get("body").and_then(Value::as_str).filter(|text| !text.is_empty()).ok_or(Refusal::NoBody)?;
    let text = if flavor == Flavor::Hosted { text.to_owned() } else { mustache(text).ok_or(Refusal::BadTemplate)? };
    Ok((to, text))
}

fn number(number: Option<&Value>, flavor: Flavor) -> Result<String, Refusal> {
    let number = match number {
        None | Some(Value::Null) => return Err(Refusal::NoNumber),
        Some(number) => number.as_str().ok_or(Refusal::NumberNotText)?,
    };
    let cleaned = number.replacen('-', "", 1).replacen(' ', "", 1);
    let hidden = flavor == Flavor::Saas && cleaned.strip_suffix("@lid").is_some_and(all_digits);
    if !hidden && !all_digits(&cleaned) {
        return Err(Refusal::BadNumber);
    }
    if cleaned.starts_with(NO_WHATSAPP_PREFIX) { Err(Refusal::NoWhatsapp) } else { Ok(cleaned) }
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// What Mustache makes of a text: `{{name}}` becomes the contact's name, other tags vanish, an open tag is an error.
fn mustache(text: &str) -> Option<String> {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, tail)) = rest.split_once("{{") {
        let (tag, after) = tail.split_once("}}")?;
        shown.push_str(before);
        if tag.trim() == "name" {
            shown.push_str("Contato");
        }
        rest = after;
    }
    shown.push_str(rest);
    Some(shown)
}

fn refuse(refusal: &Refusal, flavor: Flavor) -> Answer {
    match flavor {
        Flavor::Community => refuse_community(refusal),
        Flavor::Saas => refuse_saas(refusal),
        Flavor::Hosted => refuse_hosted(refusal),
    }
}

fn refuse_community(refusal: &Refusal) -> Answer {
    let (status, error) = match refusal {
        Refusal::NoToken => (401, "ERR_SESSION_EXPIRED"),
        Refusal::WrongToken => (403, "Invalid token. We'll try to assign a new one on next request"),
        Refusal::BadNumber => (400, "Invalid number format. Only numbers is allowed."),
        Refusal::NoWhatsapp => (400, "ERR_WAPP_INVALID_CONTACT"),
        Refusal::BadTemplate => (400, "ERR_SENDING_WAPP_MSG"),
        Refusal::NothingToSend => return Answer::new(200, "", ""),
        Refusal::NoNumber | Refusal::NumberNotText | Refusal::NoBody | Refusal::NoConnection => {
            (500, "Internal server error")
        }
    };
    Answer::json(status, &json!({"error": error}))
}

fn refuse_saas(refusal: &Refusal) -> Answer {
    let (status, error) = match refusal {
        Refusal::NoToken | Refusal::WrongToken => (401, "Acesso não permitido"),
        Refusal::NoNumber => (400, "O número é obrigatório"),
        Refusal::NoWhatsapp | Refusal::BadNumber => (400, "ERR_WAPP_INVALID_CONTACT"),
        Refusal::NoBody | Refusal::NoConnection => (400, "Não foi possível realizar a operação"),
        Refusal::BadTemplate => (400, "Não foi possível enviar a mensagem, tente novamente em alguns instantes"),
        Refusal::NumberNotText => (500, "ERR_INTERNAL_ERROR"),
        Refusal::NothingToSend => return Answer::json(200, &json!({"mensagem": "Mensagem enviada"})),
    };
    Answer::json(status, &json!({"error": error}))
}

fn refuse_hosted(refusal: &Refusal) -> Answer {
    let (status, text) = match refusal {
        Refusal::NoToken | Refusal::WrongToken => (401, "Unauthorized"),
        Refusal::NoNumber | Refusal::NumberNotText | Refusal::BadNumber | Refusal::NoWhatsapp => {
            return Answer::json(400, &json!({"error": "invalid number"}));
        }
        _ => return Answer::json(400, &json!({"error": "invalid request"})),
    };
    Answer::new(status, "application/xml", format!("<?xml version=\"1.0\"?><error><message>{text}</message></error>"))
}
