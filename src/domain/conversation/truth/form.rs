//! How a text is written, whatever it says: in Portuguese, not too long, and none of the model's own instruction.

use std::collections::HashSet;

use super::ground::plain_words;
use super::{Blocked, ClaimKind, Truths};

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

pub(super) fn check(text: &str, truths: &Truths<'_>) -> Vec<Blocked> {
    let mut blocked = Vec::new();
    if text.chars().count() > LENGTH_MAX {
        blocked.push(Blocked::new(ClaimKind::Length, format!("{} caracteres", text.chars().count())));
    }
    if !is_portuguese(text) {
        blocked.push(Blocked::new(ClaimKind::Language, text));
    }
    if let Some(echo) = echo(text, truths) {
        blocked.push(Blocked::new(ClaimKind::PromptEcho, echo));
    }
    blocked
}

fn is_portuguese(text: &str) -> bool {
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let latin = text.chars().filter(|c| c.is_alphabetic() && is_latin(*c)).count();
    if letters >= 4 && latin * 10 < letters * 7 {
        return false;
    }
    let words = plain_words(text);
    let words: Vec<&str> = words.split_whitespace().filter(|word| word.chars().all(char::is_alphabetic)).collect();
    if words.len() < WORDS_TO_TELL {
        return true;
    }
    let hits = |list: &[&str]| words.iter().filter(|word| list.contains(word)).count();
    let (ours, english, spanish) = (hits(&PORTUGUESE), hits(&ENGLISH), hits(&SPANISH));
    let foreign = english.max(spanish);
    // Spanish shares many words; it takes as many again to be sure.
    let outvoted = (english >= 3 && english > ours) || (spanish >= 4 && spanish > ours + 1);
    let unknown = words.len() >= 12 && ours == 0;
    !(outvoted || unknown || (words.len() >= 8 && ours == 0 && foreign >= 2))
}

fn is_latin(c: char) -> bool {
    c.is_ascii() || matches!(c, '\u{C0}'..='\u{24F}' | '\u{1E00}'..='\u{1EFF}' | 'ª' | 'º')
}

/// Words of the instruction in a row, or an encoded text.
fn echo(text: &str, truths: &Truths<'_>) -> Option<String> {
    if let Some(run) = text.split_whitespace().find(|run| is_encoded(run)) {
        return Some(run.chars().take(RUN_MAX).collect());
    }
    let said = plain_words(text);
    let said: Vec<&str> = said.split_whitespace().collect();
    if said.len() < ECHO_WORDS {
        return None;
    }
    let facts: Vec<String> = truths.facts.iter().map(|fact| plain_words(fact)).collect();
    let rules: Vec<String> =
        truths.system_prompt.lines().map(plain_words).filter(|line| !is_fact(line, &facts)).collect();
    let rules = rules.join(" ");
    let rules: Vec<&str> = rules.split_whitespace().collect();
    let own: HashSet<&[&str]> = said.windows(ECHO_WORDS).collect();
    rules.windows(ECHO_WORDS).filter(|window| own.contains(window)).map(|window| window.join(" ")).find(|echo| {
        let wanted = format!(" {echo} ");
        let by_customer = || truths.customer_said.iter().any(|said| plain_words(said).contains(&wanted));
        !facts.iter().any(|fact| fact.contains(&wanted)) && !by_customer()
    })
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
