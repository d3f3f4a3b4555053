//! What is wrong with a template, told to the owner who writes it.

use std::sync::LazyLock;

use regex::Regex;

use super::super::bubbles::{BUBBLE_MAX, BUBBLES_MAX, bubbles};
use super::super::selection::Slot;
use super::{ENVIRONMENT, NAMES, RenderError, SOURCE_MAX, Variables, render, source};
use crate::domain::unicode::{REGIONAL_INDICATORS, ZWJ, extends_previous};

/// Most emoji of an answer.
pub const EMOJI_MAX: usize = 2;

macro_rules! faults {
    ($($fault:ident = $code:literal: $meaning:literal,)*) => {
        /// What may be wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Fault {
            $(#[doc = $meaning] $fault,)*
        }

        impl Fault {
            /// Its stable name, for programs.
            pub fn code(self) -> &'static str {
                match self {
                    $(Self::$fault => $code,)*
                }
            }
        }
    };
}

faults! {
    Empty = "empty": "Nothing is said.",
    Syntax = "syntax": "It cannot be read.",
    Forbidden = "forbidden": "It uses what templates may not.",
    UnknownVariable = "unknown_variable": "A variable that does not exist.",
    NoAnswer = "no_answer": "The wording around answers leaves the answer out.",
    TooLong = "too_long": "More than fits into the bubbles of an answer.",
    Questions = "questions": "More than one question in a bubble.",
    Emoji = "emoji": "Too many emoji.",
    Markdown = "markdown": "Markdown, which WhatsApp shows as it is written.",
}

/// Something wrong, with a sentence in Portuguese that says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What.
    pub fault: Fault,
    /// The sentence.
    pub message: String,
}

/// Everything that is wrong with a template for this use; empty when it may be saved. It is tried with the longest values
/// one may sensibly expect, with short ones, and with none.
pub fn lint(slot: Slot, template: &str) -> Vec<Problem> {
    if template.trim().is_empty() {
        return vec![problem(Fault::Empty, "Escreva o texto da mensagem.")];
    }
    if template.chars().count() > SOURCE_MAX {
        let message = format!("O modelo tem mais de {SOURCE_MAX} caracteres; encurte.");
        return vec![problem(Fault::TooLong, message)];
    }
    let mut found = unreadable(slot, template);
    if found.is_empty() {
        let tried = [LONG, SHORT, BARE].map(|sample| render(template, &sample));
        let marked = MARKDOWN.as_ref().is_some_and(|markdown| markdown.is_match(template));
        found.extend(
            tried
                .iter()
                .flat_map(|result| result.as_ref().map_or_else(|error| vec![told(error)], |text| of_text(text))),
        );
        if marked {
            // Its signs are taken out on the way, so the length told nothing.
            found.retain(|one| one.fault != Fault::TooLong);
            let message =
                "O WhatsApp não mostra Markdown: use *negrito* com um asterisco só, sem #, ``` ou [links](…).";
            found.push(problem(Fault::Markdown, message));
        }
    }
    let mut seen: Vec<Fault> = Vec::new();
    found.retain(|one| {
        let first = one.fault == Fault::UnknownVariable || !seen.contains(&one.fault);
        seen.push(one.fault);
        first
    });
    found
}

fn unreadable(slot: Slot, template: &str) -> Vec<Problem> {
    let plain = match source::plain(template) {
        Ok(plain) => plain,
        Err(refused) => return vec![told(&refused.into())],
    };
    let used = match ENVIRONMENT.template_from_str(&plain) {
        Ok(template) => template.undeclared_variables(false),
        Err(error) => return vec![told(&super::failure(&error))],
    };
    let mut unknown: Vec<&String> = used.iter().filter(|name| !NAMES.contains(&name.as_str())).collect();
    unknown.sort();
    let mut found: Vec<Problem> = unknown.into_iter().map(|name| unknown_variable(name)).collect();
    if slot == Slot::Reply && !used.contains("resposta") {
        found.push(problem(Fault::NoAnswer, "Inclua {{ resposta }}: sem ela o cliente não recebe a resposta."));
    }
    found
}

fn unknown_variable(name: &str) -> Problem {
    let known = NAMES.iter().map(|name| format!("{{{{ {name} }}}}")).collect::<Vec<_>>().join(", ");
    problem(Fault::UnknownVariable, format!("Não existe a variável \"{name}\". Use: {known}."))
}

