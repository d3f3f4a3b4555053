//! Intake: a webhook becomes envelopes on disk, in one Redis round trip a message and without PostgreSQL.

use std::borrow::Cow;
use std::sync::OnceLock;

use uuid::Uuid;

use super::Services;
use crate::clients::channel::whaticket;
use crate::domain::company::CompanyState;
use crate::domain::inbound::{IgnoreReason, Inbound, Sender};
use crate::domain::webhook_auth::{PresentedHeaders, Proof, ReplayKey};
use crate::queue::{Accepted, Body, IntakeLimits, Limit, NewEnvelope, accept};
use crate::telemetry::metrics::{self, DeadLetterReason};
use crate::tenant::{StoreError, Tenant};

/// A webhook request as it arrived.
pub struct WebhookRequest<'a> {
    /// Its headers.
    pub headers: PresentedHeaders<'a>,
    /// `?token=…`.
    pub query_token: Option<&'a str>,
    /// The exact bytes.
    pub body: &'a [u8],
    /// The address it came from.
    pub address: &'a str,
    /// Its correlation id.
    pub correlation_id: &'a str,
}

/// What became of a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// At least one message is queued.
    Queued {
        /// Job id of the first.
        job_id: String,
    },
    /// All of it was there before.
    Duplicate,
    /// Nothing to do, and why.
    Ignored(&'static str),
    /// The conversation's mailbox is full: a dead letter.
    DeadLettered,
    /// A limit refused.
    Limited {
        /// Which.
        limit: Limit,
        /// When to try again, milliseconds.
        retry_ms: u64,
    },
}

/// Why a webhook is refused.
#[derive(Debug)]
pub enum Refusal {
    /// Credentials. The cause is for our log only.
    Unauthorized(&'static str),
    /// The body.
    BadPayload {
        /// The field.
        field: Option<Cow<'static, str>>,
    },
    /// Our own fault; nothing was half done.
    Unavailable(StoreError),
}

/// Takes a Whaticket webhook in: verify, read, accept.
pub async fn whaticket(services: &Services, tenant: &Tenant, request: &WebhookRequest<'_>) -> Result<Outcome, Refusal> {
    let now = services.clock.now().timestamp();
    let keys = &tenant.secrets.webhook;
    let proof = keys
        .verify(&request.headers, request.query_token, request.body, now)
        .map_err(|cause| Refusal::Unauthorized(cause.0))?;
    if tenant.company.state == CompanyState::Suspended {
        return Ok(Outcome::Ignored(IgnoreReason::Suspended.as_str()));
    }
    let read = whaticket::inbound::read(request.body).map_err(|bad| Refusal::BadPayload { field: bad.field })?;
    accept_all(services, tenant, request, proof, read).await
}

/// Accepts what one body carries, in its order. The best outcome of all is the answer; a limit or a fault ends it: the
/// sender's next try finds the accepted ones as duplicates.
async fn accept_all(
    services: &Services,
    tenant: &Tenant,
    request: &WebhookRequest<'_>,
    proof: Proof<'_>,
    read: Vec<Inbound>,
) -> Result<Outcome, Refusal> {
    let replay = Replay { key: proof.replay_key, digest: OnceLock::new() };
    let mut best = Outcome::Ignored(IgnoreReason::Empty.as_str());
    for (n, inbound) in read.into_iter().enumerate() {
        let outcome = match inbound {
            Inbound::Ignored(reason) => Outcome::Ignored(reason.as_str()),
            Inbound::Message(message) => {
                let dedupe = dedupe_key(message.provider_id.as_deref(), &replay, n);
                accept_one(services, tenant, request, dedupe, &Body::Message(message)).await?
            }
            Inbound::Echo(echo) => {
                let dedupe = dedupe_key(echo.provider_id.as_deref(), &replay, n).map(|key| format!("echo:{key}"));
                match accept_one(services, tenant, request, dedupe, &Body::Echo(echo)).await? {
                    Outcome::Duplicate => Outcome::Duplicate,
                    _ => Outcome::Ignored("own_message"),
                }
            }
        };
        if matches!(outcome, Outcome::Limited { .. }) {
            return Ok(outcome);
        }
        if rank(&outcome) > rank(&best) || n == 0 {
            best = outcome;
        }
    }
    Ok(best)
}

fn rank(outcome: &Outcome) -> u8 {
    match outcome {
        Outcome::Ignored(_) => 0,
        Outcome::Duplicate => 1,
        Outcome::DeadLettered => 2,
        Outcome::Limited { .. } => 3,
        Outcome::Queued { .. } => 4,
    }
}

/// The digest over the whole request: made for the first message that needs it, and once for all of a body.
struct Replay<'a> {
    key: Option<ReplayKey<'a>>,
    digest: OnceLock<String>,
}

