//! How the assistant speaks: formality, empathy and humour, from the company's style, what customers thought of it, and
//! the mood of the moment.

use serde::{Deserialize, Serialize};

use super::feedback::Share;
use super::sentiment::Mood;

/// Opinions before they change the tone.
pub const OPINIONS_MIN: u32 = 3;
/// Up to this share of good opinions the assistant jokes no more and shows more empathy.
pub const SHARE_LOW: f32 = 0.40;
/// From this share of good opinions on it may be light-hearted.
pub const SHARE_HIGH: f32 = 0.70;

/// The style a company chooses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// Warm and polite.
    #[default]
    Friendly,
    /// "O senhor", "a senhora"; no emoji.
    Formal,
    /// As among acquaintances.
    Informal,
    /// Exact and dry.
    Technical,
}

impl Style {
    /// All of them, in the order of [`Style::LABELS`].
    pub const ALL: [Self; 4] = [Self::Friendly, Self::Formal, Self::Informal, Self::Technical];
    /// Their names among a company's settings.
    pub const LABELS: [&'static str; 4] = ["amigável", "formal", "informal", "técnico"];

    /// The name among a company's settings.
    pub fn label(self) -> &'static str {
        match self {
            Self::Friendly => "amigável",
            Self::Formal => "formal",
            Self::Informal => "informal",
            Self::Technical => "técnico",
        }
    }

    /// Reads the name.
    pub fn from_label(label: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|style| style.label() == label)
    }

    /// Most emoji of an answer in this style.
    fn emoji(self) -> u8 {
        match self {
            Self::Formal | Self::Technical => 0,
            Self::Friendly => 1,
            Self::Informal => 2,
        }
    }

    /// The opening phrases of companies that have no own; `{nome}` and `{periodo}` are filled in.
    pub fn default_openings(self) -> &'static [&'static str] {
        match self {
            Self::Friendly => &["Oi, {nome}!", "Olá, {nome}!", "{periodo}, {nome}!"],
            Self::Formal => &["{periodo}, {nome}."],
            Self::Informal => &["Oi, {nome}!", "E aí, {nome}!", "Opa, {nome}!"],
            Self::Technical => &["Olá, {nome}."],
        }
    }
}

/// How much of something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Little.
    Low,
    /// As usual.
    #[default]
    Medium,
    /// Much.
    High,
}

impl Level {
    fn more(self) -> Self {
        match self {
            Self::Low => Self::Medium,
            Self::Medium | Self::High => Self::High,
        }
    }
}

/// How the assistant speaks to one customer in one turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToneProfile {
    /// The company's style.
    pub style: Style,
    /// How formal.
    pub formality: Level,
    /// How much it goes into what the customer feels.
    pub empathy: Level,
    /// Whether a light word is welcome.
    pub humour: bool,
    /// Whether the customer is in a bad mood now: no emoji then, and no joke whatever was liked before.
    pub sour: bool,
}

/// What a template may use of a tone, ready to be shown; each may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToneWords {
    /// The opening phrase.
    pub saudacao: String,
    /// A word of sympathy, when the customer is in a bad mood.
    pub empatia: String,
    /// A light word.
    pub humor: String,
}

impl ToneProfile {
    /// The tone of a turn: the company's style, changed by the share of good opinions once there are
    /// [`OPINIONS_MIN`], and by the mood the customer is in now.
    pub fn of(style: Style, opinions: Share, mood: Mood) -> Self {
        let (formality, empathy, humour) = match style {
            Style::Friendly => (Level::Medium, Level::Medium, false),
            Style::Formal => (Level::High, Level::Medium, false),
            Style::Informal => (Level::Low, Level::Medium, true),
            Style::Technical => (Level::Medium, Level::Low, false),
        };
        let mut tone = Self { style, formality, empathy, humour, sour: mood == Mood::Negative };
        match opinions.positive_share().filter(|_| opinions.opinions() >= OPINIONS_MIN) {
            Some(share) if share <= SHARE_LOW => {
                tone.humour = false;
                tone.empathy = tone.empathy.more();
            }
            Some(share) if share >= SHARE_HIGH => tone.humour = true,
            _ => {}
        }
        if tone.sour {
            tone.humour = false;
            tone.empathy = tone.empathy.more();
        }
        tone
    }

    /// Most emoji of an answer: 0 to 2.
    pub fn emoji_budget(&self) -> u8 {
        if self.sour { 0 } else { self.style.emoji() }
    }

