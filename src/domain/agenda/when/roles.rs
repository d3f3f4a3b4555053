//! What a mention is for: wanted, ruled out, the old time of a move, corrected by a later one, or of something else.

mod moving;
mod ruled_out;

use super::grammar::Mention;
use super::lex::Line;
use super::{Aim, Convention, Frame};

/// What a mention is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Wanted,
    Excluded,
    /// The time a moved appointment had.
    Old,
    /// Belongs to something else than the appointment ("saio do trabalho às 17h").
    Aside,
}

/// How a mention goes with the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// Nothing special.
    Apart,
    /// "e", a comma: both are meant.
    Also,
    /// "ou": one of them.
    Or,
    /// "quer dizer", "aliás": it replaces the one before.
    Instead,
}

/// A mention with its role.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub mention: Mention,
    pub role: Role,
    pub link: Link,
}

/// How far back a word can still bear on a mention.
const REACH: usize = 7;

/// The mentions with their roles.
pub(super) fn assigned(line: &Line, mentions: Vec<Mention>, frame: &Frame<'_>) -> Vec<Placed> {
    let mut placed: Vec<Placed> = Vec::with_capacity(mentions.len());
    for (index, mention) in mentions.iter().enumerate() {
        let previous_end = index.checked_sub(1).and_then(|i| mentions.get(i)).map_or(0, |m| m.end);
        let next_start = mentions.get(index + 1).map_or(line.len(), |m| m.start);
        let place =
            Place { line, frame, before: previous_end, start: mention.start, end: mention.end, after: next_start };
        let link = if index == 0 { Link::Apart } else { place.link() };
        let role = match (place.role(), placed.last()) {
            // "sem ser segunda ou terça": the exclusion goes on.
            (Role::Wanted, Some(last))
                if matches!(link, Link::Also | Link::Or)
                    && !place.is_contrast(mentions.get(index.wrapping_sub(1)))
                    && last.role == Role::Excluded =>
            {
                Role::Excluded
            }
            (role, _) => role,
        };
        placed.push(Placed { mention: mention.clone(), role, link });
    }
    if frame.aim == Aim::Move {
        moving::moved(line, &mut placed);
    }
    placed
}

/// A mention between its neighbours.
struct Place<'a> {
    line: &'a Line,
    frame: &'a Frame<'a>,
    /// Where the mention before ends.
    before: usize,
    start: usize,
    end: usize,
    /// Where the next mention begins.
    after: usize,
}

