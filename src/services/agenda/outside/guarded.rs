//! Every call of the calendar outside: past a breaker that all processes share, timed, and its failures counted.
//!
//! A calendar that fails again and again is left alone for a while, one that asks for patience for as long as it asks,
//! and one that refuses the key until somebody may have set another: nobody who writes meanwhile waits for it.

use std::sync::LazyLock;
use std::time::Duration;

use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::Outside;
use crate::clients::calendar::calcom::Calcom;
use crate::clients::calendar::{Booking, FreeTime, NewBooking, Reservation, SlotQuery};
use crate::clients::{WireError, WireErrorKind};
use crate::telemetry::metrics::{self, CalendarCall as Call, CalendarCallError, CircuitState};
use crate::tenant::{Lua, Reply};

static SCRIPT: LazyLock<Lua> = LazyLock::new(|| Lua::new(include_str!("breaker.lua")));

/// Failures in a row after which the calendar is left alone.
const FAILURES: i64 = 5;
/// For how long; failures further apart do not follow each other.
const REST: Duration = Duration::from_secs(30);
/// How long a calendar that refuses the key is not asked again.
const REFUSED: Duration = Duration::from_secs(60);
/// The code of a call that was not made.
const OPEN: &str = "circuit_open";

/// A calendar behind its breaker. Its calls are those of [`Calcom`].
pub(in crate::services::agenda) struct Guarded<'a> {
    outside: &'a Outside<'a>,
    name: String,
}

/// Makes one call, if the breaker lets it, and tells the breaker how it went.
macro_rules! guarded {
    ($self:ident, $call:expr, $($made:tt)+) => {{
        let failed_before = $self.ask().await?;
        let begun = Instant::now();
        let done = $self.wire().$($made)+.await;
        metrics::calendar_call_latency($self.outside.desk.tenant.id(), $call, begun.elapsed());
        $self.learn(failed_before, done.as_ref().err()).await;
        done
    }};
}

impl<'a> Guarded<'a> {
    pub(super) fn new(outside: &'a Outside<'a>) -> Self {
        let endpoint = &outside.endpoint;
        // Another address or key begins afresh. A digest, so that no name in Redis tells a key.
        let digest = Sha256::new()
            .chain_update(endpoint.base_url.as_bytes())
            .chain_update([0])
            .chain_update(endpoint.api_key.expose_secret().as_bytes())
            .finalize();
        Self { outside, name: hex::encode(digest.get(..8).unwrap_or_default()) }
    }

