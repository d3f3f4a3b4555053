//! The name by which customers introduce themselves: "aqui é a Ana", "meu nome é João Pedro".
//!
//! What is taken is a name or nothing: a word that may follow such phrases without being a name ("aqui é a mãe do
//! Pedro", "sou alérgica") ends it, and nothing that reads like an order passes. The lists are in
//! `config/lexicon/names.txt`.

use std::sync::LazyLock;

use super::injection::judge;
use crate::domain::text::PersonName;
use crate::domain::text::fold::fold;
use crate::domain::text::lexicon::{LexiconError, entries};
use crate::domain::text::table::Set;

const FILE: &str = "names.txt";
const BUILT_IN: &str = include_str!("../../../config/lexicon/names.txt");
const SECTIONS: [&str; 4] = ["given", "family", "particle", "none"];

/// Most words of a name, particles not counted.
const NAMES_MAX: usize = 4;
/// Most letters of one of its words.
const LETTERS_MAX: usize = 20;
/// How many words of a text are looked at.
const WORDS_MAX: usize = 120;

/// Phrases after which a name stands, whatever it looks like.
const PLAIN: [&[&str]; 11] = [
    &["meu", "nome", "e"],
    &["meu", "nome", "completo", "e"],
    &["meu", "nome"],
    &["me", "chamo"],
    &["me", "chamam", "de"],
    &["me", "chamar", "de"],
    &["pode", "chamar", "de"],
    &["me", "chame", "de"],
    &["meu", "nome", "eh"],
    &["nome", "completo"],
    &["nome"],
];
/// Phrases after which all sorts of words stand: a name has to look like one.
const OPEN: [&[&str]; 9] = [
    &["aqui", "e"],
    &["aq", "e"],
    &["aqui", "eh"],
    &["aqui", "fala"],
    &["fala", "e"],
    &["falando", "e"],
    &["fala", "aqui", "e"],
    &["eu", "sou"],
    &["sou"],
];
const TITLES: [&str; 12] =
    ["seu", "dona", "sr", "sra", "dr", "dra", "doutor", "doutora", "prof", "profa", "professor", "professora"];

struct Lists {
    sets: [Set<&'static str>; 4],
}

impl Lists {
    fn has(&self, section: &str, word: &str) -> bool {
        let place = SECTIONS.iter().position(|name| *name == section);
        place.and_then(|place| self.sets.get(place)).is_some_and(|set| set.contains(word))
    }
}

// Knows no name when the file is broken: `check` is what tells, and the tests call it.
static LISTS: LazyLock<Lists> = LazyLock::new(|| parse().unwrap_or(Lists { sets: Default::default() }));

fn parse() -> Result<Lists, LexiconError> {
    let mut sets: [Set<&'static str>; 4] = Default::default();
    for entry in entries(FILE, BUILT_IN)? {
        let place = SECTIONS.iter().position(|name| *name == entry.section);
        let set = place.and_then(|place| sets.get_mut(place));
        let set = set.ok_or_else(|| entry.error("the sections are [given], [family], [particle], [none]"))?;
        set.extend(entry.text.split_whitespace());
    }
    Ok(Lists { sets })
}

/// Whether the lists that are built in can be read.
///
/// # Errors
/// The first line that cannot.
pub fn check() -> Result<(), LexiconError> {
    parse().map(drop)
}

struct Word<'a> {
    raw: &'a str,
    folded: String,
    /// Whether something other than a blank stands before it.
    parted: bool,
    /// Whether a question mark ends its sentence.
    asks: bool,
}

/// The name a customer introduces themselves by; `None` when there is none. `asked`: they were asked for it just
/// before, so that a bare name counts too.
pub fn name_given(text: &str, asked: bool) -> Option<PersonName> {
    let words = words(text);
    // Capitals mean nothing where all is in capitals.
    let cased = text.chars().any(char::is_lowercase);
    (0..words.len()).find_map(|at| introduced(&words, at, cased)).or_else(|| bare(&words, cased).filter(|_| asked))
}

/// The name a text begins with, as in what follows "minha mãe, " or "ela se chama "; `None` when it begins otherwise.
pub fn name_at_start(text: &str) -> Option<PersonName> {
    let words = words(text);
    let cased = text.chars().any(char::is_lowercase);
    name_at(&words, 0, cased, false).map(|(name, _)| name)
}

fn words(text: &str) -> Vec<Word<'_>> {
    let belongs = |c: char| c.is_alphabetic() || matches!(c, '\'' | '’' | '-' | '\u{300}'..='\u{36F}');
    let mut out: Vec<Word<'_>> = Vec::new();
    let (mut rest, mut parted) = (text, true);
    while let Some(first) = rest.chars().next() {
        let end = match belongs(first) {
            true => rest.find(|c| !belongs(c)).unwrap_or(rest.len()),
            false => first.len_utf8(),
        };
        let (raw, after) = rest.split_at(end);
        rest = after;
        if belongs(first) {
            if out.len() == WORDS_MAX {
                break;
            }
            out.push(Word { raw, folded: fold(raw), parted, asks: after_asks(after) });
            parted = false;
        } else if !first.is_whitespace() || first == '\n' {
            // "Dr. Paulo" is one name.
            let title = first == '.' && out.last().is_some_and(|word| TITLES.contains(&word.folded.as_str()));
            parted |= !title;
        }
    }
    out
}

