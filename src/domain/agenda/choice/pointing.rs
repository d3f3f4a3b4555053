//! Words that point into a list: "opção 2", "a primeira", "o último", "a do meio", "nenhuma", "qualquer uma".

use super::{Place, is_wordlike};
use crate::domain::agenda::when::lex::{Kind, Line};
use crate::domain::agenda::when::numbers::{ordinal, spelled};

/// A place of the list that was named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pointer {
    pub place: Place,
    /// The word is a weekday as well ("segunda").
    pub is_weekday: bool,
    /// "não a primeira".
    pub negated: bool,
    /// Comes after a word that takes back what was said before.
    pub corrects: bool,
}

/// What is not wanted at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    OtherDay,
    NoneFits,
    /// "não posso": none fits, when nothing else is said.
    Unable,
}

const NOUNS: [&str; 14] = [
    "opcao",
    "opcoes",
    "numero",
    "alternativa",
    "item",
    "op",
    "num",
    "nro",
    "numeros",
    "opc",
    "letra",
    "opsao",
    "nº",
    "n",
];

/// What may stand before a number of the list.
const LEADS: [&str; 34] = [
    "a", "o", "na", "no", "pela", "pelo", "seria", "escolho", "escolha", "quero", "fico", "vou", "ser", "prefiro",
    "de", "com", "e", "ou", "marca", "pega", "pego", "bota", "poe", "da", "do", "essa", "esse", "esta", "este",
    "fecha", "manda", "ficar", "prefere", "para",
];

/// All places of a list that a text names, in order, apart from the tokens that are covered by a time.
pub(super) fn places(line: &Line, covered: impl Fn(usize) -> bool, count: Option<usize>) -> Vec<Pointer> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < line.len() && found.len() < 8 {
        match pointer(line, at, &covered, count) {
            Some((pointer, next)) => {
                found.push(pointer);
                at = next.max(at + 1);
            }
            None => at += 1,
        }
    }
    found
}

fn pointer(line: &Line, at: usize, covered: &impl Fn(usize) -> bool, count: Option<usize>) -> Option<(Pointer, usize)> {
    let (place, next) = from_end(line, at)
        .or_else(|| middle(line, at, count))
        .or_else(|| by_ordinal(line, at, covered, count.is_none()))
        .or_else(|| if covered(at) { None } else { by_number(line, at) })?;
    let is_weekday = line.is(at, &["segunda", "terca", "quarta", "quinta", "sexta"])
        && !line.is(next.saturating_sub(1), &NOUNS)
        && covered(at);
    let negated = (1..=4)
        .map_while(|back| at.checked_sub(back))
        .take_while(|at| is_wordlike(line, *at))
        .any(|at| line.is(at, &["nao", "menos", "exceto", "nem", "tirando"]));
    let refused_after = line.word(next) == "nao" && !is_wordlike(line, next + 1) && line.mark(next + 1) != Some('?');
    let negated = negated || refused_after;
    let corrects = (1..=6).filter_map(|back| at.checked_sub(back)).any(|at| {
        line.is(
            at,
            &["digo", "alias", "pera", "perai", "ops", "minto", "melhor", "verdade", "desculpa", "errei", "espera"],
        ) || line.phrase(at, &["quer", "dizer"]).is_some()
            || (line.word(at) == "nao" && !is_wordlike(line, at + 1))
    });
    Some((Pointer { place, is_weekday, negated: negated && !corrects, corrects }, next))
}

