//! What is left to be learnt from, and what was learnt, in one transaction: a crash does neither twice nor half.
//!
//! Rows that a turn holds at the moment are skipped, never waited for: two who wait for each other would both fail, and
//! a customer would wait as well.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{embedded, profile};
use crate::domain::embedding::Embedding;
use crate::domain::learning::Learned;
use crate::models::schema::tenant::{conversation, message, person};
use crate::tenant::{StoreError, TenantTx};

/// Conversations to learn from: those with a message on or after a day, or all.
pub type Since = Option<DateTime<Utc>>;

/// A person to learn about, held by this transaction.
#[derive(Clone, Debug)]
pub struct Held {
    /// The person.
    pub id: Uuid,
    /// Their name, which is no subject.
    pub name: Option<String>,
    /// What was learnt before.
    pub learned: Learned,
}

/// A message not learnt from yet.
#[derive(Clone, Debug, Queryable)]
pub struct Unlearned {
    /// Its conversation.
    pub conversation: Uuid,
    /// The person.
    pub person: Uuid,
    /// Order within the conversation.
    pub seq: i64,
    /// Its text; may be empty.
    pub text: String,
    /// When it was accepted.
    pub at: DateTime<Utc>,
}

macro_rules! unlearned {
    ($since:expr) => {{
        let left = message::table.select(message::id).filter(
            message::conversation_id
                .eq(conversation::id)
                .and(message::author.eq("customer"))
                .and(message::seq.gt(conversation::learned_seq)),
        );
        let mut query = conversation::table.filter(diesel::dsl::exists(left)).into_boxed();
        if let Some(since) = $since {
            query = query.filter(conversation::last_message_at.ge(since));
        }
        query
    }};
}

/// How many conversations have something to learn from.
pub async fn left(tx: &mut TenantTx, since: Since) -> Result<i64, StoreError> {
    Ok(unlearned!(since).count().get_result(tx.conn()).await?)
}

/// How many messages are left.
pub async fn messages_left(tx: &mut TenantTx, since: Since) -> Result<i64, StoreError> {
    let mut query = message::table
        .inner_join(conversation::table)
        .filter(message::author.eq("customer").and(message::seq.gt(conversation::learned_seq)))
        .into_boxed();
    if let Some(since) = since {
        query = query.filter(conversation::last_message_at.ge(since));
    }
    Ok(query.count().get_result(tx.conn()).await?)
}

/// The next conversations with something to learn from, after the one given.
pub async fn page(tx: &mut TenantTx, since: Since, after: Uuid, limit: i64) -> Result<Vec<Uuid>, StoreError> {
    Ok(unlearned!(since)
        .select(conversation::id)
        .filter(conversation::id.gt(after))
        .order(conversation::id)
        .limit(limit)
        .load(tx.conn())
        .await?)
}

/// Takes conversations and their people, those that nobody holds, and returns the people by id with the conversations
/// that are held.
pub async fn hold(tx: &mut TenantTx, ids: &[Uuid]) -> Result<(Vec<Uuid>, HashMap<Uuid, Held>), StoreError> {
    let held: Vec<(Uuid, Uuid)> = conversation::table
        .select((conversation::id, conversation::person_id))
        .filter(conversation::id.eq_any(ids))
        .order(conversation::id)
        .for_no_key_update()
        .skip_locked()
        .load(tx.conn())
        .await?;
    let wanted: Vec<Uuid> = held.iter().map(|(_, person)| *person).collect();
    let people: Vec<(Uuid, Option<String>, Option<serde_json::Value>)> = person::table
        .select((person::id, person::name, person::profile))
        .filter(person::id.eq_any(wanted))
        .order(person::id)
        .for_no_key_update()
        .skip_locked()
        .load(tx.conn())
        .await?;
    let mut by_id = HashMap::new();
    for (id, name, learned) in people {
        let learned = learned.map(profile::read).transpose()?.unwrap_or_default();
        by_id.insert(id, Held { id, name, learned });
    }
    let conversations = held.into_iter().filter(|(_, person)| by_id.contains_key(person)).map(|(id, _)| id).collect();
    Ok((conversations, by_id))
}

/// The messages of these conversations that were not learnt from yet, oldest first, at most so many in all.
pub async fn unlearned(tx: &mut TenantTx, conversations: &[Uuid], limit: i64) -> Result<Vec<Unlearned>, StoreError> {
    Ok(message::table
        .inner_join(conversation::table)
        .select((message::conversation_id, conversation::person_id, message::seq, message::body, message::at))
        .filter(message::conversation_id.eq_any(conversations))
        .filter(message::author.eq("customer").and(message::seq.gt(conversation::learned_seq)))
        .order((message::conversation_id, message::seq))
        .limit(limit)
        .load(tx.conn())
        .await?)
}

/// Keeps what was learnt of a person; `pending` says that a provider is to be asked for better numbers.
pub async fn keep(
    tx: &mut TenantTx,
    (id, learned): (Uuid, &Learned),
    embedding: Option<&Embedding>,
    pending: bool,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let learned = serde_json::to_value(learned).map_err(|error| StoreError::pg_data(error.to_string()))?;
    let numbers = embedded::columns(embedding);
    diesel::update(person::table.filter(person::id.eq(id)))
        .set((
            person::profile.eq(learned),
            person::profile_at.eq(now),
            person::embedding.eq(numbers.0),
            person::embed_provider.eq(numbers.1),
            person::embed_model.eq(numbers.2),
            person::embed_dim.eq(numbers.3),
            person::embed_pending.eq(pending),
        ))
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Moves conversations' marks to the last message that was learnt from.
pub async fn mark(tx: &mut TenantTx, marks: &HashMap<Uuid, i64>) -> Result<(), StoreError> {
    let (ids, seqs): (Vec<Uuid>, Vec<i64>) = marks.iter().map(|(id, seq)| (*id, *seq)).unzip();
    diesel::sql_query(
        "UPDATE conversation SET learned_seq = learnt.seq
         FROM unnest($1, $2) AS learnt (id, seq) WHERE conversation.id = learnt.id",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<BigInt>, _>(seqs)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// How many people's numbers are only a makeshift.
pub async fn pending(tx: &mut TenantTx) -> Result<i64, StoreError> {
    Ok(person::table.filter(person::embed_pending).count().get_result(tx.conn()).await?)
}
