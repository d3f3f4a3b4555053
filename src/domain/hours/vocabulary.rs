//! The words of written opening hours, folded.

use super::days::DaySet;
use super::lex::Token;

/// Words that bind or adorn and say nothing of days or times.
pub(super) const NOISE: &[&str] = &[
    "de",
    "da",
    "do",
    "das",
    "dos",
    "em",
    "na",
    "no",
    "nas",
    "nos",
    "aos",
    "o",
    "os",
    "para",
    "pra",
    "pro",
    "por",
    "pela",
    "com",
    "um",
    "uma",
    "se",
    "que",
    "aberto",
    "aberta",
    "abertos",
    "abertas",
    "abre",
    "abrimos",
    "abertura",
    "funciona",
    "funcionamos",
    "funcionamento",
    "atende",
    "atendemos",
    "atendimento",
    "horario",
    "horarios",
    "expediente",
    "comercial",
    "somente",
    "so",
    "apenas",
    "tambem",
    "manha",
    "tarde",
    "noite",
    "madrugada",
    "periodo",
    "turno",
    "partir",
    "direto",
    "corrido",
    "hora",
    "horas",
    "nacionais",
    "nacional",
    "nosso",
    "nossa",
    "estamos",
    "feira",
    "feiras",
    "dia",
];
/// Not open.
pub(super) const CLOSED: &[&str] =
    &["fechado", "fechada", "fechados", "fechadas", "fecha", "fechamos", "folga", "fechar"];
/// The end of the open time, when a time follows.
pub(super) const ENDS: &[&str] = &["fecha", "fechamos", "encerra", "encerramos", "termina", "terminamos"];
/// A pause within the open time.
pub(super) const PAUSE: &[&str] = &["almoco", "intervalo", "pausa", "descanso", "intervalos"];
/// All but what follows.
pub(super) const EXCEPT: &[&str] = &["exceto", "menos", "salvo", "excecao", "fora", "excluindo"];
/// What is not done where "não" stands before.
pub(super) const SERVES: &[&str] = &[
    "abre",
    "abrimos",
    "abrem",
    "funciona",
    "funcionamos",
    "funcionam",
    "atende",
    "atendemos",
    "atendem",
    "ha",
    "tem",
    "temos",
];

/// Expressions of several words, longest first.
pub(super) const EXPRESSIONS: &[(&[&str], Token)] = &[
    (&["todos", "os", "dias", "da", "semana"], Token::Days(DaySet::WEEK)),
    (&["todos", "os", "dias"], Token::Days(DaySet::WEEK)),
    (&["todo", "santo", "dia"], Token::Days(DaySet::WEEK)),
    (&["todo", "dia"], Token::Days(DaySet::WEEK)),
    (&["o", "dia", "todo"], Token::AllDay),
    (&["o", "dia", "inteiro"], Token::AllDay),
    (&["dia", "inteiro"], Token::AllDay),
    (&["dias", "uteis"], Token::Days(DaySet::WORKDAYS)),
    (&["dia", "util"], Token::Days(DaySet::WORKDAYS)),
    (&["dias", "de", "semana"], Token::Days(DaySet::WORKDAYS)),
    (&["durante", "a", "semana"], Token::Days(DaySet::WORKDAYS)),
    (&["fim", "de", "semana"], Token::Days(DaySet::WEEKEND)),
    (&["fins", "de", "semana"], Token::Days(DaySet::WEEKEND)),
    (&["final", "de", "semana"], Token::Days(DaySet::WEEKEND)),
    (&["finais", "de", "semana"], Token::Days(DaySet::WEEKEND)),
    (&["meio", "dia"], Token::Time(12 * 60)),
    (&["meia", "noite"], Token::Time(24 * 60)),
];

/// The number of a weekday's name or abbreviation, from Monday.
pub(super) fn weekday(word: &str) -> Option<usize> {
    Some(match word {
        "seg" | "segunda" | "segundas" => 0,
        "ter" | "terca" | "tercas" => 1,
        "qua" | "quarta" | "quartas" => 2,
        "qui" | "quinta" | "quintas" => 3,
        "sex" | "sexta" | "sextas" => 4,
        "sab" | "sabado" | "sabados" => 5,
        "dom" | "domingo" | "domingos" => 6,
        _ => return None,
    })
}
