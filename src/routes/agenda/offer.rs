//! What can be booked and when: services, professionals, hours.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{actor, pick};
use crate::config::company::CompanySettings;
use crate::domain::hours::{OpeningHours, parse_own};
use crate::domain::knowledge::facts::{Fact, FactKind};
use crate::models::tenant::catalog::Item;
use crate::routes::ApiError;
use crate::routes::correlation::CorrelationId;
use crate::routes::extract::{Body, Caller};
use crate::services::agenda::catalogue::{self, Given};
use crate::services::agenda::hours::{self, HoursError};
use crate::services::provisioning::ProvisionError;

/// A service as it is given.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenService {
    name: String,
    #[serde(default)]
    text: String,
    price_cents: Option<i64>,
    #[serde(default)]
    price_from: bool,
    duration_minutes: Option<i32>,
    capacity: Option<i32>,
    active: Option<bool>,
    event_type: Option<i64>,
    buffer_before_minutes: Option<u16>,
    buffer_after_minutes: Option<u16>,
    hours: Option<String>,
}

/// Services to be kept.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenServices {
    services: Vec<GivenService>,
}

/// A professional as they are given.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenProfessional {
    name: String,
    #[serde(default)]
    text: String,
    capacity: Option<i32>,
    active: Option<bool>,
    services: Option<Vec<String>>,
    event_type: Option<i64>,
    #[serde(default)]
    event_types: Map<String, Value>,
    hours: Option<String>,
    days: Option<String>,
}

/// Professionals to be kept.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenProfessionals {
    professionals: Vec<GivenProfessional>,
}

/// Hours to be kept; what is left out stays.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenHours {
    opening: Option<String>,
    holidays: Option<String>,
    national_holidays: Option<bool>,
}

fn invalid(field: String, problem: String) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "invalid_payload").field(field).detail(problem)
}

/// `GET /api/agenda/services`.
pub async fn services(caller: Caller) -> Result<HttpResponse, ApiError> {
    let items = catalogue::of_kind(&caller.tenant, FactKind::Service).await?;
    Ok(HttpResponse::Ok().json(json!({ "services": items.iter().map(shown).collect::<Vec<_>>() })))
}

/// `GET /api/agenda/professionals`.
pub async fn professionals(caller: Caller) -> Result<HttpResponse, ApiError> {
    let items = catalogue::of_kind(&caller.tenant, FactKind::Professional).await?;
    Ok(HttpResponse::Ok().json(json!({ "professionals": items.iter().map(shown).collect::<Vec<_>>() })))
}

fn shown(item: &Item) -> Value {
    let fact = &item.fact;
    let mut one = json!({
        "id": item.id, "name": fact.name, "text": fact.text, "capacity": fact.capacity, "active": fact.active,
        "updated_at": item.updated_at,
    });
    if let Some(one) = one.as_object_mut() {
        if fact.kind == FactKind::Service {
            one.insert("price_cents".to_owned(), json!(fact.price_cents));
            one.insert("price_from".to_owned(), json!(fact.price_from));
            one.insert("duration_minutes".to_owned(), json!(fact.duration_min));
        }
        for (name, value) in item.data.get("agenda").and_then(Value::as_object).into_iter().flatten() {
            one.insert(name.clone(), value.clone());
        }
    }
    one
}

/// `PUT /api/agenda/services`.
pub async fn put_services(
    caller: Caller,
    correlation: CorrelationId,
    Body(given): Body<GivenServices>,
) -> Result<HttpResponse, ApiError> {
    let mut kept: Vec<Given> = Vec::new();
    for (at, one) in given.services.into_iter().enumerate() {
        let place = format!("services[{at}]");
        let mut agenda = Map::new();
        let mut put = |name: &str, value: Value| {
            if !value.is_null() {
                agenda.insert(name.to_owned(), value);
            }
        };
        put("event_type", json!(one.event_type));
        put("buffer_before_minutes", json!(one.buffer_before_minutes));
        put("buffer_after_minutes", json!(one.buffer_after_minutes));
        put("hours", json!(readable(&place, one.hours)?));
        let fact = Fact {
            text: one.text,
            price_cents: one.price_cents,
            price_from: one.price_from,
            duration_min: one.duration_minutes,
            capacity: one.capacity.unwrap_or(1),
            active: one.active.unwrap_or(true),
            ..Fact::new(FactKind::Service, one.name)
        };
        kept.push((fact.checked().map_err(|problem| invalid(place, problem))?, Some(Value::Object(agenda))));
    }
    catalogue::put(&caller.services, &caller.tenant, &kept, &actor(&caller, &correlation)).await?;
    services(caller).await
}

