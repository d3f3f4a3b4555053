//! The second step: profiles into numbers, as far as the company's provider can be asked.

use std::time::Duration;

use chrono::{DateTime, Utc};
use governor::DefaultDirectRateLimiter;
use uuid::Uuid;

use super::{Progress, Tell};
use crate::domain::embedding::Embedding;
use crate::domain::learning::Learned;
use crate::models::tenant::profile;
use crate::services::ServiceError;
use crate::services::embedding::{EmbedError, Embedder, Numbers, Purpose};
use crate::tenant::{StoreError, Tenant};

/// People of one request.
const PAGE: i64 = 100;
/// Tries of one request.
const TRIES: u32 = 3;
/// The longest wait a provider may ask for.
const WAIT_MAX: Duration = Duration::from_secs(60);

type Row = (Uuid, Learned, DateTime<Utc>);

pub(super) struct Step<'a> {
    pub tenant: &'a Tenant,
    pub embedder: &'a dyn Embedder,
    pub limiter: &'a DefaultDirectRateLimiter,
}

impl Step<'_> {
    /// Asks for everybody's numbers that are missing, makeshift or of another space. Returns how many got some, and why
    /// the others did not.
    pub(super) async fn people(&self, tell: Tell<'_>) -> Result<(usize, Option<EmbedError>), ServiceError> {
        let (mut done, mut after) = (0, Uuid::nil());
        loop {
            let mut tx = self.tenant.db.begin().await?;
            let rows = profile::without_numbers(&mut tx, self.embedder.space(), after, PAGE).await?;
            tx.commit().await?;
            let Some((last, ..)) = rows.last() else { return Ok((done, None)) };
            after = *last;
            let texts: Vec<String> = rows.iter().map(|(_, learned, _)| learned.essence()).collect();
            match self.ask(&texts).await {
                Ok(numbers) => {
                    let kept = self.keep(&rows, numbers, false).await?;
                    done += kept;
                    tell(Progress::Embedded(kept));
                }
                Err(error) => {
                    let hashed = texts.iter().map(|text| Embedding::hashed(text)).collect();
                    self.keep(&rows, hashed, true).await?;
                    return Ok((done, Some(error)));
                }
            }
        }
    }

    async fn ask(&self, texts: &[String]) -> Numbers {
        let mut tried = 0;
        loop {
            if !self.embedder.space().is_local() {
                self.limiter.until_ready().await;
            }
            tried += 1;
            match self.embedder.embed(texts, Purpose::Likeness).await {
                Err(EmbedError { wait: Some(wait), .. }) if tried < TRIES => {
                    tokio::time::sleep(wait.min(WAIT_MAX)).await;
                }
                other => return other,
            }
        }
    }

    async fn keep(&self, rows: &[Row], numbers: Vec<Option<Embedding>>, pending: bool) -> Result<usize, StoreError> {
        let mut tx = self.tenant.db.begin().await?;
        let mut kept = 0;
        for ((id, _, at), embedding) in rows.iter().zip(numbers) {
            let makeshift = pending && embedding.is_some();
            kept += usize::from(profile::set_numbers(&mut tx, (*id, *at), embedding.as_ref(), makeshift).await?);
        }
        tx.commit().await?;
        Ok(kept)
    }
}
