//! Addresses: streets as they stand in the facts.

use std::sync::LazyLock;

use regex::Regex;

use super::glance::Glance;
use super::ground::{Ground, plain_words};
use super::{Blocked, ClaimKind};

static STREET: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?x)
        (?-u:\b)(?i:rua|r\.|avenida|av\.?|alameda|al\.|pra[cç]a|travessa|rodovia|estrada|largo|bairro|shopping|edif[ií]cio)\s+
        (
            (?:(?:d[aeo]s?|e)\s+)*
            # A full stop belongs to a title, or ends the sentence.
            (?:(?:Dra?|Profa?|Cel|Gen|Mal|Brig|Cap|Maj|Alm|Com|Eng|Pe|Sto|Sta)\.\s+)*
            \p{Lu}\p{L}*
            (?:\s+(?:d[aeo]s?\s+|e\s+)*(?:(?:Dra?|Profa?|Cel|Gen|Mal|Brig|Cap|Maj|Alm|Com|Eng|Pe|Sto|Sta)\.\s+)*\p{Lu}\p{L}*)*
            (?:\s*,?\s*(?:n[º°o.]?\s*)?\d+)?
        )",
    )
    .ok()
});

/// The words the expression begins with.
const STREETS: [&str; 17] = [
    "rua",
    "r.",
    "avenida",
    "av",
    "av.",
    "alameda",
    "al.",
    "praca",
    "praça",
    "travessa",
    "rodovia",
    "estrada",
    "largo",
    "bairro",
    "shopping",
    "edificio",
    "edifício",
];

pub(super) fn check(text: &str, ground: &Ground<'_>) -> Vec<Blocked> {
    let Some(street) = STREET.as_ref().filter(|_| Glance::at(text).may_go_on(&STREETS)) else { return Vec::new() };
    let unknown = street.captures_iter(text).filter_map(|found| {
        let (all, name) = (found.get(0)?, found.get(1)?);
        let words = plain_words(name.as_str());
        let own: Vec<&str> = words.split_whitespace().filter(|word| word.len() > 2 || is_number(word)).collect();
        let known = ground.facts().iter().any(|fact| own.iter().all(|word| fact.contains(&format!(" {word} "))));
        (!known).then(|| Blocked::new(ClaimKind::Place, all.as_str()))
    });
    unknown.collect()
}

fn is_number(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit())
}
