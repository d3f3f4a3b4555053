//! Cal.com, API v2.
//!
//! # Codes
//! `key_refused`, `wrong_url`, `event_type_not_found`: configuration. `slot_taken`: somebody else has the time. `not_found`,
//! `final_state`: there is no such booking, or it can no longer be changed. `in_the_past`, `too_many`, `too_early`,
//! `attendee_incomplete`, `bad_request`: refused for good. `rate_limited`, `connect`, `dns`, `tls`: surely not done.
//! `server_error`, `timeout`, `reset`, `garbage`: nobody knows, unless it was only read.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};
use url::Url;

use super::calcom_errors::{Call, EVENT_TYPE_MISSING, on_the_way, refusal};
use super::{
    Account, Booking, CalendarEndpoint, EventType, FreeTime, INTENT_KEY, NewBooking, Reservation, SlotQuery,
    calcom_json,
};
use crate::clients::http::{BODY_LIMIT, HttpAnswer, HttpClient};
use crate::clients::{WireError, WireErrorKind};

/// Bookings of one page of a list.
const PAGE: usize = 100;
/// Most pages that are read of a list.
const PAGES_MAX: usize = 50;
/// Bookings that one failed try can be among.
const LOOKED_AT: usize = 50;
/// Longest name of somebody who comes, in characters.
const NAME_MAX: usize = 100;
/// Longest reason, in characters.
const REASON_MAX: usize = 500;

/// A company's account at Cal.com.
#[derive(Clone, Copy, Debug)]
pub struct Calcom<'a> {
    http: &'a HttpClient,
    endpoint: &'a CalendarEndpoint,
}

impl<'a> Calcom<'a> {
    /// Speaks to this endpoint.
    pub fn new(http: &'a HttpClient, endpoint: &'a CalendarEndpoint) -> Self {
        Self { http, endpoint }
    }

    /// Whose key it is: the cheapest way to check one.
    pub async fn me(&self) -> Result<Account, WireError> {
        self.read("/v2/me", &[], "").await.and_then(|answer| answer.take(calcom_json::account))
    }

    /// The event types of the account.
    pub async fn event_types(&self) -> Result<Vec<EventType>, WireError> {
        let version = &self.endpoint.versions.event_types;
        let answer = self.read("/v2/event-types", &[], version).await?;
        answer.take(|data| Some(data.as_array()?.iter().filter_map(calcom_json::event_type).collect()))
    }

    /// One event type. `event_type_not_found` when it is not there.
    pub async fn event_type(&self, id: i64) -> Result<EventType, WireError> {
        let version = &self.endpoint.versions.event_types;
        let answer = self.read(&format!("/v2/event-types/{id}"), &[], version).await;
        let missing = |error: WireError| match error.code {
            super::NOT_FOUND => WireError { kind: WireErrorKind::Auth, code: EVENT_TYPE_MISSING, ..error },
            _ => error,
        };
        answer.map_err(missing)?.take(calcom_json::event_type)
    }

    /// The times that seem free, in order. What is offered may be taken a moment later.
    pub async fn slots(&self, query: &SlotQuery<'_>) -> Result<Vec<FreeTime>, WireError> {
        let event_type = query.event_type.to_string();
        let (from, until) = (utc(query.from), utc(query.until));
        let mut asked = vec![
            ("eventTypeId", event_type.as_str()),
            ("start", from.as_str()),
            ("end", until.as_str()),
            ("timeZone", query.zone.name()),
            ("format", "range"),
        ];
        asked.extend(query.moving.map(|uid| ("bookingUidToReschedule", uid)));
        let answer = self.read("/v2/slots", &asked, &self.endpoint.versions.slots).await?;
        let mut slots = answer.take(calcom_json::slots)?;
        // Whole days are counted in the zone asked for; what lies outside was not asked for.
        slots.retain(|slot| query.from <= slot.starts && slot.starts < query.until);
        Ok(slots)
    }

    /// Keeps a time for some minutes.
    pub async fn reserve(
        &self,
        event_type: i64,
        starts: DateTime<Utc>,
        minutes: u32,
    ) -> Result<Reservation, WireError> {
        let body = json!({"eventTypeId": event_type, "slotStart": utc(starts), "reservationDuration": minutes});
        let version = &self.endpoint.versions.slots;
        let answer = self.post("/v2/slots/reservations", Some(&body), version, Call::Reserve).await?;
        answer.take(calcom_json::reservation)
    }

