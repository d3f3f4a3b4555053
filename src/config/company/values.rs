//! The settings of one company, read from the stored texts, with the process' settings behind them.

use std::collections::BTreeMap;

use chrono_tz::Tz;

use super::super::Settings;
use super::agenda::{self, AgendaChoice};
use super::calendar::{self, CalendarChoice};
use super::check::{check, days, opening, time_zone};
use super::find;
use super::llm::{self, AudioChoice, EmbeddingChoice, LlmChoice};
use super::reminders::{self, ReminderChoice};
use crate::domain::conversation::tone::{Style, parse_openings};
use crate::domain::hours::BusinessHours;
use crate::domain::webhook_auth::AuthMode;

/// What happens to an answer of which nobody knows whether it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ambiguous {
    /// It is sent once more.
    Resend,
    /// It is kept for a person to decide.
    Hold,
}

/// The channel answers go out by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelChoice {
    /// `whaticket`.
    pub kind: String,
    /// `community`, `saas` or `hosted`.
    pub flavor: String,
    /// Base URL; empty when neither the company nor the process names one: nothing can be sent then.
    pub base_url: String,
    /// The channel's own id of the connection; empty = none.
    pub connection: String,
}

/// How people of the company take conversations over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attending {
    /// How long after a person's last words the assistant keeps quiet, milliseconds.
    pub pause_ms: i64,
    /// What gives the conversation back when typed on the company's phone; empty = nothing does.
    pub give_back_word: String,
}

/// What is said at the first contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Whether it is said that this is a virtual assistant.
    pub notice: bool,
    /// Where the privacy notice is; empty = it is not linked.
    pub privacy_url: String,
}

/// When the company is open, and whether customers are told while it is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoursChoice {
    /// Hours and holidays; without opening hours nothing is known of being open.
    pub business: BusinessHours,
    /// Whether opening hours are set.
    pub known: bool,
    /// Whether customers are told once per closing.
    pub notice: bool,
}

/// How the assistant speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToneChoice {
    /// The style.
    pub style: Style,
    /// Own opening phrases; none: those of the style.
    pub openings: Vec<String>,
}

