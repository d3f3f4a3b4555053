//! Settings of one company: what `provision set --set KEY=VALUE` accepts, and what they mean once read.
//!
//! [`COMPANY_SETTINGS`] is the list; [`CompanySettings`] the values in use. Secrets are in the list, so that they can
//! be set and documented, but never in [`CompanySettings`]: they are stored encrypted, apart from the rest.

mod check;
mod values;

use std::fmt::Write;

pub use check::check;
pub use values::{Ambiguous, ChannelChoice, CompanySettings, LlmChoice};

/// What a value may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Free text of at most this many characters.
    Text {
        /// Most characters.
        max: usize,
    },
    /// A whole number, both ends included.
    Int {
        /// Smallest.
        min: u64,
        /// Largest.
        max: u64,
    },
    /// `true` or `false`.
    Bool,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// An http or https URL, without credentials in it.
    Url,
    /// A name of the IANA time zone database.
    TimeZone,
    /// A credential of at least this many visible ASCII characters; stored encrypted, never shown, never a flag.
    Secret {
        /// Fewest characters.
        min: usize,
    },
}

/// One setting of a company.
#[derive(Clone, Copy, Debug)]
pub struct CompanySetting {
    /// The name, `group.name`.
    pub key: &'static str,
    /// What the value may be.
    pub kind: Kind,
    /// The default in words: a value, or the process setting it falls back to (`as KEY`), or empty for none.
    pub default: &'static str,
    /// The meaning.
    pub doc: &'static str,
}

impl CompanySetting {
    /// Whether the value is a credential.
    pub fn is_secret(&self) -> bool {
        matches!(self.kind, Kind::Secret { .. })
    }
}

const fn setting(key: &'static str, kind: Kind, default: &'static str, doc: &'static str) -> CompanySetting {
    CompanySetting { key, kind, default, doc }
}

const FACT: Kind = Kind::Text { max: 4_000 };
const REPLY: Kind = Kind::Text { max: 300 };
/// 32 characters: what `openssl rand -hex 16` gives at the least; generated ones are longer.
const STRONG: Kind = Kind::Secret { min: 32 };
const ISSUED: Kind = Kind::Secret { min: 8 };

/// Every setting of a company.
#[rustfmt::skip]
pub const COMPANY_SETTINGS: &[CompanySetting] = &[
    setting("auth_mode", Kind::Choice(&["hmac+token", "hmac", "token"]), "hmac+token", "What a webhook must carry: a signature and the token, or one of them. Only with `token` may it come as `?token=`."),
    setting("webhook.secret", STRONG, "generated", "Signs webhooks; `whsec_` and base64 when generated."),
    setting("webhook.secret_previous", STRONG, "", "Still accepted after a rotation."),
    setting("webhook.token", STRONG, "generated", "The token of webhooks."),
    setting("webhook.token_previous", STRONG, "", "Still accepted after a rotation."),
    setting("webhook.allow_untimestamped", Kind::Bool, "false", "Accept signatures without a timestamp. They can be replayed: only for gateways that cannot do better."),
    setting("api.token", STRONG, "", "The token of the company's API (`Authorization: Bearer …`); without one the API is closed."),
    setting("api.token_previous", STRONG, "", "Still accepted by the API, while callers change over."),
    setting("channel.kind", Kind::Choice(&["whaticket"]), "whaticket", "The channel answers go out by."),
    setting("channel.flavor", Kind::Choice(&["community", "saas", "hosted"]), "saas", "Which Whaticket it is."),
    setting("channel.base_url", Kind::Url, "as delivery.base_url", "Where the channel's API is."),
    setting("channel.token", ISSUED, "", "Credential of the channel's API."),
    setting("channel.connection", Kind::Text { max: 100 }, "", "The channel's own id of the WhatsApp connection, where it wants one."),
    setting("llm.kind", Kind::Choice(&["gemini"]), "gemini", "The kind of language model."),
    setting("llm.base_url", Kind::Url, "as llm.base_url", "Where the model's API is."),
    setting("llm.api_key", ISSUED, "", "Key of the model's API."),
    setting("llm.model", Kind::Text { max: 100 }, "as llm.model", "The model's name."),
    setting("ai.enabled", Kind::Bool, "true", "Whether the model answers; if not, customers get `text.ai_disabled`."),
    setting("burst.window_ms", Kind::Int { min: 0, max: 60_000 }, "as queue.burst_window_ms", "How long after a message its burst is taken as finished, milliseconds."),
    setting("limits.number_per_minute", Kind::Int { min: 1, max: 100_000 }, "as limits.number_per_minute", "Messages a minute of one number."),
    setting("limits.number_burst", Kind::Int { min: 1, max: 100_000 }, "as limits.number_burst", "Messages one number may send at once."),
    setting("context.ttl_seconds", Kind::Int { min: 1, max: 604_800 }, "as context.ttl_seconds", "How long the short context lives, seconds."),
    setting("context.turns", Kind::Int { min: 0, max: 50 }, "as context.turns", "Exchanges of the short context."),
    setting("timezone", Kind::TimeZone, "America/Sao_Paulo", "Time zone of the company."),
    setting("delivery.ambiguous", Kind::Choice(&["resend", "hold"]), "resend", "What happens to an answer of which nobody knows whether it was sent: once more, or kept for a person to decide."),
    setting("facts.about", FACT, "", "What the company is and does; the model answers from it."),
    setting("facts.hours", FACT, "", "Opening hours."),
    setting("facts.address", FACT, "", "Address and how to get there."),
    setting("facts.phone", FACT, "", "Telephone for people."),
    setting("facts.services", FACT, "", "Services and prices."),
    setting("facts.site", FACT, "", "Web site."),
    setting("text.fallback", REPLY, "built in", "Reply when no good answer exists."),
    setting("text.ai_disabled", REPLY, "built in", "Reply when the model is switched off."),
    setting("text.technical_issue", REPLY, "built in", "Reply when the model cannot be reached."),
    setting("text.media", REPLY, "built in", "Reply to audio, pictures and files without text."),
    setting("text.injection", REPLY, "built in", "Reply to attempts to talk the assistant out of its task."),
];

/// The setting of this name; for an unknown one a sentence with the nearest name.
pub fn find(key: &str) -> Result<&'static CompanySetting, String> {
    COMPANY_SETTINGS.iter().find(|setting| setting.key == key).ok_or_else(|| {
        match super::error::nearest(key, COMPANY_SETTINGS.iter().map(|setting| setting.key)) {
            Some(name) => format!("a company has no setting {key:?}; did you mean {name}?"),
            None => format!("a company has no setting {key:?}; docs/config.md lists them"),
        }
    })
}

/// The company's part of `docs/config.md`.
pub(super) fn markdown() -> String {
    let mut out = String::from(
        "\n## Settings of a company\n\nSet with `secretaria provision set COMPANY --set KEY=VALUE`; long texts and secrets with \
         `--set-file KEY=PATH` (`-` reads stdin). Secrets are stored encrypted and never shown.\n\n\
         | key | value | default | meaning |\n|---|---|---|---|\n",
    );
    for setting in COMPANY_SETTINGS {
        let (kind, doc) = (super::describe::cell(&setting.kind.describe()), super::describe::cell(setting.doc));
        let _ = writeln!(out, "| `{}` | {kind} | {} | {doc} |", setting.key, setting.default);
    }
    out
}
