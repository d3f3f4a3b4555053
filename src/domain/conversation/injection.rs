//! Does a message try to take the assistant over? One verdict per turn.
//!
//! The score looks for what attacks do, in Portuguese, Spanish and English: an order to drop the rules, a new role, fishing
//! for the instructions, forged markers of another speaker. A single suspicious word is no attack: a customer who types
//! "sistema" or "ignorar" is a customer. The verdict is a signal; the wall is that the model holds no power.

use std::sync::LazyLock;

use regex::Regex;
use unicode_normalization::UnicodeNormalization;

/// At this score a message is answered by a safe text and the model does not see it.
pub const THRESHOLD: f32 = 0.6;

/// A verdict.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// 0 = nothing suspicious, 1 = certain.
    pub score: f32,
}

impl Verdict {
    /// Whether the message is kept from the model.
    pub fn blocks(self) -> bool {
        self.score >= THRESHOLD
    }
}

struct Sign {
    weight: f32,
    pattern: Regex,
}

static SIGNS: LazyLock<Vec<Sign>> = LazyLock::new(|| {
    let rules = r"(instruc\w*|regras?|orientac\w*|diretrizes?|restric\w*|limitac\w*|prompt\w*|instructions?|rules?|guidelines?|restrictions?|reglas|instrucciones|indicaciones)";
    let yours = r"(anterior\w*|acima|antes|previas?|suas?|seu|sistema|todas?|todos?|previous|prior|above|all|your|system|tus?|previos)";
    let drop = r"(ignor\w*|esquec\w*|desconsider\w*|desobede\w*|anul\w*|descart\w*|burl\w*|pul[ae]\w*|forget|disregard|override|bypass|olvid\w*|omit\w*)";
    [
        (0.7, format!(r"\b{drop}\b.{{0,40}}\b{yours}\b.{{0,25}}\b{rules}\b")),
        (0.7, format!(r"\b{drop}\b.{{0,40}}\b{rules}\b.{{0,25}}\b{yours}\b")),
        (0.5, format!(r"\b{drop}\b.{{0,30}}\b{rules}\b")),
        (0.5, r"\b(voce agora e|agora voce e|a partir de agora voce|finja (ser|que voce)|aja como|atue como|assuma o papel|faca de conta que voce|you are now|act as|pretend (to be|you)|from now on you|ahora eres|actua como)\b".to_owned()),
        (0.5, r"\b(modo (desenvolvedor|dev|administrador|admin|root|debug|deus)|developer mode|god mode|jailbreak|sem (nenhum )?filtros?|sem (nenhuma )?(restric\w+|censura)|do anything now|\bdan\b mode)\b".to_owned()),
        (0.6, r"\b(mostr\w*|revel\w*|repit\w*|repet\w*|imprim\w*|exib\w*|diga|escrev\w*|cole|copi\w*|list\w*|traduz\w*|resum\w*|show|reveal|repeat|print|output|tell me|muestra\w*|revela\w*)\b.{0,40}\b(prompt|instruc\w*|instructions?|system message|mensagem (do|de) sistema|configurac\w* interna\w*|regras internas)\b".to_owned()),
        (0.4, r"\b(system|sistema|assistant|assistente|developer)\s*:".to_owned()),
        (0.6, r"(<\|?/?(system|im_start|im_end|assistant|instruc\w*)\|?>|\[/?inst\]|\[system\]|###\s*(system|instruc\w*|nova instruc\w*))".to_owned()),
        (0.3, r"\b(novas? (instruc\w*|regras?|ordens?)|new (instructions?|rules?)|nuevas (instrucciones|reglas))\b".to_owned()),
        (0.4, r"\b(senhas?|chaves? (de )?api|api[ _-]?keys?|tokens?|credenciais|passwords?)\b.{0,40}\b(sistema|servidor|admin\w*|interna\w*|system|server)\b".to_owned()),
    ]
    .into_iter()
    .filter_map(|(weight, pattern)| Some(Sign { weight, pattern: Regex::new(&pattern).ok()? }))
    .collect()
});

/// Judges a text. Independent signs add up as independent doubts: 1 − Π(1 − weight).
pub fn judge(text: &str) -> Verdict {
    let folded = fold(text);
    let clean =
        SIGNS.iter().filter(|sign| sign.pattern.is_match(&folded)).fold(1.0, |left, sign| left * (1.0 - sign.weight));
    Verdict { score: 1.0 - clean }
}

/// Lower case, compatibility forms (look-alike widths), no accents, single spaces.
fn fold(text: &str) -> String {
    let bare: String = text
        .nfkd()
        .filter(|c| !unicode_normalization::char::is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .collect();
    bare.split_whitespace().collect::<Vec<_>>().join(" ")
}
