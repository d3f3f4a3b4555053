//! Which of a company's services and professionals a text names.

use super::setting::Setting;
use crate::domain::text::fold::fold;
use crate::domain::text::stem::stem;
use crate::domain::text::stopwords::is_stop_word;
use crate::domain::text::tokens::{Kind, tokens};

/// What a text names of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Named {
    /// None of it.
    #[default]
    Nothing,
    /// One, by its id.
    One(String),
    /// Several, or one that several are called by.
    Several(Vec<String>),
}

impl Named {
    fn of(mut ids: Vec<&str>) -> Self {
        ids.dedup();
        match ids.as_slice() {
            [] => Self::Nothing,
            [id] => Self::One((*id).to_owned()),
            _ => Self::Several(ids.into_iter().map(str::to_owned).collect()),
        }
    }
}

/// Words that mean an appointment whatever the service; alone they name none.
const GENERIC: [&str; 10] =
    ["consulta", "horario", "sessao", "atendimento", "agendamento", "visita", "hora", "exame", "procedimento", "vaga"];
const TITLES: [&str; 8] = ["dr", "dra", "doutor", "doutora", "prof", "profa", "professor", "professora"];
/// Words after which a name is that of whoever attends.
const WITH: [&str; 4] = ["com", "pela", "pelo", "medico"];

fn stems(text: &str) -> Vec<String> {
    tokens(text).into_iter().filter(|token| token.kind == Kind::Word).map(|token| stem(&token.text)).collect()
}

/// How a name is found in the stems of a text: all of its words, or some that are its own.
fn found(name: &str, said: &[String]) -> (usize, usize) {
    let words: Vec<(String, bool)> = tokens(name)
        .into_iter()
        .filter(|token| token.kind == Kind::Word && !is_stop_word(&token.text))
        .map(|token| (stem(&token.text), GENERIC.contains(&token.text.as_str())))
        .collect();
    let hits = words.iter().filter(|(word, _)| said.contains(word)).count();
    let own = words.iter().filter(|(word, generic)| !generic && said.contains(word)).count();
    let full = if hits == words.len() { hits } else { 0 };
    (full, own)
}

/// The service a text names. `among`: only these; `fully`: only by its whole name.
pub(super) fn service(text: &str, setting: &Setting, among: Option<&[String]>, fully: bool) -> Named {
    let said = stems(text);
    let known = setting.services.iter().filter(|one| among.is_none_or(|among| among.contains(&one.id)));
    let scores: Vec<(&str, usize, usize)> = known
        .map(|one| {
            let names = one.aliases.iter().map(String::as_str).chain([one.name.as_str()]);
            let best = names.map(|name| found(name, &said)).max().unwrap_or((0, 0));
            (one.id.as_str(), best.0, best.1)
        })
        .collect();
    let best = scores.iter().map(|(_, full, _)| *full).max().unwrap_or(0);
    if best > 0 {
        return Named::of(scores.iter().filter(|(_, full, _)| *full == best).map(|(id, ..)| *id).collect());
    }
    let most = scores.iter().map(|(.., own)| *own).max().unwrap_or(0);
    if most == 0 || fully {
        return Named::Nothing;
    }
    Named::of(scores.iter().filter(|(.., own)| *own == most).map(|(id, ..)| *id).collect())
}

/// The professional a text names. `asked`: they were asked whom they prefer, so that the name alone will do.
pub(super) fn professional(text: &str, setting: &Setting, asked: bool) -> Named {
    let said: Vec<String> = tokens(text).into_iter().map(|token| token.text).collect();
    let led = |at: usize| {
        (1..=3)
            .filter_map(|back| said.get(at.checked_sub(back)?))
            .any(|word| WITH.contains(&word.as_str()) || TITLES.contains(&word.as_str()))
    };
    let named = |word: &str| said.iter().enumerate().any(|(at, said)| said == word && (asked || led(at)));
    let matches: Vec<&str> = setting
        .professionals
        .iter()
        .filter(|one| own_words(&one.name).iter().any(|word| named(word)))
        .map(|one| one.id.as_str())
        .collect();
    // "com a Ana Paula" is one of two who are called Ana.
    let whole: Vec<&str> = setting
        .professionals
        .iter()
        .filter(|one| matches.contains(&one.id.as_str()) && own_words(&one.name).iter().all(|word| said.contains(word)))
        .map(|one| one.id.as_str())
        .collect();
    Named::of(if whole.len() == 1 { whole } else { matches })
}

/// The words of a name without its title.
fn own_words(name: &str) -> Vec<String> {
    let folded = fold(name);
    folded
        .split(|c: char| !c.is_alphabetic())
        .filter(|word| word.chars().count() > 1 && !TITLES.contains(word) && !is_stop_word(word))
        .map(str::to_owned)
        .collect()
}
