//! What a message says, read where the conversation stands.

use chrono::NaiveDateTime;

use super::super::choice::{self, Choice, choose};
use super::super::request::{self, Situation};
use super::super::when::lex::Line;
use super::super::when::{Aim, Answer, Frame, Reading, When, read};
use super::naming::{self, Named};
use super::people::{self, People};
use super::setting::Setting;
use super::state::{Purpose, Slot, Stage, State};
use super::wish::is_over;
use crate::domain::conversation::intent::cues::{Cue, Cues};
use crate::domain::conversation::intent::{self, Context, Intent};

/// What a message says.
pub(super) struct Heard<'a> {
    pub text: &'a str,
    pub intent: Intent,
    /// What it would mean if nothing had been asked.
    pub plain: Intent,
    pub cues: Cues,
    /// The times that are spoken of.
    pub reading: Reading,
    /// A time was asked for that is over.
    pub past: bool,
    /// A careful person would ask back.
    pub doubtful: bool,
    pub service: Named,
    pub professional: Named,
    pub people: People,
    line: Line,
}

impl<'a> Heard<'a> {
    /// Reads a text that means `intent`.
    pub fn of(text: &'a str, intent: Intent, state: &State, setting: &Setting, now: NaiveDateTime) -> Self {
        Self::within(text, intent, state.context(), state, setting, now)
    }

    /// The same in another context than that of the state.
    pub fn within(
        text: &'a str,
        intent: Intent,
        context: Context,
        state: &State,
        setting: &Setting,
        now: NaiveDateTime,
    ) -> Self {
        let cues = Cues::of(text);
        let options = local_options(&state.stage, setting);
        let situation = Situation { now, context, options: &[] };
        let reading = match (&state.stage, intent) {
            (Stage::Options { .. }, _) => choose(text, &options, now).reading,
            _ => read(text, &Frame::booking(now).aiming(aim(state, intent))),
        };
        let past = reading.answer == Answer::Nothing && names_past(text, &state.stage, now);
        let asked = matches!(state.stage, Stage::Professional { .. });
        Self {
            text,
            intent,
            plain: intent::decide(&cues, Context::None),
            cues,
            reading,
            past,
            doubtful: request::read(text, intent, &situation).ask,
            service: naming::service(text, setting, None, !matches!(state.stage, Stage::Idle | Stage::Service { .. })),
            professional: naming::professional(text, setting, asked),
            people: people::read(text),
            line: Line::of(text),
        }
    }

    /// Whether a time is wanted or ruled out.
    pub fn names_time(&self) -> bool {
        self.reading.answer != Answer::Nothing || !self.reading.excluded.is_empty()
    }

    /// The time that is sure.
    pub fn when(&self) -> Option<&When> {
        self.reading.sure()
    }

    /// Whether the matter is to rest: "deixa pra lá".
    pub fn gives_up(&self) -> bool {
        let stops = self.cues.has(Cue::Drop) || (self.cues.has(Cue::Cancel) && !self.is_own());
        stops && !self.names_time() && !self.cues.asks() && self.number().is_none()
    }

    /// Whether it speaks of an appointment the customer has.
    pub fn is_own(&self) -> bool {
        const NOUNS: [&str; 9] =
            ["consulta", "horario", "agendamento", "sessao", "exame", "retorno", "visita", "atendimento", "reserva"];
        (0..self.line.len()).any(|at| {
            let noun = NOUNS.iter().any(|noun| self.line.word(at + 1).starts_with(noun));
            self.line.is(at, &["meu", "minha", "meus", "minhas"]) && noun
        })
    }

    /// What is wanted of an appointment the customer has, said while something else is being talked about.
    pub fn turns_to(&self, state: &State) -> Option<Purpose> {
        let moves = self.cues.has(Cue::Move) && self.is_own() && state.wish.moving.is_none();
        match self.plain {
            Intent::AppointmentCancel if self.is_own() && self.cues.has(Cue::Cancel) => Some(Purpose::Cancel),
            Intent::AppointmentReschedule if moves => Some(Purpose::Move),
            _ if self.asks_for_own() => Some(Purpose::Tell),
            _ => None,
        }
    }

