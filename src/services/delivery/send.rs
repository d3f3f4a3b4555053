//! One text on the wire, and its result in the database.

use std::time::Duration;

use chrono::TimeDelta;
use secrecy::ExposeSecret;

use super::{Errand, is_outage};
use crate::clients::channel::whaticket::Flavor;
use crate::clients::channel::{self, ChannelEndpoint, OutgoingText};
use crate::clients::{WireError, WireErrorKind};
use crate::domain::resilience::spread;
use crate::models::tenant::delivery::{self, DeliveryRow, DeliveryState};
use crate::queue::Return;
use crate::services::ServiceError;
use crate::telemetry::metrics::{self, Channel};
use crate::tenant::{StoreError, TenantTx};

/// Sends `rows[0]`, which is stored as `sending`, and commits what came of it; `rows[1..]` follow it in the same answer
/// and the next becomes `sending` in the same commit. `Some` says that the conversation has to wait.
pub(super) async fn attempt(errand: &Errand<'_>, rows: &mut [DeliveryRow]) -> Result<Option<Return>, ServiceError> {
    let Some((row, followers)) = rows.split_first_mut() else {
        return Ok(None);
    };
    let result = put_on_wire(errand, row).await?;
    match result {
        Ok(external_id) => {
            sent(errand, row, external_id);
            if let Some(next) = followers.first_mut() {
                begin(errand, next);
            }
            persist(errand, row, followers.first()).await?;
            Ok(None)
        }
        Err(error) => failed(errand, rows, &error).await,
    }
}

/// Marks a row as about to leave.
pub(super) fn begin(errand: &Errand<'_>, row: &mut DeliveryRow) {
    row.state = DeliveryState::Sending.as_str().to_owned();
    row.attempts += 1;
    row.attempt_at = Some(errand.now());
    row.next_at = Some(errand.now() + ambiguous_wait(errand));
}

fn ambiguous_wait(errand: &Errand<'_>) -> TimeDelta {
    millis(errand.services.settings.delivery.ambiguous_wait_ms)
}

pub(super) fn millis(ms: u64) -> TimeDelta {
    TimeDelta::milliseconds(i64::try_from(ms).unwrap_or(i64::MAX / 1000))
}

async fn put_on_wire(
    errand: &Errand<'_>,
    row: &DeliveryRow,
) -> Result<Result<Option<String>, WireError>, ServiceError> {
    let settings = &errand.services.settings.delivery;
    let Some(endpoint) = endpoint(errand) else {
        return Ok(Err(WireError {
            kind: WireErrorKind::Auth,
            status: None,
            retry_after: None,
            code: "no_channel",
            detail: "channel.base_url or channel.token is not set".to_owned(),
        }));
    };
    // A process that was paused past its claim must not send. The last look at the clock is the connection's own: until it
    // writes, a handshake or a full queue may have taken the time there was.
    let Some(not_after) = errand.lease.until(Duration::from_millis(settings.deadline_spare_ms)) else {
        return Err(ServiceError::LeaseLost);
    };
    errand.lease.bind();
    let text = OutgoingText { to: &row.recipient, body: &row.body, correlation_id: &row.correlation_id, not_after };
    let begun = tokio::time::Instant::now();
    let result = channel::send(&errand.services.http, &endpoint, &text).await;
    metrics::send_latency(errand.tenant.id(), Channel::Whaticket, begun.elapsed());
    if result.as_ref().is_err_and(|error| error.code == "too_late") {
        return Err(ServiceError::LeaseLost);
    }
    Ok(result.map(|receipt| receipt.external_id))
}

fn endpoint(errand: &Errand<'_>) -> Option<ChannelEndpoint> {
    let choice = &errand.tenant.settings.channel;
    let token = &errand.tenant.secrets.channel_token;
    let flavor = match choice.flavor.as_str() {
        "community" => Flavor::Community,
        "hosted" => Flavor::Hosted,
        _ => Flavor::Saas,
    };
    (!choice.base_url.is_empty() && !token.expose_secret().is_empty()).then(|| ChannelEndpoint {
        flavor,
        base_url: choice.base_url.clone(),
        token: token.clone(),
        connection: Some(choice.connection.clone()).filter(|connection| !connection.is_empty()),
        total_timeout: Duration::from_millis(errand.services.settings.delivery.timeout_ms),
    })
}

