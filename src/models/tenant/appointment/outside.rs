//! What ties an appointment to a calendar outside: a booking gets another id there with every move.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use diesel_async::RunQueryDsl;
use serde_json::Value;

use super::AppointmentRow;
use crate::models::schema::tenant::appointment;
use crate::tenant::{StoreError, TenantTx};

/// Where the ids that a booking had before stand in the metadata; the index reads it there.
const FORMER: &str = "former";

impl AppointmentRow {
    /// The ids its booking had at the calendar outside before it was moved.
    pub fn former(&self) -> impl Iterator<Item = &str> {
        self.metadata.get(FORMER).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }

    /// Keeps an id that its booking had; the one that it has is none of them.
    pub fn add_former(&mut self, uid: &str) {
        if self.external_uid.as_deref() == Some(uid) || self.former().any(|known| known == uid) {
            return;
        }
        let former: Vec<Value> = self.former().chain([uid]).map(Value::from).collect();
        self.note(FORMER, former.into());
    }

    /// Takes another id at the calendar outside; the one before stays known.
    pub fn set_external(&mut self, uid: &str) {
        if let Some(old) = self.external_uid.replace(uid.to_owned())
            && old != uid
        {
            self.add_former(&old);
        }
        if self.former().any(|known| known == uid) {
            let others: Vec<Value> = self.former().filter(|known| *known != uid).map(Value::from).collect();
            self.note(FORMER, others.into());
        }
    }

    /// Keeps something with it.
    pub fn note(&mut self, name: &str, value: Value) {
        match self.metadata.as_object_mut() {
            Some(fields) => {
                fields.insert(name.to_owned(), value);
            }
            None => self.metadata = Value::Object([(name.to_owned(), value)].into_iter().collect()),
        }
    }
}

/// The one that a calendar outside knows, or knew before it was moved, by this id.
pub async fn find_external(tx: &mut TenantTx, uid: &str) -> Result<Option<AppointmentRow>, StoreError> {
    let current = appointment::table
        .select(AppointmentRow::as_select())
        .filter(appointment::external_uid.eq(uid))
        .first(tx.conn())
        .await
        .optional()?;
    if current.is_some() {
        return Ok(current);
    }
    let former = sql::<Bool>("(appointment.metadata -> 'former') @> to_jsonb(").bind::<Text, _>(uid).sql(")");
    Ok(appointment::table
        .select(AppointmentRow::as_select())
        .filter(former)
        .order(appointment::created_at)
        .first(tx.conn())
        .await
        .optional()?)
}
