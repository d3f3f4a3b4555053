//! The words around a time that tell its role.

use super::Role;
use crate::domain::agenda::when::grammar::Mention;
use crate::domain::agenda::when::lex::Line;
use crate::domain::agenda::when::{Frame, Purpose};

/// How far before a time its verb is looked for, in tokens.
const REACH: usize = 9;
/// How far behind it.
const REACH_AFTER: usize = 5;

/// A negated one of these refuses what follows.
const REFUSING_VERBS: [&str; 34] = [
    "posso", "consigo", "quero", "vou", "podemos", "conseguimos", "vai", "pode", "da", "seja", "e", "era", "foi",
    "serve", "quer", "gosto", "trabalho", "poderei", "dou", "rola", "podia", "queria", "queremos", "estou", "estarei",
    "vamos", "ser", "disse", "falei", "pedi", "marquei", "tenho", "consegue", "conseguiria",
];
/// What a company is asked with: negated it is a polite question, not a refusal.
const ASKING_VERBS: [&str; 14] = [
    "tem", "teria", "ha", "haveria", "consegue", "conseguiria", "conseguem", "sobrou", "abriu", "daria", "poderia", "tinha",
    "teriam", "vaga",
];
/// Somebody's own plans.
const OWN_PLANS: [&str; 44] = [
    "saio", "chego", "volto", "viajo", "viajando", "viajei", "trabalho", "casamento", "formatura", "aniversario", "prova",
    "provas", "aula", "aulas", "festa", "viagem", "voo", "recebo", "nasci", "nasceu", "desde", "plantao", "trabalhar",
    "entro", "largo", "saindo", "trabalhando", "ferias", "batizado", "casar", "caso", "viajar", "abre", "abrem", "fecha", "fecham", "funciona",
    "funcionam", "abertos", "aberto", "folga", "batismo", "ensaio", "almoco",
];
/// Events: the time is theirs even when no other is named.
const EVENTS: [&str; 16] = [
    "casamento", "formatura", "aniversario", "prova", "provas", "aula", "festa", "voo", "nasci", "nasceu", "desde", "batizado",
    "casar", "caso", "batismo", "saio",
];
/// Where the wish stands.
const WANTING: [&str; 66] = [
    "queria", "quero", "gostaria", "prefiro", "preferencia", "preferia", "pode", "poderia", "podia", "joga", "jogar", "passa", "passar",
    "marca", "marcar", "agenda", "agendar", "consegue", "conseguem", "conseguiria", "tem", "teria", "teriam", "vaga", "vaguinha",
    "encaixe", "encaixa", "encaixar", "melhor", "seria", "bota", "coloca", "colocar", "poe", "poem", "botar", "muda", "mudar", "troca",
    "trocar", "remarca", "remarcar", "reagendar", "antecipar", "adiantar", "adiar", "transferir", "transfere", "empurra", "empurrar",
    "deixa", "deixar", "fica", "ficar", "da", "serve", "consigo", "posso", "so", "necessito", "preciso", "reserva", "reservar",
    "kero", "verificar", "disponibilidade",
];
/// Where an appointment that exists stands.
const HAVING: [&str; 16] = [
    "marcado", "marcada", "marcados", "agendado", "agendada", "marquei", "agendei", "coloquei", "marcou", "botou", "colocou", "agendou",
    "anotou", "registrou", "confirmado", "confirmada",
];
/// Things that are moved; what belongs to them with "de" is their old time.
const APPOINTMENTS: [&str; 42] = [
    "consulta", "horario", "hora", "corte", "atendimento", "agendamento", "sessao", "reuniao", "retorno", "exame", "visita", "unha",
    "unhas", "banho", "tosa", "revisao", "avaliacao", "barba", "limpeza", "manicure", "pedicure", "vacina", "vaga", "encontro",
    "cabelo", "massagem", "depilacao", "escova", "progressiva", "sobrancelha", "compromisso", "procedimento", "marcacao", "aula",
    "fisio", "fisioterapia", "terapia", "dentista", "medico", "horarios", "coloracao", "cirurgia",
];

