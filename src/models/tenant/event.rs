//! What happened with people, for figures: wordings they were shown, and what they did afterwards.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::models::schema::tenant::{event, experiment};
use crate::tenant::{Column, StoreError, TenantTx};

/// A wording of an experiment was said. Counts once its text is delivered.
pub const IMPRESSION: &str = "impression";
/// Somebody answered something that was sent of our own accord.
pub const RESPONSE: &str = "response";
/// Somebody did what the company wishes for.
pub const CONVERSION: &str = "conversion";
/// Somebody said what they think.
pub const FEEDBACK: &str = "feedback";

/// An event to store.
#[derive(Clone, Debug, PartialEq, Eq, Insertable)]
#[diesel(table_name = event)]
pub struct EventRow {
    /// Its id.
    pub id: Uuid,
    /// `impression`, `response`, `conversion`, `feedback`.
    pub kind: &'static str,
    /// When.
    pub at: DateTime<Utc>,
    /// In which conversation.
    pub conversation_id: Option<Uuid>,
    /// With whom, where there is no conversation.
    pub person_id: Option<Uuid>,
    /// An impression's experiment.
    pub experiment_id: Option<Uuid>,
    /// An impression's variant.
    pub variant: Option<String>,
    /// The text whose delivery makes an impression count.
    pub delivery_id: Option<Uuid>,
    /// More, without texts, names or numbers.
    pub data: Value,
}

impl EventRow {
    fn of(id: Uuid, kind: &'static str, conversation_id: Uuid, at: DateTime<Utc>) -> Self {
        Self {
            id,
            kind,
            at,
            conversation_id: Some(conversation_id),
            person_id: None,
            experiment_id: None,
            variant: None,
            delivery_id: None,
            data: json!({}),
        }
    }

    /// A wording of an experiment is to be said with this text.
    pub fn impression(
        id: Uuid,
        conversation_id: Uuid,
        (experiment, variant): (Uuid, &str),
        delivery_id: Uuid,
        at: DateTime<Utc>,
    ) -> Self {
        Self {
            experiment_id: Some(experiment),
            variant: Some(variant.to_owned()),
            delivery_id: Some(delivery_id),
            ..Self::of(id, IMPRESSION, conversation_id, at)
        }
    }

    /// Somebody did what the company wishes for; `what` is a closed word such as `booked`.
    pub fn conversion(id: Uuid, conversation_id: Uuid, what: &'static str, at: DateTime<Utc>) -> Self {
        Self { data: json!({ "what": what }), ..Self::of(id, CONVERSION, conversation_id, at) }
    }

    /// Somebody answered something sent of our own accord; `what` is a closed word such as `reminder`.
    pub fn response(id: Uuid, conversation_id: Uuid, what: &'static str, at: DateTime<Utc>) -> Self {
        Self { data: json!({ "what": what }), ..Self::of(id, RESPONSE, conversation_id, at) }
    }

    /// Nobody came; `source` is a closed word for who says so.
    pub fn no_show(id: Uuid, conversation_id: Uuid, source: &'static str, at: DateTime<Utc>) -> Self {
        Self { data: json!({ "what": "no_show", "source": source }), ..Self::of(id, FEEDBACK, conversation_id, at) }
    }

    /// Somebody said what they think; `mood` is a mood's label.
    pub fn feedback(id: Uuid, conversation_id: Uuid, mood: &'static str, at: DateTime<Utc>) -> Self {
        Self { data: json!({ "mood": mood }), ..Self::of(id, FEEDBACK, conversation_id, at) }
    }
}

/// Stores events.
pub async fn insert(tx: &mut TenantTx, rows: &[EventRow]) -> Result<(), StoreError> {
    diesel::insert_into(event::table).values(rows).execute(tx.conn()).await?;
    Ok(())
}

/// Events as columns of a statement that stores them together with other rows:
/// `unnest($n::uuid[], …::uuid[], …::text[], …::timestamptz[], …::text[], …::text[], …::text[], …::text[])
/// AS e (conversation, id, kind, at, experiment_id, variant, delivery_id, data)`; ids that may be absent and `data` are to be
/// cast.
pub fn columns(conversation: Uuid, rows: &[EventRow]) -> Vec<Column> {
    let texts = |of: fn(&EventRow) -> Option<String>| Column::Texts(rows.iter().map(of).collect());
    vec![
        Column::Uuids(vec![conversation; rows.len()]),
        Column::Uuids(rows.iter().map(|row| row.id).collect()),
        texts(|row| Some(row.kind.to_owned())),
        Column::Times(rows.iter().map(|row| Some(row.at)).collect()),
        texts(|row| row.experiment_id.map(|id| id.to_string())),
        texts(|row| row.variant.clone()),
        texts(|row| row.delivery_id.map(|id| id.to_string())),
        texts(|row| Some(row.data.to_string())),
    ]
}

