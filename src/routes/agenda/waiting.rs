//! Who waits for a time to become free.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{LIST_MAX, actor, given, not_found, offer_of, payload_error, pick, query_error};
use crate::domain::phone::Phone;
use crate::models::tenant::waitlist::{CANCELLED, DECLINED, EXPIRED, OFFERED, TAKEN, WAITING, WaitRow};
use crate::routes::ApiError;
use crate::routes::correlation::CorrelationId;
use crate::routes::extract::{Body, Caller};
use crate::routes::knowledge::Id;
use crate::services::agenda::{front, waitlist};
use crate::services::audit;

/// Which are wanted.
#[derive(Deserialize)]
pub struct Wanted {
    state: Option<String>,
}

/// `GET /api/agenda/waitlist`.
pub async fn list(caller: Caller, wanted: web::Query<Wanted>) -> Result<HttpResponse, ApiError> {
    let state = wanted.state.as_deref().filter(|state| !state.is_empty());
    if state.is_some_and(|state| ![WAITING, OFFERED, TAKEN, DECLINED, EXPIRED, CANCELLED].contains(&state)) {
        return Err(query_error("state", "waiting, offered, taken, declined, expired or cancelled"));
    }
    let rows = waitlist::list(&caller.tenant, state, LIST_MAX).await?;
    Ok(HttpResponse::Ok().json(json!({ "waitlist": rows.iter().map(shown).collect::<Vec<_>>() })))
}

fn shown(row: &WaitRow) -> Value {
    json!({
        "id": row.id, "person_id": row.person_id, "conversation_id": row.conversation_id, "service_id": row.service_id,
        "professional_id": row.professional_id, "earliest": row.earliest, "latest": row.latest, "state": row.state,
        "offered_appointment_id": row.offered_id, "offered_until": row.offered_until, "offers": row.offers,
        "created_at": row.created_at, "updated_at": row.updated_at,
    })
}

/// Somebody who is to wait.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Joining {
    person_id: Option<Uuid>,
    phone: Option<String>,
    service: Option<String>,
    professional: Option<String>,
    earliest: Option<String>,
    latest: String,
}

/// `POST /api/agenda/waitlist`.
pub async fn join(
    caller: Caller,
    correlation: CorrelationId,
    Body(joining): Body<Joining>,
) -> Result<HttpResponse, ApiError> {
    let (tenant, zone) = (&caller.tenant, caller.tenant.settings.timezone);
    let now = caller.services.clock.now();
    let earliest = joining.earliest.as_deref().map(|text| given("earliest", text, zone)).transpose()?.unwrap_or(now);
    let latest = given("latest", &joining.latest, zone)?;
    if latest <= now || latest <= earliest {
        let error = ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "in_the_past").field("latest");
        return Err(error.detail("`latest` is after `earliest` and still to come"));
    }
    let phone = match joining.phone.as_deref() {
        Some(typed) => Some(
            Phone::typed(typed)
                .ok_or_else(|| payload_error("phone", "a telephone number with area code, such as +5511987654321"))?,
        ),
        None if joining.person_id.is_none() => return Err(payload_error("phone", "needed, or `person_id`")),
        None => None,
    };
    let known = front::known(tenant, joining.person_id, phone.as_ref()).await?.ok_or_else(|| {
        ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "unknown_person")
            .detail("only somebody who has written to the company can be asked when a time becomes free")
    })?;
    let offer = offer_of(tenant).await?;
    let services = offer.services.iter().map(|one| (one.id, one.name.as_str()));
    let service_id = pick("service", joining.service.as_deref(), services)?;
    let people = offer.who_does(service_id).map(|one| (one.id, one.name.as_str()));
    let wanted = waitlist::Wanted {
        id: Uuid::now_v7(),
        person_id: known.person,
        conversation_id: Some(known.conversation),
        service_id,
        professional_id: pick("professional", joining.professional.as_deref(), people)?,
        earliest,
        latest,
    };
    let mut tx = tenant.db.begin().await?;
    let row = waitlist::join(&mut tx, &wanted, now).await?;
    let entry = actor(&caller, &correlation).entry("agenda.waitlist_join", format!("waitlist/{}", row.id), json!({}));
    audit::record(&mut tx, tenant.id(), &entry, now).await?;
    tx.commit().await?;
    // Who waits already goes on waiting.
    let status = if row.id == wanted.id { StatusCode::CREATED } else { StatusCode::OK };
    Ok(HttpResponse::build(status).json(shown(&row)))
}

/// `DELETE /api/agenda/waitlist/{id}`.
pub async fn leave(caller: Caller, id: Id, correlation: CorrelationId) -> Result<HttpResponse, ApiError> {
    let actor = actor(&caller, &correlation);
    waitlist::leave(&caller.services, &caller.tenant, id.0, &actor).await?.ok_or_else(not_found)?;
    Ok(HttpResponse::NoContent().finish())
}
