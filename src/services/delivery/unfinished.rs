//! Whoever claims a conversation first finishes what its last holder left behind.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Errand, send};
use crate::config::company::Ambiguous;
use crate::models::tenant::delivery::{self, DeliveryRow, DeliveryState};
use crate::models::tenant::{conversation, message};
use crate::queue::Return;
use crate::services::ServiceError;
use crate::telemetry::metrics;

/// Whether a new turn may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Nothing is unfinished.
    Clear,
    /// Something was replaced or given up: the lines of the conversation have to be read again.
    Replaced,
    /// Not now.
    Wait(Return),
}

/// Finishes a conversation's outbox. `newer` says that undecided messages wait: a text that surely was not sent then
/// gives way to an answer that sees them.
pub async fn finish(errand: &Errand<'_>, newer: bool) -> Result<Flow, ServiceError> {
    let mut tx = errand.tenant.db.begin().await?;
    let mut rows = delivery::unfinished(&mut tx, errand.conversation_id).await?;
    tx.commit().await?;
    let mut rest = rows.as_mut_slice();
    let mut flow = Flow::Clear;
    while let Some(row) = rest.first_mut() {
        if row.state() == DeliveryState::Sending {
            crashed(errand, row).await?;
        }
        let due = row.next_at.filter(|due| *due > errand.now());
        match (row.state(), due) {
            (DeliveryState::Ambiguous, Some(due)) => return Ok(Flow::Wait(Return::Hold(due.timestamp_millis()))),
            (DeliveryState::Ambiguous, None) => {
                let hold = errand.tenant.settings.ambiguous == Ambiguous::Hold;
                if hold || row.resends > 0 {
                    let end = turn_end(rest);
                    errand.bury(rest.get_mut(..end).unwrap_or_default(), "ambiguous").await?;
                    rest = rest.get_mut(end..).unwrap_or_default();
                    flow = Flow::Replaced;
                    continue;
                }
                row.resends += 1;
                metrics::outbox_resent(errand.tenant.id());
            }
            // Once its fate was unknown it is never "surely not sent" again: the customer may have read it.
            (DeliveryState::RetryWait | DeliveryState::Queued, _) if newer && row.resends == 0 && row.is_answer() => {
                let end = turn_end(rest);
                supersede(errand, rest.get_mut(..end).unwrap_or_default()).await?;
                rest = rest.get_mut(end..).unwrap_or_default();
                flow = Flow::Replaced;
                continue;
            }
            (DeliveryState::RetryWait, Some(due)) => return Ok(Flow::Wait(Return::At(due.timestamp_millis()))),
            _ if too_old(errand, row) => {
                let end = turn_end(rest);
                errand.bury(rest.get_mut(..end).unwrap_or_default(), "too_old").await?;
                rest = rest.get_mut(end..).unwrap_or_default();
                flow = Flow::Replaced;
                continue;
            }
            _ => {}
        }
        // From here on the text may leave: a stopping process lets it.
        errand.lease.bind();
        send::begin(errand, row);
        errand.save(&[row]).await?;
        let turn = row.turn_id;
        if let Some(wait) = send::attempt(errand, turn_rows(rest, turn)).await? {
            return Ok(Flow::Wait(wait));
        }
        // The answer's next text was made `sending` by that commit and is ours to send: it did not crash.
        rest = rest.get_mut(1..).unwrap_or_default();
        rest = finish_answer(errand, rest, turn).await?;
    }
    Ok(flow)
}

/// Nobody wants yesterday's answer, however long nobody worked. An operator who put it back does want it.
fn too_old(errand: &Errand<'_>, row: &DeliveryRow) -> bool {
    let waits = matches!(row.state(), DeliveryState::RetryWait | DeliveryState::Queued);
    let requeued = row.error_code.as_deref() == Some(delivery::REQUEUED);
    waits && !requeued && errand.now() - row.created_at > send::millis(errand.services.settings.delivery.max_age_ms)
}

/// The remaining texts of the answer whose first text just left. An answer that was given up as a whole is skipped.
async fn finish_answer<'r>(
    errand: &Errand<'_>,
    mut rest: &'r mut [DeliveryRow],
    turn: Uuid,
) -> Result<&'r mut [DeliveryRow], ServiceError> {
    while rest.first().is_some_and(|row| row.turn_id == turn) {
        let state = rest.first().map(DeliveryRow::state);
        if state == Some(DeliveryState::Sending) && send::attempt(errand, turn_rows(rest, turn)).await?.is_some() {
            // The caller sees the waiting row's own state and due time on its next look.
            return Ok(rest);
        }
        rest = rest.get_mut(1..).unwrap_or_default();
    }
    Ok(rest)
}

fn turn_rows(rest: &mut [DeliveryRow], turn: Uuid) -> &mut [DeliveryRow] {
    let end = rest.iter().position(|row| row.turn_id != turn).unwrap_or(rest.len());
    rest.get_mut(..end).unwrap_or_default()
}

fn turn_end(rest: &[DeliveryRow]) -> usize {
    let Some(first) = rest.first() else { return 0 };
    rest.iter().position(|row| row.turn_id != first.turn_id).unwrap_or(rest.len())
}

/// Its sender died, or was paused past its claim, somewhere between storing and committing: perhaps sent. The wait for an
/// echo counts from that attempt, and is mostly over by now.
async fn crashed(errand: &Errand<'_>, row: &mut DeliveryRow) -> Result<(), ServiceError> {
    row.state = DeliveryState::Ambiguous.as_str().to_owned();
    row.error_code = Some("crash".to_owned());
    metrics::outbox_ambiguous(errand.tenant.id());
    tracing::warn!(
        company = errand.tenant.id().get(), correlation_id = %row.correlation_id, delivery_id = %row.id,
        "A text was on its way when its worker stopped; it is settled by an echo or sent once more"
    );
    errand.save(&[row]).await
}

async fn supersede(errand: &Errand<'_>, rows: &mut [DeliveryRow]) -> Result<(), ServiceError> {
    let now: DateTime<Utc> = errand.now();
    for row in rows.iter_mut() {
        row.state = DeliveryState::Superseded.as_str().to_owned();
        row.next_at = None;
    }
    let mut tx = errand.tenant.db.begin().await?;
    conversation::take(&mut tx, errand.conversation_id, None, errand.claim.fence, now).await?;
    for row in rows.iter() {
        delivery::save(&mut tx, row).await?;
    }
    let ids: Vec<Uuid> = rows.iter().map(|row| row.message_id).collect();
    message::supersede(&mut tx, &ids).await?;
    tx.commit().await?;
    Ok(())
}