fn told(error: &RenderError) -> Problem {
    match error {
        RenderError::Syntax { line } => {
            let message = format!(
                "A linha {line} não pôde ser lida: confira se cada {{{{ tem }}}} e cada {{% if %}} tem {{% endif %}}."
            );
            problem(Fault::Syntax, message)
        }
        RenderError::Forbidden { line, what } => {
            let message = format!(
                "A linha {line} usa \"{what}\"; só {{{{ variável }}}} e {{% if %}} … {{% endif %}} são aceitos."
            );
            problem(Fault::Forbidden, message)
        }
        RenderError::Unknown { line } => {
            problem(Fault::Forbidden, format!("A linha {line} usa algo que não existe; confira os nomes."))
        }
        RenderError::TooCostly => problem(Fault::Forbidden, "O modelo é complicado demais; simplifique."),
        RenderError::Empty => problem(
            Fault::Empty,
            "Sem nome, saudação e os outros dados não sobra texto; escreva algo que sempre apareça.",
        ),
    }
}

fn of_text(text: &str) -> Vec<Problem> {
    let bubbles = bubbles(text);
    let visible = |text: &str| text.chars().filter(|c| !c.is_whitespace()).count();
    let mut found = Vec::new();
    if bubbles.iter().map(|bubble| visible(bubble)).sum::<usize>() < visible(text) {
        let message = format!(
            "Fica longo demais: com uma resposta comprida são {} caracteres, e cabem {BUBBLES_MAX} balões de {BUBBLE_MAX}.",
            text.chars().count()
        );
        found.push(problem(Fault::TooLong, message));
    }
    if bubbles.iter().any(|bubble| questions(bubble) > 1) {
        found.push(problem(
            Fault::Questions,
            "Há mais de uma pergunta no mesmo balão (a resposta pode trazer uma); deixe só uma.",
        ));
    }
    if emoji(text) > EMOJI_MAX {
        found.push(problem(Fault::Emoji, format!("Use no máximo {EMOJI_MAX} emoji (o humor pode trazer um).")));
    }
    found
}

/// Questions of a text: question marks at the end of a word, several together being one.
pub fn questions(text: &str) -> usize {
    QUESTION.as_ref().map_or(0, |question| question.find_iter(text).count())
}

/// Emoji of a text: one built of several characters is one.
pub fn emoji(text: &str) -> usize {
    let (mut count, mut before, mut half_flag) = (0, ' ', false);
    for c in text.chars() {
        let flag = REGIONAL_INDICATORS.contains(&c);
        let second_half = flag && half_flag;
        half_flag = flag && !half_flag;
        let drawn = c >= '\u{1F000}' || matches!(c, '\u{2600}'..='\u{27BF}' | '\u{2B50}' | '\u{2B55}');
        if drawn && !extends_previous(c) && before != ZWJ && !second_half {
            count += 1;
        }
        before = c;
    }
    count
}

fn problem(fault: Fault, message: impl Into<String>) -> Problem {
    Problem { fault, message: message.into() }
}

static QUESTION: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#"[?!]*\?[?!]*(?:[\s"'”’)*_]|$)"#).ok());
static MARKDOWN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?m)^\s{0,3}#{1,6}\s|```|\*\*\S|__\S|~~\S|\[[^\]\n]+\]\([^)\s]+\)|^\s*[*+]\s|^\s*>\s").ok()
});

const LONG: Variables<'static> = Variables {
    resposta: "A avaliação inicial dura cerca de quarenta minutos e inclui a conversa sobre o seu histórico, o exame e as \
               orientações sobre os próximos passos; traga um documento com foto e, se tiver, os exames feitos nos últimos \
               seis meses. Atendemos de segunda a sexta, das 8h às 18h. Prefere de manhã ou de tarde?",
    saudacao: "Boa tarde, Maria Eduarda! Que bom falar com você.",
    nome: "Maria Eduarda",
    empatia: "Sinto muito por isso e entendo o seu incômodo.",
    humor: "😄",
    transferencia: "Vou chamar uma pessoa da equipe, que responde por aqui assim que puder.",
    empresa: "Clínica Odontológica Sorriso Perfeito",
    retorno: "na segunda-feira, 30/11, às 8h",
    privacidade: "https://www.clinicasorrisoperfeito.com.br/privacidade",
};

/// An example of every variable.
pub const SHORT: Variables<'static> = Variables {
    resposta: "Temos, sim! Quer marcar?",
    saudacao: "Olá, Ana!",
    nome: "Ana",
    empatia: "Sinto muito por isso.",
    humor: "😄",
    transferencia: "Já chamo uma pessoa da equipe.",
    empresa: "Salão Bela",
    retorno: "amanhã, às 8h",
    privacidade: "https://bela.com.br/lgpd",
};

const BARE: Variables<'static> = Variables {
    resposta: "Temos, sim! Quer marcar?",
    saudacao: "",
    nome: "",
    empatia: "",
    humor: "",
    transferencia: "",
    empresa: "",
    retorno: "",
    privacidade: "",
};
