//! After a visit: did somebody come?

use uuid::Uuid;

use super::dispatch::actor;
use super::judge::{Verdict, judge};
use crate::domain::agenda::appointment::AppointmentState as State;
use crate::models::tenant::appointment;
use crate::models::tenant::event::{self, EventRow};
use crate::models::tenant::timer::{self, CANCELLED, DONE, DUE};
use crate::services::agenda::calendar::{CalendarError, of};
use crate::services::agenda::rows::Desk;
use crate::services::{ServiceError, Services};
use crate::tenant::{StoreError, Tenant};

/// Who says that nobody came, where the company wants what nobody marks to count as missed.
const NOBODY_MARKED: &str = "unmarked";

/// Looks whether a visit was marked, some time after its end. Nobody is accused without a source: an appointment that
/// nobody marked stays as it is unless the company wishes otherwise.
pub(super) async fn look(services: &Services, tenant: &Tenant, id: Uuid) -> Result<(), ServiceError> {
    let actor = actor();
    let desk = Desk::new(services, tenant, &actor);
    let missed = match mark(&desk, id).await {
        Ok(missed) => missed,
        Err(CalendarError::Store(error)) => return Err(error.into()),
        Err(error) => return Err(StoreError::pg_data(error.to_string()).into()),
    };
    let Some(appointment) = missed else { return Ok(()) };
    // Ours is stored; a calendar outside is told as far as it goes.
    let told = async { of(services, tenant, &actor)?.mark(appointment, false, NOBODY_MARKED).await };
    if let Err(error) = told.await {
        tracing::info!(company = tenant.id().get(), %error, "The calendar could not be told that nobody came");
    }
    Ok(())
}

/// One transaction: the look is done, and what it comes to. Returns the appointment that counts as missed.
async fn mark(desk: &Desk<'_>, id: Uuid) -> Result<Option<Uuid>, CalendarError> {
    let (now, settings) = (desk.now(), &desk.tenant.settings);
    within!(desk, |tx| {
        let Some(of) = timer::find(tx, id).await?.and_then(|timer| timer.appointment_id) else { return Ok(None) };
        // The appointment before its timers, as everywhere: two that wait for each other would wait for ever.
        let row = appointment::lock(tx, of).await?;
        let Some(mut timer) = timer::lock(tx, id).await?.filter(|timer| timer.state == DUE) else { return Ok(None) };
        let verdict = row
            .as_ref()
            .map_or(Verdict::Gone, |row| judge(&timer, row, &settings.reminders.rules(settings.timezone), now));
        let missed = verdict == Verdict::Send && settings.reminders.no_show_auto;
        let state = if verdict == Verdict::Send { DONE } else { CANCELLED };
        state.clone_into(&mut timer.state);
        timer.updated_at = now;
        timer::save(tx, &timer).await?;
        let Some(mut row) = row.filter(|_| missed) else { return Ok(None) };
        row.set_state(State::NoShow);
        row.outcome_source = Some(NOBODY_MARKED.to_owned());
        row.updated_at = now;
        appointment::save(tx, &row).await?;
        if let Some(conversation) = row.conversation_id {
            let event = EventRow::no_show(Uuid::now_v7(), conversation, NOBODY_MARKED, now);
            event::insert(tx, &[event]).await?;
        }
        desk.record(tx, "agenda.no_show", &row).await?;
        Ok(Some(row.id))
    })
}