    /// Gives a kept time back. One that is not there any more is given back already.
    pub async fn release(&self, reservation: &str) -> Result<(), WireError> {
        let url = self.url(&["v2", "slots", "reservations", reservation], &[])?;
        let bearer = self.bearer();
        let headers = headers(&bearer, &self.endpoint.versions.slots);
        let answer = self.http.delete(&url, &headers, self.endpoint.timeout, BODY_LIMIT).await?;
        match answer.is_success() || answer.status == 404 {
            true => Ok(()),
            false => Err(refusal(&answer, Call::Reserve)),
        }
    }

    /// Makes a booking. An `Unknown` error: it may have been made, see [`Calcom::find_by_intent`].
    pub async fn book(&self, booking: &NewBooking<'_>) -> Result<Booking, WireError> {
        let body = json!({
            "start": utc(booking.starts),
            "eventTypeId": booking.event_type,
            "attendee": attendee(booking)?,
            "metadata": booking.metadata,
        });
        let answer = self.post("/v2/bookings", Some(&body), &self.endpoint.versions.bookings, Call::Book).await?;
        answer.take(calcom_json::booking)
    }

    /// A booking.
    pub async fn booking(&self, uid: &str) -> Result<Booking, WireError> {
        let answer = self.get_url(self.url(&["v2", "bookings", uid], &[])?, &self.endpoint.versions.bookings).await?;
        answer.take(calcom_json::booking)
    }

    /// All bookings made for an intent since a moment, whatever became of them, the oldest first: more than one when
    /// a try that seemed lost came through late.
    pub async fn find_by_intent(
        &self,
        intent: &str,
        event_type: i64,
        since: DateTime<Utc>,
    ) -> Result<Vec<Booking>, WireError> {
        let event_type = event_type.to_string();
        let since = utc(since);
        let asked = [("eventTypeId", event_type.as_str()), ("afterCreatedAt", since.as_str())];
        let mut found = self.list(&asked, LOOKED_AT).await?;
        found.retain(|booking| booking.metadata.get(INTENT_KEY).is_some_and(|carried| carried == intent));
        found.sort_by_key(|booking| booking.created_at);
        Ok(found)
    }

    /// All bookings that changed after a moment, in the order of their change.
    pub async fn updated_after(&self, since: DateTime<Utc>) -> Result<Vec<Booking>, WireError> {
        let since = utc(since);
        self.list(&[("afterUpdatedAt", since.as_str()), ("sortUpdatedAt", "asc")], PAGE).await
    }

    /// Moves a booking. The answer is another booking with another id.
    pub async fn reschedule(&self, uid: &str, starts: DateTime<Utc>, reason: &str) -> Result<Booking, WireError> {
        let body = json!({"start": utc(starts), "reschedulingReason": cut(reason, REASON_MAX)});
        self.change(uid, "reschedule", Some(&body)).await
    }

    /// Calls a booking off. One that is called off already: `final_state`.
    pub async fn cancel(&self, uid: &str, reason: &str) -> Result<Booking, WireError> {
        self.change(uid, "cancel", Some(&json!({"cancellationReason": cut(reason, REASON_MAX)}))).await
    }

    /// Says yes for the host.
    pub async fn confirm(&self, uid: &str) -> Result<Booking, WireError> {
        self.change(uid, "confirm", None).await
    }

    /// Says no for the host.
    pub async fn decline(&self, uid: &str, reason: &str) -> Result<Booking, WireError> {
        self.change(uid, "decline", Some(&json!({"reason": cut(reason, REASON_MAX)}))).await
    }

    /// Notes that somebody did not come, or takes that back. `too_early` before the beginning.
    pub async fn mark_absent(&self, uid: &str, email: &str, absent: bool) -> Result<Booking, WireError> {
        let body = json!({"host": false, "attendees": [{"email": email, "absent": absent}]});
        self.change(uid, "mark-absent", Some(&body)).await
    }

    async fn change(&self, uid: &str, what: &str, body: Option<&Value>) -> Result<Booking, WireError> {
        let url = self.url(&["v2", "bookings", uid, what], &[])?;
        let answer = self.post_url(url, body, &self.endpoint.versions.bookings, Call::Change).await?;
        answer.take(calcom_json::booking)
    }

    async fn list(&self, asked: &[(&str, &str)], page: usize) -> Result<Vec<Booking>, WireError> {
        let mut found = Vec::new();
        let take = page.to_string();
        for number in 0..PAGES_MAX {
            let skip = (number * page).to_string();
            let mut query = asked.to_vec();
            query.extend([("take", take.as_str()), ("skip", skip.as_str())]);
            let answer = self.read("/v2/bookings", &query, &self.endpoint.versions.list).await?;
            let more = answer.body.pointer("/pagination/hasNextPage").and_then(Value::as_bool).unwrap_or(false);
            let count = calcom_json::list(&answer.body, "data").count();
            found.extend(calcom_json::list(&answer.body, "data").filter_map(calcom_json::booking));
            if !more || count == 0 {
                break;
            }
        }
        Ok(found)
    }