fn sent(errand: &Errand<'_>, row: &mut DeliveryRow, external_id: Option<String>) {
    let company = errand.tenant.id();
    row.state = DeliveryState::Sent.as_str().to_owned();
    row.external_id = external_id;
    row.sent_at = Some(errand.now());
    row.next_at = None;
    row.error_code = None;
    metrics::send_success(company, Channel::Whaticket);
    if row.position == 0
        && let Some(oldest) = errand.claim.waiting.iter().map(|one| one.accepted_ms).min()
        && let Ok(ms) = u64::try_from(errand.services.clock.now_ms() - oldest)
    {
        metrics::answer_latency(company, Duration::from_millis(ms));
    }
    tracing::info!(
        company = company.get(), correlation_id = %row.correlation_id, delivery_id = %row.id, attempt = row.attempts,
        external_id = row.external_id.as_deref(), state = "sent", channel = "whaticket", "Delivered"
    );
}

/// Commits a result, as long as it takes: what is on the wire must not be forgotten while this process lives. Another
/// claim may meanwhile wait for this very result; then it is told without the fence.
async fn persist(errand: &Errand<'_>, row: &DeliveryRow, next: Option<&DeliveryRow>) -> Result<(), ServiceError> {
    let rows: Vec<&DeliveryRow> = std::iter::once(row).chain(next).collect();
    let mut wait = Duration::from_millis(50);
    loop {
        match errand.save(&rows).await {
            Ok(()) => return Ok(()),
            Err(error) if is_outage(&error) => {
                tracing::warn!(
                    company = errand.tenant.id().get(), correlation_id = %row.correlation_id, delivery_id = %row.id, %error,
                    "The result of a delivery cannot be stored; trying until it can"
                );
                tokio::time::sleep(spread(wait, rand::random())).await;
                wait = (wait * 2).min(Duration::from_secs(2));
            }
            Err(error) => {
                if matches!(error, ServiceError::Store(StoreError::StaleFence { .. })) {
                    tell_successor(errand, row).await?;
                }
                return Err(error);
            }
        }
    }
}

/// A newer claim holds the conversation and may be about to send this text again: if it has not begun to, it learns here
/// that the text is sent.
async fn tell_successor(errand: &Errand<'_>, row: &DeliveryRow) -> Result<(), ServiceError> {
    if row.state() != DeliveryState::Sent {
        return Ok(());
    }
    let mut tx: TenantTx = errand.tenant.db.begin().await?;
    if delivery::was_sent(&mut tx, row).await? {
        metrics::outbox_reconciled(errand.tenant.id());
    }
    tx.commit().await?;
    Ok(())
}

async fn failed(
    errand: &Errand<'_>,
    rows: &mut [DeliveryRow],
    error: &WireError,
) -> Result<Option<Return>, ServiceError> {
    let company = errand.tenant.id();
    metrics::send_error(company, Channel::Whaticket);
    let Some(row) = rows.first_mut() else { return Ok(None) };
    row.error_code = Some(error.code.to_owned());
    tracing::warn!(
        company = company.get(), correlation_id = %row.correlation_id, delivery_id = %row.id, attempt = row.attempts,
        %error, "A delivery failed"
    );
    let settings = &errand.services.settings.delivery;
    let now = errand.now();
    // A fork's 400 without a known word may pass, once (its wire has no better way to say "try again").
    let refused_twice = error.code == "refused" && row.attempts > 1;
    match error.kind {
        WireErrorKind::Unknown => {
            row.state = DeliveryState::Ambiguous.as_str().to_owned();
            let due = row.attempt_at.unwrap_or(now) + ambiguous_wait(errand);
            row.next_at = Some(due);
            metrics::outbox_ambiguous(company);
            persist(errand, row, None).await?;
            Ok(Some(Return::Hold(due.timestamp_millis())))
        }
        WireErrorKind::RateLimited | WireErrorKind::Unavailable if !refused_twice => {
            let tried = usize::try_from(row.attempts.max(1) - 1).unwrap_or(0);
            let wait = settings.retry_ms.get(tried).or(settings.retry_ms.last()).copied().unwrap_or(5000);
            let wait = error.retry_after.unwrap_or_else(|| spread(Duration::from_millis(wait), rand::random()));
            let due = now + TimeDelta::from_std(wait).unwrap_or(TimeDelta::hours(1));
            if due - row.created_at > millis(settings.max_age_ms) {
                errand.bury(rows, "too_old").await?;
                return Ok(None);
            }
            row.state = DeliveryState::RetryWait.as_str().to_owned();
            row.next_at = Some(due);
            metrics::send_retry(company, Channel::Whaticket);
            persist(errand, row, None).await?;
            Ok(Some(Return::At(due.timestamp_millis())))
        }
        _ => {
            if error.kind == WireErrorKind::Auth {
                tracing::error!(company = company.get(), %error, "CONFIGURATION: the channel refuses the company's credential; requeue the dead letters once it is mended");
            }
            errand.bury(rows, error.code).await?;
            Ok(None)
        }
    }
}