/// The role of a mention; `from` and `to` are the ends of its neighbours.
pub(super) fn role(line: &Line, mention: &Mention, from: usize, to: usize, frame: &Frame<'_>) -> Role {
    let before = Before::of(line, mention.start, from);
    let after = After { line, at: mention.end, to };
    let existing = frame.purpose == Purpose::Existing;
    if !existing && (before.excludes(line) || after.excludes()) {
        return Role::Excluded;
    }
    if before.excepts() || (existing && before.keeps()) {
        return Role::Excluded;
    }
    let moved = match frame.purpose {
        Purpose::Move => before.is_old() || after.is_old(),
        _ => before.is_replaced(),
    };
    if moved && !before.leads_to() {
        return Role::Aside;
    }
    let plans = before.any(&OWN_PLANS, 4) || after.is_plan();
    if plans && before.any(&EVENTS, 4) && !before.any(&WANTING, 2) && !existing {
        return Role::Aside;
    }
    let mut score = 0;
    score += if before.leads_to() { 2 } else { 0 };
    score += if before.any(&WANTING, 5) || after.is_asked() { 1 } else { 0 };
    score -= if plans { 2 } else { 0 };
    Role::Wanted(score)
}

/// The words before a mention, nearest first, back to the end of the sentence before or the mention before.
struct Before<'a> {
    words: Vec<&'a str>,
    /// How many of them stand behind the last comma.
    clause: usize,
    at: usize,
}

impl<'a> Before<'a> {
    fn of(line: &'a Line, start: usize, from: usize) -> Self {
        let mut words = Vec::with_capacity(REACH);
        let mut clause = None;
        let mut at = start;
        // The words a mention swallows are its lead as well ("*de* segunda a sexta").
        while at > from && words.len() < REACH {
            at -= 1;
            if line.ends_sentence(at) {
                break;
            }
            if line.is_mark(at, &[',', '(', ')']) {
                clause.get_or_insert(words.len());
            } else if !line.word(at).is_empty() {
                words.push(if line.token(at).is_some_and(|t| t.copula) { "é" } else { line.word(at) });
            }
        }
        Self { clause: clause.unwrap_or(words.len()), words, at: start }
    }

    fn word(&self, index: usize) -> &str {
        self.words.get(index).copied().unwrap_or_default()
    }

    fn any(&self, list: &[&str], within: usize) -> bool {
        self.words.iter().take(within).any(|word| list.contains(word))
    }

    /// "não posso sexta", "não quero de manhã", "não é dia 8".
    fn excludes(&self, line: &Line) -> bool {
        let words: Vec<&str> = self.words.iter().take(self.clause.min(7)).copied().collect();
        let Some(negation) = words.iter().position(|word| matches!(*word, "nao" | "num" | "nem" | "nunca")) else {
            return false;
        };
        let between = words.get(..negation).unwrap_or_default();
        // "não posso, só quinta"; "não consigo antes mas consigo quinta".
        let turned = between.iter().any(|word| matches!(*word, "so" | "mas" | "apenas" | "somente" | "se" | "entao" | "porque" | "que"));
        if turned {
            return false;
        }
        let verb = between.last().copied().unwrap_or_default();
        let refuses = REFUSING_VERBS.contains(&verb) || verb == "é" || verb.is_empty() && negation <= 1;
        let asks = ASKING_VERBS.contains(&verb) || (matches!(verb, "da" | "pode" | "rola") && is_question(line, self.at));
        refuses && !asks
    }

    /// "sem ser segunda", "menos terça", "exceto à tarde".
    fn excepts(&self) -> bool {
        self.any(&["menos", "exceto", "tirando", "fora", "salvo"], 3) && self.word(0) != "mais" && !self.any(&["ou"], 4)
            || (self.any(&["sem"], 3) && self.any(&["ser"], 2))
    }

    /// "deixa a de quinta": that one stays.
    fn keeps(&self) -> bool {
        self.any(&["deixa", "mantem", "manter", "mantenha", "deixe", "mantendo"], 4)
    }

    /// "em vez de", "no lugar de", "ao invés de".
    fn is_replaced(&self) -> bool {
        let own = |word: &str| matches!(word, "vez" | "inves" | "lugar");
        self.words.iter().take(3).any(|word| own(word)) || self.any(&["botou", "colocou", "anotou", "marcou", "registrou"], 3)
    }

