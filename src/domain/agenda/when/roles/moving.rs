//! The old and the new time of an appointment that is moved.

use super::super::grammar::Mention;
use super::super::lex::Line;
use super::{Link, Placed, REACH, Role};

/// Which mentions of a move are the old time: those the text calls the appointment's, and all before the new one.
pub(super) fn moved(line: &Line, placed: &mut [Placed]) {
    let sides: Vec<Side> = placed.iter().map(|p| side(line, &p.mention)).collect();
    let first_new = sides.iter().position(|side| *side == Side::New);
    let first_likely = sides.iter().position(|side| *side == Side::Likely);
    for (index, (place, side)) in placed.iter_mut().zip(&sides).enumerate() {
        let before = |other: Option<usize>| other.is_some_and(|other| index < other);
        // "queria trocar sexta por sábado": what is wanted is the trade.
        let is_old = match side {
            Side::Old => true,
            Side::Likely => before(first_new),
            Side::Open => place.link == Link::Apart && (before(first_new) || before(first_likely)),
            Side::New => false,
        };
        if is_old && place.role != Role::Aside {
            place.role = Role::Old;
        }
        if *side == Side::New && place.role == Role::Aside {
            place.role = Role::Wanted;
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Old,
    /// Said with "para" or "por".
    New,
    /// Said with a verb of wishing.
    Likely,
    Open,
}

/// What says whose time follows: the one an appointment has, or the one it shall have.
fn said_side(word: &str) -> Option<Side> {
    Some(match word {
        "para" | "por" | "pelo" | "pela" => Side::New,
        "quero" | "queria" | "prefiro" | "falei" | "disse" | "pedi" | "consigo" | "posso" | "tem" | "teria"
        | "pode" | "poderia" | "fica" | "serve" | "antecipa" | "antecipar" | "remarca" | "remarcar" | "adia"
        | "adiar" | "combinei" | "combinamos" => Side::Likely,
        "era" | "estava" | "tenho" | "marcado" | "marcada" | "agendado" | "agendada" | "marquei" | "tinha"
        | "agendei" | "marcamos" | "antigo" | "vez" | "coloquei" | "inves" | "botou" | "colocou" | "marcou"
        | "anotou" | "botaram" | "colocaram" | "marcaram" | "apareceu" | "veio" | "lugar" | "previsto" | "prevista"
        | "botei" | "agendou" => Side::Old,
        _ => return None,
    })
}

/// Which side of a move a mention is on, by the words before it.
fn side(line: &Line, mention: &Mention) -> Side {
    let first = line.word(mention.start);
    // A mention may have taken "para" or "de" in as its first word.
    if matches!(first, "para" | "por") {
        return Side::New;
    }
    let of = |word: &str| matches!(word, "de" | "do" | "da" | "das" | "dos");
    // "algum dia da semana que vem" is no possessive.
    let counts = |at: Option<usize>| {
        at.is_some_and(|at| {
            line.is(at, &["dia", "dias", "comeco", "inicio", "final", "fim", "meio", "horario"])
                && line.is(at.wrapping_sub(1), &["qualquer", "algum", "outro", "um", "no", "em", "quaisquer"])
        })
    };
    let leads_to = |at: Option<usize>| at.is_some_and(|at| line.is(at, &["para", "pelo", "pela", "por"]));
    if of(first) && !is_part_of_day(line, mention) {
        let before = mention.start.checked_sub(1);
        return if leads_to(before) || counts(before) { Side::New } else { Side::Old };
    }
    let mut near = true;
    for back in 1..=REACH {
        let Some(at) =
            mention.start.checked_sub(back).filter(|at| !line.ends_sentence(*at) && !line.is_mark(*at, &[',']))
        else {
            break;
        };
        let word = line.word(at);
        // "não vai dar para ir dia 12": no target, but a purpose.
        let purpose = word == "para" && line.is(at + 1, &["ir", "vir", "chegar", "fazer", "estar", "comparecer"]);
        if let Some(side) = said_side(word).filter(|_| !purpose) {
            // "era para ser dia 13", "está marcada para quinta".
            if line.phrase(at, &["para", "ser"]).is_some() {
                return Side::New;
            }
            let before = at.checked_sub(1).map_or("", |at| line.word(at));
            let old = word == "para" && (said_side(before) == Some(Side::Old));
            return if old { Side::Old } else { side };
        }
        if near && of(word) {
            let before = at.checked_sub(1);
            return if leads_to(before) || counts(before) { Side::New } else { Side::Old };
        }
        near &=
            line.is(at, &["a", "o", "as", "os", "na", "no", "dia", "la", "umas", "proxima", "proximo", "essa", "esta"]);
    }
    Side::Open
}

/// "de manhã", "de tarde" are no possessives.
fn is_part_of_day(line: &Line, mention: &Mention) -> bool {
    line.is(mention.start + 1, &["manha", "tarde", "noite", "manhazinha", "tardinha", "cedo", "segunda"])
        && mention.day.is_none()
}
