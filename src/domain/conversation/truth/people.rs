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
    let words: Vec<&str> = text
        .split(|c: char| !(c.is_alphanumeric() || c == '.'))
        .map(|word| word.trim_matches('.'))
        .filter(|word| !word.is_empty())
        .collect();
    let mut blocked = Vec::new();
    for (at, written) in words.iter().enumerate() {
        if !written.starts_with(char::is_uppercase) {
            continue;
        }
        let folded = fold(written);
        if folded.chars().nth(1).is_none() {
            continue;
        }
        let before = at.checked_sub(1).and_then(|at| words.get(at)).map_or(String::new(), |word| fold(word));
        let titled = TITLES.contains(&before.as_str())
            && written.chars().skip(1).any(char::is_lowercase)
            && (before != "seu" || is_name(&folded));
        let wanted = format!(" {folded} ");
        let known = || {
            let own = || ground.truths.names.iter().any(|name| plain_words(name).contains(&wanted));
            own() || ground.facts().iter().chain(ground.customer()).any(|text| text.contains(&wanted))
        };
        if (titled || is_name(&folded)) && !NOBODY.contains(&folded.as_str()) && !known() {
            blocked.push(Blocked::new(ClaimKind::OtherPerson, *written));
        }
    }
    blocked
}
