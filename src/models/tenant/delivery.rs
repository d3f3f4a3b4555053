//! The delivery log: one row per outgoing text. Its state only moves forward.

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::models::schema::tenant::{conversation, delivery, message};
use crate::tenant::{StoreError, TenantTx};

/// Where a text is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// Waits for an earlier text of the same answer.
    Queued,
    /// About to be put on the wire, or on it.
    Sending,
    /// Surely not sent; tried again later.
    RetryWait,
    /// Perhaps sent: waits for an echo, a status, or the one resend.
    Ambiguous,
    /// Accepted by the provider.
    Sent,
    /// On the person's phone.
    Delivered,
    /// Seen.
    Read,
    /// Given up; a dead letter says why.
    Dead,
    /// Replaced by an answer that saw a newer message; surely never sent.
    Superseded,
}

/// The error code of a dead text that an operator put back: its age no longer counts.
pub const REQUEUED: &str = "requeued";

/// Whether a text is unfinished. Written out: a bound list would not be seen to fit the index of unfinished texts, and all
/// texts of the company would be read.
fn is_unfinished() -> SqlLiteral<Bool> {
    sql::<Bool>("delivery.state IN ('queued', 'sending', 'retry_wait', 'ambiguous')")
}

impl DeliveryState {
    /// The stored spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::RetryWait => "retry_wait",
            Self::Ambiguous => "ambiguous",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Dead => "dead",
            Self::Superseded => "superseded",
        }
    }

    /// Reads the stored spelling.
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::Queued,
            Self::Sending,
            Self::RetryWait,
            Self::Ambiguous,
            Self::Sent,
            Self::Delivered,
            Self::Read,
            Self::Dead,
            Self::Superseded,
        ]
        .into_iter()
        .find(|state| state.as_str() == text)
    }
}

/// A row of the delivery log.
#[derive(Clone, Debug, PartialEq, Insertable, Queryable, Selectable)]
#[diesel(table_name = delivery)]
pub struct DeliveryRow {
    /// Its id.
    pub id: Uuid,
    /// The text's message row.
    pub message_id: Uuid,
    /// Its conversation.
    pub conversation_id: Uuid,
    /// The turn that decided it.
    pub turn_id: Uuid,
    /// Its place among the texts of the turn, from 0.
    pub position: i16,
    /// Where it goes.
    pub recipient: String,
    /// The text.
    pub body: String,
    /// The turn's correlation id.
    pub correlation_id: String,
    /// A [`DeliveryState`].
    pub state: String,
    /// Times it was put on the wire, or tried to.
    pub attempts: i32,
    /// Times it was put on the wire again after an ambiguous outcome.
    pub resends: i32,
    /// When the last attempt began.
    pub attempt_at: Option<DateTime<Utc>>,
    /// When it is due again.
    pub next_at: Option<DateTime<Utc>>,
    /// The provider's id.
    pub external_id: Option<String>,
    /// Why it is not sent.
    pub error_code: Option<String>,
    /// When it was decided.
    pub created_at: DateTime<Utc>,
    /// When the provider accepted it.
    pub sent_at: Option<DateTime<Utc>>,
}

impl DeliveryRow {
    /// The state, parsed. An unknown spelling (a newer version's) counts as ambiguous: nothing is sent blindly.
    pub fn state(&self) -> DeliveryState {
        DeliveryState::parse(&self.state).unwrap_or(DeliveryState::Ambiguous)
    }

    /// Whether it is the assistant's answer to messages, so that a newer answer may take its place. What a person of the
    /// company said belongs to no turn and stays.
    pub fn is_answer(&self) -> bool {
        self.turn_id != self.message_id
    }
}

/// Inserts the texts of a turn.
pub async fn insert(tx: &mut TenantTx, rows: &[DeliveryRow]) -> Result<(), StoreError> {
    diesel::insert_into(delivery::table).values(rows).execute(tx.conn()).await?;
    Ok(())
}

