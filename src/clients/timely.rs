//! A request body that leaves in time or not at all.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Instant;

/// The moment until which a request may leave had passed before its bytes were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the moment until which the request might leave has passed")]
pub struct TooLate;

/// A whole body that is given to the connection only while it is time. The connection asks for it in the same breath in
/// which it writes the head, so between the check and the wire there is no queue, no handshake and no other task.
pub(super) struct TimelyBody {
    bytes: Option<Bytes>,
    not_after: Instant,
}

impl TimelyBody {
    /// `bytes`, not after `not_after`.
    pub(super) fn new(bytes: Vec<u8>, not_after: Instant) -> Self {
        Self { bytes: Some(bytes.into()), not_after }
    }
}

impl Body for TimelyBody {
    type Data = Bytes;
    type Error = TooLate;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, TooLate>>> {
        let Some(bytes) = self.bytes.take() else { return Poll::Ready(None) };
        let in_time = Instant::now() < self.not_after;
        Poll::Ready(Some(if in_time { Ok(Frame::data(bytes)) } else { Err(TooLate) }))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}