/// `PUT /api/agenda/professionals`.
pub async fn put_professionals(
    caller: Caller,
    correlation: CorrelationId,
    Body(given): Body<GivenProfessionals>,
) -> Result<HttpResponse, ApiError> {
    let services = catalogue::of_kind(&caller.tenant, FactKind::Service).await?;
    let named = || services.iter().map(|item| (item.id, item.fact.name.as_str()));
    let one_of = |name: &str| pick("service", Some(name), named());
    let mut kept: Vec<Given> = Vec::new();
    for (at, one) in given.professionals.into_iter().enumerate() {
        let place = format!("professionals[{at}]");
        let mut agenda = Map::new();
        if let Some(names) = &one.services {
            let ids: Vec<Uuid> =
                names.iter().map(|name| one_of(name)).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
            agenda.insert("services".to_owned(), json!(ids));
        }
        let mut event_types = Map::new();
        for (name, number) in &one.event_types {
            let number =
                number.as_i64().ok_or_else(|| invalid(place.clone(), "event_types holds numbers".to_owned()))?;
            if let Some(id) = one_of(name)? {
                event_types.insert(id.to_string(), json!(number));
            }
        }
        if !event_types.is_empty() {
            agenda.insert("event_types".to_owned(), Value::Object(event_types));
        }
        if let Some(number) = one.event_type {
            agenda.insert("event_type".to_owned(), json!(number));
        }
        if let Some(hours) = readable(&place, one.hours)? {
            agenda.insert("hours".to_owned(), json!(hours));
        }
        if let Some(days) = one.days.filter(|days| !days.trim().is_empty()) {
            parse_own(&days).map_err(|error| invalid(place.clone(), error.to_string()))?;
            agenda.insert("days".to_owned(), json!(days));
        }
        let fact = Fact {
            text: one.text,
            capacity: one.capacity.unwrap_or(1),
            active: one.active.unwrap_or(true),
            ..Fact::new(FactKind::Professional, one.name)
        };
        kept.push((fact.checked().map_err(|problem| invalid(place, problem))?, Some(Value::Object(agenda))));
    }
    catalogue::put(&caller.services, &caller.tenant, &kept, &actor(&caller, &correlation)).await?;
    professionals(caller).await
}

/// Hours that can be read, or none.
fn readable(place: &str, hours: Option<String>) -> Result<Option<String>, ApiError> {
    let hours = hours.filter(|hours| !hours.trim().is_empty());
    if let Some(hours) = &hours {
        OpeningHours::parse(hours).map_err(|error| invalid(place.to_owned(), error.to_string()))?;
    }
    Ok(hours)
}

/// `GET /api/agenda/hours`.
pub async fn hours(caller: Caller) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(shown_hours(&caller.tenant.settings)))
}

fn shown_hours(settings: &CompanySettings) -> Value {
    let hours = &settings.hours;
    let opening = hours.known.then(|| hours.business.opening.to_string());
    json!({
        "timezone": settings.timezone.name(), "opening": opening, "national_holidays": hours.business.national,
        "own_days": hours.business.own.len(),
    })
}

/// `PUT /api/agenda/hours`.
pub async fn put_hours(
    caller: Caller,
    correlation: CorrelationId,
    Body(given): Body<GivenHours>,
) -> Result<HttpResponse, ApiError> {
    let values = [
        ("hours.opening", given.opening),
        ("hours.holidays", given.holidays),
        ("hours.national_holidays", given.national_holidays.map(|national| national.to_string())),
    ];
    let values: Vec<(&'static str, String)> =
        values.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
    let actor = actor(&caller, &correlation);
    let changed = hours::set(&caller.services, &caller.tenant, values, &actor).await?;
    let settings = caller.services.directory.by_id(caller.tenant.id());
    let mut body = shown_hours(settings.as_ref().map_or(&caller.tenant.settings, |tenant| &tenant.settings));
    if let Some(body) = body.as_object_mut() {
        body.insert("changed".to_owned(), json!(changed));
    }
    Ok(HttpResponse::Ok().json(body))
}

impl From<HoursError> for ApiError {
    fn from(error: HoursError) -> Self {
        match error {
            HoursError::NotHere => Self::new(StatusCode::SERVICE_UNAVAILABLE, "needs_command_line").detail(
                "this process may not change settings: use `secretaria provision set COMPANY --set 'hours.opening=seg-sex 8h-18h'`, \
                 or start it with DATABASE_ADMIN_URL",
            ),
            HoursError::Provision(ProvisionError::Invalid(problem)) => {
                Self::new(StatusCode::BAD_REQUEST, "invalid_payload").detail(problem)
            }
            HoursError::Provision(ProvisionError::Service(error)) => error.into(),
            HoursError::Provision(error) => Self::internal(error),
        }
    }
}
