//! Files that customers sent, fetched from where the webhook said they are.

use std::time::Duration;

use url::Url;

use super::http::{BodyCut, HttpClient};
use super::{WireError, WireErrorKind};

/// The two ways of fetching.
#[derive(Clone, Copy, Debug)]
pub struct Fetchers<'a> {
    /// For the company's own channel server, which the operator set and which may be private.
    pub trusted: &'a HttpClient,
    /// For any other place: the public Internet only ([`HttpClient::guarded`]).
    pub guarded: &'a HttpClient,
}

/// A file that was fetched whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The type its server gave; empty when none.
    pub content_type: String,
}

/// Fetches a file of at most `limit` bytes; `None` when it is larger. `channel_url` is the base URL of the company's
/// channel: only a file of that very scheme, host and port is fetched without the guard. No credential goes along, and
/// no redirect is followed.
///
/// # Errors
/// `forbidden_url`: the guard refuses. `gone`: it is not there (any more). `refused`, `server_error`: the server's own
/// no. And those of the way: `timeout`, `reset`, `connect`, `dns`, `tls`.
pub async fn fetch(
    fetchers: Fetchers<'_>,
    url: &str,
    channel_url: &str,
    (limit, total): (usize, Duration),
) -> Result<Option<File>, WireError> {
    let http = if same_origin(url, channel_url) { fetchers.trusted } else { fetchers.guarded };
    // One byte more than allowed tells a file at the limit from one over it.
    let answer = http.get(url, &[], total, limit.saturating_add(1)).await?;
    match answer.status {
        200..=299 => {}
        404 | 410 => return Err(answer.error(WireErrorKind::Invalid, "gone")),
        500.. => return Err(answer.error(WireErrorKind::Unavailable, "server_error")),
        _ => return Err(answer.error(WireErrorKind::Invalid, "refused")),
    }
    match answer.cut {
        Some(BodyCut::Timeout) => return Err(answer.error(WireErrorKind::Unavailable, "timeout")),
        Some(BodyCut::Reset) => return Err(answer.error(WireErrorKind::Unavailable, "reset")),
        Some(BodyCut::Limit) => return Ok(None),
        None if answer.body.len() > limit => return Ok(None),
        None => {}
    }
    let content_type = answer.header("content-type").unwrap_or_default().to_owned();
    Ok(Some(File { bytes: answer.body, content_type }))
}

fn same_origin(url: &str, other: &str) -> bool {
    match (Url::parse(url), Url::parse(other)) {
        (Ok(url), Ok(other)) => url.origin().is_tuple() && url.origin() == other.origin() && url.username().is_empty(),
        _ => false,
    }
}
