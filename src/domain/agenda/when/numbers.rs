//! Numbers as digits or words.

use super::lex::Line;

/// The value of a word for a number below one hundred; tens are multiples of ten from twenty on.
fn simple(word: &str) -> Option<u32> {
    Some(match word {
        "zero" => 0,
        "um" | "uma" => 1,
        "dois" | "duas" | "doi" => 2,
        "tres" | "treis" => 3,
        "quatro" | "quato" | "cuatro" => 4,
        "cinco" | "sinco" => 5,
        "seis" => 6,
        "sete" => 7,
        "oito" | "oitu" => 8,
        "nove" => 9,
        "dez" | "deis" => 10,
        "onze" => 11,
        "doze" => 12,
        "treze" => 13,
        "quatorze" | "catorze" => 14,
        "quinze" => 15,
        "dezesseis" | "dezeseis" | "dezasseis" => 16,
        "dezessete" | "dezesete" | "dezassete" => 17,
        "dezoito" => 18,
        "dezenove" | "dezanove" => 19,
        "vinte" => 20,
        "trinta" => 30,
        "quarenta" => 40,
        "cinquenta" | "cincoenta" => 50,
        "sessenta" => 60,
        "noventa" => 90,
        _ => return None,
    })
}

/// A number in words ("vinte e duas") and the place after it.
pub(in crate::domain::agenda) fn spelled(line: &Line, at: usize) -> Option<(u32, usize)> {
    let tens = simple(line.word(at))?;
    if tens < 20 || line.word(at + 1) != "e" {
        return Some((tens, at + 1));
    }
    match simple(line.word(at + 2)) {
        Some(unit @ 1..=9) => Some((tens + unit, at + 3)),
        _ => Some((tens, at + 1)),
    }
}

/// A number in digits or words, and the place after it.
pub(in crate::domain::agenda) fn cardinal(line: &Line, at: usize) -> Option<(u32, usize)> {
    match line.digits(at) {
        Some((value, _)) => Some((value, at + 1)),
        None => spelled(line, at),
    }
}

/// Stems of ordinals; the rest of the word is its gender and number.
const ORDINALS: [(&str, u32); 31] = [
    ("primeir", 1),
    ("segund", 2),
    ("terceir", 3),
    ("tercer", 3),
    ("quart", 4),
    ("quint", 5),
    ("sext", 6),
    ("setim", 7),
    ("oitav", 8),
    ("non", 9),
    ("decim", 10),
    ("undecim", 11),
    ("duodecim", 12),
    ("vigesim", 20),
    ("trigesim", 30),
    ("quadragesim", 40),
    ("quinquagesim", 50),
    ("sexagesim", 60),
    ("septuagesim", 70),
    ("octogesim", 80),
    ("nonagesim", 90),
    ("centesim", 100),
    ("primer", 1),
    ("prmeir", 1),
    ("primerir", 1),
    ("tercei", 3),
    ("setm", 7),
    ("oitv", 8),
    ("decimoprimeir", 11),
    ("decimosegund", 12),
    ("decimoterceir", 13),
];

fn simple_ordinal(word: &str) -> Option<u32> {
    let ending = ["os", "as", "o", "a"].into_iter().find(|ending| word.ends_with(ending))?;
    let stem = word.strip_suffix(ending)?;
    let first = stem.bytes().next()?;
    ORDINALS.iter().find(|(known, _)| known.bytes().next() == Some(first) && *known == stem).map(|(_, value)| *value)
}

/// An ordinal ("primeira", "décimo segundo", "2º") and the place after it.
pub(in crate::domain::agenda) fn ordinal(line: &Line, at: usize) -> Option<(u32, usize)> {
    if let Some((value, digits)) = line.digits(at) {
        let raised = line.glued(at + 1) && line.is(at + 1, &["o", "a", "os", "as"]);
        return (raised && digits <= 2 && value > 0).then_some((value, at + 2));
    }
    let first = simple_ordinal(line.word(at))?;
    if first < 10 || first % 10 != 0 {
        return Some((first, at + 1));
    }
    let next = if line.mark(at + 1) == Some('-') { at + 2 } else { at + 1 };
    match simple_ordinal(line.word(next)) {
        Some(unit @ 1..=9) => Some((first + unit, next + 1)),
        _ => Some((first, at + 1)),
    }
}