    /// What the model is told of the tone, a sentence each, in pt-BR.
    pub fn sentences(&self) -> Vec<&'static str> {
        let mut out = vec![match self.formality {
            Level::Low => "Fale de modo descontraído, como quem já conhece o cliente, sem gírias pesadas.",
            Level::Medium if self.style == Style::Technical => "Seja exata e objetiva, com os termos corretos.",
            Level::Medium => "Fale de modo acolhedor e educado, tratando por você.",
            Level::High => "Fale de modo formal, tratando por senhor ou senhora, sem abreviações.",
        }];
        out.extend(match self.empathy {
            Level::Low => None,
            Level::Medium => Some("Mostre atenção ao que o cliente diz."),
            Level::High => Some("Reconheça primeiro, em poucas palavras, o que o cliente sente; depois ajude."),
        });
        out.push(if self.humour {
            "Um comentário leve é bem-vindo, nunca ironia."
        } else {
            "Não faça brincadeiras."
        });
        out.push(match self.emoji_budget() {
            0 => "Não use emojis.",
            1 => "Use no máximo 1 emoji.",
            _ => "Use no máximo 2 emojis.",
        });
        out
    }

    /// The words templates may use. `openings` are the company's own phrases, one of which is taken by `chance` (any
    /// number); without any those of the style are used. `hour` is the local hour of the day.
    pub fn words(&self, openings: &[String], name: Option<&str>, hour: u32, chance: u64) -> ToneWords {
        let own: Vec<&str> = openings.iter().map(String::as_str).collect();
        let phrases = if own.is_empty() { self.style.default_openings() } else { own.as_slice() };
        let count = u64::try_from(phrases.len()).unwrap_or(1).max(1);
        let chosen = usize::try_from(chance % count).ok().and_then(|at| phrases.get(at)).copied().unwrap_or_default();
        ToneWords {
            saudacao: opening(chosen, name, hour),
            empatia: if self.sour { self.sympathy() } else { "" }.to_owned(),
            humor: if self.humour { self.light_word(chance) } else { "" }.to_owned(),
        }
    }

    fn light_word(&self, chance: u64) -> &'static str {
        match (self.formality, chance % 2) {
            (Level::High, _) => "Será um prazer.",
            (_, 0) => "É pra já!",
            _ => "Vamos lá!",
        }
    }

    fn sympathy(&self) -> &'static str {
        match self.formality {
            Level::High => "Lamento pelo ocorrido.",
            Level::Medium => "Sinto muito por isso.",
            Level::Low => "Poxa, sinto muito por isso.",
        }
    }
}

/// Every sentence a model may be told of a tone.
pub(super) fn all_sentences() -> Vec<&'static str> {
    let levels = [Level::Low, Level::Medium, Level::High];
    let tones = Style::ALL.into_iter().flat_map(|style| {
        let tone = ToneProfile { style, formality: Level::Low, empathy: Level::Low, humour: false, sour: false };
        let formal = levels.into_iter().map(move |formality| ToneProfile { formality, ..tone });
        let kind = formal.flat_map(move |tone| levels.into_iter().map(move |empathy| ToneProfile { empathy, ..tone }));
        kind.flat_map(|tone| [tone, ToneProfile { humour: true, sour: true, ..tone }])
    });
    tones.flat_map(|tone| tone.sentences()).collect()
}

/// The greeting of a local hour: from 5 to 11 "bom dia", to 17 "boa tarde", else "boa noite".
pub fn period(hour: u32) -> &'static str {
    match hour {
        5..=11 => "Bom dia",
        12..=17 => "Boa tarde",
        _ => "Boa noite",
    }
}

/// Opening phrases as a company writes them: one a line, or with `|` between them.
pub fn parse_openings(text: &str) -> Vec<String> {
    text.split(['\n', '|']).map(str::trim).filter(|phrase| !phrase.is_empty()).map(str::to_owned).collect()
}

/// A phrase filled in. Without a name its place goes, and the comma before it.
fn opening(phrase: &str, name: Option<&str>, hour: u32) -> String {
    const NAME: &str = "{nome}";
    let filled = phrase.replace("{periodo}", period(hour));
    let filled = match name.map(str::trim).filter(|name| !name.is_empty()) {
        Some(name) => filled.replace(NAME, name),
        None => [", {nome}", " {nome}", NAME].iter().fold(filled, |text, place| text.replace(place, "")),
    };
    filled.trim().to_owned()
}
