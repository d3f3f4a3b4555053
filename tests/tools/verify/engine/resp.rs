//! A few Redis commands over a socket of our own, so that the judge shares no code with the accused.

use std::path::Path;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Nil,
    Int(i64),
    Text(String),
    List(Vec<Value>),
    Error(String),
}

impl Value {
    pub fn int(&self) -> i64 {
        match self {
            Self::Int(n) => *n,
            Self::Text(text) => text.parse().unwrap_or(0),
            _ => 0,
        }
    }

    pub fn text(&self) -> &str {
        if let Self::Text(text) | Self::Error(text) = self { text } else { "" }
    }

    pub fn list(&self) -> &[Value] {
        if let Self::List(items) = self { items } else { &[] }
    }
}

/// A connection.
pub struct Resp(BufReader<UnixStream>);

impl Resp {
    pub async fn connect(socket: &Path) -> std::io::Result<Self> {
        Ok(Self(BufReader::new(UnixStream::connect(socket).await?)))
    }

    pub async fn ask(&mut self, words: &[&str]) -> std::io::Result<Value> {
        let mut out = format!("*{}\r\n", words.len());
        for word in words {
            out.push_str(&format!("${}\r\n{word}\r\n", word.len()));
        }
        self.0.get_mut().write_all(out.as_bytes()).await?;
        self.read().await
    }

    async fn read(&mut self) -> std::io::Result<Value> {
        let mut line = String::new();
        if self.0.read_line(&mut line).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let (kind, rest) = line.trim_end().split_at(1);
        Ok(match kind {
            "+" => Value::Text(rest.to_owned()),
            "-" => Value::Error(rest.to_owned()),
            ":" => Value::Int(rest.parse().unwrap_or(0)),
            "$" => match rest.parse::<i64>().unwrap_or(-1) {
                -1 => Value::Nil,
                length => {
                    let mut bytes = vec![0; usize::try_from(length).unwrap() + 2];
                    self.0.read_exact(&mut bytes).await?;
                    bytes.truncate(bytes.len() - 2);
                    Value::Text(String::from_utf8_lossy(&bytes).into_owned())
                }
            },
            _ => {
                let mut items = Vec::new();
                for _ in 0..rest.parse::<i64>().unwrap_or(0) {
                    items.push(Box::pin(self.read()).await?);
                }
                Value::List(items)
            }
        })
    }
}
