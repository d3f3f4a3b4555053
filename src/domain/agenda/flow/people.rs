//! For whom an appointment is, when not for the customer: "para minha mãe", "para mim e meu filho", "minha filha precisa".

use super::state::Patient;
use crate::domain::conversation::introduction::{name_at_start, name_given};
use crate::domain::text::fold::fold;

/// More people than this are not booked in one go.
const PEOPLE_MAX: usize = 4;

/// What people are to a customer: as typed (folded), as told back, and whether it takes "sua".
const RELATIONS: [(&str, &str, bool); 44] = [
    ("mae", "mãe", true),
    ("mamae", "mãe", true),
    ("mainha", "mãe", true),
    ("pai", "pai", false),
    ("papai", "pai", false),
    ("painho", "pai", false),
    ("filho", "filho", false),
    ("filha", "filha", true),
    ("filhinho", "filho", false),
    ("filhinha", "filha", true),
    ("marido", "marido", false),
    ("esposo", "esposo", false),
    ("esposa", "esposa", true),
    ("mulher", "esposa", true),
    ("irma", "irmã", true),
    ("irmao", "irmão", false),
    ("avo", "avó", true),
    ("vo", "avó", true),
    ("vovo", "avó", true),
    ("sogra", "sogra", true),
    ("sogro", "sogro", false),
    ("namorado", "namorado", false),
    ("namorada", "namorada", true),
    ("tia", "tia", true),
    ("tio", "tio", false),
    ("prima", "prima", true),
    ("primo", "primo", false),
    ("sobrinha", "sobrinha", true),
    ("sobrinho", "sobrinho", false),
    ("neto", "neto", false),
    ("neta", "neta", true),
    ("amiga", "amiga", true),
    ("amigo", "amigo", false),
    ("bebe", "bebê", false),
    ("noiva", "noiva", true),
    ("noivo", "noivo", false),
    ("cunhada", "cunhada", true),
    ("cunhado", "cunhado", false),
    ("afilhada", "afilhada", true),
    ("afilhado", "afilhado", false),
    ("cachorro", "cachorro", false),
    ("cachorra", "cachorra", true),
    ("gato", "gato", false),
    ("gata", "gata", true),
];

/// People named in a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct People {
    /// The customer is one of them, or says that it is for themselves.
    pub me: bool,
    /// The others.
    pub others: Vec<Patient>,
}

fn relation(word: &str) -> Option<(&'static str, bool)> {
    RELATIONS.iter().find(|(typed, ..)| *typed == word).map(|(_, told, feminine)| (*told, *feminine))
}

fn is_feminine(told: &str) -> bool {
    RELATIONS.iter().any(|(_, known, feminine)| *known == told && *feminine)
}

/// "sua mãe", "seu filho".
pub fn possessed(relation: &str) -> String {
    format!("{} {relation}", if is_feminine(relation) { "sua" } else { "seu" })
}

/// "da sua mãe", "do seu filho".
pub fn of_possessed(relation: &str) -> String {
    format!("{} {}", if is_feminine(relation) { "da" } else { "do" }, possessed(relation))
}

struct Word<'a> {
    folded: String,
    /// The text from the word's beginning on.
    rest: &'a str,
    /// The text after it.
    after: &'a str,
}

fn words(text: &str) -> Vec<Word<'_>> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(char::is_alphabetic) {
        rest = rest.get(start..).unwrap_or_default();
        let end = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
        let (word, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        out.push(Word { folded: fold(word), rest, after });
        rest = after;
    }
    out
}

/// Reads who an appointment is for.
pub fn read(text: &str) -> People {
    let words = words(text);
    let mut found = People::default();
    let word = |at: usize| words.get(at).map_or("", |word: &Word<'_>| word.folded.as_str());
    for at in 0..words.len() {
        if is_for(word(at)) && matches!(word(at + 1), "mim" | "mi") || is_both(&word, at) {
            found.me = true;
        }
        let Some(named) = somebody(&words, at) else { continue };
        if found.others.len() < PEOPLE_MAX && !found.others.contains(&named) {
            found.others.push(named);
        }
    }
    found.me &= !is_denied(&word, words.len());
    found
}

fn is_for(word: &str) -> bool {
    matches!(word, "para" | "pra" | "pro" | "p")
}

/// "eu e minha mãe", "minha mãe e eu".
fn is_both<'a>(word: &impl Fn(usize) -> &'a str, at: usize) -> bool {
    let mine = |at: usize| matches!(word(at), "minha" | "meu");
    word(at) == "eu" && word(at + 1) == "e" && (mine(at + 2) || is_for(word(at + 2)))
        || word(at) == "e" && word(at + 1) == "eu" && relation(word(at.wrapping_sub(1))).is_some()
}

