//! Parts of a day: "de manhã", "à tardinha", "fim da tarde", "cedinho".

use super::lex::Line;
use super::value::{ClockTime, Span};

/// A part of a day by its hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::domain::agenda) struct Part {
    from: u32,
    until: u32,
}

impl Part {
    pub const NIGHT: Self = Self::hours(0, 6);
    pub const MORNING: Self = Self::hours(6, 12);
    pub const AFTERNOON: Self = Self::hours(12, 18);
    pub const EVENING: Self = Self::hours(18, 24);
    pub const LATE_MORNING: Self = Self::hours(10, 12);
    pub const EARLY_MORNING: Self = Self::hours(6, 9);
    pub const LUNCH: Self = Self::hours(12, 14);
    pub const EARLY_AFTERNOON: Self = Self::hours(12, 15);
    pub const MID_AFTERNOON: Self = Self::hours(14, 16);
    pub const LATE_AFTERNOON: Self = Self::hours(16, 18);
    pub const EARLY_EVENING: Self = Self::hours(18, 20);
    pub const LATE_DAY: Self = Self::hours(16, 18);

    const fn hours(from: u32, until: u32) -> Self {
        Self { from, until }
    }

    pub fn span(self) -> Span<ClockTime> {
        Span::between(ClockTime::hour(self.from), ClockTime::hour(self.until))
    }

    pub fn is_night(self) -> bool {
        self.until <= 6
    }

    pub fn is_afternoon(self) -> bool {
        (12..18).contains(&self.from)
    }

    pub fn is_evening(self) -> bool {
        self.from >= 18
    }

    pub fn contains_hour(self, hour: u32) -> bool {
        (self.from..self.until).contains(&hour)
    }
}

fn noun(word: &str) -> Option<Part> {
    Some(match word {
        "manha" | "manhazinha" | "manhanzinha" | "matina" | "manhana" => Part::MORNING,
        "tarde" | "tardi" | "tardezinha" => Part::AFTERNOON,
        "tardinha" => Part::LATE_AFTERNOON,
        "noite" | "noiti" | "noitezinha" => Part::EVENING,
        "madrugada" | "madruga" => Part::NIGHT,
        _ => return None,
    })
}

/// What turns "tarde" into "fim da tarde", and where the noun then stands.
fn section(line: &Line, at: usize) -> Option<(Section, usize)> {
    let section = match line.word(at) {
        "fim" | "final" | "finalzinho" | "fimzinho" | "finzinho" => Section::End,
        "comeco" | "inicio" | "comecinho" => Section::Start,
        "meio" | "meados" => Section::Middle,
        _ => return None,
    };
    line.is(at + 1, &["da", "de", "do"]).then_some((section, at + 2))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Start,
    Middle,
    End,
}

fn cut(part: Part, section: Section) -> Part {
    match (section, part) {
        (Section::End, Part::MORNING) => Part::LATE_MORNING,
        (Section::End, Part::AFTERNOON) => Part::LATE_AFTERNOON,
        (Section::Start, Part::MORNING) => Part::EARLY_MORNING,
        (Section::Start, Part::AFTERNOON) => Part::EARLY_AFTERNOON,
        (Section::Middle, Part::AFTERNOON) => Part::MID_AFTERNOON,
        (Section::Start, Part::EVENING) => Part::EARLY_EVENING,
        _ => part,
    }
}

/// The part that says which half of the day an hour belongs to: "8 *da noite*", "as duas *de tarde*".
pub(super) fn part_after_clock(line: &Line, at: usize) -> Option<(Part, usize)> {
    let lead = match line.word(at) {
        "da" | "de" | "a" | "pela" | "na" | "desta" | "dessa" => at + 1,
        _ => return None,
    };
    let lead = if line.word(at) == "na" { line.phrase(lead, &["parte", "da"]).unwrap_or(lead) } else { lead };
    noun(line.word(lead)).map(|part| (part, lead + 1))
}

/// A part of a day and the place after it. `after_day`: a day stands right before, so that "amanhã cedo" and
/// "terça manhã" need no preposition.
pub(in crate::domain::agenda) fn part(line: &Line, at: usize, after_day: bool) -> Option<(Part, usize)> {
    if let Some((which, noun_at)) = section(line, at) {
        if let Some(part) = noun(line.word(noun_at)) {
            return Some((cut(part, which), noun_at + 1));
        }
        let day = (line.word(noun_at) == "dia" || line.is(noun_at, &["expediente"])) && which == Section::End;
        return day.then_some((Part::LATE_DAY, noun_at + 1));
    }
    match line.word(at) {
        "cedo" | "cedinho" | "cedim" if is_morning(line, at, after_day) => return Some((Part::MORNING, at + 1)),
        "matutino" | "vespertino" | "noturno" | "tardinha" => {
            let part = match line.word(at) {
                "matutino" => Part::MORNING,
                "noturno" => Part::EVENING,
                "tardinha" => Part::LATE_AFTERNOON,
                _ => Part::AFTERNOON,
            };
            return Some((part, at + 1));
        }
        "hora" | "horario" | "intervalo" => {
            let almoco = line.is(at + 1, &["do", "de"]) && line.is(at + 2, &["almoco", "almoso"]);
            return almoco.then_some((Part::LUNCH, at + 3));
        }
        _ => {}
    }
    if let Some(found) = part_after_lead(line, at) {
        return Some(found);
    }
    let later = at.checked_sub(1).is_some_and(|at| line.word(at) == "mais");
    // "prefiro tarde" needs no preposition either.
    let chosen = at.checked_sub(1).is_some_and(|at| line.is(at, &["prefiro", "preferia", "preferencia", "somente"]));
    if (after_day || chosen) && !later { noun(line.word(at)).map(|part| (part, at + 1)) } else { None }
}

/// "mais cedo" and "tão cedo" compare; "cedo" alone is the morning.
fn is_morning(line: &Line, at: usize, after_day: bool) -> bool {
    let before = at.checked_sub(1).map_or("", |at| line.word(at));
    let compares = matches!(before, "mais" | "tao" | "muito" | "sai" | "saio" | "sair" | "e" | "nem" | "que");
    after_day || matches!(line.word(at), "cedinho" | "cedim") || !compares
}

fn part_after_lead(line: &Line, at: usize) -> Option<(Part, usize)> {
    let mut noun_at = match line.word(at) {
        "da" | "de" | "a" | "pela" | "na" | "nesta" | "nessa" | "esta" | "essa" | "desta" | "dessa" | "uma" | "so"
        | "outra" | "toda" | "qualquer" | "as" | "para" | "por" | "parte" | "periodo" | "turno" | "durante" => at + 1,
        _ => return None,
    };
    let mut steps = 0;
    while steps < 3 && line.is(noun_at, &["a", "da", "de", "parte", "o", "periodo", "turno"]) {
        noun_at += 1;
        steps += 1;
    }
    if let Some((which, inner)) = section(line, noun_at) {
        return noun(line.word(inner)).map(|part| (cut(part, which), inner + 1));
    }
    if line.is(noun_at, &["cedo", "cedinho"]) && line.is(at, &["de", "para"]) {
        return Some((Part::MORNING, noun_at + 1));
    }
    // "uma tarde" and "toda noite" are about no certain day, but about that part of it.
    let part = noun(line.word(noun_at))?;
    let mixed = line.is(at, &["uma", "so", "as"]) && steps == 0 && line.word(noun_at) != "manha";
    (!mixed || line.word(at) == "so").then_some((part, noun_at + 1))
}
