//! The two commits of a turn, each one prepared statement under the fence: T1 stores what was decided, T2 what became of
//! a text. Both touch nothing when a newer claim has decided already. Those of several conversations travel together.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::conversation;
use super::delivery::DeliveryRow;
use super::message::NewMessage;
use super::turn::TurnRow;
use crate::tenant::{Column, GroupedWrite, StoreError, TenantDb};

/// The part of T1 that known and new conversations share: turns, messages and outgoing texts of the conversations `taken`.
macro_rules! t1 {
    ($taken:literal) => {
        concat!(
            "
WITH given AS (
    SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::timestamptz[], $5::uuid[], $6::text[], $7::text[],
                         $8::text[], $9::text[], $10::integer[], $11::integer[], $12::boolean[], $13::real[],
                         $14::integer[], $15::integer[], $16::integer[], $17::timestamptz[], $18::timestamptz[]",
            $taken,
            "
), decided AS (
    INSERT INTO turn (id, conversation_id, correlation_id, decision, reason, fence, model, tokens_in, tokens_out,
                      tokens_estimated, injection_score, messages_seen, preparations, model_ms, accepted_at, claimed_at,
                      decided_at, intention, mood)
    SELECT g.turn_id, g.id, g.correlation_id, g.decision, g.reason, g.fence, g.model, g.tokens_in, g.tokens_out,
           g.tokens_estimated, g.injection_score, g.messages_seen, g.preparations, g.model_ms, g.accepted_at,
           g.claimed_at, g.decided_at, g.intention, g.mood
    FROM taken JOIN given g ON g.id = taken.id
), said AS (
    INSERT INTO message (id, conversation_id, author, seq, kind, body, was_cut, dedupe_key, turn_id, correlation_id, at)
    SELECT m.id, taken.id, m.author, m.seq, m.kind, m.body, m.was_cut, m.dedupe_key, m.turn_id, m.correlation_id, m.at
    FROM taken JOIN unnest($19::uuid[], $20::uuid[], $21::uuid[], $22::text[], $23::bigint[], $24::text[], $25::text[],
                           $26::boolean[], $27::text[], $28::text[], $29::timestamptz[])
         AS m (conversation, id, turn_id, author, seq, kind, body, was_cut, dedupe_key, correlation_id, at)
         ON m.conversation = taken.id
), leaving AS (
    INSERT INTO delivery (id, message_id, conversation_id, turn_id, position, recipient, body, correlation_id, state,
                          attempts, attempt_at, next_at, created_at)
    SELECT d.id, d.message_id, taken.id, d.turn_id, d.position, d.recipient, d.body, d.correlation_id, d.state,
           d.attempts, d.attempt_at, d.next_at, d.created_at
    FROM taken JOIN unnest($30::uuid[], $31::uuid[], $32::uuid[], $33::uuid[], $34::smallint[], $35::text[], $36::text[],
                           $37::text[], $38::text[], $39::integer[], $40::timestamptz[], $41::timestamptz[],
                           $42::timestamptz[])
         AS d (conversation, id, message_id, turn_id, position, recipient, body, correlation_id, state, attempts,
               attempt_at, next_at, created_at)
         ON d.conversation = taken.id
)
SELECT id FROM taken"
        )
    };
}