    fn wire(&self) -> Calcom<'_> {
        Calcom::new(&self.outside.desk.services.http, &self.outside.endpoint)
    }

    pub(super) async fn slots(&self, query: &SlotQuery<'_>) -> Result<Vec<FreeTime>, WireError> {
        guarded!(self, Call::Slots, slots(query))
    }

    pub(super) async fn reserve(
        &self,
        event_type: i64,
        starts: DateTime<Utc>,
        minutes: u32,
    ) -> Result<Reservation, WireError> {
        guarded!(self, Call::Reserve, reserve(event_type, starts, minutes))
    }

    pub(super) async fn release(&self, reservation: &str) -> Result<(), WireError> {
        guarded!(self, Call::Reserve, release(reservation))
    }

    pub(super) async fn book(&self, booking: &NewBooking<'_>) -> Result<Booking, WireError> {
        guarded!(self, Call::Book, book(booking))
    }

    pub(in crate::services::agenda) async fn booking(&self, uid: &str) -> Result<Booking, WireError> {
        guarded!(self, Call::Read, booking(uid))
    }

    pub(super) async fn find_by_intent(
        &self,
        intent: &str,
        event_type: i64,
        since: DateTime<Utc>,
    ) -> Result<Vec<Booking>, WireError> {
        guarded!(self, Call::Read, find_by_intent(intent, event_type, since))
    }

    pub(in crate::services::agenda) async fn updated_after(
        &self,
        since: DateTime<Utc>,
    ) -> Result<Vec<Booking>, WireError> {
        guarded!(self, Call::Read, updated_after(since))
    }

    pub(super) async fn reschedule(
        &self,
        uid: &str,
        starts: DateTime<Utc>,
        reason: &str,
    ) -> Result<Booking, WireError> {
        guarded!(self, Call::Change, reschedule(uid, starts, reason))
    }

    pub(super) async fn cancel(&self, uid: &str, reason: &str) -> Result<Booking, WireError> {
        guarded!(self, Call::Change, cancel(uid, reason))
    }

    pub(super) async fn confirm(&self, uid: &str) -> Result<Booking, WireError> {
        guarded!(self, Call::Change, confirm(uid))
    }

    pub(super) async fn decline(&self, uid: &str, reason: &str) -> Result<Booking, WireError> {
        guarded!(self, Call::Change, decline(uid, reason))
    }

    pub(super) async fn mark_absent(&self, uid: &str, email: &str, absent: bool) -> Result<Booking, WireError> {
        guarded!(self, Call::Change, mark_absent(uid, email, absent))
    }

    /// Whether there were failures before this call, or the failure of a call that is not made. While Redis is away the
    /// calendar is asked all the same: a breaker protects, it must not be a new point of failure.
    async fn ask(&self) -> Result<bool, WireError> {
        let Some(reply) = self.run("ask", REST, "").await else { return Ok(true) };
        match reply.text_at(0) {
            Some("open") => {
                metrics::calendar_call_error(self.outside.desk.tenant.id(), CalendarCallError::Open);
                let left = u64::try_from(reply.int_at(1).unwrap_or(0)).unwrap_or(0);
                Err(not_made(reply.text_at(2).unwrap_or_default(), Duration::from_millis(left)))
            }
            Some("probe") => {
                self.report(CircuitState::HalfOpen);
                Ok(true)
            }
            _ => Ok(reply.int_at(1).unwrap_or(0) > 0),
        }
    }

    /// A success after successes is no news: a healthy calendar costs one round trip to Redis a call.
    async fn learn(&self, failed_before: bool, error: Option<&WireError>) {
        use WireErrorKind::{Auth, Invalid, RateLimited, Unavailable, Unknown};
        let company = self.outside.desk.tenant.id();
        let reply = match error {
            // What refuses a request for good works.
            None | Some(WireError { kind: Invalid, .. }) if !failed_before => None,
            None | Some(WireError { kind: Invalid, .. }) => self.run("good", REST, "").await,
            Some(error) if error.kind == RateLimited => {
                self.run("shut", error.retry_after.unwrap_or(REST), "rate_limited").await
            }
            Some(error) if error.kind == Auth && error.code == "key_refused" => {
                tracing::error!(
                    company = company.get(),
                    "Cal.com refuses the key: set another with `secretaria provision set --set-file calendar.api_key=FILE`"
                );
                self.run("shut", REFUSED, "key_refused").await
            }
            Some(error) if error.kind == Auth => None,
            Some(_) => self.run("bad", REST, "down").await,
        };
        match reply.as_ref().and_then(|reply| reply.text_at(0)) {
            Some("open") => self.report(CircuitState::Open),
            Some(_) => self.report(CircuitState::Closed),
            None => {}
        }
        if let Some(error) = error {
            let kind = match error.kind {
                Auth => CalendarCallError::Auth,
                Invalid => CalendarCallError::Invalid,
                RateLimited => CalendarCallError::RateLimited,
                Unavailable => CalendarCallError::Unavailable,
                Unknown => CalendarCallError::Unknown,
            };
            metrics::calendar_call_error(company, kind);
        }
    }

    fn report(&self, state: CircuitState) {
        metrics::calendar_circuit_state(self.outside.desk.tenant.id(), state);
    }

    async fn run(&self, op: &str, time: Duration, why: &str) -> Option<Reply> {
        let desk = &self.outside.desk;
        let ms = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        let args = [
            desk.services.clock.offset_ms().into(),
            op.into(),
            self.name.as_str().into(),
            FAILURES.into(),
            ms.into(),
            why.into(),
        ];
        let answer = desk.tenant.redis.run(&SCRIPT, &args).await;
        answer
            .inspect_err(|error| tracing::debug!(company = desk.tenant.id().get(), %error, "The calendar's breaker cannot be read"))
            .ok()
    }
}

/// What a call ends in that is not made.
fn not_made(why: &str, left: Duration) -> WireError {
    let (kind, code) = match why {
        "key_refused" => (WireErrorKind::Auth, "key_refused"),
        _ => (WireErrorKind::Unavailable, OPEN),
    };
    let detail = "the calendar is left alone for a while".to_owned();
    WireError { kind, status: None, retry_after: Some(left), code, detail }
}
