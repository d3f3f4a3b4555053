//! Questions for advice that only a professional may give: about health, the law, or money.
//!
//! A phrase of a field tells it, or a subject of the field together with a question that only a judgement answers.
//! Conservative by design: what a place does, what it costs and how to prepare for a visit are ordinary questions, and
//! a word for an ailment alone is none. The phrases are in `config/lexicon/advice.txt`.

use std::sync::LazyLock;

use crate::domain::text::lexicon::LexiconError;
use crate::domain::text::phrases::Phrases;
use crate::domain::text::reading::Script;

const FILE: &str = "advice.txt";
const BUILT_IN: &str = include_str!("../../../config/lexicon/advice.txt");
const SUBJECT: &str = " subject";
const QUESTION: &str = " question";

/// What advice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// Health: symptoms, medicines, results.
    Clinical,
    /// Rights, lawsuits, contracts.
    Legal,
    /// Investments, loans, taxes.
    Financial,
}

impl Field {
    /// All of them; the first that is found counts.
    pub const ALL: [Self; 3] = [Self::Clinical, Self::Legal, Self::Financial];

    /// The stable name, as it is stored and counted; also the section of the lexicon.
    pub fn label(self) -> &'static str {
        match self {
            Self::Clinical => "clinical",
            Self::Legal => "legal",
            Self::Financial => "financial",
        }
    }
}

/// The sections of a field: phrases that tell by themselves, and subjects and questions that tell together.
struct Sections {
    field: Field,
    phrases: usize,
    subject: usize,
    question: usize,
}

struct Lexicon {
    phrases: Phrases,
    fields: Vec<Sections>,
}

// Finds nothing when the file is broken: `check` is what tells, and the tests call it.
static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| {
    let phrases = Phrases::parse(FILE, BUILT_IN).unwrap_or_default();
    let fields = Field::ALL.into_iter().filter_map(|field| sections(&phrases, field)).collect();
    Lexicon { phrases, fields }
});

fn sections(phrases: &Phrases, field: Field) -> Option<Sections> {
    let section = |kind: &str| phrases.section(&format!("{}{kind}", field.label()));
    Some(Sections { field, phrases: section("")?, subject: section(SUBJECT)?, question: section(QUESTION)? })
}

/// The field a text asks for advice in; `None` when it asks for none.
pub fn asked(text: &str) -> Option<Field> {
    asked_in(&Script::of(text))
}

/// The same for a text whose words are read already.
pub fn asked_in(script: &Script<'_>) -> Option<Field> {
    let reading = LEXICON.phrases.read_in(script);
    let has = |section: usize| reading.of(section).next().is_some();
    let asks = |of: &&Sections| has(of.phrases) || (has(of.subject) && has(of.question));
    LEXICON.fields.iter().find(asks).map(|of| of.field)
}

/// Whether the list that is built in can be read and has every section.
///
/// # Errors
/// The first line that cannot be read, or the section that is missing.
pub fn check() -> Result<(), LexiconError> {
    let named = Field::ALL.map(|field| ["", SUBJECT, QUESTION].map(|kind| format!("{}{kind}", field.label())));
    let named: Vec<&str> = named.iter().flatten().map(String::as_str).collect();
    Phrases::parse_with(FILE, BUILT_IN, &named).map(drop)
}