    /// "meus horários", "qual é a minha consulta?".
    fn asks_for_own(&self) -> bool {
        let first = self.line.word(0);
        let listed = (0..self.line.len()).any(|at| self.line.is(at, &["meus", "minhas"]));
        let asked =
            self.cues.asks() || matches!(first, "qual" | "quais" | "quando" | "que" | "ver" | "meus" | "minhas");
        self.is_own() && asked && (listed || self.cues.has(Cue::Own)) && !self.cues.any(&[Cue::Cancel, Cue::Move])
    }

    /// The number that is all it says, or nearly so.
    pub fn number(&self) -> Option<u32> {
        let mut words = (0..self.line.len()).filter(|at| {
            self.line.digits(*at).is_some()
                || (!self.line.word(*at).is_empty() && !self.line.is(*at, &["o", "a", "opcao"]))
        });
        let at = words.next()?;
        let (value, digits) = self.line.digits(at)?;
        (words.next().is_none() && digits <= 2).then_some(value)
    }

    /// "0", "zero".
    pub fn is_zero(&self) -> bool {
        self.number() == Some(0) || fold_is(self.text, "zero")
    }

    /// Which of so many lines it takes.
    pub fn line_of(&self, count: usize) -> Option<usize> {
        if let Some(number) = self.number() {
            return usize::try_from(number).ok().filter(|number| (1..=count).contains(number));
        }
        match choice::choose_of(self.text, count) {
            Choice::Option(number) => Some(number),
            _ => None,
        }
    }

    /// Anything will do: "tanto faz".
    pub fn takes_any(&self) -> bool {
        choice::choose_of(self.text, 2) == Choice::Any
    }

    /// Whether a yes is taken half back: "acho que sim, não sei".
    pub fn hesitates(&self) -> bool {
        let yes = self.cues.has(Cue::Yes);
        let unsure = |at: usize| {
            let word = self.line.word(at);
            matches!(word, "talvez" | "acho") || word == "nao" && matches!(self.line.word(at + 1), "sei" | "tenho")
        };
        yes && (0..self.line.len()).any(unsure)
    }

    /// A yes that is meant.
    pub fn agrees(&self) -> bool {
        self.intent == Intent::Affirm && !self.doubtful
    }
}

/// Whether a time that is over is asked for. A day alone may be told of ("com dor desde ontem") unless one was asked for.
fn names_past(text: &str, stage: &Stage, now: NaiveDateTime) -> bool {
    match read(text, &Frame::plain(now)).answer {
        Answer::Clear(when @ When::Moment(_)) => is_over(&when, now),
        Answer::Clear(when) => matches!(stage, Stage::Day) && is_over(&when, now),
        _ => false,
    }
}

fn fold_is(text: &str, word: &str) -> bool {
    crate::domain::text::fold::fold(text).trim_matches(|c: char| !c.is_alphabetic()) == word
}

fn aim(state: &State, intent: Intent) -> Aim {
    let existing = matches!(state.stage, Stage::Which { .. } | Stage::Cancelling { .. });
    match intent {
        _ if existing => Aim::Existing,
        Intent::AppointmentReschedule => Aim::Move,
        Intent::AppointmentCancel | Intent::AppointmentQuery | Intent::ConfirmPresence => Aim::Existing,
        Intent::Deny if matches!(state.stage, Stage::Recap { .. }) => Aim::Move,
        _ => Aim::Wish,
    }
}

/// The local times on offer.
fn local_options(stage: &Stage, setting: &Setting) -> Vec<NaiveDateTime> {
    let slots: &[Slot] = match stage {
        Stage::Options { options } => options,
        _ => &[],
    };
    slots.iter().map(|slot| setting.local(slot.start)).collect()
}
