//! A booking that was made elsewhere becomes an appointment of ours.

use serde_json::json;
use uuid::Uuid;

use super::calendar::CalendarError;
use super::lanes;
use super::news::{News, state_of};
use super::rows::Desk;
use crate::clients::calendar::{Attendee, Booking};
use crate::domain::agenda::offer::Offer;
use crate::domain::phone::Phone;
use crate::models::tenant::appointment::AppointmentRow;
use crate::models::tenant::person::{self, Identity};
use crate::models::tenant::{catalog, conversation};
use crate::tenant::TenantTx;

/// The service makes up addresses for whoever gave a phone only.
const MADE_UP: &str = "@sms.cal.com";

/// The row of a booking that nobody here knew. `exclusive`: nobody else may have its time.
pub(super) async fn adopt(
    desk: &Desk<'_>,
    tx: &mut TenantTx,
    news: &News<'_>,
    booking: &Booking,
    exclusive: bool,
) -> Result<AppointmentRow, CalendarError> {
    let now = desk.now();
    let items = catalog::all(tx).await?;
    let offer = Offer::of(items.iter().map(|item| (item.id, &item.fact, &item.data)));
    let (service, professional) =
        booking.event_type.map_or((None, None), |event_type| lanes::meant_by(&offer, event_type));
    let attendee = booking.attendees.first().cloned().unwrap_or_default();
    let phone = phone_of(&attendee);
    let (person_id, conversation_id) = match &phone {
        Some(phone) => someone(desk, tx, phone, &attendee.name).await?,
        None => (None, None),
    };
    let email = Some(&attendee.email).filter(|email| !email.is_empty() && !email.ends_with(MADE_UP));
    let state = state_of(booking, !news.moved_from.is_empty());
    let mut row = AppointmentRow {
        id: Uuid::now_v7(),
        person_id,
        conversation_id,
        service_id: service.map(|one| one.id),
        service: service.map(|one| one.name.clone()).unwrap_or_default(),
        professional_id: professional.map(|one| one.id),
        professional: professional.map_or_else(|| booking.host.clone(), |one| one.name.clone()),
        resource: booking.event_type.map_or_else(|| "calendar".to_owned(), lanes::resource),
        seat: (exclusive && booking.event_type.is_some()).then_some(0),
        shared: false,
        starts_at: booking.starts,
        ends_at: booking.ends,
        busy_from: booking.starts,
        busy_to: booking.ends,
        state: state.as_str().to_owned(),
        source: "calendar".to_owned(),
        external_uid: Some(news.uid.to_owned()),
        event_type: booking.event_type,
        reservation_uid: None,
        hold_until: None,
        wish: None,
        attendee: json!({ "name": attendee.name, "phone": phone.map(|phone| format!("+{}", phone.digits())), "email": email }),
        meeting: json!({ "url": booking.meeting_url, "place": booking.location }),
        metadata: json!({}),
        reason: booking.cancellation_reason.clone(),
        outcome_source: None,
        event_at: Some(news.at),
        version: 1,
        risk: None,
        created_at: now,
        updated_at: now,
    };
    news.moved_from.iter().for_each(|uid| row.add_former(uid));
    super::news::note_attendance(&mut row, news, now);
    Ok(row)
}

fn phone_of(attendee: &Attendee) -> Option<Phone> {
    let made_up = || attendee.email.strip_suffix(MADE_UP).map(|digits| format!("+{}", digits.trim_start_matches('+')));
    attendee.phone.clone().or_else(made_up).and_then(|phone| Phone::typed(&phone))
}

/// The person of a number, found or made, and the conversation with them, if there is one.
async fn someone(
    desk: &Desk<'_>,
    tx: &mut TenantTx,
    phone: &Phone,
    name: &str,
) -> Result<(Option<Uuid>, Option<Uuid>), CalendarError> {
    let now = desk.now();
    let key = phone.person_key();
    let fresh = Uuid::now_v7();
    let id = person::find_or_create(tx, &[Identity { kind: "phone", value: key.clone() }], fresh, now).await?;
    if id == fresh && !name.trim().is_empty() {
        person::name_from_channel(tx, id, name.trim(), now).await?;
    }
    let conversation = conversation::find(tx, &key).await?.filter(|known| known.person_id == id);
    Ok((Some(id), conversation.map(|known| known.id)))
}
