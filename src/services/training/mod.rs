//! Learning from past conversations, company by company.
//!
//! Two steps. First messages are read and counted, page by page, each page in one transaction that also moves the marks
//! of its conversations: whoever is killed in the middle has done a page wholly or not at all, and the next run goes on
//! behind the marks. Then a provider, where the company has one, is asked for numbers; until it answers hashed ones stand in, and
//! people who have only those are found again by the next run.

mod learn;
mod numbers;

use std::num::NonZeroU32;

use chrono::{DateTime, Utc};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use serde::Serialize;

use super::embedding::Embedder;
use super::{ServiceError, Services};
use crate::models::tenant::learning;
use crate::services::knowledge;
use crate::tenant::Tenant;

/// How to learn.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Only from conversations with a message since then; all that is new in them is learnt.
    pub since: Option<DateTime<Utc>>,
    /// Only count what there is to learn.
    pub dry_run: bool,
    /// Pages at once; each takes a connection to PostgreSQL.
    pub jobs: usize,
    /// Most requests a minute to a provider.
    pub requests_per_minute: NonZeroU32,
}

/// What was learnt from a company's conversations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Conversations with something new.
    pub conversations: usize,
    /// Customers' messages learnt from.
    pub messages: usize,
    /// Changes of profiles: a person counts once for each page their conversations are in.
    pub profiles: usize,
    /// People and entries of the knowledge base that got numbers from the provider.
    pub embedded: usize,
    /// People whose numbers are hashed because the provider could not be asked.
    pub pending: i64,
    /// Conversations that a turn held all the time; the next run takes them.
    pub left: i64,
    /// What the provider said when it could not be asked.
    pub provider_error: Option<String>,
}

/// What is to be seen while learning.
pub enum Progress {
    /// So many conversations have something new.
    Total(usize),
    /// So many more are through.
    Learnt(usize),
    /// So many more people got numbers.
    Embedded(usize),
}

/// Whoever wants to see it.
pub type Tell<'a> = &'a (dyn Fn(Progress) + Sync);

/// Learns from one company's conversations.
///
/// # Errors
/// A store's failure; what was learnt before it is kept. A provider's failure is in the report.
pub async fn company(
    services: &Services,
    tenant: &Tenant,
    embedder: &dyn Embedder,
    options: &Options,
    tell: Tell<'_>,
) -> Result<Report, ServiceError> {
    let mut tx = tenant.db.begin().await?;
    let total = learning::left(&mut tx, options.since).await?;
    let messages = if options.dry_run { learning::messages_left(&mut tx, options.since).await? } else { 0 };
    tx.commit().await?;
    let total = usize::try_from(total).unwrap_or(0);
    tell(Progress::Total(total));
    if options.dry_run {
        let messages = usize::try_from(messages).unwrap_or(0);
        return Ok(Report { conversations: total, messages, ..Report::default() });
    }
    let mut report = learn::all(services, tenant, embedder, options, tell).await?;
    let limiter: DefaultDirectRateLimiter = RateLimiter::direct(Quota::per_minute(options.requests_per_minute));
    let step = numbers::Step { tenant, embedder, limiter: &limiter };
    let (people, failure) = step.people(tell).await?;
    let (entries, failure) = match failure {
        None => knowledge::embed_pending(services, tenant, embedder).await?,
        some => (0, some),
    };
    let mut tx = tenant.db.begin().await?;
    report.pending = learning::pending(&mut tx).await?;
    tx.commit().await?;
    report.embedded = people + entries;
    report.provider_error = failure.map(|error| error.to_string());
    Ok(report)
}
