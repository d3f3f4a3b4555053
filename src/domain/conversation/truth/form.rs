//! How a text is written, whatever it says: in Portuguese, not too long, and none of the model's own instruction.

use std::borrow::Cow;
use std::hash::BuildHasher;
use std::sync::LazyLock;

use foldhash::fast::FixedState;

use super::ground::{Ground, plain_words};
use super::{Blocked, ClaimKind};
use crate::domain::conversation::prompt;
use crate::domain::text::table::Table;

/// The longest text that may be sent, in characters: two bubbles.
const LENGTH_MAX: usize = 600;
/// So many words in a row, shared with the instruction, are no accident.
const ECHO_WORDS: usize = 8;
/// A line of the instruction is a fact's when at most this many words (its label) come with the fact.
const LABEL_WORDS_MAX: usize = 6;
/// Shorter texts are in no language for sure.
const WORDS_TO_TELL: usize = 5;
/// A longer run of letters and digits without a blank is an encoded text.
const RUN_MAX: usize = 48;

/// Words that are frequent in Portuguese and rare or unknown in the other two.
const PORTUGUESE: [&str; 92] = [
    "nao",
    "voce",
    "com",
    "para",
    "uma",
    "um",
    "os",
    "das",
    "dos",
    "da",
    "do",
    "em",
    "na",
    "no",
    "nas",
    "nos",
    "ao",
    "aos",
    "pelo",
    "pela",
    "sua",
    "seu",
    "suas",
    "seus",
    "nossa",
    "nosso",
    "mais",
    "muito",
    "obrigada",
    "obrigado",
    "ola",
    "oi",
    "posso",
    "ajudar",
    "qual",
    "quais",
    "quando",
    "onde",
    "isso",
    "esta",
    "este",
    "essa",
    "esse",
    "sao",
    "tem",
    "temos",
    "tenho",
    "ja",
    "so",
    "bom",
    "boa",
    "dia",
    "tarde",
    "noite",
    "sim",
    "ate",
    "por",
    "favor",
    "pode",
    "quer",
    "vou",
    "aqui",
    "hoje",
    "amanha",
    "segunda",
    "sexta",
    "as",
    "ou",
    "mas",
    "porque",
    "tambem",
    "foi",
    "ser",
    "fica",
    "estamos",
    "nosso",
    "equipe",
    "horario",
    "consulta",
    "atendimento",
    "nome",
    "voces",
    "gostaria",
    "preciso",
    "confirmar",
    "informacao",
    "funcionamento",
    "agendar",
    "marcar",
    "certo",
    "claro",
    "mensagem",
];

const ENGLISH: [&str; 60] = [
    "the",
    "and",
    "you",
    "your",
    "is",
    "are",
    "to",
    "of",
    "for",
    "with",
    "have",
    "has",
    "can",
    "will",
    "would",
    "we",
    "our",
    "this",
    "that",
    "it",
    "in",
    "on",
    "at",
    "be",
    "please",
    "thanks",
    "thank",
    "how",
    "what",
    "when",
    "where",
    "hello",
    "hi",
    "help",
    "appointment",
    "booked",
    "confirmed",
    "tomorrow",
    "today",
    "my",
    "not",
    "from",
    "was",
    "an",
    "if",
    "any",
    "am",
    "here",
    "free",
    "price",
    "sorry",
    "i",
    "yes",
    "all",
    "there",
    "been",
    "just",
    "but",
    "they",
    "instructions",
];

const SPANISH: [&str; 56] = [
    "el",
    "los",
    "las",
    "una",
    "y",
    "es",
    "usted",
    "ustedes",
    "hola",
    "gracias",
    "con",
    "su",
    "sus",
    "para",
    "manana",
    "hoy",
    "cita",
    "puede",
    "puedo",
    "tiene",
    "tenemos",
    "esta",
    "muy",
    "pero",
    "cuando",
    "donde",
    "del",
    "al",
    "lo",
    "le",
    "por",
    "favor",
    "hay",
    "mi",
    "nuestro",
    "nuestra",
    "dias",
    "buenos",
    "buenas",
    "tardes",
    "que",
    "si",
    "no",
    "soy",
    "estoy",
    "estamos",
    "precio",
    "horario",
    "ayudar",
    "quiere",
    "reservada",
    "confirmada",
    "yo",
    "ella",
    "nosotros",
    "ahora",
];

pub(super) fn check(text: &str, ground: &Ground<'_>) -> Vec<Blocked> {
    let mut blocked = Vec::new();
    if text.chars().count() > LENGTH_MAX {
        blocked.push(Blocked::new(ClaimKind::Length, format!("{} caracteres", text.chars().count())));
    }
    let words = plain_words(text);
    if !is_portuguese(text, &words) {
        blocked.push(Blocked::new(ClaimKind::Language, text));
    }
    if let Some(echo) = echo(text, &words, ground) {
        blocked.push(Blocked::new(ClaimKind::PromptEcho, echo));
    }
    blocked
}