/// The unfinished texts of a conversation, in the order they must leave.
pub async fn unfinished(tx: &mut TenantTx, conversation_id: Uuid) -> Result<Vec<DeliveryRow>, StoreError> {
    Ok(delivery::table
        .select(DeliveryRow::as_select())
        .filter(delivery::conversation_id.eq(conversation_id).and(is_unfinished()))
        .order((delivery::created_at, delivery::turn_id, delivery::position))
        .load(tx.conn())
        .await?)
}

/// The newest texts of a conversation, finished or not: what an echo is compared with. They are found by way of the
/// conversation's newest messages: only unfinished texts can be found by their conversation without reading all of them.
pub async fn recent(tx: &mut TenantTx, conversation_id: Uuid, limit: i64) -> Result<Vec<DeliveryRow>, StoreError> {
    // Some of them a person typed, which have no text of ours. An array, and a limit written out: what is planned for an
    // unknown number of messages reads all texts of the company.
    let of_newest =
        sql::<Bool>("delivery.message_id = ANY (ARRAY(SELECT m.id FROM message m WHERE m.conversation_id = ")
            .bind::<diesel::sql_types::Uuid, _>(conversation_id)
            .sql(" AND m.author <> 'customer' ORDER BY m.seq DESC LIMIT 40))");
    Ok(delivery::table
        .select(DeliveryRow::as_select())
        .filter(of_newest)
        .order((delivery::created_at.desc(), delivery::position.desc()))
        .limit(limit)
        .load(tx.conn())
        .await?)
}

/// One row.
pub async fn find(tx: &mut TenantTx, id: Uuid) -> Result<Option<DeliveryRow>, StoreError> {
    Ok(delivery::table
        .select(DeliveryRow::as_select())
        .filter(delivery::id.eq(id))
        .first(tx.conn())
        .await
        .optional()?)
}

/// The texts of a turn, in order.
pub async fn of_turn(tx: &mut TenantTx, conversation_id: Uuid, turn_id: Uuid) -> Result<Vec<DeliveryRow>, StoreError> {
    let said = message::table
        .select(message::id)
        .filter(message::conversation_id.eq(conversation_id).and(message::turn_id.eq(turn_id)));
    Ok(delivery::table
        .select(DeliveryRow::as_select())
        .filter(delivery::message_id.eq_any(said))
        .order(delivery::position)
        .load(tx.conn())
        .await?)
}

/// Stores everything about a row that changes after it was inserted.
pub async fn save(tx: &mut TenantTx, row: &DeliveryRow) -> Result<(), StoreError> {
    diesel::update(delivery::table.filter(delivery::id.eq(row.id)))
        .set((
            delivery::state.eq(&row.state),
            delivery::attempts.eq(row.attempts),
            delivery::resends.eq(row.resends),
            delivery::attempt_at.eq(row.attempt_at),
            delivery::next_at.eq(row.next_at),
            delivery::external_id.eq(&row.external_id),
            delivery::error_code.eq(&row.error_code),
            delivery::sent_at.eq(row.sent_at),
        ))
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Settles a text of unknown fate as sent, if it still is one; returns whether it was. One statement: between a look and
/// a write the new holder may have begun to send it again, and its count would be lost.
pub async fn was_sent(tx: &mut TenantTx, row: &DeliveryRow) -> Result<bool, StoreError> {
    let unknown = delivery::id.eq(row.id).and(delivery::state.eq(DeliveryState::Ambiguous.as_str()));
    let settled = diesel::update(delivery::table.filter(unknown))
        .set((
            delivery::state.eq(&row.state),
            delivery::next_at.eq(None::<DateTime<Utc>>),
            delivery::external_id.eq(&row.external_id),
            delivery::error_code.eq(None::<String>),
            delivery::sent_at.eq(row.sent_at),
        ))
        .execute(tx.conn())
        .await?;
    Ok(settled == 1)
}

/// Conversations with unfinished texts: `(key, due)`. What a wiped queue is rebuilt from.
pub async fn unfinished_conversations(tx: &mut TenantTx) -> Result<Vec<(String, Option<DateTime<Utc>>)>, StoreError> {
    Ok(delivery::table
        .inner_join(conversation::table)
        .filter(is_unfinished())
        .group_by(conversation::key)
        .select((conversation::key, diesel::dsl::min(delivery::next_at)))
        .load(tx.conn())
        .await?)
}
