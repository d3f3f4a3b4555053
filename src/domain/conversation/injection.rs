//! Does a message try to take the assistant over? One verdict per turn.
//!
//! The score looks for what attacks do, in Portuguese, Spanish and English: orders to drop the rules, a new role, fishing
//! for the instructions, forged voices and syntax, orders to hand out data, pretexts, and disguises of any of these. A
//! single suspicious word is no attack: a customer who types "sistema" or "ignorar" is a customer. The verdict is a
//! signal; the wall is that the model holds no power.
//!
//! A text is read in up to five ways: as it stands, each word and the whole backwards, moved along the alphabet, with
//! encoded parts decoded. Each way looks for phrases of the lexicon close to each other; the strongest sign of a
//! [`Reason`] counts, and reasons add up as independent doubts: 1 − Π(1 − weight).

mod decode;
mod letters;
mod lexicon;
mod markers;
mod reading;
mod rules;

pub use lexicon::{LexiconError, check, check_phrases};

use crate::domain::unicode::{is_emoji_glue, is_ordinary, without_invisible};

/// From here on a message is suspicious: whatever a model is to see of it stands apart as somebody's words, and what
/// the model answers is trusted less.
pub const SUSPICIOUS: f32 = 0.3;
/// From here on a message is answered by a safe text and the model does not see it, now or later.
pub const THRESHOLD: f32 = 0.5;

/// Letters from which on an encoded text is no accident.
const SENTENCE_LETTERS: usize = 12;
/// Encodings inside encodings that are followed.
const DEPTH_MAX: usize = 2;

/// Why a message is suspicious.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Reason {
    /// An order to ignore, forget or lift the rules.
    DropsRules,
    /// A new role or identity for the assistant.
    TakesRole,
    /// The assistant is declared free of limits, or forbidden to refuse.
    LiftsLimits,
    /// A mode for developers, administrators or "anything" is switched on.
    UnlocksMode,
    /// The assistant's own instructions are asked for.
    FishesPrompt,
    /// A detour (translation, repetition, story, decoding, form of the answer) to what is not said directly.
    Pretext,
    /// The writer claims a rank or rights.
    ClaimsRank,
    /// Lines in another's name, or one text that pretends to end and another to begin.
    ForgedVoice,
    /// Signs of a language model's wire, or a call of a tool.
    ForgedSyntax,
    /// Secrets or other people's data are to be handed out.
    Exfiltrates,
    /// Code, commands or the wiping of data.
    OrdersMachine,
    /// Words of an attack hidden by look-alike letters, digits, blanks, direction, cipher or encoding.
    Disguised,
}

impl Reason {
    /// All reasons.
    pub const ALL: [Self; 12] = [
        Self::DropsRules,
        Self::TakesRole,
        Self::LiftsLimits,
        Self::UnlocksMode,
        Self::FishesPrompt,
        Self::Pretext,
        Self::ClaimsRank,
        Self::ForgedVoice,
        Self::ForgedSyntax,
        Self::Exfiltrates,
        Self::OrdersMachine,
        Self::Disguised,
    ];

    /// A stable name for records.
    pub fn name(self) -> &'static str {
        match self {
            Self::DropsRules => "drops_rules",
            Self::TakesRole => "takes_role",
            Self::LiftsLimits => "lifts_limits",
            Self::UnlocksMode => "unlocks_mode",
            Self::FishesPrompt => "fishes_prompt",
            Self::Pretext => "pretext",
            Self::ClaimsRank => "claims_rank",
            Self::ForgedVoice => "forged_voice",
            Self::ForgedSyntax => "forged_syntax",
            Self::Exfiltrates => "exfiltrates",
            Self::OrdersMachine => "orders_machine",
            Self::Disguised => "disguised",
        }
    }
}

/// A verdict.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// 0 = nothing suspicious (exactly), 1 = certain.
    pub score: f32,
    reasons: u16,
}

impl Verdict {
    /// Whether the message is kept from the model: a score of [`THRESHOLD`] or more.
    pub fn blocks(self) -> bool {
        self.score >= THRESHOLD
    }

    /// Whether the message is to be handled with care: a score of [`SUSPICIOUS`] or more.
    pub fn is_suspicious(self) -> bool {
        self.score >= SUSPICIOUS
    }

    /// What speaks against the message; empty exactly when the score is 0.
    pub fn reasons(self) -> impl Iterator<Item = Reason> {
        Reason::ALL.into_iter().filter(move |reason| self.reasons & (1 << (*reason as u8)) != 0)
    }
}

/// The strongest sign found of each reason.
#[derive(Default)]
struct Signs([f32; Reason::ALL.len()]);

impl Signs {
    fn add(&mut self, reason: Reason, weight: f32) {
        if let Some(strongest) = self.0.get_mut(usize::from(reason as u8)) {
            *strongest = strongest.max(weight);
        }
    }

    fn verdict(&self) -> Verdict {
        let clean: f32 = self.0.iter().map(|weight| 1.0 - weight).product();
        let reasons = self.0.iter().enumerate().filter(|(_, weight)| **weight > 0.0);
        Verdict { score: 1.0 - clean, reasons: reasons.fold(0, |all, (at, _)| all | (1 << at)) }
    }
}

/// Judges a text. Invisible characters change nothing.
pub fn judge(text: &str) -> Verdict {
    let mut signs = Signs::default();
    if text.chars().all(|c| c == '\n' || is_ordinary(c)) {
        // Nothing invisible, no blank but the plain one, no part of an emoji.
        look(text, 0, &mut signs);
    } else {
        look(&visible(text), 0, &mut signs);
    }
    signs.verdict()
}

/// What can be seen of a text, its blanks plain.
fn visible(text: &str) -> String {
    let spaced: String = text.chars().map(plain_blank).collect();
    let mut visible = without_invisible(&spaced);
    // Parts of emoji are nothing to read, and one of them may follow a digit or a "#" unseen.
    visible.retain(|c| !is_emoji_glue(c));
    visible
}

/// Blanks of all kinds as blanks, since some of them count as invisible.
fn plain_blank(c: char) -> char {
    match c {
        '\n' | '\r' | '\u{2028}' | '\u{2029}' | '\u{85}' => '\n',
        _ if c.is_whitespace() => ' ',
        _ => c,
    }
}

fn look(text: &str, depth: usize, signs: &mut Signs) {
    let lexicon = lexicon::lexicon();
    let mut tell = |reason, weight| signs.add(reason, weight);
    markers::scan(text, lexicon, &mut tell);
    let words = reading::read(text, lexicon);
    rules::judge(&words, false, lexicon, &mut tell);
    for turned in reading::mirrored(&words, lexicon).into_iter().flatten() {
        rules::judge(&turned, true, lexicon, &mut tell);
    }
    if let Some(moved) = reading::unshifted(&words, lexicon) {
        rules::judge(&moved, true, lexicon, &mut tell);
    }
    if depth < DEPTH_MAX {
        for hidden in decode::hidden_texts(text) {
            let mut inner = Signs::default();
            look(&hidden, depth + 1, &mut inner);
            // Nobody encodes an order by chance, and hardly anybody a sentence.
            if inner.verdict().score > 0.0 {
                inner.add(Reason::Disguised, 0.7);
            } else if hidden.chars().filter(|c| c.is_alphabetic()).count() >= SENTENCE_LETTERS {
                inner.add(Reason::Disguised, 0.35);
            }
            for (reason, weight) in Reason::ALL.into_iter().zip(inner.0) {
                signs.add(reason, weight);
            }
        }
    }
}
