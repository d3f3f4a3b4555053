//! Links, e-mail addresses, names in social networks, telephone numbers and documents: each as it stands in a fact.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::glance::{Glance, has_digits, letter_runs};
use super::ground::Ground;
use super::sentences::Sentence;
use super::spelled::digit;
use super::{Blocked, ClaimKind};
use crate::domain::phone::Phone;
use crate::domain::text::fold::fold;

/// The digits by which two spellings of one number are known as the same, whatever is written before them.
const SUBSCRIBER_DIGITS: usize = 8;

/// What somebody can be reached or known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ContactKind {
    Link,
    Phone,
    Document,
}

/// A contact in a text.
#[derive(Clone, Debug)]
pub(super) struct Contact {
    pub range: Range<usize>,
    pub kind: ContactKind,
    /// In one spelling: a link without scheme and `www.`, a number's digits.
    key: String,
}

const ENDINGS: &str = "com|br|net|org|io|app|dev|site|online|shop|store|info|biz|link|page|xyz|top|club|vip|live|gov|edu|co|\
    ly|gg|gl|cc|ru|cn|uk|tk|ml|click|website|space|tech|cloud|digital|loja|blog|bio|art|pro|health|dental|clinic|ai|tv|us|pt";

static LINKS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        r"(?i)\b[a-z0-9._%+-]+\s*(?:@|\(at\)|\[at\]|\barroba\b)\s*[a-z0-9-]+(?:\s*(?:\.|\bponto\b)\s*[a-z]{2,})+".to_owned(),
        r"(?i)\bh(?:tt|xx)ps?\s*:\s*/+\s*[^\s,;]+".to_owned(),
        r"(?i)\bwww\s*\.\s*[^\s,;]+".to_owned(),
        r"(?i)\b(?:wa\.me|t\.me|bit\.ly|goo\.gl|fb\.me|m\.me|linktr\.ee|youtu\.be)(?:/[^\s,;]*)?".to_owned(),
        format!(r"(?i)\b[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9-]+)*\.(?:{ENDINGS})\b(?:[/?#][^\s,;]*)?"),
        r"(?i)\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,6}/[^\s,;]*".to_owned(),
        r"(?i)\b[a-z0-9-]+\s+(?:ponto|\(?dot\)?|\[dot\]|\(ponto\))\s+(?:com|net|org|br|site|app|online)(?:\s+ponto\s+br)?\b".to_owned(),
        r"(?i)(?:^|[\s(:])(@[a-z0-9_](?:[a-z0-9_.]*[a-z0-9_])?)".to_owned(),
    ]
    .into_iter()
    .filter_map(|regex| Regex::new(&regex).ok())
    .collect()
});

static DOCUMENTS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        r"(?-u:\b)[0-9]{3}\.[0-9]{3}\.[0-9]{3}[-.]?[0-9]{2}(?-u:\b)",
        r"(?-u:\b)[0-9]{2}\.[0-9]{3}\.[0-9]{3}/?[0-9]{4}-?[0-9]{2}(?-u:\b)",
        r"(?-u:\b)[0-9]{2}\.[0-9]{3}\.[0-9]{3}-[[0-9]xX](?-u:\b)",
        r"\b\d{4}[ -]\d{4}[ -]\d{4}[ -]\d{4}\b",
        r"(?i)\b(?:cpf|rg|cnpj|cnh)\D{0,12}\d[\d.\-/ ]{5,}\d",
    ]
    .into_iter()
    .filter_map(|regex| Regex::new(regex).ok())
    .collect()
});

