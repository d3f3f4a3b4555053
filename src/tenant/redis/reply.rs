//! Answers of Redis, as the rest of the product reads them.

use deadpool_redis::redis::Value;

/// What Redis answered.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// Nothing.
    Nil,
    /// A number.
    Int(i64),
    /// A text. Bytes that are not UTF-8 never get in, so none come out.
    Text(String),
    /// A list.
    List(Vec<Reply>),
}

impl Reply {
    /// The number, also when written as text.
    pub fn int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            Self::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// The text.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The list; empty for anything else.
    pub fn list(&self) -> &[Reply] {
        match self {
            Self::List(list) => list,
            _ => &[],
        }
    }

    /// The n-th element's number.
    pub fn int_at(&self, n: usize) -> Option<i64> {
        self.list().get(n).and_then(Self::int)
    }

    /// The n-th element's text.
    pub fn text_at(&self, n: usize) -> Option<&str> {
        self.list().get(n).and_then(Self::text)
    }
}

impl From<Value> for Reply {
    fn from(value: Value) -> Self {
        match value {
            Value::Int(number) => Self::Int(number),
            Value::BulkString(bytes) => Self::Text(
                String::from_utf8(bytes).unwrap_or_else(|bad| String::from_utf8_lossy(bad.as_bytes()).into_owned()),
            ),
            Value::SimpleString(text) | Value::VerbatimString { text, .. } => Self::Text(text),
            Value::Okay => Self::Text("OK".to_owned()),
            Value::Array(list) | Value::Set(list) => Self::List(list.into_iter().map(Self::from).collect()),
            Value::Map(pairs) => {
                Self::List(pairs.into_iter().flat_map(|(key, value)| [key.into(), value.into()]).collect())
            }
            Value::Boolean(yes) => Self::Int(i64::from(yes)),
            _ => Self::Nil,
        }
    }
}
