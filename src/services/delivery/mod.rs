//! Delivery: texts that are stored are put on the wire, once, and what came of it is committed (T2).
//!
//! A text is stored as `sending` before a byte of it leaves. What happens then:
//!
//! | outcome | state | next |
//! |---|---|---|
//! | accepted | `sent` | the answer's next text |
//! | surely not sent (connect, DNS, TLS, 429, 503, phone disconnected) | `retry_wait` | tried again at a time, or replaced by an answer to a newer message |
//! | perhaps sent (timeout or reset after bytes, other 5xx, our own crash) | `ambiguous` | an echo settles it; else sent once more after 30 s |
//! | refused for good, too old, sent again in vain | `dead` | a dead letter with the reason |
//!
//! See ADR 0003.

mod echo;
mod send;
mod unfinished;

use chrono::{DateTime, Utc};
use uuid::Uuid;

pub use echo::{Heard, Unmatched, settle_echoes};
pub use unfinished::{Flow, finish};

use super::lease::Lease;
use super::{ServiceError, Services};
use crate::models::tenant::commit;
use crate::models::tenant::delivery::{DeliveryRow, DeliveryState};
use crate::queue::{Claimed, Return, dead_letter};
use crate::telemetry::metrics::{self, DeadLetterReason};
use crate::tenant::{StoreError, Tenant};

/// What a delivery needs to know of its claim.
pub struct Errand<'a> {
    /// The process.
    pub services: &'a Services,
    /// The company.
    pub tenant: &'a Tenant,
    /// The claim.
    pub claim: &'a Claimed,
    /// Its time.
    pub lease: &'a Lease,
    /// The conversation's row.
    pub conversation_id: Uuid,
}

impl Errand<'_> {
    fn now(&self) -> DateTime<Utc> {
        self.services.clock.now()
    }

    /// Stores changed rows under the fence.
    async fn save(&self, rows: &[&DeliveryRow]) -> Result<(), ServiceError> {
        Ok(commit::settle(&self.tenant.db, self.conversation_id, self.claim.fence, rows).await?)
    }

    /// Gives a text and its followers up: dead rows, and dead letters that say why.
    async fn bury(&self, rows: &mut [DeliveryRow], code: &str) -> Result<(), ServiceError> {
        for row in rows.iter_mut() {
            row.state = DeliveryState::Dead.as_str().to_owned();
            row.error_code = Some(code.to_owned());
            row.next_at = None;
        }
        // The letters first: a dead text without one would be seen by nobody, while a letter too many does nothing.
        for row in rows.iter() {
            let letter = (code, row.correlation_id.as_str(), row.id);
            let now_ms = self.services.clock.now_ms();
            dead_letter::add_delivery(&self.tenant.redis, now_ms, &self.claim.conversation, letter).await?;
        }
        self.save(&rows.iter().collect::<Vec<_>>()).await?;
        for row in rows.iter() {
            metrics::dead_letter(self.tenant.id(), reason_label(code));
            tracing::error!(
                company = self.tenant.id().get(), correlation_id = %row.correlation_id, delivery_id = %row.id, code,
                attempts = row.attempts, "A text could not be delivered and is a dead letter"
            );
        }
        Ok(())
    }
}

fn reason_label(code: &str) -> DeadLetterReason {
    match code {
        "no_whatsapp" | "bad_number" => DeadLetterReason::NoAccount,
        "bad_token" | "subscription" | "connection_gone" | "no_channel" => DeadLetterReason::Misconfigured,
        "too_old" => DeadLetterReason::TooOld,
        "ambiguous" => DeadLetterReason::RetriesExhausted,
        _ => DeadLetterReason::Rejected,
    }
}

/// Delivers the texts of a fresh turn: the first is stored as `sending`, the others as `queued`. Also tells whether some
/// of them were given up.
pub async fn deliver(errand: &Errand<'_>, mut rows: Vec<DeliveryRow>) -> Result<(Return, bool), ServiceError> {
    let mut rest = rows.as_mut_slice();
    // An answer that was given up is given up as a whole: its rows are dead then.
    while rest.first().is_some_and(|row| row.state() == DeliveryState::Sending) {
        if let Some(wait) = send::attempt(errand, rest).await? {
            return Ok((wait, false));
        }
        rest = rest.get_mut(1..).unwrap_or_default();
    }
    Ok((Return::Clean, rows.iter().any(|row| row.state() == DeliveryState::Dead)))
}

/// Whether a failed commit may simply be tried again while the claim lives.
fn is_outage(error: &ServiceError) -> bool {
    matches!(error, ServiceError::Store(StoreError::Unavailable { .. }))
}
