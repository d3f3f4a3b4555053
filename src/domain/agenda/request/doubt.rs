//! Signs that a message is not meant for sure.

use super::super::when::Reading;
use super::super::when::lex::Line;
use crate::domain::conversation::intent::{Context, Intent};

/// Whether a careful person would ask back, whatever the time.
pub(super) fn is_doubtful(line: &Line, intent: Intent, context: Context, reading: &Reading) -> bool {
    let says_time = reading.sure().is_some();
    match intent {
        Intent::Affirm | Intent::Deny if context == Context::None && !says_time => is_bare(line),
        Intent::Deny if context == Context::Reminder => !says_time && is_bare(line),
        Intent::Affirm => is_hedged(line) || is_questioned(line),
        Intent::ConfirmPresence => is_hedged(line) || is_conditional(line),
        Intent::FollowUpPositive => is_hedged(line) || must_ask_first(line),
        Intent::AppointmentCancel => {
            is_half_meant(line)
                || is_conditional(line)
                || is_one_of_several(line)
                || (context == Context::Reminder && only_unable(line))
        }
        Intent::AppointmentReschedule => is_unsure_of_moving(line) || is_swap(line),
        Intent::AppointmentRequest => is_vague_hour(line),
        _ => false,
    }
}

fn any(line: &Line, phrases: &[&[&str]]) -> bool {
    (0..line.len()).any(|at| phrases.iter().any(|phrase| line.phrase(at, phrase).is_some()))
}

fn words(line: &Line) -> usize {
    (0..line.len()).filter(|at| !line.word(*at).is_empty()).count()
}

/// A yes or no and hardly more.
fn is_bare(line: &Line) -> bool {
    words(line) <= 2
        && (0..line.len()).any(|at| line.is(at, &["sim", "nao", "s", "ok", "pode", "quero", "isso", "claro", "n"]))
        && !any(line, &[&["obrigado"], &["obrigada"], &["precisa"]])
}

/// "acho que", "talvez", "se der": not a promise.
pub(super) fn is_hedged(line: &Line) -> bool {
    any(
        line,
        &[
            &["acho", "que"],
            &["talvez"],
            &["quem", "sabe"],
            &["nao", "sei", "se"],
            &["nao", "tenho", "certeza"],
            &["provavelmente"],
            &["se", "pa"],
            &["capaz", "que"],
            &["nao", "sei", "ainda"],
            &["ainda", "nao", "sei"],
            &["vou", "ver", "se"],
            &["pode", "ser", "que"],
            &["possivelmente"],
            &["to", "na", "duvida"],
            &["estou", "na", "duvida"],
            &["estou", "em", "duvida"],
            &["sei", "la"],
            &["creio", "que"],
            &["vou", "tentar"],
            &["depende"],
            &["qualquer", "coisa", "eu", "aviso"],
        ],
    ) && !any(
        line,
        &[
            &["acho", "que", "a"],
            &["acho", "que", "o"],
            &["acho", "que", "e"],
            &["acho", "que", "vou", "de"],
            &["acho", "que", "vou", "na"],
            &["acho", "que", "vou", "no"],
            &["acho", "que", "seria"],
            &["acho", "que", "prefiro"],
        ],
    )
}

/// "acho que não vou mais": not yet.
fn is_half_meant(line: &Line) -> bool {
    any(
        line,
        &[
            &["acho", "que", "vou"],
            &["acho", "que", "preciso"],
            &["acho", "que", "terei"],
            &["acho", "que", "nao"],
            &["talvez"],
            &["provavelmente"],
            &["pode", "ser", "que"],
            &["creio", "que"],
            &["acho", "melhor"],
            &["nao", "sei", "se"],
            &["to", "pensando"],
            &["estou", "pensando"],
        ],
    )
}

/// "sim?" is no yes.
fn is_questioned(line: &Line) -> bool {
    words(line) <= 2 && (0..line.len()).any(|at| line.mark(at) == Some('?'))
}

/// "se chover não vou", "se eu não chegar até 14h".
fn is_conditional(line: &Line) -> bool {
    (0..line.len()).any(|at| {
        line.word(at) == "se"
            && !line.is(at + 1, &["deus", "quiser", "possivel", "puder", "der", "poder", "cuida", "preocupe"])
            && (line.word(at + 1) != "nao" || !line.is(at + 2, &["me", "for", "der", "puder", "tiver", "houver"]))
            && !line.is(at.wrapping_sub(1), &["saber", "ver", "sei", "confirmar"])
    }) || any(line, &[&["caso"], &["a", "menos", "que"], &["a", "nao", "ser", "que"]])
}

/// "preciso combinar em casa primeiro".
fn must_ask_first(line: &Line) -> bool {
    any(
        line,
        &[
            &["que", "ver"],
            &["preciso", "ver"],
            &["vou", "ver"],
            &["vou", "falar", "com"],
            &["confirmar", "com"],
            &["ver", "com"],
            &["deixa", "eu", "ver"],
            &["vou", "pensar"],
            &["te", "aviso"],
        ],
    )
}

fn is_one_of_several(line: &Line) -> bool {
    any(
        line,
        &[&["um", "dos"], &["uma", "das"], &["um", "deles"], &["uma", "delas"], &["algum", "dos"], &["alguma", "das"]],
    )
}

/// Only says that it will not work out, without giving the appointment up: it may be moved.
fn only_unable(line: &Line) -> bool {
    let unable = any(
        line,
        &[
            &["nao", "consigo"],
            &["nao", "posso"],
            &["nao", "da"],
            &["nao", "vai", "dar"],
            &["nao", "vou", "conseguir"],
            &["nao", "vou", "poder"],
            &["nao", "rola"],
        ],
    );
    let given_up = any(line, &[&["cancel"], &["desmarc"], &["desconsider"], &["liber"]])
        || (0..line.len()).any(|at| {
            let word = line.word(at);
            ["cancel", "desmarc", "desconsid", "liber", "remarc", "desist", "dispens"]
                .iter()
                .any(|stem| word.starts_with(stem))
                || line.is(
                    at,
                    &["ir", "comparecer", "obrigado", "obrigada", "desculpa", "infelizmente", "viajando", "precisa"],
                )
        });
    unable && !given_up && words(line) <= 6
}

/// "será que é melhor mudar?"
fn is_unsure_of_moving(line: &Line) -> bool {
    any(
        line,
        &[
            &["sera", "que", "e", "melhor"],
            &["e", "melhor", "mudar"],
            &["melhor", "remarcar"],
            &["acho", "melhor"],
            &["precisa", "remarcar"],
        ],
    ) && (0..line.len()).any(|at| line.mark(at) == Some('?'))
        || (is_hedged(line) && !any(line, &[&["acho", "que", "vou", "ter", "que"], &["acho", "que", "da"]]))
}

/// Two appointments change places.
fn is_swap(line: &Line) -> bool {
    any(line, &[&["no", "horario", "do"], &["no", "horario", "da"], &["no", "lugar", "do"], &["no", "lugar", "da"]])
        && any(line, &[&["no", "meu"], &["no", "dela"], &["no", "dele"]])
}

/// "às 9 e alguma coisa": an hour that is none of those offered for sure.
pub(super) fn is_vague_hour(line: &Line) -> bool {
    any(line, &[&["e", "pouco"], &["e", "pouquinho"], &["e", "tanto"], &["e", "alguma", "coisa"], &["e", "pico"]])
}