/// The variants somebody was given in the experiments under way, by what they were first shown.
pub async fn assigned(tx: &mut TenantTx, conversation_id: Uuid) -> Result<Vec<(Uuid, String)>, StoreError> {
    let rows: Vec<(Option<Uuid>, Option<String>)> = event::table
        .inner_join(experiment::table.on(event::experiment_id.eq(experiment::id.nullable())))
        .filter(event::conversation_id.eq(conversation_id).and(event::kind.eq(IMPRESSION)))
        .filter(experiment::state.eq(super::experiment::RUNNING))
        .distinct_on(event::experiment_id)
        .order((event::experiment_id, event::at))
        .select((event::experiment_id, event::variant))
        .load(tx.conn())
        .await?;
    Ok(rows.into_iter().filter_map(|(id, variant)| Some((id?, variant?))).collect())
}

/// What was thought of us in a conversation, newest first: labels of moods.
pub async fn opinions(tx: &mut TenantTx, conversation_id: Uuid) -> Result<Vec<String>, StoreError> {
    let moods: Vec<Value> = event::table
        .select(event::data)
        .filter(event::conversation_id.eq(conversation_id).and(event::kind.eq(FEEDBACK)))
        .order(event::at.desc())
        .limit(50)
        .load(tx.conn())
        .await?;
    Ok(moods.iter().filter_map(|data| data.get("mood")?.as_str().map(str::to_owned)).collect())
}

/// What became of a variant.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct Tally {
    /// The variant.
    #[diesel(sql_type = Text)]
    pub variant: String,
    /// Its texts that were delivered.
    #[diesel(sql_type = BigInt)]
    pub impressions: i64,
    /// People who got one.
    #[diesel(sql_type = BigInt)]
    pub people: i64,
    /// Of those, who wrote again in time.
    #[diesel(sql_type = BigInt)]
    pub responses: i64,
    /// Of those, who did what the company wishes for in time.
    #[diesel(sql_type = BigInt)]
    pub conversions: i64,
    /// Of those, who thought well of it in time.
    #[diesel(sql_type = BigInt)]
    pub positives: i64,
}

/// How long after it was first shown a wording is held to have caused what somebody does.
#[derive(Clone, Copy, Debug)]
pub struct Windows {
    /// Writing again, hours.
    pub response_hours: i32,
    /// Conversion and feedback, hours.
    pub outcome_hours: i32,
}

const TALLY: &str = "
WITH shown AS (
    SELECT e.variant, e.conversation_id, e.at
    FROM event e JOIN delivery d ON d.id = e.delivery_id
    WHERE e.experiment_id = $1 AND e.kind = 'impression' AND d.state IN ('sent', 'delivered', 'read')
      AND e.at <= $2
), first AS (
    SELECT DISTINCT ON (conversation_id) conversation_id, variant, at FROM shown ORDER BY conversation_id, at
), became AS (
    SELECT first.variant,
           EXISTS (SELECT FROM message m WHERE m.conversation_id = first.conversation_id AND m.author = 'customer'
                   AND m.at > first.at AND m.at <= first.at + make_interval(hours => $3)) AS responded,
           EXISTS (SELECT FROM event x WHERE (x.conversation_id = c.id OR x.person_id = c.person_id)
                   AND x.kind = 'conversion' AND x.at > first.at AND x.at <= first.at + make_interval(hours => $4))
               AS converted,
           EXISTS (SELECT FROM event x WHERE (x.conversation_id = c.id OR x.person_id = c.person_id)
                   AND x.kind = 'feedback' AND x.data ->> 'mood' = 'pos'
                   AND x.at > first.at AND x.at <= first.at + make_interval(hours => $4)) AS pleased
    FROM first JOIN conversation c ON c.id = first.conversation_id
)
SELECT s.variant, s.impressions, coalesce(p.people, 0) AS people, coalesce(p.responses, 0) AS responses,
       coalesce(p.conversions, 0) AS conversions, coalesce(p.positives, 0) AS positives
FROM (SELECT variant, count(*) AS impressions FROM shown GROUP BY variant) s
LEFT JOIN (SELECT variant, count(*) AS people, count(*) FILTER (WHERE responded) AS responses,
                  count(*) FILTER (WHERE converted) AS conversions, count(*) FILTER (WHERE pleased) AS positives
           FROM became GROUP BY variant) p USING (variant)";

/// The figures of an experiment up to a moment, a row for each variant that was shown.
pub async fn tally(
    tx: &mut TenantTx,
    experiment: Uuid,
    windows: Windows,
    until: DateTime<Utc>,
) -> Result<Vec<Tally>, StoreError> {
    Ok(diesel::sql_query(TALLY)
        .bind::<SqlUuid, _>(experiment)
        .bind::<Timestamptz, _>(until)
        .bind::<Integer, _>(windows.response_hours)
        .bind::<Integer, _>(windows.outcome_hours)
        .load(tx.conn())
        .await?)
}
