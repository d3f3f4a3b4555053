//! What a company tells its customers: entries and typed facts, written and tried by its own people and programs.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::ApiError;
use super::correlation::CorrelationId;
use super::extract::{Body, Caller};
use crate::domain::knowledge::facts::{Fact, FactKind};
use crate::domain::knowledge::{Draft, LineError, Validity, markdown, table};
use crate::models::tenant::catalog::Item;
use crate::models::tenant::knowledge::Entry;
use crate::services::audit::Actor;
use crate::services::knowledge::{self, ChangeError, Saved};

/// Most problems of a file that are told at once.
const PROBLEMS_MAX: usize = 50;

/// An entry as it is given.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenEntry {
    title: String,
    text: String,
    valid_from: Option<NaiveDate>,
    valid_to: Option<NaiveDate>,
}

/// Entries to be kept.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenEntries {
    entries: Vec<GivenEntry>,
}

/// A fact as it is given.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenFact {
    kind: FactKind,
    name: String,
    #[serde(default)]
    text: String,
    price_cents: Option<i64>,
    #[serde(default)]
    price_from: bool,
    currency: Option<String>,
    duration_min: Option<i32>,
    capacity: Option<i32>,
    active: Option<bool>,
}

/// Facts to be kept.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenFacts {
    facts: Vec<GivenFact>,
}

/// A file to be read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// `markdown` or `csv`.
    format: Format,
    content: String,
    #[serde(default)]
    source: String,
    #[serde(default)]
    dry_run: bool,
}

/// How a file is written.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Headings are titles.
    Markdown,
    /// A table.
    Csv,
}

/// A question to be tried.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tried {
    question: String,
}

/// `GET /api/knowledge`.
pub async fn entries(caller: Caller) -> Result<HttpResponse, ApiError> {
    let entries = knowledge::entries(&caller.tenant).await?;
    Ok(HttpResponse::Ok().json(json!({ "entries": entries.iter().map(shown_entry).collect::<Vec<_>>() })))
}

/// `PUT /api/knowledge`.
pub async fn put_entries(
    caller: Caller,
    correlation: CorrelationId,
    Body(given): Body<GivenEntries>,
) -> Result<HttpResponse, ApiError> {
    let read = |(at, entry)| draft(entry).map_err(|problem| invalid(&format!("entries[{at}]"), problem));
    let drafts = given.entries.into_iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()?;
    keep_entries(&caller, &correlation, (&drafts, caller.actor, None), false).await
}

/// `PUT /api/knowledge/{id}`.
pub async fn put_entry(
    caller: Caller,
    Id(id): Id,
    correlation: CorrelationId,
    Body(given): Body<GivenEntry>,
) -> Result<HttpResponse, ApiError> {
    let draft = draft(given).map_err(|problem| invalid("entry", problem))?;
    keep_entries(&caller, &correlation, (&[draft], caller.actor, Some(id)), false).await
}

/// `GET /api/knowledge/{id}`.
pub async fn entry(caller: Caller, Id(id): Id) -> Result<HttpResponse, ApiError> {
    let entry = knowledge::entry(&caller.tenant, id).await?.ok_or_else(not_found)?;
    Ok(HttpResponse::Ok().json(shown_entry(&entry)))
}