static DATE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^\s*(?:\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./]\d{4})\s*$").ok());
// A number's groups: blanks, dashes, dots and brackets between them, no more than three of these at once.
static DIGITS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\+?\(?\d(?:[\s.()\-–]{0,3}\d){7,15}").ok());

/// The contacts of a text, none within another.
pub(super) fn found(text: &str) -> Vec<Contact> {
    let mut out: Vec<Contact> = Vec::new();
    let links = if may_link(text) { LINKS.as_slice() } else { &[] };
    for regex in links {
        for groups in regex.captures_iter(text) {
            let Some(link) = groups.get(1).or_else(|| groups.get(0)) else { continue };
            add(&mut out, link.range(), ContactKind::Link, link_key(link.as_str()));
        }
    }
    let numbers = text.chars().filter(|c| c.is_numeric()).count() >= DIGITS_MIN
        && (has_digits(text, SUBSCRIBER_DIGITS) || Glance::at(text).may_hold(&NAMED));
    for document in DOCUMENTS.iter().filter(|_| numbers).flat_map(|regex| regex.find_iter(text)) {
        add(&mut out, document.range(), ContactKind::Document, digits_of(document.as_str()));
    }
    for number in DIGITS.iter().filter(|_| numbers).flat_map(|regex| regex.find_iter(text)) {
        if !DATE.as_ref().is_some_and(|date| date.is_match(number.as_str())) {
            add(&mut out, number.range(), ContactKind::Phone, digits_of(number.as_str()));
        }
    }
    for (range, digits) in spelled(text) {
        add(&mut out, range, ContactKind::Phone, digits);
    }
    out
}

/// How documents are named whose digits may stand far apart.
const NAMED: [&str; 4] = ["cpf", "rg", "cnpj", "cnh"];
/// Fewer digits are no document and no telephone number.
const DIGITS_MIN: usize = 6;

/// Whether a text holds what every link holds: the expressions are slow on accents, and most texts have none of it.
fn may_link(text: &str) -> bool {
    let low = text.to_ascii_lowercase();
    let signs = ["@", "http", "hxxp", "www", "arroba", "(at)", "[at]", "ponto", "dot"];
    let dotted = |pair: &[u8]| matches!(pair, [b'.', after] if after.is_ascii_alphanumeric());
    signs.iter().any(|sign| low.contains(sign)) || low.as_bytes().windows(2).any(dotted)
}

fn add(out: &mut Vec<Contact>, range: Range<usize>, kind: ContactKind, key: String) {
    let overlaps = out.iter().any(|one| one.range.start < range.end && range.start < one.range.end);
    if !overlaps && !range.is_empty() {
        out.push(Contact { range, kind, key });
    }
}

fn digits_of(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

fn link_key(link: &str) -> String {
    let folded =
        link.to_lowercase().replace(" arroba ", "@").replace("(at)", "@").replace("[at]", "@").replace(" ponto ", ".");
    let bare: String = folded.chars().filter(|c| !c.is_whitespace()).collect();
    let bare = bare.trim_end_matches(['.', '!', '?', ')', '/', ':', '*', '_', '"', '\'']);
    let bare = ["https://", "http://", "hxxps://", "hxxp://"]
        .iter()
        .find_map(|scheme| bare.strip_prefix(scheme))
        .unwrap_or(bare);
    bare.strip_prefix("www.").unwrap_or(bare).to_owned()
}

/// Eight digits or more in words: "nove oito sete …".
fn spelled(text: &str) -> Vec<(Range<usize>, String)> {
    let runs = letter_runs(text);
    let longest = runs.split(|run| !may_be_digit(text, run)).map(<[_]>::len).max();
    if longest.is_none_or(|longest| longest < SUBSCRIBER_DIGITS) {
        return Vec::new();
    }
    let digit_at = |run: Range<usize>| (run.clone(), digit(&fold(text.get(run).unwrap_or_default())));
    let words: Vec<(Range<usize>, Option<char>)> = runs.into_iter().map(digit_at).collect();
    let mut out = Vec::new();
    let mut run: Vec<(Range<usize>, char)> = Vec::new();
    for (range, digit) in words.into_iter().chain([(0..0, None)]) {
        match digit {
            Some(digit) => run.push((range, digit)),
            None => {
                if let (true, Some((first, _)), Some((last, _))) =
                    (run.len() >= SUBSCRIBER_DIGITS, run.first(), run.last())
                {
                    out.push((first.start..last.end, run.iter().map(|(_, digit)| *digit).collect()));
                }
                run.clear();
            }
        }
    }
    out
}

/// Whether a word begins like a digit's name, "meia" among them.
fn may_be_digit(text: &str, run: &Range<usize>) -> bool {
    let first = text.get(run.clone()).and_then(|word| word.chars().next());
    first.is_some_and(|c| {
        !c.is_ascii() || matches!(c.to_ascii_lowercase(), 'z' | 'm' | 'u' | 'd' | 't' | 'q' | 'c' | 's' | 'o' | 'n')
    })
}

/// Contacts that are in no fact and not the customer's own.
pub(super) fn check(text: &str, contacts: &[Contact], sentences: &[Sentence<'_>], ground: &Ground<'_>) -> Vec<Blocked> {
    let unknown = contacts.iter().filter(|contact| {
        let sentence = sentences.iter().find(|sentence| sentence.range.contains(&contact.range.start));
        let asked = sentence.is_none_or(Sentence::is_open);
        let by_customer = ground.customer_contacts().iter().any(|said| is_same(said, contact));
        // A customer's own document and number may be asked back; a link of theirs is never passed on.
        let repeated =
            by_customer && (asked && contact.kind == ContactKind::Phone || contact.kind == ContactKind::Document);
        !(repeated || is_own(contact, ground) || ground.contacts().any(|fact| is_same(fact, contact)))
    });
    let kind = |contact: &Contact| match contact.kind {
        ContactKind::Link => ClaimKind::Link,
        ContactKind::Phone => ClaimKind::Phone,
        ContactKind::Document => ClaimKind::OtherPerson,
    };
    unknown.map(|one| Blocked::new(kind(one), text.get(one.range.clone()).unwrap_or_default().trim())).collect()
}

fn is_own(contact: &Contact, ground: &Ground<'_>) -> bool {
    let own = ground.truths.own_phone.and_then(Phone::typed);
    let number = Phone::typed(&contact.key);
    contact.kind == ContactKind::Phone
        && own.zip(number).is_some_and(|(own, number)| own.person_key() == number.person_key())
}

fn is_same(fact: &Contact, said: &Contact) -> bool {
    if fact.kind == ContactKind::Link || said.kind == ContactKind::Link {
        // The address of a page is more than that of its site.
        let site = fact.key.split(['/', '?', '#']).next().unwrap_or_default();
        return fact.kind == said.kind && (fact.key == said.key || (said.key == site && !site.contains('@')));
    }
    let (a, b) = (fact.key.as_str(), said.key.as_str());
    let suffix =
        |digits: &str| digits.len().checked_sub(SUBSCRIBER_DIGITS).and_then(|at| digits.get(at..)).map(str::to_owned);
    // Where both say the area code, it must be the same: one number ends with the other.
    a == b
        || (suffix(a) == suffix(b)
            && suffix(a).is_some()
            && (a.ends_with(b) || b.ends_with(a) || national(a) == national(b)))
}

fn national(digits: &str) -> Option<String> {
    Phone::typed(digits).map(|phone| phone.person_key())
}