    async fn read(&self, path: &str, query: &[(&str, &str)], version: &str) -> Result<Read, WireError> {
        let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        self.get_url(self.url(&segments, query)?, version).await
    }

    async fn get_url(&self, url: String, version: &str) -> Result<Read, WireError> {
        let bearer = self.bearer();
        let answer = self.http.get(&url, &headers(&bearer, version), self.endpoint.timeout, BODY_LIMIT).await;
        Read::of(answer, Call::Read)
    }

    async fn post(&self, path: &str, body: Option<&Value>, version: &str, call: Call) -> Result<Read, WireError> {
        let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        self.post_url(self.url(&segments, &[])?, body, version, call).await
    }

    async fn post_url(&self, url: String, body: Option<&Value>, version: &str, call: Call) -> Result<Read, WireError> {
        let bearer = self.bearer();
        let headers = headers(&bearer, version);
        let answer = match body {
            Some(body) => {
                let body = body.to_string().into_bytes();
                self.http.post_json(&url, &headers, body, self.endpoint.timeout, BODY_LIMIT).await
            }
            None => self.http.post_nothing(&url, &headers, self.endpoint.timeout, BODY_LIMIT).await,
        };
        Read::of(answer, call)
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.endpoint.api_key.expose_secret())
    }

    /// Built of parts, so that no id of the other side can become another path.
    fn url(&self, segments: &[&str], query: &[(&str, &str)]) -> Result<String, WireError> {
        let bad = || local("bad_url", "the calendar's base URL is no URL");
        let mut url = Url::parse(self.endpoint.base_url.trim_end_matches('/')).map_err(|_| bad())?;
        url.path_segments_mut().map_err(|()| bad())?.pop_if_empty().extend(segments);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url.into())
    }
}

/// A 2xx answer's body.
struct Read {
    body: Value,
    answer: HttpAnswer,
    call: Call,
}

impl Read {
    fn of(answer: Result<HttpAnswer, WireError>, call: Call) -> Result<Self, WireError> {
        let answer = answer.map_err(|error| on_the_way(error, call))?;
        if !answer.is_success() {
            return Err(refusal(&answer, call));
        }
        let body = match answer.cut {
            None => serde_json::from_slice(&answer.body).unwrap_or(Value::Null),
            Some(_) => Value::Null,
        };
        Ok(Self { body, answer, call })
    }

    /// The `data` of the answer. What was done is done, however its report reads: then nobody knows what came of it.
    fn take<T>(&self, read: impl FnOnce(&Value) -> Option<T>) -> Result<T, WireError> {
        self.body.get("data").and_then(read).ok_or_else(|| {
            let kind = if self.call == Call::Read { WireErrorKind::Unavailable } else { WireErrorKind::Unknown };
            self.answer.error(kind, "garbage")
        })
    }
}

fn headers<'h>(bearer: &'h str, version: &'h str) -> Vec<(&'static str, &'h str)> {
    let mut headers = vec![("authorization", bearer)];
    headers.extend((!version.is_empty()).then_some(("cal-api-version", version)));
    headers
}

fn attendee(booking: &NewBooking<'_>) -> Result<Value, WireError> {
    let (phone, email) = (present(booking.phone), present(booking.email));
    if phone.is_none() && email.is_none() {
        return Err(local("attendee_incomplete", "neither phone nor e-mail"));
    }
    let name = if booking.name.trim().is_empty() { "Cliente" } else { booking.name.trim() };
    let mut fields = Map::new();
    fields.insert("name".to_owned(), json!(cut(name, NAME_MAX)));
    fields.insert("timeZone".to_owned(), json!(booking.zone.name()));
    fields.insert("language".to_owned(), json!("pt-BR"));
    fields.extend(phone.map(|phone| ("phoneNumber".to_owned(), json!(phone))));
    fields.extend(email.map(|email| ("email".to_owned(), json!(email))));
    Ok(Value::Object(fields))
}

fn present(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

fn cut(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

/// A refusal of our own, before anything was sent.
fn local(code: &'static str, detail: &str) -> WireError {
    WireError { kind: WireErrorKind::Invalid, status: None, retry_after: None, code, detail: detail.to_owned() }
}

/// The form of every moment on the wire.
fn utc(moment: DateTime<Utc>) -> String {
    moment.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// What a booking is made to carry.
pub fn metadata(intent: &str, company: i64) -> BTreeMap<String, String> {
    BTreeMap::from([(INTENT_KEY.to_owned(), intent.to_owned()), (super::COMPANY_KEY.to_owned(), company.to_string())])
}
