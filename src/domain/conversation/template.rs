//! Ready texts: what is said when the model is not asked, or cannot answer. Each always exists.

/// A ready text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Template {
    /// The model had nothing to say.
    Fallback,
    /// The company switched the assistant off.
    AiDisabled,
    /// The model is out of order.
    TechnicalIssue,
    /// A file without words.
    Media,
    /// The message tried to take the assistant over.
    Injection,
}

impl Template {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Fallback, Self::AiDisabled, Self::TechnicalIssue, Self::Media, Self::Injection];

    /// Its name: in metrics, in the turn's row, and after `text.` among a company's settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fallback => "fallback",
            Self::AiDisabled => "ai_disabled",
            Self::TechnicalIssue => "technical_issue",
            Self::Media => "media",
            Self::Injection => "injection",
        }
    }

    /// The text for companies that have no own.
    pub fn default_text(self) -> &'static str {
        match self {
            Self::Fallback => include_str!("../../../config/templates/fallback.txt"),
            Self::AiDisabled => include_str!("../../../config/templates/ai_disabled.txt"),
            Self::TechnicalIssue => include_str!("../../../config/templates/technical_issue.txt"),
            Self::Media => include_str!("../../../config/templates/media.txt"),
            Self::Injection => include_str!("../../../config/templates/injection.txt"),
        }
        .trim_ascii()
    }
}