/// "o último", "penúltima", "último mas um", "a de baixo".
fn from_end(line: &Line, at: usize) -> Option<(Place, usize)> {
    match line.word(at) {
        "ultimo" | "ultima" | "ultimos" | "ultimas" | "derradeiro" | "derradeira" => {
            if line.is(at + 1, &["vez", "consulta", "visita", "hora", "semana", "mes", "dia", "sessao"])
                && line.word(at + 1) != "dia"
            {
                return None;
            }
            let but_one =
                line.is(at + 1, &["mas", "menos", "exceto", "sem"]) && line.is(at + 2, &["um", "uma", "o", "a"]);
            Some((Place::FromEnd(1 + usize::from(but_one)), at + if but_one { 3 } else { 1 }))
        }
        "penultimo" | "penultima" | "penultimos" | "penultimas" => Some((Place::FromEnd(2), at + 1)),
        "antepenultimo" | "antepenultima" => Some((Place::FromEnd(3), at + 1)),
        "de" if line.word(at + 1) == "baixo" => Some((Place::FromEnd(1), at + 2)),
        "de" if line.word(at + 1) == "cima" => Some((Place::FromStart(1), at + 2)),
        _ => None,
    }
}

/// "a do meio" of an odd number of options.
fn middle(line: &Line, at: usize, count: Option<usize>) -> Option<(Place, usize)> {
    let next = line.phrase(at, &["do", "meio"]).or_else(|| line.phrase(at, &["de", "meio"]))?;
    let count = count.filter(|count| count % 2 == 1)?;
    let is_time = line.is(next, &["dia"]);
    (!is_time).then_some((Place::FromStart(count / 2 + 1), next))
}

/// Nouns an ordinal of the list may count; any other noun is something else.
const COUNTED: [&str; 14] = [
    "opcao",
    "alternativa",
    "horario",
    "data",
    "hora",
    "vaga",
    "sugestao",
    "escolha",
    "da",
    "de",
    "dessas",
    "desses",
    "msm",
    "mesmo",
];

fn by_ordinal(line: &Line, at: usize, covered: &impl Fn(usize) -> bool, any_list: bool) -> Option<(Place, usize)> {
    let (value, next) = ordinal(line, at)?;
    let is_weekday_word =
        line.is(at, &["segunda", "terca", "quarta", "quinta", "sexta", "segundas", "quintas", "sextas", "quartas"]);
    let before = at.checked_sub(1).map_or("", |at| line.word(at));
    if is_weekday_word && covered(at) {
        // "na segunda", "segunda-feira", "segunda 14h", "o da quinta" are weekdays.
        let prepositional =
            matches!(before, "na" | "da" | "de" | "para" | "essa" | "proxima" | "ate" | "toda" | "nessa" | "do");
        let feira = line.is(next, &["feira"]) || (line.mark(next) == Some('-') && line.is(next + 1, &["feira"]));
        let more = (next..next + 3).any(covered);
        if prepositional || feira || more {
            return None;
        }
    } else if covered(at) {
        return None;
    }
    let counts = line.is(next, &COUNTED);
    let next = if line.is(next, &NOUNS) { next + 1 } else { next };
    let ends = !is_wordlike(line, next) || counts;
    let led =
        matches!(before, "a" | "o" | "na" | "no" | "pela" | "pelo" | "as" | "os") || (any_list && before.is_empty());
    let value = usize::try_from(value).ok()?;
    (ends || led || line.is(next, &["por", "mesmo", "msm", "entao", "ta", "esta", "e", "ou", "serve", "pode", "para"]))
        .then_some((Place::FromStart(value), next))
}

fn by_number(line: &Line, at: usize) -> Option<(Place, usize)> {
    let before = at.checked_sub(1).map_or("", |at| line.word(at));
    let named = matches!(line.mark(at.wrapping_sub(1)), Some('#' | '°' | 'º')) || NOUNS.contains(&before);
    let (value, next) = match line.digits(at) {
        Some((value, digits)) if digits <= 2 => (value, at + 1),
        Some(_) => return None,
        None => spelled(line, at)?,
    };
    if value == 0 || line.is(at, &["meia"]) {
        return None;
    }
    let value = usize::try_from(value).ok()?;
    let place = (Place::FromStart(value), next);
    // "2 opção" is how "2ª opção" is typed; "3 opções" counts them.
    if named || line.is(next, &["opcao", "alternativa"]) {
        return Some(place);
    }
    let is_digit = line.digits(at).is_some();
    let article = line.is(at, &["um", "uma"]) && !is_alone(line, at, next);
    let noun = is_wordlike(line, next) && !line.is(next, &AFTER);
    let glued = is_wordlike(line, next) && line.glued(next);
    let broken = line.is_mark(next, &['/', ':', '%', '$']) && line.glued(next);
    let chooses = ["escolh", "selecion", "digit", "respond", "marqu", "opt", "apert", "clic", "pref", "fiq"]
        .iter()
        .any(|stem| before.starts_with(stem));
    let led = chooses || LEADS.contains(&before) || !at.checked_sub(1).is_some_and(|at| is_wordlike(line, at));
    let fits = led && !article && !noun && !glued && !broken;
    (fits && (is_digit || is_alone(line, at, next) || matches!(before, "a" | "o" | "na" | "no" | "seria" | "de")))
        .then_some(place)
}

