//! Conversations: the message groups, with the fence that decides who may decide.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::models::schema::tenant::{conversation, person};
use crate::tenant::{StoreError, TenantTx};

/// What a turn needs to know of its conversation.
#[derive(Clone, Debug, Queryable)]
pub struct ConversationRow {
    /// Its id.
    pub id: Uuid,
    /// The person's id.
    pub person_id: Uuid,
    /// The person's name, when known.
    pub name: Option<String>,
    /// Who gave the name: `channel` or `customer`.
    pub name_source: Option<String>,
}

/// The conversation of a message group.
pub async fn find(tx: &mut TenantTx, key: &str) -> Result<Option<ConversationRow>, StoreError> {
    Ok(conversation::table
        .inner_join(person::table)
        .select((conversation::id, conversation::person_id, person::name, person::name_source))
        .filter(conversation::key.eq(key))
        .first(tx.conn())
        .await
        .optional()?)
}

/// Makes a conversation. A `Conflict` says that somebody else just did.
pub async fn insert(
    tx: &mut TenantTx,
    (id, person_id): (Uuid, Uuid),
    key: &str,
    reply_address: &str,
    fence: i64,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    diesel::insert_into(conversation::table)
        .values((
            conversation::id.eq(id),
            conversation::key.eq(key),
            conversation::person_id.eq(person_id),
            conversation::reply_address.eq(reply_address),
            conversation::fence.eq(fence),
            conversation::created_at.eq(now),
            conversation::last_message_at.eq(now),
        ))
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Takes the conversation for a claim: refused when a newer claim has decided already. Locks the row, so two claims
/// are never inside a deciding transaction at once.
pub async fn take(
    tx: &mut TenantTx,
    id: Uuid,
    reply_address: Option<&str>,
    fence: i64,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let row = conversation::table.filter(conversation::id.eq(id).and(conversation::fence.le(fence)));
    let taken = match reply_address {
        Some(address) => {
            diesel::update(row)
                .set((
                    conversation::fence.eq(fence),
                    conversation::reply_address.eq(address),
                    conversation::last_message_at.eq(now),
                ))
                .execute(tx.conn())
                .await?
        }
        None => diesel::update(row).set(conversation::fence.eq(fence)).execute(tx.conn()).await?,
    };
    if taken == 1 {
        return Ok(());
    }
    let stored: i64 =
        conversation::table.select(conversation::fence).filter(conversation::id.eq(id)).first(tx.conn()).await?;
    Err(StoreError::StaleFence { stored, ours: fence })
}

/// Stores the bounded window kept for resumption and export.
pub async fn put_context(tx: &mut TenantTx, id: Uuid, context: &serde_json::Value) -> Result<(), StoreError> {
    diesel::update(conversation::table.filter(conversation::id.eq(id)))
        .set(conversation::context_json.eq(context))
        .execute(tx.conn())
        .await?;
    Ok(())
}