/// All settings of one company but its secrets.
#[derive(Clone, Debug, PartialEq)]
pub struct CompanySettings {
    /// What a webhook must carry.
    pub auth: AuthMode,
    /// Whether signatures without a timestamp count.
    pub allow_untimestamped: bool,
    /// The channel.
    pub channel: ChannelChoice,
    /// The language model.
    pub llm: LlmChoice,
    /// The one asked when the first fails.
    pub llm2: Option<LlmChoice>,
    /// Voice messages.
    pub audio: AudioChoice,
    /// What turns texts into vectors; `None` = this program itself.
    pub embedding: Option<EmbeddingChoice>,
    /// Whether the model answers.
    pub ai_enabled: bool,
    /// How long after a message its burst is taken as finished, milliseconds.
    pub burst_window_ms: u64,
    /// Messages a minute of one number.
    pub number_per_minute: u32,
    /// Messages one number may send at once.
    pub number_burst: u32,
    /// How long the short context lives, seconds.
    pub context_ttl_seconds: u64,
    /// Exchanges of the short context.
    pub context_turns: usize,
    /// Time zone.
    pub timezone: Tz,
    /// What happens to an answer of unknown fate.
    pub ambiguous: Ambiguous,
    /// How people take conversations over, and give them back.
    pub attending: Attending,
    /// What is said at the first contact.
    pub contact: Contact,
    /// Opening hours, holidays, and what is said out of hours.
    pub hours: HoursChoice,
    /// Where appointments are kept, and how they are made.
    pub calendar: CalendarChoice,
    /// What is done with what past appointments say.
    pub agenda: AgendaChoice,
    /// Reminders, and questions after visits.
    pub reminders: ReminderChoice,
    /// How the assistant speaks.
    pub tone: ToneChoice,
    /// Facts of the company, those that are set: label in pt-BR and text, in the order the prompt wants them.
    pub facts: Vec<(&'static str, String)>,
    /// Own reply texts by name: `fallback`, `ai_disabled`, `technical_issue`, `media`, `injection`.
    pub texts: BTreeMap<&'static str, String>,
}

const FACTS: [(&str, &str); 6] = [
    ("facts.about", "Sobre a empresa"),
    ("facts.hours", "Horário de funcionamento"),
    ("facts.address", "Endereço"),
    ("facts.phone", "Telefone"),
    ("facts.services", "Serviços e preços"),
    ("facts.site", "Site"),
];

const TEXTS: [(&str, &str); 5] = [
    ("text.fallback", "fallback"),
    ("text.ai_disabled", "ai_disabled"),
    ("text.technical_issue", "technical_issue"),
    ("text.media", "media"),
    ("text.injection", "injection"),
];

impl CompanySettings {
    /// Reads stored values; what is absent comes from the defaults and the process' settings.
    ///
    /// Fails on unknown names, values that do not fit, and secrets, which have no place among them.
    pub fn from_values(stored: &BTreeMap<String, String>, process: &Settings) -> Result<Self, String> {
        for (key, value) in stored {
            if find(key)?.is_secret() {
                return Err(format!("{key} is a secret and may not be stored among the settings"));
            }
            check(key, value)?;
        }
        let read = Stored(stored);
        let burst_window_ms: u64 = read.number("burst.window_ms", process.queue.burst_window_ms)?;
        let most = process.queue.burst_max_ms;
        if burst_window_ms > most {
            return Err(format!("burst.window_ms is longer than queue.burst_max_ms ({most}); choose at most {most}"));
        }
        let (first, second) = (llm::first(&read, process)?, llm::second(&read, process)?);
        let hours = hours(&read)?;
        Ok(Self {
            auth: read.text("auth_mode", AuthMode::HmacToken.as_str()).parse()?,
            allow_untimestamped: read.flag("webhook.allow_untimestamped", false),
            channel: channel(&read, process),
            audio: llm::audio(&read)?,
            embedding: llm::embedding(&read, &first, second.as_ref(), process)?,
            llm: first,
            llm2: second,
            ai_enabled: read.flag("ai.enabled", true),
            burst_window_ms,
            number_per_minute: read.number("limits.number_per_minute", process.limits.number_per_minute)?,
            number_burst: read.number("limits.number_burst", process.limits.number_burst)?,
            context_ttl_seconds: read.number("context.ttl_seconds", process.context.ttl_seconds)?,
            context_turns: read.number("context.turns", process.context.turns)?,
            timezone: time_zone("timezone", read.text("timezone", "America/Sao_Paulo"))?,
            ambiguous: match read.text("delivery.ambiguous", "resend") {
                "hold" => Ambiguous::Hold,
                _ => Ambiguous::Resend,
            },
            attending: Attending {
                pause_ms: read.number::<i64>("handoff.pause_minutes", 30)?.saturating_mul(60_000),
                give_back_word: stored
                    .get("handoff.give_back_word")
                    .map_or("#assistente", |word| word.trim())
                    .to_owned(),
            },
            contact: Contact {
                notice: read.flag("contact.notice", true),
                privacy_url: read.text("contact.privacy_url", "").to_owned(),
            },
            calendar: calendar::choice(&read)?,
            agenda: agenda::choice(&read)?,
            reminders: reminders::choice(&read)?,
            facts: facts(&read, &hours),
            hours,
            tone: ToneChoice {
                style: Style::from_label(read.text("tone.style", "")).unwrap_or_default(),
                openings: parse_openings(read.text("tone.openings", "")),
            },
            texts: TEXTS.iter().filter_map(|(key, name)| Some((*name, read.filled(key)?))).collect(),
        })
    }
}

fn hours(read: &Stored<'_>) -> Result<HoursChoice, String> {
    let opening = opening("hours.opening", read.text("hours.opening", ""))?;
    Ok(HoursChoice {
        known: opening.is_some(),
        business: BusinessHours {
            opening: opening.unwrap_or_default(),
            own: days("hours.holidays", read.text("hours.holidays", ""))?,
            national: read.flag("hours.national_holidays", true),
        },
        notice: read.text("hours.away", "notice") == "notice",
    })
}

/// The facts that are set. Opening hours are told once: as the company words them, else as they are set.
fn facts(read: &Stored<'_>, hours: &HoursChoice) -> Vec<(&'static str, String)> {
    let set = |key: &str| (key == "facts.hours" && hours.known).then(|| hours.business.opening.to_string());
    FACTS.iter().filter_map(|(key, label)| Some((*label, read.filled(key).or_else(|| set(key))?))).collect()
}

fn channel(read: &Stored<'_>, process: &Settings) -> ChannelChoice {
    ChannelChoice {
        kind: read.text("channel.kind", "whaticket").to_owned(),
        flavor: read.text("channel.flavor", "saas").to_owned(),
        base_url: read.text("channel.base_url", &process.delivery.base_url).to_owned(),
        connection: read.text("channel.connection", "").to_owned(),
    }
}

pub(super) struct Stored<'a>(&'a BTreeMap<String, String>);

impl Stored<'_> {
    pub(super) fn text<'b>(&'b self, key: &str, default: &'b str) -> &'b str {
        self.0.get(key).map(String::as_str).filter(|value| !value.is_empty()).unwrap_or(default)
    }

    pub(super) fn flag(&self, key: &str, default: bool) -> bool {
        self.0.get(key).and_then(|value| value.parse().ok()).unwrap_or(default)
    }

    pub(super) fn number<T: std::str::FromStr>(&self, key: &str, default: T) -> Result<T, String> {
        match self.0.get(key) {
            Some(value) => value.parse().map_err(|_| format!("{key} is out of range")),
            None => Ok(default),
        }
    }

    fn filled(&self, key: &str) -> Option<String> {
        self.0.get(key).map(|value| value.trim()).filter(|value| !value.is_empty()).map(str::to_owned)
    }
}
