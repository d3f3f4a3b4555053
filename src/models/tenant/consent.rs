//! Wishes about being written to: a log that is only added to, and the wish that holds on the person.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::models::schema::tenant::{consent, person};
use crate::tenant::{StoreError, TenantTx};

/// What a wish is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsentKind {
    /// Any message that we begin: reminders, follow-ups, campaigns.
    Messages,
    /// Being asked after a visit.
    FollowUp,
}

impl ConsentKind {
    /// The stored spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::FollowUp => "follow_up",
        }
    }
}

/// Logs a wish; one about any message also holds on the person from now on. `source` says where it was told, without
/// repeating words: a message's id, or an operator's act.
pub async fn record(
    tx: &mut TenantTx,
    person_id: Uuid,
    kind: ConsentKind,
    granted: bool,
    source: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    diesel::insert_into(consent::table)
        .values((
            consent::id.eq(Uuid::now_v7()),
            consent::person_id.eq(person_id),
            consent::kind.eq(kind.as_str()),
            consent::granted.eq(granted),
            consent::source.eq(source),
            consent::at.eq(now),
        ))
        .execute(tx.conn())
        .await?;
    if kind == ConsentKind::Messages {
        diesel::update(person::table.filter(person::id.eq(person_id)))
            .set((person::opted_out_at.eq((!granted).then_some(now)), person::updated_at.eq(now)))
            .execute(tx.conn())
            .await?;
    }
    Ok(())
}

/// What a person last said about something; `None` when nothing.
pub async fn last(tx: &mut TenantTx, person_id: Uuid, kind: ConsentKind) -> Result<Option<bool>, StoreError> {
    Ok(consent::table
        .select(consent::granted)
        .filter(consent::person_id.eq(person_id).and(consent::kind.eq(kind.as_str())))
        .order((consent::at.desc(), consent::id.desc()))
        .first(tx.conn())
        .await
        .optional()?)
}
