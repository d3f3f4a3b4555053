//! What past appointments say, and what is done about it.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{actor, query_error};
use crate::models::tenant::scheduling_insight::{self, InsightRow};
use crate::routes::ApiError;
use crate::routes::correlation::CorrelationId;
use crate::routes::extract::{Body, Caller};
use crate::services::agenda::insights::{DAILY, auto_reschedule, daily};

/// Most days of one answer.
const DAYS_MAX: i64 = 90;

/// How many days are wanted.
#[derive(Deserialize)]
pub struct Wanted {
    days: Option<String>,
}

/// `GET /api/agenda/insights`: the newest day's, or those of so many days.
pub async fn show(caller: Caller, wanted: web::Query<Wanted>) -> Result<HttpResponse, ApiError> {
    let days = match wanted.days.as_ref().filter(|days| !days.is_empty()).map(|days| days.parse()) {
        None => 1,
        Some(Ok(days @ 1..=DAYS_MAX)) => days,
        Some(_) => return Err(query_error("days", "a number from 1 to 90")),
    };
    let mut tx = caller.tenant.db.begin().await?;
    let rows = scheduling_insight::list(&mut tx, DAILY, days).await?;
    tx.commit().await?;
    Ok(HttpResponse::Ok().json(json!({ "insights": rows.iter().map(shown).collect::<Vec<_>>() })))
}

fn shown(row: &InsightRow) -> Value {
    let mut one = row.data.clone();
    if let Some(one) = one.as_object_mut() {
        one.insert("day".to_owned(), json!(row.day));
        one.insert("created_at".to_owned(), json!(row.created_at));
    }
    one
}

/// `POST /api/agenda/insights`: looks now, in place of today's.
pub async fn look(caller: Caller, _: Body<Value>) -> Result<HttpResponse, ApiError> {
    daily(&caller.services, &caller.tenant).await?;
    show(caller, web::Query(Wanted { days: None })).await
}

/// `POST /api/agenda/auto-reschedule`: asks the people of risky appointments whether another time suits them better.
pub async fn ask(caller: Caller, correlation: CorrelationId, _: Body<Value>) -> Result<HttpResponse, ApiError> {
    if !caller.tenant.settings.agenda.auto_reschedule {
        let error = ApiError::new(StatusCode::CONFLICT, "auto_reschedule_off");
        return Err(error.detail(
            "the company does not want this: `secretaria provision set COMPANY --set agenda.auto_reschedule=true` turns it on",
        ));
    }
    let moves = auto_reschedule(&caller.services, &caller.tenant, Some(&actor(&caller, &correlation))).await?;
    Ok(HttpResponse::Accepted().json(json!({ "asked": moves.asked, "quiet": moves.quiet })))
}