impl Place<'_> {
    fn link(&self) -> Link {
        let gap = self.before..self.start;
        if self.gap_corrects() {
            return Link::Instead;
        }
        let joins = |at: usize| {
            (self.line.is(at, &["ou", "e", "ate", "como", "tambem", "tanto"]) && !self.is_copula(at))
                || self.line.is_mark(at, &[',', '/'])
        };
        let fillers =
            ["na", "no", "a", "o", "as", "os", "de", "da", "do", "para", "em", "pela", "so", "entao", "talvez"];
        let all = gap.clone().all(|at| joins(at) || self.line.is(at, &fillers));
        let or = gap.clone().any(|at| self.line.word(at) == "ou");
        match all && gap.into_iter().any(joins) {
            true if or => Link::Or,
            true => Link::Also,
            false => Link::Apart,
        }
    }

    /// "quer dizer", "aliás", "não, pera", "digo", "na verdade", "ops" between two mentions.
    fn gap_corrects(&self) -> bool {
        const PHRASES: [&[&str]; 16] = [
            &["quer", "dizer"],
            &["na", "verdade"],
            &["quero", "dizer"],
            &["ou", "melhor"],
            &["ao", "contrario"],
            &["pensando", "melhor"],
            &["me", "enganei"],
            &["eu", "errei"],
            &["nao", "pera"],
            &["nao", "perai"],
            &["nao", "espera"],
            &["era", "para", "ser"],
            &["melhor", "nao"],
            &["mudei", "de", "ideia"],
            &["nao", "melhor"],
            &["falei", "errado"],
        ];
        const WORDS: [&str; 19] = [
            "digo",
            "alias",
            "pera",
            "perai",
            "ops",
            "opa",
            "minto",
            "corrigindo",
            "correcao",
            "desculpa",
            "errei",
            "espera",
            "oops",
            "xi",
            "vixe",
            "errado",
            "retifico",
            "retificando",
            "calma",
        ];
        let gap = || self.before..self.start;
        let spoken = gap().any(|at| self.line.is(at, &WORDS) || PHRASES.iter().any(|p| self.plain_phrase(at, p)));
        // "dia 3... não, dia 4": a "não" that stands alone between marks.
        let no = gap().any(|at| {
            self.line.word(at) == "nao"
                && self.is_pause(at + 1)
                && (at == self.before || self.is_pause(at - 1) || at < self.before + 2)
        });
        let words: Vec<&str> = gap().map(|at| self.line.word(at)).filter(|word| !word.is_empty()).collect();
        spoken || no || words == ["melhor"]
    }

    fn is_copula(&self, at: usize) -> bool {
        self.line.token(at).is_some_and(|token| token.copula)
    }

    /// "não na segunda, na terça": what follows the comma is what is wanted instead.
    fn is_contrast(&self, previous: Option<&Mention>) -> bool {
        let Some(previous) = previous else { return false };
        let mut at = previous.start;
        while at > 0 && self.line.is(at - 1, &["na", "no", "a", "as", "de", "da", "dia", "para"]) {
            at -= 1;
        }
        let denied = at > 0 && self.line.word(at - 1) == "nao";
        denied && (self.before..self.start).all(|at| !self.line.is(at, &["e", "ou", "nem"]))
    }

    /// A phrase whose words may have commas between them.
    fn plain_phrase(&self, at: usize, words: &[&str]) -> bool {
        let mut here = at;
        words.iter().all(|word| {
            while self.line.is_mark(here, &[',', '.']) {
                here += 1;
            }
            let same = self.line.word(here) == *word;
            here += 1;
            same
        })
    }

    fn is_pause(&self, at: usize) -> bool {
        self.line.is_mark(at, &[',', '.', '!', ';', '-', '\n'])
    }

    fn role(&self) -> Role {
        if self.is_ruled_out_before() || self.is_ruled_out_after() {
            return Role::Excluded;
        }
        if self.is_no_time() {
            return Role::Old;
        }
        if self.frame.convention == Convention::Booking && self.is_aside() {
            return Role::Aside;
        }
        Role::Wanted
    }

    /// "desmarca a de hoje e deixa a de sexta", "se eu me atrasar para as 9h, cancela", "adiar em uma hora".
    fn is_no_time(&self) -> bool {
        if self.frame.convention == Convention::Plain {
            return false;
        }
        let kept = self
            .back()
            .take(5)
            .any(|at| self.line.is(at, &["deixa", "deixe", "mantem", "mantenha", "manter", "continua", "segura"]));
        let conditional = self.back().any(|at| self.line.word(at) == "se" && !self.is_indirect(at));
        let compared = self.start > 1 && self.line.word(self.start - 1) == "que" && {
            let adjective =
                if self.line.word(self.start - 2) == "do" { self.start.saturating_sub(3) } else { self.start - 2 };
            self.line.is(adjective, &["melhor", "pior", "antes", "cedo", "tarde"])
        };
        if compared && self.before > 0 {
            return true;
        }
        let length = self.line.word(self.start) == "em"
            || self.start.checked_sub(1).is_some_and(|at| self.line.word(at) == "em");
        let counted = length && self.line.is(self.end.saturating_sub(1), &["hora", "horas", "min", "minutos"]);
        (self.frame.aim == Aim::Existing && (kept || conditional)) || (self.frame.aim == Aim::Move && counted)
    }

    /// "não lembro se é dia 3": a question, not a condition.
    fn is_indirect(&self, at: usize) -> bool {
        let asks = [
            "saber",
            "ver",
            "sei",
            "duvida",
            "lembro",
            "confirmar",
            "confirma",
            "sabe",
            "veja",
            "certeza",
            "ve",
            "olha",
        ];
        self.line.word(at + 1) == "possivel" || at.checked_sub(1).is_some_and(|at| self.line.is(at, &asks))
    }

    /// The places before the mention, nearest first, in its own clause.
    fn back(&self) -> impl Iterator<Item = usize> + '_ {
        (self.before..self.start).rev().take(REACH).take_while(|at| {
            !self.line.ends_sentence(*at) && !self.line.is_mark(*at, &[',']) && !self.starts_clause(*at)
        })
    }

    /// Words that begin a clause of its own.
    fn starts_clause(&self, at: usize) -> bool {
        self.line.is(at, &["mas", "porem", "entao", "ai", "pois", "por", "porque", "so"])
            && !self.line.is(at + 1, &["favor"])
    }

    /// A clause about something else: "largo o serviço às 18h", "o casamento é sábado".
    fn is_aside(&self) -> bool {
        const ELSEWHERE: [&str; 51] = [
            "saio",
            "largo",
            "estudo",
            "faco",
            "curso",
            "academia",
            "culto",
            "missa",
            "busco",
            "trabalho",
            "trampo",
            "recebo",
            "volto",
            "viajo",
            "chego",
            "casamento",
            "aniversario",
            "formatura",
            "festa",
            "aula",
            "prova",
            "entro",
            "acordo",
            "almoco",
            "viagem",
            "voo",
            "plantao",
            "escola",
            "faculdade",
            "reuniao",
            "nasceu",
            "nasci",
            "chegou",
            "escrevi",
            "mandei",
            "liguei",
            "fechou",
            "comecou",
            "pagamento",
            "salario",
            "evento",
            "batizado",
            "moro",
            "casa",
            "caso",
            "embarco",
            "mudo",
            "vence",
            "venceu",
            "comprei",
            "paguei",
        ];
        let own = self
            .back()
            .any(|at| self.line.is(at, &["horario", "consulta", "vaga", "marcar", "marca", "agendar", "tem"]));
        let led = self.back().any(|at| self.line.is(at, &ELSEWHERE));
        let opens_clause = (self.before..self.start).rev().take(REACH).any(|at| self.line.is(at, &["porque"]));
        let free = self
            .back()
            .any(|at| self.line.is(at, &["disponibilidade", "livre", "folga", "tempo", "disponivel", "preferencia"]));
        let has = self.frame.aim == Aim::Wish && !free && self.back().any(|at| self.line.word(at) == "tenho");
        (led && !own) || opens_clause || has
    }
}
