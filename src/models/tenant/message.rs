//! What was said: inbox and outbox in one table, appended only.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::models::schema::tenant::{conversation, delivery, message};
use crate::tenant::{StoreError, TenantTx};

/// A message to append.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = message)]
pub struct NewMessage {
    /// Its id.
    pub id: Uuid,
    /// Its conversation.
    pub conversation_id: Uuid,
    /// `customer`, `assistant` or `team`.
    pub author: &'static str,
    /// Order within the conversation.
    pub seq: i64,
    /// Text, audio, image, …
    pub kind: String,
    /// What was said; empty for media without words.
    pub body: String,
    /// Whether the end was cut off.
    pub was_cut: bool,
    /// Channel instance and provider message id.
    pub dedupe_key: Option<String>,
    /// The turn that decided it, or wrote it.
    pub turn_id: Option<Uuid>,
    /// Its correlation id.
    pub correlation_id: String,
    /// When it was accepted, or written.
    pub at: DateTime<Utc>,
}

/// Appends. A `Conflict` on `message_dedupe` says that another claim decided one of them.
pub async fn append(tx: &mut TenantTx, rows: &[NewMessage]) -> Result<(), StoreError> {
    diesel::insert_into(message::table).values(rows).execute(tx.conn()).await?;
    Ok(())
}

/// Which of these envelopes are decided already, by id or by dedupe key. (Senders without message ids give no key.)
pub async fn decided(
    tx: &mut TenantTx,
    ids: &[Uuid],
    keys: &[&str],
) -> Result<(HashSet<Uuid>, HashSet<String>), StoreError> {
    let found: Vec<(Uuid, Option<String>)> = message::table
        .select((message::id, message::dedupe_key))
        .filter(message::id.eq_any(ids).or(message::dedupe_key.eq_any(keys).assume_not_null()))
        .load(tx.conn())
        .await?;
    let (ids, keys): (HashSet<Uuid>, Vec<Option<String>>) = found.into_iter().unzip();
    Ok((ids, keys.into_iter().flatten().collect()))
}

/// A line of history: author, text, when.
pub type Line = (String, String, DateTime<Utc>);

/// The newest lines of a conversation, oldest first; answers that never left are not among them.
pub async fn history(tx: &mut TenantTx, conversation_id: Uuid, limit: i64) -> Result<Vec<Line>, StoreError> {
    // A dead text of unknown fate may have been read; every other dead one surely was not. As a look-up for each line: a
    // join is planned over all texts of the company, and costs each answer more the more texts there are.
    let never_left = diesel::dsl::sql::<Bool>(
        "coalesce((SELECT d.state = 'dead' AND d.error_code <> 'ambiguous' FROM delivery d
                   WHERE d.message_id = message.id LIMIT 1), false)",
    );
    let mut lines: Vec<Line> = message::table
        .select((message::author, message::body, message::at))
        .filter(message::conversation_id.eq(conversation_id))
        .filter(diesel::dsl::not(never_left))
        .filter(message::superseded.eq(false).and(message::body.ne("")))
        .order(message::seq.desc())
        .limit(limit)
        .load(tx.conn())
        .await?;
    lines.reverse();
    Ok(lines)
}

/// A line as a person sees it: message id, author, text, when, correlation id, and the delivery's state if it is ours.
pub type Seen = (Uuid, String, String, DateTime<Utc>, String, Option<String>);

/// The newest lines of a message group as a person sees them, oldest first.
pub async fn seen(tx: &mut TenantTx, conversation_key: &str, limit: i64) -> Result<Vec<Seen>, StoreError> {
    let mut lines: Vec<Seen> = message::table
        .inner_join(conversation::table)
        .left_join(delivery::table)
        .select((
            message::id,
            message::author,
            message::body,
            message::at,
            message::correlation_id,
            delivery::state.nullable(),
        ))
        .filter(conversation::key.eq(conversation_key).and(message::superseded.eq(false)))
        .order(message::seq.desc())
        .limit(limit)
        .load(tx.conn())
        .await?;
    lines.reverse();
    Ok(lines)
}

/// Marks an answer's texts as never sent.
pub async fn supersede(tx: &mut TenantTx, ids: &[Uuid]) -> Result<(), StoreError> {
    diesel::update(message::table.filter(message::id.eq_any(ids)))
        .set(message::superseded.eq(true))
        .execute(tx.conn())
        .await?;
    Ok(())
}
