//! Voice messages to words, by the company's own model provider.
//!
//! What is said in a voice message is the customer's text like any other: the words come back as they were said and are
//! judged like written ones.

mod format;
mod gemini;
mod openai;

use std::time::Duration;

use super::WireError;
use super::http::HttpClient;
use super::llm::{LlmEndpoint, LlmKind, TokenUsage};

use format::Format;

/// A voice message.
#[derive(Clone)]
pub struct Sound {
    /// The file.
    pub bytes: Vec<u8>,
    /// The media type the sender gave, e.g. `audio/ogg; codecs=opus`; believed only where the bytes do not tell.
    pub mime: String,
    /// Its length in seconds, as the sender gave it; not believed where the file itself tells.
    pub seconds: Option<u32>,
}

/// What is listened to at most, and for how long an answer is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Largest file, in bytes.
    pub bytes: usize,
    /// Longest message, in seconds.
    pub seconds: u32,
    /// Time allowed for the call.
    pub timeout: Duration,
}

/// What came of listening.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transcription {
    /// Words.
    Text {
        /// What was said.
        text: String,
        /// The provider's count, when given.
        usage: Option<TokenUsage>,
    },
    /// No words: silence, noise, music, no sound at all, or contents that the provider refuses to write down.
    NothingHeard {
        /// The provider's count, when it was asked and gave one.
        usage: Option<TokenUsage>,
    },
    /// Over one of the limits, the provider's own included; nothing was asked.
    TooLarge,
}

/// Listens once. The endpoint's model is the one that listens: with Gemini any of its chat models, with OpenAI's protocol
/// one made for it (`whisper-1`). Errors are those of the language model of that protocol.
pub async fn transcribe(
    http: &HttpClient,
    endpoint: &LlmEndpoint,
    sound: &Sound,
    limits: &Limits,
    correlation_id: &str,
) -> Result<Transcription, WireError> {
    let format = match listenable(endpoint.kind, sound, limits) {
        Ok(format) => format,
        Err(known) => return Ok(known),
    };
    let (text, usage) = match endpoint.kind {
        LlmKind::Gemini => gemini::transcribe(http, endpoint, (&sound.bytes, format), limits, correlation_id).await?,
        LlmKind::OpenAi => openai::transcribe(http, endpoint, (&sound.bytes, format), limits, correlation_id).await?,
    };
    Ok(match words(&text) {
        "" => Transcription::NothingHeard { usage },
        text => Transcription::Text { text: text.to_owned(), usage },
    })
}

/// What is known without asking anybody: that a message is over a limit, or no sound at all.
pub fn foregone(kind: LlmKind, sound: &Sound, limits: &Limits) -> Option<Transcription> {
    listenable(kind, sound, limits).err()
}

fn listenable(kind: LlmKind, sound: &Sound, limits: &Limits) -> Result<Format, Transcription> {
    let most = match kind {
        LlmKind::Gemini => gemini::BYTES_MAX,
        LlmKind::OpenAi => openai::BYTES_MAX,
    };
    let seconds = format::seconds(&sound.bytes).or(sound.seconds.map(u64::from));
    if sound.bytes.len() > limits.bytes.min(most) || seconds.is_some_and(|length| length > u64::from(limits.seconds)) {
        return Err(Transcription::TooLarge);
    }
    Format::of(&sound.bytes, &sound.mime).ok_or(Transcription::NothingHeard { usage: None })
}

/// What the model is told to answer where nothing is said.
const NO_WORDS: &str = "[inaudível]";

/// What Whisper writes for silence: it was trained on subtitles, and these are their last lines.
const SUBTITLE_ENDS: [&str; 4] = ["amara.org", "legendas pela comunidade", "legendado por", "subtitles by"];

/// The words of a transcript; empty when it only says that there are none.
fn words(text: &str) -> &str {
    let text = text.trim();
    let folded = text.to_lowercase();
    let said = text.chars().any(char::is_alphanumeric) && !folded.contains(NO_WORDS);
    let invented = text.chars().count() < 80 && SUBTITLE_ENDS.iter().any(|end| folded.contains(end));
    if said && !invented { text } else { "" }
}