const T1: &str = t1!(", $43::text[], $44::real[])
    AS g (id, fence, reply_address, decided_at, turn_id, correlation_id, decision, reason, model, tokens_in, tokens_out,
          tokens_estimated, injection_score, messages_seen, preparations, model_ms, accepted_at, claimed_at, intention,
          mood)
), taken AS (
    UPDATE conversation SET fence = g.fence, reply_address = g.reply_address, last_message_at = g.decided_at
    FROM given g WHERE conversation.id = g.id AND conversation.fence <= g.fence RETURNING conversation.id");

/// Takes nothing when the person is known already, by another address or another conversation.
const T1_NEW: &str = t1!(", $43::text[], $44::real[], $45::text[], $46::uuid[], $47::text[], $48::text[])
    AS g (id, fence, reply_address, decided_at, turn_id, correlation_id, decision, reason, model, tokens_in, tokens_out,
          tokens_estimated, injection_score, messages_seen, preparations, model_ms, accepted_at, claimed_at, intention,
          mood, phone, person_id, name, standing)
), fresh AS (
    INSERT INTO person (id, name, name_source, created_at, updated_at)
    SELECT g.person_id, g.name, CASE WHEN g.name IS NULL THEN NULL ELSE 'channel' END, g.decided_at, g.decided_at
    FROM given g
    WHERE NOT EXISTS (SELECT FROM person_identity WHERE kind = 'phone' AND value = g.phone) RETURNING id
), address AS (
    INSERT INTO person_identity (kind, value, person_id, created_at)
    SELECT 'phone', g.phone, fresh.id, g.decided_at FROM fresh JOIN given g ON g.person_id = fresh.id
), taken AS (
    INSERT INTO conversation (id, key, person_id, reply_address, fence, created_at, last_message_at, standing)
    SELECT g.id, g.phone, fresh.id, g.reply_address, g.fence, g.decided_at, g.decided_at, g.standing::jsonb
    FROM fresh JOIN given g ON g.person_id = fresh.id RETURNING id");

/// The part of T2 behind the conversations `taken`.
macro_rules! t2 {
    ($taken:literal) => {
        concat!(
            "
WITH given AS (
    SELECT DISTINCT * FROM unnest($1::uuid[], $2::bigint[]) AS g (id, fence)
), taken AS (
    ",
            $taken,
            "
)
UPDATE delivery
SET state = d.state, attempts = d.attempts, resends = d.resends, attempt_at = d.attempt_at, next_at = d.next_at,
    external_id = d.external_id, error_code = d.error_code, sent_at = d.sent_at
FROM taken JOIN unnest($1::uuid[], $3::uuid[], $4::text[], $5::integer[], $6::integer[], $7::timestamptz[],
                       $8::timestamptz[], $9::text[], $10::text[], $11::timestamptz[])
     AS d (conversation, id, state, attempts, resends, attempt_at, next_at, external_id, error_code, sent_at)
     ON d.conversation = taken.id
WHERE delivery.id = d.id
  -- never backwards: what is known to be sent stays sent
  AND (delivery.state NOT IN ('sent', 'delivered', 'read') OR d.state IN ('sent', 'delivered', 'read'))
RETURNING delivery.conversation_id"
        )
    };
}

/// The claim is the one that decided last, which is nearly always so: its row need not be written again.
const T2: &str = t2!(
    "SELECT conversation.id FROM given g JOIN conversation ON conversation.id = g.id AND conversation.fence = g.fence
    ORDER BY conversation.id FOR NO KEY UPDATE OF conversation"
);

/// A claim that has not decided anything finishes what an older one left.
const T2_TAKE: &str = t2!("UPDATE conversation SET fence = g.fence FROM given g
    WHERE conversation.id = g.id AND conversation.fence <= g.fence RETURNING conversation.id");

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
    let columns = columns(reply_address, turn, messages, deliveries);
    let taken = db.write(GroupedWrite::new(T1, turn.conversation_id, columns)).await?;
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
    (person_id, name, standing): (Uuid, Option<&str>, &str),
    turn: &TurnRow,
    messages: &[NewMessage],
    deliveries: &[DeliveryRow],
) -> Result<bool, StoreError> {
    let mut columns = columns(reply_address, turn, messages, deliveries);
    columns.extend([
        Column::text(phone),
        Column::Uuids(vec![person_id]),
        Column::Texts(vec![name.map(str::to_owned)]),
        Column::text(standing),
    ]);
    Ok(db.write(GroupedWrite::new(T1_NEW, turn.conversation_id, columns)).await? > 0)
}

/// `$1` to `$44` of T1.
fn columns(reply_address: &str, turn: &TurnRow, messages: &[NewMessage], deliveries: &[DeliveryRow]) -> Vec<Column> {
    let mut columns = vec![
        Column::Uuids(vec![turn.conversation_id]),
        Column::Bigs(vec![turn.fence]),
        Column::text(reply_address),
        Column::time(turn.decided_at),
        Column::Uuids(vec![turn.id]),
        Column::text(&turn.correlation_id),
        Column::text(&turn.decision),
        Column::text(&turn.reason),
        Column::Texts(vec![turn.model.clone()]),
        Column::Ints(vec![turn.tokens_in]),
        Column::Ints(vec![turn.tokens_out]),
        Column::Bools(vec![turn.tokens_estimated]),
        Column::Reals(vec![turn.injection_score]),
        Column::Ints(vec![turn.messages_seen]),
        Column::Ints(vec![turn.preparations]),
        Column::Ints(vec![turn.model_ms]),
        Column::time(turn.accepted_at),
        Column::time(turn.claimed_at),
    ];
    columns.extend(message_columns(turn, messages));
    columns.extend(delivery_columns(turn, deliveries));
    columns.extend([Column::text(&turn.intention), Column::Reals(vec![turn.mood])]);
    columns
}

fn message_columns(turn: &TurnRow, rows: &[NewMessage]) -> [Column; 11] {
    fn text<'r>(rows: &'r [NewMessage], of: impl Fn(&'r NewMessage) -> &'r str) -> Column {
        Column::Texts(rows.iter().map(|row| Some(of(row).to_owned())).collect())
    }
    [
        Column::Uuids(vec![turn.conversation_id; rows.len()]),
        Column::Uuids(rows.iter().map(|row| row.id).collect()),
        Column::Uuids(vec![turn.id; rows.len()]),
        text(rows, |row| row.author),
        Column::Bigs(rows.iter().map(|row| row.seq).collect()),
        text(rows, |row| &row.kind),
        text(rows, |row| &row.body),
        Column::Bools(rows.iter().map(|row| row.was_cut).collect()),
        Column::Texts(rows.iter().map(|row| row.dedupe_key.clone()).collect()),
        text(rows, |row| &row.correlation_id),
        Column::Times(rows.iter().map(|row| Some(row.at)).collect()),
    ]
}

fn delivery_columns(turn: &TurnRow, rows: &[DeliveryRow]) -> [Column; 13] {
    let text = |of: fn(&DeliveryRow) -> &String| Column::Texts(rows.iter().map(|row| Some(of(row).clone())).collect());
    let time = |of: fn(&DeliveryRow) -> Option<DateTime<Utc>>| Column::Times(rows.iter().map(of).collect());
    [
        Column::Uuids(vec![turn.conversation_id; rows.len()]),
        Column::Uuids(rows.iter().map(|row| row.id).collect()),
        Column::Uuids(rows.iter().map(|row| row.message_id).collect()),
        Column::Uuids(vec![turn.id; rows.len()]),
        Column::Smalls(rows.iter().map(|row| row.position).collect()),
        text(|row| &row.recipient),
        text(|row| &row.body),
        text(|row| &row.correlation_id),
        text(|row| &row.state),
        Column::Ints(rows.iter().map(|row| row.attempts).collect()),
        time(|row| row.attempt_at),
        time(|row| row.next_at),
        time(|row| Some(row.created_at)),
    ]
}

/// T2: what became of texts, and which is next.
///
/// # Errors
/// `StaleFence` when a newer claim holds the conversation; `Conflict` when a text was settled as sent meanwhile.
pub async fn settle(db: &TenantDb, conversation_id: Uuid, fence: i64, rows: &[&DeliveryRow]) -> Result<(), StoreError> {
    let text = |of: fn(&DeliveryRow) -> Option<String>| Column::Texts(rows.iter().map(|row| of(row)).collect());
    let time = |of: fn(&DeliveryRow) -> Option<DateTime<Utc>>| Column::Times(rows.iter().map(|row| of(row)).collect());
    let columns = vec![
        Column::Uuids(vec![conversation_id; rows.len()]),
        Column::Bigs(vec![fence; rows.len()]),
        Column::Uuids(rows.iter().map(|row| row.id).collect()),
        text(|row| Some(row.state.clone())),
        Column::Ints(rows.iter().map(|row| row.attempts).collect()),
        Column::Ints(rows.iter().map(|row| row.resends).collect()),
        time(|row| row.attempt_at),
        time(|row| row.next_at),
        text(|row| row.external_id.clone()),
        text(|row| row.error_code.clone()),
        time(|row| row.sent_at),
    ];
    for statement in [T2, T2_TAKE] {
        let touched = db.write(GroupedWrite::new(statement, conversation_id, columns.clone())).await?;
        if touched >= rows.len() {
            return Ok(());
        }
    }
    Err(overtaken(db, conversation_id, fence).await?)
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
