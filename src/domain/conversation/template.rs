//! Ready texts: what is said when the model is not asked, or cannot answer. Each always exists.
//!
//! A default text is a template's source and is rendered like a company's own (see [`super::rendering`]).

macro_rules! templates {
    ($($template:ident = $name:literal: $meaning:literal,)*) => {
        /// A ready text.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Template {
            $(#[doc = $meaning] $template,)*
        }

        impl Template {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$template,)*];

            /// Its name: in metrics, in the turn's row, as the key of a company's own wording, and for some of them after
            /// `text.` among a company's settings.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$template => $name,)*
                }
            }

            /// The text for companies that have no own.
            pub fn default_text(self) -> &'static str {
                match self {
                    $(Self::$template => include_str!(concat!("../../../config/templates/", $name, ".txt")),)*
                }
                .trim_ascii()
            }
        }
    };
}

templates! {
    Fallback = "fallback": "The model had nothing to say.",
    AiDisabled = "ai_disabled": "The company switched the assistant off.",
    TechnicalIssue = "technical_issue": "The model is out of order.",
    Media = "media": "A file without words.",
    Injection = "injection": "The message tried to take the assistant over.",
    Greeting = "greeting": "The customer greets and says no more, and the model is out of order.",
    Thanks = "thanks": "The customer thanks, and the model is out of order.",
    Farewell = "farewell": "The customer takes leave, and the model is out of order.",
    Complaint = "complaint": "The customer complains: understanding first, then a person.",
    Handoff = "handoff": "A person is called into the conversation.",
    OutOfHours = "out_of_hours": "Nobody of the team is there now.",
    Holiday = "holiday": "A holiday: nobody of the team is there today.",
    FirstContact = "first_contact": "The first time somebody writes: it is a virtual assistant, and where the privacy notice is.",
    OptOut = "opt_out": "No more messages of our own accord, as asked.",
    OptIn = "opt_in": "Messages of our own accord again, as asked.",
    Clinical = "clinical": "No clinical advice, and a way on.",
    Legal = "legal": "No legal advice, and a way on.",
    Financial = "financial": "No financial advice, and a way on.",
    Emergency = "emergency": "Somebody's life or health may be in danger.",
    MediaUnheard = "media_unheard": "An audio that could not be understood.",
    Wait = "wait": "The answer takes longer than usual.",
    NotKnown = "not_known": "The question was understood and nothing on record answers it.",
}

impl Template {
    /// The text of this name; `None` when there is none.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|template| template.name() == name)
    }
}
