//! The stand-ins' own levers: ledger, faults, echoes, the model's persona.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::fault::Fault;
use super::persona::Persona;
use super::state::State;

/// The routes of the levers.
pub(super) fn routes(app: &mut web::ServiceConfig) {
    app.route("/_ledger", web::get().to(ledger))
        .route("/_faults", web::get().to(faults))
        .route("/_faults", web::post().to(add_faults))
        .route("/_faults", web::delete().to(clear_faults))
        .route("/_persona", web::post().to(persona))
        .route("/_echo", web::post().to(echo));
}

#[derive(Deserialize)]
struct Since {
    #[serde(default)]
    since: u64,
}

async fn ledger(state: web::Data<State>, query: web::Query<Since>) -> HttpResponse {
    let mut lines = String::new();
    for entry in state.ledger.since(query.since) {
        if let Ok(line) = serde_json::to_string(&entry) {
            lines.push_str(&line);
            lines.push('\n');
        }
    }
    HttpResponse::Ok().content_type("application/x-ndjson").body(lines)
}

async fn faults(state: web::Data<State>) -> HttpResponse {
    HttpResponse::Ok().json(state.faults.list())
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    Many(Vec<Value>),
    One(Value),
}

async fn add_faults(state: web::Data<State>, body: web::Bytes) -> HttpResponse {
    let read = serde_json::from_slice(&body).and_then(|body| match body {
        OneOrMany::One(fault) => Ok(vec![serde_json::from_value::<Fault>(fault)?]),
        OneOrMany::Many(faults) => faults.into_iter().map(serde_json::from_value).collect(),
    });
    match read {
        Ok(faults) => {
            faults.into_iter().for_each(|fault| state.faults.add(fault));
            HttpResponse::Ok().json(state.faults.list())
        }
        Err(error) => HttpResponse::BadRequest().json(json!({"error": error.to_string()})),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PersonaOrder {
    persona: Persona,
}

async fn persona(state: web::Data<State>, body: web::Bytes) -> HttpResponse {
    match serde_json::from_slice::<PersonaOrder>(&body) {
        Ok(order) => {
            state.set_persona(order.persona);
            HttpResponse::Ok().json(json!({"persona": order.persona}))
        }
        Err(error) => HttpResponse::BadRequest().json(json!({"error": error.to_string()})),
    }
}

async fn clear_faults(state: web::Data<State>) -> HttpResponse {
    state.faults.clear();
    HttpResponse::NoContent().finish()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EchoOrder {
    company: i64,
    #[serde(default)]
    on: Option<bool>,
    #[serde(default)]
    send: Option<EchoText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EchoText {
    to: String,
    text: String,
    /// The message id; a new one when absent.
    #[serde(default)]
    id: Option<String>,
}

async fn echo(state: web::Data<State>, body: web::Bytes) -> HttpResponse {
    let order: EchoOrder = match serde_json::from_slice(&body) {
        Ok(order) => order,
        Err(error) => return HttpResponse::BadRequest().json(json!({"error": error.to_string()})),
    };
    if !state.echoes.knows(order.company) {
        return HttpResponse::NotFound().json(json!({"error": "this company was not registered here"}));
    }
    if let Some(on) = order.on {
        state.echoes.set(order.company, on);
    }
    let Some(send) = order.send else { return HttpResponse::Ok().json(json!({"ok": true})) };
    let id = send.id.unwrap_or_else(|| state.message_id());
    match state.echoes.send(order.company, &send.to, &send.text, &id).await {
        Ok(status) => HttpResponse::Ok().json(json!({"ok": true, "id": id, "webhook_status": status})),
        Err(error) => HttpResponse::BadGateway().json(json!({"error": error})),
    }
}