/// "não é para mim".
fn is_denied<'a>(word: &impl Fn(usize) -> &'a str, count: usize) -> bool {
    (0..count).any(|at| word(at) == "nao" && (at + 1..at + 4).any(|next| is_for(word(next)) && word(next + 1) == "mim"))
}

/// Somebody an appointment is for, named at a place.
fn somebody(words: &[Word<'_>], at: usize) -> Option<Patient> {
    let word = |at: usize| words.get(at).map_or("", |word: &Word<'_>| word.folded.as_str());
    let before = at.checked_sub(1).map_or("", word);
    if matches!(word(at), "minha" | "meu" | "nossa" | "nosso") {
        let (told, _) = relation(word(at + 1))?;
        let led = is_for(before)
            || matches!(before, "da" | "do" | "de") && !is_with(word(at.wrapping_sub(2)))
            || matches!(before, "a" | "o") && is_for(at.checked_sub(2).map_or("", word))
            || before == "e" && is_led_list(words, at)
            || needs(words, at + 2);
        let name = words.get(at + 1).and_then(|relation| {
            // "minha filha, a Júlia".
            let article = matches!(word(at + 2), "a" | "o" | "chamada" | "chamado");
            let told = if article { words.get(at + 3).map(|word| word.rest) } else { Some(relation.after) };
            told.and_then(name_at_start)
        });
        return led
            .then(|| Patient { relation: Some(told.to_owned()), name: name.map(|name| name.as_str().to_owned()) });
    }
    // "para a Maria", "pro João": somebody without a relation.
    if is_for(word(at)) {
        let next = at + 1 + usize::from(matches!(word(at + 1), "a" | "o"));
        let start = words.get(next)?.rest;
        let name = name_at_start(start).filter(|_| start.starts_with(char::is_uppercase) && !is_time(word(next)))?;
        return Some(Patient { relation: None, name: Some(name.as_str().to_owned()) });
    }
    None
}

fn is_with(word: &str) -> bool {
    matches!(word, "antes" | "depois" | "perto" | "lado")
}

/// "para mim e minha mãe", "para meu pai e minha mãe", "eu e minha mãe queremos".
fn is_led_list(words: &[Word<'_>], at: usize) -> bool {
    let word = |at: usize| words.get(at).map_or("", |word: &Word<'_>| word.folded.as_str());
    (1..=6).filter_map(|back| at.checked_sub(back)).any(|at| is_for(word(at)))
        || at.checked_sub(2).is_some_and(|at| word(at) == "eu")
}

/// "minha filha precisa de", "meu pai quer".
fn needs(words: &[Word<'_>], at: usize) -> bool {
    let verbs = ["precisa", "quer", "gostaria", "queria", "precisando", "querendo", "deseja"];
    words.iter().skip(at).take(3).any(|word| verbs.contains(&word.folded.as_str()))
}

fn is_time(word: &str) -> bool {
    let days = ["segunda", "terca", "quarta", "quinta", "sexta", "sabado", "domingo", "hoje", "amanha"];
    let months = ["janeiro", "fevereiro", "marco", "abril", "maio", "junho", "julho", "agosto"];
    let rest = ["setembro", "outubro", "novembro", "dezembro", "natal", "pascoa"];
    days.contains(&word) || months.contains(&word) || rest.contains(&word)
}

/// The name in an answer to the question for it.
pub fn name_told(text: &str) -> Option<String> {
    let words = words(text);
    let word = |at: usize| words.get(at).map_or("", |word: &Word<'_>| word.folded.as_str());
    let told = (0..words.len()).find_map(|at| {
        let skip = match (word(at), word(at + 1), word(at + 2)) {
            ("se", "chama", _) => 2,
            ("nome", "dela" | "dele", "e" | "eh") => 3,
            ("nome", "e" | "eh", _) => 2,
            ("nome", "dela" | "dele", _) => 2,
            ("chama" | "chamada" | "chamado", _, _) => 1,
            _ => return None,
        };
        let next = at + skip + usize::from(matches!(word(at + skip), "a" | "o"));
        words.get(next).and_then(|word| name_at_start(word.rest))
    });
    let titles = words.iter().take_while(|word| TITLES.contains(&word.folded.as_str())).count();
    let named = words.get(titles..).unwrap_or_default();
    told.or_else(|| name_given(text, true)).or_else(|| bare(named)).map(|name| name.as_str().to_owned())
}

/// What stands before a name and is no part of it.
const TITLES: [&str; 10] = ["dona", "d", "seu", "sr", "sra", "senhor", "senhora", "dr", "dra", "e"];

/// A name that no list knows: one to four words and nothing else, the first with a capital.
fn bare(words: &[Word<'_>]) -> Option<crate::domain::text::PersonName> {
    let first = words.first()?;
    let plain = (1..=4).contains(&words.len()) && first.rest.chars().all(|c| c.is_alphabetic() || c == ' ' || c == '.');
    name_at_start(first.rest).filter(|name| plain && name.as_str().split(' ').count() == words.len())
}
