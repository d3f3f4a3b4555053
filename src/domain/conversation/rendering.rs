//! Templates: what a company writes around an answer, or in place of a ready text.
//!
//! A template is text with `{{ variable }}` and `{% if variable %}…{% else %}…{% endif %}`, and no more: nothing repeats,
//! includes or assigns, so the work and the size of what comes out are bounded by the size of what goes in, and by fuel
//! on top. A value is data: braces in it are never read as a template's, and no `{{` is left in what comes out.

pub mod lint;
mod source;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use minijinja::value::Value;
use minijinja::{Environment, ErrorKind, UndefinedBehavior, context, filters};
use regex::Regex;

pub use lint::SHORT as SAMPLE;
use source::Refused;

/// The longest template, characters.
pub const SOURCE_MAX: usize = 1_500;
/// The template of companies that have no own: the answer alone, so that nobody is greeted twice.
pub const DEFAULT: &str = "{{ resposta }}";
/// Work of one rendering, in minijinja's units: one an instruction, and one for each 64 bytes of text that is made.
const FUEL: u64 = 2_000;

/// The names a template may use, as [`Variables`] has them. Accents are optional: `saudação` is `saudacao`.
pub const NAMES: [&str; 9] =
    ["resposta", "saudacao", "nome", "empatia", "humor", "transferencia", "empresa", "retorno", "privacidade"];

/// What a template may mention. Empty means that there is nothing to mention.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Variables<'a> {
    /// The answer: the model's, or a ready text's.
    pub resposta: &'a str,
    /// An opening, such as "Bom dia, Ana!".
    pub saudacao: &'a str,
    /// What the customer is called.
    pub nome: &'a str,
    /// A sentence of sympathy, when the mood asks for one.
    pub empatia: &'a str,
    /// A light touch, when the tone allows one.
    pub humor: &'a str,
    /// What is said about the person who takes over, when one does.
    pub transferencia: &'a str,
    /// The company's name.
    pub empresa: &'a str,
    /// When the team is back, such as "na segunda, às 8h".
    pub retorno: &'a str,
    /// The address of the privacy notice.
    pub privacidade: &'a str,
}

/// Why a template could not be rendered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// It cannot be read.
    #[error("line {line} cannot be read")]
    Syntax {
        /// Counted from 1.
        line: usize,
    },
    /// It uses something that templates may not.
    #[error("line {line} uses {what:?}, which templates may not")]
    Forbidden {
        /// Counted from 1.
        line: usize,
        /// The word or sign.
        what: String,
    },
    /// It names a variable that does not exist, or takes one for what it is not.
    #[error("line {line} names something that does not exist")]
    Unknown {
        /// Counted from 1.
        line: usize,
    },
    /// It takes more work than a text may.
    #[error("it takes too much work")]
    TooCostly,
    /// Nothing came out.
    #[error("nothing came out")]
    Empty,
}

/// Renders a template.
///
/// # Errors
/// [`RenderError`]; nothing is left half done. What a company saved has passed [`lint::lint`], but the variables may be
/// empty where it expected text.
pub fn render(source: &str, variables: &Variables<'_>) -> Result<String, RenderError> {
    // What nearly every company has needs no machine.
    if source.trim() == DEFAULT {
        return filled(defuse_mustache(variables.resposta.trim()).into_owned());
    }
    let plain = source::plain(source)?;
    let values = context! {
        resposta => variables.resposta,
        saudacao => variables.saudacao,
        nome => variables.nome,
        empatia => variables.empatia,
        humor => variables.humor,
        transferencia => variables.transferencia,
        empresa => variables.empresa,
        retorno => variables.retorno,
        privacidade => variables.privacidade,
    };
    let text = ENVIRONMENT.render_str(&plain, values).map_err(|error| failure(&error))?;
    filled(defuse_mustache(&tidy(&text)).into_owned())
}

/// Renders a template that is built in, with values of its own.
///
/// # Errors
/// [`RenderError`], as for [`render`].
pub fn render_with(source: &str, values: &BTreeMap<&'static str, &str>) -> Result<String, RenderError> {
    let values = Value::from_pairs(values.iter().map(|(name, value)| (*name, *value)));
    let text = ENVIRONMENT.render_str(source, values).map_err(|error| failure(&error))?;
    filled(defuse_mustache(&tidy(&text)).into_owned())
}

fn filled(text: String) -> Result<String, RenderError> {
    if text.is_empty() { Err(RenderError::Empty) } else { Ok(text) }
}

fn failure(error: &minijinja::Error) -> RenderError {
    let line = error.line().unwrap_or(1);
    match error.kind() {
        ErrorKind::OutOfFuel => RenderError::TooCostly,
        ErrorKind::SyntaxError | ErrorKind::BadEscape => RenderError::Syntax { line },
        _ => RenderError::Unknown { line },
    }
}

impl From<Refused> for RenderError {
    fn from(refused: Refused) -> Self {
        match refused.what {
            Some(what) => Self::Forbidden { line: refused.line, what },
            None => Self::Syntax { line: refused.line },
        }
    }
}

/// Without functions, tests and most filters: a template says things, it computes nothing.
static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.add_filter("upper", filters::upper);
    environment.add_filter("lower", filters::lower);
    environment.add_filter("title", filters::title);
    environment.add_filter("capitalize", filters::capitalize);
    environment.add_filter("trim", filters::trim);
    environment
});

struct Rewrite {
    from: Regex,
    to: &'static str,
}

static GAPS: LazyLock<Vec<Rewrite>> = LazyLock::new(|| {
    [
        (r"[ \t]{2,}", " "),
        (r"(?m)^[ \t]+|[ \t]+$", ""),
        // "Oi, {{ nome }}!" without a name.
        (r"[ \t]*,([ \t]*,)*[ \t]*([!?])", "$2"),
        (r"[ \t]+([,!?])", "$1"),
        (r"^[ \t\n,;!]+", ""),
        (r"\n{3,}", "\n\n"),
    ]
    .into_iter()
    .filter_map(|(from, to)| Some(Rewrite { from: Regex::new(from).ok()?, to }))
    .collect()
});

/// Closes the gaps that empty variables leave behind.
fn tidy(text: &str) -> String {
    let text = GAPS.iter().fold(text.to_owned(), |text, gap| gap.from.replace_all(&text, gap.to).into_owned());
    text.trim().to_owned()
}

/// Breaks up every `{{`, so that no installation takes a customer's or a model's braces for a Mustache tag. What comes
/// out holds no `{{`, so a second pass changes nothing.
pub fn defuse_mustache(text: &str) -> Cow<'_, str> {
    if !text.contains("{{") {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if c == '{' && safe.ends_with('{') {
            safe.push(' ');
        }
        safe.push(c);
    }
    Cow::Owned(safe)
}
