//! Names of people: of the customer, or in the facts; nobody else's.

use super::ground::{Ground, plain_words};
use super::lexicon::is_name;
use super::{Blocked, ClaimKind};
use crate::domain::text::fold::fold;

/// Words before a name that say that one follows.
const TITLES: [&str; 22] = [
    "dr",
    "dra",
    "doutor",
    "doutora",
    "sr",
    "sra",
    "srta",
    "senhor",
    "senhora",
    "dona",
    "seu",
    "paciente",
    "cliente",
    "aluno",
    "aluna",
    "chama",
    "chamada",
    "chamado",
    "nome",
    "prof",
    "profa",
    "professora",
];

/// Words that are written with a capital and name nobody.
const NOBODY: [&str; 24] = [
    "cliente",
    "paciente",
    "whatsapp",
    "google",
    "instagram",
    "facebook",
    "pix",
    "cpf",
    "brasil",
    "sim",
    "nao",
    "ola",
    "oi",
    "horario",
    "endereco",
    "telefone",
    "site",
    "servicos",
    "clinica",
    "salao",
    "remarcar",
    "cancelar",
    "sair",
    "voltar",
];

pub(super) fn check(text: &str, ground: &Ground<'_>) -> Vec<Blocked> {
    let own: Vec<String> = ground.truths.names.iter().map(|name| plain_words(name)).collect();
    let words: Vec<(&str, String)> = text
        .split(|c: char| !(c.is_alphanumeric() || c == '.'))
        .map(|word| word.trim_matches('.'))
        .filter(|word| !word.is_empty())
        .map(|word| (word, fold(word)))
        .collect();
    let mut blocked = Vec::new();
    for (at, (written, folded)) in words.iter().enumerate() {
        if !written.starts_with(char::is_uppercase) || folded.chars().count() < 2 {
            continue;
        }
        let before = at.checked_sub(1).and_then(|at| words.get(at)).map_or("", |(_, folded)| folded.as_str());
        let titled = TITLES.contains(&before)
            && written.chars().skip(1).any(char::is_lowercase)
            && (before != "seu" || is_name(folded));
        let wanted = format!(" {folded} ");
        let known = || own.iter().chain(ground.facts()).chain(ground.customer()).any(|text| text.contains(&wanted));
        if (titled || is_name(folded)) && !NOBODY.contains(&folded.as_str()) && !known() {
            blocked.push(Blocked::new(ClaimKind::OtherPerson, *written));
        }
    }
    blocked
}
