//! The two commits of a turn, each one prepared statement under the fence: T1 stores what was decided, T2 what became of
//! a text. Both touch nothing when a newer claim has decided already.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::conversation;
use super::delivery::DeliveryRow;
use super::message::NewMessage;
use super::turn::TurnRow;
use crate::tenant::{Bind, Statement, StoreError, TenantDb};

/// The part of T1 that known and new conversations share: turn, messages, outgoing texts of the conversation `taken`.
macro_rules! t1 {
    ($taken:literal) => {
        concat!(
            $taken,
            "
), decided AS (
    INSERT INTO turn (id, conversation_id, correlation_id, decision, reason, fence, model, tokens_in, tokens_out,
                      tokens_estimated, injection_score, messages_seen, preparations, model_ms, accepted_at, claimed_at,
                      decided_at)
    SELECT $5, taken.id, $6, $7, $8, $2, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $4 FROM taken
), said AS (
    INSERT INTO message (id, conversation_id, author, seq, kind, body, was_cut, dedupe_key, turn_id, correlation_id, at)
    SELECT m.id, taken.id, m.author, m.seq, m.kind, m.body, m.was_cut, m.dedupe_key, $5, m.correlation_id, m.at
    FROM taken, unnest($19::uuid[], $20::text[], $21::bigint[], $22::text[], $23::text[], $24::boolean[], $25::text[],
                       $26::text[], $27::timestamptz[])
         AS m (id, author, seq, kind, body, was_cut, dedupe_key, correlation_id, at)
), leaving AS (
    INSERT INTO delivery (id, message_id, conversation_id, turn_id, position, recipient, body, correlation_id, state,
                          attempts, attempt_at, next_at, created_at)
    SELECT d.id, d.message_id, taken.id, $5, d.position, $3, d.body, $6, d.state, d.attempts, d.attempt_at, d.next_at, $4
    FROM taken, unnest($28::uuid[], $29::uuid[], $30::smallint[], $31::text[], $32::text[], $33::integer[],
                       $34::timestamptz[], $35::timestamptz[])
         AS d (id, message_id, position, body, state, attempts, attempt_at, next_at)
)
SELECT id FROM taken"
        )
    };
}