    /// The time an appointment has: "era 14h", "marcada na sexta", "minha consulta de quinta".
    fn is_old(&self) -> bool {
        if self.is_replaced() || self.any(&HAVING, 4) {
            return true;
        }
        if self.any(&["era", "eram", "tinha", "estava", "tava"], 3) && !self.any(&["para"], 2) {
            return true;
        }
        let genitive = matches!(self.word(0), "de" | "da" | "do" | "das" | "dos");
        if genitive && !matches!(self.word(1), "partir" | "depois" | "antes" | "parte" | "periodo") {
            let wanted = self.any(&["tem", "teria", "algum", "alguma", "um", "uma", "vaga", "outro", "outra"], 4);
            return !wanted;
        }
        let swallowed = self.any(&["tenho"], 4) && self.any(&APPOINTMENTS, 4);
        let mine = self.any(&["meu", "minha", "nossa", "nosso"], 3) && self.any(&APPOINTMENTS, 2);
        swallowed || mine
    }

    /// "pra quinta": there it is to go.
    fn leads_to(&self) -> bool {
        let near = self.words.iter().take(2).position(|word| *word == "para");
        near.is_some_and(|index| !matches!(self.word(index + 1), "marcado" | "marcada" | "agendado" | "agendada"))
    }
}

/// Whether the sentence ends with a question mark.
fn is_question(line: &Line, at: usize) -> bool {
    let end = (at..(at + 24).min(line.len())).find(|at| line.ends_sentence(*at));
    end.is_some_and(|end| line.mark(end) == Some('?'))
}

/// The words behind a mention.
struct After<'a> {
    line: &'a Line,
    at: usize,
    to: usize,
}

impl After<'_> {
    fn words(&self) -> Vec<&str> {
        (self.at..self.to.min(self.at + REACH_AFTER))
            .take_while(|at| !self.line.ends_sentence(*at) && !self.line.is_mark(*at, &[',']))
            .map(|at| self.line.word(at))
            .filter(|word| !word.is_empty())
            .collect()
    }

    /// "terça não", "quarta também não", "sexta é ruim pra mim".
    fn excludes(&self) -> bool {
        let words = self.words();
        let skip = usize::from(matches!(words.first(), Some(&"tambem" | &"eu" | &"ja" | &"ai")));
        let rest = words.get(skip..).unwrap_or_default();
        match rest {
            ["nao", verb, ..] => REFUSING_VERBS.contains(verb) || matches!(*verb, "vai" | "da" | "posso") || !ASKING_VERBS.contains(verb) && rest.len() <= 3,
            ["nao"] | ["nem", ..] => true,
            ["e" | "fica" | "ta" | "esta", "ruim" | "osso" | "complicado" | "dificil" | "puxado" | "pessimo" | "foda", ..] => true,
            _ => false,
        }
    }

    /// "dia 28 eu trabalho", "sexta tenho prova".
    fn is_plan(&self) -> bool {
        let words = self.words();
        words.iter().take(3).any(|word| {
            matches!(*word, "trabalho" | "viajo" | "trabalha" | "viaja" | "estudo" | "ocupado" | "ocupada" | "plantao" | "prova" | "viajando" | "trabalhando")
        })
    }

    /// "quinta 14h era o marcado".
    fn is_old(&self) -> bool {
        let words = self.words();
        matches!(words.as_slice(), ["marcado" | "marcada" | "agendado" | "agendada", ..] | ["que", "marquei" | "agendei", ..])
    }

    fn is_asked(&self) -> bool {
        self.words().iter().take(3).any(|word| matches!(*word, "tem" | "da" | "pode" | "consegue" | "rola" | "serve" | "voce" | "voces"))
    }
}

/// Whether the words between two mentions take the first back: "quer dizer", "aliás", "não, pera".
pub(super) fn corrects(line: &Line, from: usize, to: usize) -> bool {
    const PHRASES: [&[&str]; 12] = [
        &["quer", "dizer"],
        &["ou", "melhor"],
        &["na", "verdade"],
        &["melhor", "dizendo"],
        &["digo"],
        &["alias"],
        &["corrigindo"],
        &["correcao"],
        &["pera"],
        &["perai"],
        &["opa"],
        &["perdao"],
    ];
    let said = (from..to).any(|at| PHRASES.iter().any(|words| line.phrase(at, words).is_some()));
    // ", não, " and "*quarta" after the mistake.
    let no = (from..to).any(|at| line.word(at) == "nao" && line.is_mark(at + 1, &[',']) && at + 2 >= to.saturating_sub(2));
    let star = to > from && line.is_mark(to - 1, &['*']) && (to - from) <= 3;
    said || no || star
}
