//! Prices, discounts, instalments: each is in a fact, and in one that speaks of the same thing.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::booking;
use super::glance::{Glance, letter_runs};
use super::ground::{Ground, plain_words};
use super::lexicon::Sign;
use super::sentences::Sentence;
use super::spelled::{is_part, number};
use super::{Blocked, ClaimKind};
use crate::domain::text::fold::fold;
use crate::domain::text::stem::stem;

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Unit {
    Money,
    Percent,
    Instalments,
}

/// An amount: cents, hundredths of a per cent, or hundreds of instalments.
#[derive(Clone, Debug)]
pub(super) struct Amount {
    pub range: Range<usize>,
    pub value: u64,
    pub unit: Unit,
}

/// An amount of a fact, with the stems of the words it is said of.
#[derive(Clone, Debug)]
pub(super) struct Priced {
    value: u64,
    unit: Unit,
    of: Vec<String>,
}

struct Pattern {
    regex: Regex,
    unit: Unit,
    /// What a text has that it matches in.
    needs: Needs,
}

enum Needs {
    /// One of these somewhere.
    Word(&'static [&'static str]),
    /// A number right after one of these.
    Before(&'static [&'static str]),
}

const NUMBER: &str = r"(\d{1,3}(?:\.\d{3})+(?:,\d{1,2})?|\d+(?:[.,]\d{1,2})?)";

static PATTERNS: LazyLock<Vec<Pattern>> = LazyLock::new(|| {
    [
        (format!(r"(?i)(?:r\$|rs\$?|brl|us\$|u\$s?|€|\$)\s*{NUMBER}(\s*mil\b)?"), Unit::Money, Needs::Word(&["$", "€", "rs", "brl"])),
        (
            format!(r"(?i){NUMBER}(\s*mil)?\s*(?:reais|real|contos?|pilas?|mangos|d[oó]lares|euros)\b"),
            Unit::Money,
            Needs::Word(&["reais", "real", "conto", "pila", "mangos", "lares", "euros"]),
        ),
        (r"(\d+,\d{2})\b".to_owned(), Unit::Money, Needs::Word(&[","])),
        (format!(r"(?i){NUMBER}\s*(?:%|por\s+cento\b)"), Unit::Percent, Needs::Word(&["%", "cento"])),
        (r"(?i)\b(\d{1,2})\s*x\b".to_owned(), Unit::Instalments, Needs::Word(&["x"])),
        (r"(?i)\b(?:parcel\w*|divid\w*)\s+(?:em\s+)?(?:at[eé]\s+)?(\d{1,2})\b".to_owned(), Unit::Instalments, Needs::Word(&["parcel", "divid"])),
        (r"(?i)\b(\d{1,2})\s+(?:vezes|parcelas)(?:\s+(?:sem|no|de|iguais)\b|\s*[.,!?]|$)".to_owned(), Unit::Instalments, Needs::Word(&["vezes", "parcelas"])),
        (
            format!(
                r"(?i)\b(?:custam?|custar[aá]|sai(?:\s+por)?|saem(?:\s+por)?|fica\s+(?:em|por)|valor(?:es)?|pre[cç]os?|cobramos|apenas|s[oó]|a\s+partir\s+de|por)\s*:?\s*(?:é|e|de|em|por|do|da|fica|está)?\s*{NUMBER}(\s*mil\b)?"
            ),
            Unit::Money,
            Needs::Before(&PRICE_WORDS),
        ),
    ]
    .into_iter()
    .filter_map(|(regex, unit, needs)| Some(Pattern { regex: Regex::new(&regex).ok()?, unit, needs }))
    .collect()
});

/// What stands right before the number in the last pattern.
const PRICE_WORDS: [&str; 25] = [
    "custa", "custam", "custara", "custará", "sai", "saem", "por", "em", "valor", "valores", "preço", "preco",
    "preços", "precos", "cobramos", "apenas", "só", "so", "de", "é", "e", "do", "da", "fica", "está",
];

/// The amounts of a text, in order.
pub(super) fn found(text: &str) -> Vec<Amount> {
    let mut out: Vec<Amount> = Vec::new();
    let glance = Glance::at(text);
    let counted = text.contains(char::is_numeric);
    for (index, pattern) in PATTERNS.iter().enumerate().filter(|_| counted) {
        let may_match = match pattern.needs {
            Needs::Word(words) => glance.may_hold(words),
            Needs::Before(words) => glance.may_count(words),
        };
        if !may_match {
            continue;
        }
        // The last pattern knows a price only by the words before it.
        let bare = index + 1 == PATTERNS.len();
        for groups in pattern.regex.captures_iter(text) {
            let (Some(all), Some(digits)) = (groups.get(0), groups.get(1)) else { continue };
            let thousands = groups.get(2).is_some();
            let overlaps = out.iter().any(|one| one.range.start < all.end() && all.start() < one.range.end);
            if overlaps || (bare && counts_something(text, digits.end())) {
                continue;
            }
            let range = if bare { digits.range() } else { all.range() };
            let Some(value) = hundredths(digits.as_str(), thousands) else { continue };
            out.push(Amount { range, value, unit: pattern.unit });
        }
    }
    out.extend(spelled(text));
    out.sort_by_key(|one| one.range.start);
    out
}