impl Replay<'_> {
    fn digest(&self) -> Option<&str> {
        let key = self.key.as_ref()?;
        Some(self.digest.get_or_init(|| key.digest()))
    }
}

/// Channel instance and provider message id. Without an id only the same request is a replay, never the same text.
fn dedupe_key(provider_id: Option<&str>, replay: &Replay<'_>, n: usize) -> Option<String> {
    match provider_id {
        Some(id) => Some(format!("whaticket:{id}")),
        None => replay.digest().map(|digest| format!("replay:{digest}:{n}")),
    }
}

async fn accept_one(
    services: &Services,
    tenant: &Tenant,
    request: &WebhookRequest<'_>,
    dedupe: Option<String>,
    body: &Body,
) -> Result<Outcome, Refusal> {
    let who = match body {
        Body::Message(message) => &message.from,
        Body::Echo(echo) => &echo.to,
        // An operator's order never comes by a webhook.
        Body::Redeliver { .. } | Body::Team(_) | Body::Timer { .. } => {
            return Ok(Outcome::Ignored(IgnoreReason::NotAMessage.as_str()));
        }
    };
    let conversation = who.conversation_key();
    let lid = match who {
        // The conversation of a known number is the number's canonical form.
        Sender::Phone { lid: Some(lid), .. } => Some((lid.as_str(), Some(conversation.as_str()))),
        Sender::Phone { lid: None, .. } => None,
        Sender::Lid(lid) => Some((lid.as_str(), None)),
    };
    let id = Uuid::now_v7();
    let new =
        NewEnvelope { conversation: &conversation, id, correlation_id: request.correlation_id, dedupe, lid, body };
    let accepted = accept(&tenant.redis, &services.clock, &new, &limits(services, tenant, request.address))
        .await
        .map_err(Refusal::Unavailable)?;
    Ok(match accepted {
        Accepted::Queued { next_due } => {
            hint(services, tenant, next_due);
            Outcome::Queued { job_id: id.to_string() }
        }
        Accepted::Duplicate { .. } => Outcome::Duplicate,
        Accepted::Limited { limit, retry_ms } => Outcome::Limited { limit, retry_ms },
        Accepted::DeadLettered => {
            metrics::dead_letter(tenant.id(), DeadLetterReason::MailboxFull);
            Outcome::DeadLettered
        }
    })
}

fn limits<'a>(services: &Services, tenant: &Tenant, address: &'a str) -> IntakeLimits<'a> {
    let signed = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let queue = &services.settings.queue;
    IntakeLimits {
        seen_seconds: signed(queue.seen_hours.saturating_mul(3600)),
        burst_ms: signed(tenant.settings.burst_window_ms),
        burst_max_ms: signed(queue.burst_max_ms),
        mailbox_cap: i64::try_from(queue.mailbox_cap).unwrap_or(i64::MAX),
        address,
        address_per_second: services.settings.limits.company_address_per_second,
        number_per_minute: tenant.settings.number_per_minute,
        number_burst: tenant.settings.number_burst,
    }
}

/// The wake-up hint, not waited for: lost, it costs a sweep's interval and never a message.
fn hint(services: &Services, tenant: &Tenant, next_due: i64) {
    if next_due < 0 {
        return;
    }
    let hints = services.hints();
    let company = tenant.id();
    tokio::spawn(async move {
        if let Err(error) = hints.tell(company, next_due).await {
            tracing::debug!(%error, company = company.get(), "A wake-up hint was lost; the sweep finds the message");
        }
    });
}
