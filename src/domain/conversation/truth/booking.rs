//! "Marcado", "cancelei", "te espero amanhã": whether it was done, and not only said.

use super::ground::Ground;
use super::lexicon::Sign;
use super::sentences::{Clause, Sentence};
use super::times::fits_any;
use super::{Blocked, ClaimKind, Effect};
use crate::domain::agenda::when::mentioned;
use crate::domain::text::reading::Hit;
use crate::domain::text::tokens::Kind;

/// How far before a claim a word may stand that takes it back, in words.
const REACH: usize = 5;

/// What is said to have happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Book,
    Cancel,
    Move,
    Confirm,
    /// No effect of ours can be behind it.
    Other,
}

/// The signs, what they claim, and whether it is told as done ("marquei"), which no question mark takes back.
const CLAIMS: [(Sign, Deed, bool); 9] = [
    (Sign::DidBook, Deed::Book, true),
    (Sign::DidCancel, Deed::Cancel, true),
    (Sign::DidMove, Deed::Move, true),
    (Sign::DidConfirm, Deed::Confirm, true),
    (Sign::DidOther, Deed::Other, true),
    (Sign::IsBooked, Deed::Book, false),
    (Sign::IsCancelled, Deed::Cancel, false),
    (Sign::IsMoved, Deed::Move, false),
    (Sign::IsConfirmed, Deed::Confirm, false),
];

/// A claim of a sentence that stands.
struct Claim {
    deed: Deed,
    firm: bool,
    said: String,
}

