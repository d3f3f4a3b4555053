//! Writes whose values are all columns of rows, so that several of them travel as one statement.

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Bool, Float, Integer, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

use super::error::StoreError;
use crate::domain::company::CompanyId;

/// A value of a statement, `$1`, `$2`, … in order: a column, one element a row.
#[derive(Clone, Debug)]
pub enum Column {
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
    /// `real[]`.
    Reals(Vec<f32>),
    /// `boolean[]`.
    Bools(Vec<bool>),
    /// `timestamptz[]`, elements may be null.
    Times(Vec<Option<DateTime<Utc>>>),
}

impl Column {
    /// A column of one text.
    pub fn text(value: impl Into<String>) -> Self {
        Self::Texts(vec![Some(value.into())])
    }

    /// A column of one moment.
    pub fn time(value: DateTime<Utc>) -> Self {
        Self::Times(vec![Some(value)])
    }

    /// Takes the rows of another column; `false` when it is of another type.
    fn extend(&mut self, other: &Self) -> bool {
        match (self, other) {
            (Self::Uuids(rows), Self::Uuids(more)) => rows.extend_from_slice(more),
            (Self::Texts(rows), Self::Texts(more)) => rows.extend_from_slice(more),
            (Self::Bigs(rows), Self::Bigs(more)) => rows.extend_from_slice(more),
            (Self::Smalls(rows), Self::Smalls(more)) => rows.extend_from_slice(more),
            (Self::Ints(rows), Self::Ints(more)) => rows.extend_from_slice(more),
            (Self::Reals(rows), Self::Reals(more)) => rows.extend_from_slice(more),
            (Self::Bools(rows), Self::Bools(more)) => rows.extend_from_slice(more),
            (Self::Times(rows), Self::Times(more)) => rows.extend_from_slice(more),
            _ => return false,
        }
        true
    }
}

/// A write of one conversation, which may travel together with writes of the same text of other conversations.
///
/// The text is constant and takes its rows through `unnest`. It returns, for each row it touched, the conversation that
/// row belongs to, so that each writer learns about its own.
#[derive(Clone, Debug)]
pub struct GroupedWrite {
    pub(super) sql: &'static str,
    pub(super) conversation: Uuid,
    pub(super) columns: Vec<Column>,
}

impl GroupedWrite {
    /// `sql` with `$1 … $n`, and its `n` columns.
    pub fn new(sql: &'static str, conversation: Uuid, columns: Vec<Column>) -> Self {
        Self { sql, conversation, columns }
    }
}

/// Writes of the same text as one statement of a company.
pub(super) struct Statement {
    sql: String,
    columns: Vec<Column>,
}

impl Statement {
    /// The writes as one statement for each text, with that text. Writes of one text whose columns differ in number or type
    /// are a mistake of the program and an error: `unnest` would fill the shorter column up with nulls.
    pub(super) fn all(company: CompanyId, writes: &[&GroupedWrite]) -> Result<Vec<(&'static str, Self)>, StoreError> {
        let mut statements: Vec<(&'static str, Self)> = Vec::new();
        for write in writes {
            match statements.iter_mut().find(|(sql, _)| *sql == write.sql) {
                Some((_, statement)) => {
                    let mut pairs = statement.columns.iter_mut().zip(&write.columns);
                    let fits = pairs.all(|(column, more)| column.extend(more));
                    if !fits || statement.columns.len() != write.columns.len() {
                        return Err(StoreError::pg_data("two writes of the same text have different columns"));
                    }
                }
                // Each company's own text is a prepared statement of its own. One text for all would be planned anew
                // whenever the search path is another than last time, which costs more than running it.
                None => {
                    let sql = format!("/* {} */{}", company.get(), write.sql);
                    statements.push((write.sql, Self { sql, columns: write.columns.clone() }));
                }
            }
        }
        Ok(statements)
    }
}

impl QueryId for Statement {
    type QueryId = ();
    // The cache then goes by the text.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Statement {
    type SqlType = SqlUuid;
}

impl QueryFragment<Pg> for Statement {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> diesel::QueryResult<()> {
        out.push_sql(&self.sql);
        for column in &self.columns {
            match column {
                Column::Uuids(rows) => out.push_bind_param_value_only::<Array<SqlUuid>, _>(rows)?,
                Column::Texts(rows) => out.push_bind_param_value_only::<Array<Nullable<Text>>, _>(rows)?,
                Column::Bigs(rows) => out.push_bind_param_value_only::<Array<BigInt>, _>(rows)?,
                Column::Smalls(rows) => out.push_bind_param_value_only::<Array<SmallInt>, _>(rows)?,
                Column::Ints(rows) => out.push_bind_param_value_only::<Array<Integer>, _>(rows)?,
                Column::Reals(rows) => out.push_bind_param_value_only::<Array<Float>, _>(rows)?,
                Column::Bools(rows) => out.push_bind_param_value_only::<Array<Bool>, _>(rows)?,
                Column::Times(rows) => out.push_bind_param_value_only::<Array<Nullable<Timestamptz>>, _>(rows)?,
            }
        }
        Ok(())
    }
}

impl<Conn> diesel::RunQueryDsl<Conn> for Statement {}
