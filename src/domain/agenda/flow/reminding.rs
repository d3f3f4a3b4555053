//! What is said of our own accord about an appointment: reminders before it, a question after it.

use chrono::{DateTime, Utc};

use super::setting::Setting;
use super::state::{Stage, State};
use super::texts::{Text, fill};
use super::wording;
use crate::domain::conversation::bubbles::{BUBBLE_MAX, bubbles};

/// The longest place that is told, in characters.
const PLACE_MAX: usize = 60;

/// What is said of an appointment.
#[derive(Clone, Copy, Debug)]
pub struct Reminding<'a> {
    /// Which text: [`Text::Reminder`], [`Text::ReminderSoon`], [`Text::FollowUp`] or [`Text::OfferMove`].
    pub text: Text,
    /// What to call the customer; empty when it is not known.
    pub name: &'a str,
    /// Whom it is for, when not for the customer; empty when for them.
    pub patient: &'a str,
    /// The service's name.
    pub service: &'a str,
    /// The professional's name; empty when nobody is named.
    pub professional: &'a str,
    /// When it begins.
    pub start: DateTime<Utc>,
    /// Where; empty when it is not told.
    pub place: &'a str,
    /// Where to meet online; empty when nowhere.
    pub link: &'a str,
}

/// The bubbles. `state` is how the booking conversation stands once it knows of the reminder: an answer is only asked for
/// where it would be understood as one.
pub fn told(what: &Reminding<'_>, state: &State, setting: &Setting, now: DateTime<Utc>) -> Vec<String> {
    let asks = matches!(state.stage, Stage::Reminded { .. } | Stage::Invited);
    let place: String = what.place.chars().take(PLACE_MAX).collect();
    let place = Some(place.trim()).filter(|place| !place.is_empty() && *place != what.link).unwrap_or_default();
    let values = [
        ("nome", wording::clip(what.name)),
        ("paciente", wording::clip(what.patient)),
        ("servico", wording::clip(what.service)),
        ("profissional", wording::clip(what.professional)),
        ("quando", wording::moment(setting.local(what.start), setting.local(now).date())),
        ("local", place.trim_end_matches('.').to_owned()),
        ("pergunta", if asks { "sim".to_owned() } else { String::new() }),
    ];
    let mut text = fill(what.text, &values);
    let link = what.link.trim();
    if !link.is_empty() && what.text != Text::FollowUp {
        // An address is never cut: a bubble of its own holds it.
        let link = fill(Text::Link, &[("link", link.to_owned())]);
        let is_short = text.chars().count() + 1 + link.chars().count() <= BUBBLE_MAX;
        text = format!("{text}{}{link}", if is_short { "\n" } else { "\n\n" });
    }
    bubbles(&text)
}
