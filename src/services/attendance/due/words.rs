//! The words of what is due, and what the booking conversation knows once they are said.

use chrono::{DateTime, TimeDelta, Utc};

use super::super::Turn;
use crate::domain::agenda::appointment::AppointmentState;
use crate::domain::agenda::flow::{
    Appointment, Committed, Deed, Effect, Entry, Event, Hold, Reminding, Saying, Slot, Stage, State, Text, bubbles_of,
    step, told,
};
use crate::domain::agenda::offer::Offer;
use crate::models::tenant::appointment::AppointmentRow;
use crate::models::tenant::catalog;
use crate::models::tenant::timer::TimerRow;
use crate::services::ServiceError;
use crate::services::agenda::setting;
use crate::services::agenda::timers::{AUTO_RESCHEDULE, FOLLOW_UP, OUTCOME, VACANCY, settled};
use crate::services::context::Conversation;
use crate::tenant::TenantTx;

/// A booking conversation in which nothing was said for so long is no longer under way.
const FORSAKEN: TimeDelta = TimeDelta::hours(24);
/// A reminder so near its appointment is worded as one that is about to begin.
const SOON: TimeDelta = TimeDelta::hours(3);

/// What to say, before it is stored.
pub(super) struct Words {
    pub bubbles: Vec<String>,
    pub state: State,
}

impl Turn<'_> {
    /// The words, and how the booking conversation stands once they are said.
    pub(super) async fn words_of(
        &self,
        tx: &mut TenantTx,
        conversation: &Conversation,
        (timer, row): (&TimerRow, &AppointmentRow),
    ) -> Result<Words, ServiceError> {
        let now = self.now();
        let items = catalog::all(tx).await?;
        let offer = Offer::of(items.iter().map(|item| (item.id, &item.fact, &item.data)));
        let setting = setting::of(self.tenant, &offer);
        let before = living(&conversation.standing.agenda, now);
        let one = setting::appointment(row);
        let event = match timer.kind.as_str() {
            FOLLOW_UP => Event::FollowedUp { service: one.service.clone() },
            VACANCY => Event::Vacancy { service: setting::service_id(row), hold: held(row) },
            _ => Event::Reminded(one.clone()),
        };
        if timer.kind == OUTCOME {
            let committed = Committed::recorded(deed(timer, row), entry(row, &one));
            let saying = Saying::Committed { committed, reminded: false };
            return Ok(Words { bubbles: saying.bubbles(&setting, now), state: conversation.standing.agenda.clone() });
        }
        let after = step(&before, event, now, &setting);
        let state = after.state.settled();
        if timer.kind == VACANCY {
            let said = |effect| if let Effect::Say(saying) = effect { Some(saying) } else { None };
            let sayings: Vec<_> = after.effects.into_iter().filter_map(said).collect();
            return Ok(Words { bubbles: bubbles_of(&sayings, &setting, now), state });
        }
        if timer.kind == AUTO_RESCHEDULE && !matches!(state.stage, Stage::Reminded { .. }) {
            // Nobody is asked in the middle of something else.
            return Ok(Words { bubbles: Vec::new(), state: before });
        }
        let attendee = row.attendee_name();
        let called = conversation.name.as_deref().unwrap_or(attendee);
        let what = Reminding {
            text: match timer.kind.as_str() {
                FOLLOW_UP => Text::FollowUp,
                AUTO_RESCHEDULE => Text::OfferMove,
                _ if row.starts_at - now <= SOON => Text::ReminderSoon,
                _ => Text::Reminder,
            },
            name: first_word(called),
            patient: if is_called(attendee, called) { "" } else { attendee },
            // A visit of no particular kind needs no name once it is over.
            service: if timer.kind == FOLLOW_UP { &row.service } else { &one.name },
            professional: &row.professional,
            start: row.starts_at,
            place: row.place(),
            link: row.meeting_url(),
        };
        Ok(Words { bubbles: told(&what, &state, &setting, now), state })
    }
}

/// The booking conversation, if it is still under way: an old question, or one about a visit that has begun, is none.
fn living(state: &State, now: DateTime<Utc>) -> State {
    let over = match &state.stage {
        Stage::Reminded { appointment } | Stage::Plans { appointment } => appointment.start <= now,
        Stage::Idle => false,
        _ => now - state.since > FORSAKEN,
    };
    if over { State::default() } else { state.clone() }
}

fn held(row: &AppointmentRow) -> Hold {
    let professional = row.professional_id.map(|id| id.to_string());
    let slot = Slot { start: row.starts_at, end: row.ends_at, professional };
    Hold { id: row.id.to_string(), slot, until: row.hold_until.unwrap_or(row.starts_at) }
}

/// What the row proves.
fn deed(timer: &TimerRow, row: &AppointmentRow) -> Deed {
    match timer.name.as_str() {
        settled::CANCELLED => Deed::Cancelled,
        _ if row.state() == AppointmentState::Pending => Deed::Requested,
        _ => Deed::Booked,
    }
}

fn entry(row: &AppointmentRow, one: &Appointment) -> Entry {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Entry {
        appointment: one.id.clone(),
        start: one.start,
        end: one.end,
        service: one.name.clone(),
        professional: some(&row.professional),
        patient: None,
        place: some(row.place()),
        link: some(row.meeting_url()),
    }
}

fn first_word(name: &str) -> &str {
    name.split_whitespace().next().unwrap_or_default()
}

/// Whether two names may be one person's: the same first word, or one of them says nothing.
fn is_called(one: &str, other: &str) -> bool {
    let fold = |name| crate::domain::text::fold::fold(first_word(name));
    let (one, other) = (fold(one), fold(other));
    one.is_empty() || other.is_empty() || one == "cliente" || one == other
}
