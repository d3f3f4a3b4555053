//! Voice messages become text: the file is fetched from where the webhook said it is, and the company's model provider
//! writes it down. Whatever happens, the caller gets words or the reason why there are none.

use std::time::Duration;

use tokio::time::Instant;

use super::{Services, llm};
use crate::clients::channel::whaticket::media::decrypt_sound;
use crate::clients::llm::TokenUsage;
use crate::clients::media::{Fetchers, fetch};
use crate::clients::transcription::{Sound, Transcription};
use crate::domain::inbound::Media;
use crate::domain::text::MessageText;
use crate::tenant::Tenant;

/// Time to fetch a file.
const FETCH: Duration = Duration::from_secs(10);

/// What encryption adds to a file at most: a block of padding and the MAC.
const ENCRYPTED_EXTRA: usize = 32;

/// Why there are no words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unheard {
    /// The company does not have voice messages written down.
    Off,
    /// Longer or larger than the company allows.
    TooLarge,
    /// Nothing intelligible is said.
    Nothing,
    /// The file or the provider cannot be reached, or the file is not what it should be.
    Failed,
}

/// What came of listening to a voice message.
#[derive(Clone, Debug)]
pub struct Hearing {
    /// What was said, cleaned like a written text; just as little to be trusted.
    pub words: Result<MessageText, Unheard>,
    /// Tokens it cost.
    pub usage: TokenUsage,
    /// Whether they were estimated.
    pub estimated: bool,
    /// Time it took, fetching included.
    pub took: Duration,
}

/// Listens to a voice message: at most ten seconds for its file and `llm.budget_ms` for the words.
pub async fn hear(services: &Services, tenant: &Tenant, media: &Media, correlation_id: &str) -> Hearing {
    let begun = Instant::now();
    let mut hearing =
        Hearing { words: Err(Unheard::Off), usage: TokenUsage::default(), estimated: false, took: Duration::ZERO };
    hearing.words = match file(services, tenant, media).await {
        Err(unheard) => Err(unheard),
        Ok(sound) => {
            let listened = llm::listen(services, tenant, &sound, correlation_id).await;
            (hearing.usage, hearing.estimated) = (listened.usage, listened.estimated);
            match listened.heard {
                None => Err(Unheard::Failed),
                Some(Transcription::TooLarge) => Err(Unheard::TooLarge),
                Some(Transcription::NothingHeard { .. }) => Err(Unheard::Nothing),
                Some(Transcription::Text { text, .. }) => MessageText::clean(&text).ok_or(Unheard::Nothing),
            }
        }
    };
    hearing.took = begun.elapsed();
    hearing
}

/// The file in clear.
async fn file(services: &Services, tenant: &Tenant, media: &Media) -> Result<Sound, Unheard> {
    let audio = &tenant.settings.audio;
    if !audio.transcribe {
        return Err(Unheard::Off);
    }
    if media.seconds.is_some_and(|seconds| seconds > audio.max_seconds) {
        return Err(Unheard::TooLarge);
    }
    let fetchers = Fetchers { trusted: &services.http, guarded: &services.guarded };
    let limit = audio.max_bytes.saturating_add(if media.key.is_some() { ENCRYPTED_EXTRA } else { 0 });
    let fetched = fetch(fetchers, &media.url, &tenant.settings.channel.base_url, (limit, FETCH)).await;
    let company = tenant.id().get();
    let found = match fetched {
        Ok(Some(found)) => found,
        Ok(None) => return Err(Unheard::TooLarge),
        Err(error) => {
            tracing::warn!(company, %error, "The file of a voice message cannot be fetched");
            return Err(Unheard::Failed);
        }
    };
    let bytes = match &media.key {
        None => found.bytes,
        Some(key) => decrypt_sound(&found.bytes, key).ok_or_else(|| {
            tracing::warn!(company, "The file of a voice message does not fit its key");
            Unheard::Failed
        })?,
    };
    let mime = if media.mime.is_empty() { found.content_type } else { media.mime.clone() };
    Ok(Sound { bytes, mime, seconds: media.seconds })
}
