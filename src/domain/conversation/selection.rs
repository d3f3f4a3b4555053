//! Which wording is used where: the one for this intent and mood, else for the intent, else for the mood, else for all,
//! else the built-in one. There is always one, and it can always be rendered.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use uuid::Uuid;

use super::experiment::Trial;
use super::intent::Intent;
use super::rendering::{self, RenderError, Variables, render};
use super::sentiment::Mood;
use super::template::Template;
use crate::domain::company::CompanyId;

/// What a wording is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Slot {
    /// Around every answer.
    Reply,
    /// In place of a ready text.
    Ready(Template),
}

impl Slot {
    /// Its name, as it is stored.
    pub fn key(self) -> &'static str {
        match self {
            Self::Reply => "reply",
            Self::Ready(template) => template.name(),
        }
    }

    /// The slot of a stored name.
    pub fn from_key(key: &str) -> Option<Self> {
        if key == "reply" { Some(Self::Reply) } else { Template::from_name(key).map(Self::Ready) }
    }

    /// The wording of companies that have no own.
    pub fn built_in(self) -> &'static str {
        match self {
            Self::Reply => rendering::DEFAULT,
            Self::Ready(template) => template.default_text(),
        }
    }
}

/// Where a wording stands: what for, and for which intents and moods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// What for.
    pub slot: Slot,
    /// For this intent only.
    pub intent: Option<Intent>,
    /// For this mood only.
    pub mood: Option<Mood>,
}

impl Place {
    /// The place of stored names; an empty intent or mood is any. The name that is unknown, if one is.
    pub fn parse(key: &str, intent: &str, mood: &str) -> Result<Self, UnknownName> {
        let intent = match intent {
            "" => None,
            name => Some(
                Intent::ALL.iter().copied().find(|one| one.label() == name).ok_or(UnknownName { field: "intent" })?,
            ),
        };
        let moods = [Mood::Positive, Mood::Negative, Mood::Neutral];
        let mood = match mood {
            "" => None,
            name => Some(moods.into_iter().find(|one| one.label() == name).ok_or(UnknownName { field: "mood" })?),
        };
        Ok(Self { slot: Slot::from_key(key).ok_or(UnknownName { field: "key" })?, intent, mood })
    }

    /// The stored names: slot, intent, mood.
    pub fn names(&self) -> (&'static str, &'static str, &'static str) {
        (self.slot.key(), self.intent.map_or("", Intent::label), self.mood.map_or("", Mood::label))
    }
}

/// A name of a place that nothing has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no {field} has this name")]
pub struct UnknownName {
    /// `key`, `intent` or `mood`.
    pub field: &'static str,
}

/// What is to be said now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occasion {
    /// What for.
    pub slot: Slot,
    /// What the customer wants.
    pub intent: Intent,
    /// Their mood.
    pub mood: Mood,
}

/// An experiment that is under way.
#[derive(Clone, Debug, PartialEq)]
pub struct Running {
    /// Its id.
    pub id: Uuid,
    /// Which wording it tries.
    pub place: Place,
    /// The wordings, and how people are given one.
    pub trial: Trial,
}

/// The wordings of one company.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wordings {
    texts: HashMap<Place, Arc<str>>,
    running: Vec<Running>,
}

/// Which variant somebody was given, by experiment: kept for as long as the experiment runs.
pub type Assigned = BTreeMap<Uuid, String>;

/// The wording that was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    slot: Slot,
    /// The template.
    pub source: Arc<str>,
    /// Experiment and variant, when it is one's.
    pub experiment: Option<(Uuid, String)>,
}

/// What came of a chosen wording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The text to say.
    pub text: String,
    /// Experiment and variant that an impression counts for once this text is delivered.
    pub experiment: Option<(Uuid, String)>,
    /// Why the chosen wording was left for the built-in one.
    pub failed: Option<RenderError>,
}

impl Wordings {
    /// The wordings of a company; of two for the same place the later one counts.
    pub fn new(texts: impl IntoIterator<Item = (Place, Arc<str>)>, running: Vec<Running>) -> Self {
        Self { texts: texts.into_iter().collect(), running }
    }

    /// The wording for an occasion. Of the places that fit, the narrowest decides; an experiment there goes before the
    /// text there. `number` is what the person is known by; who was given a variant before keeps it.
    pub fn choose(&self, company: CompanyId, number: &str, occasion: Occasion, assigned: &Assigned) -> Chosen {
        for place in narrowing(occasion) {
            if let Some(running) = self.running.iter().find(|running| running.place == place)
                && let Some(variant) = running.variant(company, number, assigned)
            {
                let experiment = Some((running.id, variant.name.clone()));
                return Chosen { slot: occasion.slot, source: Arc::clone(&variant.source), experiment };
            }
            if let Some(source) = self.texts.get(&place) {
                return Chosen { slot: occasion.slot, source: Arc::clone(source), experiment: None };
            }
        }
        Chosen { slot: occasion.slot, source: occasion.slot.built_in().into(), experiment: None }
    }

    /// The experiments under way.
    pub fn running(&self) -> &[Running] {
        &self.running
    }
}

impl Running {
    fn variant(&self, company: CompanyId, number: &str, assigned: &Assigned) -> Option<&super::experiment::Variant> {
        let kept = assigned.get(&self.id).and_then(|name| self.trial.variants.iter().find(|one| one.name == *name));
        kept.or_else(|| self.trial.variants.get(self.trial.assign(company, self.id, number)))
    }
}

/// The places that fit an occasion, the narrowest first.
fn narrowing(occasion: Occasion) -> [Place; 4] {
    let place = |intent, mood| Place { slot: occasion.slot, intent, mood };
    let (intent, mood) = (Some(occasion.intent), Some(occasion.mood));
    [place(intent, mood), place(intent, None), place(None, mood), place(None, None)]
}

impl Chosen {
    /// Renders it, or the built-in wording should it fail. Empty only when the answer itself is.
    pub fn render(self, variables: &Variables<'_>) -> Rendered {
        match render(&self.source, variables) {
            Ok(text) => Rendered { text, experiment: self.experiment, failed: None },
            Err(error) => {
                let text = render(self.slot.built_in(), variables).unwrap_or_default();
                Rendered { text, experiment: None, failed: Some(error) }
            }
        }
    }
}
