//! Questions after visits.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::appointments::{may_write, shown_timer};
use super::{LIST_MAX, actor, due_now, key_of, not_found, query_error, refused};
use crate::domain::agenda::appointment::AppointmentState as State;
use crate::models::tenant::timer::{self, CANCELLED, DONE, DUE, SKIPPED, TimerRow};
use crate::routes::ApiError;
use crate::routes::correlation::CorrelationId;
use crate::routes::extract::{Body, Caller};
use crate::routes::knowledge::Id;
use crate::services::agenda::front::{self, Refusal};
use crate::services::agenda::timers;
use crate::services::audit;

/// Which are wanted.
#[derive(Deserialize)]
pub struct Wanted {
    status: Option<String>,
}

/// A state as callers know it, and as it is stored.
const STATUSES: [(&str, &str); 4] = [("pending", DUE), ("sent", DONE), ("skipped", SKIPPED), ("cancelled", CANCELLED)];

/// `GET /api/agenda/followups`.
pub async fn list(caller: Caller, wanted: web::Query<Wanted>) -> Result<HttpResponse, ApiError> {
    let state = match wanted.status.as_deref().filter(|status| !status.is_empty()) {
        None => None,
        Some(status) => Some(
            STATUSES
                .iter()
                .find(|(name, _)| *name == status)
                .map(|(_, state)| *state)
                .ok_or_else(|| query_error("status", "pending, sent, skipped or cancelled"))?,
        ),
    };
    let mut tx = caller.tenant.db.begin().await?;
    let rows = timer::of_kind(&mut tx, timers::FOLLOW_UP, state, LIST_MAX).await?;
    tx.commit().await?;
    Ok(HttpResponse::Ok().json(json!({ "followups": rows.iter().map(shown).collect::<Vec<_>>() })))
}

fn shown(row: &TimerRow) -> Value {
    let mut one = shown_timer(row);
    if let Some(one) = one.as_object_mut() {
        let status = STATUSES.iter().find(|(_, state)| *state == row.state).map_or("pending", |(name, _)| *name);
        one.insert("status".to_owned(), json!(status));
        one.insert("appointment_id".to_owned(), json!(row.appointment_id));
        one.insert("person_id".to_owned(), json!(row.person_id));
        one.insert("answer".to_owned(), row.data.get("answer").cloned().unwrap_or(Value::Null));
    }
    one
}

/// `POST /api/agenda/followups/{id}/resend`.
pub async fn resend(
    caller: Caller,
    id: Id,
    req: HttpRequest,
    correlation: CorrelationId,
    _: Body<Value>,
) -> Result<HttpResponse, ApiError> {
    let (tenant, services) = (&caller.tenant, &caller.services);
    let now = services.clock.now();
    let key = key_of(&req)?.map_or_else(|| Uuid::now_v7().to_string(), str::to_owned);
    let mut tx = tenant.db.begin().await?;
    let asked = timer::find(&mut tx, id.0).await?.filter(|row| row.kind == timers::FOLLOW_UP);
    tx.commit().await?;
    let asked = asked.ok_or_else(not_found)?;
    if asked.state == DUE {
        let error = ApiError::new(StatusCode::CONFLICT, "still_pending");
        return Err(error.detail("it has not been sent yet, and will be by itself"));
    }
    let row = match asked.appointment_id {
        Some(of) => front::find(tenant, of).await?.ok_or_else(not_found)?,
        None => return Err(not_found()),
    };
    let over = row.ends_at <= now;
    if !matches!(row.state(), State::Confirmed | State::Rescheduled | State::Attended) || !over {
        return Err(refused(Refusal::State(row.state()), tenant));
    }
    may_write(&caller, &row).await?;
    let mut tx = tenant.db.begin().await?;
    let name = format!("{}:{key}", timers::MANUAL);
    let before = timer::of_appointment(&mut tx, row.id).await?;
    let queued = match before.into_iter().find(|one| one.kind == timers::FOLLOW_UP && one.name == name) {
        Some(known) => known,
        None => {
            let fresh = timers::follow_up_again(&mut tx, &row, &key, now).await?;
            let fresh = fresh.ok_or_else(|| ApiError::new(StatusCode::CONFLICT, "conflict"))?;
            let detail = json!({ "timer": fresh.id });
            let entry =
                actor(&caller, &correlation).entry("agenda.followup_resend", format!("appointment/{}", row.id), detail);
            audit::record(&mut tx, tenant.id(), &entry, now).await?;
            fresh
        }
    };
    tx.commit().await?;
    due_now(services, tenant).await;
    Ok(HttpResponse::Accepted().json(json!({ "status": "queued", "followup": shown(&queued) })))
}
