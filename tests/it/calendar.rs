//! One calendar, wherever it is kept: offered, kept, booked, moved, called off; fifty people at one time; answers that
//! are lost; what is put right afterwards.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Datelike, NaiveTime, TimeDelta, TimeZone, Utc, Weekday};
use chrono_tz::America::Sao_Paulo;
use proptest::prelude::*;
use secretaria::domain::agenda::appointment::AppointmentState as State;
use secretaria::domain::agenda::ics::{Entry, Standing, feed};
use secretaria::domain::agenda::offer::complaint;
use secretaria::models::tenant::appointment::AppointmentRow;
use secretaria::services::Services;
use secretaria::services::agenda::{self, Calendar, CalendarError, Customer, LookUp, OpenSlot, SlotWish, Wish};
use secretaria::services::audit::Actor;
use secretaria::standins::{EventTypeAtStandIn, Fault, FaultKind, Provider, StandIns};
use secretaria::tenant::Tenant;
use serde_json::json;
use uuid::Uuid;

use crate::harness::World;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Local,
    Calcom,
}

const BOTH: [Kind; 2] = [Kind::Local, Kind::Calcom];

/// A clinic with a calendar, and somebody who acts.
struct Desk {
    world: World,
    tenant: Arc<Tenant>,
    actor: Actor,
    event: i64,
}

async fn desk(kind: Kind) -> Desk {
    desk_with(kind, &[]).await
}

async fn desk_with(kind: Kind, more: &[(&str, &str)]) -> Desk {
    let world = World::builder().workers(0).set("database.pool_size", 8).start().await;
    let id = world.clinic.id.get();
    let event = id * 100 + 1;
    let (url, number) = (world.standins.calcom_url(), event.to_string());
    let key = StandIns::credential(id, "cal");
    let mut settings = vec![("hours.opening", "seg-sex 8h-18h"), ("calendar.duration_minutes", "30")];
    match kind {
        Kind::Local => settings.push(("calendar.kind", "local")),
        Kind::Calcom => settings.extend([
            ("calendar.kind", "calcom"),
            ("calendar.base_url", url.as_str()),
            ("calendar.event_type", number.as_str()),
            ("secret:calendar.api_key", key.as_str()),
        ]),
    }
    settings.extend_from_slice(more);
    world.configure(&world.clinic, &settings).await;
    world.standins.add_event_type(EventTypeAtStandIn::new(id, event));
    let tenant = world.tenant(&world.clinic);
    Desk { tenant, world, actor: Actor::operator("teste"), event }
}

impl Desk {
    fn services(&self) -> &Services {
        &self.world.process.services
    }

    fn calendar(&self) -> Calendar<'_> {
        agenda::of(self.services(), &self.tenant, &self.actor).unwrap()
    }

    fn company(&self) -> i64 {
        self.tenant.id().get()
    }

    /// A Monday at least two days ahead, at so many o'clock.
    fn at(&self, hour: i64) -> DateTime<Utc> {
        let mut date = self.world.clock.now().with_timezone(&Sao_Paulo).date_naive() + TimeDelta::days(2);
        while date.weekday() != Weekday::Mon || secretaria::domain::hours::national(date).is_some() {
            date += TimeDelta::days(1);
        }
        Sao_Paulo.from_local_datetime(&(date.and_time(NaiveTime::MIN) + TimeDelta::hours(hour))).unwrap().to_utc()
    }

    fn day(&self) -> SlotWish {
        SlotWish { service: None, professional: None, from: self.at(0), until: self.at(24), moving: None, limit: 100 }
    }

    async fn free(&self) -> Vec<OpenSlot> {
        self.calendar().slots(&self.day()).await.unwrap()
    }

    async fn is_free(&self, starts: DateTime<Utc>) -> bool {
        self.free().await.iter().any(|slot| slot.starts == starts)
    }

    fn slot(&self, hour: i64) -> OpenSlot {
        self.slot_at(self.at(hour))
    }

    fn slot_at(&self, starts: DateTime<Utc>) -> OpenSlot {
        OpenSlot {
            starts,
            ends: starts + TimeDelta::minutes(30),
            service: None,
            service_name: String::new(),
            professional: None,
            professional_name: String::new(),
        }
    }

    fn wish(&self, hour: i64) -> Wish {
        let customer =
            Customer { name: "Ana Souza".to_owned(), phone: Some("+5511987654321".to_owned()), ..Customer::default() };
        Wish { id: Uuid::now_v7(), slot: self.slot(hour), customer, source: "chat" }
    }

    async fn book(&self, hour: i64) -> AppointmentRow {
        self.calendar().book(&self.wish(hour)).await.unwrap()
    }

    /// Bookings at the stand-in where somebody is expected.
    fn standing(&self) -> Vec<secretaria::standins::BookingAtStandIn> {
        self.world.standins.bookings(self.company()).into_iter().filter(|one| one.stands()).collect()
    }

    fn trouble(&self, kind: FaultKind, on: &str, times: u32) {
        self.world.standins.add_fault(Fault::new(Provider::CalCom, kind).on(on).times(times));
    }

    fn later(&self, minutes: u64) {
        self.world.clock.advance(Duration::from_secs(minutes * 60));
    }

    fn rows(&self, sql: &str) -> String {
        self.world.sql(&self.world.clinic, sql)
    }
}

