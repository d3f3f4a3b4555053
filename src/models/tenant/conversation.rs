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
    /// How it stands, as the conversation's own lane wrote it.
    pub standing: serde_json::Value,
}

/// The conversation of a message group.
pub async fn find(tx: &mut TenantTx, key: &str) -> Result<Option<ConversationRow>, StoreError> {
    Ok(conversation::table
        .inner_join(person::table)
        .select((conversation::id, conversation::person_id, person::name, person::name_source, conversation::standing))
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

/// Stores how a conversation stands. Only whoever has taken it for a claim may.
pub async fn stand(tx: &mut TenantTx, id: Uuid, standing: &serde_json::Value) -> Result<(), StoreError> {
    diesel::update(conversation::table.filter(conversation::id.eq(id)))
        .set(conversation::standing.eq(standing))
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// A conversation in a list of those that people attend to.
#[derive(Clone, Debug, Queryable)]
pub struct Attended {
    /// Its id.
    pub id: Uuid,
    /// The person's name, when known.
    pub name: Option<String>,
    /// Where its texts go.
    pub reply_address: String,
    /// `assistant`, `waiting`, `team` or `resolved`.
    pub attendant: String,
    /// Whether it goes before others.
    pub urgent: bool,
    /// How it stands.
    pub standing: serde_json::Value,
    /// When somebody last said something.
    pub last_message_at: DateTime<Utc>,
}

/// The conversations that stand so, or all: urgent ones first, then those that wait longest.
pub async fn attended(tx: &mut TenantTx, attendant: Option<&str>, limit: i64) -> Result<Vec<Attended>, StoreError> {
    let mut query = conversation::table
        .inner_join(person::table)
        .select((
            conversation::id,
            person::name,
            conversation::reply_address,
            conversation::attendant,
            conversation::urgent,
            conversation::standing,
            conversation::last_message_at,
        ))
        .order((conversation::urgent.desc(), conversation::last_message_at))
        .limit(limit)
        .into_boxed();
    if let Some(attendant) = attendant {
        query = query.filter(conversation::attendant.eq(attendant.to_owned()));
    }
    Ok(query.load(tx.conn()).await?)
}

/// The message group of a conversation.
pub async fn group(tx: &mut TenantTx, id: Uuid) -> Result<Option<String>, StoreError> {
    Ok(conversation::table
        .select(conversation::key)
        .filter(conversation::id.eq(id))
        .first(tx.conn())
        .await
        .optional()?)
}

/// Where a conversation's texts go.
pub async fn reply_address(tx: &mut TenantTx, id: Uuid) -> Result<String, StoreError> {
    Ok(conversation::table.select(conversation::reply_address).filter(conversation::id.eq(id)).first(tx.conn()).await?)
}

/// The fence of a conversation.
pub async fn fence(tx: &mut TenantTx, id: Uuid) -> Result<Option<i64>, StoreError> {
    Ok(conversation::table
        .select(conversation::fence)
        .filter(conversation::id.eq(id))
        .first(tx.conn())
        .await
        .optional()?)
}

/// Stores the newest lines of conversations that fell idle since their window was last stored: what they are resumed
/// and exported from. Returns how many; at most `limit`, so that one call stays short.
pub async fn keep_idle(
    tx: &mut TenantTx,
    idle_since: DateTime<Utc>,
    lines: i64,
    limit: i64,
) -> Result<usize, StoreError> {
    Ok(diesel::sql_query(
        "UPDATE conversation SET context_at = last_message_at, context_json = (
             SELECT jsonb_build_object('v', 1, 'lines', coalesce(jsonb_agg(
                        jsonb_build_object('by', said.author, 'text', said.body, 'at', said.at) ORDER BY said.seq), '[]'))
             FROM (SELECT author, body, at, seq FROM message
                   WHERE conversation_id = conversation.id AND NOT superseded AND body <> ''
                   ORDER BY seq DESC LIMIT $2) said)
         WHERE id IN (SELECT id FROM conversation
                      WHERE last_message_at < $1 AND (context_at IS NULL OR context_at < last_message_at)
                      ORDER BY last_message_at LIMIT $3 FOR UPDATE SKIP LOCKED)",
    )
    .bind::<diesel::sql_types::Timestamptz, _>(idle_since)
    .bind::<diesel::sql_types::BigInt, _>(lines)
    .bind::<diesel::sql_types::BigInt, _>(limit)
    .execute(tx.conn())
    .await?)
}

/// The message groups of conversations, by conversation and by person; of several of one person the one last used.
pub async fn groups(
    tx: &mut TenantTx,
    (ids, people): (&[Uuid], &[Uuid]),
) -> Result<Vec<(Uuid, Uuid, String)>, StoreError> {
    Ok(conversation::table
        .select((conversation::id, conversation::person_id, conversation::key))
        .filter(conversation::id.eq_any(ids).or(conversation::person_id.eq_any(people)))
        .order(conversation::last_message_at)
        .load(tx.conn())
        .await?)
}