/// What may follow a number of the list.
const AFTER: [&str; 34] = [
    "por", "para", "entao", "ta", "esta", "pode", "e", "ou", "mesmo", "obrigado", "obrigada", "moca", "moco", "otimo",
    "bom", "serve", "que", "ai", "sim", "ok", "please", "da", "ne", "seria", "vlw", "valeu", "fica", "fechado",
    "perfeito", "nao", "melhor", "se", "mas", "vou",
];

/// Whether nothing but small words and courtesy stands around.
fn is_alone(line: &Line, start: usize, end: usize) -> bool {
    let small = |at: usize| {
        !is_wordlike(line, at)
            || line.is(at, &LEADS)
            || line.is(at, &AFTER)
            || line
                .is(at, &["oi", "ola", "dia", "boa", "tarde", "noite", "acho", "eu", "favor", "pode", "opa", "entao"])
    };
    (0..start).all(small) && (end..line.len()).all(small)
}

/// The number that is all a message says.
pub(super) fn lone_number(line: &Line) -> Option<usize> {
    let mut numbers = (0..line.len()).filter(|at| is_wordlike(line, *at));
    let at = numbers.next()?;
    let (value, 1 | 2) = line.digits(at)? else { return None };
    let rest_is_marks = numbers.next().is_none();
    rest_is_marks.then(|| usize::try_from(value).ok()).flatten()
}

/// "nenhum desses", "outro dia".
pub(super) fn refusal(line: &Line) -> Option<Refusal> {
    const OTHER_NOUNS: [&str; 9] = ["dia", "data", "semana", "dias", "datas", "semanas", "mes", "ocasiao", "opcao"];
    for at in 0..line.len() {
        if line.is(at, &["outro", "outra", "outros", "outras"]) && line.is(at + 1, &OTHER_NOUNS) {
            let is_day = line.word(at + 1) != "opcao";
            return Some(if is_day { Refusal::OtherDay } else { Refusal::NoneFits });
        }
        let none = line.is(at, &["nenhum", "nenhuma", "nenhuns"]) && !line.is(at + 1, &["problema", "pessoa"]);
        let other_hour = line.is(at, &["outro", "outros"]) && line.is(at + 1, &["horario", "horarios"]);
        let not_these = line.word(at) == "nao"
            && (1..=4).any(|ahead| {
                line.is(
                    at + ahead,
                    &["nesses", "desses", "esses", "essas", "nessas", "dessas", "neles", "nesse", "nessa"],
                )
            });
        let these_not = line.is(at, &["esses", "essas", "nesses", "nessas", "desses", "dessas", "estes"])
            && (1..=3).any(|ahead| {
                line.word(at + ahead) == "nao"
                    && line.is(
                        at + ahead + 1,
                        &[
                            "da",
                            "dao",
                            "posso",
                            "consigo",
                            "serve",
                            "servem",
                            "rola",
                            "funciona",
                            "funcionam",
                            "batem",
                            "encaixam",
                            "combinam",
                        ],
                    )
            });
        let compared = line.is(at, &["mais"]) && line.is(at + 1, &["cedo", "tarde"]) && asks_for_more(line, at);
        let unable = line.word(at) == "nao"
            && line.is(at + 1, &["posso", "consigo", "da", "rola", "serve", "servem", "quero"])
            && !is_wordlike(line, at + 2);
        if unable {
            return Some(Refusal::Unable);
        }
        if none || other_hour || not_these || these_not || compared {
            return Some(Refusal::NoneFits);
        }
    }
    None
}