/// Claims without anything behind them.
pub(super) fn check(sentences: &[Sentence<'_>], ground: &Ground<'_>) -> Vec<Blocked> {
    let mut blocked = Vec::new();
    for (at, sentence) in sentences.iter().enumerate() {
        let unproven = claims(sentence, ground).into_iter().find(|claim| !is_proven(claim, sentence, ground));
        let unproven = unproven.map(|claim| claim.said).or_else(|| owned(sentence, ground));
        let rest = sentences.get(at + 1..).unwrap_or_default();
        let unproven = unproven.or_else(|| completed(sentence, rest, ground));
        blocked.extend(unproven.map(|said| Blocked::new(ClaimKind::Booking, said)));
    }
    blocked
}

/// Whether a sentence claims anything about this customer's appointments, proven or not.
pub(super) fn claims_agenda(sentence: &Sentence<'_>, ground: &Ground<'_>) -> bool {
    !claims(sentence, ground).is_empty() || owns(sentence).is_some_and(|(_, denied)| !denied)
}

/// Whether a sentence says that something is not booked, cancelled or moved.
pub(super) fn denies(sentence: &Sentence<'_>) -> bool {
    sentence
        .clauses
        .iter()
        .any(|clause| CLAIMS.iter().any(|(sign, ..)| clause.hits(*sign).any(|hit| is_denied(clause, hit))))
}

fn claims(sentence: &Sentence<'_>, ground: &Ground<'_>) -> Vec<Claim> {
    let mut out = Vec::new();
    for (at, clause) in sentence.clauses.iter().enumerate() {
        for (sign, deed, firm) in CLAIMS {
            for hit in clause.hits(sign) {
                let stands = !is_denied(clause, hit)
                    && (firm && !is_after_if(clause, hit) || !firm && is_stated(sentence, at, clause, hit, ground));
                if stands && !asks_the_team(deed, clause, hit) {
                    out.push(Claim { deed, firm, said: clause.said(hit) });
                }
            }
        }
    }
    out
}

/// Whether a state is told as a fact: not asked, under no condition, and no rule of the house.
fn is_stated(sentence: &Sentence<'_>, at: usize, clause: &Clause, hit: &Hit, ground: &Ground<'_>) -> bool {
    let is_last = at + 1 == sentence.clauses.len();
    let asked = sentence.question && is_last && !ends_with_tag(clause);
    !(asked || is_conditional(sentence, at, clause, hit) || is_custom(clause, hit) || is_quoted(clause, hit, ground))
}

/// "Está marcado amanhã às 15h ok?" says it all the same.
fn ends_with_tag(clause: &Clause) -> bool {
    let count = clause.words().len();
    let tags = ["ok", "okay", "certo", "ta", "esta", "ne", "combinado", "beleza", "viu", "bom"];
    count > 2 && clause.words().last().is_some_and(|word| tags.contains(&word.text.as_str()))
}

/// Whether a word before a hit, or between its words, denies it.
pub(super) fn is_denied(clause: &Clause, hit: &Hit) -> bool {
    is_denied_before(clause, hit, hit.end)
}

/// Whether a word in the reach before `end` denies a hit. What is an offer by its own "sem" or "não" ("sem juros") is
/// denied only by what stands before it.
pub(super) fn is_denied_before(clause: &Clause, hit: &Hit, end: usize) -> bool {
    let harmless = |at: usize| clause.hits(Sign::NotDenying).any(|idiom| (idiom.start..idiom.end).contains(&at));
    for at in (hit.start.saturating_sub(REACH)..end).rev() {
        match clause.word(at) {
            "nao" | "nem" | "nunca" | "jamais" | "nenhum" | "nenhuma" | "nada" | "tampouco" | "sem"
                if !harmless(at) =>
            {
                return true;
            }
            // "não há custo e está marcado": another statement begins. "não é garantido": "é" is no "e".
            "e" if !matches!(clause.word(at.wrapping_sub(1)), "nao" | "nem" | "nunca" | "nada") && at < hit.start => {
                return false;
            }
            "ja" | "que" | "pois" | "porque" if at < hit.start => return false,
            _ => {}
        }
    }
    false
}

fn is_after_if(clause: &Clause, hit: &Hit) -> bool {
    (hit.start.saturating_sub(3)..hit.start).any(|at| matches!(clause.word(at), "se" | "caso"))
}

/// "Se a equipe aprovar, fica marcado", "só é confirmado depois do pagamento", "para deixar marcado, preciso …".
fn is_conditional(sentence: &Sentence<'_>, at: usize, clause: &Clause, hit: &Hit) -> bool {
    let begins = |clause: &Clause, at: usize| match clause.word(at) {
        "se" | "caso" | "quando" | "apos" | "mediante" | "enquanto" => true,
        "assim" | "logo" | "depois" | "antes" | "ate" => {
            matches!(clause.word(at + 1), "que" | "de" | "da" | "do" | "a" | "o")
        }
        _ => false,
    };
    let relative_day = |at: usize| clause.word(at + 1) == "de" && clause.word(at + 2) == "amanha";
    let here = (0..clause.words().len())
        .filter(|at| !(hit.start..hit.end).contains(at))
        .any(|at| begins(clause, at) && !relative_day(at) || matches!(clause.word(at), "so" | "somente" | "apenas"));
    let deed_at = (hit.start..hit.end).rev().find(|at| !clause.word(*at).is_empty()).unwrap_or(hit.start);
    let helper = deed_at.checked_sub(1).map_or("", |at| clause.word(at));
    let promise = deed_at.checked_sub(2).map_or("", |at| clause.word(at));
    let infinitive = matches!(helper, "ser" | "estar" | "ficar" | "deixar" | "ter" | "serem" | "estarem")
        && !matches!(promise, "vou" | "irei" | "vai" | "te" | "ja");
    let names_time = clause.words().iter().any(|word| matches!(word.kind, Kind::Clock | Kind::Date));
    let before = at.checked_sub(1).and_then(|at| sentence.clauses.get(at));
    let after_condition = before.is_some_and(|before| begins(before, 0) && !relative_day(0)) && !names_time;
    infinitive || (!clause.has_word(&["ja"]) && (here || after_condition))
}

/// "Atendemos com hora marcada", "consultas canceladas sem aviso são cobradas": how things are done here.
fn is_custom(clause: &Clause, hit: &Hit) -> bool {
    let deed_at = hit.end.saturating_sub(1);
    let before = |n: usize| deed_at.checked_sub(n).map_or("", |at| clause.word(at));
    let with_hour = matches!(before(1), "hora" | "horario" | "consulta" | "atendimento")
        && matches!(before(2), "com" | "por" | "de" | "sem")
        && !matches!(before(3), "esta" | "voce" | "ficou" | "fica" | "ja");
    let addressed =
        clause.has_word(&["voce", "sua", "seu", "suas", "seus", "te", "lhe", "estao", "ja", "foram", "ficaram"]);
    let named_time = clause.words().iter().any(|word| matches!(word.kind, Kind::Clock | Kind::Date));
    let plural = clause.word(deed_at).ends_with("dos") || clause.word(deed_at).ends_with("das");
    with_hour || (plural && !addressed && !named_time)
}

fn is_quoted(clause: &Clause, hit: &Hit, ground: &Ground<'_>) -> bool {
    let at = hit.end.saturating_sub(1);
    let words = |from: usize, until: usize| {
        let words: Vec<&str> = (from..until).map(|at| clause.word(at)).collect();
        words.join(" ")
    };
    let pair = at > 0 && ground.quotes(&words(at - 1, at + 1));
    pair || (at + 1 < clause.words().len() && ground.quotes(&words(at, at + 2)))
}

/// "Vou confirmar seu horário com a equipe" confirms nothing yet.
fn asks_the_team(deed: Deed, clause: &Clause, hit: &Hit) -> bool {
    let team =
        ["equipe", "recepcao", "doutora", "doutor", "medico", "medica", "pessoal", "responsavel", "profissional"];
    let after = (hit.start..clause.words().len()).any(|at| team.contains(&clause.word(at)));
    deed == Deed::Confirm && after && clause.has_word(&["com", "junto"]) && clause.has(Sign::LookUp)
}

fn is_proven(claim: &Claim, sentence: &Sentence<'_>, ground: &Ground<'_>) -> bool {
    let by_effect = ground.truths.effects.iter().any(|effect| match claim.deed {
        Deed::Book | Deed::Confirm => !matches!(effect, Effect::Cancelled { .. }),
        Deed::Cancel => matches!(effect, Effect::Cancelled { .. } | Effect::Rescheduled { .. }),
        Deed::Move => matches!(effect, Effect::Rescheduled { .. }),
        Deed::Other => false,
    });
    if by_effect {
        return true;
    }
    // "Sua consulta está marcada para amanhã às 15h": it is, when there is one then.
    let mentions = mentioned(sentence.text, ground.truths.now);
    let state = !claim.firm && claim.deed == Deed::Book;
    state && !mentions.is_empty() && fits_any(&mentions, ground.truths.appointments)
}

/// An appointment that is said to exist; the bool tells that it is said not to.
fn owns(sentence: &Sentence<'_>) -> Option<(String, bool)> {
    if sentence.question {
        return None;
    }
    sentence.clauses.iter().find_map(|clause| {
        let hit = clause.hits(Sign::Owns).next().filter(|hit| !is_after_if(clause, hit))?;
        Some((clause.said(hit), is_denied(clause, hit)))
    })
}

fn owned(sentence: &Sentence<'_>, ground: &Ground<'_>) -> Option<String> {
    let (said, denied) = owns(sentence)?;
    let mentions = mentioned(sentence.text, ground.truths.now);
    let agenda = ground.agenda();
    let wrong = match (denied, mentions.is_empty()) {
        (true, true) => !ground.truths.appointments.is_empty(),
        (true, false) => fits_any(&mentions, ground.truths.appointments),
        (false, true) => agenda.is_empty(),
        (false, false) => !fits_any(&mentions, &agenda),
    };
    (wrong && !sentence.looks_up()).then_some(said)
}

/// "Prontinho!" to whoever asked for an appointment says that it is made.
fn completed(sentence: &Sentence<'_>, rest: &[Sentence<'_>], ground: &Ground<'_>) -> Option<String> {
    if sentence.question || !ground.truths.effects.is_empty() {
        return None;
    }
    // "Combinado! Qual dia prefere?" has done nothing yet; "Posso ajudar em algo mais?" is said when all is done.
    let farewell = |sentence: &Sentence<'_>| sentence.words().any(|word| matches!(word, "mais" | "ajudar" | "ajudo"));
    if rest.iter().any(|sentence| sentence.question && !farewell(sentence)) || sentence.looks_up() {
        return None;
    }
    let clause = sentence.clauses.iter().find(|clause| clause.has(Sign::Completed))?;
    let hit = clause.hits(Sign::Completed).next().filter(|hit| !is_denied(clause, hit))?;
    // "Combinado!" agrees to whatever was said; "feito" is always a deed.
    let is_deed = matches!(clause.word(hit.start), "feito" | "prontinho" | "prontinha");
    if !is_deed && !ground.asked_for_agenda() {
        return None;
    }
    // "Até lá!" is said well to whoever has an appointment.
    let is_farewell = clause.word(hit.start) == "ate" && !ground.agenda().is_empty();
    (!is_farewell).then(|| clause.said(hit))
}
