//! Advice that is not the company's to give, promises and offers no fact makes, talk about the instruction.

use super::booking::{is_denied, is_denied_before};
use super::ground::Ground;
use super::lexicon::Sign;
use super::sentences::{Clause, Sentence};
use super::{Blocked, ClaimKind};
use crate::domain::text::reading::Hit;

/// Words behind "aceitamos" that are nothing anybody accepts.
const PLAIN: [&str; 66] = [
    "aos",
    "nos",
    "nas",
    "pelos",
    "pelas",
    "marcada",
    "marcado",
    "atendimento",
    "atendimentos",
    "consulta",
    "consultas",
    "domingo",
    "domingos",
    "sabado",
    "sabados",
    "segunda",
    "sexta",
    "feriado",
    "feriados",
    "prazer",
    "carinho",
    "possivel",
    "sim",
    "todos",
    "todas",
    "tudo",
    "os",
    "as",
    "o",
    "a",
    "um",
    "uma",
    "em",
    "com",
    "por",
    "para",
    "pelo",
    "pela",
    "seu",
    "sua",
    "seus",
    "suas",
    "de",
    "do",
    "da",
    "dos",
    "das",
    "no",
    "na",
    "tambem",
    "e",
    "ou",
    "so",
    "somente",
    "apenas",
    "esse",
    "essa",
    "voce",
    "aqui",
    "isso",
    "varios",
    "varias",
    "outros",
    "outras",
    "que",
    "hora",
];

pub(super) fn check(sentences: &[Sentence<'_>], ground: &Ground<'_>) -> Vec<Blocked> {
    let mut blocked = Vec::new();
    for sentence in sentences {
        for clause in &sentence.clauses {
            blocked.extend(claim(sentence, clause, Sign::Advice, ClaimKind::Advice, ground));
            blocked.extend(claim(sentence, clause, Sign::Promise, ClaimKind::Promise, ground));
            blocked.extend(instructions(clause));
            if !(sentence.question || sentence.looks_up()) {
                blocked.extend(accepted(clause, ground));
            }
        }
    }
    blocked
}

fn claim(
    sentence: &Sentence<'_>,
    clause: &Clause,
    sign: Sign,
    kind: ClaimKind,
    ground: &Ground<'_>,
) -> Option<Blocked> {
    let stands = |hit: &&Hit| {
        // "nossa equipe não pode indicar remédio": the denial may stand far before what is denied.
        let denied = is_denied_before(clause, hit, hit.start)
            || (0..hit.start).any(|at| clause.word(at) == "nao" && !is_idiom(clause, at));
        let quoted = ground.quotes(&clause.said(hit)) || pair_is_quoted(clause, hit, ground);
        !(sentence.question || denied || quoted || after_whether(clause, hit))
    };
    // What is denied by its own words ("não precisa de médico") is advice all the same.
    let own = |hit: &&Hit| clause.word(hit.start) == "nao" && !sentence.question && !ground.quotes(&clause.said(hit));
    let hit = clause.hits(sign).find(|hit| own(hit) || stands(hit))?;
    Some(Blocked::new(kind, clause.said(hit)))
}

fn is_idiom(clause: &Clause, at: usize) -> bool {
    clause.hits(Sign::NotDenying).any(|idiom| (idiom.start..idiom.end).contains(&at))
}

fn pair_is_quoted(clause: &Clause, hit: &Hit, ground: &Ground<'_>) -> bool {
    let word = clause.word(hit.start);
    hit.end - hit.start == 1
        && ground.knows(word)
        && hit.start.checked_sub(1).is_some_and(|at| ground.knows(clause.word(at)))
}

fn after_whether(clause: &Clause, hit: &Hit) -> bool {
    (hit.start.saturating_sub(2)..hit.start).any(|at| matches!(clause.word(at), "se" | "sobre"))
}

fn instructions(clause: &Clause) -> Option<Blocked> {
    let hit = clause.hits(Sign::Instructions).find(|hit| !is_denied(clause, hit))?;
    Some(Blocked::new(ClaimKind::PromptEcho, clause.said(hit)))
}

/// "Aceitamos Unimed", "trabalhamos com cheque", "fazemos implante": what follows is in the facts.
fn accepted(clause: &Clause, ground: &Ground<'_>) -> Option<Blocked> {
    let hit = clause.hits(Sign::Accepts).find(|hit| !after_whether(clause, hit))?;
    let own: Vec<&str> = (hit.end..clause.words().len())
        .map(|at| clause.word(at))
        .filter(|word| word.len() > 2 && !PLAIN.contains(word) && word.chars().all(char::is_alphabetic))
        .take(3)
        .collect();
    let unknown = !own.is_empty() && !own.iter().any(|word| ground.knows(word));
    unknown.then(|| Blocked::new(ClaimKind::Promise, format!("{} {}", clause.said(hit), own.join(" "))))
}