/// "tem mais cedo?", "só mais tarde": earlier or later than anything on offer.
fn asks_for_more(line: &Line, at: usize) -> bool {
    let before = at.checked_sub(1).map_or("", |at| line.word(at));
    let second = at.checked_sub(2).map_or("", |at| line.word(at));
    (matches!(before, "tem" | "teria" | "so" | "algo" | "algum" | "nada") || second == "tem" && before == "nada")
        && !line.is(at + 2, &["dos", "desses", "das", "dessas"])
}

/// "qualquer uma", "tanto faz", "o que você preferir".
pub(super) fn takes_any(line: &Line) -> bool {
    (0..line.len()).any(|at| {
        let any = line.is(at, &["qualquer", "quaisquer"]);
        let same = line.phrase(at, &["tanto", "faz"]).or_else(|| line.phrase(at, &["para", "mim", "tanto"])).is_some();
        let yours = line.is(at, &["preferir", "preferirem", "escolhe", "escolher", "melhor"])
            && (at.saturating_sub(3)..at + 4).any(|at| line.is(at, &["voce", "voces", "senhora", "doutora", "doutor"]));
        let all = line.is(at, &["todas", "todos"]) && line.is(at + 1, &["servem", "serve"]);
        let can = line.is(at, &["todos", "ambos", "ambas"])
            && (at + 1..at + 4).any(|at| line.is(at, &["servem", "da", "dao", "pode"]));
        any || same || yours || all || can
    })
}

/// The earliest (`false`) or the latest (`true`) is wanted.
pub(super) fn extreme(line: &Line) -> Option<bool> {
    (0..line.len()).find_map(|at| {
        if let Some(next) = line.phrase(at, &["quanto", "antes"]).or_else(|| line.phrase(at, &["mais", "rapido"])) {
            return (next > 0).then_some(false);
        }
        let word = match line.word(at) {
            "mais" => at + 1,
            _ => return None,
        };
        let latest = match line.word(word) {
            "cedo" | "proximo" | "perto" | "proxima" | "breve" | "antes" => false,
            "tarde" | "longe" | "distante" => true,
            _ => return None,
        };
        let before = at.checked_sub(1).map_or("", |at| line.word(at));
        let superlative =
            matches!(before, "o" | "a" | "for" | "horario" | "opcao" | "seja" | "e" | "fica" | "no" | "na")
                || line.is(word + 1, &["possivel", "que", "dos", "desses", "das", "dessas"]);
        superlative.then_some(latest)
    })
}

/// A yes that names nothing.
pub(super) fn agrees(line: &Line) -> bool {
    if (0..line.len()).any(|at| line.is(at, &["outro", "outra"]) && !is_wordlike(line, at + 1)) {
        return true;
    }
    const YES: [&str; 30] = [
        "sim",
        "ok",
        "pode",
        "ser",
        "beleza",
        "claro",
        "fechado",
        "isso",
        "certo",
        "bora",
        "confirmado",
        "confirmo",
        "perfeito",
        "otimo",
        "quero",
        "combinado",
        "show",
        "marca",
        "aceito",
        "blz",
        "s",
        "uhum",
        "aham",
        "bom",
        "serve",
        "esse",
        "essa",
        "da",
        "vamos",
        "marcar",
    ];
    let thumbs = |at: usize| {
        line.token(at).is_some_and(|t| {
            t.kind == Kind::Emoji && matches!(t.text.as_str(), "👍" | "👌" | "✅" | "🤝" | "🙌" | "👏")
        })
    };
    (0..line.len()).any(|at| line.is(at, &YES) || thumbs(at)) && !(0..line.len()).any(|at| line.is(at, &["nao"]))
}