fn after_asks(after: &str) -> bool {
    after.find(['.', '!', '?', '\n', ',']).is_some_and(|at| after.get(at..).is_some_and(|rest| rest.starts_with('?')))
}

fn introduced(words: &[Word<'_>], at: usize, cased: bool) -> Option<PersonName> {
    let before = at.checked_sub(1).and_then(|at| words.get(at)).map_or("", |word| word.folded.as_str());
    if matches!(before, "nao" | "se" | "que" | "nem") {
        return None;
    }
    let first = words.get(at).map(|word| word.folded.as_str());
    let stands = |phrase: &&&[&str]| {
        if phrase.first().copied() != first {
            return false;
        }
        let here = words.iter().skip(at).map(|word| word.folded.as_str());
        let parted = words.iter().skip(at + 1).take(phrase.len() - 1).any(|word| word.parted);
        here.take(phrase.len()).eq(phrase.iter().copied()) && !parted
    };
    let longest = |phrases: &[&[&'static str]]| phrases.iter().filter(stands).map(|phrase| phrase.len()).max();
    if let Some(length) = longest(&PLAIN) {
        let next = words.get(at + length)?;
        // "nome: Ana" and "meu nome: Ana" need their colon; "o nome da clínica" is no introduction.
        let colon = matches!(words.get(at + length - 1)?.folded.as_str(), "nome" | "completo");
        let article = matches!(next.folded.as_str(), "a" | "o");
        return if colon != next.parted { None } else { taken(words, at + length, cased, !article) };
    }
    let Some(length) = longest(&OPEN) else { return in_passing(words, at, before) };
    let next = words.get(at + length).filter(|next| !next.parted && !next.asks)?;
    let article = matches!(next.folded.as_str(), "a" | "o");
    taken(words, at + length, cased && article, false)
}

/// "Ana aqui", "Bruno falando", and "Oi, é a Ana": only names of the list, and only where nothing else follows.
fn in_passing(words: &[Word<'_>], at: usize, before: &str) -> Option<PersonName> {
    let word = words.get(at)?;
    let ends = |at: usize| words.get(at).is_none_or(|word| word.parted);
    let greeted = matches!(before, "oi" | "ola" | "opa" | "oii" | "dia" | "tarde" | "noite");
    let at = match (word.folded.as_str(), words.get(at + 1).map(|word| word.folded.as_str())) {
        ("e" | "eh", Some("a" | "o")) if greeted => at + 2,
        _ if word.parted || greeted => at,
        _ => return None,
    };
    let first = words.get(at).filter(|word| !word.asks && LISTS.has("given", &word.folded))?;
    let (name, end) = name_at(words, at, false, false)?;
    let follows = words.get(end).filter(|word| !word.parted && matches!(word.folded.as_str(), "aqui" | "falando"));
    let alone = !std::ptr::eq(first, word) && ends(end);
    (alone || (follows.is_some_and(|word| !word.asks) && ends(end + 1))).then_some(name)
}

/// A text that is a name and nothing else.
fn bare(words: &[Word<'_>], cased: bool) -> Option<PersonName> {
    let lists = &*LISTS;
    let start = words.iter().position(|word| lists.has("given", &word.folded))?;
    let polite = words.iter().take(start).all(|word| {
        matches!(
            word.folded.as_str(),
            "oi" | "ola" | "e" | "eh" | "a" | "o" | "bom" | "boa" | "dia" | "tarde" | "noite"
        )
    });
    let (name, end) = name_at(words, start, cased, false)?;
    (polite && end == words.len()).then_some(name)
}

/// The name at a place, an article and a title before it left out.
fn taken(words: &[Word<'_>], at: usize, cased: bool, plain: bool) -> Option<PersonName> {
    let folded = |at: usize| words.get(at).map_or("", |word| word.folded.as_str());
    let at = at + usize::from(matches!(folded(at), "a" | "o"));
    let at = at + usize::from(TITLES.contains(&folded(at)));
    name_at(words, at, cased, plain).map(|(name, _)| name)
}

fn name_at(words: &[Word<'_>], at: usize, cased: bool, plain: bool) -> Option<(PersonName, usize)> {
    let lists = &*LISTS;
    let first = words.get(at)?;
    let capital = |word: &Word<'_>| cased && word.raw.starts_with(char::is_uppercase);
    let listed = |word: &Word<'_>| lists.has("given", &word.folded) || lists.has("family", &word.folded);
    let is_none = |word: &Word<'_>| lists.has("none", &word.folded) || lists.has("particle", &word.folded);
    if is_none(first) || !(plain || capital(first) || lists.has("given", &first.folded)) {
        return None;
    }
    let next = |at: usize| words.get(at).filter(|word| !word.parted);
    let goes_on = |word: &Word<'_>| !is_none(word) && (listed(word) || capital(word));
    let mut end = at + 1;
    let mut count = 1;
    while count < NAMES_MAX {
        let particle = next(end).filter(|word| lists.has("particle", &word.folded));
        let bound = particle.and_then(|_| next(end + 1)).filter(|word| lists.has("family", &word.folded));
        match (bound, next(end)) {
            (Some(_), _) => end += 2,
            (None, Some(word)) if goes_on(word) => end += 1,
            _ => break,
        }
        count += 1;
    }
    // "a Central de Atendimento", "a Vivo do centro": what is not listed and goes on like that is no person.
    if !plain && !lists.has("given", &first.folded) && next(end).is_some_and(|word| lists.has("particle", &word.folded))
    {
        return None;
    }
    let raw: Vec<String> = words.get(at..end)?.iter().map(|word| spelled(word, lists)).collect();
    checked(&raw).map(|name| (name, end))
}

/// As names are spelled: "ana" is "Ana", "DA" is "da"; what has both cases stays as it was typed.
fn spelled(word: &Word<'_>, lists: &Lists) -> String {
    if lists.has("particle", &word.folded) {
        return word.raw.to_lowercase();
    }
    let mut letters = word.raw.chars();
    match letters.next() {
        Some(first) if first.is_uppercase() && letters.clone().any(char::is_lowercase) => word.raw.to_owned(),
        Some(first) => first.to_uppercase().chain(letters.flat_map(char::to_lowercase)).collect(),
        None => String::new(),
    }
}

fn checked(words: &[String]) -> Option<PersonName> {
    let fits = |word: &String| {
        let count = word.chars().filter(|c| c.is_alphabetic()).count();
        (1..=LETTERS_MAX).contains(&count) && word.chars().next().is_some_and(char::is_alphabetic)
    };
    let long_enough = words.first().is_some_and(|first| first.chars().count() > 1);
    let joined = words.join(" ");
    let name = PersonName::clean(&joined).filter(|_| long_enough && words.iter().all(fits))?;
    (judge(name.as_str()).score == 0.0).then_some(name)
}