const NEW: &str = "POST /calcom/v2/bookings";

#[tokio::test(flavor = "multi_thread")]
async fn both_calendars_offer_keep_book_move_and_call_off() {
    for kind in BOTH {
        let desk = desk(kind).await;
        let calendar = desk.calendar();
        let free = desk.free().await;
        assert_eq!((free.len(), free[0].starts), (20, desk.at(8)), "{kind:?}");

        let wish = desk.wish(9);
        let held = calendar.hold(&wish).await.unwrap();
        assert!(held.until > desk.world.clock.now() + TimeDelta::minutes(9));
        assert!(!desk.is_free(desk.at(9)).await, "{kind:?}: kept for Ana");
        assert!(matches!(calendar.hold(&desk.wish(9)).await, Err(CalendarError::Taken)), "{kind:?}");
        assert_eq!(calendar.look_up(wish.id).await.unwrap(), LookUp::NotBooked);

        let booked = calendar.book(&wish).await.unwrap();
        assert_eq!((booked.state(), booked.starts_at, booked.id), (State::Confirmed, desk.at(9), wish.id));
        assert_eq!(calendar.book(&wish).await.unwrap().external_uid, booked.external_uid, "the same again");
        assert!(matches!(calendar.look_up(wish.id).await.unwrap(), LookUp::Booked(_)));
        assert!(!desk.is_free(desk.at(9)).await);

        let kept = desk.wish(15);
        calendar.hold(&kept).await.unwrap();
        let moved = calendar.reschedule(booked.id, &kept.slot, Some(kept.id)).await.unwrap();
        assert_eq!((moved.id, moved.state(), moved.starts_at), (booked.id, State::Rescheduled, desk.at(15)));
        assert!(moved.version > booked.version);
        assert!(desk.is_free(desk.at(9)).await, "{kind:?}: free again");
        assert!(!desk.is_free(desk.at(15)).await);
        let moved = calendar.reschedule(booked.id, &desk.slot(16), None).await.unwrap();
        assert_eq!(moved.starts_at, desk.at(16), "also a time that was not kept");

        let off = calendar.cancel(booked.id, "não posso").await.unwrap();
        assert_eq!((off.state(), off.reason.as_deref()), (State::Cancelled, Some("não posso")));
        assert_eq!(calendar.cancel(booked.id, "não posso").await.unwrap().version, off.version, "once is enough");
        assert!(matches!(calendar.reschedule(booked.id, &desk.slot(9), None).await, Err(CalendarError::Gone)));
        assert_eq!(desk.free().await.len(), 20);
        assert!(desk.standing().is_empty());
        assert!(calendar.appointments_of(Uuid::now_v7()).await.unwrap().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_people_at_one_time_are_one_appointment() {
    for kind in BOTH {
        for held_before in [false, true] {
            let desk = Arc::new(desk(kind).await);
            let tries = (0..50).map(|_| {
                let desk = Arc::clone(&desk);
                tokio::spawn(async move {
                    let wish = desk.wish(10);
                    if held_before {
                        desk.calendar().hold(&wish).await?;
                    }
                    desk.calendar().book(&wish).await
                })
            });
            let mut booked = 0;
            for outcome in futures::future::join_all(tries).await {
                match outcome.unwrap() {
                    Ok(row) => {
                        booked += 1;
                        assert_eq!(row.state(), State::Confirmed);
                    }
                    Err(CalendarError::Taken) => {}
                    Err(other) => panic!("{kind:?}: {other}"),
                }
            }
            assert_eq!(booked, 1, "{kind:?}, held before: {held_before}");
            let rows = desk.rows("SELECT count(*) FROM appointment WHERE state IN ('booking', 'confirmed', 'held')");
            assert_eq!(rows, "1", "{kind:?}");
            if kind == Kind::Calcom {
                assert_eq!(desk.standing().len(), 1);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_itself_keeps_two_people_out_of_one_seat() {
    let desk = desk(Kind::Local).await;
    desk.book(9).await;
    let again = desk.world.db.sql(&format!(
        "SET search_path TO tenant_{}; INSERT INTO appointment SELECT (jsonb_populate_record(a, jsonb_build_object(
             'id', gen_random_uuid(), 'starts_at', a.starts_at + interval '10 min', 'ends_at', a.ends_at + interval '10 min',
             'busy_to', a.busy_to + interval '10 min'))).* FROM appointment a",
        desk.tenant.id()
    ));
    assert!(again.unwrap_err().contains("appointment_seat"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_is_kept_until_it_runs_out_and_then_belongs_to_whoever_comes() {
    for kind in BOTH {
        let desk = desk(kind).await;
        let calendar = desk.calendar();
        let (one, other) = (desk.wish(9), desk.wish(9));
        calendar.hold(&one).await.unwrap();
        desk.later(12);
        assert!(desk.is_free(desk.at(9)).await, "{kind:?}");
        calendar.hold(&other).await.unwrap();
        assert!(matches!(calendar.book(&one).await, Err(CalendarError::Taken)), "{kind:?}: too late");
        assert_eq!(calendar.book(&other).await.unwrap().state(), State::Confirmed);

        let slow = desk.wish(11);
        calendar.hold(&slow).await.unwrap();
        desk.later(12);
        assert_eq!(calendar.book(&slow).await.unwrap().state(), State::Confirmed, "late, and still free");

        let unsure = desk.wish(14);
        calendar.hold(&unsure).await.unwrap();
        calendar.release(unsure.id).await.unwrap();
        calendar.release(unsure.id).await.unwrap();
        assert!(desk.is_free(desk.at(14)).await, "{kind:?}: given back");
        calendar.hold(&desk.wish(15)).await.unwrap();
        desk.later(15);
        assert_eq!(calendar.settle(10).await.unwrap().lapsed, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_on_offer_is_not_booked() {
    let local = desk(Kind::Local).await;
    for slot in [local.slot(7), local.slot(18), local.slot(9 - 24 * 7), local.slot(9 - 24)] {
        let wish = Wish { slot: slot.clone(), ..local.wish(9) };
        assert!(matches!(local.calendar().book(&wish).await, Err(CalendarError::NotOffered)), "{slot:?}");
    }
    let odd = OpenSlot { starts: local.at(9) + TimeDelta::minutes(7), ..local.slot(9) };
    let wish = Wish { slot: odd, ..local.wish(9) };
    assert!(matches!(local.calendar().hold(&wish).await, Err(CalendarError::NotOffered)));

    let outside = desk(Kind::Calcom).await;
    let past = Wish { slot: outside.slot(9 - 24 * 14), ..outside.wish(9) };
    assert!(matches!(outside.calendar().book(&past).await, Err(CalendarError::NotOffered)));
    let closed = Wish { slot: outside.slot(20), ..outside.wish(9) };
    assert!(matches!(outside.calendar().book(&closed).await, Err(CalendarError::Taken)), "Cal.com tells no difference");
    assert_eq!(outside.rows("SELECT state, reason FROM appointment"), "failed|slot_taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_booking_whose_answer_is_lost_is_found_and_not_made_twice() {
    for kind in [FaultKind::ResetAfterAccept, FaultKind::Garbage, FaultKind::Truncated] {
        let desk = desk(Kind::Calcom).await;
        desk.trouble(kind, NEW, 1);
        let row = desk.book(9).await;
        let standing = desk.standing();
        assert_eq!(standing.len(), 1, "{kind:?}");
        assert_eq!(row.external_uid.as_deref(), Some(standing[0].uid.as_str()));
        assert_eq!(standing[0].metadata["sv_request"], row.id.to_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_that_was_not_made_is_tried_once_more() {
    for kind in [FaultKind::ResetBefore, FaultKind::Html] {
        let desk = desk(Kind::Calcom).await;
        desk.trouble(kind, NEW, 1);
        assert_eq!(desk.book(9).await.state(), State::Confirmed);
        assert_eq!(desk.standing().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_dies_while_booking_is_succeeded_and_there_is_one_appointment() {
    for kind in BOTH {
        let desk = desk(kind).await;
        // A slow calendar, so that deaths fall before, during and after the call.
        let slow = Fault { delay_ms: Some(15), ..Fault::new(Provider::CalCom, FaultKind::Delay) };
        desk.world.standins.add_fault(slow);
        for n in 0..18_i64 {
            let wish = Wish { slot: desk.slot_at(desk.at(8) + TimeDelta::minutes(30 * n)), ..desk.wish(8) };
            let died = Duration::from_millis(u64::try_from(n * 4).unwrap());
            // A future that is dropped ends wherever it waits, as a process does.
            let _ = tokio::time::timeout(died, desk.calendar().book(&wish)).await;
            let mut outcome = desk.calendar().book(&wish).await;
            if matches!(outcome, Err(CalendarError::Unclear)) {
                outcome = desk.calendar().book(&wish).await;
            }
            let row = outcome.unwrap();
            assert_eq!((row.id, row.state()), (wish.id, State::Confirmed), "{kind:?} after {died:?}");
        }
        desk.world.standins.clear_faults();
        desk.later(3);
        desk.calendar().settle(50).await.unwrap();
        let rows = desk.rows("SELECT count(*), count(DISTINCT starts_at) FROM appointment WHERE state = 'confirmed'");
        assert_eq!(rows, "18|18", "{kind:?}");
        if kind == Kind::Calcom {
            let starts: BTreeSet<_> = desk.standing().iter().map(|one| one.starts).collect();
            assert_eq!((starts.len(), desk.standing().len()), (18, 18));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_calendar_stays_silent_nothing_is_told_and_later_it_is_known() {
    // Accepted, and nobody can ask: the booking stands, and is found when the calendar speaks again.
    let first = desk(Kind::Calcom).await;
    first.trouble(FaultKind::ResetAfterAccept, NEW, 1);
    first.trouble(FaultKind::Html, "GET /calcom/v2/bookings", 3);
    let wish = first.wish(9);
    assert!(matches!(first.calendar().book(&wish).await, Err(CalendarError::Unclear)));
    assert_eq!(first.rows("SELECT state FROM appointment"), "booking");
    assert!(!first.is_free(first.at(9)).await, "nobody else gets it meanwhile");
    first.later(2);
    let settled = first.calendar().settle(10).await.unwrap();
    assert_eq!(settled.booked.iter().map(|row| row.id).collect::<Vec<_>>(), [wish.id]);
    assert_eq!(first.standing().len(), 1);
    assert!(matches!(first.calendar().look_up(wish.id).await.unwrap(), LookUp::Booked(_)));

    // Never accepted: given up after a while, and the time is free.
    let second = desk(Kind::Calcom).await;
    second.trouble(FaultKind::ResetBefore, NEW, 2);
    let wish = second.wish(9);
    assert!(matches!(second.calendar().book(&wish).await, Err(CalendarError::Unclear)));
    second.later(2);
    assert_eq!(second.calendar().settle(10).await.unwrap().open, 1, "too early to say");
    second.later(20);
    let settled = second.calendar().settle(10).await.unwrap();
    assert_eq!(settled.failed.len(), 1);
    assert_eq!(second.calendar().look_up(wish.id).await.unwrap(), LookUp::NotBooked);
    assert!(second.is_free(second.at(9)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_through_late_or_twice_is_called_off() {
    let desk = desk(Kind::Calcom).await;
    let id = desk.company();
    desk.world.standins.add_event_type(EventTypeAtStandIn { seats: 5, ..EventTypeAtStandIn::new(id, desk.event) });
    // Twice: both tries were accepted, both answers lost, and nobody could look in between.
    let wish = desk.wish(9);
    desk.trouble(FaultKind::ResetAfterAccept, NEW, 1);
    let booked = desk.calendar().book(&wish).await.unwrap();
    let body = json!({
        "start": desk.at(9).to_rfc3339_opts(chrono::SecondsFormat::Secs, true), "eventTypeId": desk.event,
        "attendee": {"name": "Ana", "timeZone": "America/Sao_Paulo", "phoneNumber": "+5511987654321"},
        "metadata": {"sv_request": wish.id.to_string()},
    });
    let url = format!("{}/v2/bookings", desk.world.standins.calcom_url());
    let bearer = format!("Bearer {}", StandIns::credential(id, "late"));
    let headers = [("authorization", bearer.as_str()), ("cal-api-version", "2024-08-13")];
    let again = async || {
        let body = body.to_string().into_bytes();
        desk.world.http.post_json(&url, &headers, body, Duration::from_secs(5), 100_000).await.unwrap()
    };
    assert_eq!(again().await.status, 201, "the same intent once more, as a stray packet would");
    assert_eq!(desk.standing().len(), 2);
    desk.rows(&format!(
        r#"UPDATE appointment SET wish = '{{"kind":"twice","until":"2999-01-01T00:00:00Z"}}' WHERE id = '{}'"#,
        wish.id
    ));
    desk.later(3);
    desk.calendar().settle(10).await.unwrap();
    let standing = desk.standing();
    assert_eq!(standing.iter().map(|one| Some(one.uid.clone())).collect::<Vec<_>>(), [booked.external_uid]);

    // Late: it was given up, the person was told so, and then it came through.
    desk.rows(&format!(
        "UPDATE appointment SET state = 'failed', external_uid = NULL, wish = NULL, hold_until = '2999-01-01' WHERE id = '{}'",
        wish.id
    ));
    desk.later(3);
    assert_eq!(desk.calendar().settle(10).await.unwrap().called_back, 1);
    assert!(desk.standing().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_that_was_booked_elsewhere_is_taken_and_nothing_is_left_behind() {
    let desk = desk(Kind::Calcom).await;
    let wish = desk.wish(9);
    desk.calendar().hold(&wish).await.unwrap();
    desk.world.standins.book_elsewhere(desk.event, desk.at(9), "Bia").unwrap();
    assert!(matches!(desk.calendar().book(&wish).await, Err(CalendarError::Taken)));
    assert_eq!(desk.standing().len(), 1);
    assert_eq!(desk.rows("SELECT state FROM appointment"), "failed");
    assert!(matches!(desk.calendar().book(&wish).await, Err(CalendarError::Gone)), "an intent is used once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_whose_answer_is_lost_happens_once() {
    let desk = desk(Kind::Calcom).await;
    let booked = desk.book(9).await;
    desk.trouble(FaultKind::ResetAfterAccept, "/reschedule", 1);
    let moved = desk.calendar().reschedule(booked.id, &desk.slot(11), None).await.unwrap();
    assert_eq!((moved.starts_at, desk.standing().len()), (desk.at(11), 1));
    assert_eq!(moved.external_uid.as_deref(), Some(desk.standing()[0].uid.as_str()));

    // And where nobody could look: settled later.
    desk.trouble(FaultKind::ResetAfterAccept, "/reschedule", 1);
    desk.trouble(FaultKind::Html, "GET /calcom/v2/bookings", 3);
    let lost = desk.calendar().reschedule(booked.id, &desk.slot(14), None).await;
    assert!(matches!(lost, Err(CalendarError::Unclear)), "{lost:?}");
    desk.later(3);
    let settled = desk.calendar().settle(10).await.unwrap();
    assert_eq!(settled.moved.iter().map(|row| (row.id, row.starts_at)).collect::<Vec<_>>(), [(booked.id, desk.at(14))]);
    assert_eq!(desk.standing().len(), 1);
    assert!(desk.is_free(desk.at(11)).await);

    // A time that somebody else has: the appointment stays where it is.
    desk.world.standins.book_elsewhere(desk.event, desk.at(16), "Bia").unwrap();
    let refused = desk.calendar().reschedule(booked.id, &desk.slot(16), None).await;
    assert!(matches!(refused, Err(CalendarError::Taken)), "{refused:?}");
    assert_eq!(desk.rows("SELECT count(*) FROM appointment WHERE state = 'held' OR wish IS NOT NULL"), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelling_whose_answer_is_lost_is_a_cancelling() {
    let desk = desk(Kind::Calcom).await;
    let booked = desk.book(9).await;
    desk.trouble(FaultKind::ResetAfterAccept, "/cancel", 1);
    assert_eq!(desk.calendar().cancel(booked.id, "não posso").await.unwrap().state(), State::Cancelled);
    let other = desk.book(10).await;
    desk.trouble(FaultKind::ResetAfterAccept, "/cancel", 1);
    desk.trouble(FaultKind::Html, "GET /calcom/v2/bookings", 3);
    assert!(matches!(desk.calendar().cancel(other.id, "não posso").await, Err(CalendarError::Unclear)));
    desk.later(3);
    let settled = desk.calendar().settle(10).await.unwrap();
    assert_eq!(settled.cancelled.len(), 1);
    assert!(desk.standing().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_is_told_by_its_kind() {
    let desk = desk(Kind::Calcom).await;
    let fault = |status| Fault::status(Provider::CalCom, status, json!({"error": {"message": "x"}}));
    let slots = async || desk.calendar().slots(&desk.day()).await.unwrap_err();
    desk.world.standins.add_fault(fault(429).times(1));
    let waits = slots().await;
    assert!(matches!(waits, CalendarError::Down { wait: Some(wait) } if wait == Duration::from_secs(60)), "{waits:?}");
    desk.later(2);
    desk.world.standins.add_fault(fault(401).times(1));
    assert!(matches!(slots().await, CalendarError::NotConfigured("key_refused")));
    desk.later(2);
    desk.world.standins.add_fault(fault(503).times(3));
    assert!(matches!(slots().await, CalendarError::Down { .. }));
    // What failed so often is left alone for a while; then one call is tried, and all are well again.
    desk.later(2);
    assert!(desk.calendar().slots(&desk.day()).await.is_ok());
    desk.world.standins.add_fault(fault(503).times(2));
    assert!(desk.calendar().slots(&desk.day()).await.is_ok(), "the third try does it");
    desk.world.configure(&desk.world.clinic, &[("calendar.kind", "none")]).await;
    let tenant = desk.world.tenant(&desk.world.clinic);
    let none = agenda::of(desk.services(), &tenant, &desk.actor).err().unwrap();
    assert!(matches!(none, CalendarError::NotConfigured("no_calendar")));
    desk.world.configure(&desk.world.clinic, &[("calendar.kind", "calcom")]).await;
    desk.world.unset(&desk.world.clinic, &["calendar.api_key"]).await;
    let tenant = desk.world.tenant(&desk.world.clinic);
    let none = agenda::of(desk.services(), &tenant, &desk.actor).err().unwrap();
    assert!(matches!(none, CalendarError::NotConfigured("no_api_key")));
}

#[tokio::test(flavor = "multi_thread")]
async fn services_and_professionals_have_times_of_their_own() {
    let desk = desk_with(Kind::Local, &[("calendar.buffer_after_minutes", "10")]).await;
    let (cut, class) = (Uuid::now_v7(), Uuid::now_v7());
    let (lia, rui) = (Uuid::now_v7(), Uuid::now_v7());
    desk.rows(&format!(
        r#"INSERT INTO catalog (id, kind, name, duration_min, capacity, data, created_at, updated_at) VALUES
           ('{cut}', 'service', 'Corte', 50, 1, '{{}}', now(), now()),
           ('{class}', 'service', 'Pilates', 60, 3, '{{"agenda": {{"hours": "seg-sex 10h-12h"}}}}', now(), now()),
           ('{lia}', 'professional', 'Lia', NULL, 1, '{{"agenda": {{"hours": "seg 9h-12h"}}}}', now(), now()),
           ('{rui}', 'professional', 'Rui', NULL, 1, '{{"agenda": {{"services": ["{cut}"]}}}}', now(), now())"#
    ));
    let calendar = desk.calendar();
    let of = async |service, professional| {
        let found = calendar.slots(&SlotWish { service, professional, ..desk.day() }).await.unwrap();
        found.into_iter().map(|slot| (slot.starts, slot.professional_name)).collect::<Vec<_>>()
    };
    let lias = of(Some(cut), Some(lia)).await;
    assert_eq!(
        lias.iter().map(|(starts, _)| *starts - desk.at(9)).map(|d| d.num_minutes()).collect::<Vec<_>>(),
        [0, 50, 100]
    );
    assert_eq!(of(Some(cut), None).await.len(), 15, "Rui's twelve, and Lia's three between them");
    assert_eq!(
        of(Some(class), None).await.into_iter().map(|(_, who)| who).collect::<BTreeSet<_>>(),
        ["Lia".to_owned()].into()
    );
    assert!(matches!(
        calendar.slots(&SlotWish { service: Some(class), professional: Some(rui), ..desk.day() }).await,
        Err(CalendarError::NotOffered)
    ));
    // A class of three at ten with Lia; a fourth finds no place, and nobody is seen alone meanwhile.
    let classes = calendar.slots(&SlotWish { service: Some(class), ..desk.day() }).await.unwrap();
    let at_ten = classes.iter().find(|slot| slot.starts == desk.at(10)).unwrap();
    for expected in [true, true, true, false] {
        let wish = Wish { slot: at_ten.clone(), ..desk.wish(10) };
        assert_eq!(calendar.book(&wish).await.is_ok(), expected);
    }
    let alone = of(Some(cut), Some(lia)).await;
    assert_eq!(alone, [(desk.at(9), "Lia".to_owned())], "50 minutes and 10 of buffer end at ten");
    assert_eq!(desk.rows("SELECT count(DISTINCT seat), count(*) FROM appointment WHERE service = 'Pilates'"), "3|3");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_company_says_yes_or_no_and_who_came() {
    for kind in BOTH {
        let more: &[(&str, &str)] = if kind == Kind::Local { &[("calendar.needs_confirmation", "true")] } else { &[] };
        let desk = desk_with(kind, more).await;
        let id = desk.company();
        desk.world
            .standins
            .add_event_type(EventTypeAtStandIn { needs_confirmation: true, ..EventTypeAtStandIn::new(id, desk.event) });
        let calendar = desk.calendar();
        let (one, other) = (desk.book(9).await, desk.book(10).await);
        assert_eq!(one.state(), State::Pending, "{kind:?}");
        assert_eq!(calendar.confirm(one.id).await.unwrap().state(), State::Confirmed);
        assert_eq!(calendar.confirm(one.id).await.unwrap().state(), State::Confirmed, "{kind:?}: twice is fine");
        assert_eq!(calendar.decline(other.id, "agenda cheia").await.unwrap().state(), State::Rejected);
        assert!(matches!(calendar.confirm(other.id).await, Err(CalendarError::Refused(_) | CalendarError::Gone)));
        assert!(matches!(calendar.mark(one.id, false, "team").await, Err(CalendarError::NotOffered)), "not over");
        desk.world.clock.advance((one.ends_at - desk.world.clock.now()).to_std().unwrap());
        let marked = calendar.mark(one.id, false, "team").await.unwrap();
        assert_eq!((marked.state(), marked.outcome_source.as_deref()), (State::NoShow, Some("team")));
        if kind == Kind::Calcom {
            assert!(desk.standing()[0].absent, "Cal.com is told");
        }
        assert_eq!(calendar.mark(one.id, true, "customer").await.unwrap().state(), State::Attended);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_look_and_every_change_is_in_the_audit_trail() {
    let desk = desk(Kind::Local).await;
    desk.free().await;
    let booked = desk.book(9).await;
    desk.calendar().reschedule(booked.id, &desk.slot(10), None).await.unwrap();
    desk.calendar().cancel(booked.id, "não posso").await.unwrap();
    let actions = desk.rows("SELECT string_agg(action, ' ' ORDER BY seq) FROM audit_log WHERE action LIKE 'agenda.%'");
    assert_eq!(actions, "agenda.access agenda.book agenda.reschedule agenda.cancel");
    assert_eq!(desk.rows("SELECT count(*) FROM audit_log WHERE detail::text ~ 'Ana|98765'"), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_feed_holds_what_stands_and_what_was_called_off() {
    let desk = desk(Kind::Local).await;
    let (one, other) = (desk.book(9).await, desk.book(10).await);
    desk.calendar().cancel(other.id, "não posso").await.unwrap();
    desk.calendar().hold(&desk.wish(11)).await.unwrap();
    let text = agenda::feed::text(&desk.tenant, desk.world.clock.now()).await.unwrap();
    assert_eq!(text.matches("BEGIN:VEVENT").count(), 2, "a kept time is no appointment");
    assert!(text.contains(&format!("DTSTART:{}", one.starts_at.format("%Y%m%dT%H%M%SZ"))));
    assert!(text.contains("STATUS:CANCELLED") && text.contains("STATUS:CONFIRMED"));
    assert!(text.contains("SUMMARY:Ana Souza"));
}

#[test]
fn a_feed_is_written_as_the_standard_says() {
    let moment: DateTime<Utc> = "2026-12-01T12:00:00Z".parse().unwrap();
    let entry = Entry {
        uid: "1@clinica.localhost".to_owned(),
        summary: "Limpeza; Ana, às 9h \\ sala 2".to_owned(),
        description: "linha um\nlinha dois".to_owned(),
        location: "Rua das Acácias, 120 – uma rua de nome bastante comprido para uma linha só de setenta e cinco"
            .to_owned(),
        starts: moment,
        ends: moment + TimeDelta::minutes(30),
        version: 3,
        changed: moment,
        standing: Standing::Confirmed,
    };
    let text = feed("Clínica Sorriso", &[entry]);
    assert!(text.starts_with("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n") && text.ends_with("END:VCALENDAR\r\n"));
    for line in ["SUMMARY:Limpeza\\; Ana\\, às 9h \\\\ sala 2", "DESCRIPTION:linha um\\nlinha dois", "SEQUENCE:2"] {
        assert!(text.contains(&format!("\r\n{line}\r\n")), "{line}");
    }
    assert!(text.split("\r\n").all(|line| line.len() <= 75));
    assert!(
        text.replace("\r\n ", "").contains("uma rua de nome bastante comprido para uma linha só de setenta e cinco")
    );
}

#[test]
fn hours_that_cannot_be_read_are_told() {
    assert_eq!(complaint(&json!({"hours": "seg-sex 8h-18h", "days": "24/12 fechado"})), None);
    assert!(complaint(&json!({"hours": "quando der"})).is_some());
    assert!(complaint(&json!({"days": "natal 8h"})).is_some());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn no_text_breaks_a_feed(summary in "\\PC{0,200}", description in "(?s).{0,300}") {
        let moment = DateTime::UNIX_EPOCH;
        let entry = Entry {
            uid: "1".to_owned(), summary, description, location: String::new(), starts: moment,
            ends: moment + TimeDelta::minutes(1), version: 1, changed: moment, standing: Standing::Tentative,
        };
        let text = feed("x", &[entry]);
        prop_assert!(text.split("\r\n").all(|line| line.len() <= 75 && !line.contains(['\r', '\n'])));
        prop_assert_eq!(text.matches("\r\nBEGIN:VEVENT").count(), 1);
    }
}
