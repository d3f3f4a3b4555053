//! What a customer said long ago and now comes back to: their own messages from before the window a turn sees.

use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::embedding::{self, Purpose};
use super::{ServiceError, Services};
use crate::domain::embedding::Embedding;
use crate::models::tenant::profile::{self, Profile};
use crate::tenant::Tenant;

/// How many old messages are looked at, and how many are told.
const LOOKED_AT: i64 = 200;
const TOLD: usize = 3;
/// From which likeness on an old message is about what is asked.
const NEAR: f32 = 0.3;
/// The longest a message is told, in characters.
const CHARS: usize = 200;
/// How long a provider may take for a question's numbers.
const TIMEOUT: Duration = Duration::from_secs(2);

/// What the person wrote before `before` about what they ask now, best first, as `12/10/2026: text`; at most three. Their
/// profile's numbers tell whether they ever spoke of it, so that mostly no message has to be looked at.
///
/// # Errors
/// A store's failure.
pub async fn earlier(
    services: &Services,
    tenant: &Tenant,
    (person, question): (Uuid, &str),
    before: DateTime<Utc>,
) -> Result<Vec<String>, ServiceError> {
    let Some(hashed) = Embedding::hashed(question) else { return Ok(Vec::new()) };
    let mut tx = tenant.db.begin().await?;
    let profile = profile::find(&mut tx, person).await?;
    tx.commit().await?;
    let known = match profile {
        Some(Profile { embedding: Some(embedding), .. }) => {
            spoke_of(services, tenant, &embedding, question, &hashed).await
        }
        _ => false,
    };
    if !known {
        return Ok(Vec::new());
    }
    let mut tx = tenant.db.begin().await?;
    let texts = profile::earlier(&mut tx, person, before, LOOKED_AT).await?;
    tx.commit().await?;
    let mut near: Vec<(f32, String)> = texts
        .into_iter()
        .filter_map(|(text, at)| {
            let likeness = Embedding::hashed(&text)?.likeness(&hashed).filter(|likeness| *likeness >= NEAR)?;
            let day = at.with_timezone(&tenant.settings.timezone).format("%d/%m/%Y");
            let short: String = crate::domain::knowledge::one_line(&text).chars().take(CHARS).collect();
            Some((likeness, format!("{day}: {short}")))
        })
        .collect();
    near.sort_by(|one, two| two.0.total_cmp(&one.0));
    Ok(near.into_iter().take(TOLD).map(|(_, line)| line).collect())
}

/// Whether the question touches what the person spoke of, by numbers of the profile's own space.
async fn spoke_of(
    services: &Services,
    tenant: &Tenant,
    profile: &Embedding,
    question: &str,
    hashed: &Embedding,
) -> bool {
    if profile.space().is_local() {
        return profile.touches(hashed);
    }
    let embedder = embedding::of(services, tenant);
    let texts = [question.to_owned()];
    if embedder.space() != profile.space() {
        return false;
    }
    match tokio::time::timeout(TIMEOUT, embedder.embed(&texts, Purpose::Likeness)).await {
        Ok(Ok(numbers)) => numbers.iter().flatten().any(|numbers| profile.touches(numbers)),
        _ => false,
    }
}