/// Whether what follows a number says that it is no price: an hour, a date, a count of things.
fn counts_something(text: &str, end: usize) -> bool {
    let rest = text.get(end..).unwrap_or_default();
    let close = rest.starts_with(|c: char| c.is_alphanumeric() || matches!(c, ':' | '/' | 'º' | 'ª' | '-' | '%'));
    let word: String = rest.trim_start().chars().take_while(|c| c.is_alphabetic()).collect();
    let cash = ["cada", "no", "na", "a", "o", "por", "em", "com", "pela", "pelo", "ou", "e", "para", "à", "mais"];
    close || !(word.is_empty() || cash.contains(&word.to_lowercase().as_str()))
}

/// "1.200,50" in hundredths.
fn hundredths(digits: &str, thousands: bool) -> Option<u64> {
    let decimal = digits.rfind([',', '.']).filter(|at| digits.len() - at - 1 <= 2);
    let (whole, part) = decimal.and_then(|at| digits.split_at_checked(at)).unwrap_or((digits, ""));
    let whole: u64 = whole.replace(['.', ','], "").parse().ok()?;
    let part = part.trim_start_matches(['.', ',']);
    let part: u64 = if part.is_empty() { 0 } else { format!("{part:0<2}").parse().ok()? };
    let value = whole.checked_mul(100)?.checked_add(part)?;
    if thousands { value.checked_mul(1_000) } else { Some(value) }
}

/// Amounts in words: "oitenta reais", "dez por cento", "custa duzentos".
fn spelled(text: &str) -> Vec<Amount> {
    let runs = letter_runs(text);
    let folded = runs.into_iter().map(|range| (range.clone(), fold(text.get(range).unwrap_or_default())));
    let words: Vec<(Range<usize>, String)> = folded.collect();
    if !words.iter().any(|(_, word)| word != "e" && is_part(word)) {
        return Vec::new();
    }
    let word = |at: usize| words.get(at).map_or("", |(_, word)| word.as_str());
    let mut out = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let mut end = at;
        while end < words.len() && is_part(word(end)) && word(at) != "e" {
            end += 1;
        }
        while end > at && word(end - 1) == "e" {
            end -= 1;
        }
        let run: Vec<&str> = (at..end).map(word).collect();
        if let Some(value) = number(&run).filter(|_| end > at) {
            let unit = match (word(end), word(end + 1)) {
                ("reais" | "real" | "conto" | "contos" | "pila" | "pilas" | "mangos", _) => {
                    Some((Unit::Money, end + 1))
                }
                ("por", "cento") => Some((Unit::Percent, end + 2)),
                ("vezes" | "parcelas", "sem" | "no" | "iguais" | "") => Some((Unit::Instalments, end + 1)),
                _ if value >= 20 && is_priced(word(at.wrapping_sub(1)), word(at.wrapping_sub(2))) => {
                    Some((Unit::Money, end))
                }
                _ => None,
            };
            let (first, last) = (words.get(at), unit.and_then(|(_, end)| words.get(end - 1)));
            if let (Some((unit, _)), Some((first, _)), Some((last, _))) = (unit, first, last) {
                out.push(Amount { range: first.start..last.end, value: u64::from(value) * 100, unit });
            }
        }
        at = end.max(at + 1);
    }
    out
}

fn is_priced(before: &str, earlier: &str) -> bool {
    let cue = |word: &str| matches!(word, "custa" | "custam" | "sai" | "valor" | "preco" | "cobramos" | "apenas");
    cue(before) || cue(earlier)
}

/// The amounts of a fact, each with what it is the price of.
pub(super) fn priced(text: &str) -> Vec<Priced> {
    let amounts = found(text);
    let mut out = Vec::new();
    let mut start = 0;
    for amount in &amounts {
        let label = text.get(start..amount.range.start).unwrap_or_default();
        // What stands behind the last separator; a table "Limpeza; R$ 150" has it before.
        let own = label.rsplit([';', '\n', '|']).find(|part| part.chars().any(char::is_alphabetic)).unwrap_or(label);
        out.push(Priced { value: amount.value, unit: amount.unit, of: labels(own) });
        start = amount.range.end;
    }
    let has_currency = amounts.iter().any(|amount| amount.unit == Unit::Money);
    if !has_currency && has_price_words(text) {
        out.extend(numbers(text).into_iter().map(|value| Priced { value, unit: Unit::Money, of: Vec::new() }));
    }
    out
}

