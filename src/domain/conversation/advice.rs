//! Questions for advice that only a professional may give: about health, the law, or money.
//!
//! Conservative by design: what a place does, what it costs and how to prepare for a visit are ordinary questions, and
//! a word for an ailment alone is none. The phrases are in `config/lexicon/advice.txt`.

use std::sync::LazyLock;

use crate::domain::text::lexicon::LexiconError;
use crate::domain::text::phrases::Phrases;

const FILE: &str = "advice.txt";
const BUILT_IN: &str = include_str!("../../../config/lexicon/advice.txt");

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

    /// The refusal with a way on, for the customer.
    pub fn declined(self) -> &'static str {
        match self {
            Self::Clinical => {
                "Sobre isso só um profissional de saúde pode orientar, depois de avaliar você. Posso ver um horário ou \
                 chamar alguém da equipe. O que prefere?"
            }
            Self::Legal => {
                "Essa é uma questão jurídica, e só um advogado pode orientar depois de conhecer o caso. Posso ver um \
                 horário ou chamar alguém da equipe. O que prefere?"
            }
            Self::Financial => {
                "Não posso dar orientação financeira; isso precisa de um profissional que conheça o seu caso. Posso ver \
                 um horário ou chamar alguém da equipe. O que prefere?"
            }
        }
    }
}

struct Lexicon {
    phrases: Phrases,
    fields: Vec<(Field, usize)>,
}

// Finds nothing when the file is broken: `check` is what tells, and the tests call it.
static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| {
    let phrases = Phrases::parse(FILE, BUILT_IN).unwrap_or_default();
    let fields = Field::ALL.iter().filter_map(|field| Some((*field, phrases.section(field.label())?))).collect();
    Lexicon { phrases, fields }
});

/// The field a text asks for advice in; `None` when it asks for none.
pub fn asked(text: &str) -> Option<Field> {
    let reading = LEXICON.phrases.read(text);
    let found = LEXICON.fields.iter().find(|(_, section)| reading.of(*section).next().is_some());
    found.map(|(field, _)| *field)
}

/// Whether the list that is built in can be read and has every section.
///
/// # Errors
/// The first line that cannot be read, or the section that is missing.
pub fn check() -> Result<(), LexiconError> {
    Phrases::parse_with(FILE, BUILT_IN, &Field::ALL.map(Field::label)).map(drop)
}