/// `DELETE /api/knowledge/{id}`.
pub async fn remove_entry(caller: Caller, Id(id): Id, correlation: CorrelationId) -> Result<HttpResponse, ApiError> {
    let actor = Actor::api(caller.actor, &*correlation.0);
    knowledge::remove_entries(&caller.services, &caller.tenant, &[id], &actor).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// `POST /api/knowledge/import`.
pub async fn import_entries(
    caller: Caller,
    correlation: CorrelationId,
    Body(file): Body<Import>,
) -> Result<HttpResponse, ApiError> {
    let read = match file.format {
        Format::Markdown => markdown::parse(&file.content),
        Format::Csv => table::entries(&file.content),
    };
    let drafts: Vec<Draft> = read.map_err(|errors| unreadable(&errors))?.into_iter().map(|(_, draft)| draft).collect();
    let source = if file.source.is_empty() { caller.actor } else { &file.source };
    keep_entries(&caller, &correlation, (&drafts, source, None), file.dry_run).await
}

/// `POST /api/knowledge/search`.
pub async fn search(caller: Caller, Body(tried): Body<Tried>) -> Result<HttpResponse, ApiError> {
    let now = caller.services.clock.now();
    let recall = knowledge::recall(&caller.services, &caller.tenant, &tried.question, now).await?;
    let answer = json!({ "found": recall.found, "entries": recall.entries, "facts": recall.services });
    Ok(HttpResponse::Ok().json(answer))
}

/// `GET /api/catalog`.
pub async fn facts(caller: Caller) -> Result<HttpResponse, ApiError> {
    let items = knowledge::facts(&caller.tenant).await?;
    Ok(HttpResponse::Ok().json(json!({ "facts": items.iter().map(shown_fact).collect::<Vec<_>>() })))
}

/// `GET /api/catalog/{id}`.
pub async fn one_fact(caller: Caller, Id(id): Id) -> Result<HttpResponse, ApiError> {
    let item = knowledge::fact(&caller.tenant, id).await?.ok_or_else(not_found)?;
    Ok(HttpResponse::Ok().json(shown_fact(&item)))
}

/// `PUT /api/catalog`.
pub async fn put_facts(
    caller: Caller,
    correlation: CorrelationId,
    Body(given): Body<GivenFacts>,
) -> Result<HttpResponse, ApiError> {
    let read = |(at, one)| fact(one).map_err(|problem| invalid(&format!("facts[{at}]"), problem));
    let facts = given.facts.into_iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()?;
    keep_facts(&caller, &correlation, (&facts, None), false).await
}

/// `PUT /api/catalog/{id}`.
pub async fn put_fact(
    caller: Caller,
    Id(id): Id,
    correlation: CorrelationId,
    Body(given): Body<GivenFact>,
) -> Result<HttpResponse, ApiError> {
    let fact = fact(given).map_err(|problem| invalid("fact", problem))?;
    keep_facts(&caller, &correlation, (&[fact], Some(id)), false).await
}

/// `DELETE /api/catalog/{id}`.
pub async fn remove_fact(caller: Caller, Id(id): Id, correlation: CorrelationId) -> Result<HttpResponse, ApiError> {
    let actor = Actor::api(caller.actor, &*correlation.0);
    knowledge::remove_facts(&caller.services, &caller.tenant, &[id], &actor).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// `POST /api/catalog/import`.
pub async fn import_facts(
    caller: Caller,
    correlation: CorrelationId,
    Body(file): Body<Import>,
) -> Result<HttpResponse, ApiError> {
    if file.format != Format::Csv {
        return Err(invalid("format", "facts are read from a table: csv".to_owned()));
    }
    let read = table::facts(&file.content).map_err(|errors| unreadable(&errors))?;
    let facts: Vec<Fact> = read.into_iter().map(|(_, fact)| fact).collect();
    keep_facts(&caller, &correlation, (&facts, None), file.dry_run).await
}

async fn keep_entries(
    caller: &Caller,
    correlation: &CorrelationId,
    what: (&[Draft], &str, Option<Uuid>),
    dry_run: bool,
) -> Result<HttpResponse, ApiError> {
    let actor = Actor::api(caller.actor, &*correlation.0);
    let saved = knowledge::put_entries(&caller.services, &caller.tenant, what, &actor, dry_run).await?;
    Ok(answer(saved, dry_run))
}

async fn keep_facts(
    caller: &Caller,
    correlation: &CorrelationId,
    what: (&[Fact], Option<Uuid>),
    dry_run: bool,
) -> Result<HttpResponse, ApiError> {
    let actor = Actor::api(caller.actor, &*correlation.0);
    let saved = knowledge::put_facts(&caller.services, &caller.tenant, what, &actor, dry_run).await?;
    Ok(answer(saved, dry_run))
}

fn answer(saved: Saved, dry_run: bool) -> HttpResponse {
    let Saved { added, replaced, unchanged } = saved;
    HttpResponse::Ok().json(json!({ "added": added, "replaced": replaced, "unchanged": unchanged, "dry_run": dry_run }))
}

fn draft(given: GivenEntry) -> Result<Draft, String> {
    let validity = Validity { from: given.valid_from, to: given.valid_to };
    Draft { title: given.title, body: given.text, validity }.checked()
}

fn fact(given: GivenFact) -> Result<Fact, String> {
    Fact {
        text: given.text,
        price_cents: given.price_cents,
        price_from: given.price_from,
        currency: given.currency.unwrap_or_else(|| "BRL".to_owned()),
        duration_min: given.duration_min,
        capacity: given.capacity.unwrap_or(1),
        active: given.active.unwrap_or(true),
        ..Fact::new(given.kind, given.name)
    }
    .checked()
}

fn shown_entry(entry: &Entry) -> Value {
    let Draft { title, body, validity } = &entry.draft;
    json!({
        "id": entry.id, "title": title, "text": body, "source": entry.source,
        "valid_from": validity.from, "valid_to": validity.to, "updated_at": entry.updated_at,
    })
}

fn shown_fact(item: &Item) -> Value {
    let fact = &item.fact;
    json!({
        "id": item.id, "kind": fact.kind, "name": fact.name, "text": fact.text, "price_cents": fact.price_cents,
        "price_from": fact.price_from, "currency": fact.currency, "duration_min": fact.duration_min,
        "capacity": fact.capacity, "active": fact.active, "line": fact.line(), "updated_at": item.updated_at,
    })
}

/// The id in the path. What is no id is the id of nothing: that is said before the body is read.
pub struct Id(pub Uuid);

impl FromRequest for Id {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(req: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(req.match_info().get("id").and_then(|id| id.parse().ok()).map(Self).ok_or_else(not_found))
    }
}

fn not_found() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "not_found")
}

fn invalid(field: &str, problem: String) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "invalid_payload").field(field).detail(problem)
}

fn unreadable(errors: &[LineError]) -> ApiError {
    let lines: Vec<String> = errors.iter().take(PROBLEMS_MAX).map(LineError::to_string).collect();
    invalid("content", lines.join("\n"))
}

impl From<ChangeError> for ApiError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Refused(sentence) => Self::new(StatusCode::CONFLICT, "refused").detail(sentence),
            ChangeError::NotFound(_) => not_found(),
            ChangeError::Service(error) => error.into(),
        }
    }
}