fn has_price_words(text: &str) -> bool {
    let words = plain_words(text);
    [" preco", " valor", " custa", " servico", " tabela"].iter().any(|cue| words.contains(cue))
}

fn numbers(text: &str) -> Vec<u64> {
    text.split(|c: char| !c.is_ascii_digit())
        .filter_map(|digits| digits.parse::<u64>().ok()?.checked_mul(100))
        .collect()
}

/// Words that say nothing of what is priced.
const PLAIN: [&str; 34] = [
    "para", "com", "por", "custa", "custam", "valor", "valores", "preco", "precos", "reais", "apenas", "partir",
    "mais", "cada", "uma", "nossa", "nosso", "sai", "fica", "servico", "servicos", "sao", "dos", "das", "que", "esta",
    "voce", "pra", "temos", "ate", "sem", "sua", "seu", "sessao",
];

fn labels(text: &str) -> Vec<String> {
    let words = plain_words(text);
    let own = words.split_whitespace().filter(|word| word.len() >= 3 && !PLAIN.contains(word));
    own.filter(|word| word.chars().all(char::is_alphabetic)).map(stem).collect()
}

/// Prices and offers no fact has.
pub(super) fn check(text: &str, amounts: &[Amount], sentences: &[Sentence<'_>], ground: &Ground<'_>) -> Vec<Blocked> {
    let mut blocked = Vec::new();
    for (at, amount) in amounts.iter().enumerate() {
        let sentence = sentences.iter().find(|sentence| sentence.range.contains(&amount.range.start));
        let looks_up = sentence.is_some_and(|sentence| sentence.looks_up() && !sentence.question);
        let repeated = looks_up
            && ground.customer_prices().iter().any(|said| said.value == amount.value && said.unit == amount.unit);
        if !(repeated || is_known(text, amounts, at, amount, ground)) {
            let said = text.get(amount.range.clone()).unwrap_or_default();
            blocked.push(Blocked::new(ClaimKind::Price, said));
        }
    }
    blocked.extend(sentences.iter().filter_map(|sentence| offer(sentence, ground)));
    blocked
}

fn is_known(text: &str, amounts: &[Amount], at: usize, amount: &Amount, ground: &Ground<'_>) -> bool {
    let same: Vec<&Priced> =
        ground.prices().filter(|fact| fact.value == amount.value && fact.unit == amount.unit).collect();
    if same.is_empty() {
        return false;
    }
    // "Clareamento custa R$ 150" where that is what the cleaning costs: a price of something else.
    let end_before = at.checked_sub(1).and_then(|at| amounts.get(at)).map_or(0, |before| before.range.end);
    let start_after = amounts.get(at + 1).map_or(text.len(), |after| after.range.start);
    let around = |from: usize, until: usize| text.get(from..until).unwrap_or_default();
    let before = around(end_before, amount.range.start).rsplit(['.', '!', '?', '\n']).next().unwrap_or_default();
    let after = around(amount.range.end, start_after).split(['.', '!', '?', '\n', ';']).next().unwrap_or_default();
    let own: Vec<String> = labels(before).into_iter().chain(labels(after)).collect();
    let is_label = |word: &&String| ground.prices().any(|fact| fact.of.contains(word));
    let named: Vec<&String> = own.iter().filter(is_label).collect();
    named.is_empty() || same.iter().any(|fact| fact.of.is_empty() || named.iter().any(|word| fact.of.contains(word)))
}

/// "de graça", "com desconto", "sem juros": an offer in words.
fn offer(sentence: &Sentence<'_>, ground: &Ground<'_>) -> Option<Blocked> {
    if sentence.question || sentence.looks_up() {
        return None;
    }
    sentence.clauses.iter().find_map(|clause| {
        let hit = clause.hits(Sign::Offer).find(|hit| {
            let words = (hit.start..hit.end).map(|at| clause.word(at));
            let known =
                words.clone().any(|word| word.len() > 3 && ground.knows(word)) || ground.quotes(&clause.said(hit));
            let instalments = clause.word(hit.start).starts_with("parcel")
                && ground.prices().any(|fact| fact.unit == Unit::Instalments);
            let about = hit.start.checked_sub(1).is_some_and(|at| matches!(clause.word(at), "sobre" | "se"));
            !known && !instalments && !about && !booking::is_denied_before(clause, hit, hit.start)
        })?;
        Some(Blocked::new(ClaimKind::Price, clause.said(hit)))
    })
}
