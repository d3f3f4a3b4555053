//! Settings of one company: what `provision set --set KEY=VALUE` accepts, and what they mean once read.
//!
//! [`COMPANY_SETTINGS`] is the list; [`CompanySettings`] the values in use. Secrets are in the list, so that they can
//! be set and documented, but never in [`CompanySettings`]: they are stored encrypted, apart from the rest.

mod agenda;
mod calendar;
mod check;
mod llm;
mod reminders;
mod values;

use std::fmt::Write;

use crate::domain::conversation::tone::Style;
pub use agenda::AgendaChoice;
pub use calendar::{CalendarChoice, CalendarKind};
pub use check::check;
pub use llm::{AudioChoice, CeilingField, EmbeddingChoice, LlmChoice, LlmKind};
pub use reminders::ReminderChoice;
pub use values::{Ambiguous, Attending, ChannelChoice, CompanySettings, Contact, HoursChoice, ToneChoice};

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
    /// A number from 0 to 1, such as 0.8.
    Share,
    /// `true` or `false`.
    Bool,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// An http or https URL, without credentials in it.
    Url,
    /// A name of the IANA time zone database.
    TimeZone,
    /// A time of day, `HH:MM`.
    Clock,
    /// Numbers of minutes with commas between them.
    Minutes,
    /// Opening hours of a week, as people write them.
    Hours,
    /// Days with other hours than their weekday's.
    Days,
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
const MODEL_KIND: Kind = Kind::Choice(&["gemini", "openai"]);
const CEILING: Kind = Kind::Choice(&["auto", "max_tokens", "max_completion_tokens"]);

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
    setting("llm.kind", MODEL_KIND, "gemini", "The kind of language model: Google Gemini, or OpenAI and whatever speaks its chat protocol (llama.cpp, Ollama, vLLM, a gateway)."),
    setting("llm.base_url", Kind::Url, "as llm.base_url; with `openai` https://api.openai.com/v1", "Where the model's API is; with `openai` everything before `/chat/completions`."),
    setting("llm.api_key", ISSUED, "", "Key of the model's API. With `openai` it may stay unset, for a server of one's own: then no Authorization header is sent."),
    setting("llm.model", Kind::Text { max: 100 }, "as llm.model; with `openai` none: it must be set", "The model's name."),
    setting("llm.ceiling", CEILING, "auto", "How an `openai` server wants the most tokens of an answer named; `auto` is `max_completion_tokens` at api.openai.com and `max_tokens` elsewhere."),
    setting("llm2.kind", MODEL_KIND, "", "The kind of the second language model, asked when the first fails for any reason but a refused content; unset = there is none. The time of one call is then kept for it, at most half of llm.budget_ms."),
    setting("llm2.base_url", Kind::Url, "as with the first", "Where the second model's API is."),
    setting("llm2.api_key", ISSUED, "", "Key of the second model's API; unset as with the first."),
    setting("llm2.model", Kind::Text { max: 100 }, "as with the first", "The second model's name."),
    setting("llm2.ceiling", CEILING, "auto", "As llm.ceiling, for the second model."),
    setting("audio.transcribe", Kind::Bool, "false", "Whether voice messages are sent to the model's provider to be written down; if not, customers get `text.media`."),
    setting("audio.model", Kind::Text { max: 100 }, "as llm.model; with `openai` whisper-1", "The model that listens at the first model's provider; the second's own model listens there, with `openai` whisper-1."),
    setting("audio.max_seconds", Kind::Int { min: 1, max: 1_800 }, "180", "The longest voice message that is listened to, seconds."),
    setting("audio.max_kib", Kind::Int { min: 16, max: 13_000 }, "4096", "The largest voice message that is fetched, KiB."),
    setting("embedding.kind", Kind::Choice(&["local", "gemini", "openai"]), "local", "What turns texts into vectors: this program itself, without asking anybody, or a provider."),
    setting("embedding.base_url", Kind::Url, "as with the model of that kind", "Where the provider's API is."),
    setting("embedding.api_key", ISSUED, "as with the model of that kind", "Key of the provider's API."),
    setting("embedding.model", Kind::Text { max: 100 }, "gemini-embedding-001 or text-embedding-3-small", "The model that makes vectors. Vectors of another model are of no use to it: they are made anew."),
    setting("embedding.dimension", Kind::Int { min: 64, max: 3_072 }, "768 with `gemini`, 512 with `openai`", "How many numbers a vector has; must be one that the model makes."),
    setting("ai.enabled", Kind::Bool, "true", "Whether the model answers; if not, customers get `text.ai_disabled`."),
    setting("burst.window_ms", Kind::Int { min: 0, max: 60_000 }, "as queue.burst_window_ms", "How long after a message its burst is taken as finished, milliseconds."),
    setting("limits.number_per_minute", Kind::Int { min: 1, max: 100_000 }, "as limits.number_per_minute", "Messages a minute of one number."),
    setting("limits.number_burst", Kind::Int { min: 1, max: 100_000 }, "as limits.number_burst", "Messages one number may send at once."),
    setting("context.ttl_seconds", Kind::Int { min: 1, max: 604_800 }, "as context.ttl_seconds", "How long the short context lives, seconds."),
    setting("context.turns", Kind::Int { min: 0, max: 50 }, "as context.turns", "Exchanges of the short context."),
    setting("timezone", Kind::TimeZone, "America/Sao_Paulo", "Time zone of the company."),
    setting("delivery.ambiguous", Kind::Choice(&["resend", "hold"]), "resend", "What happens to an answer of which nobody knows whether it was sent: once more, or kept for a person to decide."),
    setting("handoff.pause_minutes", Kind::Int { min: 1, max: 10_080 }, "30", "How long after a person's last words the assistant keeps quiet."),
    setting("handoff.give_back_word", Kind::Text { max: 60 }, "#assistente", "Typed on the company's phone, it gives the conversation back to the assistant; empty = no word does."),
    setting("contact.notice", Kind::Bool, "true", "Whether the first answer says that this is a virtual assistant, as `text.first_contact` words it."),
    setting("contact.privacy_url", Kind::Url, "", "Where the company's privacy notice is; the first answer links it."),
    setting("hours.opening", Kind::Hours, "", "Opening hours, for example `seg-sex 8h-12h, 13h30-18h; sáb 8h-12h`. With them the assistant knows whether it is open now; the model is told them unless `facts.hours` says more."),
    setting("hours.holidays", Kind::Days, "", "The company's own days, one a line or with `;` between them: `24/12 Véspera de Natal 8h-12h; 20/12 a 05/01 Recesso; carnaval fechado; 12/10 aberto`. They win over the country's holidays; without hours or `aberto` a day is closed."),
    setting("hours.national_holidays", Kind::Bool, "true", "Whether national holidays close the company. Optional days (Carnaval, Corpus Christi) never do unless listed in `hours.holidays`."),
    setting("hours.away", Kind::Choice(&["notice", "answer"]), "notice", "Out of hours the assistant answers all the same: with a notice of when the team is back, once per conversation and closing, or without."),
    setting("calendar.kind", Kind::Choice(&["none", "local", "calcom"]), "none", "Where appointments are kept: nowhere (the assistant hands over), in the company's own calendar here, or at Cal.com."),
    setting("calendar.base_url", Kind::Url, "https://api.cal.com", "Where Cal.com's API is: everything before `/v2`."),
    setting("calendar.api_key", ISSUED, "", "Cal.com's API key (`cal_…`)."),
    setting("calendar.webhook_secret", ISSUED, "", "The secret of Cal.com's webhook; without one its callbacks are refused."),
    setting("calendar.webhook_secret_previous", ISSUED, "", "Still accepted after a rotation."),
    setting("calendar.event_type", Kind::Int { min: 1, max: 9_007_199_254_740_991 }, "", "Cal.com's event type of services that name none of their own."),
    setting("calendar.bookings_version", Kind::Choice(&["2024-08-13", "2026-02-25"]), "2024-08-13", "The `cal-api-version` of Cal.com's bookings."),
    setting("calendar.exclusive", Kind::Bool, "true", "Whether an event type has one host and no seats, so that two of its bookings can never overlap."),
    setting("calendar.duration_minutes", Kind::Int { min: 5, max: 1_440 }, "30", "How long a service without a duration takes; own calendar only."),
    setting("calendar.step_minutes", Kind::Int { min: 5, max: 480 }, "as the service's duration", "From one beginning to the next; own calendar only."),
    setting("calendar.buffer_before_minutes", Kind::Int { min: 0, max: 480 }, "0", "Time kept free before each appointment; own calendar only."),
    setting("calendar.buffer_after_minutes", Kind::Int { min: 0, max: 480 }, "0", "Time kept free after each appointment; own calendar only."),
    setting("calendar.capacity", Kind::Int { min: 1, max: 1_000 }, "1", "How many appointments there may be at once where no professional is named; own calendar only."),
    setting("calendar.notice_minutes", Kind::Int { min: 0, max: 43_200 }, "60", "How long before its beginning an appointment can still be made or moved."),
    setting("calendar.days_ahead", Kind::Int { min: 1, max: 365 }, "60", "How many days ahead appointments can be made."),
    setting("calendar.hold_minutes", Kind::Int { min: 1, max: 120 }, "10", "How long a time is kept while a customer decides."),
    setting("calendar.needs_confirmation", Kind::Bool, "false", "Whether the company says yes to each appointment; own calendar only, Cal.com decides by itself."),
    setting("agenda.days_ahead", Kind::Int { min: 1, max: 60 }, "7", "How many days ahead the daily insights look."),
    setting("agenda.look_ahead_hours", Kind::Int { min: 1, max: 336 }, "72", "How near an appointment of high risk must be for its person to be asked about another time."),
    setting("agenda.risk_threshold", Kind::Share, "0.8", "From where on an appointment is marked as high risk; what it is a threshold of, `agenda.risk_reading` says."),
    setting("agenda.risk_reading", Kind::Choice(&["rank", "chance"]), "rank", "`rank`: 0.8 marks what is riskier than four in five of the company's recent appointments, and clearly above its average; `chance`: what is more likely missed than that. Calibrated chances hardly ever reach 0.8, so that by `chance` nothing would be marked at the default threshold."),
    setting("agenda.auto_reschedule", Kind::Bool, "false", "Whether people of appointments of high risk are asked, once and never in quiet hours, if another time suits them better."),
    setting("reminders.day", Kind::Bool, "true", "Whether customers are reminded 24 hours before an appointment."),
    setting("reminders.hour", Kind::Bool, "true", "Whether they are reminded an hour before it."),
    setting("reminders.custom_minutes", Kind::Minutes, "", "Further reminders, each so many minutes before; an appointment's own `reminder_minutes` come on top."),
    setting("reminders.quiet_from", Kind::Clock, "21:00", "From this local time on nothing is sent that nobody asked for: it waits for the end of quiet hours, or goes out the evening before where that would be too late."),
    setting("reminders.quiet_until", Kind::Clock, "08:00", "Until this local time; the same as `reminders.quiet_from` = no quiet hours."),
    setting("reminders.no_show_auto", Kind::Bool, "false", "Whether an appointment that nobody marks counts as missed after `reminders.grace_minutes`; if not, only the team's mark and the calendar's say so."),
    setting("reminders.grace_minutes", Kind::Int { min: 0, max: 10_080 }, "30", "How long after its end it is looked whether somebody came, minutes."),
    setting("followup.enabled", Kind::Bool, "true", "Whether customers are asked after a visit how it was."),
    setting("followup.after_minutes", Kind::Int { min: 1, max: 43_200 }, "60", "How long after its end, minutes."),
    setting("tone.style", Kind::Choice(&Style::LABELS), "amigável", "How the assistant speaks."),
    setting("tone.openings", Kind::Text { max: 1_000 }, "by `tone.style`, such as `Oi, {nome}!`", "Opening phrases, one a line or with `|` between them; `{nome}` is the customer's name, `{periodo}` bom dia, boa tarde or boa noite."),
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
