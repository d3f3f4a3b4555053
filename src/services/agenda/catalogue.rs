//! What can be booked, changed as a whole: a service or a professional with what the agenda knows of it.

use std::collections::HashMap;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::domain::agenda::offer::complaint;
use crate::domain::knowledge::ENTRIES_MAX;
use crate::domain::knowledge::facts::{Fact, FactKind};
use crate::models::tenant::catalog::{self, Item};
use crate::services::audit::{self, Actor};
use crate::services::knowledge::ChangeError;
use crate::services::{ServiceError, Services};
use crate::tenant::Tenant;

/// A fact, and its `agenda` part; `None` leaves that as it is.
pub type Given = (Fact, Option<Value>);

/// All facts of a kind, offered or not, by name.
pub async fn of_kind(tenant: &Tenant, kind: FactKind) -> Result<Vec<Item>, ServiceError> {
    let mut tx = tenant.db.begin().await?;
    let items = catalog::all(&mut tx).await?;
    tx.commit().await?;
    Ok(items.into_iter().filter(|item| item.fact.kind == kind).collect())
}

/// Keeps facts with their `agenda` parts, all or none; one with kind and name of another replaces it.
///
/// # Errors
/// When what is given cannot be kept; then nothing was.
pub async fn put(
    services: &Services,
    tenant: &Tenant,
    given: &[Given],
    actor: &Actor,
) -> Result<Vec<Uuid>, ChangeError> {
    if let Some(problem) = given.iter().find_map(|(_, agenda)| complaint(agenda.as_ref()?)) {
        return Err(ChangeError::Refused(problem));
    }
    let now = services.clock.now();
    let mut tx = tenant.db.begin().await?;
    let stored = catalog::all(&mut tx).await?;
    let known: HashMap<_, _> =
        stored.iter().map(|item| ((item.fact.kind, item.fact.name.to_lowercase()), item)).collect();
    let mut ids = Vec::new();
    for (fact, agenda) in given {
        let before = known.get(&(fact.kind, fact.name.to_lowercase()));
        let id = before.map_or_else(Uuid::now_v7, |item| item.id);
        catalog::put(&mut tx, id, fact, now).await?;
        if let Some(agenda) = agenda {
            let mut data = before.map_or_else(|| json!({}), |item| item.data.clone());
            if let Some(data) = data.as_object_mut() {
                data.insert("agenda".to_owned(), agenda.clone());
            }
            catalog::set_data(&mut tx, id, &data, now).await?;
        }
        ids.push(id);
    }
    let count = stored.len() + ids.iter().filter(|id| !stored.iter().any(|item| item.id == **id)).count();
    if count > ENTRIES_MAX {
        tx.rollback().await;
        let sentence = format!("that would make {count}, at most {ENTRIES_MAX} are kept: remove some first");
        return Err(ChangeError::Refused(sentence));
    }
    let entry = actor.entry("catalog.put", "catalog", json!({ "kept": ids.len(), "by": "agenda" }));
    audit::record(&mut tx, tenant.id(), &entry, now).await?;
    tx.commit().await?;
    services.knowledge.forget(tenant.id());
    Ok(ids)
}
