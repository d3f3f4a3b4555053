//! What a mention is for: wanted, ruled out, the old time of a move, corrected by a later one, or of something else.

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
        moved(line, &mut placed);
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
        // "dia 8... não, dia 9": a "não" that stands alone between marks.
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

    /// "cancela a de terça e deixa a de quinta", "se eu não chegar até 14h cancela", "adiar em uma hora".
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

    /// "na dúvida se marquei dia 6": a question, not a condition.
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

    fn is_ruled_out_before(&self) -> bool {
        const LEADS: [&[&str]; 14] = [
            &["sem", "ser"],
            &["que", "nao", "seja"],
            &["desde", "que", "nao"],
            &["a", "nao", "ser"],
            &["nao", "pode", "ser"],
            &["nao", "seja"],
            &["menos"],
            &["exceto"],
            &["tirando"],
            &["salvo"],
            &["nem"],
            &["contanto", "que", "nao"],
            &["nao", "sendo"],
            &["evitar"],
        ];
        let near: Vec<usize> = self.back().collect();
        let led = near.iter().take(5).any(|at| {
            LEADS.iter().any(|lead| self.ends_near(*at, lead)) || (self.ends_near(*at, &["fora"]) && !self.is_away(*at))
        });
        if led && !self.is_more_or_less() {
            return true;
        }
        let negated = near.iter().any(|at| self.line.word(*at) == "nao" && self.negates(*at));
        negated && self.frame.aim != Aim::Existing
    }

    /// Whether a phrase begins at a place and only small words stand between it and the mention.
    fn ends_near(&self, at: usize, phrase: &[&str]) -> bool {
        let small = [
            "na", "no", "a", "o", "as", "os", "de", "da", "do", "em", "dia", "dias", "as", "nas", "nos", "para",
            "essa", "esta", "pela",
        ];
        self.line.phrase(at, phrase).is_some_and(|end| (end..self.start).all(|at| self.line.is(at, &small)))
    }

    /// "estou fora", "fico fora": away.
    fn is_away(&self, at: usize) -> bool {
        let before = at.checked_sub(1).map_or("", |at| self.line.word(at));
        ["est", "fic", "vou", "to", "vai"].iter().any(|stem| before.starts_with(stem))
    }

    fn is_more_or_less(&self) -> bool {
        self.back().any(|at| self.line.word(at) == "menos" && at > 0 && self.line.word(at - 1) == "ou")
    }

    /// "não posso sexta", "não quero de manhã", "não sexta": a refusal of what follows.
    fn negates(&self, at: usize) -> bool {
        const VERBS: [&str; 22] = [
            "posso",
            "consigo",
            "quero",
            "da",
            "vou",
            "tenho",
            "podemos",
            "rola",
            "queria",
            "conseguimos",
            "serve",
            "pode",
            "gosto",
            "gostaria",
            "poderia",
            "conseguiria",
            "consegue",
            "estou",
            "estarei",
            "poderei",
            "e",
            "era",
        ];
        let verb = if self.line.is(at + 1, &["me", "vai", "mais", "eu", "to", "vou"]) { at + 2 } else { at + 1 };
        let direct =
            (at + 1..self.start).all(|at| self.line.is(at, &["na", "no", "a", "as", "de", "da", "para", "dia"]));
        let question = self.line.is(at + 1, &["tem", "teria", "da"]) && self.has_question();
        let relative = (at..self.start).any(|at| self.line.is(at, &["que", "se", "esqueci", "esquece", "quando"]));
        (direct && self.before + 1 >= at.min(self.before + 1)
            || self.line.is(verb, &VERBS)
            || self.line.is(at + 1, &VERBS))
            && !question
            && !relative
    }

    fn has_question(&self) -> bool {
        (self.end..self.after.min(self.end + 8)).any(|at| self.line.mark(at) == Some('?'))
    }

    /// "segunda não", "de tarde não dá", "sexta é ruim", "quinta eu trabalho".
    fn is_ruled_out_after(&self) -> bool {
        let mut at = self.end;
        while at < self.end + 3
            && self.line.is(at, &["eu", "ja", "tambem", "pra", "infelizmente", "realmente", "la", "ai"])
        {
            at += 1;
        }
        if at > self.end + 3 || at >= self.after.max(self.end + 1) {
            return false;
        }
        let refuses = match self.line.word(at) {
            // "sexta não?" asks, "sexta não, sábado" refuses.
            "nao" => {
                let asks = self.line.mark(at + 1) == Some('?')
                    || self.line.is(at + 1, &["e", "tem", "esqueci", "ne", "seria", "teria"]);
                !asks && !(self.line.ends_sentence(at + 1) && self.has_negation_before())
            }
            "e" | "fica" | "ta" | "esta" => {
                let adverb = usize::from(self.line.is(at + 1, &["muito", "meio", "bem", "mais"]));
                self.line.is(
                    at + 1 + adverb,
                    &["ruim", "complicado", "dificil", "osso", "foda", "impossivel", "feriado", "pessimo", "puxado"],
                )
            }
            "trabalho" | "viajo" | "trampo" | "nunca" => true,
            _ => false,
        };
        refuses && self.frame.aim != Aim::Existing
    }

    /// "não consigo ir hoje não": the second "não" only strengthens the first.
    fn has_negation_before(&self) -> bool {
        self.back().any(|at| self.line.is(at, &["nao", "nem"]))
    }

    /// A clause about something else: "saio do trampo 17h30", "o casamento é sábado".
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

/// Which mentions of a move are the old time: those the text calls the appointment's, and all before the new one.
fn moved(line: &Line, placed: &mut [Placed]) {
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
    // "qualquer dia da semana que vem" is no possessive.
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
        if let Some(side) = said_side(word) {
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
