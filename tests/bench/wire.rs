//! Just enough HTTP/1.1 to be cheap: whole messages with a `content-length` on kept connections, both ways.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Largest message; everything here is far smaller.
const LIMIT: usize = 8 * 1024 * 1024;

/// A connection and what was read of it.
pub struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// Bytes of the message handed out last.
    used: usize,
}

/// A whole message, borrowed from its connection.
pub struct Message<'a> {
    head: &'a [u8],
    /// The body.
    pub body: &'a [u8],
}

impl Wire {
    pub fn new(stream: TcpStream) -> Self {
        // Without it every small answer waits for an acknowledgement; a refusal only makes it slower.
        let _ = stream.set_nodelay(true);
        Self { stream, buffer: Vec::with_capacity(4096), used: 0 }
    }

    pub async fn connect(address: &str) -> io::Result<Self> {
        TcpStream::connect(address).await.map(Self::new)
    }

    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// The next whole message; `None` when the other side has left.
    pub async fn read(&mut self) -> io::Result<Option<Message<'_>>> {
        self.buffer.drain(..self.used);
        self.used = 0;
        let (head, whole) = loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                let head = end + 4;
                let length = header(&self.buffer[..head], "content-length").and_then(|n| n.parse::<usize>().ok());
                let whole = head + length.unwrap_or(0);
                if self.buffer.len() >= whole {
                    break (head, whole);
                }
            }
            if self.buffer.len() > LIMIT {
                return Err(io::Error::other("a message without end"));
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Ok(None);
            }
        };
        self.used = whole;
        Ok(Some(Message { head: &self.buffer[..head], body: &self.buffer[head..whole] }))
    }
}

impl Message<'_> {
    pub fn header(&self, name: &str) -> Option<&str> {
        header(self.head, name)
    }

    /// The first line: of a request `POST /path HTTP/1.1`, of an answer `HTTP/1.1 202 Accepted`.
    pub fn first_line(&self) -> &str {
        let end = find(self.head, b"\r\n").unwrap_or(0);
        std::str::from_utf8(&self.head[..end]).unwrap_or_default()
    }

    /// The status of an answer; 0 when there is none to be read.
    pub fn status(&self) -> u16 {
        self.first_line().split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0)
    }
}

fn header<'a>(head: &'a [u8], name: &str) -> Option<&'a str> {
    head.split(|b| *b == b'\n').skip(1).find_map(|line| {
        let (key, value) = line.split_at_checked(name.len())?;
        let value = value.strip_prefix(b":")?;
        key.eq_ignore_ascii_case(name.as_bytes()).then(|| std::str::from_utf8(value.trim_ascii()).ok())?
    })
}

pub fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}