const T1: &str = t1!("
WITH taken AS (
    UPDATE conversation SET fence = $2, reply_address = $3, last_message_at = $4
    WHERE id = $1 AND fence <= $2 RETURNING id");

/// Takes nothing when the person is known already, by another address or another conversation.
const T1_NEW: &str = t1!("
WITH fresh AS (
    INSERT INTO person (id, name, name_source, created_at, updated_at)
    SELECT $37, $38, CASE WHEN $38 IS NULL THEN NULL ELSE 'channel' END, $4, $4
    WHERE NOT EXISTS (SELECT FROM person_identity WHERE kind = 'phone' AND value = $36) RETURNING id
), address AS (
    INSERT INTO person_identity (kind, value, person_id, created_at) SELECT 'phone', $36, fresh.id, $4 FROM fresh
), taken AS (
    INSERT INTO conversation (id, key, person_id, reply_address, fence, created_at, last_message_at)
    SELECT $1, $36, fresh.id, $3, $2, $4, $4 FROM fresh RETURNING id");

const T2: &str = "
WITH taken AS (
    UPDATE conversation SET fence = $2 WHERE id = $1 AND fence <= $2 RETURNING id
)
UPDATE delivery
SET state = d.state, attempts = d.attempts, resends = d.resends, attempt_at = d.attempt_at, next_at = d.next_at,
    external_id = d.external_id, error_code = d.error_code, sent_at = d.sent_at
FROM taken, unnest($3::uuid[], $4::text[], $5::integer[], $6::integer[], $7::timestamptz[], $8::timestamptz[],
                   $9::text[], $10::text[], $11::timestamptz[])
     AS d (id, state, attempts, resends, attempt_at, next_at, external_id, error_code, sent_at)
WHERE delivery.id = d.id
  -- never backwards: what is known to be sent stays sent
  AND (delivery.state NOT IN ('sent', 'delivered', 'read') OR d.state IN ('sent', 'delivered', 'read'))";

/// T1 of a conversation that exists. An answer without texts, or a claim that was overtaken, stores nothing.
///
/// # Errors
/// `StaleFence` when a newer claim has decided; `Conflict` when one of the messages is decided already.
pub async fn decide(
    db: &TenantDb,
    reply_address: &str,
    turn: &TurnRow,
    messages: &[NewMessage],
    deliveries: &[DeliveryRow],
) -> Result<(), StoreError> {
    let taken = db.write(Statement::new(T1, binds(reply_address, turn, messages, deliveries))).await?;
    if taken == 0 { Err(overtaken(db, turn.conversation_id, turn.fence).await?) } else { Ok(()) }
}

/// T1 of the first contact with somebody: person and conversation come into being with it. `false`, and nothing stored,
/// when the person is known already.
///
/// # Errors
/// `Conflict` when another claim made the conversation meanwhile.
pub async fn decide_first(
    db: &TenantDb,
    (phone, reply_address): (&str, &str),
    (person_id, name): (Uuid, Option<&str>),
    turn: &TurnRow,
    messages: &[NewMessage],
    deliveries: &[DeliveryRow],
) -> Result<bool, StoreError> {
    let mut binds = binds(reply_address, turn, messages, deliveries);
    binds.extend([Bind::Text(phone.to_owned()), Bind::Uuid(person_id), Bind::MaybeText(name.map(str::to_owned))]);
    Ok(db.write(Statement::new(T1_NEW, binds)).await? > 0)
}

/// `$1` to `$35` of T1.
fn binds(reply_address: &str, turn: &TurnRow, messages: &[NewMessage], deliveries: &[DeliveryRow]) -> Vec<Bind> {
    let mut binds = vec![
        Bind::Uuid(turn.conversation_id),
        Bind::Big(turn.fence),
        Bind::Text(reply_address.to_owned()),
        Bind::Time(turn.decided_at),
        Bind::Uuid(turn.id),
        Bind::Text(turn.correlation_id.clone()),
        Bind::Text(turn.decision.clone()),
        Bind::Text(turn.reason.clone()),
        Bind::MaybeText(turn.model.clone()),
        Bind::Int(turn.tokens_in),
        Bind::Int(turn.tokens_out),
        Bind::Bool(turn.tokens_estimated),
        Bind::Real(turn.injection_score),
        Bind::Int(turn.messages_seen),
        Bind::Int(turn.preparations),
        Bind::Int(turn.model_ms),
        Bind::Time(turn.accepted_at),
        Bind::Time(turn.claimed_at),
    ];
    binds.extend(message_columns(messages));
    binds.extend(delivery_columns(deliveries));
    binds
}

fn message_columns(rows: &[NewMessage]) -> [Bind; 9] {
    fn text<'r>(rows: &'r [NewMessage], of: impl Fn(&'r NewMessage) -> &'r str) -> Bind {
        Bind::Texts(rows.iter().map(|row| Some(of(row).to_owned())).collect())
    }
    [
        Bind::Uuids(rows.iter().map(|row| row.id).collect()),
        text(rows, |row| row.author),
        Bind::Bigs(rows.iter().map(|row| row.seq).collect()),
        text(rows, |row| &row.kind),
        text(rows, |row| &row.body),
        Bind::Bools(rows.iter().map(|row| row.was_cut).collect()),
        Bind::Texts(rows.iter().map(|row| row.dedupe_key.clone()).collect()),
        text(rows, |row| &row.correlation_id),
        Bind::Times(rows.iter().map(|row| Some(row.at)).collect()),
    ]
}

fn delivery_columns(rows: &[DeliveryRow]) -> [Bind; 8] {
    let text = |of: fn(&DeliveryRow) -> &String| Bind::Texts(rows.iter().map(|row| Some(of(row).clone())).collect());
    let time = |of: fn(&DeliveryRow) -> Option<DateTime<Utc>>| Bind::Times(rows.iter().map(of).collect());
    [
        Bind::Uuids(rows.iter().map(|row| row.id).collect()),
        Bind::Uuids(rows.iter().map(|row| row.message_id).collect()),
        Bind::Smalls(rows.iter().map(|row| row.position).collect()),
        text(|row| &row.body),
        text(|row| &row.state),
        Bind::Ints(rows.iter().map(|row| row.attempts).collect()),
        time(|row| row.attempt_at),
        time(|row| row.next_at),
    ]
}

/// T2: what became of texts, and which is next.
///
/// # Errors
/// `StaleFence` when a newer claim holds the conversation; `Conflict` when a text was settled as sent meanwhile.
pub async fn settle(db: &TenantDb, conversation_id: Uuid, fence: i64, rows: &[&DeliveryRow]) -> Result<(), StoreError> {
    let text = |of: fn(&DeliveryRow) -> Option<String>| Bind::Texts(rows.iter().map(|row| of(row)).collect());
    let time = |of: fn(&DeliveryRow) -> Option<DateTime<Utc>>| Bind::Times(rows.iter().map(|row| of(row)).collect());
    let binds = vec![
        Bind::Uuid(conversation_id),
        Bind::Big(fence),
        Bind::Uuids(rows.iter().map(|row| row.id).collect()),
        text(|row| Some(row.state.clone())),
        Bind::Ints(rows.iter().map(|row| row.attempts).collect()),
        Bind::Ints(rows.iter().map(|row| row.resends).collect()),
        time(|row| row.attempt_at),
        time(|row| row.next_at),
        text(|row| row.external_id.clone()),
        text(|row| row.error_code.clone()),
        time(|row| row.sent_at),
    ];
    let touched = db.write(Statement::new(T2, binds)).await?;
    if touched < rows.len() { Err(overtaken(db, conversation_id, fence).await?) } else { Ok(()) }
}

/// Why a fenced statement touched nothing.
async fn overtaken(db: &TenantDb, conversation_id: Uuid, ours: i64) -> Result<StoreError, StoreError> {
    let mut tx = db.begin().await?;
    let stored = conversation::fence(&mut tx, conversation_id).await?;
    tx.commit().await?;
    Ok(match stored {
        Some(stored) if stored > ours => StoreError::StaleFence { stored, ours },
        Some(_) => StoreError::Conflict { constraint: "delivery_state".to_owned() },
        None => StoreError::pg_data("the conversation is gone"),
    })
}
