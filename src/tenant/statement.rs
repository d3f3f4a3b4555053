//! One prepared statement in a transaction of its own, with as few round trips as a durable, fenced write allows.

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Bool, Float, Integer, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

/// A value of a statement, `$1`, `$2`, … in order.
#[derive(Clone, Debug)]
pub enum Bind {
    /// `uuid`.
    Uuid(Uuid),
    /// `text`.
    Text(String),
    /// `text`, or null.
    MaybeText(Option<String>),
    /// `bigint`.
    Big(i64),
    /// `integer`.
    Int(i32),
    /// `real`.
    Real(f32),
    /// `boolean`.
    Bool(bool),
    /// `timestamptz`.
    Time(DateTime<Utc>),
    /// `timestamptz`, or null.
    MaybeTime(Option<DateTime<Utc>>),
    /// `uuid[]`.
    Uuids(Vec<Uuid>),
    /// `text[]`, elements may be null.
    Texts(Vec<Option<String>>),
    /// `bigint[]`.
    Bigs(Vec<i64>),
    /// `smallint[]`.
    Smalls(Vec<i16>),
    /// `integer[]`.
    Ints(Vec<i32>),
    /// `boolean[]`.
    Bools(Vec<bool>),
    /// `timestamptz[]`, elements may be null.
    Times(Vec<Option<DateTime<Utc>>>),
}

/// A statement whose text is constant, so that every connection prepares it once. Rows come as arrays (`unnest`), since
/// a text that varied with their number would be prepared anew for every number.
#[derive(Clone, Debug)]
pub struct Statement {
    sql: &'static str,
    binds: Vec<Bind>,
}

impl Statement {
    /// `sql` with `$1 … $n`, and the `n` values.
    pub fn new(sql: &'static str, binds: Vec<Bind>) -> Self {
        Self { sql, binds }
    }
}

impl QueryId for Statement {
    type QueryId = ();
    // The cache then goes by the text.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl QueryFragment<Pg> for Statement {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> diesel::QueryResult<()> {
        out.push_sql(self.sql);
        for bind in &self.binds {
            match bind {
                Bind::Uuid(value) => out.push_bind_param_value_only::<SqlUuid, _>(value)?,
                Bind::Text(value) => out.push_bind_param_value_only::<Text, _>(value)?,
                Bind::MaybeText(value) => out.push_bind_param_value_only::<Nullable<Text>, _>(value)?,
                Bind::Big(value) => out.push_bind_param_value_only::<BigInt, _>(value)?,
                Bind::Int(value) => out.push_bind_param_value_only::<Integer, _>(value)?,
                Bind::Real(value) => out.push_bind_param_value_only::<Float, _>(value)?,
                Bind::Bool(value) => out.push_bind_param_value_only::<Bool, _>(value)?,
                Bind::Time(value) => out.push_bind_param_value_only::<Timestamptz, _>(value)?,
                Bind::MaybeTime(value) => out.push_bind_param_value_only::<Nullable<Timestamptz>, _>(value)?,
                Bind::Uuids(value) => out.push_bind_param_value_only::<Array<SqlUuid>, _>(value)?,
                Bind::Texts(value) => out.push_bind_param_value_only::<Array<Nullable<Text>>, _>(value)?,
                Bind::Bigs(value) => out.push_bind_param_value_only::<Array<BigInt>, _>(value)?,
                Bind::Smalls(value) => out.push_bind_param_value_only::<Array<SmallInt>, _>(value)?,
                Bind::Ints(value) => out.push_bind_param_value_only::<Array<Integer>, _>(value)?,
                Bind::Bools(value) => out.push_bind_param_value_only::<Array<Bool>, _>(value)?,
                Bind::Times(value) => out.push_bind_param_value_only::<Array<Nullable<Timestamptz>>, _>(value)?,
            }
        }
        Ok(())
    }
}

impl<Conn> diesel::RunQueryDsl<Conn> for Statement {}
