//! Echoes: texts that left from our own number, told by the channel. Most are our own; the rest a human typed.

use super::Errand;
use crate::domain::inbound::Echo;
use crate::domain::text::MessageText;
use crate::models::tenant::conversation;
use crate::models::tenant::delivery::{self, DeliveryRow, DeliveryState};
use crate::queue::Waiting;
use crate::services::ServiceError;
use crate::telemetry::metrics;

/// How many of the newest texts an echo is compared with.
const RECENT: i64 = 20;

/// An echo that is not ours: somebody of the company wrote on the same phone.
#[derive(Clone, Debug)]
pub struct Unmatched {
    /// Its envelope.
    pub waiting: Waiting,
    /// What was written.
    pub echo: Echo,
}

/// What echoes told.
#[derive(Debug)]
pub struct Heard {
    /// What matches nothing of ours: a human typed it.
    pub typed: Vec<Unmatched>,
    /// Whether a text that was given up turned out to have been sent.
    pub revived: bool,
}

/// Compares echoes with what we sent: by the provider's id, else by the same text to the same person. An echo of a text
/// of unknown fate settles it as sent.
pub async fn settle_echoes(errand: &Errand<'_>, echoes: Vec<(Waiting, Echo)>) -> Result<Heard, ServiceError> {
    let mut tx = errand.tenant.db.begin().await?;
    let mut rows = delivery::recent(&mut tx, errand.conversation_id, RECENT).await?;
    // Oldest first: of two equal texts the earlier was sent earlier.
    rows.reverse();
    let mut unmatched = Vec::new();
    let mut revived = false;
    let mut changed = Vec::new();
    for (waiting, echo) in echoes {
        match find(&mut rows, &echo) {
            None => unmatched.push(Unmatched { waiting, echo }),
            Some(row) => {
                let dead = row.state() == DeliveryState::Dead;
                if settle(errand, row, &echo) {
                    revived |= dead;
                    changed.push(row.clone());
                }
            }
        }
    }
    if !changed.is_empty() {
        conversation::take(&mut tx, errand.conversation_id, None, errand.claim.fence, errand.now()).await?;
        for row in &changed {
            delivery::save(&mut tx, row).await?;
        }
    }
    tx.commit().await?;
    Ok(Heard { typed: unmatched, revived })
}

fn find<'r>(rows: &'r mut [DeliveryRow], echo: &Echo) -> Option<&'r mut DeliveryRow> {
    let by_id = |row: &DeliveryRow| row.external_id.is_some() && row.external_id == echo.provider_id;
    let text = echo.text.as_ref().map(|text| comparable(text.as_str()));
    let same = |row: &DeliveryRow, unfinished: bool| {
        row.external_id.is_none() && Some(comparable(&row.body)) == text && fits(row.state(), unfinished)
    };
    let found = rows
        .iter()
        .position(by_id)
        .or_else(|| rows.iter().position(|row| same(row, true)))
        .or_else(|| rows.iter().position(|row| same(row, false)))?;
    rows.get_mut(found)
}

fn fits(state: DeliveryState, unfinished: bool) -> bool {
    match state {
        DeliveryState::Sending | DeliveryState::Ambiguous => unfinished,
        DeliveryState::Sent | DeliveryState::Delivered | DeliveryState::Read | DeliveryState::Dead => !unfinished,
        DeliveryState::Queued | DeliveryState::RetryWait | DeliveryState::Superseded => false,
    }
}

/// What happens to a text on its way: our escaping of `{{`, blanks, and the cleaning of what comes in.
fn comparable(text: &str) -> String {
    let clean = MessageText::clean(text);
    clean.as_ref().map_or("", MessageText::as_str).replace("{ {", "{{").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns whether the row changed.
fn settle(errand: &Errand<'_>, row: &mut DeliveryRow, echo: &Echo) -> bool {
    let unknown = matches!(row.state(), DeliveryState::Sending | DeliveryState::Ambiguous | DeliveryState::Dead);
    let new_id = row.external_id.is_none() && echo.provider_id.is_some();
    if unknown {
        row.state = DeliveryState::Sent.as_str().to_owned();
        row.sent_at = Some(errand.now());
        row.next_at = None;
        metrics::outbox_reconciled(errand.tenant.id());
        tracing::info!(
            company = errand.tenant.id().get(), correlation_id = %row.correlation_id, delivery_id = %row.id,
            "An echo shows that a text of unknown fate was sent"
        );
    }
    if new_id {
        row.external_id.clone_from(&echo.provider_id);
    }
    unknown || new_id
}