fn is_portuguese(text: &str, words: &str) -> bool {
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let latin = text.chars().filter(|c| c.is_alphabetic() && is_latin(*c)).count();
    if letters >= 4 && latin * 10 < letters * 7 {
        return false;
    }
    let (mut count, mut ours, mut english, mut spanish) = (0, 0, 0, 0);
    for word in words.split_whitespace().filter(|word| word.chars().all(char::is_alphabetic)) {
        count += 1;
        let Some(tongues) = TONGUES.get(word) else { continue };
        ours += usize::from(tongues & OURS != 0);
        english += usize::from(tongues & THEIRS_ENGLISH != 0);
        spanish += usize::from(tongues & THEIRS_SPANISH != 0);
    }
    if count < WORDS_TO_TELL {
        return true;
    }
    let foreign = english.max(spanish);
    // Spanish shares many words; it takes as many again to be sure.
    let outvoted = (english >= 3 && english > ours) || (spanish >= 4 && spanish > ours + 1);
    let unknown = count >= 12 && ours == 0;
    !(outvoted || unknown || (count >= 8 && ours == 0 && foreign >= 2))
}

const OURS: u8 = 1;
const THEIRS_ENGLISH: u8 = 2;
const THEIRS_SPANISH: u8 = 4;

/// Which of the lists a word is in.
static TONGUES: LazyLock<Table<&str, u8>> = LazyLock::new(|| {
    let mut tongues: Table<&str, u8> = Table::default();
    let lists = [(OURS, PORTUGUESE.as_slice()), (THEIRS_ENGLISH, &ENGLISH), (THEIRS_SPANISH, &SPANISH)];
    for (tongue, words) in lists {
        words.iter().for_each(|word| *tongues.entry(*word).or_default() |= tongue);
    }
    tongues
});

fn is_latin(c: char) -> bool {
    c.is_ascii() || matches!(c, '\u{C0}'..='\u{24F}' | '\u{1E00}'..='\u{1EFF}' | 'ª' | 'º')
}

/// Words of the instruction in a row, or an encoded text.
fn echo(text: &str, words: &str, ground: &Ground<'_>) -> Option<String> {
    if let Some(run) = text.split_whitespace().find(|run| is_encoded(run)) {
        return Some(run.chars().take(RUN_MAX).collect());
    }
    let said: Vec<&str> = words.split_whitespace().collect();
    if said.len() < ECHO_WORDS {
        return None;
    }
    if !may_echo(&said, ground) {
        return None;
    }
    let lines: Vec<String> = ground.truths.system_prompt.lines().map(plain_words).collect();
    let rules: Vec<&str> =
        lines.iter().filter(|line| !is_fact(line, ground.facts())).flat_map(|line| line.split_whitespace()).collect();
    let own: Vec<&[&str]> = said.windows(ECHO_WORDS).collect();
    rules.windows(ECHO_WORDS).filter(|window| own.contains(window)).map(|window| window.join(" ")).find(|echo| {
        let wanted = format!(" {echo} ");
        let by_customer = || ground.customer().iter().any(|said| said.contains(&wanted));
        !ground.facts().iter().any(|fact| fact.contains(&wanted)) && !by_customer()
    })
}

/// Whether so many words in a row may stand in the instruction: the same look by the words' numbers, which nearly always
/// finds nothing.
fn may_echo(said: &[&str], ground: &Ground<'_>) -> bool {
    let facts: Vec<Vec<u64>> =
        ground.facts().iter().map(|fact| numbers(fact)).filter(|fact| !fact.is_empty()).collect();
    let is_fact = |line: &[u64]| {
        let is_in = |fact: &Vec<u64>| line.windows(fact.len()).any(|window| window == fact.as_slice());
        facts.iter().any(|fact| line.len() <= fact.len() + LABEL_WORDS_MAX && is_in(fact))
    };
    let mut rules: Vec<u64> = Vec::with_capacity(ground.truths.system_prompt.len() / 5);
    for line in ground.truths.system_prompt.lines() {
        let line = standing(line).map_or_else(|| Cow::Owned(numbers(&plain_words(line))), Cow::Borrowed);
        if !is_fact(&line) {
            rules.extend_from_slice(&line);
        }
    }
    let said: Vec<u64> = said.iter().map(|word| number(word)).collect();
    let begins = said.windows(ECHO_WORDS).filter_map(|window| window.first()).fold(0, |all, first| all | bit(*first));
    let is_own = |window: &[u64]| {
        window.first().is_some_and(|first| begins & bit(*first) != 0)
            && said.windows(ECHO_WORDS).any(|own| own == window)
    };
    rules.windows(ECHO_WORDS).any(is_own)
}

fn number(word: &str) -> u64 {
    FixedState::default().hash_one(word)
}

fn numbers(words: &str) -> Vec<u64> {
    words.split_whitespace().map(number).collect()
}

fn bit(number: u64) -> u64 {
    1 << (number & 63)
}

/// The words' numbers of a line that stands in every instruction; they are worked out once.
fn standing(line: &str) -> Option<&'static [u64]> {
    static STANDING: LazyLock<Table<String, Vec<u64>>> = LazyLock::new(|| {
        let lines = prompt::standing_lines();
        lines.map(|line| (numbers(&plain_words(&line)), line)).map(|(words, line)| (line, words)).collect()
    });
    STANDING.get(line).map(Vec::as_slice)
}

fn is_encoded(run: &str) -> bool {
    let count = run.chars().count();
    let plain = run.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '_' | '-')).count();
    count >= RUN_MAX && plain == count && run.chars().any(|c| c.is_ascii_uppercase())
}

/// Whether a line of the instruction only hands a fact on.
fn is_fact(line: &str, facts: &[String]) -> bool {
    let count = line.split_whitespace().count();
    facts.iter().any(|fact| {
        let words = fact.split_whitespace().count();
        words > 0 && count <= words + LABEL_WORDS_MAX && line.contains(fact.as_str())
    })
}
